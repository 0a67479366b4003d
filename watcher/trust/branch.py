"""What no public source settles: each combination is one branch (trust facts, 2.1).

A plan must be safe in every branch, or name the branch it needs and how one phone shows it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Self

Answers = Mapping[str, str]
"""Answers to open questions that all branches concerned share; empty: every branch."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """One open question: its two answers, in words, and what one phone or server shows of it."""

    id: str
    careful: str
    """The answer under which less is trusted."""
    other: str
    text: str
    observable: str


UNKNOWNS: Mapping[str, Unknown] = {
    unknown.id: unknown
    for unknown in (
        Unknown(
            "U1", "own", "all",
            "an ITL lists the CallManager certificates of all TFTP servers, not of its own only",
            "`show itl` on one TFTP server: whose CallManager certificates it lists",
        ),
        Unknown(
            "U2", "at_restart", "at_once",
            "TFTP builds and signs its ITL anew as soon as a certificate changes",
            "`show itl` after a renewal and before the TFTP restart: signer and serial number",
        ),
        Unknown(
            "U3", "at_restart", "at_once",
            "TVS knows new certificates, and shows its own new one, without a restart",
            "the status messages of one phone that is reset after a renewal and before the TVS "
            "restart: Trust List updated, or Trust List update failed",
        ),
        Unknown(
            "U5", "no", "yes",
            "a phone lets TVS vouch for a CTL signer it does not know",
            "`show ctl` (signer) and the status messages of one phone that is reset alone",
        ),
        Unknown(
            "U6", "ctl_only", "ctl_or_itl",
            "an encrypted phone also registers with a server that only its ITL lists",
            "one encrypted phone, reset alone: does it register",
        ),
        Unknown(
            "U9", "one", "per_node",
            "before 12.5 each node has an ITLRecovery certificate of its own",
            "`show cert own ITLRecovery` on two nodes: the serial numbers",
        ),
        Unknown(
            "U10", "rejected", "accepted",
            "phones take lists from a signer, and answers from a TVS, whose certificate is past "
            "its date",
            "one phone, reset alone: Trust List updated, or Trust List update failed",
        ),
    )
}  # fmt: skip
"""U4 (automatic resets) is always on, U7 fixed at the worst case, U8 wording only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """One answer to every open question; the defaults are the careful ones."""

    all_servers_listed: bool = False
    """U1."""
    tftp_at_once: bool = False
    """U2."""
    tvs_at_once: bool = False
    """U3."""
    tvs_vouches_for_ctl: bool = False
    """U5."""
    itl_suffices_for_tls: bool = False
    """U6."""
    recovery_per_node: bool = False
    """U9."""
    expired_accepted: bool = False
    """U10."""

    @property
    def answers(self) -> Answers:
        """The answer to each open question by its id."""
        return {
            name: unknown.other if getattr(self, _FIELDS[name]) else unknown.careful
            for name, unknown in UNKNOWNS.items()
        }

    def differing(self, other: Self) -> frozenset[str]:
        """Return the open questions that two branches answer differently."""
        return frozenset(
            name for name, own in _FIELDS.items() if getattr(self, own) != getattr(other, own)
        )


_FIELDS = {
    "U1": "all_servers_listed", "U2": "tftp_at_once", "U3": "tvs_at_once",
    "U5": "tvs_vouches_for_ctl", "U6": "itl_suffices_for_tls", "U9": "recovery_per_node",
    "U10": "expired_accepted",
}  # fmt: skip


def branches(open_questions: Mapping[str, str | None]) -> Iterator[Branch]:
    """Yield every combination; a question that is answered (not None) keeps its answer."""
    choices = []
    for name, answer in open_questions.items():
        values = [v for v in (False, True) if answer in (None, _word(name, yes=v))]
        choices.append([(_FIELDS[name], value) for value in values])
    for combination in product(*choices):
        yield Branch(**dict(combination))


def _word(name: str, *, yes: bool) -> str:
    return UNKNOWNS[name].other if yes else UNKNOWNS[name].careful


def pattern(found: Iterable[Branch], among: Iterable[Branch]) -> Answers:
    """Return what all `found` branches have in common that not all of `among` have."""
    everywhere = _common(among)
    return {name: word for name, word in _common(found).items() if name not in everywhere}


def _common(branches: Iterable[Branch]) -> Answers:
    """Return the answers that are the same in all branches."""
    first, *others = [branch.answers for branch in dict.fromkeys(branches)] or [{}]
    return {name: word for name, word in first.items() if all(o[name] == word for o in others)}

"""What a plan says of its own proof: the trust timeline, windows, phones that are off, sentences.

Drawn from a verdict of the trust model; a document shows it and computes nothing.
"""

from dataclasses import dataclass
from enum import StrEnum


class TrustState(StrEnum):
    """How a group of phones stands after a step, from best to worst."""

    STEADY = "steady"
    """Two or more independent ways to authenticate the next list."""
    SINGLE = "single"
    """One way."""
    BARE = "bare"
    """The phones keep no list and check none, so nothing can lock them out."""
    OPEN = "open"
    """A blank list: any signer is taken."""
    OUT = "out"
    """Some phones are not registered until a later step."""
    WINDOW = "window"
    """A phone reset exactly now would be refused; it heals at a later step."""
    LOST = "lost"
    """Phones do not come back without help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustCell:
    """One group after one step: the number of ways left to its worst phone, and their names."""

    state: TrustState
    anchors: int
    ways: tuple[str, ...]
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustMoment:
    """One column of the timeline: a step that changes what phones see, or a reset of all."""

    step: int
    title: str
    reset: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustLane:
    """One row: groups that fare alike, and a cell for the start and for each moment."""

    groups: tuple[str, ...]
    phones: int | None
    cells: tuple[TrustCell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustSpan:
    """Steps after which something is so, for some groups; `when` names the open question."""

    groups: tuple[str, ...]
    first: int
    last: int
    text: str
    when: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsentPhones:
    """What becomes of phones that are off for the whole plan."""

    groups: tuple[str, ...]
    ok: bool
    text: str
    when: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WayTried:
    """A way that was drawn and proven: what it costs, and why it was not taken."""

    way: str
    title: str
    resets: int
    minutes: int
    ruling: str
    why: str
    taken: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """Something the proof needs that no source and no inventory tells, and how one phone shows it.

    `step` is where it matters first, 0 when it matters throughout.
    """

    text: str
    check: str
    step: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The proof of one plan.

    `ruling` is `safe`, `safe-with-assumptions` or `refused`. `sentences` are the honest words a
    plan must print, in order; `counter_example` says why a plan was refused.
    """

    ruling: str
    resets: int
    nodes: int
    groups: int
    combinations: int
    moments: tuple[TrustMoment, ...]
    lanes: tuple[TrustLane, ...]
    windows: tuple[TrustSpan, ...]
    outages: tuple[TrustSpan, ...]
    notes: tuple[TrustSpan, ...]
    offline: tuple[AbsentPhones, ...]
    no_return: tuple[int, ...]
    assumptions: tuple[Assumption, ...]
    inputs: tuple[str, ...]
    unpaid: tuple[str, ...]
    ways: tuple[WayTried, ...]
    sentences: tuple[str, ...]
    counter_example: tuple[str, ...] = ()

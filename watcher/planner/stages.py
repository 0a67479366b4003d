"""The stages of a way: what changes between two gates, and what phones do at the gate."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from watcher.planner.halves import (
    Deed,
    another_serves,
    deeds_at,
    due_places,
    nodes_apart,
    serves_tftp,
)
from watcher.planner.jobs import Job
from watcher.planner.sketch import Ground
from watcher.planner.terrain import Place
from watcher.rules.store import Role
from watcher.rules.terms import Condition


class Ctl(StrEnum):
    """What is done to the CTL in a stage."""

    AS_LISTED = "update it where a renewed certificate is in it"
    LOCALKEY = "sign it with the recovery key, which phones know"
    ALWAYS = "update it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Renewals with one run of restarts and one gate behind them.

    `stop` is the TFTP server that rests until phones are back, `pause` the one that rests until
    its new list can be vouched for. At a light gate only one phone of each kind is reset; then one
    waits as at any other.
    """

    title: str
    deeds: tuple[Deed, ...]
    stop: Place | None = None
    pause: Place | None = None
    ctl: Ctl = Ctl.AS_LISTED
    light: bool = False


def all_at_once(jobs: Sequence[Job]) -> Stage:
    """Return one stage with everything: for phones that take any list, or know a token."""
    return Stage(title=_names(jobs), deeds=tuple(Deed(job, job.places) for job in jobs))


def store_by_store(jobs: Sequence[Job], ground: Ground) -> tuple[Stage, ...]:
    """Return one stage for each role; all phones are reset after the last one (TV-07).

    Encrypted phones check the servers' certificates when they register. Unless the cluster is
    known to be non-secure these come last, so that the reset that ends the gap follows at once.
    """
    issuers, signers, verifiers = (
        _by_role(jobs, role) for role in (Role.LSC_ISSUER, Role.FILE_SIGNER, Role.VERIFIER)
    )
    secure = ground.terrain.facts.get(Condition.NON_SECURE) is not True
    order = (issuers, verifiers, signers) if secure else (issuers, signers, verifiers)
    found = [all_at_once(group) for group in order if group]
    return tuple(replace(stage, light=stage is not found[-1]) for stage in found)


def node_by_node(jobs: Sequence[Job], ground: Ground) -> tuple[Stage, ...]:
    """Return TV-01: one TFTP server after the other with all its stores; none if that is unsafe."""
    return _resting(
        (
            Stage(title=f"On {_places(run)}", deeds=deeds_at(jobs, run))
            for run in nodes_apart(jobs, ground)
        ),
        ground,
    )


def staged(jobs: Sequence[Job], ground: Ground) -> tuple[Stage, ...]:
    """Return TV-03: one certificate at a time that phones check lists with.

    No TVS changes while a signer does, so that a CallManager group of one node keeps its own. A
    signer on a node that serves no TFTP signs no list, and goes with the last server.
    """
    issuers, signers = _by_role(jobs, Role.LSC_ISSUER), _by_role(jobs, Role.FILE_SIGNER)
    verifiers = _by_role(jobs, Role.VERIFIER)
    runs = _signer_runs(signers, ground)
    beside = _goes_beside(issuers, runs, ground)
    first = [] if beside or not issuers else [all_at_once(issuers)]
    together = [*(issuers if beside else ()), *signers]
    middle = [_at(together, run) for run in runs]
    last = [all_at_once(verifiers)] if verifiers else []
    return (*first, *_resting(middle, ground), *last)


def _resting(found: Iterable[Stage], ground: Ground) -> tuple[Stage, ...]:
    """Return the stages with the TFTP server that is stopped meanwhile (O2).

    The last one is back before phones are: those whose first server it is take its new list at
    once, so that no further reset is needed (TV-01).
    """
    stages = list(found)
    servers = [_signing_server(stage) for stage in stages]
    last = max((i for i, server in enumerate(servers) if server), default=None)
    return tuple(
        stage if server is None or not another_serves(server, ground)
        else replace(stage, pause=server) if i == last
        else replace(stage, stop=server)
        for i, (stage, server) in enumerate(zip(stages, servers, strict=True))
    )  # fmt: skip


def _signing_server(stage: Stage) -> Place | None:
    signers = (deed for deed in stage.deeds if deed.job.store.role is Role.FILE_SIGNER)
    return next((p for deed in signers for p in deed.places if serves_tftp(p)), None)


def _signer_runs(signers: Sequence[Job], ground: Ground) -> list[list[Place]]:
    """Return the places whose signers change together: one TFTP server in each run."""
    due = due_places(signers, ground)
    servers = [place for place in due if serves_tftp(place) is not False]
    others = [place for place in due if place not in servers]
    first = [place for place in others if place.publisher]
    runs = [[server] for server in servers] or ([[]] if others else [])
    if runs:
        runs[0] = [*first, *runs[0]]
        runs[-1] += [place for place in others if place not in first]
    return runs


def _goes_beside(issuers: Sequence[Job], runs: Sequence[Sequence[Place]], ground: Ground) -> bool:
    """Tell whether the LSC issuer may change with the signer of the same TFTP server (I-13 a)."""
    lone = [run[0] for run in runs if len(run) == 1]
    return all(
        place in lone and another_serves(place, ground) for job in issuers for place in job.places
    )


def detoured(found: Sequence[Stage]) -> tuple[Stage, ...]:
    """Return TV-52: the CTL reaches phones under the recovery key, then under the new one.

    From then on phones know the publisher's new key, and the next stage may bring the CTL that
    it signs. Where none follows, one that would have come before does: it saves a reset.
    """
    at = next((i for i, stage in enumerate(found) if _signs_ctl(stage)), len(found) - 1)
    before, after = list(found[:at]), list(found[at + 1 :])
    if not after:
        after = [before.pop() if before else Stage(title=_SIGNED, deeds=())]
    changed, signed = _paused(replace(found[at], ctl=Ctl.LOCALKEY)), after[0]
    return (*before, changed, replace(signed, ctl=Ctl.ALWAYS), *after[1:])


def _paused(stage: Stage) -> Stage:
    """Return a stage whose server is back when phones are reset: they know its key by the CTL."""
    return replace(stage, stop=None, pause=stage.pause or stage.stop)


def _signs_ctl(stage: Stage) -> bool:
    return any(
        deed.job.store.role is Role.FILE_SIGNER and place.publisher
        for deed in stage.deeds
        for place in deed.places
    )


_SIGNED = "CTL signed by the new key"


def _at(jobs: Sequence[Job], run: Sequence[Place]) -> Stage:
    deeds = deeds_at(jobs, run)
    names = _names([deed.job for deed in deeds])
    return Stage(title=f"{names} on {_places(run)}", deeds=deeds)


def _by_role(jobs: Sequence[Job], role: Role) -> list[Job]:
    return [job for job in jobs if job.store.role is role]


def _names(jobs: Sequence[Job]) -> str:
    return ", ".join(job.name for job in jobs)


def _places(run: Sequence[Place]) -> str:
    labels = [place.label for place in run]
    shown = labels if len(labels) <= _SHOWN else [*labels[: _SHOWN - 1], "others"]
    return ", ".join(shown)


_SHOWN = 3

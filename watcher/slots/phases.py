"""Where a plan may be cut: parts that must be apart, and phases that end at a gate."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from watcher.model.plan import Step, minutes
from watcher.model.progress import Mark
from watcher.rules.work import StepKind
from watcher.slots.leads import Asked

_UNNOTICED = {
    StepKind.FIND_OUT.value, StepKind.CHECK.value, StepKind.RECORD.value, StepKind.SAVE.value,
    StepKind.BACKUP.value, StepKind.VERIFY_BACKUP.value,
}  # fmt: skip
"""What nobody notices; before the first change it can be done outside a window."""
_AGAIN = {StepKind.CHECK.value, StepKind.BACKUP.value, StepKind.VERIFY_BACKUP.value}
"""What every further window begins with."""
_CHANGES_TRUST = {
    StepKind.REGENERATE.value, StepKind.UPLOAD.value, StepKind.UPLOAD_CHAIN.value,
    StepKind.DELETE.value, StepKind.LOCALKEY.value, StepKind.CTL_UPDATE.value,
}  # fmt: skip
"""What changes a certificate, a trust store or the trust list."""
_OVER = (Mark.DONE, Mark.SKIPPED)
"""Marks of steps that need no time any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """Steps that are done without a break; `opening` is added when a window begins with them."""

    part: int
    steps: tuple[int, int]
    minutes: int
    opening: int
    stores: frozenset[str]
    """Stores whose certificates it changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What of a plan needs windows, and what it asks of lead times."""

    phases: tuple[Phase, ...]
    asked: Asked

    @property
    def minutes(self) -> int:
        """The minutes of all phases in one window."""
        return self.session(0, len(self.phases))

    def session(self, first: int, end: int) -> int:
        """Return the minutes of the phases from `first` up to `end` in one window."""
        chosen = self.phases[first:end]
        return sum(phase.minutes for phase in chosen) + (chosen[0].opening if chosen else 0)

    def part_of(self, number: int) -> int:
        """Return the part that a phase belongs to."""
        return self.phases[number].part


def work_in(steps: Sequence[Step], *, prepared: bool) -> Work:
    """Return the phases of a plan's steps; `prepared`: preparation is done before the window."""
    left = [step for step in steps if step.mark not in _OVER]
    orders = [step for step in left if step.kind == StepKind.REQUEST]
    work = [step for step in left if step.kind != StepKind.REQUEST]
    quiet = _opening(work)
    again = minutes([step for step in quiet if step.kind in _AGAIN])
    rest = work[len(quiet) :] if prepared else work
    found = [
        phase
        for part, run in groupby(rest, key=lambda step: step.part)
        for phase in _phases(part, list(run), again)
    ]
    if found and not prepared:
        found[0] = _without_opening(found[0])
    return Work(
        phases=tuple(found[:_MOST]) if len(found) <= _MOST else _joined(found),
        asked=Asked(signed=bool(orders), signing=minutes(orders)),
    )


_MOST = 24
"""Phases that are kept apart; of more, the last ones are one phase."""


def _joined(found: Sequence[Phase]) -> tuple[Phase, ...]:
    kept, rest = found[: _MOST - 1], found[_MOST - 1 :]
    last = Phase(
        part=rest[0].part, steps=(rest[0].steps[0], rest[-1].steps[1]),
        minutes=sum(phase.minutes for phase in rest), opening=rest[0].opening,
        stores=frozenset().union(*(phase.stores for phase in rest)),
    )  # fmt: skip
    return (*kept, last)


def _opening(steps: Sequence[Step]) -> list[Step]:
    """Return the steps before the first that somebody may notice."""
    loud = next((i for i, step in enumerate(steps) if step.kind not in _UNNOTICED), len(steps))
    return list(steps[:loud])


def _without_opening(phase: Phase) -> Phase:
    return Phase(
        part=phase.part, steps=phase.steps, minutes=phase.minutes, opening=0, stores=phase.stores
    )


def _phases(part: int, steps: Sequence[Step], again: int) -> Iterator[Phase]:
    for run in _cut(steps):
        saved = any(step.kind == StepKind.BACKUP for step in _opening(run))
        yield Phase(
            part=part, steps=(run[0].number, run[-1].number), minutes=minutes(run),
            opening=0 if saved else again,
            stores=frozenset(s.store.lower() for s in run if s.store and s.kind in _CHANGES_TRUST),
        )  # fmt: skip


def _cut(steps: Sequence[Step]) -> Iterator[list[Step]]:
    """Yield runs that end at a gate; without any gate, before each block that changes something."""
    gated = any(step.kind == StepKind.WAIT for step in steps)
    run: list[Step] = []
    for i, step in enumerate(steps):
        if not gated and run and _begins_store(steps, i) and _changes(run):
            yield run
            run = []
        run.append(step)
        if gated and step.kind == StepKind.WAIT and not _is_first_gate(run):
            yield run
            run = []
    if run:
        yield run


def _is_first_gate(run: Sequence[Step]) -> bool:
    """Tell whether nothing was changed before a gate: then it waits for what was done before."""
    return all(step.kind == StepKind.WAIT or step.kind in _UNNOTICED for step in run)


def _begins_store(steps: Sequence[Step], i: int) -> bool:
    block = steps[i].block
    if steps[i - 1].block == block:
        return False
    return _changes([step for step in steps[i:] if step.block == block])


def _changes(run: Sequence[Step]) -> bool:
    return any(step.kind in _CHANGES_TRUST for step in run)

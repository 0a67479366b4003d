"""An interrupted plan: what lies behind, what is in doubt, and how the rest is put together.

A step that failed may have taken effect or not. So may a step that a failed check was to confirm.
A step that will be left out later on stays where it is, with its mark.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from watcher.errors import InputError
from watcher.model.plan import ChangePlan, Step
from watcher.model.progress import Mark, Marked
from watcher.model.proof import Proof
from watcher.proving.inserts import BEFORE_GOING_ON
from watcher.proving.rest import Course, Site, prove_course
from watcher.rules.work import StepKind

MOST_IN_DOUBT = 4
"""Steps of which nobody knows whether they took effect: each one doubles the proofs."""

LOOKS = frozenset((
    StepKind.FIND_OUT, StepKind.CHECK, StepKind.VERIFY, StepKind.VERIFY_BACKUP, StepKind.RECORD,
    StepKind.CANARY,
))  # fmt: skip
"""Kinds that change nothing: in doubt is what they looked at."""
_PROVES = frozenset((StepKind.VERIFY, StepKind.VERIFY_BACKUP))
_LED = frozenset((StepKind.REGENERATE, StepKind.UPLOAD, StepKind.PARAMETER))
_FOLLOWS = frozenset((
    StepKind.RESTART, StepKind.CTL_UPDATE, StepKind.CANARY, StepKind.RESET, StepKind.WAIT,
    StepKind.BACKUP,
))  # fmt: skip
"""Kinds that must follow a certificate or a parameter again when it is changed again."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One step of the rest.

    `origin` is its number in the plan as it was drawn, `again` that of the step behind it repeats.
    """

    step: Step
    origin: int | None = None
    again: int | None = None


@dataclass(frozen=True, slots=True)
class Interrupted:
    """A plan of which some steps are marked."""

    plan: ChangePlan
    site: Site
    past: tuple[Step, ...]
    """Marked steps, in order, but for those that are left out later on."""
    left: tuple[Step, ...]
    """The others; marked are those that are left out when their turn comes."""
    doubtful: tuple[int, ...]
    seen_to: tuple[int, ...]
    """Steps that an earlier continuation has had done again."""

    def marked(self, mark: Mark) -> tuple[Step, ...]:
        """Return the steps with a mark."""
        return tuple(step for step in (*self.past, *self.left) if step.mark is mark)

    @property
    def again(self) -> tuple[Step, ...]:
        """What is done once more: what failed, and what a failed check puts in doubt."""
        numbers = {step.number for step in self.marked(Mark.FAILED)} | set(self.doubtful)
        return tuple(step for step in self.past if step.number in numbers - set(self.seen_to))

    @property
    def took_effect(self) -> tuple[Step, ...]:
        """What was surely done."""
        return tuple(s for s in self.marked(Mark.DONE) if s.number not in self.doubtful)

    @property
    def may_have_happened(self) -> tuple[Step, ...]:
        """What was done, surely or perhaps."""
        return tuple(s for s in self.past if s.mark is Mark.DONE or s.number in self.doubtful)

    def without_skipped(self) -> "Interrupted":
        """Return the plan as if it had never had what was left out; what waited for that waits on.

        What must come before a skipped step must come before those behind it.
        """
        gone = {step.number: step for step in self.marked(Mark.SKIPPED)}
        return replace(
            self,
            past=tuple(_bridged(step, gone) for step in self.past if step.number not in gone),
            left=tuple(_bridged(step, gone) for step in self.left if step.number not in gone),
        )

    def in_time(self, steps: Iterable[Step]) -> "Interrupted":
        """Return the plan as if nobody had left out these steps."""
        numbers = {step.number for step in steps}
        return replace(
            self,
            past=tuple(_marked_as(step, Mark.DONE, numbers) for step in self.past),
            left=tuple(_marked_as(step, None, numbers) for step in self.left),
        )

    def rest(self, *again: Step) -> tuple[Entry, ...]:
        """Return what is left, with steps behind that are done once more, in the plan's order.

        A step that was to be left out later on is done in its place.
        """
        repeated = {step.number: step for step in (*again, *self.followers(again))}
        left = {step.number for step in self.left}
        entries = [Entry(_marked_as(step, None, repeated), step.number) for step in self.left]
        entries += [
            Entry(_marked_as(step, None, repeated), again=number)
            for number, step in repeated.items()
            if number not in left
        ]
        return tuple(sorted(entries, key=lambda entry: entry.step.number))

    def followers(self, again: Iterable[Step]) -> Iterator[Step]:
        """Yield what was done behind a change that is done once more, and must follow it again."""
        done = self.marked(Mark.DONE)
        for change in again:
            if change.kind == StepKind.RESET:
                # A reset without its wait is no gate.
                waits = (s for s in done if s.kind == StepKind.WAIT and s.number > change.number)
                yield from islice(waits, 1)
            for step in done if change.kind in _LED else ():
                same = step.block == change.block or step.store == (change.store or "")
                if step.number > change.number and step.kind in _FOLLOWS and same:
                    yield step

    def course(self, rest: Sequence[Entry]) -> tuple[Course, dict[int, int]]:
        """Return all steps numbered anew, and the new number of each step of the plan."""
        new = {step.number: place for place, step in enumerate(self.past, 1)}
        placed = list(enumerate(rest, len(self.past) + 1))
        new |= {entry.origin: place for place, entry in placed if entry.origin is not None}
        steps = [_renumbered(step, new[step.number], new, None) for step in self.past]
        latest = new | {e.again: place for place, e in placed if e.again is not None}
        steps += [_renumbered(e.step, place, latest, e) for place, e in placed]
        doubtful = tuple(new[number] for number in self.doubtful)
        return Course(_staged(steps), len(self.past), doubtful), new

    def prove(self, rest: Sequence[Entry], may_assume: Collection[str] | None = None) -> Proof:
        """Prove what is left if it goes on so, resting on these answers; None: on any."""
        course, _ = self.course(rest)
        return prove_course(self.plan, course, self.site, may_assume)


def _marked_as(step: Step, mark: Mark | None, numbers: Collection[int]) -> Step:
    return replace(step, mark=mark, mark_reason="") if step.number in numbers else step


def _bridged(step: Step, gone: Mapping[int, Step]) -> Step:
    waiting, kept = list(step.depends_on), set[int]()
    while waiting:
        number = waiting.pop()
        if number in gone:
            waiting += gone[number].depends_on
        else:
            kept.add(number)
    return replace(step, depends_on=tuple(sorted(kept)))


def _renumbered(step: Step, number: int, new: Mapping[int, int], entry: Entry | None) -> Step:
    """Return a step with its new number; what is put in waits for the step before it."""
    before = {new[n] for n in step.depends_on if n in new and new[n] < number}
    if entry is not None and (entry.origin is None or entry.step.block == BEFORE_GOING_ON):
        before = {number - 1} if number > 1 else set()
    return replace(step, number=number, depends_on=tuple(sorted(before)))


def _staged(steps: Sequence[Step]) -> tuple[Step, ...]:
    stage: dict[int, int] = {}
    for step in steps:
        stage[step.number] = 1 + max((stage[number] for number in step.depends_on), default=0)
    return tuple(replace(step, stage=stage[step.number]) for step in steps)


# -- reading the marks


def interrupted(plan: ChangePlan, marks: Mapping[int, Marked], site: Site) -> Interrupted:
    """Return a plan with marks on its steps; marks that it has already stay."""
    steps = [_with_mark(step, marks.get(step.number)) for step in plan.steps]
    behind = _behind(steps)
    past = tuple(step for step in steps if step.mark is not None and step.number <= behind)
    left = tuple(step for step in steps if step.mark is None or step.number > behind)
    doubtful = _in_doubt(past)
    if len(doubtful) > MOST_IN_DOUBT:
        raise InputError(
            f"of {len(doubtful)} steps nobody knows whether they took effect",
            expected=f"{MOST_IN_DOUBT} at most: look at each on the node, mark it done or skipped",
        )
    seen_to = plan.continuation.again if plan.continuation else ()
    return Interrupted(plan, site, past, left, doubtful, seen_to)


def _behind(steps: Sequence[Step]) -> int:
    """Return the number up to which marked steps lie behind; what is skipped beyond is to come."""
    tried = (step.number for step in steps if step.mark in {Mark.DONE, Mark.FAILED})
    waiting = (step.number for step in steps if step.mark is None)
    return max(max(tried, default=0), min(waiting, default=len(steps) + 1) - 1)


def _with_mark(step: Step, marked: Marked | None) -> Step:
    if marked is None:
        return step
    return replace(step, mark=marked.mark, mark_reason=marked.reason)


def _in_doubt(past: Sequence[Step]) -> tuple[int, ...]:
    """Return the steps that failed, and those that a failed check was to confirm."""
    by_number = {step.number: step for step in past}
    found: set[int] = set()
    for step in past:
        if step.mark is not Mark.FAILED:
            continue
        if step.kind not in LOOKS:
            found.add(step.number)
        elif step.kind in _PROVES:
            found |= set(_confirmed_by(step, by_number))
    return tuple(sorted(found))


def _confirmed_by(step: Step, by_number: Mapping[int, Step]) -> Iterator[int]:
    """Yield the nearest steps before a check that change something and were done."""
    for number in step.depends_on:
        earlier = by_number.get(number)
        if earlier is None or earlier.kind == StepKind.CANARY:
            continue
        if earlier.kind in LOOKS:
            yield from _confirmed_by(earlier, by_number)
        elif earlier.mark is Mark.DONE:
            yield number

"""How an interrupted plan goes on: as planned if that is proven, else by the least that heals it.

Tried in this order: the rest as planned; what failed or was left out done now, then the rest; all
servers and phones brought to what is on disk, then the rest; what is still due by a way drawn
anew; a recovery step, then the rest. If none is proven, a restore, with the reason. What failed is
always done again: who wants to leave it out marks it as skipped, with a reason.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from watcher.errors import InputError
from watcher.model.plan import ChangePlan, Step, minutes
from watcher.model.progress import Continuation, Mark, Marked, Outcome
from watcher.model.proof import Proof
from watcher.planner.plan import Draft
from watcher.proving.inserts import BEFORE_GOING_ON, toolbox
from watcher.proving.rest import Course, Site, after_restore, broken_so_far, prove_course
from watcher.rules.work import StepKind
from watcher.trust.rescue import RESCUES
from watcher.trust.rulebook import RULES
from watcher.trust.verdict import Ruling

MOST_IN_DOUBT = 4
"""Steps of which nobody knows whether they took effect: each one doubles the proofs."""

_LOOKS = frozenset((
    StepKind.FIND_OUT, StepKind.CHECK, StepKind.VERIFY, StepKind.VERIFY_BACKUP, StepKind.RECORD,
    StepKind.CANARY,
))  # fmt: skip
"""Kinds that change nothing: in doubt is what they looked at."""
_PROVES = frozenset((StepKind.VERIFY, StepKind.VERIFY_BACKUP))
_ONCE = _LOOKS - {StepKind.CANARY} | {
    StepKind.SAVE, StepKind.BACKUP, StepKind.REQUEST, StepKind.UPLOAD_CHAIN, StepKind.UPLOAD,
    StepKind.REGENERATE, StepKind.DELETE, StepKind.TELL, StepKind.REISSUE,
}  # fmt: skip
"""Kinds that a way drawn anew does not ask for again once they are done."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One step of the rest; `origin` is its number in the plan as it was drawn."""

    step: Step
    origin: int | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to go on."""

    outcome: Outcome
    text: str
    rest: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Interrupted:
    """A plan of which some steps are marked."""

    plan: ChangePlan
    site: Site
    past: tuple[Step, ...]
    """Marked steps, in order."""
    left: tuple[Step, ...]
    doubtful: tuple[int, ...]
    seen_to: tuple[int, ...]
    """Steps that an earlier continuation has had done again."""

    def marked(self, mark: Mark) -> tuple[Step, ...]:
        """Return the steps with a mark."""
        return tuple(step for step in self.past if step.mark is mark)

    @property
    def again(self) -> tuple[Step, ...]:
        """What is done once more: what failed, and what a failed check puts in doubt."""
        numbers = {step.number for step in self.marked(Mark.FAILED)} | set(self.doubtful)
        return tuple(step for step in self.past if step.number in numbers - set(self.seen_to))

    @property
    def took_effect(self) -> tuple[Step, ...]:
        """What was surely done."""
        return tuple(s for s in self.marked(Mark.DONE) if s.number not in self.doubtful)

    def rest(self, *again: Step) -> tuple[Entry, ...]:
        """Return what is left, with steps behind that are done once more, in the plan's order."""
        entries = [Entry(step, step.number) for step in self.left]
        entries += [Entry(replace(step, mark=None, mark_reason="")) for step in again]
        return tuple(sorted(entries, key=lambda entry: entry.step.number))

    def course(self, rest: Sequence[Entry]) -> tuple[Course, dict[int, int]]:
        """Return all steps numbered anew, and the new number of each step of the plan."""
        new = {step.number: place for place, step in enumerate(self.past, 1)}
        placed = list(enumerate(rest, len(self.past) + 1))
        new |= {entry.origin: place for place, entry in placed if entry.origin is not None}
        steps = [_renumbered(step, new[step.number], new, None) for step in self.past]
        steps += [_renumbered(e.step, place, new, e) for place, e in placed]
        doubtful = tuple(new[number] for number in self.doubtful)
        return Course(_staged(steps), len(self.past), doubtful), new

    def prove(self, rest: Sequence[Entry]) -> Proof:
        """Prove what is left if it goes on so."""
        course, _ = self.course(rest)
        return prove_course(self.plan, course, self.site)


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
    past = tuple(step for step in steps if step.mark is not None)
    left = tuple(step for step in steps if step.mark is None)
    doubtful = _in_doubt(past)
    if len(doubtful) > MOST_IN_DOUBT:
        raise InputError(
            f"of {len(doubtful)} steps nobody knows whether they took effect",
            expected=f"{MOST_IN_DOUBT} at most: look at each on the node, mark it done or skipped",
        )
    seen_to = plan.continuation.again if plan.continuation else ()
    return Interrupted(plan, site, past, left, doubtful, seen_to)


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
        if step.kind not in _LOOKS:
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
        if earlier.kind in _LOOKS:
            yield from _confirmed_by(earlier, by_number)
        elif earlier.mark is Mark.DONE:
            yield number


# -- going on


def continue_plan(
    plan: ChangePlan, marks: Mapping[int, Marked], draft: Draft | None, site: Site
) -> ChangePlan:
    """Return an interrupted plan with the marks on it, and its rest proven; else a restore."""
    case = interrupted(plan, marks, site)
    asked = case.rest(*case.again)
    first = case.prove(asked)
    refused = tuple(_skips_refused(case, first))
    contradicted = next((s for s in case.marked(Mark.FAILED) if s.kind == StepKind.CANARY), None)
    if contradicted is not None:
        return _restore(case, first, refused, _contradiction(contradicted, case))
    if first.ruling != Ruling.REFUSED:
        outcome = Outcome.AGAIN if case.again else Outcome.AS_PLANNED
        return _going_on(case, Candidate(outcome, _first_words(case), asked), first, refused)
    for candidate in _candidates(case, draft):
        proof = case.prove(candidate.rest)
        if proof.ruling != Ruling.REFUSED:
            return _going_on(case, candidate, proof, refused)
    return _restore(case, first, refused, _because(first))


def _first_words(case: Interrupted) -> str:
    if case.again:
        return f"Do {_steps(case.again)} again now, then the rest."
    return "The rest goes on as planned."


def _candidates(case: Interrupted, draft: Draft | None) -> Iterator[Candidate]:
    skipped = case.marked(Mark.SKIPPED)
    rests = [case.rest(*case.again)]
    if skipped:
        rests.insert(0, case.rest(*case.again, *skipped))
        text = f"Do {_steps((*case.again, *skipped))} now, then the rest."
        yield Candidate(Outcome.AGAIN, text, rests[0])
    tools = toolbox(case.site, case.took_effect)
    flush = _entries(tools.flush())
    for rest in rests:
        text = "First restart TVS and TFTP everywhere and reset all phones, then the rest."
        yield Candidate(Outcome.FLUSH, text, (*flush, *rest))
    starts = _entries(tools.start())
    for way, steps in _ways(case, draft):
        title = case.site.catalogue.ways[way].title
        text = f"What is still due is drawn anew: {title}."
        entries = _entries(steps)
        yield Candidate(Outcome.REDRAWN, text, (*starts, *entries))
        yield Candidate(Outcome.REDRAWN, text, (*flush, *starts, *entries))
    words = {rescue.id: rescue.text for rescue in RESCUES}
    for name, steps in tools.rescues():
        for rest in rests:
            text = f"Recovery first ({name}): {words[name]} Then the rest."
            yield Candidate(Outcome.RESCUE, text, (*_entries(steps), *rest))


def _entries(steps: Iterable[Step]) -> tuple[Entry, ...]:
    return tuple(Entry(step) for step in steps)


def _ways(case: Interrupted, draft: Draft | None) -> Iterator[tuple[str, tuple[Step, ...]]]:
    """Yield what each way still asks for: what is done once is not asked for again."""
    done = {_identity(step) for step in case.took_effect if step.kind in _ONCE}
    done |= {_identity(step) for step in case.marked(Mark.SKIPPED)}
    for way in draft.ways if draft is not None else ():
        drawn = draft.draw(way).steps if draft is not None else ()
        yield way, tuple(step for step in drawn if _identity(step) not in done)


def _identity(step: Step) -> tuple[object, ...]:
    commands = tuple(line.text for line in step.command)
    return step.key, step.store, step.service, step.where, step.title, commands


# -- what must not be left out


def _skips_refused(case: Interrupted, proof: Proof) -> Iterator[str]:
    """Yield each step that must not be left out, with what leaving it out breaks."""
    skipped = case.marked(Mark.SKIPPED)
    if not skipped:
        return
    if proof.ruling == Ruling.REFUSED:
        for step in _guilty(case, skipped):
            yield f"{_said(step)} must not be left out: {'; '.join(proof.counter_example[:3])}"
    whole = _broken(case, ())
    for step in skipped:
        rules = sorted({rule for rule, _ in whole - _broken(case, (step,))})
        if rules:
            words = "; ".join(f"{rule}: {RULES[rule].title}" for rule in rules)
            yield f"{_said(step)} was left out, and that broke what was done after it: {words}"


def _guilty(case: Interrupted, skipped: Sequence[Step]) -> Iterator[Step]:
    """Yield the skipped steps without which the rest is not proven, the others done or not."""
    for step in skipped:
        others = [other for other in skipped if other is not step]
        alone = not others or case.prove(case.rest(*case.again, *others)).ruling == Ruling.REFUSED
        if alone:
            yield step


def _broken(case: Interrupted, done_after_all: Sequence[Step]) -> frozenset[tuple[str, int]]:
    course, _ = case.course(())
    numbers = {step.number for step in done_after_all}
    steps = [
        replace(new, mark=Mark.DONE) if old.number in numbers else new
        for new, old in zip(course.steps, case.past, strict=True)
    ]
    return broken_so_far(case.plan, replace(course, steps=tuple(steps)), case.site)


# -- the documents


def _going_on(
    case: Interrupted, candidate: Candidate, proof: Proof, refused: tuple[str, ...]
) -> ChangePlan:
    course, new = case.course(candidate.rest)
    told = Continuation(
        outcome=candidate.outcome,
        lines=tuple(_lines(case, candidate, proof)),
        refused=refused,
        again=tuple(new[n] for n in {*case.seen_to, *(step.number for step in case.again)}),
        renumbered=tuple((old, n) for old, n in sorted(new.items()) if old != n),
    )
    rest = course.steps[course.done :]
    point = case.plan.point_of_no_return
    return replace(
        case.plan, steps=course.steps, minutes=minutes(rest), continuation=told,
        proof=replace(proof, ways=case.plan.proof.ways if case.plan.proof else ()),
        point_of_no_return=new.get(point) if point else None,
    )  # fmt: skip


def _lines(case: Interrupted, candidate: Candidate, proof: Proof) -> Iterator[str]:
    yield _counted(case)
    yield candidate.text
    if candidate.outcome is not Outcome.AS_PLANNED and not case.again:
        yield "The rest as planned is not proven; see what must not be left out."
    if case.doubtful:
        numbers = ", ".join(str(number) for number in case.doubtful)
        yield f"Proven both for step {numbers} having taken effect and for its not having done so."
    if candidate.outcome is Outcome.AS_PLANNED:
        yield from (f"Left out by you: {_said(step)}." for step in case.marked(Mark.SKIPPED))
    before = case.plan.proof.unpaid if case.plan.proof else ()
    yield from (f"Stays owed: {debt}" for debt in proof.unpaid if debt not in before)
    yield (
        "What was done was executed on the trust model too, with phones that reboot at any moment; "
        "the proof of this plan is about what is left."
    )


def _counted(case: Interrupted) -> str:
    parts = [f"{len(case.marked(mark))} {mark.value}" for mark in Mark if case.marked(mark)]
    return f"Of {len(case.past) + len(case.left)} steps: {', '.join(parts) or 'none done'}."


def _restore(
    case: Interrupted, proof: Proof, refused: tuple[str, ...], because: Sequence[str]
) -> ChangePlan:
    """Return the plan without its rest: what was done, and why there is only a restore."""
    course, new = case.course(())
    lines = (_counted(case), *because, *_way_back(case, course))
    return replace(
        case.plan, steps=course.steps, minutes=0, point_of_no_return=None,
        withheld=(*case.plan.withheld, *lines),
        continuation=Continuation(
            outcome=Outcome.RESTORE, lines=lines, refused=refused,
            renumbered=tuple((old, n) for old, n in sorted(new.items()) if old != n),
        ),
        proof=replace(proof, ruling=Ruling.REFUSED.value),
    )  # fmt: skip


def _because(proof: Proof) -> tuple[str, ...]:
    shown = proof.counter_example[:_SHOWN]
    return ("No way to go on is proven. Restore, because:", *shown)


_SHOWN = 6
"""Lines of a counter-example that a document repeats."""


def _contradiction(step: Step, case: Interrupted) -> tuple[str, ...]:
    proof = case.plan.proof
    inputs = "; ".join(proof.inputs) if proof and proof.inputs else "what the inventory says"
    words = (
        f"{_said(step)} failed: a phone was refused where the model lets it in, so that nothing "
        "proven holds. Do not reset any other phone. Find out which input is wrong first: "
        f"{inputs}. Then correct the inventory and ask again without this mark."
    )
    return (
        words,
        "If it cannot be found, restore before more phones move:",
    )


def _way_back(case: Interrupted, course: Course) -> Iterator[str]:
    backup = [s for s in case.took_effect if s.kind == StepKind.BACKUP]
    if not backup:
        yield (
            "No backup of this plan was surely made, so there is nothing to restore: stop here, "
            "and open a TAC case."
        )
        return
    first = backup[0]
    yield f"The backup is that of step {first.number} ({first.title})."
    lost = after_restore(case.plan, course, case.site)
    if lost:
        names = ", ".join(f"{stranded.group} ({stranded.severity})" for stranded in lost)
        yield f"By the model this restore strands phones that have moved: {names}."
    else:
        yield "By the model all phones come back after this restore and a reset."
    yield (
        "A restore after phones have moved can strand the moved ones: their lists must then be "
        "deleted by hand. Open a TAC case first."
    )


def _said(step: Step) -> str:
    reason = f", {step.mark_reason}" if step.mark_reason else ""
    return f"step {step.number} ({step.title}{reason})"


def _steps(steps: Iterable[Step]) -> str:
    numbers = sorted({step.number for step in steps})
    noun = "step" if len(numbers) == 1 else "steps"
    return f"{noun} {', '.join(map(str, numbers))}"

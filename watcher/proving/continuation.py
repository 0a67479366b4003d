"""How an interrupted plan goes on: as planned if that is proven, else by the least that heals it.

Tried in this order: the rest as planned; what failed or was left out done now, then the rest; all
servers and phones brought to what is on disk, then the rest; what is still due by a way drawn
anew; a recovery step, then the rest. If none is proven, a restore, with the reason. What failed is
always done again: who wants to leave it out marks it as skipped, with a reason.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from watcher.inventory.schema import Cluster
from watcher.model.plan import ChangePlan, Step, minutes
from watcher.model.progress import Continuation, Mark, Marked, Outcome
from watcher.model.proof import Proof
from watcher.planner.plan import Draft
from watcher.planner.prose import summary_left
from watcher.planner.sketch import Ground
from watcher.planner.terrain import survey
from watcher.proving.inserts import Toolbox, toolbox
from watcher.proving.interrupted import LOOKS, Entry, Interrupted, interrupted
from watcher.proving.rest import Course, Site, lost_after
from watcher.proving.skips import Skips, judged, said, stands
from watcher.rules.catalogue import Catalogue
from watcher.rules.work import StepKind
from watcher.safety.check import check
from watcher.trust.names import BACKING_UP, Service
from watcher.trust.rescue import RESCUES
from watcher.trust.scenario import Action
from watcher.trust.verdict import Ruling, Stranded

_ONCE = LOOKS - {StepKind.CANARY} | {
    StepKind.SAVE, StepKind.BACKUP, StepKind.REQUEST, StepKind.UPLOAD_CHAIN, StepKind.UPLOAD,
    StepKind.REGENERATE, StepKind.DELETE, StepKind.TELL, StepKind.REISSUE,
}  # fmt: skip
"""Kinds that a way drawn anew does not ask for again once they are done."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to go on."""

    outcome: Outcome
    text: str
    rest: tuple[Entry, ...]


# -- going on


def continue_plan(
    plan: ChangePlan, marks: Mapping[int, Marked], draft: Draft | None, site: Site
) -> ChangePlan:
    """Return an interrupted plan with the marks on it, and its rest proven; else a restore."""
    case = interrupted(plan, marks, site)
    asked = case.rest(*case.again)
    first = case.prove(asked)
    skips = judged(case, asked, first)
    contradicted = next((s for s in case.marked(Mark.FAILED) if s.kind == StepKind.CANARY), None)
    if contradicted is not None:
        return _restore(case, first, skips.refused, _contradiction(contradicted, case))
    outcome = Outcome.AGAIN if case.again else Outcome.AS_PLANNED
    tried = chain(
        [Candidate(outcome, _first_words(case), asked)], _candidates(case, draft, skips.guilty)
    )
    assuming: tuple[Candidate, Proof] | None = None
    for candidate in tried:
        proof = first if candidate.rest is asked else case.prove(candidate.rest)
        if stands(case, proof):
            return _going_on(candidate, proof, skips)
        if proof.ruling != Ruling.REFUSED and assuming is None:
            assuming = candidate, proof
    if assuming is not None:
        return _going_on(*assuming, skips)
    return _restore(case, first, skips.refused, (*_because(first), *_way_back(case)))


def _first_words(case: Interrupted) -> str:
    if case.again:
        return f"Do {_with_followers(case, case.again)} again now, then the rest."
    return "The rest goes on as planned."


def _candidates(
    case: Interrupted, draft: Draft | None, skipped: tuple[Step, ...]
) -> Iterator[Candidate]:
    """Yield the ways to go on, the least first; `skipped` are those that must not be left out."""
    rests = [case.rest(*case.again)]
    if skipped:
        rests.insert(0, case.rest(*case.again, *skipped))
        text = _put_back(case, skipped)
        yield Candidate(Outcome.AGAIN, text, rests[0])
    tools = toolbox(case.site, case.may_have_happened)
    paper = _entries(tools.restart(*_PAPER))
    for rest in rests:
        text = "First restart disaster recovery and the web server everywhere, then the rest."
        yield Candidate(Outcome.AGAIN, text, (*paper, *rest))
    flush = _entries(tools.flush())
    for before in (flush, (*paper, *flush)):
        for rest in rests:
            text = "First restart TVS and TFTP everywhere and reset all phones, then the rest."
            yield Candidate(Outcome.FLUSH, text, (*before, *rest))
    starts = _entries(tools.start())
    for rest in rests if starts else ():
        text = "First start what may be stopped, and reset all phones, then the rest."
        yield Candidate(Outcome.FLUSH, text, (*starts, *flush, *rest))
    for way, steps in _ways(case, draft, skipped):
        title = case.site.catalogue.ways[way].title
        text = f"What is still due is drawn anew: {title}."
        for before in ((), paper, flush, (*paper, *flush)):
            due = (*before, *starts, *_entries(steps))
            yield Candidate(Outcome.REDRAWN, text, due)
    yield from _recoveries(tools, rests)


def _recoveries(tools: Toolbox, rests: Sequence[tuple[Entry, ...]]) -> Iterator[Candidate]:
    paper = _entries(tools.restart(*_PAPER))
    words = {rescue.id: rescue.text for rescue in RESCUES}
    for name, steps in tools.rescues():
        for rest in rests:
            text = f"Recovery first ({name}): {words[name]} Then the rest."
            yield Candidate(Outcome.RESCUE, text, (*paper, *_entries(steps), *rest))


_PAPER = (Service.TOMCAT, *BACKING_UP)
"""Processes whose old certificate no phone asks for, but a backup or a web page does."""


def _entries(steps: Iterable[Step]) -> tuple[Entry, ...]:
    return tuple(Entry(step) for step in steps)


def _ways(
    case: Interrupted, draft: Draft | None, skipped: tuple[Step, ...]
) -> Iterator[tuple[str, tuple[Step, ...]]]:
    """Yield what each way still asks for: what is done once is not asked for again."""
    left_out = [step for step in case.marked(Mark.SKIPPED) if step not in skipped]
    done = {_identity(s) for s in (*case.took_effect, *left_out) if s.kind in _ONCE}
    for way in draft.ways if draft is not None else ():
        drawn = draft.draw(way).steps if draft is not None else ()
        yield way, tuple(step for step in drawn if _identity(step) not in done)


def _identity(step: Step) -> tuple[object, ...]:
    commands = tuple(line.text for line in step.command)
    return step.key, step.store, step.service, step.where, step.title, commands


# -- the documents


def _going_on(candidate: Candidate, proof: Proof, skips: Skips) -> ChangePlan:
    case = skips.case
    course, new = case.course(candidate.rest)
    told = Continuation(
        outcome=candidate.outcome,
        lines=(*_lines(candidate, proof, skips), *_new_numbers(new)),
        refused=skips.refused,
        again=tuple(new[n] for n in {*case.seen_to, *(step.number for step in case.again)}),
        renumbered=tuple((old, n) for old, n in sorted(new.items()) if old != n),
    )
    rest = tuple(step for step in course.steps[course.done :] if step.mark is None)
    point = case.plan.point_of_no_return
    ways = case.plan.proof.ways if case.plan.proof else ()
    return replace(
        case.plan, steps=course.steps, minutes=minutes(rest), continuation=told,
        summary=summary_left(case.plan, course.steps, rest, _ground(case)),
        proof=replace(proof, ways=ways, resets=_resets(rest)),
        point_of_no_return=new.get(point) if point else None,
    )  # fmt: skip


def _ground(case: Interrupted) -> Ground:
    return Ground(case.site.catalogue, survey(case.site.cluster))


def _resets(rest: Iterable[Step]) -> int:
    """Return how often all phones are reset from here on."""
    surely = (step for step in rest if not (step.optional or step.alternative))
    return sum(step.kind == StepKind.RESET for step in surely)


def _lines(candidate: Candidate, proof: Proof, skips: Skips) -> Iterator[str]:
    case = skips.case
    yield _counted(case)
    yield candidate.text
    if skips.guilty:
        yield "The rest as planned is not proven; see what must not be left out."
    elif skips.against and candidate.outcome is not Outcome.AS_PLANNED:
        shown = "; ".join(skips.against[:_SHOWN])
        yield f"The rest without what was put in is not proven: {shown}"
    if case.doubtful:
        numbers = ", ".join(str(number) for number in case.doubtful)
        yield f"Proven both for step {numbers} having taken effect and for its not having done so."
    left_out = [step for step in case.marked(Mark.SKIPPED) if step not in skips.guilty]
    yield from (f"Left out by you: {said(step)}." for step in left_out)
    if candidate.outcome is Outcome.AS_PLANNED:
        yield from _rules_left_open(case, candidate)
    before = case.plan.proof.unpaid if case.plan.proof else ()
    yield from (f"Stays owed: {debt}" for debt in proof.unpaid if debt not in before)
    yield (
        "What was done was executed on the trust model too, with phones that reboot at any moment; "
        "the proof of this plan is about what is left."
    )


def _rules_left_open(case: Interrupted, candidate: Candidate) -> Iterator[str]:
    """Yield what the rules of order ask for and was left out: told, for phones come through."""
    if not case.marked(Mark.SKIPPED):
        return
    kept = case.without_skipped()
    whole, without = (
        check(replace(case.plan, steps=one.course(rest)[0].steps), *_rules(case))
        for one, rest in ((case, candidate.rest), (kept, kept.rest()))
    )
    before = {violation.rule for violation in whole}
    found = (f"{one.rule}: {one.text}" for one in without if one.rule not in before)
    yield from (f"Left open by that: {text}" for text in dict.fromkeys(found))


def _rules(case: Interrupted) -> tuple[Cluster | None, Catalogue]:
    return case.site.cluster, case.site.catalogue


def _new_numbers(new: Mapping[int, int]) -> Iterator[str]:
    """Yield in words which steps have another number now, runs of them together."""
    runs: list[tuple[int, int, int]] = []
    for old, number in sorted(new.items()):
        if runs and runs[-1][1] == old - 1 and runs[-1][2] == number - old:
            runs[-1] = (runs[-1][0], old, number - old)
        else:
            runs.append((old, old, number - old))
    for first, last, shift in runs:
        if shift:
            before = f"Step {first} is" if first == last else f"Steps {first}-{last} are"
            now = f"{first + shift}" if first == last else f"{first + shift}-{last + shift}"
            yield f"{before} now {now}."


def _counted(case: Interrupted) -> str:
    parts = [f"{len(case.marked(mark))} {mark.value}" for mark in Mark if case.marked(mark)]
    return f"Of {len(case.past) + len(case.left)} steps: {', '.join(parts) or 'none done'}."


def _restore(
    case: Interrupted, proof: Proof, refused: tuple[str, ...], because: Sequence[str]
) -> ChangePlan:
    """Return the plan without its rest: what was done, and why there is only a restore."""
    course, new = case.course(())
    lines = (_counted(case), *because)
    return replace(
        case.plan, steps=course.steps, minutes=0, point_of_no_return=None,
        summary=summary_left(case.plan, course.steps, (), _ground(case)),
        withheld=(*case.plan.withheld, *lines),
        continuation=Continuation(
            outcome=Outcome.RESTORE, lines=lines, refused=refused,
            renumbered=tuple((old, n) for old, n in sorted(new.items()) if old != n),
        ),
        proof=replace(proof, ruling=Ruling.REFUSED.value, resets=0),
    )  # fmt: skip


def _because(proof: Proof) -> tuple[str, ...]:
    shown = proof.counter_example[:_SHOWN]
    return ("No way to go on is proven. Restore, because:", *shown)


_SHOWN = 6
"""Lines of a counter-example that a document repeats."""


def _contradiction(step: Step, case: Interrupted) -> tuple[str, ...]:
    proof = case.plan.proof
    assumed = "; ".join(proof.inputs) if proof else ""
    find_out = (
        f"Find out first which of these assumptions is wrong: {assumed}."
        if assumed
        else "Find out first what in the inventory is not so: compare the nodes, the TFTP order, "
        "the TVS that phones reach and the security mode with the cluster."
    )
    words = (
        f"{said(step)} failed: a phone was refused where the model lets it in, so that nothing "
        "proven holds, and nothing that the model says of other phones either. Do not reset any "
        f"other phone. {find_out} Then correct the inventory and ask again without this mark."
    )
    return (
        words,
        "If it cannot be found, restore before more phones move.",
        *_backup(case),
        _WARNING,
    )


def _way_back(case: Interrupted) -> Iterator[str]:
    course, _ = case.course(())
    now = lost_after(case.plan, course, case.site)
    if now:
        yield f"As it is now, phones that are reset do not come back: {_names(now)}."
    else:
        yield "As it is now, no phone is lost: stop here, there is time to ask."
    yield from _backup(case)
    if _backups(case):
        yield _after_restore(case, course)
        yield _WARNING


def _backups(case: Interrupted) -> tuple[Step, ...]:
    return tuple(step for step in case.took_effect if step.kind == StepKind.BACKUP)


def _backup(case: Interrupted) -> Iterator[str]:
    for first in _backups(case)[:1]:
        yield f"The backup is that of step {first.number} ({first.title})."
    if not _backups(case):
        yield (
            "No backup of this plan was surely made, so there is nothing to restore: stop here, "
            "and open a TAC case."
        )


def _after_restore(case: Interrupted, course: Course) -> str:
    lost = lost_after(case.plan, course, case.site, Action.RESTORE, Action.RESET)
    if lost:
        return f"By the model this restore strands phones that have moved: {_names(lost)}."
    return "By the model all phones come back after this restore and a reset."


_WARNING = (
    "A restore after phones have moved can strand the moved ones: their lists must then be deleted "
    "by hand. Open a TAC case first."
)


def _names(lost: Iterable[Stranded]) -> str:
    return ", ".join(f"{stranded.group} ({stranded.severity})" for stranded in lost)


def _put_back(case: Interrupted, skipped: Sequence[Step]) -> str:
    """Say when what must not be left out is done: now, or when its turn comes."""
    later = [step for step in skipped if step in case.left]
    now = [*case.again, *(step for step in skipped if step not in later)]
    parts = [f"do {_with_followers(case, now)} now"] if now else []
    parts += [f"do {_steps(later)} in its place"] if later else []
    words = ", ".join(parts)
    return f"{words[0].upper()}{words[1:]}{', then the rest' if now else ''}."


def _with_followers(case: Interrupted, again: Sequence[Step]) -> str:
    behind = [step for step in case.followers(again) if step not in again]
    return _steps(again) + (f" (with {_steps(behind)} behind it)" if behind else "")


def _steps(steps: Iterable[Step]) -> str:
    numbers = sorted({step.number for step in steps})
    noun = "step" if len(numbers) == 1 else "steps"
    return f"{noun} {', '.join(map(str, numbers))}"

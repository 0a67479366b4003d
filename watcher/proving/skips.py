"""What a person left out: which of it must be done, and what leaving it out breaks."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from watcher.model.plan import Step
from watcher.model.progress import Mark
from watcher.model.proof import Assumption, Proof
from watcher.proving.interrupted import Entry, Interrupted
from watcher.proving.rest import broken_so_far
from watcher.trust.rulebook import RULES
from watcher.trust.verdict import Ruling

_SHOWN = 3
"""Lines of a counter-example that a refusal repeats."""


@dataclass(frozen=True, slots=True)
class Skips:
    """What is left out of an interrupted plan, and the steps of it that must not be."""

    case: Interrupted
    guilty: tuple[Step, ...]
    refused: tuple[str, ...]
    against: tuple[str, ...]
    """Why the rest as planned is not proven; nothing when it is."""


def judged(case: Interrupted, asked: tuple[Entry, ...], proof: Proof) -> Skips:
    """Judge what was left out by the proof of the rest that was asked for."""
    if stands(case, proof):
        return Skips(case, (), tuple(_broke_the_past(case, ())), ())
    against = _counter_example(case, asked, proof)
    guilty = tuple(_guilty(case))
    refused = (
        f"{said(step)} must not be left out: {'; '.join(against[:_SHOWN])}" for step in guilty
    )
    return Skips(case, guilty, (*refused, *_broke_the_past(case, guilty)), against)


def stands(case: Interrupted, proof: Proof) -> bool:
    """Tell whether a rest is proven, and rests on no more than the plan did.

    A plan that held whatever phones do must not, by a step left out, become one that holds only
    if they do what nobody knows.
    """
    return proof.ruling != Ruling.REFUSED and not any(_more(case, proof))


def said(step: Step) -> str:
    """Return a step in words, with the reason that was given for its mark."""
    reason = f", {step.mark_reason}" if step.mark_reason else ""
    return f"step {step.number} ({step.title}{reason})"


def _assumed(case: Interrupted) -> frozenset[str]:
    assumptions = case.plan.proof.assumptions if case.plan.proof else ()
    return frozenset(item.text for item in assumptions)


def _more(case: Interrupted, proof: Proof) -> Iterator[Assumption]:
    """Yield what a proof rests on beyond that of the plan."""
    before = _assumed(case)
    return (item for item in proof.assumptions if item.text not in before)


def _counter_example(case: Interrupted, asked: tuple[Entry, ...], proof: Proof) -> tuple[str, ...]:
    """Return what goes wrong with no more taken for granted than the plan did."""
    found = proof if proof.ruling == Ruling.REFUSED else case.prove(asked, _assumed(case))
    more = tuple(f"it is safe only if {item.text}" for item in _more(case, proof))
    return found.counter_example or more


def _guilty(case: Interrupted) -> Iterator[Step]:
    """Yield the steps that must not be left out.

    One after the other is left out of what would stand without any; who breaks it is named. What
    does not stand even then is no fault of theirs.
    """
    done = list(case.marked(Mark.SKIPPED))
    if not done or not _holds(case, done):
        return
    for step in tuple(done):
        others = [other for other in done if other is not step]
        if _holds(case, others):
            done = others
        else:
            yield step


def _holds(case: Interrupted, done: Sequence[Step]) -> bool:
    told = case.in_time(done)
    return stands(case, told.prove(told.rest(*told.again)))


def _broke_the_past(case: Interrupted, guilty: Iterable[Step]) -> Iterator[str]:
    """Yield what was left out although steps that were done after it needed it."""
    skipped = [step for step in case.past if step.mark is Mark.SKIPPED and step not in guilty]
    whole = _broken(case, ()) if skipped else frozenset()
    for step in skipped if whole else ():
        rules = sorted({rule for rule, _ in whole - _broken(case, (step,))})
        if rules:
            words = "; ".join(f"{rule}: {RULES[rule].title}" for rule in rules)
            yield f"{said(step)} was left out, and that broke what was done after it: {words}"


def _broken(case: Interrupted, done_after_all: Sequence[Step]) -> frozenset[tuple[str, int]]:
    course, _ = case.course(())
    numbers = {step.number for step in done_after_all}
    steps = [
        replace(new, mark=Mark.DONE) if old.number in numbers else new
        for new, old in zip(course.steps, case.past, strict=True)
    ]
    return broken_so_far(case.plan, replace(course, steps=tuple(steps)), case.site)

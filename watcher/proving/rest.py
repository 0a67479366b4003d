"""The proof of what is left of a plan, from the state in which the cluster and its phones are.

What was done is executed as well, with every reboot that may have happened meanwhile. A rule that
was broken before is not held against the rest; phones that are lost at the end always are.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product

from watcher.inventory.schema import Cluster
from watcher.model.plan import ChangePlan, Step
from watcher.model.progress import Mark
from watcher.model.proof import Proof
from watcher.proving.proof import prove_plan, scenario_in
from watcher.rules.catalogue import Catalogue
from watcher.rules.work import StepKind
from watcher.safety.cases import cases
from watcher.trust import scenario
from watcher.trust.names import CtlKind
from watcher.trust.prove import prove
from watcher.trust.rulebook import RULES
from watcher.trust.scenario import Action, Scenario
from watcher.trust.verdict import Broken, Ruling, Stranded, Verdict, ruling


@dataclass(frozen=True, slots=True)
class Site:
    """The cluster as the inventory tells it, and the rules."""

    cluster: Cluster | None
    catalogue: Catalogue


@dataclass(frozen=True, slots=True)
class Course:
    """All steps of an interrupted plan: `done` of them lie behind, in the order they were done.

    `doubtful` are numbers of steps behind of which nobody knows whether they took effect.
    """

    steps: tuple[Step, ...]
    done: int
    doubtful: tuple[int, ...] = ()


def prove_course(
    plan: ChangePlan, course: Course, site: Site, may_assume: Collection[str] | None = None
) -> Proof:
    """Prove what is left, for everything that steps in doubt may have done.

    `may_assume` are the answers to open questions that it may rest on; None: any.
    """
    prover = partial(prove_rest, after=course.done)
    proofs = []
    for steps in variants(course):
        executed = replace(plan, steps=steps)
        proofs.append(prove_plan(executed, site.cluster, site.catalogue, prover, may_assume))
        if proofs[-1].ruling == Ruling.REFUSED:
            return proofs[-1]
    shown = next((p for p in proofs if p.ruling != Ruling.SAFE), proofs[0])
    assumptions = dict.fromkeys(item for proof in proofs for item in proof.assumptions)
    unpaid = dict.fromkeys(item for proof in proofs for item in proof.unpaid)
    return replace(shown, assumptions=tuple(assumptions), unpaid=tuple(unpaid))


def variants(course: Course) -> Iterator[tuple[Step, ...]]:
    """Yield what was and will be executed: first as if no step in doubt had taken effect."""
    unverified = _unverified(course.steps)
    for happened in product((False, True), repeat=len(course.doubtful)):
        gone = unverified | {n for n, yes in zip(course.doubtful, happened, strict=True) if not yes}
        yield tuple(
            _executed(step)
            for step in course.steps
            if step.number not in gone and step.mark is not Mark.SKIPPED
        )


def _unverified(steps: Sequence[Step]) -> set[int]:
    """Return the backups whose check is left out: nobody can rely on them."""
    checks = [step for step in steps if step.kind == StepKind.VERIFY_BACKUP]
    made_good = {(step.key, step.where) for step in checks if step.mark is not Mark.SKIPPED}
    left_out = (step for step in checks if (step.key, step.where) not in made_good)
    unsure = {number for step in left_out for number in step.depends_on}
    return {s.number for s in steps if s.kind == StepKind.BACKUP and s.number in unsure}


def _executed(step: Step) -> Step:
    """Return a step as the model takes it: what was done counts, optional or not."""
    return step if step.mark is None else replace(step, optional=False)


def prove_rest(given: Scenario, after: int) -> Verdict:
    """Prove an order; rules that its steps up to `after` broke already are left aside."""
    verdict = prove(given)
    if not verdict.broken or after == 0:
        return verdict
    old = broken_by(given, after)
    broken = tuple(one for item in verdict.broken if (one := since(item, old)) is not None)
    judged = ruling(given, broken, lost=bool(verdict.stranded))
    return replace(verdict, broken=broken, ruling=judged)


def broken_by(given: Scenario, after: int) -> frozenset[tuple[str, int]]:
    """Return which rules the steps up to `after` broke, and where."""
    past = tuple(step for step in given.steps if step.number <= after)
    # What an eToken CTL still mends is no fault of the past: here it is mended at once.
    mends = given.ctl_kind is CtlKind.ETOKEN and given.tokens > 0
    end = scenario.Step(
        number=after + 1, text="", action=Action.CTL_UPDATE if mends else Action.VERIFY
    )
    verdict = prove(replace(given, steps=(*past, end)))
    return frozenset(
        (item.rule, step) for item in verdict.broken for step in item.steps if 0 < step <= after
    )


def since(item: Broken, old: frozenset[tuple[str, int]]) -> Broken | None:
    """Return what of a broken rule the rest is to blame for."""
    steps = tuple(step for step in item.steps if (item.rule, step) not in old)
    if not steps:
        return None
    if steps[0] == item.steps[0]:
        return replace(item, steps=steps)
    # The words are those of the first time, which is not what is told here.
    return replace(item, steps=steps, text=RULES[item.rule].title.rstrip("."))


def broken_so_far(plan: ChangePlan, course: Course, site: Site) -> frozenset[tuple[str, int]]:
    """Return which rules are broken already, whatever comes."""
    found: set[tuple[str, int]] = set()
    for case in cases(site.cluster, site.catalogue):
        for steps in variants(course):
            given, _ = scenario_in(replace(plan, steps=steps), case, site.catalogue)
            found |= broken_by(given, course.done)
    return frozenset(found)


def lost_after(
    plan: ChangePlan, course: Course, site: Site, *actions: Action
) -> tuple[Stranded, ...]:
    """Return the phones that are lost if only these actions follow on what was done."""
    found: dict[str, Stranded] = {}
    last = [
        scenario.Step(number=course.done + place, text=action.value, action=action)
        for place, action in enumerate(actions, 1)
    ]
    for case in cases(site.cluster, site.catalogue):
        for steps in variants(course):
            past = tuple(step for step in steps if step.number <= course.done)
            given, _ = scenario_in(replace(plan, steps=past), case, site.catalogue)
            verdict = prove(replace(given, steps=(*given.steps, *last)))
            found.update((stranded.group, stranded) for stranded in verdict.stranded)
    return tuple(found.values())

"""A plan executed in every branch and for everything that is not known of the cluster."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from watcher.inventory.schema import Cluster
from watcher.model.expiry import ExpiryState
from watcher.model.plan import ChangePlan
from watcher.model.proof import Assumption, Proof
from watcher.proving import timeline
from watcher.proving.ground import scenario_of
from watcher.proving.orders import trust_steps
from watcher.proving.words import counter_example, question, sentences
from watcher.rules.catalogue import Catalogue
from watcher.safety.cases import Case, cases
from watcher.trust.branch import UNKNOWNS
from watcher.trust.names import (
    CLUSTER,
    PHONE_FACING,
    PUBLISHER_ONLY,
    Certificate,
    Kind,
    Service,
    certificate,
)
from watcher.trust.prove import prove
from watcher.trust.scenario import Action, Scenario
from watcher.trust.verdict import Ruling, Verdict


@dataclass(frozen=True, slots=True)
class Trial:
    """One case, proven: the cluster as it may be, the answers it needs, and the verdict."""

    case: Case
    scenario: Scenario
    verdict: Verdict
    inputs: tuple[Assumption, ...]
    rests_from: int = 0
    """First step that needs the answer that was taken for granted."""


Prover = Callable[[Scenario], Verdict]


def prove_plan(
    plan: ChangePlan, cluster: Cluster | None, catalogue: Catalogue, prover: Prover = prove,
    may_assume: Collection[str] | None = None,
) -> Proof:  # fmt: skip
    """Execute a drawn plan and return what its document says of the proof.

    A case that is only possible (a release or mode nobody told) may fail: then the plan rests on
    its not being so, and says it. A case that is known must hold. `prover` judges one scenario; a
    continuation has one that leaves aside what was broken before it began. `may_assume` are the
    texts of answers to open questions that it may rest on; None: any answer.
    """
    prover = prover if may_assume is None else _only_assuming(may_assume, prover)
    trials = [_trial(plan, case, catalogue, prover) for case in cases(cluster, catalogue)]
    safe = [trial for trial in trials if trial.verdict.safe]
    failed = [trial for trial in trials if not trial.verdict.safe]
    shown = (safe or failed)[0]
    refused = not safe or any(not trial.case.assumed for trial in failed)
    return _proof(plan, shown, trials, failed, refused=refused)


def _only_assuming(may_assume: Collection[str], prover: Prover) -> Prover:
    """Return a prover that takes no answer for granted but these."""

    def judged(scenario: Scenario) -> Verdict:
        kept = {
            name: answer
            for name, answer in scenario.assume.items()
            if question(name, answer).text in may_assume
        }
        return prover(replace(scenario, assume=kept))

    return judged


def _trial(plan: ChangePlan, case: Case, catalogue: Catalogue, prover: Prover) -> Trial:
    scenario, inputs = scenario_in(plan, case, catalogue)
    verdict, rests_from = _with_one_answer(scenario, prover)
    return Trial(case, scenario, verdict, inputs, rests_from)


def scenario_in(
    plan: ChangePlan, case: Case, catalogue: Catalogue
) -> tuple[Scenario, tuple[Assumption, ...]]:
    """Return what the trust model executes for a plan in one case, and what was assumed for it."""
    ground, inputs = scenario_of(case.cluster, as_of=plan.as_of)
    done = [step for step in map(case.done, plan.steps) if step is not None]
    scenario = replace(
        ground, steps=trust_steps(done, ground, catalogue),
        expired=ground.expired | frozenset(_expired(plan, ground)),
    )  # fmt: skip
    return scenario, inputs


def _expired(plan: ChangePlan, scenario: Scenario) -> Iterator[Certificate]:
    """Yield the certificates that the plan's alarms say are past their date."""
    names = {node.name.lower(): node.name for node in scenario.nodes}
    for finding in plan.findings:
        if finding.state is not ExpiryState.EXPIRED or finding.trust:
            continue
        node = names.get((finding.node or "").lower())
        if finding.store in set(Kind) and node is not None:
            lone = finding.store in PUBLISHER_ONLY and node == scenario.publisher
            whole = lone or finding.store in scenario.shared
            yield certificate(finding.store, CLUSTER if whole else node, 0)


def _with_one_answer(scenario: Scenario, prover: Prover) -> tuple[Verdict, int]:
    """Prove; where only some branches fail, look for one answer under which none does.

    Returned with the step that would fail first without that answer, 0 when none is needed.
    """
    verdict = prover(scenario)
    partial = all(broken.branches for broken in verdict.broken) and verdict.broken
    if verdict.safe or not partial:
        return verdict, 0
    first = min(step for broken in verdict.broken for step in broken.steps)
    for name, unknown in reversed(list(UNKNOWNS.items())):
        for answer in (unknown.other, unknown.careful):
            again = prover(replace(scenario, assume={**scenario.assume, name: answer}))
            if again.safe and again.combinations < verdict.combinations:
                return again, first
    return verdict, 0


def _proof(
    plan: ChangePlan, shown: Trial, trials: Sequence[Trial], failed: Sequence[Trial], *,
    refused: bool,
) -> Proof:  # fmt: skip
    verdict, scenario = shown.verdict, shown.scenario
    # A plan that changes nothing of what phones trust is safe whatever the phones are.
    rests = any(touches_trust(trial.scenario) for trial in trials)
    assumptions = tuple(_assumptions(trials, failed, refused=refused)) if rests else ()
    inputs = tuple(item.text for item in shown.inputs) if rests else ()
    proof = Proof(
        ruling=_ruling(refused=refused, assumptions=assumptions),
        resets=resets(scenario),
        nodes=len(scenario.nodes),
        groups=len(scenario.groups),
        combinations=sum(trial.verdict.combinations for trial in trials),
        moments=timeline.moments(scenario, verdict),
        lanes=timeline.lanes(scenario, verdict),
        windows=timeline.spans(verdict.windows),
        outages=timeline.spans(verdict.outages),
        notes=timeline.notes(verdict),
        offline=timeline.offline(verdict),
        no_return=timeline.no_return(scenario),
        assumptions=assumptions,
        inputs=inputs,
        unpaid=tuple(f"{note.rule}: {note.text}" for note in verdict.unpaid),
        ways=(),
        sentences=(),
        counter_example=tuple(_counter_examples(plan, failed)) if refused else (),
    )
    return replace(proof, sentences=sentences(plan, proof, scenario))


def _ruling(*, refused: bool, assumptions: tuple[Assumption, ...]) -> str:
    if refused:
        return Ruling.REFUSED.value
    return (Ruling.WITH_ASSUMPTIONS if assumptions else Ruling.SAFE).value


def _assumptions(
    trials: Iterable[Trial], failed: Iterable[Trial], *, refused: bool
) -> Iterator[Assumption]:
    """Yield what the proof rests on, each once: answers, cases that must not be, inputs."""
    seen: dict[Assumption, None] = {}
    for trial in trials:
        for name, answer in trial.verdict.assumed.items():
            seen[question(name, answer, trial.rests_from)] = None
        for item in trial.inputs:
            seen[item] = None
    for trial in () if refused else failed:
        told = ", ".join(trial.case.assumed)
        first = trial.verdict.broken[0] if trial.verdict.broken else None
        why = f": {first.text} ({first.rule})" if first else ""
        seen[
            Assumption(
                text=f"the cluster is not: {told}; for that this order is not safe{why}",
                check="the questions of this plan on release, security mode and CTL",
                step=first.steps[0] if first else 0,
            )
        ] = None
    yield from seen


def _counter_examples(plan: ChangePlan, failed: Iterable[Trial]) -> Iterator[str]:
    seen: dict[str, None] = {}
    for trial in failed:
        where = f" (if {', '.join(trial.case.assumed)})" if trial.case.assumed else ""
        for line in counter_example(trial.verdict, plan.steps):
            seen[f"{line}{where}"] = None
    yield from seen


def touches_trust(scenario: Scenario) -> bool:
    """Tell whether a step changes what phones trust or where they take it from."""
    return any(
        (step.store in PHONE_FACING if step.store else step.action in _TOUCHING)
        or (step.service is Service.TFTP and step.action is Action.STOP)
        for step in scenario.steps
    )


_TOUCHING = frozenset((
    Action.CTL_UPDATE, Action.CTL_LOCALKEY, Action.ITL_LOCALKEY, Action.ITL_REMOTEKEY,
    Action.ROLLBACK_ON, Action.LSC_REISSUE, Action.DELETE_TRUST,
))  # fmt: skip


def resets(scenario: Scenario) -> int:
    """Return how often all phones are reset."""
    return sum(step.action is Action.RESET for step in scenario.steps)

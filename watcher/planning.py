"""The second half of the story: facts go in, plans come out that were checked and proven.

events -> planner (certificates due, ways to renew them) -> safety (an independent reading of the
rules) -> proving (each way executed on the trust model) -> the cheapest plan that came through
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from watcher.inventory.schema import Cluster, Inventory
from watcher.model.alarm import CertificateAlarm, Event, UcAlarm
from watcher.model.message import Grade
from watcher.model.plan import ChangePlan, Finding
from watcher.model.proof import Proof, WayTried
from watcher.planner.plan import Draft, newest_event, refused, sketch_plans
from watcher.proving.proof import prove_plan
from watcher.rules.catalogue import Catalogue
from watcher.safety.check import check
from watcher.trust.verdict import Ruling

GRADES: Mapping[Grade, str] = {
    Grade.CLAIM: "Unverified (grade 0): it came by UDP or from an unknown mailer, so that anybody "
    "may have sent it. Show the certificate on the node and compare before anything else.",
    Grade.RETURN_PATH: "Grade 1: the sender's address is known, its word is not proven. Show the "
    "certificate on the node and compare before anything else.",
    Grade.ATTRIBUTED: "Grade 2: the sender proved who it is. The certificate itself was not seen.",
    Grade.FACT: "Grade 3: read off the certificate, or confirmed on the node.",
}
"""What a plan says of how far its alarms were verified."""


def planned(events: Iterable[Event]) -> Iterator[Event]:
    """Yield the events that a plan is drawn from or must mention."""
    for event in events:
        if isinstance(event, CertificateAlarm) or (isinstance(event, UcAlarm) and event.topic):
            yield event


def plan(
    events: Sequence[Event], inventory: Inventory | None, catalogue: Catalogue,
    as_of: datetime | None = None,
) -> tuple[ChangePlan, ...]:  # fmt: skip
    """Draw one plan for each cluster; as of the newest event unless told otherwise.

    Every way through the change is drawn, checked by the safety rules and executed on the trust
    model. Of those that come through, the one with the fewest phone resets is taken, then the
    shortest. Nobody sees a plan that does not: its steps are taken out, and the reasons stand in
    their place.
    """
    drafts = sketch_plans(events, inventory, catalogue, as_of or newest_event(events))
    clusters = {cluster.name: cluster for cluster in inventory.clusters} if inventory else {}
    return tuple(_best(draft, clusters.get(draft.cluster or ""), catalogue) for draft in drafts)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One way, drawn and judged."""

    way: str
    plan: ChangePlan
    proof: Proof
    violations: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether rules and trust model both let it through."""
        return not self.violations and self.proof.ruling != Ruling.REFUSED

    @property
    def rank(self) -> tuple[bool, int, int]:
        """What it costs: an assumption first, then phone resets, then minutes."""
        return (self.proof.ruling != Ruling.SAFE, self.proof.resets, self.plan.minutes)


def _best(draft: Draft, cluster: Cluster | None, catalogue: Catalogue) -> ChangePlan:
    """Return the cheapest proven plan of a cluster; else one that says why there is none."""
    attempts = [_attempt(way, draft.draw(way), cluster, catalogue) for way in draft.ways]
    issued = _issued(attempts, catalogue)
    if issued is None and draft.in_two_parts:
        issued = _issued(_first_parts(draft, attempts, cluster, catalogue), catalogue)
    return issued or _withheld(draft, attempts, cluster, catalogue)


def _first_parts(
    draft: Draft, failed: Sequence[Attempt], cluster: Cluster | None, catalogue: Catalogue
) -> list[Attempt]:
    """Return the ways once the recovery certificate waits for another plan."""
    found = failed[0].proof.counter_example[:_SHOWN]
    drawn = [(way, draft.draw_first_part(way, *found)) for way in draft.ways]
    return [_attempt(way, plan, cluster, catalogue) for way, plan in drawn]


def _attempt(way: str, plan: ChangePlan, cluster: Cluster | None, catalogue: Catalogue) -> Attempt:
    violations = tuple(str(violation) for violation in check(plan, cluster, catalogue))
    return Attempt(way, plan, prove_plan(plan, cluster, catalogue), violations)


def _issued(attempts: Sequence[Attempt], catalogue: Catalogue) -> ChangePlan | None:
    """Return the cheapest plan of those that came through, if there is one."""
    passed = [attempt for attempt in attempts if attempt.passed]
    if not passed:
        return None
    best = min(passed, key=lambda attempt: attempt.rank)
    ways = _ways(attempts, best.way, catalogue)
    return replace(best.plan, proof=replace(best.proof, ways=ways))


def _ways(
    attempts: Sequence[Attempt], taken: str | None, catalogue: Catalogue
) -> tuple[WayTried, ...]:
    """Return every way that was tried, with its cost and why it was not taken."""
    return tuple(
        WayTried(
            way=attempt.way, title=catalogue.ways[attempt.way].title, resets=attempt.proof.resets,
            minutes=attempt.plan.minutes, ruling=attempt.proof.ruling, why=_why_not(attempt),
            taken=attempt.way == taken,
        )
        for attempt in attempts
    )  # fmt: skip


def _why_not(attempt: Attempt) -> str:
    reasons = (*attempt.proof.counter_example, *attempt.violations)
    return next(iter(reasons), "")


def _withheld(
    draft: Draft, attempts: Sequence[Attempt], cluster: Cluster | None, catalogue: Catalogue
) -> ChangePlan:
    """Return the plan without what phones trust, with the counter-example of the best way."""
    found = attempts[0].proof.counter_example[:_SHOWN] if attempts else ()
    rest = _attempt("", draft.withhold(*draft.reasons, *found), cluster, catalogue)
    if not rest.passed:
        why = (*rest.violations, *rest.proof.counter_example)
        return replace(refused(rest.plan, why), proof=rest.proof)
    proof = replace(rest.proof, ways=_ways(attempts, None, catalogue), counter_example=tuple(found))
    return replace(rest.plan, proof=proof)


_SHOWN = 6
"""Lines of a counter-example that a plan repeats; `watcher check` shows them all."""


def graded(plan: ChangePlan, grades: Mapping[str, Grade]) -> ChangePlan:
    """Return the plan with a note on each finding of how far its alarms were verified.

    `grades` tells it for the raw text of each alarm; the best of a finding's alarms counts.
    """
    heard = {proof.id: grades.get(proof.raw, Grade.CLAIM) for proof in plan.evidence}
    findings = tuple(_graded(finding, heard) for finding in plan.findings)
    return replace(plan, findings=findings)


def _graded(finding: Finding, heard: Mapping[str, Grade]) -> Finding:
    best = max((heard[proof] for proof in finding.evidence), default=Grade.CLAIM)
    return replace(finding, notes=(GRADES[best], *finding.notes))

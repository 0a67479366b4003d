"""The second half of the story: facts go in, plans come out that the safety check has passed.

events -> planner (certificates due, steps in order) -> safety (an independent reading) -> plan
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from watcher.inventory.schema import Inventory
from watcher.model.alarm import CertificateAlarm, Event, UcAlarm
from watcher.model.message import Grade
from watcher.model.plan import ChangePlan, Finding
from watcher.planner.plan import draw_plans, newest_event, refused
from watcher.rules.catalogue import Catalogue
from watcher.safety.check import check

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

    Nobody sees a plan that the independent check refuses: its steps are taken out, and the
    reasons stand in their place.
    """
    drawn = draw_plans(events, inventory, catalogue, as_of or newest_event(events))
    clusters = {cluster.name: cluster for cluster in inventory.clusters} if inventory else {}
    return tuple(
        refused(plan, tuple(str(v) for v in violations))
        if (violations := check(plan, clusters.get(plan.cluster or ""), catalogue))
        else plan
        for plan in drawn
    )


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

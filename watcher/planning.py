"""The second half of the story: facts go in, plans come out that the safety check has passed.

events -> planner (certificates due, steps in order) -> safety (an independent reading) -> plan
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from watcher.inventory.schema import Inventory
from watcher.model.alarm import CertificateAlarm, Event, UcAlarm
from watcher.model.plan import ChangePlan
from watcher.planner.plan import draw_plans, newest_event, refused
from watcher.rules.catalogue import Catalogue
from watcher.safety.check import check


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

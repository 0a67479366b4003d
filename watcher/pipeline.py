"""The story of one input: bytes come in, facts go out, and every record is accounted for.

    bytes -> Reader (records and the alerts around them) -> parsers (facts) -> events

`watcher parse` prints the events; `watcher plan` plans with them. Nothing in here opens a file
or asks for the time.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from watcher.inventory.schema import Inventory
from watcher.model.alarm import CertificateAlarm, Event, Tally, UcAlarm, Unreadable
from watcher.model.plan import ChangePlan
from watcher.parsers import alarm, certificate
from watcher.planner.plan import draw_plans, newest_event, refused
from watcher.rules.catalogue import Catalogue
from watcher.rules.schema import Alarms
from watcher.safety.check import check
from watcher.wire.archive import ANY_RECORD, Reader
from watcher.wire.carrier import Found


def read(
    chunks: Iterable[bytes], alarms: Alarms, tally: Tally, *, certificates_only: bool = False
) -> Iterator[Event]:
    """Yield what one input says, and count it in `tally`.

    With `certificates_only` nothing but records with the Certificate Monitor's token is looked
    at; all other lines count as noise.
    """
    reader = Reader(_marks(alarms) if certificates_only else ANY_RECORD)
    for chunk in chunks:
        for found in reader.receive_data(chunk):
            yield _counted(_event(found, alarms), tally)
    for found in reader.close():
        yield _counted(_event(found, alarms), tally)
    tally.noise += reader.noise
    tally.read += reader.noise


def _marks(alarms: Alarms) -> bytes:
    return b"|".join(re.escape(name.encode()) for name in alarms.appnames)


def _event(found: Found, alarms: Alarms) -> Event:
    if isinstance(found, Unreadable):
        return found
    seen = certificate.parse(found.record, alarms, found.alert)
    return seen or alarm.parse(found.record, alarms, found.alert)


def _counted(event: Event, tally: Tally) -> Event:
    tally.read += 1
    match event:
        case CertificateAlarm():
            tally.certificate_alarms += 1
        case UcAlarm():
            tally.uc_alarms += 1
        case Unreadable():
            tally.unreadable += 1
            tally.reasons[event.reason] = tally.reasons.get(event.reason, 0) + 1
    return event


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

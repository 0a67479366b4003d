"""Events and cases for tests: built from the text of a message by the real parser."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

from builders import CATALOGUE, alarm, cluster, inventory, node

from watcher.cases.identity import Directory, case_event
from watcher.cases.merge import open_or_merge
from watcher.cases.sources import SourceHealth, SourceState
from watcher.cases.states import Listening
from watcher.cases.urgency import soonest, tells_expired, tells_revoked
from watcher.model.case import Act, ActKind, Case, CaseEvent
from watcher.model.message import Grade, MessageId, Origin, Position, RawMessage, Way

NOW = datetime(2026, 11, 20, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
NEVER = datetime.max.replace(tzinfo=UTC)
COUNTED = {"occurrences", "copies"}
"""What equal events in another order and number may change."""
NODES = (node("pub", aliases=("pub.example.test",), addresses=("192.0.2.10",)), node("sub1"))


def directory(*clusters, **values) -> Directory:
    """Return the directory of these clusters; of graz with pub and sub1 unless any are given."""
    known = clusters or (cluster(*NODES, **values),)
    return Directory(inventory(*known), CATALOGUE)


NOWHERE = Directory(None, CATALOGUE)
GRAZ = directory()


def origin(way=Way.UDP, grade=Grade.CLAIM, **values) -> Origin:
    """Return where a message came from."""
    return Origin(**({"way": way, "input": "in", "peer": "192.0.2.10", "grade": grade} | values))


def kept(read, where=GRAZ, *, at=NOW, came=None):
    """Return the event that is kept of an alarm that was read."""
    raw = RawMessage(origin=came or origin(), received_at=at, monotonic_ns=0, data=b"")
    return case_event(read, MessageId(journal="main", position=Position(1)), raw, where)


def event(where=GRAZ, *, at=NOW, way=Way.UDP, grade=Grade.CLAIM, **fields):
    """Return the event of a message with these fields."""
    return kept(alarm(**fields), where, at=at, came=origin(way, grade))


def stamped(at: datetime) -> str:
    """Return a CiscoLog time."""
    return f"{at:%b %d %Y %H:%M:%S}.{at.microsecond // 1000:03}"


def later(one, by: timedelta, **values):
    """Return an event as it comes again, some time later."""
    happened = one.event_time + by if one.event_time else None
    key = f"{one.key[:48]}{by.total_seconds():.0f}"
    return replace(
        one, **({"key": key, "event_time": happened, "received_at": one.received_at + by} | values)
    )


def case_of(*events, now=NOW) -> Case:
    """Return the case that these events make."""
    made, seen = None, set()
    for one in events:
        made = open_or_merge(made, one, now, known=one.key in seen).case
        seen.add(one.key)
    return made


def deed(kind: ActKind, at=NOW, **values) -> Act:
    """Return what a person does to the case of `event()`."""
    plain = {"kind": kind, "case": event().case, "at": at, "who": "kim", "why": "ticket 7"}
    return Act(**(plain | values))


def heard(now: datetime, *names: str, since=NOW - 30 * DAY) -> Listening:
    """Return that these nodes were heard an hour ago, and all the time before."""
    sources = {
        name: SourceHealth(
            name=name, state=SourceState.HEALTHY, last=now - HOUR, due=now + DAY,
            steady_since=since,
        )
        for name in names
    }  # fmt: skip
    return Listening(since=since, sources=sources)


COPY_OF = {"certificate": "pub.der", "store": "tomcat-trust", "node": "sub1"}
"""Fields of an alarm of sub1 about its copy of pub's certificate."""


def urgency_of(case: Case) -> tuple[bool, bool, datetime]:
    """Return what sorts the most urgent case first."""
    return (not case.revoked, not case.expired, case.end_earliest or NEVER)


def urgency_alone(event: CaseEvent) -> tuple[bool, bool, datetime]:
    """Return how urgent a case would be that only this event had made."""
    return (not tells_revoked(event), not tells_expired(event), soonest(event) or NEVER)


def facts_of(case: Case) -> dict[str, object]:
    """Return everything that is merged, without counters and state: equal for equal events."""
    return {
        one.name: getattr(case, one.name) for one in fields(case) if one.name not in COUNTED
    }  # fmt: skip

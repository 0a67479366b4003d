"""How soon something must be done: the earliest end that is possible, never a later one."""

from datetime import UTC, date, datetime, time, timedelta

from watcher.model.case import CaseEvent
from watcher.model.expiry import Certainty, ExpiryState
from watcher.model.moments import reckonable
from watcher.rules.alarms import About
from watcher.wire.enddate import ZONE_SLACK

DATED = frozenset({"", About.EXPIRY.value, About.REVOCATION.value})
"""Kinds of alarms whose date counts; the others only annotate a case."""
REOPENING = DATED | {About.BACKUP.value, About.NOTICE.value}
"""Kinds that show that something is still to be done; a renewal shows the opposite."""

CLOCK_AHEAD = timedelta(days=1)

_RANKS = {
    Certainty.EXACT: 0, Certainty.INFERRED: 1, Certainty.AMBIGUOUS: 2, Certainty.BOUNDED: 3,
    Certainty.UNKNOWN: 4,
}  # fmt: skip


def rank(certainty: Certainty) -> int:
    """Return 0 for the surest."""
    return _RANKS[certainty]


def moment_of(event: CaseEvent) -> datetime:
    """Return when it happened; when it came where that is not known, or would be later."""
    return min(event.event_time or event.received_at, event.received_at)


def happened(event: CaseEvent) -> datetime | None:
    """Return when it says that it happened, or None; a clock is believed to be a day ahead at most.

    Otherwise one forged time in the future would make all that comes later look old.
    """
    at = event.event_time
    return None if at is None else min(at, event.received_at + CLOCK_AHEAD)


def soonest(event: CaseEvent) -> datetime | None:
    """Return the earliest end that an event leaves possible; None when it bounds none.

    Of a date whose years before are not excluded by the alarm's name, the day counts that was
    taken. Where no date survived and it may have ended already, it ended with the event.
    """
    if event.about not in DATED:
        return None
    if event.end_earliest is not None:
        return event.end_earliest
    if event.end_day is not None:
        return _start_of(event.end_day)
    return min(event.end_latest, moment_of(event)) if event.end_latest is not None else None


def _start_of(day: date) -> datetime:
    return datetime.combine(reckonable(day), time(0), UTC) - ZONE_SLACK


def tells_expired(event: CaseEvent) -> bool:
    """Tell whether an event says that the certificate has expired."""
    return event.about in DATED and event.state is ExpiryState.EXPIRED


def tells_revoked(event: CaseEvent) -> bool:
    """Tell whether an event says that the certificate is revoked."""
    return event.about == About.REVOCATION

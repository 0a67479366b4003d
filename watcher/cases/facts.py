"""Claims beside facts: whether an alarm can be true of a certificate whose end is known."""

from datetime import datetime, timedelta

from watcher.cases.urgency import (
    DATED,
    moment_of,
    soonest,
    tells_expired,
)
from watcher.model.case import Case, CaseEvent

SLACK = timedelta(days=1)
"""Two ends this close are one: dates lose their zone and their time on the way."""


def bounds_end(event: CaseEvent) -> bool:
    """Tell whether an event says anything of the end."""
    return event.about in DATED and (soonest(event) is not None or tells_expired(event))


def speaks_of(event: CaseEvent, end: datetime) -> bool:
    """Tell whether an event can be about a certificate that ends then; an open bound allows all."""
    first = soonest(event) if event.end_earliest or event.end_day else None
    if first is not None and end < first - SLACK:
        return False
    if event.end_latest is not None and end > event.end_latest + SLACK:
        return False
    return not (tells_expired(event) and end > moment_of(event) + SLACK)


def told_apart(event: CaseEvent, end: datetime) -> str:
    """Return what an event says against a known end, for people; empty: nothing."""
    if not bounds_end(event) or speaks_of(event, end):
        return ""
    said = f"the end is {event.end_day}" if event.end_day else "the end is another"
    if tells_expired(event):
        said = "it has expired"
    told = f"an alarm of grade {int(event.grade)} says that {said}"
    return f"It is known to end on {minutes(end)}; {told}."


def excluded(case: Case, end: datetime) -> str:
    """Return what all alarms together say against an end that is now stated; empty: nothing."""
    late = case.end_earliest is not None and end < case.end_earliest - SLACK
    if not late and not is_later(case, end):
        return ""
    said = str(case.end_day) if case.end_day else minutes(case.end_latest or case.end_earliest)
    return f"It is stated to end on {minutes(end)}; alarms of grade {int(case.grade)} say {said}."


def is_later(case: Case, end: datetime) -> bool:
    """Tell whether a certificate with that end is another than the one that alarms speak of."""
    last = case.end_latest
    if last is None and case.expired:
        last = case.last_event or case.heard_at
    return last is not None and end > last + SLACK


def minutes(at: datetime | None) -> str:
    """Print an instant to the minute, in UTC."""
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else "an unknown time"

"""What the inventory allows: weekly windows at wall time, minus blackouts of whole days."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from watcher.inventory.schema import Blackout, Cluster, MaintenanceWindow, Weekday
from watcher.slots.spans import Stretch
from watcher.slots.zones import (
    day_begins,
    instant,
    local_day,
    minute_after,
    minute_before,
    moment_of,
    zone_of,
)

_DAY = timedelta(days=1)
WEEK = tuple(Weekday)


def weekday_of(day: date) -> Weekday:
    """Return the day of the week."""
    return WEEK[day.weekday()]


def occurrences(cluster: Cluster, first: int, last: int) -> tuple[Stretch, ...]:
    """Return each time a window opens that touches the minutes between two; they may overlap."""
    found = [
        stretch
        for window in cluster.change_schedule
        for stretch in _weekly(window, zone_of(window.time_zone or cluster.time_zone), first, last)
    ]
    return tuple(sorted(s for s in found if s[0] < s[1] and s[1] > first and s[0] < last))


def _weekly(window: MaintenanceWindow, zone: ZoneInfo, first: int, last: int) -> Iterable[Stretch]:
    day = local_day(moment_of(first), zone) - 2 * _DAY
    until = local_day(moment_of(last), zone) + _DAY
    begin, end = time.fromisoformat(window.start), time.fromisoformat(window.end)
    while day <= until:
        if weekday_of(day) in window.days:
            closing = day if end > begin else day + _DAY
            opens = instant(datetime.combine(day, begin), zone)
            closes = instant(datetime.combine(closing, end), zone)
            yield minute_after(opens), minute_before(closes)
        day += _DAY


def blackout_days(blackout: Blackout, zone: ZoneInfo) -> Stretch:
    """Return the minutes that a blackout covers, its last day included."""
    opens, closes = day_begins(blackout.first, zone), day_begins(blackout.last + _DAY, zone)
    return minute_before(opens), minute_after(closes)


def whole_day(day: date, zone: ZoneInfo) -> Stretch:
    """Return the minutes of a calendar day, which may be 23, 24 or 25 hours, or none."""
    return minute_before(day_begins(day, zone)), minute_after(day_begins(day + _DAY, zone))

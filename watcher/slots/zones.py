"""Wall clocks and instants; the one place of this room that knows zones.

Inside, an instant is a whole number of minutes since 1970 in UTC. A wall clock time that a
forward step leaves out means the instant of the step; one that comes twice, its first time.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY = 24 * 60
_MINUTE = timedelta(minutes=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def zone_of(name: str | None) -> ZoneInfo:
    """Return a zone by its name; UTC when there is none."""
    return ZoneInfo(name or "UTC")


def minute_after(moment: datetime) -> int:
    """Return the first whole minute that is not before an aware moment."""
    return -((_EPOCH - moment) // _MINUTE)


def minute_before(moment: datetime) -> int:
    """Return the last whole minute that is not after an aware moment."""
    return (moment - _EPOCH) // _MINUTE


def moment_of(minute: int) -> datetime:
    """Return a minute as an aware UTC moment."""
    return _EPOCH + minute * _MINUTE


def instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return when a wall clock (naive) shows a time, or is set past it."""
    found = wall.replace(tzinfo=zone).astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) == wall.replace(fold=0):
        return found
    return change_between(wall.replace(tzinfo=zone, fold=1).astimezone(UTC), found, zone)


def change_between(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """Return the second between two instants at which the offset of a zone changes."""
    low, high = int(before.timestamp()), int(after.timestamp())
    old = before.astimezone(zone).utcoffset()
    while high - low > 1:
        middle = (low + high) // 2
        same = datetime.fromtimestamp(middle, UTC).astimezone(zone).utcoffset() == old
        low, high = (middle, high) if same else (low, middle)
    return datetime.fromtimestamp(high, UTC)


def day_begins(day: date, zone: ZoneInfo) -> datetime:
    """Return the first instant of a calendar day."""
    return instant(datetime.combine(day, time(0)), zone)


def comes_twice(moment: datetime, zone: ZoneInfo) -> bool:
    """Tell whether clocks show a moment's time twice, before and after they are set back."""
    local = moment.astimezone(zone)
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()


def local_day(moment: datetime, zone: ZoneInfo) -> date:
    """Return the calendar day of a moment in a zone."""
    return moment.astimezone(zone).date()

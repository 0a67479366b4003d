"""Which ISO week's digest is due: a pure function of the time, the zone and what was done.

A week's digest falls due at one instant, when the site's clocks show the chosen day and time of
that week; nothing else is asked of the clock. Of all weeks whose instant has passed only the
newest counts, so that a month of sleep brings one digest and not five, and the page names what
was missed. Whether the newest was made already, the database says.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_WEEK = timedelta(weeks=1)
MISSED = 5
"""Weeks without a digest that the next one names at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timetable:
    """When the digest of a week falls due: `weekday` counts from 0, Monday; `at` is local."""

    zone: ZoneInfo
    weekday: int = 0
    at: time = time(7)


def due(now: datetime, timetable: Timetable, done: Collection[str] = ()) -> str | None:
    """Return the ISO week whose digest is due at `now` (aware) and not in `done`; else None."""
    week = newest(now, timetable)
    return None if week in done else week


def newest(now: datetime, timetable: Timetable) -> str:
    """Return the newest ISO week whose instant has passed."""
    monday = _monday(now.astimezone(timetable.zone).date()) + _WEEK
    while instant_of(monday, timetable) > now:
        monday -= _WEEK
    return period_of(monday)


@lru_cache(maxsize=4096)
def instant_of(monday: date, timetable: Timetable) -> datetime:
    """Return when the digest of the week that begins on `monday` falls due.

    A wall time that comes twice counts the first time. One that is left out, be it an hour or a
    whole day, counts as much later as clocks were set ahead.
    """
    wall = datetime.combine(monday + timedelta(days=timetable.weekday), timetable.at)
    return wall.replace(tzinfo=timetable.zone).astimezone(UTC)


def period_of(day: date) -> str:
    """Return the name of the ISO week that a day lies in."""
    year, week, _ = day.isocalendar()
    return f"{year:04d}-W{week:02d}"


def monday_of(period: str) -> date:
    """Return the first day of a week such as 2026-W48."""
    year, _, week = period.partition("-W")
    return date.fromisocalendar(int(year), int(week), 1)


def missed(period: str, done: Collection[str]) -> tuple[str, ...]:
    """Return the weeks between the newest digest before `period` and it, oldest first.

    Nothing is missed before the first digest of all. At most five are named.
    """
    before = max((one for one in done if one < period), default=None)
    found: list[str] = []
    if before is not None:
        monday = monday_of(period) - _WEEK
        while period_of(monday) > before and len(found) < MISSED:
            found.append(period_of(monday))
            monday -= _WEEK
    return tuple(reversed(found))


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())

"""Digests through simulated years, in every time zone of the system database (G-13).

`python tests/digest/years.py [PASSES]` runs the full form: 20 years of every zone, with other days,
times, jitter, steps and outages in each pass. The short form is a test.
"""

import random
import sys
import time as clock
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from zoneinfo import TZPATH, ZoneInfo, available_timezones

from watcher.digest.weeks import Timetable, due

SECOND, DAY, WEEK = timedelta(seconds=1), timedelta(days=1), timedelta(weeks=1)
HOUR = timedelta(hours=1)
TICK = timedelta(seconds=30)
"""The longest time between two looks of a daemon that runs."""


def zones() -> list[str]:
    """Return a name for each set of rules in the system database, leaving out mere links."""
    found: dict[bytes, str] = {}
    for name in sorted(available_timezones()):
        for folder in TZPATH:
            file = Path(folder) / name
            if file.is_file():
                found.setdefault(file.read_bytes(), name)
                break
        else:
            found.setdefault(name.encode(), name)
    return sorted(found.values())


@dataclass
class Daemon:
    """A daemon as far as digests go: a database that remembers, a clock that may be wrong."""

    table: Timetable
    rows: set[str] = field(default_factory=set)
    sent: list[tuple[str, datetime]] = field(default_factory=list)

    def look(self, shown: datetime) -> str | None:
        """Tick once, while the clock shows a time."""
        week = due(shown, self.table, self.rows)
        if week is None or week in self.rows:
            return None
        self.rows.add(week)  # the unique key of (job, period)
        self.sent.append((week, shown))
        return week


def mondays(first: date, years: int) -> list[date]:
    """Return the Mondays of so many years."""
    begin = first - timedelta(days=first.weekday())
    return [begin + n * WEEK for n in range(round(years * 365.25 / 7))]


@lru_cache(maxsize=100_000)
def instant(monday: date, table: Timetable) -> datetime:
    """Find when clocks show the chosen time, apart from the code that is tested.

    Asks the zone only what its clocks show at an instant. Of two instants the first counts; where
    clocks never show the time, it is reckoned with the offset before they were set ahead.
    """
    wall = datetime.combine(monday + table.weekday * DAY, table.at, UTC)
    before, after = (_offset(wall + hours * HOUR, table.zone) for hours in (-30, 30))
    found = [at for at in (wall - before, wall - after) if at + _offset(at, table.zone) == wall]
    return min(found, default=wall - before)


def _offset(at: datetime, zone: ZoneInfo) -> timedelta:
    return at.astimezone(zone).utcoffset()


def name_of(monday: date) -> str:
    """Name a week; apart from the code that is tested."""
    return f"{monday:%G}-W{monday:%V}"


def steady(
    table: Timetable, weeks: list[date], chance: random.Random, kind: type[Daemon] = Daemon
) -> list[str]:  # fmt: skip
    """Let a daemon run through weeks without a fault; return what went wrong."""
    daemon, faults = kind(table), []
    daemon.look(instant(weeks[0] - WEEK, table))
    daemon.sent.clear()
    for monday in weeks:
        at = instant(monday, table)
        jitter = timedelta(seconds=chance.uniform(0, 29))
        length = instant(monday + WEEK, table) - at  # six days where one was skipped
        ticks = [
            at - TICK + jitter,
            at - SECOND,
            at + jitter,
            at + chance.random() * length * 0.999,
        ]
        ticks += _around(at, table.zone)
        late = {}
        for tick in sorted(ticks):
            week = daemon.look(tick)
            late |= {week: tick - at} if week else {}
        if list(late) != [name_of(monday)]:
            faults.append(f"{table.zone.key} {monday}: sent {list(late)}")
        elif not timedelta(0) <= late[name_of(monday)] < 2 * TICK:
            faults.append(f"{table.zone.key} {monday}: {late}")
    return faults


def _around(at: datetime, zone: ZoneInfo) -> list[datetime]:
    """Return ticks around a change of the offset within the day of an instant."""
    local = [(at + hours * timedelta(hours=6)).astimezone(zone) for hours in (-4, 4)]
    if local[0].utcoffset() == local[1].utcoffset():
        return []
    return [at + timedelta(minutes=minutes) for minutes in range(-1440, 1440, 15)]


def troubled(table: Timetable, weeks: list[date], chance: random.Random) -> list[str]:
    """Let a daemon run through steps of its clock, suspends and outages of up to 30 days.

    Of every week whose instant lies in a time that the clock showed while it ran there is one
    digest, and of the newest before each look; of no week are there two.
    """
    daemon, faults = Daemon(table), []
    now, end, wrong = instant(weeks[0], table), instant(weeks[-1], table), timedelta(0)
    while now < end:
        fate = chance.random()
        if fate < 0.08:
            wrong = timedelta(days=chance.uniform(-400, 400))
        elif fate < 0.3:
            wrong = timedelta(0)
        elif fate < 0.4:
            now += timedelta(days=chance.uniform(0, 30))
        shown = now + wrong
        newest = _newest(shown, table)
        before = newest in daemon.rows
        week = daemon.look(shown)
        if (week is None) != before or (week is not None and week != newest):
            faults.append(f"{table.zone.key} at {shown}: sent {week}, newest is {newest}")
        now += chance.choice((TICK, timedelta(hours=5), DAY, 3 * DAY))
    if len(daemon.sent) != len({week for week, _ in daemon.sent}):
        faults.append(f"{table.zone.key}: a week was sent twice")
    return faults


def _newest(shown: datetime, table: Timetable) -> str:
    """Find the newest week by going through them, the other way round than the code does."""
    day = shown.date() - timedelta(days=shown.weekday()) - 2 * WEEK
    passed = [monday for n in range(5) if instant(monday := day + n * WEEK, table) <= shown]
    return name_of(passed[-1])


def run(names: list[str], seed: int, troubled_every: int = 1) -> list[str]:
    """Simulate 20 years of zones; return what went wrong."""
    chance, faults = random.Random(seed), []  # noqa: S311 -- a simulation
    weeks = mondays(date(2007, 1, 1), 20)
    for number, name in enumerate(names):
        weekday, at = chance.choice(TABLES)
        table = Timetable(zone=ZoneInfo(name), weekday=weekday, at=at)
        faults += steady(table, weeks, chance)
        if number % troubled_every == 0:
            faults += troubled(table, weeks, chance)
    return faults


TIMES = [time(7), time(0), time(2, 30), time(1, 59), time(23, 59), time(3)]
TABLES = [(weekday, at) for weekday in range(7) for at in TIMES]

if __name__ == "__main__":
    begun, found = clock.monotonic(), []
    every = sorted(available_timezones())
    for seed in range(int(sys.argv[1]) if sys.argv[1:] else 3):
        found += run(every, seed)
        print(f"pass {seed + 1}: {len(every)} zones, {len(found)} faults, "  # noqa: T201
              f"{clock.monotonic() - begun:.0f} s", flush=True)  # fmt: skip
    for fault in found[:20]:
        print(fault)  # noqa: T201
    sys.exit(bool(found))

"""Events of a calendar file as stretches of time: maintenance windows and blackouts."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from watcher.errors import InputError, Location
from watcher.slots.recurrence import Budget, Recurrence, TooMuch, expand
from watcher.slots.spans import Stretch
from watcher.slots.zones import day_begins, minute_after, minute_before, moment_of

BUDGET_DAYS = 2_000_000
"""Days that the rules of one file may look at; about two seconds of work."""
MOST_OCCURRENCES = 20_000
"""Occurrences of one file; a window every day for fifty years."""
WINDOW_CATEGORIES = ("WINDOW", "MAINTENANCE")
"""Categories of events that open a window, in capitals; all others block changes."""
_NAMED = 3
"""Events and categories of a file that are named when it is told what they were read as."""
LONGEST = timedelta(days=400)
"""The longest event that is looked for behind the beginning of the search."""


@dataclass(frozen=True, slots=True)
class Onset:
    """From a wall time on (by the offset before) another offset from UTC holds."""

    wall: datetime
    before: timedelta
    after: timedelta


@dataclass(frozen=True, slots=True)
class Observances:
    """A time zone as a file defines it, in order of onset."""

    onsets: tuple[Onset, ...]

    def utc(self, wall: datetime) -> datetime:
        """Return the instant of a wall time; in a gap by the offset before, as RFC 5545 says."""
        offset = self.onsets[0].before
        for onset in self.onsets:
            if wall < onset.wall:
                break
            skipped = wall < onset.wall + (onset.after - onset.before)
            offset = onset.before if skipped else onset.after
        return (wall - offset).replace(tzinfo=UTC)


Zone = ZoneInfo | Observances


def to_utc(wall: datetime, zone: Zone) -> datetime:
    """Return the instant of a wall time (naive) as RFC 5545 reads it."""
    if isinstance(zone, Observances):
        return zone.utc(wall)
    return wall.replace(tzinfo=zone).astimezone(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How long an event is: to a wall time (`nominal` days and time), then real time more.

    `to_end` says that the file names an end. RFC 5545 (3.8.5.3) then lets all occurrences be as
    long as the first in real time, many programs keep the wall time of the end instead.
    """

    nominal: timedelta
    real: timedelta = timedelta(0)
    to_end: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One VEVENT; without a zone its times are the cluster's (RFC 5545: floating).

    `extra` are further begins (RDATE), as wall times in a zone, with an extent of their own or
    None. `dropped` are begins left out: instants, or days.
    """

    window: bool
    what: str
    line: int
    all_day: bool
    start: datetime
    zone: Zone | None
    extent: Extent
    rule: Recurrence | None = None
    extra: tuple[tuple[datetime, Zone | None, Extent | None], ...] = ()
    dropped: tuple[date | tuple[datetime, Zone | None], ...] = ()
    categories: tuple[str, ...] = ()
    """As they stand in the file; one of `WINDOW_CATEGORIES` makes it a window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """One calendar file."""

    name: str
    events: tuple[Event, ...]


def read_as(calendar: Calendar) -> str:
    """Return what the events of a file were read as: who writes another category must see it."""
    opening = [event for event in calendar.events if event.window]
    closing = [event for event in calendar.events if not event.window]
    other = dict.fromkeys(one for event in closing for one in event.categories)
    told = f"{calendar.name}: {_counted(closing, 'block')}; {_counted(opening, 'open')}."
    if not other:
        return told
    only = f"only {' and '.join(WINDOW_CATEGORIES)} open a window"
    return f"{told} The category {_some(other, ' or ')} blocks: {only}."


def _counted(events: Sequence[Event], does: str) -> str:
    what = "changes" if does == "block" else "a window"
    if not events:
        return f"no event {does}s {what}"
    number = "1 event" if len(events) == 1 else f"{len(events)} events"
    verb = f"{does}s" if len(events) == 1 else does
    return f"{number} {verb} {what} ({_some(dict.fromkeys(e.what for e in events), ', ')})"


def _some(names: Iterable[str], between: str) -> str:
    known = [*names]
    more = f" and {len(known) - _NAMED} more" if len(known) > _NAMED else ""
    return f"{between.join(known[:_NAMED])}{more}"


def stretches(
    calendars: Sequence[Calendar], zone: ZoneInfo, first: int, last: int
) -> tuple[tuple[Stretch, ...], tuple[tuple[Stretch, str], ...]]:
    """Return the windows, and the blackouts with what they are, between two minutes.

    Raises InputError for a file whose rules come to too much.
    """
    opened: list[Stretch] = []
    closed: list[tuple[Stretch, str]] = []
    for calendar in calendars:
        for event, starts, ends in _occurrences(calendar, zone, first, last):
            if event.window:
                opened.append((minute_after(starts), minute_before(ends)))
            else:
                closed.append(((minute_before(starts), minute_after(ends)), event.what))
    return tuple(opened), tuple(closed)


def _occurrences(
    calendar: Calendar, zone: ZoneInfo, first: int, last: int
) -> Iterator[tuple[Event, datetime, datetime]]:
    budget, number = Budget(BUDGET_DAYS), 0
    begin, end = moment_of(first), moment_of(last)
    for event in calendar.events:
        try:
            for starts, ends in occurrences(event, zone, (begin, end), budget):
                number += 1
                if number > MOST_OCCURRENCES:
                    budget.spend(BUDGET_DAYS)
                yield event, starts, ends
        except TooMuch as error:
            raise InputError(
                "the events come too often", where=Location(calendar.name, event.line),
                expected=f"at most {MOST_OCCURRENCES} in the time that is looked at",
            ) from error  # fmt: skip


def occurrences(
    event: Event, zone: ZoneInfo, span: tuple[datetime, datetime], budget: Budget
) -> Iterator[tuple[datetime, datetime]]:
    """Yield begin and end of each time that an event takes place and touches the span."""
    dropped = {_dropped(item, zone) for item in event.dropped}
    seen = set()
    for wall, at, extent in _begins(event, zone, span, budget):
        starts = _instant(event, wall, at)
        if starts in seen or starts in dropped or wall.date() in dropped:
            continue
        seen.add(starts)
        ends = _instant(event, wall + extent.nominal, at) + extent.real
        if extent.to_end and not event.all_day:
            # In the night of a clock change both readings differ: what risks less counts.
            ends = (min if event.window else max)(ends, starts + _first_length(event, zone))
        if starts < ends and ends > span[0] and starts < span[1]:
            yield starts, ends


def _first_length(event: Event, zone: ZoneInfo) -> timedelta:
    """Return how long the first occurrence of an event is in real time."""
    own = event.zone or zone
    return _instant(event, event.start + event.extent.nominal, own) - _instant(
        event, event.start, own
    )


def _instant(event: Event, wall: datetime, zone: Zone) -> datetime:
    if event.all_day and isinstance(zone, ZoneInfo):
        return day_begins(wall.date(), zone)
    return to_utc(wall, zone)


def _dropped(item: date | tuple[datetime, Zone | None], zone: ZoneInfo) -> date | datetime:
    return to_utc(item[0], item[1] or zone) if isinstance(item, tuple) else item


def _begins(
    event: Event, zone: ZoneInfo, span: tuple[datetime, datetime], budget: Budget
) -> Iterator[tuple[datetime, Zone, Extent]]:
    own = event.zone or zone
    yield from ((wall, at or zone, extent or event.extent) for wall, at, extent in event.extra)
    if event.rule is None:
        yield event.start, own, event.extent
        return
    longest = max(event.extent.nominal + event.extent.real, timedelta(days=2))
    walls = (
        span[0].replace(tzinfo=None) - longest - timedelta(days=1),
        span[1].replace(tzinfo=None) + timedelta(days=1),
    )
    until = event.rule.until
    for wall in expand(
        event.rule, event.start, walls, lambda wall: _is_past(wall, own, until), budget
    ):
        yield wall, own, event.extent


def _is_past(wall: datetime, zone: Zone, until: date | datetime | None) -> bool:
    if until is None:
        return False
    if not isinstance(until, datetime):
        return wall.date() > until
    return wall > until if until.tzinfo is None else to_utc(wall, zone) > until

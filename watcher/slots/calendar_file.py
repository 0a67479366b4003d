"""Text of a calendar file (RFC 5545) -> Calendar, or the first fault with its place.

Events are blackouts unless their CATEGORIES say WINDOW or MAINTENANCE. The lines are taken
apart here and their values by icalendar, because its own reader keeps no line numbers and works
off whatever rules a file holds.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

from icalendar import vDDDTypes, vDuration, vRecur, vUTCOffset

from watcher.errors import InputError, Location, one_line
from watcher.slots.calendar import (
    WINDOW_CATEGORIES,
    Calendar,
    Event,
    Extent,
    Observances,
    Onset,
    Zone,
    to_utc,
)
from watcher.slots.content import Component, Property, components
from watcher.slots.recurrence import DAYS, FREQUENCIES, Budget, Recurrence, TooMuch, expand

MOST_EVENTS, MOST_DATES = 10_000, 5_000
"""Events of a file, dates of one property."""
_YEARS = (1970, 2200)
_TEXT = 120
_RULE_KEYS = {
    "FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYMONTH", "BYMONTHDAY", "BYDAY", "BYSETPOS",
}  # fmt: skip
_DURATION = re.compile(r"[+]?P(?:(?P<weeks>\d{1,4})W|(?P<days>\d{1,5})D)?(?:T[0-9HMS]+)?$")
_DAY = timedelta(days=1)


def read_calendar(name: str, text: str) -> Calendar:
    """Read a calendar file; raise InputError for the first fault, with its line."""
    roots = components(name, text)
    if not roots or any(root.name != "VCALENDAR" for root in roots):
        line = roots[0].line if roots else 1
        raise InputError(
            "is no calendar", where=Location(name, line), expected="BEGIN:VCALENDAR (RFC 5545)"
        )
    reader = _Reader(name)
    return Calendar(name=name, events=tuple(e for root in roots for e in reader.events(root)))


class _Reader:
    """Reads the events of one file; every fault is told with its line."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._zones: dict[str, Observances] = {}
        self._budget = Budget(100_000)

    def events(self, root: Component) -> list[Event]:
        """Return the events of a calendar, in the order of the file."""
        for part in root.parts:
            if part.name == "VTIMEZONE":
                self._define(part)
        found = [part for part in root.parts if part.name == "VEVENT"]
        if len(found) > MOST_EVENTS:
            line = found[MOST_EVENTS].line
            raise self._fault(f"has {len(found)} events", line, f"at most {MOST_EVENTS}")
        moved = self._moved(found)
        return [self._event(part, moved) for part in found if not self._is_void(part)]

    def _fault(self, problem: str, line: int, expected: str) -> InputError:
        return InputError(problem, where=Location(self._name, line), expected=expected)

    def _is_void(self, part: Component) -> bool:
        status = part.get("STATUS")
        return status is not None and status.text.upper() == "CANCELLED"

    def _moved(
        self, parts: Sequence[Component]
    ) -> dict[str, tuple[date | tuple[datetime, Zone | None], ...]]:
        """Return by UID which occurrences of an event stand as events of their own."""
        moved: dict[str, tuple[date | tuple[datetime, Zone | None], ...]] = {}
        for part in parts:
            one, uid = part.get("RECURRENCE-ID"), part.get("UID")
            if one is None or uid is None:
                continue
            if "RANGE" in one.values:
                raise self._fault("RANGE moves all that follows", one.line, "single occurrences")
            moved[uid.text] = (*moved.get(uid.text, ()), *self._skipped(one))
        return moved

    def _event(
        self, part: Component, moved: dict[str, tuple[date | tuple[datetime, Zone | None], ...]]
    ) -> Event:
        begin, uid = part.get("DTSTART"), part.get("UID")
        if begin is None:
            raise self._fault("the event has no beginning", part.line, "DTSTART")
        wall, zone, all_day = self._moment(begin)
        categories = self._categories(part)
        own = uid is not None and part.get("RECURRENCE-ID") is None
        dropped = [item for one in part.all("EXDATE") for item in self._skipped(one)]
        return Event(
            window=any(one.upper() in WINDOW_CATEGORIES for one in categories),
            categories=categories,
            what=self._what(part), line=part.line, all_day=all_day, start=wall, zone=zone,
            extent=self._extent(part, wall, zone, all_day=all_day),
            rule=self._rule(part), extra=tuple(self._extra(part)),
            dropped=(*dropped, *(moved.get(uid.text, ()) if own and uid else ())),
        )  # fmt: skip

    def _categories(self, part: Component) -> tuple[str, ...]:
        words = (word for one in part.all("CATEGORIES") for word in one.text.split(","))
        return tuple(one_line(word.strip())[:_TEXT] for word in words if word.strip())

    def _what(self, part: Component) -> str:
        told = part.get("SUMMARY")
        text = re.sub(r"\\([,;\\])", r"\1", told.text) if told else ""
        return one_line(text.replace("\\n", " ").replace("\\N", " "))[:_TEXT] or "calendar event"

    def _moment(self, one: Property) -> tuple[datetime, Zone | None, bool]:
        """Return wall time, zone (None: floating) and whether it is a whole day."""
        return self._read_moment(one, one.text)

    def _read_moment(self, one: Property, text: str) -> tuple[datetime, Zone | None, bool]:
        expected = "20261205, 20261205T220000, or 20261205T220000Z"
        read = self._value(lambda: vDDDTypes.from_ical(text), one, expected)  # type: ignore[no-untyped-call]
        if not isinstance(read, date):
            raise self._fault(f"{text[:_TEXT]!r} is no time", one.line, expected)
        if not _YEARS[0] <= read.year < _YEARS[1]:
            raise self._fault(f"the year {read.year}", one.line, f"{_YEARS[0]} to {_YEARS[1]}")
        if not isinstance(read, datetime):
            return datetime.combine(read, time(0)), None, True
        if read.tzinfo is not None:
            return read.replace(tzinfo=None), ZoneInfo("UTC"), False
        return read, self._zone(one), False

    def _value(self, read: Callable[[], object], one: Property, expected: str) -> object:
        try:
            return read()
        except (ValueError, TypeError, KeyError, IndexError, OverflowError) as error:
            told = f"{one.name}: {one.text[:_TEXT]!r} cannot be read"
            raise self._fault(told, one.line, expected) from error

    def _zone(self, one: Property) -> Zone | None:
        name = one.values.get("TZID")
        if name is None:
            return None
        plain = name.removeprefix("/")
        if plain in available_timezones():
            return ZoneInfo(plain)
        if name in self._zones:
            return self._zones[name]
        raise self._fault(
            f"there is no time zone {name!r}", one.line, "a zone's name, or its VTIMEZONE"
        )

    def _extent(
        self, part: Component, start: datetime, zone: Zone | None, *, all_day: bool
    ) -> Extent:
        end, length = part.get("DTEND"), part.get("DURATION")
        if end is None:
            return self._length(length) if length else Extent(nominal=_DAY if all_day else 0 * _DAY)
        wall, other, whole = self._moment(end)
        if whole != all_day:
            raise self._fault("DTEND does not fit DTSTART", end.line, "a later end, alike")
        if (zone is None) != (other is None):
            raise self._fault("one of DTSTART and DTEND has a zone", end.line, "both or none")
        if zone is None or other is None or other == zone:
            lasts, extent = wall - start, Extent(nominal=wall - start, to_end=True)
        else:
            # An end in another zone has no wall time in that of the beginning.
            lasts = to_utc(wall, other) - to_utc(start, zone)
            extent = Extent(nominal=0 * _DAY, real=lasts)
        if lasts < 0 * _DAY:
            raise self._fault("the event ends before it begins", end.line, "a later end")
        return extent

    def _length(self, one: Property) -> Extent:
        expected = "PT6H or P1D"
        shape = _DURATION.match(one.text)
        read = self._value(lambda: vDuration.from_ical(one.text), one, expected)  # type: ignore[no-untyped-call]
        if shape is None or not isinstance(read, timedelta) or not 0 * _DAY <= read <= 400 * _DAY:
            raise self._fault(f"{one.text[:_TEXT]!r} is no length", one.line, expected)
        nominal = timedelta(
            weeks=int(shape["weeks"] or 0), days=int(shape["days"] or 0)
        )  # fmt: skip
        return Extent(nominal=nominal, real=read - nominal)

    def _rule(self, part: Component) -> Recurrence | None:
        rules = part.all("RRULE")
        if len(rules) > 1 or part.get("EXRULE"):
            raise self._fault("has several rules", part.line, "one RRULE and no EXRULE")
        return self._recurrence(rules[0]) if rules else None

    def _recurrence(self, one: Property) -> Recurrence:
        expected = f"FREQ of {', '.join(FREQUENCIES)}, with {', '.join(sorted(_RULE_KEYS))}"
        read = self._value(lambda: vRecur.from_ical(one.text), one, expected)
        rule = {str(k).upper(): v for k, v in dict(read).items()}  # type: ignore[call-overload]
        frequency = str(rule.get("FREQ", [""])[0]).upper()
        odd = [*(set(rule) - _RULE_KEYS)]
        if frequency not in FREQUENCIES or odd:
            what = odd[0] if odd else f"FREQ={frequency}"
            raise self._fault(f"the rule uses {one_line(str(what))[:40]}", one.line, expected)
        made = self._value(lambda: _made(frequency, rule), one, expected)
        if not isinstance(made, Recurrence) or not _is_sane(made):
            raise self._fault("the rule's numbers are out of range", one.line, expected)
        return made

    def _dates(self, one: Property) -> list[str]:
        texts = one.text.split(",")
        if len(texts) > MOST_DATES:
            raise self._fault(f"has {len(texts)} dates", one.line, f"at most {MOST_DATES}")
        return texts

    def _skipped(self, one: Property) -> Iterator[date | tuple[datetime, Zone | None]]:
        for text in self._dates(one):
            wall, zone, whole = self._read_moment(one, text)
            yield wall.date() if whole else (wall, zone)

    def _extra(self, part: Component) -> Iterator[tuple[datetime, Zone | None, Extent | None]]:
        for one in part.all("RDATE"):
            for text in self._dates(one):
                begin, _, rest = text.partition("/")
                wall, zone, _ = self._read_moment(one, begin)
                yield wall, zone, self._period(one, wall, rest) if rest else None

    def _period(self, one: Property, wall: datetime, rest: str) -> Extent:
        if rest.startswith(("P", "+P")):
            return self._length(replace(one, text=rest))
        end, _, _ = self._read_moment(one, rest)
        if end < wall:
            raise self._fault("the period ends before it begins", one.line, "a later end")
        return Extent(nominal=end - wall)

    def _define(self, part: Component) -> None:
        """Keep a time zone that the file defines, for names that are not in the zone database."""
        name = part.get("TZID")
        if name is None:
            raise self._fault("the time zone has no name", part.line, "TZID")
        onsets = [onset for one in part.parts for onset in self._onsets(one)]
        if not onsets:
            raise self._fault("the time zone has no offset", part.line, "STANDARD or DAYLIGHT")
        self._zones[name.text] = Observances(tuple(sorted(onsets, key=lambda one: one.wall)))

    def _onsets(self, part: Component) -> Iterator[Onset]:
        begin, before, after = (
            part.get(name) for name in ("DTSTART", "TZOFFSETFROM", "TZOFFSETTO")
        )
        if begin is None or before is None or after is None:
            expected = "DTSTART, TZOFFSETFROM and TZOFFSETTO"
            raise self._fault(f"{part.name} is not whole", part.line, expected)
        start, _, _ = self._observed(begin, begin.text)
        old, new = self._offset(before), self._offset(after)
        rule = self._rule(part)
        if rule is not None and (rule.frequency != "YEARLY" or rule.interval < 1):
            raise self._fault("a zone changes once a year", part.line, "FREQ=YEARLY")
        walls = {start, *(self._observed(one, t)[0] for one in part.all("RDATE")
                          for t in self._dates(one))}  # fmt: skip
        if rule is not None:
            walls |= set(self._yearly(rule, start, part, old))
        yield from (Onset(wall, old, new) for wall in walls)

    def _observed(self, one: Property, text: str) -> tuple[datetime, Zone | None, bool]:
        # Zones are often said to begin in 1601 or 1900; the years before 1970 do not matter.
        read = self._value(lambda: vDDDTypes.from_ical(text), one, "19700329T020000")  # type: ignore[no-untyped-call]
        if not isinstance(read, datetime):
            raise self._fault(f"{text[:_TEXT]!r} is no time", one.line, "19700329T020000")
        early = max(read.replace(tzinfo=None), datetime(_YEARS[0], 1, 1))  # noqa: DTZ001 -- wall
        same = read.replace(tzinfo=None) == early
        return (early if same else _moved_up(read)), None, False

    def _yearly(
        self, rule: Recurrence, start: datetime, part: Component, offset: timedelta
    ) -> list[datetime]:
        until = rule.until
        if isinstance(until, datetime) and until.tzinfo is not None:
            until = until.replace(tzinfo=None) + offset
        span = (start, datetime(2100, 1, 1))  # noqa: DTZ001 -- wall time
        try:
            return list(expand(rule, start, span, lambda wall: _behind(wall, until), self._budget))
        except TooMuch as error:
            raise self._fault("the rules come to too much", part.line, "fewer rules") from error

    def _offset(self, one: Property) -> timedelta:
        read = self._value(lambda: vUTCOffset.from_ical(one.text), one, "+0100")  # type: ignore[no-untyped-call]
        if not isinstance(read, timedelta):
            raise self._fault(f"{one.text[:_TEXT]!r} is no offset", one.line, "+0100")
        return read


def _moved_up(read: datetime) -> datetime:
    """Return a time before 1970 in 1970; a rule goes on from there with the same month."""
    return datetime.combine(date(_YEARS[0], read.month, 1), read.time().replace(tzinfo=None))


def _behind(wall: datetime, until: date | datetime | None) -> bool:
    if until is None:
        return False
    return wall > until if isinstance(until, datetime) else wall.date() > until


def _made(frequency: str, rule: dict[str, list[object]]) -> Recurrence:
    def numbers(key: str) -> tuple[int, ...]:
        return tuple(int(str(item)) for item in rule.get(key, ()))

    counts, intervals = numbers("COUNT"), numbers("INTERVAL")
    until = next(iter(rule.get("UNTIL", ())), None)
    return Recurrence(
        frequency=frequency, interval=intervals[0] if intervals else 1,
        count=counts[0] if counts else None,
        until=until if isinstance(until, date) else None,
        months=numbers("BYMONTH"), month_days=numbers("BYMONTHDAY"),
        weekdays=tuple(_weekday(str(item)) for item in rule.get("BYDAY", ())),
        positions=numbers("BYSETPOS"),
        week_start=DAYS.index(str(next(iter(rule.get("WKST", ())), "MO")).upper()),
    )  # fmt: skip


def _weekday(text: str) -> tuple[int, int]:
    return int(text[:-2] or 0), DAYS.index(text[-2:].upper())


_RANGES = {"interval": 1000, "count": 200_000, "months": 12, "days": 31, "weeks": 53, "places": 366}


def _is_sane(rule: Recurrence) -> bool:
    given = {
        "interval": (rule.interval,), "count": (1 if rule.count is None else rule.count,),
        "months": rule.months, "days": tuple(map(abs, rule.month_days)),
        "weeks": tuple(abs(which) or 1 for which, _ in rule.weekdays),
        "places": tuple(map(abs, rule.positions)),
    }  # fmt: skip
    return all(1 <= n <= _RANGES[key] for key, numbers in given.items() for n in numbers)

"""RFC 5545 recurrence rules, expanded between two dates and never further.

Days are what recurs here: rules by hour, minute or second are refused, as are BYWEEKNO and
BYYEARDAY. Every day that is looked at is charged to a budget, so that no file costs for ever.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import count

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_DAY = timedelta(days=1)


class TooMuch(Exception):  # noqa: N818 -- a state, named as one
    """The budget of days is spent."""


class Budget:
    """How many days may still be looked at."""

    def __init__(self, days: int) -> None:
        self._left = days

    def spend(self, days: int) -> None:
        """Take days off; raise TooMuch when none are left."""
        self._left -= days
        if self._left < 0:
            raise TooMuch


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """One RRULE; `weekdays` are (which, day), `which` 0 for every one."""

    frequency: str
    interval: int = 1
    count: int | None = None
    until: date | datetime | None = None
    months: tuple[int, ...] = ()
    month_days: tuple[int, ...] = ()
    weekdays: tuple[tuple[int, int], ...] = ()
    positions: tuple[int, ...] = ()
    week_start: int = 0


def expand(
    rule: Recurrence, start: datetime, span: tuple[datetime, datetime],
    ended: Callable[[datetime], bool], budget: Budget,
) -> Iterator[datetime]:  # fmt: skip
    """Yield the wall times of a rule that begins at `start` (naive), within a span of wall times.

    `ended` tells whether a wall time lies behind UNTIL. With COUNT all from the start are counted,
    also those before the span.
    """
    number = 0
    for first, length in _periods(rule, start.date(), span[0].date()):
        if first > span[1].date():
            return
        budget.spend(length + 1)
        for day in _days(rule, start.date(), first, length):
            wall = datetime.combine(day, start.time())
            if wall < start:
                continue
            number += 1
            if wall > span[1] or ended(wall) or (rule.count is not None and number > rule.count):
                return
            if wall >= span[0]:
                yield wall


def _periods(rule: Recurrence, start: date, soon: date) -> Iterator[tuple[date, int]]:
    """Yield the periods of a rule as first day and number of days; without COUNT from `soon` on."""
    skipped = 0
    if rule.count is None and soon > start:
        skipped = max(0, (soon - start).days // _LONGEST[rule.frequency] // rule.interval - 2)
    for number in count(skipped):
        first = _period(rule, start, number * rule.interval)
        if first is None:
            return
        yield first


_LONGEST = {"DAILY": 1, "WEEKLY": 7, "MONTHLY": 31, "YEARLY": 366}
_LAST_YEAR = 2200


def _period(rule: Recurrence, start: date, ahead: int) -> tuple[date, int] | None:
    if start.year + ahead * _LONGEST[rule.frequency] // 366 > _LAST_YEAR:
        return None
    if rule.frequency == "DAILY":
        return start + ahead * _DAY, 1
    if rule.frequency == "WEEKLY":
        back = (start.weekday() - rule.week_start) % 7
        return start + (7 * ahead - back) * _DAY, 7
    if rule.frequency == "YEARLY":
        first = date(start.year + ahead, 1, 1)
        return first, (date(first.year + 1, 1, 1) - first).days
    years, month = divmod(start.month - 1 + ahead, 12)
    first = date(start.year + years, month + 1, 1)
    return first, (_month_end(first) - first).days


def _month_end(first: date) -> date:
    return date(first.year + first.month // 12, first.month % 12 + 1, 1)


def _days(rule: Recurrence, start: date, first: date, length: int) -> list[date]:
    days = [first + n * _DAY for n in range(length)]
    chosen = [day for day in days if _fits(rule, start, day)]
    if not rule.positions:
        return chosen
    places = {p - 1 if p > 0 else len(chosen) + p for p in rule.positions}
    return [day for place, day in enumerate(chosen) if place in places]


def _fits(rule: Recurrence, start: date, day: date) -> bool:
    if rule.months and day.month not in rule.months:
        return False
    if rule.month_days and not {day.day, day.day - _size(day) - 1} & set(rule.month_days):
        return False
    if rule.weekdays:
        return any(_is_weekday(rule, which, name, day) for which, name in rule.weekdays)
    return bool(rule.month_days) or _as_start(rule, start, day)


def _size(day: date) -> int:
    first = day.replace(day=1)
    return (_month_end(first) - first).days


def _as_start(rule: Recurrence, start: date, day: date) -> bool:
    """Tell whether a day is as the start says, where the rule itself names no day."""
    if rule.frequency == "DAILY":
        return True
    if rule.frequency == "WEEKLY":
        return day.weekday() == start.weekday()
    same_month = rule.frequency == "MONTHLY" or bool(rule.months) or day.month == start.month
    return same_month and day.day == start.day


def _is_weekday(rule: Recurrence, which: int, name: int, day: date) -> bool:
    if day.weekday() != name:
        return False
    if which == 0 or rule.frequency in ("DAILY", "WEEKLY"):
        return True
    if rule.frequency == "YEARLY" and not rule.months:
        ahead = day.timetuple().tm_yday
        left = (date(day.year + 1, 1, 1) - day).days
    else:
        ahead, left = day.day, _size(day) - day.day + 1
    return which in ((ahead - 1) // 7 + 1, -((left - 1) // 7 + 1))

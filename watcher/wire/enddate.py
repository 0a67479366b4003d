"""What is left of a certificate's end, `EEE MMM dd HH:mm:ss:SSS zzz yyyy`, cut anywhere."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from watcher.wire.timestamp import MONTHS

ZONE_SLACK = timedelta(hours=14)
"""No zone is further from UTC; the date of an alarm is local to a node of unknown zone."""

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
# A run of blanks is given back by nobody (`++`): shared out between the optional parts in every
# way, 16 KiB of blanks behind a day would take hours. A year without a zone needs two blanks.
_TEXT = re.compile(
    r"\s*+(?P<weekday>[A-Z][a-z]{0,2})(?: ++(?P<month>[A-Z][a-z]{0,2})"
    r"(?: ++(?P<day>[0-9]{1,2})(?P<after_day> *+)(?P<time>[0-9:]*+)"
    r"(?:(?: ++|(?<= ))(?P<zone>[A-Za-z+-][A-Za-z0-9_/:+-]*+)?+"
    r"(?: *+(?<= )(?(zone)|(?<=  ))(?P<year>[0-9]{1,4}))?+)?+)?)?\s*+",
    re.ASCII,
)
_CLOCK = re.compile(r"(\d{2}):(\d{2})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remains:
    """What survived of the text; a part may itself be cut."""

    weekday: str
    month: str
    day: str
    day_whole: bool
    clock: str | None
    zone: str | None
    year: str

    @property
    def complete(self) -> bool:
        """Tell whether the whole text survived, year and all."""
        return len(self.year) == 4  # noqa: PLR2004 -- yyyy

    def fits(self, day: date) -> bool:
        """Tell whether the text could have been cut from this date."""
        return (self.complete or self.fits_weekday(day)) and self.fits_date(day)

    def fits_weekday(self, day: date) -> bool:
        """Tell the same of the weekday alone."""
        return _WEEKDAYS[day.weekday()].startswith(self.weekday)

    def fits_date(self, day: date) -> bool:
        """Tell the same without the weekday."""
        number = str(day.day) if self.day_whole and len(self.day) == 1 else f"{day.day:02}"
        return (
            MONTHS[day.month - 1].startswith(self.month)
            and number.startswith(self.day)
            and str(day.year).startswith(self.year)
        )

    def instants(self, day: date) -> "Window":
        """Return between which instants the certificate ends if it ends on that day."""
        return _instants(self.clock, self.zone, day)


@dataclass(frozen=True, slots=True)
class Window:
    """A span of time; None is open."""

    earliest: datetime | None
    latest: datetime | None

    def meets(self, other: "Window") -> bool:
        """Tell whether the two have an instant in common."""
        return not (
            (self.latest and other.earliest and other.earliest > self.latest)
            or (self.earliest and other.latest and other.latest < self.earliest)
        )

    def within(self, other: "Window") -> "Window":
        """Return what both have in common; this one where they have nothing."""
        if not self.meets(other):
            return self
        starts = [start for start in (self.earliest, other.earliest) if start]
        ends = [end for end in (self.latest, other.latest) if end]
        return Window(max(starts, default=None), min(ends, default=None))

    def around(self, other: "Window") -> "Window":
        """Return the span from the first to the last instant of both."""
        starts, ends = (self.earliest, other.earliest), (self.latest, other.latest)
        return Window(
            min(start for start in starts if start) if all(starts) else None,
            max(end for end in ends if end) if all(ends) else None,
        )


def read_end(text: str) -> Remains | None:
    """Return what survived, or None when it is not the beginning of such a date."""
    found = _TEXT.fullmatch(text)
    if found is None or not _readable(found):
        return None
    return Remains(
        weekday=found["weekday"],
        month=found["month"] or "",
        day=found["day"] or "",
        day_whole=bool(found["after_day"]) or len(found["day"] or "") == 2,  # noqa: PLR2004 -- dd
        clock=found["time"] or None,
        zone=found["zone"] or None,
        year=found["year"] or "",
    )


def _readable(found: re.Match[str]) -> bool:
    weekday, month = found["weekday"], found["month"] or ""
    followed = found["month"] is not None
    return any(
        name.startswith(weekday) for name in _WEEKDAYS if not followed or name == weekday
    ) and (any(name.startswith(month) for name in MONTHS if not found["day"] or name == month))


@lru_cache(maxsize=4096)
def _instants(clock: str | None, zone: str | None, day: date) -> Window:
    slack = timedelta(0) if (zone or "").upper() in {"UTC", "GMT"} else ZONE_SLACK
    found = _CLOCK.match(clock or "")
    try:
        at = time(int(found[1]), int(found[2])) if found else None
    except ValueError:
        at = None
    first = datetime.combine(day, at or time(0), UTC)
    length = timedelta(minutes=1) if at else timedelta(days=1)
    return Window(first - slack, first + length + slack)

"""Dates as `show cert` prints them: `Mon May 19 14:46:34 CEST 2014`.

An abbreviation of a zone is no zone (`IST`, `CST`, `EST` mean several places each), so it
becomes an instant only with the cluster's own zone, and only where that zone uses it.
"""

import re
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

_DATE = re.compile(
    r"(?:[A-Z][a-z]{2}\s+)?(?P<month>[A-Z][a-z]{2})\s+(?P<day>\d{1,2})\s+"
    r"(?P<hour>\d{2}):(?P<minute>\d{2}):(?P<second>\d{2})\s+(?P<zone>\S{1,12})\s+(?P<year>\d{4})",
    re.ASCII,
)
_OFFSET = re.compile(r"(?:GMT|UTC)?(?P<sign>[+-])(?P<hours>\d{2}):?(?P<minutes>\d{2})", re.ASCII)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_UTC_NAMES = frozenset({"UTC", "GMT", "Z", "UCT"})


def read_time(text: str, zone: ZoneInfo | None) -> tuple[datetime | None, str]:
    """Return the instant in UTC, or None with the reason why it stays unknown."""
    found = _DATE.fullmatch(text.strip())
    if found is None or found["month"] not in _MONTHS:
        return None, "not a date of the form `Mon May 19 14:46:34 UTC 2014`"
    try:
        local = datetime(  # noqa: DTZ001 -- the zone is looked at next
            int(found["year"]), _MONTHS.index(found["month"]) + 1, int(found["day"]),
            int(found["hour"]), int(found["minute"]), int(found["second"]),
        )  # fmt: skip
        return _placed(local, found["zone"], zone)
    except (ValueError, OverflowError):
        return None, "no such day or time"


def _placed(local: datetime, word: str, zone: ZoneInfo | None) -> tuple[datetime | None, str]:
    if word in _UTC_NAMES:
        return local.replace(tzinfo=UTC), ""
    offset = _OFFSET.fullmatch(word)
    if offset is not None:
        ahead = timedelta(hours=int(offset["hours"]), minutes=int(offset["minutes"]))
        fixed = timezone(-ahead if offset["sign"] == "-" else ahead)
        return local.replace(tzinfo=fixed).astimezone(UTC), ""
    if zone is None:
        return None, f"{word} is not one place; give the cluster's time zone"
    for fold in (0, 1):
        placed = local.replace(tzinfo=zone, fold=fold)
        if placed.tzname() == word:
            return placed.astimezone(UTC), ""
    return None, f"{zone.key} does not call its time {word} on that day"

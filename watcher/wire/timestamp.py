"""Time stamps of UC records as aware UTC, where the text itself says how.

A zone abbreviation is never mapped to an offset: `EST` in August, `CES` cut from `CEST` and a
router's `NewYork` are all genuine. Only UTC, GMT and numeric offsets count.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MILLISECOND_DIGITS = 3
_NOON = 12
_OFFSET = re.compile(r"(?:UTC|GMT)?(?P<sign>[+-])(?P<hours>\d{2}):?(?P<minutes>\d{2})", re.ASCII)
_ALERT = re.compile(
    r"[A-Z][a-z]{2}\s+(?P<month>[A-Z][a-z]{2})\s+(?P<day>\d{1,2})\s+"
    r"(?P<hour>\d{2}):(?P<minute>\d{2}):(?P<second>\d{2})\s+(?P<zone>\S+)\s+(?P<year>\d{4})",
    re.ASCII,
)
_STAMP = re.compile(
    r"(?P<month>[A-Z][a-z]{2}) {1,2}(?P<day>\d{1,2}) (?P<year>\d{4}) "
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2}):(?P<second>\d{2})"
    r"(?: (?P<half>[AP]M))?(?:\.\d{1,9})?(?: (?P<half_after>[AP]M))?",
    re.ASCII,
)
_QUARTER = timedelta(minutes=15)
_LONGEST_DELAY = timedelta(minutes=10)


def utc_offset(zone: str | None) -> timedelta | None:
    """Return the offset that a zone text spells out, or None for a mere abbreviation."""
    if zone is None:
        return None
    if zone.upper() in {"UTC", "GMT", "Z"}:
        return timedelta(0)
    found = _OFFSET.fullmatch(zone)
    if found is None:
        return None
    offset = timedelta(hours=int(found["hours"]), minutes=int(found["minutes"]))
    return -offset if found["sign"] == "-" else offset


def local_time(part: Mapping[str, str | None]) -> datetime | None:
    """Return the clock reading of named parts without a zone, or None when it is no date."""
    year, month = part.get("year"), part.get("month")
    if year is None or month not in MONTHS:
        return None
    hour = int(part["hour"] or 0)
    half = part.get("half") or part.get("half_after")
    if half is not None and hour <= _NOON:
        hour = hour % _NOON + (_NOON if half == "PM" else 0)
    try:
        return datetime(  # noqa: DTZ001 -- a clock reading; the caller knows the zone
            int(year), MONTHS.index(month) + 1, int(part["day"] or 0),
            hour, int(part["minute"] or 0), int(part["second"] or 0),
        )  # fmt: skip
    except ValueError:
        return None


def event_time(part: Mapping[str, str | None]) -> datetime | None:
    """Return the event time in UTC; a fraction counts only with exactly three digits."""
    local, offset = local_time(part), utc_offset(part.get("zone"))
    if local is None or offset is None:
        return None
    fraction = part.get("fraction")
    if fraction is not None and len(fraction) == MILLISECOND_DIGITS:
        local = local.replace(microsecond=int(fraction) * 1000)
    return _shifted(local, offset)


def clock_reading(text: str | None) -> datetime | None:
    """Return the local time of a record's own time stamp as if it were UTC.

    For a stamp whose zone is a mere abbreviation: the instant is at most 14 hours away.
    """
    found = _STAMP.match(text) if text else None
    local = local_time(found.groupdict()) if found else None
    return local.replace(tzinfo=UTC) if local else None


def alert_time(text: str | None, event: datetime | None) -> datetime | None:
    """Return the time of an RTMT alert (`Fri Sep 05 02:00:56 CEST 2014`) in UTC.

    Where the zone is an abbreviation, the event inside tells the offset: an alert follows its
    event within seconds, and zones differ by whole quarters of an hour.
    """
    found = _ALERT.fullmatch(text) if text else None
    local = local_time(found.groupdict()) if found else None
    if local is None or found is None:
        return None
    offset = utc_offset(found["zone"])
    if offset is not None:
        return _shifted(local, offset)
    if event is None:
        return None
    delay = (local - event.replace(tzinfo=None)) % _QUARTER
    return event + delay if delay <= _LONGEST_DELAY else None


def _shifted(local: datetime, offset: timedelta) -> datetime | None:
    try:
        return (local - offset).replace(tzinfo=UTC)
    except OverflowError:
        return None

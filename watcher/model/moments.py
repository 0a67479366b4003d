"""Moments that days, margins and zones can be reckoned with.

RFC 5280 (4.1.2.5) gives a certificate without an end the date 9999-12-31T23:59:59Z, and some
programs write the year 1 for "no date". A day later, or in another zone, neither can be told.
"""

from datetime import date, datetime, time
from typing import overload

FIRST, LAST = 1900, 9998
"""Years that reckoning begins and ends with: a year and more is left to either side."""


@overload
def reckonable(at: datetime) -> datetime: ...


@overload
def reckonable(at: date) -> date: ...


def reckonable(at: date) -> date:
    """Return a moment or a day, or the nearest that can be reckoned with, in the same zone.

    The first day of `LAST` stands for all that is later, and so for "no end".
    """
    if FIRST <= at.year < LAST:
        return at
    day = date(LAST if at.year >= LAST else FIRST, 1, 1)
    return datetime.combine(day, time(0), at.tzinfo) if isinstance(at, datetime) else day

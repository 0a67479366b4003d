"""When a change is planned, or why it fits no window: what a ticket says at its top.

Times are those of the people of the cluster, with the zone's name; fields of a ticket system that
hold a time of their own get it in UTC or with its offset.
"""

from collections.abc import Iterator
from datetime import date, datetime
from zoneinfo import ZoneInfo

from watcher.model.slot import Fit, Outcome


def planned(fit: Fit | None) -> tuple[str, ...]:
    """Return the lines; none where nothing is to be planned, or it was not reckoned."""
    if fit is None or fit.outcome is Outcome.NOTHING:
        return ()
    return tuple(_lines(fit))


def day_of(at: datetime | None, fit: Fit | None) -> date | None:
    """Return the day of a moment as the people of the cluster count it."""
    return at.astimezone(ZoneInfo(fit.zone if fit else "UTC")).date() if at else None


def _lines(fit: Fit) -> Iterator[str]:
    takes = f"The work takes {fit.minutes // 60} h {fit.minutes % 60:02d} min in one window."
    if fit.outcome is Outcome.FOUND and fit.starts and fit.ends:
        yield f"Planned: {_told(fit.starts, fit)} to {_told(fit.ends, fit)} ({fit.zone}). {takes}"
        yield from _spare(fit, fit.starts)
    elif fit.outcome is Outcome.NONE:
        yield f"NO SLOT FITS this change: {fit.why}. {takes}"
        relief = f"{fit.relief} ({fit.zone})" if fit.relief else "none that was tried helps"
        yield f"Cheapest way out: {relief}."
    else:
        yield f"Planned: not yet, because {fit.why or 'no slot is known'}. {takes}"
    if fit.deadline:
        yield (
            f"To be over by {_told(fit.deadline, fit)} ({fit.zone}): the earliest end that a "
            "certificate of this change can have, less the margin that the site keeps."
        )


def _spare(fit: Fit, starts: datetime) -> Iterator[str]:
    if fit.latest is None:
        return
    if fit.latest <= starts:
        yield "No second attempt fits before the deadline."
    else:
        yield f"It may begin as late as {_told(fit.latest, fit)} and still be tried twice."


def _told(at: datetime, fit: Fit) -> str:
    return f"{at.astimezone(ZoneInfo(fit.zone)):%a %Y-%m-%d %H:%M}"

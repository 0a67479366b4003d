"""When a change is planned, or why it fits no window: what a ticket says at its top.

Times are those of the people of the cluster, with the zone's name; fields of a ticket system that
hold a time of their own get it in UTC or with its offset.
"""

from collections.abc import Iterator
from datetime import date, datetime
from zoneinfo import ZoneInfo

from watcher.model.clock import sure_moment
from watcher.model.slot import Fit, Outcome
from watcher.slots import said


def planned(fit: Fit | None) -> tuple[str, ...]:
    """Return the lines; none where nothing is to be planned, or it was not reckoned."""
    if fit is None or fit.outcome is Outcome.NOTHING:
        return ()
    return tuple(_lines(fit))


def day_of(at: datetime | None, fit: Fit | None) -> date | None:
    """Return the day of a moment as the people of the cluster count it."""
    return at.astimezone(ZoneInfo(fit.zone if fit else "UTC")).date() if at else None


def _lines(fit: Fit) -> Iterator[str]:
    takes = f"The work takes {said.takes(fit)}."
    if fit.outcome is Outcome.FOUND and fit.slots:
        yield f"Planned: {'; '.join(said.windows(fit))} ({fit.zone}). {takes}"
        yield from _spare(fit)
    elif fit.outcome is Outcome.NONE:
        yield f"NO SLOT FITS this change: {fit.why}. {takes}"
        yield f"Cheapest way out: {said.relief(fit)}."
        yield from _late(fit)
    else:
        yield f"Planned: not yet, because {fit.why or 'no slot is known'}. {takes}"
    if fit.deadline:
        yield (
            f"To be over by {sure_moment(fit.deadline, ZoneInfo(fit.zone))} ({fit.zone}): the "
            "earliest end that a certificate of this change can have, of those that still run, "
            "less the margin that the site keeps."
        )


def _late(fit: Fit) -> Iterator[str]:
    """Yield the first slot there is, where nothing that was tried helps."""
    if not fit.relief and fit.late is not None:
        over = sure_moment(fit.late, ZoneInfo(fit.zone))
        yield f"The first slot without regard to the deadline is over by {over}."


def _spare(fit: Fit) -> Iterator[str]:
    if said.allows_one_try(fit):
        yield "No second attempt fits before the deadline."
    elif fit.latest is not None:
        yield f"It may begin as late as {said.latest(fit)} and still be tried twice."

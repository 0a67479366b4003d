"""How a cluster's newest plan fits its windows, as the digest believes and says it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo

from watcher.model.clock import sure_moment
from watcher.model.slot import AGE, Fit, Outcome
from watcher.slots import said
from watcher.slots.zones import zone_of

NEVER = datetime.max.replace(tzinfo=UTC)


def is_believed(fit: Fit | None, now: datetime) -> bool:
    """Tell whether a fit still counts; what is reckoned anew after a day has another for that."""
    return fit is not None and fit.holds(now, 2 * AGE)


def over_at(fit: Fit, margin: timedelta) -> datetime | None:
    """Return when the work in the plan's first window is over; None where no window is known.

    What ends before is due before the next feasible window. Of what is done in later windows the
    search has proved that it ends after them: else it would have found none.
    """
    if fit.outcome is Outcome.NONE:
        return fit.late + margin if fit.late else NEVER
    return fit.slots[0][1] if fit.slots else None


def words(fit: Fit | None, now: datetime) -> tuple[str, ...]:
    """Return how a plan fits, a line each; nothing where that was never reckoned."""
    return tuple(_words(fit, now)) if fit is not None else ()


def _words(fit: Fit, now: datetime) -> Iterator[str]:
    takes = said.takes(fit)
    if not is_believed(fit, now):
        yield _distrust(fit, now, zone_of(fit.zone))
    elif fit.outcome is Outcome.NONE:
        yield f"FITS NO WINDOW; it takes {takes}"
        yield fit.why
        yield f"cheapest way out: {said.relief(fit)}"
    elif fit.outcome is Outcome.FOUND:
        one, *more = said.windows(fit)
        fits = "" if more else f"; fits {one}"
        yield f"takes {takes}{fits}{_begun(fit, now)}{_spare(fit)}"
        yield from [one, *more] if more else ()
    elif fit.outcome is Outcome.UNKNOWN:
        yield f"takes {takes}; {fit.why or 'no maintenance window is known'}"


def _distrust(fit: Fit, now: datetime, zone: tzinfo) -> str:
    if fit.ends is not None and fit.found_at <= now and fit.ends <= now:
        slot = f"its slot of {told(fit.starts, zone)} has passed"
        return f"{slot}; whether it fits is to be reckoned"
    reckoned = f"last reckoned for {told(fit.found_at, zone)}"
    return f"whether it fits a window was {reckoned}: that counts no more"


def _begun(fit: Fit, now: datetime) -> str:
    if not fit.has_begun(now):
        return ""
    count = sum(starts <= now for starts, _ in fit.slots)
    return (
        f"; window {count} of {len(fit.slots)} has begun" if len(fit.slots) > 1 else "; has begun"
    )


def _spare(fit: Fit) -> str:
    if said.allows_one_try(fit):
        return "; no second attempt before the deadline"
    return f"; latest safe start {said.latest(fit)}" if fit.latest else ""


def told(at: datetime | None, zone: tzinfo) -> str:
    """Return a moment as people of a zone read it, with the zone's short name."""
    return sure_moment(at, zone) if at else "never"

"""How a cluster's newest plan fits its windows, as the digest believes and says it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo

from watcher.model.slot import Fit, Outcome
from watcher.slots.zones import zone_of

FRESH = timedelta(days=2)
"""What was reckoned longer ago does not count: lead times run from when it was reckoned."""
NEVER = datetime.max.replace(tzinfo=UTC)


def is_believed(fit: Fit | None, now: datetime) -> bool:
    """Tell whether a fit still counts: it is fresh, and its slot has not begun."""
    if fit is None or abs(now - fit.found_at) > FRESH:
        return False
    return fit.starts is None or fit.starts > now


def over_at(fit: Fit, margin: timedelta) -> datetime | None:
    """Return when the plan's work is over at the earliest; None where no window is known.

    What ends before is due before the next feasible window.
    """
    if fit.outcome is Outcome.NONE:
        return fit.late + margin if fit.late else NEVER
    return fit.ends


def words(fit: Fit | None, now: datetime) -> tuple[str, ...]:
    """Return how a plan fits, a line each; nothing where that was never reckoned."""
    return tuple(_words(fit, now)) if fit is not None else ()


def _words(fit: Fit, now: datetime) -> Iterator[str]:
    zone = zone_of(fit.zone)
    takes = f"{fit.minutes // 60} h {fit.minutes % 60:02d} min in one window"
    if not is_believed(fit, now):
        yield _distrust(fit, now, zone)
    elif fit.outcome is Outcome.NONE:
        yield f"FITS NO WINDOW; it takes {takes}"
        yield fit.why
        yield f"cheapest way out: {fit.relief or 'none that was tried helps'}"
    elif fit.outcome is Outcome.FOUND:
        yield f"takes {takes}; fits {told(fit.starts, zone)} to {told(fit.ends, zone)}{_spare(fit)}"
    elif fit.outcome is Outcome.UNKNOWN:
        yield f"takes {takes}; {fit.why or 'no maintenance window is known'}"


def _distrust(fit: Fit, now: datetime, zone: tzinfo) -> str:
    if fit.starts is not None and fit.found_at <= now and fit.starts <= now:
        past = "has passed" if fit.ends is None or fit.ends <= now else "has begun"
        return f"its slot of {told(fit.starts, zone)} {past}; whether it fits is to be reckoned"
    reckoned = f"last reckoned for {told(fit.found_at, zone)}"
    return f"whether it fits a window was {reckoned}: that counts no more"


def _spare(fit: Fit) -> str:
    if fit.latest is None:
        return ""
    if fit.starts is not None and fit.latest <= fit.starts:
        return "; no second attempt before the deadline"
    return f"; latest safe start {told(fit.latest, zone_of(fit.zone))}"


def told(at: datetime | None, zone: tzinfo) -> str:
    """Return a moment as people of a zone read it, with the zone's short name."""
    return f"{at.astimezone(zone):%a %Y-%m-%d %H:%M %Z}" if at else "never"

"""How a plan fits its windows in words: what tickets and the digest say alike."""

from collections.abc import Iterator
from datetime import timedelta

from watcher.model.clock import hours, sure_moment
from watcher.model.slot import Fit
from watcher.slots.zones import zone_of

_MINUTE = timedelta(minutes=1)


def takes(fit: Fit) -> str:
    """Return how long the work is, in all windows that it is planned for."""
    if len(fit.slots) > 1:
        total = sum((ends - starts for starts, ends in fit.slots), timedelta(0))
        return f"{hours(total // _MINUTE)} in {len(fit.slots)} windows"
    return f"{hours(fit.minutes)} in one window"


def windows(fit: Fit) -> Iterator[str]:
    """Yield begin and end of the work in each window, of several with their number."""
    zone, count = zone_of(fit.zone), len(fit.slots)
    for number, (starts, ends) in enumerate(fit.slots, 1):
        which = f"window {number} of {count}: " if count > 1 else ""
        yield f"{which}{sure_moment(starts, zone)} to {sure_moment(ends, zone)}"


def allows_one_try(fit: Fit) -> bool:
    """Tell whether no failed attempt can be repeated before the deadline."""
    return fit.latest is not None and fit.starts is not None and fit.latest <= fit.starts


def latest(fit: Fit) -> str:
    """Return when it must begin so that it can be tried twice; nothing if that is never or free."""
    if fit.latest is None or allows_one_try(fit):
        return ""
    return sure_moment(fit.latest, zone_of(fit.zone))


def relief(fit: Fit) -> str:
    """Return the cheapest way out where no slot fits."""
    return f"{fit.relief} ({fit.zone})" if fit.relief else "none that was tried helps"

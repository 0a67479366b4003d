"""The next times at which anything may be done in a cluster: windows less blackouts.

What a plan takes, what the board asks and which slot is best, `watcher.slots` finds; the digest
only asks whether a window is left before a certificate ends.
"""

from datetime import datetime, timedelta

from watcher.inventory.schema import Cluster
from watcher.model.digest import DigestWindow
from watcher.slots.spans import merged, without
from watcher.slots.windows import blackout_days, occurrences
from watcher.slots.zones import minute_after, moment_of, zone_of

AHEAD = timedelta(days=366)
"""So far ahead a window is looked for."""
SHORTEST = 30
"""Minutes that must be left of a window: in less no certificate is renewed."""


def next_windows(cluster: Cluster, now: datetime, count: int = 2) -> tuple[DigestWindow, ...]:
    """Return the next windows that are not over; none when the inventory knows none."""
    first, last = minute_after(now), minute_after(now + AHEAD)
    zone = zone_of(cluster.time_zone)
    closed = merged(blackout_days(blackout, zone) for blackout in cluster.blackouts)
    spans = without(merged(occurrences(cluster, first, last)), closed)
    left = [(max(start, first), end) for start, end in spans if end - max(start, first) >= SHORTEST]
    return tuple(
        DigestWindow(starts=moment_of(start), ends=moment_of(end)) for start, end in left[:count]
    )


def next_window(cluster: Cluster, now: datetime) -> DigestWindow | None:
    """Return the next window that is not over."""
    return next(iter(next_windows(cluster, now, 1)), None)

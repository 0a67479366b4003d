"""The next times at which anything may be done in a cluster: windows less blackouts.

What a plan takes, what the board asks and which slot is best, `watcher.slots` finds, and the
plan's fit says it; windows count where no fit is known.
"""

from datetime import datetime, timedelta

from watcher.inventory.schema import Cluster
from watcher.model.digest import DigestWindow
from watcher.slots.spans import merged, without
from watcher.slots.windows import blackout_days, occurrences
from watcher.slots.zones import minute_after, moment_of, zone_of

AHEAD = timedelta(days=366)
"""So far ahead a window is looked for."""
SHORTEST = timedelta(minutes=30)
"""What must be left of a window: in less no certificate is renewed."""


def next_windows(cluster: Cluster, now: datetime) -> tuple[DigestWindow, ...]:
    """Return the windows of a year that are not over; none when the inventory knows none."""
    first, last = minute_after(now), minute_after(now + AHEAD)
    zone = zone_of(cluster.time_zone)
    closed = merged(blackout_days(blackout, zone) for blackout in cluster.blackouts)
    spans = without(merged(occurrences(cluster, first, last)), closed)
    found = (
        DigestWindow(starts=moment_of(max(start, first)), ends=moment_of(end))
        for start, end in spans
    )
    return tuple(one for one in found if one.ends - one.starts >= SHORTEST)

"""The next times at which anything may be done in a cluster: windows less blackouts.

Both are of the inventory and of the calendars that it names.
What a plan takes, what the board asks and which slot is best, `watcher.slots` finds, and the
plan's fit says it; windows count where no fit is known.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from watcher.inventory.schema import Cluster
from watcher.model.digest import DigestWindow
from watcher.slots.calendar import Calendar, stretches
from watcher.slots.spans import merged, without
from watcher.slots.windows import blackout_days, occurrences
from watcher.slots.zones import minute_after, moment_of, zone_of

AHEAD = timedelta(days=366)
"""So far ahead a window is looked for."""
SHORTEST = timedelta(minutes=30)
"""What must be left of a window: in less no certificate is renewed."""


def next_windows(
    cluster: Cluster, now: datetime, calendars: Sequence[Calendar] = ()
) -> tuple[DigestWindow, ...]:
    """Return the windows of a year that are not over; none when none is known.

    Raises InputError for a calendar whose rules come to too much.
    """
    first, last = minute_after(now), minute_after(now + AHEAD)
    zone = zone_of(cluster.time_zone)
    opened, taken = stretches(calendars, zone, first, last)
    closed = [blackout_days(blackout, zone) for blackout in cluster.blackouts]
    closed += [stretch for stretch, _ in taken]
    spans = without(merged((*occurrences(cluster, first, last), *opened)), merged(closed))
    found = (
        DigestWindow(starts=moment_of(max(start, first)), ends=moment_of(end))
        for start, end in spans
    )
    return tuple(one for one in found if one.ends - one.starts >= SHORTEST)

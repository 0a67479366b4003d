"""Everything that limits when one plan can be done, in one value that can be relaxed."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from watcher.inventory.schema import Cluster
from watcher.model.slot import Lead
from watcher.slots.calendar import Calendar, stretches
from watcher.slots.deadline import Pressing
from watcher.slots.leads import leads
from watcher.slots.phases import Work
from watcher.slots.search import Task
from watcher.slots.spans import Allowed, Stretch, clipped, merged, without
from watcher.slots.windows import blackout_days, occurrences, whole_day
from watcher.slots.zones import DAY, minute_after, minute_before, moment_of, zone_of

MARGIN_DAYS = 1
"""Days before the end of a certificate, where the inventory names none."""
AHEAD, BEHIND, MOST = 400 * DAY, 120 * DAY, 800 * DAY
"""Minutes looked at: without a deadline, beyond one, and in any case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The constraints; minutes since 1970 in UTC. `blackouts` carry their reason."""

    work: Work
    zone: ZoneInfo
    now: int
    horizon: int
    windows: tuple[Stretch, ...]
    blackouts: tuple[tuple[Stretch, str], ...]
    leads: tuple[Lead, ...]
    margin: int
    ends: tuple[tuple[int, int], ...]
    """The earliest end of a certificate for each part of the plan."""

    @property
    def ready(self) -> int:
        """When now is past and all lead times are over."""
        return max([self.now, *(minute_after(lead.until) for lead in self.leads)])

    @property
    def deadline(self) -> int | None:
        """The earliest deadline of a part, or None."""
        return min((end - self.margin for _, end in self.ends), default=None)

    def taken(self) -> tuple[Stretch, ...]:
        """Return the blackouts, merged."""
        return merged(stretch for stretch, _ in self.blackouts)

    def task(self, *, late: bool = False) -> Task:
        """Return what is to be searched; `late` leaves the deadlines out."""
        free = without(merged(self.windows), self.taken())
        allowed = Allowed(clipped(free, self.ready, self.horizon))
        deadlines = {} if late else {part: end - self.margin for part, end in self.ends}
        return Task(work=self.work, allowed=allowed, deadlines=deadlines)

    def without_days(self, days: Iterable[date]) -> "Limits":
        """Return the limits with an exception from all blackouts on some days."""
        free = merged(whole_day(day, self.zone) for day in days)
        left = (
            (stretch, why) for taken, why in self.blackouts for stretch in without((taken,), free)
        )
        return replace(self, blackouts=tuple(left))


def asked(limits: Limits, cluster: Cluster, since: datetime) -> Limits:
    """Return the limits with lead times that run from a time before now."""
    begun = moment_of(minute_after(since))
    return replace(limits, leads=leads(cluster.lead_times, limits.work.asked, begun, limits.zone))


def limits_of(
    work: Work, pressing: Pressing, cluster: Cluster, now: datetime,
    calendars: tuple[Calendar, ...],
) -> Limits:  # fmt: skip
    """Return what inventory, calendars and certificates say of when a plan can be done."""
    zone = zone_of(cluster.time_zone)
    first = minute_after(now)
    ends = tuple((part, minute_before(at)) for part, at in pressing.ends)
    horizon = min(max((end for _, end in ends), default=first + AHEAD) + BEHIND, first + MOST)
    opened, closed = stretches(calendars, zone, first, horizon)
    blackouts = [(blackout_days(b, zone), b.reason) for b in cluster.blackouts]
    margin = MARGIN_DAYS if cluster.margin_days is None else cluster.margin_days
    return Limits(
        work=work, zone=zone, now=first, horizon=horizon,
        windows=(*occurrences(cluster, first, horizon), *opened),
        blackouts=(*blackouts, *closed),
        leads=leads(cluster.lead_times, work.asked, moment_of(first), zone),
        margin=margin * DAY, ends=ends,
    )  # fmt: skip

"""What of the constraints may be given up for a slot: applied, priced and told in one place."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from watcher.model.clock import moment, short_hours
from watcher.model.slot import Lead
from watcher.slots.limits import Limits
from watcher.slots.spans import ceil_div
from watcher.slots.zones import DAY, minute_after, moment_of

MARGIN_DAY, LEAD_DAY, BLACKOUT_DAY = 3, 5, 8
"""What a day of each costs."""
LONGER, EXTRA = 0, 6
"""What a longer and an extra window cost besides their minutes."""
_LISTED = 4
"""Nights that are named one by one."""


@dataclass(frozen=True, slots=True)
class Opening:
    """Minutes that are allowed, too; `of` is when the window begins that they make longer."""

    starts: int
    minutes: int
    of: int | None = None

    @property
    def ends(self) -> int:
        """When it is over."""
        return self.starts + self.minutes

    @property
    def cost(self) -> int:
        """What it costs: a longer window for each half hour begun, an extra one for each hour."""
        if self.of is None:
            return EXTRA + ceil_div(self.minutes, 60)
        return LONGER + ceil_div(self.minutes, 30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ease:
    """Constraints given up: days of the margin, days of lead times, blackout days, openings."""

    margin: int = 0
    leads: tuple[tuple[str, int], ...] = ()
    days: tuple[date, ...] = ()
    opened: tuple[Opening, ...] = ()

    @property
    def cost(self) -> int:
        """What it costs (docs/scheduling.md)."""
        return (
            MARGIN_DAY * self.margin
            + LEAD_DAY * sum(days for _, days in self.leads)
            + BLACKOUT_DAY * len(self.days)
            + sum(one.cost for one in self.opened)
        )

    def applied(self, limits: Limits) -> Limits:
        """Return the limits with this given up."""
        off = dict(self.leads)
        eased = replace(
            limits,
            margin=max(limits.margin - self.margin * DAY, 0),
            leads=tuple(_shortened(one, off.get(one.name, 0), limits) for one in limits.leads),
            windows=(*limits.windows, *((one.starts, one.ends) for one in self.opened)),
        )
        return eased.without_days(self.days) if self.days else eased

    def told(self, limits: Limits) -> str:
        """Return in words what is given up."""
        return ", and ".join(_words(self, limits))


def days_of(lead: Lead, limits: Limits) -> int:
    """Return the days that a lead time still takes, one that is begun as a whole."""
    return ceil_div(max(minute_after(lead.until) - limits.now, 0), DAY)


def _shortened(lead: Lead, days: int, limits: Limits) -> Lead:
    if not days:
        return lead
    return replace(lead, until=max(lead.until - timedelta(days=days), moment_of(limits.now)))


def _words(ease: Ease, limits: Limits) -> Iterator[str]:
    of = f"the margin of {limits.margin // DAY} d"
    if ease.margin:
        yield f"skip {of}" if ease.margin * DAY >= limits.margin else f"cut {ease.margin} d of {of}"
    for name, days in ease.leads:
        lead = next(one for one in limits.leads if one.name == name)
        until = local(_shortened(lead, days, limits).until, limits)
        what = f"the lead time of the {name}"
        waived = days >= days_of(lead, limits)
        yield f"waive {what}" if waived else f"shorten {what}, so that work may begin on {until}"
    if ease.days:
        shut = _listed([str(day) for day in ease.days], "days")
        yield f"an exception from the blackout on {shut}"
    for minutes in dict.fromkeys(one.minutes for one in ease.opened):
        same = [one for one in ease.opened if one.minutes == minutes]
        yield from _opened(minutes, [one.of for one in same if one.of is not None], limits)
        yield from _extra(minutes, [one.starts for one in same if one.of is None], limits)


def _opened(minutes: int, begins: list[int], limits: Limits) -> Iterator[str]:
    if begins:
        what = "window of " if len(begins) == 1 else "windows of "
        told = _listed([local(moment_of(one), limits) for one in begins], "nights")
        yield f"make the {what}{told} longer by {short_hours(minutes)}"


def _extra(minutes: int, begins: list[int], limits: Limits) -> Iterator[str]:
    if begins:
        told = _listed([local(moment_of(one), limits) for one in begins], "nights")
        what = "an extra window" if len(begins) == 1 else "extra windows"
        yield f"{what} of {short_hours(minutes)} on {told}"


def _listed(names: list[str], what: str) -> str:
    """Return names with `and`; of many how many, the first and the last."""
    if len(names) > _LISTED:
        return f"{len(names)} {what} from {names[0]} to {names[-1]}"
    *rest, last = names
    return f"{', '.join(rest)} and {last}" if rest else last


def local(at: datetime, limits: Limits) -> str:
    """Return a moment as people of the cluster read it."""
    return moment(at, limits.zone)

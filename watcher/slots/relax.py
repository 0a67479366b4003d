"""The cheapest changes of the constraints that yield a slot, found by search and never guessed.

First everything of a kind is given up; where that yields a slot, it is made as small as still
yields one. More given up never yields less, so that halving finds the smallest.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from functools import partial
from itertools import product
from typing import TypeVar

from watcher.model.slot import Relaxation
from watcher.slots.ease import (
    BLACKOUT_DAY,
    EXTRA,
    LEAD_DAY,
    LONGER,
    MARGIN_DAY,
    Ease,
    Opening,
    days_of,
)
from watcher.slots.limits import Limits
from watcher.slots.search import Found, earliest
from watcher.slots.spans import Stretch, ceil_div, merged
from watcher.slots.windows import whole_day
from watcher.slots.zones import DAY, instant, local_day, minute_after, moment_of

LONGEST_MINUTES = 12 * 60
"""The longest extension of a window, and the longest extra window, that is tried."""
NOTICES = (DAY, 4 * 60, 60, 0)
"""Minutes from now in which no window is opened or made longer; less only if nothing else helps."""
SHOWN_MOST = 8
"""Relaxations that are named."""
_TRIED, _TRIED_DAYS = 60, 120
"""Windows and evenings, and blackout days, that are tried, nearest to the deadline."""
_SEARCHES = 150_000
"""Searches that are made, times the square of the phases: some seconds of work."""
_APART = 4
"""Windows that are made longer each by its own minutes; more are by the same."""
_USUAL = time(22)
_HOUR, _QUARTER = 60, 15
_T = TypeVar("_T")
_PARTS = ("opened", "days", "leads", "margin")
_ORDERS = (_PARTS, ("days", "leads", "margin", "opened"), ("margin", "leads", "days", "opened"))
"""In which order what is given up is made smaller; the cheapest of these is taken."""


def relaxations(limits: Limits) -> tuple[Relaxation, ...]:
    """Return what would yield a slot, the cheapest first."""
    told = []
    for ease in eases(limits):
        found = earliest(ease.applied(limits).task())
        if found:
            starts, ends = moment_of(found[0].starts), moment_of(found[-1].ends)
            what = ease.told(limits)
            told.append(Relaxation(what=what, cost=ease.cost, starts=starts, ends=ends))
    return tuple(sorted(told, key=lambda one: (one.cost, one.starts, one.what)))


def eases(limits: Limits) -> tuple[Ease, ...]:
    """Return what may be given up for a slot, the cheapest first; each yields one.

    One kind alone, then two together where that is cheaper, more only if nothing else helps.
    """
    most = _SEARCHES // (len(limits.work.phases) + 2) ** 2
    for notice in NOTICES:
        search = _Search(limits=limits, notice=notice, most=most)
        found = _found(search)
        if found:
            ranked = sorted(found, key=lambda ease: (ease.cost, ease.told(limits)))
            return tuple(ranked[:SHOWN_MOST])
        most -= len(search.known)
    return ()


def _found(search: "_Search") -> set[Ease]:
    found = set(search.of(1))
    least = _least(found)
    found |= {ease for ease in search.of(2, least) if ease.cost < least}
    for parts in (3, 4):
        found = found or set(search.of(parts))
    # Where the search was given up for its length, what it left may not be whole.
    return {ease for ease in found if earliest(ease.applied(search.limits).task())}


def _least(found: Collection[Ease]) -> int:
    return min((ease.cost for ease in found), default=1 << 30)


def _smallest(most: int, yields: Callable[[int], bool]) -> int:
    """Return the smallest number up to `most`, which yields, that yields too."""
    low, high = -1, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if yields(middle) else (middle, high)
    return high


@dataclass(frozen=True, slots=True, kw_only=True)
class _Search:
    """The search for one set of limits."""

    limits: Limits
    notice: int
    most: int
    """Searches that may be made; then nothing more is found."""
    known: dict[Ease, Found | None] = field(default_factory=dict)

    def fits(self, ease: Ease) -> Found | None:
        """Return the sessions that are found with something given up."""
        if ease not in self.known:
            if len(self.known) >= self.most:
                return None
            self.known[ease] = earliest(ease.applied(self.limits).task())
        return self.known[ease]

    def of(self, parts: int, below: int = 1 << 30) -> Iterator[Ease]:
        """Yield what helps with so many kinds given up and may cost less than a limit."""
        for base in self._bases():
            kinds, floor = _kinds(base), _floor(base)
            if kinds == parts and floor < below and base.days and kinds == 1:
                yield from self._fewest_days(base)
            elif kinds == parts and floor < below:
                yield from self._shrunk(base)
            if kinds == parts - 1 and floor + LONGER + 1 < below:
                yield from self._opening(base, self._longer(base))
            if kinds == parts - 1 and floor + EXTRA + 1 < below:
                yield from self._opening(base, self._extra(base))

    # -- everything of a kind

    def _bases(self) -> Iterator[Ease]:
        """Yield what may be given up whole, without openings."""
        margins = (0, self.limits.margin // DAY) if self.limits.margin else (0,)
        single = tuple((one.name, days_of(one, self.limits)) for one in self.limits.leads)
        waived = tuple(lead for lead in single if lead[1])
        leads = dict.fromkeys([(), *((lead,) for lead in waived), waived])
        for margin, lead, days in product(margins, leads, dict.fromkeys([(), self._blacked()])):
            yield Ease(margin=margin, leads=lead, days=days)

    def _blacked(self) -> tuple[date, ...]:
        days = self._days(self.limits, self.limits.ready)
        taken = self.limits.taken()
        shut = [day for day in days if _touches(whole_day(day, self.limits.zone), taken)]
        return tuple(self._near(shut, _TRIED_DAYS))

    def _days(self, limits: Limits, first: int) -> list[date]:
        day = local_day(moment_of(first), limits.zone)
        last = local_day(moment_of(max(_last(limits), first)), limits.zone)
        return [day + timedelta(days=n) for n in range((last - day).days + 1)]

    def _near(self, items: Sequence[_T], most: int) -> Sequence[_T]:
        return items[:most] if self.limits.deadline is None else items[-most:]

    def _longer(self, base: Ease) -> tuple[Opening, ...]:
        """Return each window, as long again as it can be."""
        last = _last(base.applied(self.limits))
        soon = self.limits.now + self.notice
        windows = [one for one in merged(self.limits.windows) if soon < one[1] < last]
        return tuple(
            Opening(end, LONGEST_MINUTES, of=start) for start, end in self._near(windows, _TRIED)
        )

    def _extra(self, base: Ease) -> tuple[Opening, ...]:
        """Return a window on each day at the usual hour; if that is too late, as soon as can be."""
        eased = base.applied(self.limits)
        soon = max(eased.ready, self.limits.now + self.notice)
        days = self._near(self._days(eased, soon), _TRIED)
        usual = self._usual()
        starts = [minute_after(instant(datetime.combine(d, usual), eased.zone)) for d in days]
        evenings = tuple(Opening(at, LONGEST_MINUTES) for at in starts if at >= soon)
        if evenings and self.fits(replace(base, opened=evenings)):
            return evenings
        # A full hour where that is soon enough: tickets name it, and each drawing another quarter.
        hour, quarter = (
            (Opening(ceil_div(soon, step) * step, LONGEST_MINUTES),) for step in (_HOUR, _QUARTER)
        )
        return hour if self.fits(replace(base, opened=hour)) else quarter

    def _usual(self) -> time:
        if not self.limits.windows:
            return _USUAL
        first = moment_of(min(self.limits.windows)[0]).astimezone(self.limits.zone)
        return first.time().replace(tzinfo=None, fold=0)

    # -- made as small as can be

    def _shrunk(self, whole: Ease) -> Iterator[Ease]:
        """Yield the cheapest that is left of something that helps."""
        if self.fits(whole):
            found = [self._in_order(whole, order) for order in _ORDERS]
            yield min(found, key=lambda ease: ease.cost)

    def _opening(self, base: Ease, opened: tuple[Opening, ...]) -> Iterator[Ease]:
        """Yield the cheapest with longer or extra windows: as many as need be, or a single one."""
        for found in self._shrunk(replace(base, opened=opened)):
            alone = [
                self._in_order(one, _PARTS)
                for one in (replace(base, opened=(opening,)) for opening in opened)
                if 1 < len(found.opened) <= _APART and self.fits(one)
            ]
            yield min([found, *alone], key=lambda ease: ease.cost)

    def _fewest_days(self, base: Ease) -> Iterator[Ease]:
        """Yield the fewest blackout days: one that is enough, else those of the first slots."""
        one = next((d for d in base.days if self.fits(Ease(days=(d,)))), None)
        if one is not None:
            yield Ease(days=(one,))
        else:
            yield from self._shrunk(base)

    def _in_order(self, ease: Ease, order: tuple[str, ...]) -> Ease:
        shrink = {
            "opened": self._less_opened, "days": self._less_days, "leads": self._less_leads,
            "margin": self._less_margin,
        }  # fmt: skip
        for part in order:
            ease = shrink[part](ease)
        return ease

    def _least(self, most: int, of: Callable[[int], Ease]) -> Ease:
        """Return what helps with the smallest number up to one that does."""
        return of(_smallest(most, lambda number: self.fits(of(number)) is not None))

    def _less_opened(self, ease: Ease) -> Ease:
        if not ease.opened or self.fits(replace(ease, opened=())):
            return replace(ease, opened=())
        ease = self._least(LONGEST_MINUTES, partial(_each, ease))
        used = self._sessions(ease)
        kept = tuple(one for one in ease.opened if _touches((one.starts, one.ends), used))
        ease = replace(ease, opened=kept)
        for number in range(len(kept) if 1 < len(kept) <= _APART else 0):
            ease = self._least(kept[number].minutes, partial(_one, ease, number))
        used = self._sessions(ease)
        return replace(ease, opened=tuple(_trimmed(o, used) for o in ease.opened if o.minutes))

    def _less_days(self, ease: Ease) -> Ease:
        if not ease.days or self.fits(replace(ease, days=())):
            return replace(ease, days=())
        used, zone = self._sessions(ease), self.limits.zone
        days = tuple(day for day in ease.days if _touches(whole_day(day, zone), used))
        for day in days:
            fewer = tuple(other for other in days if other != day)
            days = fewer if self.fits(replace(ease, days=fewer)) else days
        return replace(ease, days=days)

    def _less_leads(self, ease: Ease) -> Ease:
        for name, most in ease.leads:
            ease = self._least(most, partial(_lead, ease, name))
        return ease

    def _less_margin(self, ease: Ease) -> Ease:
        return self._least(ease.margin, lambda days: replace(ease, margin=days))

    def _sessions(self, ease: Ease) -> tuple[Stretch, ...]:
        return tuple((one.starts, one.ends) for one in self.fits(ease) or ())


def _kinds(base: Ease) -> int:
    """Return how many kinds of constraints are given up."""
    return bool(base.margin) + bool(base.leads) + bool(base.days)


def _floor(base: Ease) -> int:
    """Return what they cost at least: a day of the margin, of each lead time, of a blackout."""
    margin, days = bool(base.margin), bool(base.days)
    return MARGIN_DAY * margin + LEAD_DAY * len(base.leads) + BLACKOUT_DAY * days


def _each(ease: Ease, minutes: int) -> Ease:
    return replace(ease, opened=tuple(replace(one, minutes=minutes) for one in ease.opened))


def _one(ease: Ease, number: int, minutes: int) -> Ease:
    opened = list(ease.opened)
    opened[number] = replace(opened[number], minutes=minutes)
    return replace(ease, opened=tuple(opened))


def _trimmed(one: Opening, used: tuple[Stretch, ...]) -> Opening:
    """Return an extra window without what no session uses; a longer one stays joined."""
    inside = [(a, b) for a, b in used if one.starts <= a and b <= one.ends]
    if one.of is not None or not inside:
        return one
    starts = inside[0][0]
    return Opening(starts, inside[-1][1] - starts)


def _lead(ease: Ease, name: str, days: int) -> Ease:
    rest = tuple(lead for lead in ease.leads if lead[0] != name)
    return replace(ease, leads=tuple(sorted((*rest, *(((name, days),) if days else ())))))


def _last(limits: Limits) -> int:
    return limits.horizon if limits.deadline is None else limits.deadline


def _touches(stretch: Stretch, others: tuple[Stretch, ...]) -> bool:
    return any(stretch[0] < end and start < stretch[1] for start, end in others)

"""Why no slot fits, and the cheapest change of the constraints that yields one.

Every relaxation was applied and searched again before it is named.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta

from watcher.model.slot import Exclusion, Lead, Relaxation, Span
from watcher.slots.limits import Limits
from watcher.slots.search import Found, earliest
from watcher.slots.spans import Stretch, clipped, merged, without
from watcher.slots.zones import DAY, instant, local_day, minute_after, moment_of

LONGEST_MINUTES = 12 * 60
"""The longest extension of a window, and the longest extra window, that is tried."""
_TRIED = 60
"""Windows and days before the deadline that are tried, nearest to the deadline."""
_USUAL = time(22)
_SHOWN = "%a %Y-%m-%d %H:%M"

Tried = tuple[str, int, Limits]
"""What is changed, what it costs, and the limits after it."""


def exclusions(limits: Limits) -> tuple[Exclusion, ...]:
    """Return each window from now to the deadline, and which constraint excludes it."""
    last = limits.horizon if limits.deadline is None else limits.deadline
    windows = [w for w in merged(limits.windows) if w[0] < last and w[1] > limits.now]
    return tuple(
        Exclusion(window=_span(window, "window"), why=_why(window, limits, last))
        for window in windows
    )


def _span(stretch: Stretch, what: str) -> Span:
    return Span(starts=moment_of(stretch[0]), ends=moment_of(stretch[1]), what=what)


def _why(window: Stretch, limits: Limits, last: int) -> str:
    phases = len(limits.work.phases)
    needed = min(limits.work.session(i, i + 1) for i in range(phases))
    what = "the work" if phases == 1 else "the shortest phase"
    if _longest((window,)) < needed:
        return f"too short: {_longest((window,))} minutes, {what} takes {needed}"
    left = clipped((window,), limits.now, limits.horizon)
    if _longest(left) < needed:
        return f"only {_longest(left)} minutes of it are left, {what} takes {needed}"
    left = clipped(left, limits.ready, limits.horizon)
    if _longest(left) < needed:
        lead = max(limits.leads, key=lambda lead: lead.until)
        return f"lead time of the {lead.name}: {lead.why}; not before {_local(lead.until, limits)}"
    left = without(left, limits.taken())
    if _longest(left) < needed:
        return f"blackout: {', '.join(_reasons(window, limits))}"
    left = clipped(left, 0, last)
    if _longest(left) < needed:
        return f"past the deadline: {_longest(left)} minutes before it, {what} takes {needed}"
    return f"room for {_longest(left)} minutes, but {_obstacle(limits)}"


def _obstacle(limits: Limits) -> str:
    """Say why windows that hold some phases do not hold all of them."""
    task, work = limits.task(), limits.work
    for number, phase in enumerate(work.phases):
        needed = work.session(number, number + 1)
        start = task.allowed.earliest(needed, limits.ready)
        if start is None or start + needed > task.deadline(number):
            first, end = phase.steps
            return f"steps {first}-{end}, which no gate divides, take {needed} and fit in no window"
    return (
        f"the {len(work.phases)} phases, {work.minutes} minutes in one, do not all find room "
        "before the deadline, with rest between windows"
    )


def _longest(stretches: Sequence[Stretch]) -> int:
    return max((end - start for start, end in stretches), default=0)


def _reasons(window: Stretch, limits: Limits) -> tuple[str, ...]:
    found = (
        why for taken, why in limits.blackouts if taken[0] < window[1] and taken[1] > window[0]
    )
    return tuple(dict.fromkeys(found))


def _local(moment: datetime, limits: Limits) -> str:
    return moment.astimezone(limits.zone).strftime(_SHOWN)


def relaxations(limits: Limits) -> tuple[Relaxation, ...]:
    """Return what would yield a slot, the cheapest first; each alone, else two together."""
    single = _named(_singles(limits))
    if single:
        return single
    return _named(_pairs(limits))


def _pairs(limits: Limits) -> Iterator[Tried]:
    for base, cost, eased in _whole(limits):
        for what, more, relaxed in _singles(eased):
            yield f"{base}, and {what}", cost + more, relaxed


def _named(tried: Iterator[Tried]) -> tuple[Relaxation, ...]:
    found = []
    for what, cost, limits in tried:
        sessions = earliest(limits.task())
        if sessions:
            starts, ends = moment_of(sessions[0].starts), moment_of(sessions[-1].ends)
            found.append(Relaxation(what=what, cost=cost, starts=starts, ends=ends))
    return tuple(sorted(found, key=lambda one: (one.cost, one.starts, one.what)))


def _singles(limits: Limits) -> Iterator[Tried]:
    yield from _longer_window(limits)
    yield from _extra_window(limits)
    yield from _exception(limits)
    yield from _shorter_lead(limits)
    yield from _smaller_margin(limits)


def _whole(limits: Limits) -> Iterator[Tried]:
    """Yield constraints given up whole, as the first half of a pair."""
    if limits.margin:
        days = limits.margin // DAY
        yield f"skip the margin of {days} d", 3 * days, replace(limits, margin=0)
    for lead in limits.leads:
        days = _days(lead, limits)
        if days:
            yield (
                f"waive the lead time of the {lead.name}",
                5 * days,
                _shortened(limits, lead, days),
            )


def _fits(limits: Limits) -> Found | None:
    return earliest(limits.task())


def _last(limits: Limits) -> int:
    return limits.horizon if limits.deadline is None else limits.deadline


def _smallest(most: int, yields: Callable[[int], bool]) -> int | None:
    """Return the smallest number up to `most` that yields; more never yields less."""
    if most < 1 or not yields(most):
        return None
    low, high = 0, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if yields(middle) else (middle, high)
    return high


def _longer_window(limits: Limits) -> Iterator[Tried]:
    last, best = _last(limits), LONGEST_MINUTES + 1
    found: Tried | None = None
    windows = [w for w in merged(limits.windows) if limits.now < w[1] < last]
    for window in windows[-_TRIED:]:
        number = _smallest(best - 1, _adding(limits, window[1]))
        if number is not None:
            best, begins = number, _local(moment_of(window[0]), limits)
            what = f"make the window of {begins} {number} minutes longer"
            found = (what, -(-number // 30), _added(limits, window[1], number))
    if found:
        yield found


def _adding(limits: Limits, start: int) -> Callable[[int], bool]:
    return lambda minutes: _fits(_added(limits, start, minutes)) is not None


def _added(limits: Limits, start: int, minutes: int) -> Limits:
    return replace(limits, windows=(*limits.windows, (start, start + minutes)))


def _extra_window(limits: Limits) -> Iterator[Tried]:
    best, found = LONGEST_MINUTES + 1, None
    for start in _evenings(limits):
        number = _smallest(best - 1, _adding(limits, start))
        if number is not None:
            best, begins = number, _local(moment_of(start), limits)
            what = f"an extra window of {number} minutes on {begins}"
            found = (what, 6 - -number // 60, _added(limits, start, number))
    if found:
        yield found


def _evenings(limits: Limits) -> list[int]:
    """Return the usual beginning of a window on each day before the deadline."""
    usual = _USUAL
    if limits.windows:
        first = moment_of(min(limits.windows)[0]).astimezone(limits.zone)
        usual = first.time().replace(tzinfo=None, fold=0)
    day = local_day(moment_of(limits.ready), limits.zone)
    last = local_day(moment_of(max(_last(limits), limits.ready)), limits.zone)
    days = [day + timedelta(days=n) for n in range((last - day).days + 1)]
    starts = (
        minute_after(instant(datetime.combine(day, usual), limits.zone)) for day in days[-_TRIED:]
    )
    return [max(start, limits.ready) for start in starts]


def _exception(limits: Limits) -> Iterator[Tried]:
    """Yield the first single day, else the first night of two days, without blackout."""
    first, last = moment_of(limits.ready), moment_of(max(_last(limits), limits.ready))
    day, until = local_day(first, limits.zone), local_day(last, limits.zone)
    days = [day + timedelta(days=n) for n in range((until - day).days + 1)]
    for length in (1, 2):
        for at in days[-_TRIED * 7 :]:
            eased = limits
            for n in range(length):
                eased = eased.without_day(at + timedelta(days=n))
            if eased.blackouts != limits.blackouts and _fits(eased):
                night = f" and {at + timedelta(days=1)}" if length > 1 else ""
                yield f"an exception from the blackout on {at}{night}", 8 * length, eased
                return


def _days(lead: Lead, limits: Limits) -> int:
    return -(-max(minute_after(lead.until) - limits.now, 0) // DAY)


def _shortened(limits: Limits, lead: Lead, days: int) -> Limits:
    until = max(lead.until - timedelta(days=days), moment_of(limits.now))
    eased = tuple(replace(one, until=until) if one is lead else one for one in limits.leads)
    return replace(limits, leads=eased)


def _shortening(limits: Limits, lead: Lead) -> Callable[[int], bool]:
    return lambda days: _fits(_shortened(limits, lead, days)) is not None


def _shorter_lead(limits: Limits) -> Iterator[Tried]:
    for lead in limits.leads:
        number = _smallest(_days(lead, limits), _shortening(limits, lead))
        if number is not None:
            eased = _shortened(limits, lead, number)
            yield f"shorten the lead time of the {lead.name} by {number} d", 5 * number, eased


def _smaller_margin(limits: Limits) -> Iterator[Tried]:
    found = _fits(replace(limits, margin=0))
    if not limits.margin or not found:
        return
    number = _smallest(
        limits.margin, lambda n: _fits(replace(limits, margin=limits.margin - n)) is not None
    )
    if number is not None:
        days = -(-number // DAY)
        eased = replace(limits, margin=limits.margin - number)
        whole = "skip the margin" if number == limits.margin else "give up part of the margin"
        yield f"{whole}: {number} minutes of {limits.margin}", 3 * days, eased

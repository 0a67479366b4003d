"""Why no slot fits: each window before the deadline, and the constraint that excludes it."""

from collections.abc import Sequence

from watcher.model.slot import Exclusion, Span
from watcher.slots.ease import local
from watcher.slots.limits import Limits
from watcher.slots.spans import Stretch, clipped, merged, without
from watcher.slots.zones import moment_of


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
    what = "the work" if phases == 1 else "its shortest piece"
    if _longest((window,)) < needed:
        return f"too short: {_longest((window,))} minutes, {what} takes {needed} minutes"
    left = clipped((window,), limits.now, limits.horizon)
    if _longest(left) < needed:
        return f"only {_longest(left)} minutes of it are left, {what} takes {needed} minutes"
    left = clipped(left, limits.ready, limits.horizon)
    if _longest(left) < needed:
        lead = max(limits.leads, key=lambda lead: lead.until)
        return f"lead time of the {lead.name}: {lead.why}; not before {local(lead.until, limits)}"
    left = without(left, limits.taken())
    if _longest(left) < needed:
        return f"blackout: {', '.join(_reasons(window, limits))}"
    left = clipped(left, 0, last)
    if _longest(left) < needed:
        room = f"{_longest(left)} minutes before it"
        return f"past the deadline: {room}, {what} takes {needed} minutes"
    return f"room for {_longest(left)} minutes, but {_obstacle(limits)}"


def _obstacle(limits: Limits) -> str:
    """Say why windows that hold some phases do not hold all of them."""
    task, work = limits.task(), limits.work
    for number, phase in enumerate(work.phases):
        needed = work.session(number, number + 1)
        start = task.allowed.earliest(needed, limits.ready)
        if start is None or start + needed > task.deadline(number):
            first, end = phase.steps
            steps = f"steps {first}-{end}, which no gate divides"
            return f"{steps}, take {needed} minutes and fit in no window"
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

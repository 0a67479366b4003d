"""What a plan itself says of its windows, before anybody asks when to do it."""

from collections.abc import Sequence
from datetime import UTC, datetime

from watcher.inventory.schema import Cluster
from watcher.model.clock import hours
from watcher.model.plan import Step
from watcher.rules.work import StepKind
from watcher.slots.phases import Work, work_in
from watcher.slots.spans import merged
from watcher.slots.windows import occurrences
from watcher.slots.zones import DAY, minute_after

_FORTNIGHT = minute_after(datetime(2026, 1, 12, tzinfo=UTC))
"""Any two weeks in which no zone changes its offset."""


def advice(steps: Sequence[Step], cluster: Cluster) -> str:
    """Say where to cut work that is longer than the longest weekly window, if that helps.

    Nothing is said where calendars may have longer windows.
    """
    longest = longest_window(cluster)
    work = work_in(steps, prepared=bool(cluster.lead_times.preparation))
    if longest is None or work.minutes <= longest or cluster.calendars:
        return ""
    return f"The longest maintenance window is {hours(longest)}: {_cut(work, steps, longest)}."


def longest_window(cluster: Cluster) -> int | None:
    """Return the minutes of the longest weekly window, those that touch as one; None: unknown."""
    windows = merged(occurrences(cluster, _FORTNIGHT, _FORTNIGHT + 14 * DAY))
    return max((end - start for start, end in windows), default=None)


def _cut(work: Work, steps: Sequence[Step], longest: int) -> str:
    count = len(work.phases)
    for number in range(count):
        needed, (first, last) = work.session(number, number + 1), work.phases[number].steps
        if needed > longest:
            whole = f"steps {first}-{last}, which nothing divides, take {hours(needed)}"
            return f"{whole} and fit in none; ask watcher schedule what would help"
    ends = ", ".join(str(phase.steps[1]) for phase in work.phases[:-1])
    gated = any(step.kind == StepKind.WAIT for step in steps)
    where = f"after a gate (steps {ends})" if gated else f"between two stores (after step {ends})"
    return f"cut the work {where}, and begin the next window with the checks and a backup"

"""The search itself: phases into allowed stretches, forwards for the earliest, back for the latest.

Times are whole minutes since 1970 in UTC. A session is a run of phases done in one window.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from watcher.slots.phases import Work
from watcher.slots.spans import Allowed

REST = 12 * 60
"""Minutes between two sessions: people sleep, and a failed attempt is understood."""
REST_BETWEEN_PARTS = 24 * 60
"""Minutes between two parts: phones that were off must be seen again (the plan's first step)."""
NEVER = 1 << 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is to be placed where, and by when each part must be over."""

    work: Work
    allowed: Allowed
    deadlines: Mapping[int, int] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """How many phases there are."""
        return len(self.work.phases)

    def deadline(self, phase: int) -> int:
        """Return by when a phase must be over."""
        return self.deadlines.get(self.work.part_of(phase), NEVER)

    def rest(self, before: int) -> int:
        """Return the minutes that must pass between the phase `before` - 1 and the next."""
        apart = self.work.part_of(before) != self.work.part_of(before - 1)
        return REST_BETWEEN_PARTS if apart else REST

    def ends_of(self, first: int) -> range:
        """Return where a session that begins with a phase may end: inside its part."""
        part, end = self.work.part_of(first), first + 1
        while end < self.size and self.work.part_of(end) == part:
            end += 1
        return range(first + 1, end + 1)


@dataclass(frozen=True, slots=True)
class Session:
    """Phases from `first` up to `end`, placed."""

    first: int
    end: int
    starts: int
    minutes: int

    @property
    def ends(self) -> int:
        """When it is over."""
        return self.starts + self.minutes


Found = tuple[Session, ...]


def earliest(task: Task, *, soonest: bool = False) -> Found | None:
    """Return the sessions with the fewest windows, of these the ones that are over first.

    With `soonest` the number of windows does not count.
    """
    rows: list[dict[int, Found]] = [{0: ()}]
    for _ in range(task.size):
        rows.append(_longer(task, rows[-1]))
    done = [row[task.size] for row in rows if task.size in row]
    if soonest:
        return min(done, key=lambda found: found[-1].ends, default=None)
    return next(iter(done), None)


def _longer(task: Task, row: Mapping[int, Found]) -> dict[int, Found]:
    """Return the earliest sessions for each number of phases, with one session more."""
    best: dict[int, Found] = {}
    for first, before in row.items():
        if first == task.size:
            continue
        after = before[-1].ends + task.rest(first) if before else -NEVER
        for end in task.ends_of(first):
            session = _place(task, first, end, after)
            if session and (end not in best or session.ends < best[end][-1].ends):
                best[end] = (*before, session)
    return best


def _place(task: Task, first: int, end: int, after: int) -> Session | None:
    needed = task.work.session(first, end)
    start = task.allowed.earliest(needed, after)
    if start is None or start + needed > task.deadline(first):
        return None
    return Session(first, end, start, needed)


@dataclass(frozen=True, slots=True)
class Latest:
    """The latest starts from each phase on: with nothing to spare, and with one repetition."""

    last: tuple[int | None, ...]
    safe: tuple[int | None, ...]


def latest(task: Task) -> Latest:
    """Return the latest starts that still end before the deadlines, backwards from the end.

    `safe` lets one session fail, whichever: it is then repeated as a whole in a later slot.
    """
    last: list[int | None] = [None] * task.size + [NEVER]
    safe = list(last)
    for first in reversed(range(task.size)):
        last[first] = _best(task, first, last, None)
        safe[first] = _best(task, first, safe, last[first])
    return Latest(tuple(last[:-1]), tuple(safe[:-1]))


def _best(task: Task, first: int, onward: list[int | None], again: int | None) -> int | None:
    """Return the latest start from a phase on; `again` is when a repetition must begin."""
    limit = task.deadline(first) if again is None else min(task.deadline(first), again - REST)
    starts = []
    for end in task.ends_of(first):
        following = onward[end]
        if following is None:
            continue
        before = limit if end == task.size else min(limit, following - task.rest(end))
        starts.append(task.allowed.latest(task.work.session(first, end), before))
    return max((start for start in starts if start is not None), default=None)

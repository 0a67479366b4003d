"""When a change is done: slots, the latest ones that are safe, or why there is none.

Every instant is aware UTC; `zone` names the zone that people read them in.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

AGE = timedelta(days=1)
"""What was reckoned longer ago is reckoned anew: lead times run, and cases change."""


class Outcome(StrEnum):
    """What the search for a slot came to."""

    FOUND = "found"
    NONE = "none"
    """No slot meets all constraints; `Schedule.excluded` proves it."""
    UNKNOWN = "unknown"
    """No maintenance window is known, so there is nothing to search in."""
    NOTHING = "nothing"
    """The plan has no steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of time with what it is."""

    starts: datetime
    ends: datetime
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """The time for a part of the plan, or for a piece of one that was cut at a gate.

    `steps` are the numbers of its first and last step, `minutes` real ones. `latest` is when it
    must begin at the latest so that one failed attempt can still be repeated before `deadline`,
    `last` when it must begin even if nothing may fail; both None when there is no deadline.
    """

    part: int
    piece: int
    steps: tuple[int, int]
    minutes: int
    starts: datetime
    ends: datetime
    latest: datetime | None
    last: datetime | None
    deadline: datetime | None
    spare: bool
    """A failed attempt can be repeated before the deadline."""
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """A lead time: nothing begins before `until`; `days` as the inventory has them."""

    name: str
    days: int
    until: datetime
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """A window before the deadline, and the constraint that excludes it."""

    window: Span
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Relaxation:
    """A change of the constraints that yields a slot; tried, not guessed.

    `cost` compares relaxations (docs/scheduling.md), `starts` and `ends` are of the slots it
    yields, from the first to the last.
    """

    what: str
    cost: int
    starts: datetime
    ends: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """What a schedule comes to, as a ticket and the digest tell it; kept with the plan's draft.

    `found_at` is the time that it was reckoned from, `minutes` what the work takes in one window.
    `starts` and `ends` are of all `sessions`, one for each window that the work is done in; older
    drafts have none. `why` says in words why no slot was found, `relief` what would yield one at
    the least cost.
    """

    outcome: Outcome
    zone: str
    found_at: datetime
    minutes: int
    starts: datetime | None = None
    ends: datetime | None = None
    latest: datetime | None = None
    """When the change must begin at the latest so that a failed attempt can be repeated."""
    deadline: datetime | None = None
    """The earliest possible end of a certificate that has not expired, less the margin."""
    late: datetime | None = None
    """When the work would be over without regard to the deadline; only where no slot was found."""
    why: str = ""
    relief: str = ""
    asked_at: datetime | None = None
    """Lead times run from then: when the plan was first drawn as people decide on it."""
    sessions: tuple[tuple[datetime, datetime], ...] = ()

    @property
    def slots(self) -> tuple[tuple[datetime, datetime], ...]:
        """When the work begins and ends in each window, in order."""
        whole = ((self.starts, self.ends),) if self.starts and self.ends else ()
        return self.sessions or whole

    def has_begun(self, now: datetime) -> bool:
        """Tell whether people are at work: the first window has begun, the last is not over."""
        if self.starts is None or self.ends is None:
            return False
        return self.starts <= now < self.ends

    def holds(self, now: datetime, age: timedelta = AGE) -> bool:
        """Tell whether it counts: not older than `age`, or a change that has begun by it.

        A change that has begun keeps its windows to the end of the last.
        """
        if self.starts is not None and self.starts <= now:
            return self.has_begun(now)
        return abs(now - self.found_at) < age

    @property
    def due(self) -> datetime | None:
        """When the work must be over: the deadline, else the end of the slots there are."""
        return self.deadline or self.ends


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When one plan is done.

    `slots` are the recommended ones. `expiry` is the earliest instant at which a certificate of
    the plan that has not expired may end, `deadline` is that minus the margin. `late` are the
    first slots without regard to the deadline; only filled when none fits.
    """

    cluster: str
    zone: str
    now: datetime
    outcome: Outcome
    minutes: int
    ready: datetime
    leads: tuple[Lead, ...] = ()
    slots: tuple[Slot, ...] = ()
    expiry: datetime | None = None
    deadline: datetime | None = None
    expired: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    windows: tuple[Span, ...] = ()
    blackouts: tuple[Span, ...] = ()
    excluded: tuple[Exclusion, ...] = ()
    relaxations: tuple[Relaxation, ...] = ()
    late: tuple[Slot, ...] = ()

    @property
    def starts(self) -> datetime | None:
        """When the change begins."""
        return self.slots[0].starts if self.slots else None

    @property
    def ends(self) -> datetime | None:
        """When the change is over."""
        return self.slots[-1].ends if self.slots else None

"""The weekly digest: what one page says to one list of people."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from watcher.model.case import Case


class Section(StrEnum):
    """Where a certificate stands on the page; the order is that of the page, worst first."""

    EXPIRED = "expired"
    """Over, or revoked, and nobody has shown that it is no longer served."""
    PRESSING = "pressing"
    """It ends before the plan can be done: no window that it fits is left."""
    LAST_WINDOW = "last-window"
    """The next window is the last one before its end: a failed attempt cannot be repeated."""
    UNKNOWN_END = "unknown-end"
    """Nobody knows when it ends; it may be soon."""
    COPIES = "copies"
    """Over or revoked, but all alarms speak of copies in trust stores."""
    NEW = "new"
    WORSE = "worse"
    """It came back, or passed a mark since last week."""
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    """A person took it, or a change is planned in time."""
    DONE = "done"
    """Resolved since last week, on evidence."""
    QUIET = "quiet"
    """Its alarms stopped; that proves nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCase:
    """A case with the number that people call it by, and its cluster's newest plan."""

    number: int
    case: Case
    plan_digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestLine:
    """One certificate; `days` are those until its end, by the calendar of its cluster.

    0 is its last day, or `over`; None when no end is known.
    """

    number: int
    section: Section
    revoked: bool
    """Revoked, and its end is not over."""
    cluster: str
    contact: str
    what: str
    days: int | None
    end: str
    """The last day with its certainty, in words."""
    deadline: datetime | None
    """The earliest end that is possible; of a resolved case, of the certificate that ended."""
    grade: int
    state: str
    note: str
    plan: str
    """Short code of the cluster's newest plan; empty: there is none."""
    link: str
    day: date | None = None
    """The day of the deadline, in the cluster's zone."""
    over: bool = False
    """Ended, or revoked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestWindow:
    """A stretch of time in which changes are allowed."""

    starts: datetime
    ends: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSummary:
    """One cluster at a glance; `window` is None when none is known or none is left in a year.

    `zone` names the zone that its people read times in. `fits` says how the newest plan fits the
    windows, a line each; `slots` are when it is to be done, one for each window that it takes,
    `misfit` says that it fits nowhere. `unread` says why no window can be known.
    """

    name: str
    contact: str
    expired: int
    due: int
    """Before the next window, or with the next as the last one."""
    open: int
    window: DigestWindow | None
    plan: str
    link: str
    zone: str = ""
    fits: tuple[str, ...] = ()
    slots: tuple[DigestWindow, ...] = ()
    misfit: bool = False
    unread: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SilentSource:
    """A node, or a stage of ours, that was expected and not heard."""

    name: str
    cluster: str
    last: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """How many certificates end in a month: alarmed ones, and others that the inventory lists."""

    first: date
    alarmed: int
    listed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The books on one line each; `difference` is 0 when they balance.

    It is below 0 for a moment while what was received is being counted.
    """

    received: int
    places: tuple[tuple[str, int], ...]
    difference: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestPage:
    """Everything that one digest says; text in it is plain, and each format encodes it."""

    list: str
    period: str
    """ISO week such as 2026-W48, in the site's zone."""
    now: datetime
    zone: str
    sections: tuple[tuple[Section, tuple[DigestLine, ...]], ...]
    clusters: tuple[ClusterSummary, ...]
    months: tuple[Month, ...]
    silent: tuple[SilentSource, ...]
    stages: tuple[SilentSource, ...]
    alive: int
    unheard: int
    """Sources of which nothing is known yet: not heard, and not expected so soon."""
    books: Ledger
    stuck: tuple[str, ...]
    missed: tuple[str, ...]
    """Weeks before this one for which no digest was made, because nothing ran."""
    strays: int = 0
    """Certificates of unknown clusters that are on no list's page."""
    subject: str = ""
    state: str = ""
    """The subject without the week."""
    troubles: tuple[str, ...] = ()
    """What is wrong although no certificate says so, a few words each; all is not quiet then."""
    quiet: bool = False
    """Nothing is due and nothing is wrong: nobody misses anything by not reading on."""


class Delivery(StrEnum):
    """How far a mail or a message is with one recipient."""

    NEW = "new"
    SENDING = "sending"
    UNKNOWN = "unknown"
    """It was sent, and nobody knows whether it arrived; it goes out again with the same name."""
    DONE = "done"
    REFUSED = "refused"
    GIVEN_UP = "given-up"
    """Five days were not enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """One recipient of one mail; `told` is what was last answered, for people."""

    to: str
    state: Delivery = Delivery.NEW
    tries: int = 0
    next_at: datetime | None = None
    told: str = ""

    @property
    def over(self) -> bool:
        """Tell whether nothing more is done about it."""
        return self.state in (Delivery.DONE, Delivery.REFUSED, Delivery.GIVEN_UP)


class Answer(StrEnum):
    """What a relay or a chat said to one recipient."""

    TAKEN = "taken"
    LATER = "later"
    UNCLEAR = "unclear"
    NEVER = "never"

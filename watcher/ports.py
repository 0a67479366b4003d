"""Every seam of the daemon on one page; what each promises.

The core rooms need none of these. A shell implements one, the app picks which.
"""

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from watcher.model.case import Act, Case, CaseEvent, CaseKey, Crossing, Transition
from watcher.model.ledger import Counts, Line, Place, Reason
from watcher.model.message import MessageId, Origin, Position, RawMessage
from watcher.model.ticket import Change, Draft, Errand, ErrandState, OutboxCount, Ticket, TicketRef


class Clock(Protocol):
    """The time; only the app has the real one."""

    def now(self) -> datetime:
        """Return the wall clock, aware UTC; it may step."""

    def monotonic_ns(self) -> int:
        """Return nanoseconds of a clock that never steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What an input found in what it just read.

    `received` counts frames, datagrams or mails, each once; the input counts it apart from the
    others, so that the books can be wrong.
    """

    input: str
    received: int
    noise: int = 0
    refused: Mapping[Reason, int] = field(default_factory=dict)
    kept: Sequence[RawMessage] = ()
    heard: Mapping[str, int] = field(default_factory=dict)
    """Messages by peer, noise included."""


class Journal(Protocol):
    """Keeps raw messages before anybody reads them; one writer, safe to call from any thread."""

    def settle(self, batch: Batch) -> Position:
        """Write what a batch keeps and count the rest; return where it ended.

        Written is not yet durable: see `durable`. Raises JournalFull or JournalBroken, both
        temporary faults of ours; then nothing of the batch was kept or counted.
        """

    def durable(self, position: Position) -> Future[None]:
        """Return a future that is done once everything up to `position` is on the disk."""

    def close(self) -> None:
        """Write what is counted, make everything durable, let go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A message in the journal; `position` is where the entry ends: go on reading from there."""

    position: Position
    message: RawMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Counts in the journal; `kept` says how many messages came since the counts before."""

    position: Position
    counts: Counts
    kept: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Damaged:
    """A stretch of the journal that cannot be read; reading goes on behind it."""

    position: Position
    data: bytes
    size: int


Entry = Kept | Counted | Damaged


class JournalReader(Protocol):
    """Reads a journal from anywhere, also while it is being written and from another process."""

    def read(self, after: Position, limit: int) -> Sequence[Entry]:
        """Return up to `limit` durable entries behind `after`, oldest first; empty: none yet."""

    def forget(self, before: Position) -> None:
        """Allow the journal to drop entries up to there; they are in the store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMessage:
    """A message behind the journal, with the place where it ended."""

    id: MessageId
    origin: Origin
    received_at: datetime
    data: bytes
    cut: bool
    place: Place
    reason: Reason
    detail: str
    """For people: what could not be read, and why; not more than 300 characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRow:
    """Another alarm that is evidence for a plan: `topic` of the alarm catalogue."""

    key: str
    message: MessageId
    topic: str
    cluster: str
    reporter: str
    event_time: datetime | None
    received_at: datetime
    raw: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """When a peer, or a node under the name it gives itself, was last heard."""

    source: str
    """`peer:ADDRESS`, `node:NAME` or `stage:NAME`."""
    input: str
    count: int
    last: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPlan:
    """A plan as it was drawn; `digest` is the seal of its JSON form."""

    cluster: str
    digest: str
    drawn_at: datetime
    headline: str
    steps: int
    refused: bool
    document: str
    """The sealed JSON."""
    markdown: str
    draft: Draft | None = None
    """What its change ticket says, without key and version."""


class Unit(Protocol):
    """One transaction of the store: all of it takes effect, or nothing."""

    def cursor(self, journal: str) -> Position:
        """Return up to where a journal has been taken in; 0 before the first time."""

    def move_cursor(self, journal: str, position: Position) -> None:
        """State up to where a journal has been taken in."""

    def keep(self, messages: Sequence[StoredMessage]) -> None:
        """Insert messages; one whose id is there already is replaced (a replay)."""

    def known(self, keys: Collection[str]) -> Mapping[str, CaseKey | None]:
        """Return which event keys (of cases: with the case; of evidence: None) are stored."""

    def cases(self, keys: Collection[CaseKey]) -> Mapping[CaseKey, Case]:
        """Return the stored cases among these."""

    def add_events(self, events: Sequence[CaseEvent]) -> None:
        """Insert events; one whose key is there already changes nothing."""

    def add_evidence(self, rows: Sequence[EvidenceRow]) -> None:
        """Insert evidence; one whose key is there already changes nothing."""

    def save(self, cases: Sequence[Case]) -> None:
        """Insert or replace cases by their key."""

    def add_transitions(self, transitions: Sequence[Transition]) -> None:
        """Append to the histories."""

    def add_crossings(self, crossings: Sequence[Crossing], round_: Mapping[CaseKey, int]) -> None:
        """Insert crossings, unique by case, round and days."""

    def add_act(self, act: Act) -> None:
        """Append what a person did."""

    def count(self, lines: Sequence[Line]) -> None:
        """Add to the books."""

    def hear(self, rows: Sequence[Heard]) -> None:
        """Note who was heard; the later time wins, counts add up."""

    def add_plan(self, plan: StoredPlan) -> bool:
        """Insert a plan unless its cluster's newest has this digest; tell whether it was new."""


class Store(Protocol):
    """The only room that knows SQL."""

    def transaction(self) -> AbstractContextManager[Unit]:
        """Begin a transaction that is serial with all others; commits at its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseQuery:
    """Which cases to list; None means all. Most urgent first."""

    cluster: str | None = None
    states: Collection[str] | None = None
    id: int | None = None
    keys: Collection[CaseKey] | None = None
    limit: int = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    """A case with the number that people call it by and its cluster's newest plan."""

    id: int
    case: Case
    plan_digest: str = ""


class View(Protocol):
    """What the store shows; changes nothing. Each call sees one consistent state."""

    def list_cases(self, query: CaseQuery) -> Sequence[CaseRow]:
        """Return cases, most urgent first."""

    def history(self, key: CaseKey) -> Sequence[Transition | Crossing | Act]:
        """Return what became of a case, oldest first."""

    def events_of(self, keys: Collection[CaseKey], newest: int) -> Sequence[CaseEvent]:
        """Return the newest events of each case, reporter and certificate, oldest first.

        Those about the reporter's own certificate, about a copy, and each `about` count apart:
        a renewal does not hide the alarm before it.
        """

    def evidence_of(self, cluster: str, since: datetime) -> Sequence[EvidenceRow]:
        """Return evidence for a cluster's plan."""

    def message(self, id_: MessageId) -> StoredMessage | None:
        """Return a message by its name."""

    def events_in(self, id_: MessageId) -> Sequence[CaseEvent]:
        """Return the events that a message brought."""

    def quarantine(self, after: MessageId | None, limit: int) -> Sequence[StoredMessage]:
        """Return quarantined messages, oldest first, behind `after`."""

    def books(self) -> Sequence[Line]:
        """Return the books as far as journals have been taken in."""

    def cursors(self) -> Mapping[str, Position]:
        """Return up to where each journal has been taken in."""

    def heard(self) -> Sequence[Heard]:
        """Return who was heard, and when last."""

    def newest_plan(self, cluster: str) -> StoredPlan | None:
        """Return the newest plan of a cluster, or by the beginning of its digest."""

    def plan(self, digest: str) -> StoredPlan | None:
        """Return a plan by its digest or an unambiguous beginning of it."""


class Figures(Protocol):
    """What is counted rather than listed."""

    def case_counts(self) -> Mapping[str, int]:
        """Return how many cases there are, by state."""

    def quarantine_counts(self) -> Mapping[str, int]:
        """Return how many messages lie in quarantine, by reason."""

    def outbox_counts(self) -> Sequence[OutboxCount]:
        """Return how many errands there are of each ticket system and state."""

    def open_clusters(self) -> Collection[str]:
        """Return the clusters with a case that is not resolved."""

    def told(self, rounds: Mapping[CaseKey, int]) -> Mapping[CaseKey, Collection[int]]:
        """Return the thresholds that each case has crossed in its round."""

    def crossings(self, after: int, limit: int) -> Sequence[tuple[int, Crossing]]:
        """Return crossings, also silent ones, oldest first, with their numbers behind `after`."""

    def latest_crossing(self) -> int:
        """Return the number of the newest crossing, told or not; 0: there is none."""

    def latest_act(self) -> int:
        """Return a number that goes up with each act of a person; 0: there was none."""

    def term(self, name: str) -> "Term | None":
        """Return the newest term of a lease, whoever holds it; no holder: it was released."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A leader's term: `epoch` goes up with each new holder, and fences the one before."""

    holder: str
    epoch: int
    until: datetime


class Lease(Protocol):
    """At most one holder at a time, by the database's word."""

    def take(self, name: str, holder: str, now: datetime, seconds: int) -> Term | None:
        """Take or prolong the lease; None while another holds it."""

    def holds(self, name: str, term: Term) -> bool:
        """Tell whether the term is still the newest; asked before every send."""

    def release(self, name: str, term: Term) -> None:
        """Let another have it at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How a scheduled piece of work ended."""

    finished_at: datetime
    result: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A claimed run as it stands: `result` of an unfinished one is what was noted last."""

    period: str
    at: datetime
    finished_at: datetime | None
    result: str


class Runs(Protocol):
    """Which scheduled work was done for which period: the database decides, not a timer."""

    def claim(self, job: str, period: str, at: datetime) -> bool:
        """Insert the run unless it is there; tell whether it is ours to do."""

    def finish(self, job: str, period: str, at: datetime, result: str) -> None:
        """State how it ended."""

    def last(self, job: str, result: str | None = None) -> Run | None:
        """Return the run that ended last; of those that ended with `result` if given."""

    def note(self, job: str, period: str, result: str) -> None:
        """State how far an unfinished run is."""

    def work(self, job: str, limit: int) -> Sequence[Work]:
        """Return the newest runs of a job and all that are unfinished, the newest period first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """A change with its tickets and all its errands, oldest first."""

    change: Change
    tickets: Sequence[Ticket] = ()
    errands: Sequence[Errand] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """The draft of a cluster's newest plan, and when that plan was drawn."""

    draft: Draft
    drawn_at: datetime


class Outbox(Protocol):
    """Changes and what is to be done for them; safe to use from any thread.

    Each call is one transaction. What is written is compared with what is there, so that a leader
    that slept writes nothing over what its successor wrote.
    """

    def open_clusters(self) -> Collection[str]:
        """Return the clusters whose newest change has not ended."""

    def installation(self) -> str:
        """Return the word that tells this database's tickets from others', made once."""

    def newest(self, cluster: str) -> Filed | None:
        """Return the newest change of a cluster."""

    def filed(self, key: str) -> Filed | None:
        """Return a change by its key."""

    def recent(self, limit: int) -> Sequence[Filed]:
        """Return changes, the newest first."""

    def drawn(self, cluster: str) -> Drawn | None:
        """Return the draft of the newest plan of a cluster."""

    def note(
        self, changes: Sequence[Change], add: Sequence[Errand], moved: Sequence[Errand]
    ) -> None:
        """Insert or replace changes, insert errands unless their mark is there, move new ones."""

    def due(self, system: str, now: datetime, limit: int) -> Sequence[Errand]:
        """Return what may be tried now: first what is unknown, then what is new, oldest first."""

    def sending(self) -> Sequence[Errand]:
        """Return what is marked as being sent."""

    def dead(self) -> Sequence[Errand]:
        """Return what was given up."""

    def keep(self, systems: Collection[str], told: str, now: datetime) -> None:
        """Let what is not done at other systems rest as done, with `told`; wake what rested so."""

    def move(self, errand: Errand, before: ErrandState, ticket: Ticket | None = None) -> bool:
        """Write an errand down that was `before` until now; tell whether it was.

        An errand that a later term has sent is not changed. The ticket is written with it.
        """

    def to_follow(self, system: str, limit: int) -> Sequence[Ticket]:
        """Return the tickets of each cluster's newest change: open ones, all while it goes on."""

    def see(self, ticket: Ticket) -> None:
        """Write down how a ticket was found."""

    def sent_since(self, system: str, since: datetime) -> int:
        """Return how many errands were last sent after `since`."""


class TicketSystem(Protocol):
    """One back-end for change tickets; one file each in `watcher/senders`.

    Every call may raise `TryLater` (surely nothing was done), `Unclear` (it may have been done),
    `Refused` (it never will) or `ShutOut` (nothing will, until a person mends the log-in or a
    right). A back-end never tries again by itself.
    """

    @property
    def name(self) -> str:
        """Name it in settings, outbox and log."""

    @property
    def searches(self) -> bool:
        """Tell whether it can be searched; else what is sent twice does no harm."""

    @property
    def reopens(self) -> bool:
        """Tell whether it can open a closed ticket again, as far as the settings say how."""

    @property
    def left_out(self) -> Sequence[str]:
        """Return what of the last draft is not in the ticket, though the ticket is there."""

    def find(self, key: str) -> Sequence[TicketRef]:
        """Return the tickets that carry our key, also closed ones; a foreign match is left out."""

    def look(self, ticket: TicketRef, key: str) -> TicketRef | None:
        """Return a ticket by its id as it is now, wherever people moved it.

        None if it is gone, or does not carry our key: an id alone proves nothing, for another
        instance has the same ones, and people merge tickets.
        """

    def create(self, draft: Draft) -> TicketRef:
        """Make a ticket, as a draft: a person submits it."""

    def update(self, ticket: TicketRef, draft: Draft) -> TicketRef:
        """Bring what is ours in a ticket to the draft; leave the rest as people made it."""

    def has(self, ticket: TicketRef, mark: str) -> bool:
        """Tell whether a comment with this mark, or an update to it, has arrived."""

    def comment(self, ticket: TicketRef, mark: str, text: str) -> None:
        """Add a comment that begins with the mark."""

    def close(self, ticket: TicketRef, mark: str, text: str) -> TicketRef:
        """Close it with a comment; only where the site configured that."""

    def reopen(self, ticket: TicketRef, mark: str, text: str) -> TicketRef:
        """Open it again with a comment."""

"""How the two halves of the daemon are: what each writes down about once a second.

Plain values only: the files `receiver.json` and `worker.json`, the metrics page, `/readyz` and
`watcher status` all show these. Counts go up since the process started, unless said otherwise.
"""

from dataclasses import dataclass
from datetime import datetime

from watcher.model.ledger import Line, Reason
from watcher.model.message import Position, Way
from watcher.model.ticket import OutboxCount

START = Position(0)
"""Before everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputStatus:
    """One input of the receiver; `problem` is empty while it is open and well."""

    name: str
    way: Way
    where: str
    """Address and port, folder or mailbox."""
    open: bool
    problem: str = ""
    connections: int = 0
    receive_buffer: int | None = None
    """Bytes that the kernel granted; None for what has no datagram socket."""
    receive_buffer_asked: int | None = None
    kernel_drops: int | None = None
    """Datagrams that the kernel dropped; None where it does not tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerCertificate:
    """The certificate of one of our own listeners."""

    input: str
    not_after: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverStatus:
    """How the receiver is: inputs, journal, loop, and the worker as its parent sees it."""

    written_at: datetime
    started_at: datetime
    pid: int
    version: str
    inputs: tuple[InputStatus, ...] = ()
    lines: tuple[Line, ...] = ()
    """The books as far as the receiver has them: received, noise and refused."""
    journal: str = ""
    """Name of the journal, as in message ids."""
    journal_end: Position = START
    journal_bytes: int = 0
    """Bytes of all segments on the disk."""
    journal_problem: str = ""
    """Why nothing can be written; empty: it can."""
    free_bytes: int | None = None
    """Free space where the journal lies."""
    loop_lag_p99: float = 0.0
    """Seconds; of the last minute."""
    loop_lag_worst: float = 0.0
    """Seconds; since the start."""
    worker_pid: int | None = None
    worker_restarts: int = 0
    config_differs: bool = False
    """The settings in force are not those of the file."""
    settings_digest: str = ""
    clock_steps: int = 0
    """How often the wall clock jumped by more than five minutes."""
    certificates: tuple[ListenerCertificate, ...] = ()
    resident_bytes: int | None = None
    log_drops: int = 0
    """Log records that were dropped because nobody took them."""
    stopped: bool = False
    """It ended in order; this is the last that it wrote."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceStatus:
    """When one source was last heard.

    `node` is the inventory's name of it, empty when the inventory does not know it; only those
    with a name become metrics, because any other text is a sender's.
    """

    source: str
    node: str
    last: datetime | None = None
    """None: never."""
    state: str = ""
    """`healthy`, `silent` or `unknown`; empty while nothing is expected of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountOf:
    """How many there are of one kind."""

    name: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineCount:
    """How many messages lie in quarantine for one reason."""

    reason: Reason
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LettersStatus:
    """How the digests or the notices of one list went in the last seven days.

    A letter counts once for each recipient that it goes to and that still stands on the list.
    """

    kind: str
    """`digest` or `notice`."""
    list: str
    newest: datetime | None = None
    """When the newest letter was begun; None: there was none yet."""
    delivered: int = 0
    waiting: int = 0
    oldest: datetime | None = None
    """When the oldest that waits was drawn; None: none waits."""
    wait_told: str = ""
    """What was last answered for some of those that wait."""
    lost: int = 0
    """Refused, or given up."""
    lost_told: str = ""
    """What was answered for some of those that were lost."""
    undrawn: int = 0
    """Letters that are due and not there: they could not be drawn, and are tried again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerStatus:
    """How the worker is: what it has read, what it holds, and what it could not do."""

    written_at: datetime
    started_at: datetime
    pid: int
    version: str
    database_problem: str = ""
    """Why the database cannot be used; empty: it can."""
    journal: str = ""
    cursor: Position = START
    """Up to where the journal has been taken in."""
    backlog_bytes: int = 0
    """Bytes of the journal that have not been read."""
    oldest_unread_at: datetime | None = None
    """When the oldest unread message was received; None: nothing waits."""
    lines: tuple[Line, ...] = ()
    """The books of the store: since it was made, not since the process started."""
    cases: tuple[CountOf, ...] = ()
    """By state; those that are there now."""
    outbox: tuple[OutboxCount, ...] = ()
    """Errands at ticket systems; those that are there now."""
    letters: tuple[LettersStatus, ...] = ()
    """Of each list of the settings; empty while another leads."""
    failing: tuple[str, ...] = ()
    """Parts of our work that failed and are tried again; the log says why."""
    quarantine: tuple[QuarantineCount, ...] = ()
    """Those that are there now."""
    damaged_rows: int = 0
    """Rows of the database that cannot be read and are left out; the log names each."""
    batches: int = 0
    batch_seconds: float = 0.0
    """Sum of the time that batches took."""
    batch_seconds_worst: float = 0.0
    lease_held: bool = False
    lease_holder: str = ""
    lease_epoch: int = 0
    self_test_at: datetime | None = None
    """When a synthetic alarm last came out at the end."""
    self_test_problem: str = ""
    """Why the last one did not; empty: it did, or none was due."""
    sources: tuple[SourceStatus, ...] = ()
    plans_drawn: int = 0
    plans_refused: int = 0
    config_differs: bool = False
    clock_steps: int = 0
    resident_bytes: int | None = None
    log_drops: int = 0
    stopped: bool = False

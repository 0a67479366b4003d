"""The shape of the settings file; every key may be left out.

Defaults and ceilings are those of the entry points' limits: what one sender, one message or
one connection may take. `deploy/examples/watcher.yaml` shows every key with its default.
"""

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import (
    Field,
    StrictBool,
    StrictInt,
    StringConstraints,
    field_validator,
    model_validator,
)

from watcher.rules.terms import Closed, Text
from watcher.settings.digest import DigestSettings, NotificationSettings, Relay
from watcher.settings.inputs import Inputs, SmtpDesk, TlsIdentity, TlsInput
from watcher.settings.terms import (
    Address,
    Duration,
    FilePath,
    LogFormat,
    LogLevel,
    Name,
    Number,
    Port,
    Secret,
    Size,
    holding,
    lasting,
)
from watcher.settings.tickets import TicketSystems

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Database(Closed):
    """Where cases, plans and the books are kept."""

    url: Text | None = Field(
        default=None,
        description="postgresql+psycopg://user@host/name; null: SQLite in state_dir.",
    )
    password: Secret | None = Field(default=None, description="For the url, which holds none.")
    busy: Annotated[Duration, lasting("1s", "5m")] = Field(
        default=timedelta(seconds=20), description="How long to wait for another's lock."
    )


class Admission(Closed):
    """Token buckets: how many alarms a source may bring; what is new is never sampled away."""

    source_rate: Number = Field(default=2_000, description="Alarms per second of one source.")
    source_burst: Number = Field(default=10_000, description="At once, after a quiet time.")
    total_rate: Number = Field(default=10_000, description="Alarms per second of all sources.")
    total_burst: Number = 20_000


class JournalSettings(Closed):
    """The raw bytes, on the local disk, before anything reads them."""

    limit: Annotated[Size, holding("16MiB", "1024GiB")] = Field(
        default=4 << 30, description="Largest size; full, mail gets 452 and TCP waits."
    )
    reserve: Annotated[Size, holding("1MiB", "64GiB")] = Field(
        default=64 << 20, description="Free space of the disk that is never used."
    )
    segment: Annotated[Size, holding("64KiB", "1GiB")] = 16 << 20
    sync: Annotated[Duration, lasting("1ms", "5s")] = Field(
        default=timedelta(milliseconds=50), description="At most so long between write and sync."
    )


class SourceException(Closed):
    """A source that is heard at another interval than the others, or is not expected at all."""

    source: Annotated[str, StringConstraints(pattern=r"^(peer|node|stage):\S{1,100}$")] = Field(
        description="peer:ADDRESS, node:NAME or stage:NAME, as `watcher status` prints it."
    )
    every: Annotated[Duration, lasting("1m", "400d")] | None = Field(
        default=None, description="null: not expected, its silence is told to nobody."
    )

    @field_validator("source")
    @classmethod
    def _as_heard(cls, source: str) -> str:
        # Nodes are heard under their names in lower case, however the inventory writes them.
        return source.lower() if source.startswith("node:") else source


class Sources(Closed):
    """Who is expected to be heard, and how often; longer silence is a state of its own."""

    every: Annotated[Duration, lasting("1m", "400d")] = Field(
        default=26 * HOUR, description="The Certificate Monitor runs every 24 hours."
    )
    exceptions: tuple[SourceException, ...] = ()


class Storm(Closed):
    """Budget of new cases of each grade of sender; beyond it alarms stay in quarantine, counted.

    Cases whose node, store and certificate the inventory knows are never held back.
    """

    claimed_per_hour: Number = Field(default=50, description="Of nodes that it does not know.")
    claimed_total: Number = 1_000
    named_per_hour: Number = Field(
        default=200, description="Of files and stores that only messages name."
    )
    named_total: Number = 5_000


class CaseRules(Closed):
    """When a case is told, and when it counts as quiet."""

    thresholds: Annotated[
        tuple[Annotated[StrictInt, Field(ge=0, le=3650)], ...], Field(min_length=1, max_length=20)
    ] = Field(default=(90, 60, 30, 14, 7, 3, 1, 0), description="Days left, the largest first.")
    quiet_after: Annotated[Duration, lasting("1h", "90d")] = Field(
        default=75 * HOUR, description="No alarm for so long while its reporters were heard."
    )
    storm: Storm = Storm()


class PlanSettings(Closed):
    """Where drawn plans are laid, and how soon after a change."""

    folder: FilePath | None = Field(default=None, description="null: plans in state_dir.")
    debounce: Annotated[Duration, lasting("0s", "1h")] = Field(
        default=timedelta(seconds=30), description="Wait for further alarms before drawing."
    )


class TicketSettings(TicketSystems):
    """Change tickets: one for each change and system, drafted for a person to submit.

    The waits add up to the quiet time after an unclear end, before it is searched what became of
    it; give at least what your system needs.
    """

    directory: StrictBool = Field(default=True, description="Lay tickets down as files.")
    folder: FilePath | None = Field(default=None, description="null: tickets in state_dir.")
    close: StrictBool = Field(
        default=False, description="Close a ticket once evidence resolved all its cases."
    )
    reopen_within: Annotated[Duration, lasting("0s", "400d")] = Field(
        default=30 * DAY, description="An alarm of a renewed certificate so soon reopens it."
    )
    renew_after: Annotated[Duration, lasting("0s", "400d")] = Field(
        default=DAY, description="A new alarm so long after people closed it makes another."
    )
    hourly: Annotated[StrictInt, Field(ge=1, le=100_000)] = Field(
        default=100, description="Things done to one system in an hour."
    )
    call: Annotated[Duration, lasting("1s", "5m")] = Field(
        default=timedelta(seconds=30), description="The longest that a call may take."
    )
    server_work: Annotated[Duration, lasting("0s", "1h")] = Field(
        default=timedelta(seconds=30), description="So long a server may work on after that."
    )
    index_lag: Annotated[Duration, lasting("0s", "1d")] = Field(
        default=timedelta(seconds=120), description="So late a search may find what was made."
    )
    horizon: Annotated[Duration, lasting("1h", "90d")] = Field(
        default=7 * DAY, description="So long it is searched for what ended unclear."
    )

    def used(self) -> bool:
        """Tell whether there is any ticket system at all."""
        return self.directory or self.mail is not None or bool(self.remote())


class Retention(Closed):
    """How long things are kept; cases, their histories and what their alarms said stay for good."""

    repeats: Annotated[Duration, lasting("1d", "3650d")] = Field(
        default=30 * DAY, description="Raw bytes of messages that told nothing new."
    )
    messages: Annotated[Duration, lasting("1d", "3650d")] = Field(
        default=180 * DAY, description="Raw bytes of messages that told something new."
    )
    quarantine: Annotated[Duration, lasting("1d", "3650d")] = Field(
        default=90 * DAY, description="Raw bytes of what could not be read or believed."
    )
    quarantine_rows: Annotated[StrictInt, Field(ge=100, le=10_000_000)] = 20_000
    evidence: Annotated[Duration, lasting("1d", "3650d")] = Field(
        default=180 * DAY, description="Other alarms that plans refer to."
    )
    plans: Annotated[StrictInt, Field(ge=1, le=10_000)] = Field(
        default=20, description="Of each cluster, the newest; and those that a case is tied to."
    )
    database: Annotated[Size, holding("64MiB", "1024GiB")] = Field(
        default=4 << 30, description="All of it; beyond it messages go early, repeats first."
    )


class LeaseSettings(Closed):
    """How long a leader's term lasts without being prolonged."""

    lasts: Annotated[Duration, lasting("5s", "10m")] = timedelta(seconds=30)


class SelfTest(Closed):
    """A synthetic alarm through the real listeners; it must come out at the end."""

    every: Annotated[Duration, lasting("1m", "7d")] | None = Field(
        default=6 * HOUR, description="null: off."
    )
    within: Annotated[Duration, lasting("1s", "1h")] = Field(
        default=timedelta(minutes=5), description="Later than this it has failed."
    )


class Heartbeat(Closed):
    """A sign of life to somebody outside, who rings when it stays away."""

    url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s@]+$")] | None = Field(
        default=None, description="Asked with GET."
    )
    url_from: Secret | None = Field(default=None, description="Where the url itself is a secret.")
    file: FilePath | None = Field(default=None, description="Touched; for a file-age monitor.")
    every: Annotated[Duration, lasting("10s", "1d")] = timedelta(minutes=5)

    @model_validator(mode="after")
    def _one_url(self) -> Self:
        if self.url is not None and self.url_from is not None:
            raise ValueError("url and url_from are both given (expected one of them)")
        return self


class Web(Closed):
    """Metrics and health; it shows nothing else."""

    address: Address = "127.0.0.1"
    port: Port = 9514
    socket: Name | None = Field(
        default=None, description="Name of the descriptor from the supervisor; null: web."
    )


class Log(Closed):
    """What is logged, to standard error."""

    level: LogLevel = LogLevel.INFO
    format: LogFormat = LogFormat.AUTO


class Worker(Closed):
    """The half that reads."""

    batch: Annotated[StrictInt, Field(ge=1, le=10_000)] = Field(
        default=2_000, description="Most messages of one transaction."
    )
    deadline: Annotated[Duration, lasting("100ms", "60s")] = Field(
        default=timedelta(seconds=1), description="For reading one message; then quarantine."
    )


class Settings(Closed):
    """Everything that `watcher run` can be told."""

    version: Literal[1] = 1
    instance: Name = Field(
        default="main", description="Name of the journal, and beginning of all message ids."
    )
    state_dir: FilePath = Field(
        default="var", description="Journal, database, plans; $STATE_DIRECTORY where that is set."
    )
    inventory: FilePath | None = Field(default=None, description="null: names stay claims.")
    rules: tuple[FilePath, ...] = Field(default=(), description="The site's own rule packs.")
    database: Database = Database()
    inputs: Inputs = Inputs()
    tls: TlsIdentity = TlsIdentity()
    smtp: SmtpDesk = SmtpDesk()
    admission: Admission = Admission()
    journal: JournalSettings = JournalSettings()
    sources: Sources = Sources()
    cases: CaseRules = CaseRules()
    plans: PlanSettings = PlanSettings()
    tickets: TicketSettings = TicketSettings()
    retention: Retention = Retention()
    relay: Relay | None = Field(default=None, description="null: no mail leaves us.")
    digest: DigestSettings = DigestSettings()
    notifications: NotificationSettings = NotificationSettings()
    lease: LeaseSettings = LeaseSettings()
    selftest: SelfTest = SelfTest()
    heartbeat: Heartbeat = Heartbeat()
    web: Web | None = Field(default=Web(), description="null: no metrics, no health.")
    log: Log = Log()
    worker: Worker = Worker()

    def own_domain(self) -> str:
        """Return the domain of our Message-IDs, by which mail of ours that comes back is known."""
        if self.smtp.own_domain or self.relay is None:
            return self.smtp.own_domain or ""
        return f"watcher.{self.relay.sender.rpartition('@')[2].lower()}"

    def tls_inputs(self) -> tuple[TlsInput, ...]:
        """Return what listens for TLS: as written, else the default once there is a certificate."""
        if "tls" in self.inputs.model_fields_set:
            return self.inputs.tls
        return (TlsInput(),) if self.tls.certificate and self.tls.key else ()

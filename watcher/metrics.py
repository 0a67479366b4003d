"""Every metric, its unit and its labels, on one page.

Nothing counts in here: each scrape reads what the two halves last wrote down of themselves
(`model.status`) and shows it. No label holds a sender's text: inputs, reasons, states and nodes
come from the settings, from closed lists and from the inventory.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from watcher.cases.stages import STAGES
from watcher.model.ledger import books
from watcher.model.status import ReceiverStatus, SourceStatus, WorkerStatus
from watcher.model.ticket import ErrandState

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""Of the page."""
SOURCES_SHOWN = 2000
"""Nodes that get a time series; an inventory of more is shown in part."""
_DAY = 86_400.0
_NODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,62}", re.ASCII)

Sample = tuple[tuple[str, ...], float]
"""Values of the labels, in the order of the metric's, and the value."""


@dataclass(frozen=True, slots=True)
class Described:
    """One metric: its name without prefix, what it says, its labels, where its values come from.

    The unit is the name's ending: `_total` counts, `_seconds`, `_bytes`, `_days`, else a number
    or 0 and 1.
    """

    name: str
    text: str
    labels: tuple[str, ...] = ()

    @property
    def counts(self) -> bool:
        """Tell whether it only goes up."""
        return self.name.endswith("_total")


_LEDGER = ("input", "place", "reason")
_ERRAND = ("system", "state")
_LIST = ("kind", "list")
_LETTER = (*_LIST, "state")
_HALF = ("half",)
_STATE = ("node", "state")
_STATES = ("healthy", "silent", "unknown")
_STAGE = "stage:"
METRICS: tuple[Described, ...] = (
    Described("up", "1 while the half wrote its status within the last 15 s.", _HALF),
    Described("status_age_seconds", "Since the half wrote its status (the heartbeat).", _HALF),
    Described("start_time_seconds", "When the half started, since 1970.", _HALF),
    Described("resident_bytes", "Resident memory of the half.", _HALF),
    Described("log_drops_total", "Log records that nobody took.", _HALF),
    Described("clock_steps_total", "Jumps of the wall clock by more than 5 minutes.", _HALF),
    Described("config_differs", "1 while the settings in force are not the file's.", _HALF),
    Described("ledger_messages_total", "The books of the store: where messages ended.", _LEDGER),
    Described("ledger_difference", "Received less the sum of all places; 0 when all is well."),
    Described("input_messages_total", "What inputs counted since the receiver started.", _LEDGER),
    Described("input_open", "1 while the input takes messages.", ("input",)),
    Described("input_connections", "Connections that are open.", ("input",)),
    Described("receive_buffer_bytes", "Receive buffer that the kernel granted.", ("input",)),
    Described("kernel_drops_total", "Datagrams that the kernel dropped.", ("input",)),
    Described("journal_bytes", "Size of the journal on the disk."),
    Described("journal_writable", "1 while messages can be kept."),
    Described("journal_backlog_bytes", "Part of the journal that has not been read."),
    Described("journal_oldest_unread_seconds", "Age of the oldest unread message; 0: none."),
    Described("free_bytes", "Free space where the journal lies."),
    Described("loop_lag_p99_seconds", "Delay of the receiving loop, 99th of 100, last minute."),
    Described("loop_lag_worst_seconds", "Worst delay of the receiving loop since its start."),
    Described("worker_restarts_total", "How often the worker was started again."),
    Described("certificate_days", "Days left of our own listener's certificate.", ("input",)),
    Described("batches_total", "Batches of messages that the worker took in."),
    Described("batch_seconds_total", "Time that batches took."),
    Described("batch_worst_seconds", "Time that the longest batch took."),
    Described("database_up", "1 while the database answers."),
    Described("damaged_rows", "Rows of the database that cannot be read; the log names them."),
    Described("cases", "Cases by state.", ("state",)),
    Described("quarantine_messages", "Messages in quarantine by reason.", ("reason",)),
    Described("outbox_errands", "Errands at ticket systems by state.", _ERRAND),
    Described("outbox_oldest_seconds", "Age of the oldest that is not done, by state.", _ERRAND),
    Described("letters", "Digests and notices of the last 7 days, one a recipient.", _LETTER),
    Described("letters_oldest_seconds", "Age of the oldest that waits; 0: none.", _LIST),
    Described("parts_failing", "Parts of our work that failed and are tried again."),
    Described("lease_held", "1 while this instance is the leader."),
    Described("lease_epoch", "Number of the leader's term."),
    Described("self_test_age_seconds", "Since a synthetic alarm came out at the end."),
    Described("self_test_failed", "1 while the last synthetic alarm did not come out."),
    Described("source_heard_seconds", "Since a node of the inventory was heard.", ("node",)),
    Described("source_state", "1 for how a node is: healthy, silent, unknown.", _STATE),
    Described("stage_state", "1 for how a stage of ours is, likewise.", ("stage", "state")),
    Described("plans_drawn_total", "Plans that were drawn."),
    Described("plans_refused_total", "Plans that the safety check refused."),
)
"""All of them; the prefix `watcher_` stands in front of each on the wire."""

FRESH_SECONDS = 15.0
"""A status older than this is that of a half which is dead or stuck."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a scrape sees; None where a half has never written anything."""

    now: datetime
    receiver: ReceiverStatus | None = None
    worker: WorkerStatus | None = None


def table() -> tuple[Described, ...]:
    """Return every metric with its name as on the wire, for the documentation."""
    return tuple(Described(f"watcher_{m.name}", m.text, m.labels) for m in METRICS)


class Page:
    """The page of `/metrics`; `look` is asked anew for each."""

    def __init__(self, look: Callable[[], Seen]) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(_Statuses(look))

    def render(self) -> bytes:
        """Return the page in the text format of Prometheus."""
        return generate_latest(self._registry)


class _Statuses(Collector):
    def __init__(self, look: Callable[[], Seen]) -> None:
        self._look = look

    def collect(self) -> Iterator[Metric]:
        found = samples(self._look())
        for metric in METRICS:
            if metric.name in found:
                yield _family(metric, found[metric.name])

    def describe(self) -> Iterator[Metric]:
        for metric in METRICS:
            yield _family(metric, [])


def _family(metric: Described, found: list[Sample]) -> Metric:
    kind = CounterMetricFamily if metric.counts else GaugeMetricFamily
    family = kind(f"watcher_{metric.name}", metric.text, labels=metric.labels)
    for labels, value in found:
        family.add_metric(labels, value)
    return family


def samples(seen: Seen) -> Mapping[str, list[Sample]]:
    """Return the samples of each metric by its name without prefix; without any: it is absent."""
    found: dict[str, list[Sample]] = {}
    parts = [_halves(seen)]
    if seen.receiver is not None:
        parts += [_receiver(seen.receiver), _inputs(seen.receiver, seen.now)]
    if seen.worker is not None:
        worker, now = seen.worker, seen.now
        parts += [_worker(worker, now), _books(worker, now), _letters(worker), _sources(seen)]
    for part in parts:
        for name, labels, value in part:
            if value is not None:
                found.setdefault(name, []).append((labels, float(value)))
    return found


_Part = Iterator[tuple[str, tuple[str, ...], float | None]]


def _halves(seen: Seen) -> _Part:
    for half, status in (("receiver", seen.receiver), ("worker", seen.worker)):
        age = _age(seen.now, status.written_at) if status else None
        yield "up", (half,), age is not None and age <= FRESH_SECONDS
        if status is not None:
            yield "status_age_seconds", (half,), age
            yield "start_time_seconds", (half,), status.started_at.timestamp()
            yield "resident_bytes", (half,), status.resident_bytes
            yield "log_drops_total", (half,), status.log_drops
            yield "clock_steps_total", (half,), status.clock_steps
            yield "config_differs", (half,), status.config_differs


def _receiver(status: ReceiverStatus) -> _Part:
    yield "journal_bytes", (), status.journal_bytes
    yield "journal_writable", (), not status.journal_problem
    yield "free_bytes", (), status.free_bytes
    yield "loop_lag_p99_seconds", (), status.loop_lag_p99
    yield "loop_lag_worst_seconds", (), status.loop_lag_worst
    yield "worker_restarts_total", (), status.worker_restarts
    for line in status.lines:
        yield "input_messages_total", (line.input, line.place, line.reason), line.count


def _inputs(status: ReceiverStatus, now: datetime) -> _Part:
    for one in status.inputs:
        yield "input_open", (one.name,), one.open
        yield "input_connections", (one.name,), one.connections
        yield "receive_buffer_bytes", (one.name,), one.receive_buffer
        yield "kernel_drops_total", (one.name,), one.kernel_drops
    for ours in status.certificates:
        yield "certificate_days", (ours.input,), (ours.not_after - now).total_seconds() / _DAY


def _worker(status: WorkerStatus, now: datetime) -> _Part:
    waiting, tested = status.oldest_unread_at, status.self_test_at
    yield "journal_backlog_bytes", (), status.backlog_bytes
    yield "journal_oldest_unread_seconds", (), _age(now, waiting) if waiting else 0
    yield "batches_total", (), status.batches
    yield "batch_seconds_total", (), status.batch_seconds
    yield "batch_worst_seconds", (), status.batch_seconds_worst
    yield "database_up", (), not status.database_problem
    yield "damaged_rows", (), status.damaged_rows
    yield "lease_held", (), status.lease_held
    yield "lease_epoch", (), status.lease_epoch
    yield "self_test_age_seconds", (), _age(now, tested) if tested else None
    yield "self_test_failed", (), bool(status.self_test_problem)
    yield "plans_drawn_total", (), status.plans_drawn
    yield "plans_refused_total", (), status.plans_refused


def _books(status: WorkerStatus, now: datetime) -> _Part:
    for line in status.lines:
        yield "ledger_messages_total", (line.input, line.place, line.reason), line.count
    yield "ledger_difference", (), books(status.lines).difference
    for counted in status.cases:
        yield "cases", (counted.name,), counted.count
    for some in status.outbox:
        yield "outbox_errands", (some.system, some.state), some.count
        if some.state is not ErrandState.DONE and some.oldest is not None:
            age = _age(now, some.oldest)
            yield "outbox_oldest_seconds", (some.system, some.state), age
    for held in status.quarantine:
        yield "quarantine_messages", (held.reason,), held.count
    yield "parts_failing", (), len(status.failing)


def _letters(status: WorkerStatus) -> _Part:
    for one in status.letters:
        counts = {
            "delivered": one.delivered, "waiting": one.waiting, "lost": one.lost,
            "undrawn": one.undrawn,
        }  # fmt: skip
        for state, count in counts.items():
            yield "letters", (one.kind, one.list, state), count
        # A worker that ended tells nothing new: another may have sent what waits since.
        age = _age(status.written_at, one.oldest) if one.oldest else 0
        yield "letters_oldest_seconds", (one.kind, one.list), age


def _sources(seen: Seen) -> _Part:
    nodes: dict[str, list[SourceStatus]] = {}
    for source in seen.worker.sources if seen.worker else ():
        # A name of the inventory fits; whatever else may have got here does not become a label.
        if _NODE.fullmatch(source.node) and (source.node in nodes or len(nodes) < SOURCES_SHOWN):
            nodes.setdefault(source.node, []).append(source)
    for node, sources in nodes.items():
        heard = [source.last for source in sources if source.last is not None]
        yield "source_heard_seconds", (node,), _age(seen.now, max(heard)) if heard else None
        for state in _STATES:
            yield "source_state", (node, state), any(source.state == state for source in sources)
    yield from _stages(seen)


def _stages(seen: Seen) -> _Part:
    for source in seen.worker.sources if seen.worker else ():
        name = source.source.removeprefix(_STAGE)
        if source.source.startswith(_STAGE) and name in STAGES:
            for state in _STATES:
                yield "stage_state", (name, state), source.state == state


def _age(now: datetime, then: datetime) -> float:
    # The clock may have been set back; nothing is younger than now.
    return max(0.0, (now - then).total_seconds())

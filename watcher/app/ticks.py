"""What falls due: lease, the passing of time over cases, self-test, heartbeat, sweeping.

A timer only says that it may be time; what is due the database decides. Everything in here runs
in the worker's thread, so one thing is done after the other.
"""

import logging
import os
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from watcher.app.digests import Digests
from watcher.app.drawing import Dirty, Overdue
from watcher.app.easel import LIMIT
from watcher.app.heartbeat import Heartbeat
from watcher.app.listening import Ear
from watcher.app.outgoing import Outgoing
from watcher.app.report import LEADER, Found, Reporter
from watcher.app.selftest import SelfTest
from watcher.app.status import read_receiver
from watcher.app.worker import Worker
from watcher.cases.advance import Advance
from watcher.cases.evidence import evidence_from_inventory
from watcher.cases.identity import Directory
from watcher.cases.sources import Expected, SourceHealth, SourceState, health
from watcher.cases.stages import expected_stages, signs_of
from watcher.cases.states import Listening, TickOptions, tick
from watcher.cases.storm import Budget
from watcher.cases.table import OPEN
from watcher.cases.thresholds import crossings
from watcher.errors import StoreUnavailable
from watcher.model.case import Case, CaseState, Crossing
from watcher.model.status import SourceStatus
from watcher.ports import CaseQuery, Clock, Counted, Figures, Kept, Lease, Store, View
from watcher.store.retention import SqlRetention

logger = logging.getLogger(__name__)

CASES = 5_000
"""Open cases that one look takes in, the most urgent first."""
DEAF = timedelta(minutes=1)
"""A receiver that wrote no status for so long does not receive; it writes one a second."""
DRAINED = timedelta(minutes=5)
"""A backlog older than this is a stage that does not work."""
STARVED = timedelta(minutes=10)
"""Marks and time-outs do not wait longer than this for what is to be taken in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What time does to cases and sources."""

    thresholds: tuple[int, ...]
    tick: TickOptions
    expected: tuple[Expected, ...]
    lease_seconds: int
    inventory_read_at: datetime | None = None
    """When the inventory was written: what it lists is evidence of that time."""
    hushed: frozenset[str] = frozenset()
    """Names of sources of which nothing is expected, such as `stage:drawing`."""


@dataclass(slots=True)
class Ticks:
    """Everything that falls due, and what of it is known."""

    rules: Rules
    store: Store
    view: View
    figures: Figures
    lease: Lease
    retention: SqlRetention
    directory: Directory
    budget: Budget
    dirty: Dirty
    clock: Clock
    standing: Found
    reporter: Reporter
    self_test: SelfTest
    heartbeat: Heartbeat
    digests: Digests
    outgoing: Outgoing
    holder: str = field(default_factory=lambda: f"{socket.gethostname()}-{os.getpid()}")
    _worker: Worker | None = None
    _latest_act: int | None = None
    _nodes: Mapping[str, SourceHealth] = field(default_factory=dict)
    _stages: Mapping[str, SourceHealth] = field(default_factory=dict)
    _signs: dict[str, datetime | None] = field(default_factory=dict)
    """When each of our stages last showed that it works."""
    _durable: int = -1
    _cursor: int = -1
    _upto: datetime | None = None
    """All that was received before then is in the store."""
    _passed: datetime | None = None
    """When time was last let pass over the cases."""
    _ear: Ear = field(init=False)
    _overdue: Overdue = field(init=False)

    def __post_init__(self) -> None:
        """Go on where the worker before left off."""
        self._ear = Ear(self.reporter.folder, self.reporter.started_at)
        self._overdue = Overdue(self.outgoing.desk.outbox, self.directory.inventory)

    @property
    def seconds(self) -> Mapping[str, float]:
        """How often each is looked at."""
        return {
            "report": 1.0, "acts": 5.0, "lease": self.rules.lease_seconds / 3,
            "sources": 10.0, "cases": 30.0, "self-test": 5.0, "heartbeat": 10.0, "digests": 10.0,
            "sweep": 600.0, "outgoing": 5.0,
            "plans": 300.0,
        }  # fmt: skip

    @property
    def calls(self) -> Mapping[str, Callable[[], None]]:
        """What to call, by the same names."""
        return {
            "report": self.report, "acts": self.look_at_acts, "lease": self.take_lease,
            "sources": self.look_at_sources, "cases": self.look_at_cases,
            "outgoing": self.outgoing.look, "self-test": self.test,
            "heartbeat": self.beat, "digests": self.digests.look, "sweep": self.sweep,
            "plans": self.look_at_plans,
        }  # fmt: skip

    def bind(self, worker: Worker) -> None:
        """Say whose progress is reported."""
        self._worker = worker

    def report(self) -> None:
        """Write the status file."""
        if self._worker is not None:
            self._look_at_stages(self._worker)
            failing = (*self.digests.failing, *self.outgoing.failing)
            self.standing.failing = failing if self.standing.term is not None else ()
            self.reporter.write(self._worker.progress)

    def open_clusters(self) -> frozenset[str]:
        """Return the clusters with an open case, whose plans are looked at after a start."""
        return frozenset(self.figures.open_clusters())

    def take_lease(self) -> None:
        """Take or prolong the leader's lease; only its holder tells anybody anything."""
        before = self.standing.term
        self.standing.term = self.lease.take(
            LEADER, self.holder, self.clock.now(), self.rules.lease_seconds
        )
        newest = self.standing.term or self.figures.term(LEADER)
        self.standing.leader = (newest.holder if newest else "") or "none"
        self.standing.epoch = newest.epoch if newest else 0
        self._signs["store"] = self.clock.now()
        if bool(before) != bool(self.standing.term):
            logger.info("leader: %s", self.standing.leader, extra={"action": "lease"})

    def _leads(self) -> bool:
        """Ask the database whether we still lead; right before anybody is told anything."""
        term = self.standing.term
        if term is not None and not self.lease.holds(LEADER, term):
            logger.warning("leader: no more", extra={"action": "lease"})
            self.standing.term = None
            self.standing.leader = "another"
        return self.standing.term is not None

    # -- sources and cases

    def look_at_sources(self) -> None:
        """Compare who was heard with who should be."""
        self._signs["scheduler"] = self.clock.now()
        before = self._nodes or self._ear.known
        self._nodes = self._health()
        _tell("source", before, self._nodes)
        self._show()
        self.standing.sources_at = self.clock.now()

    def _health(self) -> Mapping[str, SourceHealth]:
        heard: dict[str, datetime] = {}
        for row in self.view.heard():
            heard[row.source] = max(heard.get(row.source, row.last), row.last)
        now = self.clock.now()
        self._ear.attend(now, read_receiver(self.reporter.folder))
        self._upto = self._taken_in_upto(now)
        expected = [one for one in self.rules.expected if not one.name.startswith("stage:")]
        return self._ear.judge(expected, heard, self._upto)

    def _taken_in_upto(self, now: datetime) -> datetime:
        """Return up to when all that was received is in the store."""
        cursor = self._worker.progress.cursor if self._worker is not None else None
        waiting = self.reporter.reader.read(cursor, 1) if cursor is not None else ()
        for entry in waiting:
            if isinstance(entry, Kept):
                return min(now, entry.message.received_at)
            if isinstance(entry, Counted) and entry.counts.heard:
                return min(now, *(last for _, last in entry.counts.heard.values()))
        return (self._upto or self._ear.since) if waiting else now

    def _look_at_stages(self, worker: Worker) -> None:
        """Note which of our stages show that they work; needs no database."""
        now, receiver = self.clock.now(), read_receiver(self.reporter.folder)
        if receiver is not None:
            self._signs["receiver"] = min(now, receiver.written_at)
        durable, cursor = self.reporter.reader.durable(), worker.progress.cursor
        if durable != self._durable or receiver is None or durable >= receiver.journal_end:
            self._signs["journal"] = now
        if cursor != self._cursor or cursor >= durable:
            self._signs["worker"] = now
        if self.dirty.due(time.monotonic() - LIMIT, idle=False) is None:
            self._signs["drawing"] = now
        self._signs["self-test"] = self.self_test.passed_at or self.self_test.last
        self._durable, self._cursor = durable, cursor
        every = self.self_test.every
        expected = expected_stages(
            self.rules.expected, self.rules.hushed, every + self.self_test.within if every else None
        )
        before, since = self._stages, self.reporter.started_at
        found = health(expected, signs_of(self._signs), now, since, before=tuple(before.values()))
        self._stages = {one.name: one for one in found}
        _tell("stage", before, self._stages)
        self._show()

    def _show(self) -> None:
        nodes = [_shown(one, one.name) for one in self._nodes.values()]
        stages = [_shown(one, f"stage:{one.name}") for one in self._stages.values()]
        self.standing.sources = (*nodes, *stages)

    def look_at_cases(self) -> None:
        """Let time pass over the open cases: the leader does, when all received was taken in.

        A flood must not stop the time: now and then marks and time-outs are looked at
        nevertheless, but nothing that could be contradicted by what still waits.
        """
        now, behind = self.clock.now(), self._behind()
        self._passed = self._passed or now
        if not self._leads() or (behind and timedelta(0) <= now - self._passed < STARVED):
            return
        listening = Listening(since=now if behind else self._ear.since, sources=self._health())
        rows = self.view.list_cases(CaseQuery(states=OPEN, limit=CASES))
        with self.store.transaction() as unit:
            current = unit.cases({row.case.key for row in rows})
            moves = [self._moved(case, now, listening, behind=behind) for case in current.values()]
            changed = [move for move in moves if move.case != current[move.case.key]]
            unit.save([move.case for move in changed])
            unit.add_transitions([step for move in changed for step in move.transitions])
            after = {move.case.key: move.case for move in moves}
            rounds = {key: case.round for key, case in after.items()}
            # Whoever led meanwhile has told, and what was told stands in the store.
            told = self.figures.told(rounds) if self._leads() else None
            crossed = [
                crossing
                for move in (moves if told is not None else ())
                for crossing in crossings(
                    move.case, (told or {})[move.case.key], now, self.rules.thresholds
                )
            ]
            unit.add_crossings(crossed, rounds)
        self._passed = now
        self._note(changed)
        for crossing in crossed:
            if not crossing.silent:
                mark = _mark(crossing, after[crossing.case])
                logger.warning("case %s: %s", crossing.case, mark, extra={"action": "threshold"})
        if self._leads():
            self._tell_storm(now)

    def _moved(self, case: Case, now: datetime, listening: Listening, *, behind: bool) -> Advance:
        """Return what the inventory's listing and the time that passed make of a case."""
        read_at = self.rules.inventory_read_at
        if read_at is not None and not behind:
            shown = evidence_from_inventory(case, self.directory, now, read_at)
            if shown is not None:
                return shown
        return tick(case, now, listening, self.rules.tick)

    def _note(self, changed: Sequence[Advance]) -> None:
        """Tell of what changed, and have the plans of these clusters drawn anew."""
        for move in changed:
            if move.case.state is CaseState.RESOLVED:
                self.budget.closed(move.case.key, move.case.grade)
            for step in move.transitions:
                logger.info("case %s: %s", step.case, step.reason,
                            extra={"action": step.after.value})  # fmt: skip
        clusters = frozenset(move.case.key.cluster for move in changed if move.material)
        self.dirty.note(clusters, time.monotonic())

    def look_at_acts(self) -> None:
        """Draw plans anew where a person's command, another process, changed a case."""
        latest = self.figures.latest_act()
        if self._latest_act is not None and latest != self._latest_act:
            self.dirty.note(self.open_clusters(), time.monotonic())
        self._latest_act = latest

    def look_at_plans(self) -> None:
        """Draw plans anew whose slot has passed, or whose times were reckoned a day ago."""
        gone = self._overdue.among(self.open_clusters(), self.clock.now())
        self.dirty.note(gone, time.monotonic())

    def _tell_storm(self, now: datetime) -> None:
        notice = self.budget.notice(now)
        if notice is not None:
            logger.error("%s", notice, extra={"action": "storm"})

    def _behind(self) -> bool:
        if self._worker is None:
            return True
        waiting = self.reporter.reader.backlog(self._worker.progress.cursor)
        return waiting.oldest is not None

    # -- signs of life

    def test(self) -> None:
        """Send our own alarm when one is due, and see whether the last one came out."""
        if self._worker is None:
            return
        seen = self._worker.progress.nonces
        self.self_test.look(self.clock.now(), seen)
        seen.clear()
        self.standing.self_test_at = self.self_test.last
        self.standing.self_test_problem = self.self_test.problem

    def beat(self) -> None:
        """Tell the outside that all stages work; say nothing when one does not."""
        if not self._leads():
            return
        trouble = self._trouble()
        if trouble or not self.self_test.awaited:
            self.heartbeat.look(self.clock.now(), trouble)

    def _trouble(self) -> str:
        if self.self_test.problem:
            return f"self-test: {self.self_test.problem}"
        if self._worker is None:
            return "the worker has not begun"
        receiver = read_receiver(self.reporter.folder)
        if receiver is None or self.clock.now() - receiver.written_at > DEAF:
            return "the receiver gives no sign of life"
        waiting = self.reporter.reader.backlog(self._worker.progress.cursor)
        if waiting.oldest is not None and self.clock.now() - waiting.oldest > DRAINED:
            return f"messages wait since {waiting.oldest:%H:%M:%S} UTC"
        stalled = [one.name for one in self._stages.values() if one.state is SourceState.SILENT]
        problem = self._worker.progress.database_problem
        return problem or (f"no sign of: {', '.join(stalled)}" if stalled else "")

    def sweep(self) -> None:
        """Remove what is past its time; only the leader does."""
        if self.standing.term is None:
            return
        swept = self.retention.sweep(self.clock.now())
        if swept.removed:
            logger.info("swept %s", swept.removed, extra={"action": "sweep"})
        if swept.over:
            logger.error("the database is over its quota, and nothing more may go: %d bytes",
                         swept.size, extra={"action": "quota"})  # fmt: skip
        if swept.more and self._worker is not None:
            self._worker.due.put("sweep")

    def end(self) -> None:
        """Say for the last time how it is, and let another lead."""
        self.digests.stop()
        self.outgoing.stop()
        try:
            if self.standing.term is not None:
                self.lease.release(LEADER, self.standing.term)
                self.standing.term = None
                self.standing.leader = "none"
            self.report()
        except StoreUnavailable as error:
            logger.warning("the database does not answer: %s", error)


def _tell(what: str, before: Mapping[str, SourceHealth], after: Mapping[str, SourceHealth]) -> None:
    for one in after.values():
        was = before.get(one.name)
        if was is not None and was.state is not one.state:
            level = logging.WARNING if one.state is SourceState.SILENT else logging.INFO
            logger.log(level, "%s %s is %s", what, one.name, one.state,
                       extra={"action": what})  # fmt: skip


def _shown(one: SourceHealth, name: str) -> SourceStatus:
    return SourceStatus(
        source=name, node=one.name if one.cluster else "", last=one.last, state=one.state.value
    )


def _mark(crossing: Crossing, case: Case) -> str:
    """Say which mark was passed; what is revoked is at the last one long before its end."""
    if crossing.days <= 0:
        over = case.expired or (case.end_earliest is not None and case.end_earliest <= crossing.at)
        return "its end is over" if over or not case.revoked else "it is revoked"
    return f"{crossing.days} {'day' if crossing.days == 1 else 'days'} left or less"

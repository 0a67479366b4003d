"""The worker: takes the journal into the store batch by batch, and does what falls due.

One thread takes in and does what falls due, so nothing in here needs a lock; what is sent to ticket
systems and relays has threads of its own, and the store takes calls from any. A batch is one
transaction with the journal's cursor; whatever ends the process, the next one goes on there.
"""

import logging
import queue
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event

from watcher import crash
from watcher.app import seeded
from watcher.app.deadline import Attempts, Deadline, TooLong
from watcher.app.drawing import Dirty
from watcher.app.easel import Easel
from watcher.cases.identity import Directory
from watcher.cases.storm import Budget
from watcher.errors import StoreUnavailable
from watcher.intake import Folded, Reading, counted, damaged, fold, poisoned, read_message
from watcher.model.ledger import Books, Place, Reason
from watcher.model.message import MessageId, Position
from watcher.model.status import START
from watcher.ports import (
    Clock,
    Counted,
    Damaged,
    Entry,
    Heard,
    JournalReader,
    Kept,
    Store,
    StoredMessage,
)

logger = logging.getLogger(__name__)

JOURNAL = "journal"
"""Name in the books of what the journal lost."""

REPORT = "report"
"""What falls due also while the database does not answer."""
REDRAW = 10.0
"""Seconds until drawing a plan is tried again that failed, besides the usual wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerOptions:
    """How the worker goes about its work; times in seconds."""

    journal: str = "main"
    batch: int = 2_000
    """Entries in one transaction."""
    parse_deadline: float = 1.0
    tries: int = 2
    """How often a message may end the worker before it is put aside as poison."""
    poll: float = 0.02
    """Pause when there is nothing to do."""
    finish: float = 5.0
    """When told to stop, for taking in what is left; a receiver that stays brings more for ever."""
    store_pause: float = 1.0
    """Pause when the database does not answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gear:
    """What the worker works with."""

    reader: JournalReader
    store: Store
    directory: Directory
    budget: Budget
    easel: Easel
    dirty: Dirty
    attempts: Attempts
    clock: Clock
    ticks: Mapping[str, Callable[[], None]]
    """What falls due, by name; each is called in the worker's own thread."""


@dataclass(slots=True)
class Progress:
    """What the worker has done since it started."""

    cursor: Position = START
    batches: int = 0
    batch_seconds: float = 0.0
    batch_seconds_worst: float = 0.0
    plans_drawn: int = 0
    plans_refused: int = 0
    database_problem: str = ""
    nonces: set[str] = field(default_factory=set)
    """Of synthetic alarms that came out at the end and were not yet asked about."""


class Worker:
    """Runs in the main thread of its process until it is told to stop."""

    def __init__(self, gear: Gear, options: WorkerOptions) -> None:
        self.progress = Progress()
        self.stopping = Event()
        self.abandoned = Event()
        """The receiver is gone: another, with a worker of its own, may be waiting already."""
        self.due: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._gear = gear
        self._options = options
        self._deadline = Deadline(options.parse_deadline)
        self._seen: int | None = None
        """Messages since the last counts; None until counts were seen, for some may lie before."""
        self._placed = False
        self._alone_until = gear.attempts.suspect
        """Up to there each message is a batch of its own, for one of them broke something."""
        self._broken: dict[Position, str] = {}
        """Messages that cannot be taken in, and why."""
        self._outside = seeded.Outside()

    def run(self) -> None:
        """Work until told to stop; then take in what is left."""
        while not self.stopping.is_set():
            if not self.turn():
                self.stopping.wait(self._options.poll)
        end = time.monotonic() + self._options.finish
        while not self.abandoned.is_set() and time.monotonic() < end and self.turn():
            pass

    def turn(self) -> bool:
        """Do what there is to do now; tell whether there was anything."""
        try:
            self._find_place()
            taken = self._take_in()
            self._tick()
            drawn = self._draw(idle=not taken)
        except StoreUnavailable as error:
            self._placed = False
            self.progress.database_problem = str(error)
            logger.warning("the database does not answer: %s", error)
            self._tick(only=REPORT)
            self.stopping.wait(self._options.store_pause)
            return False
        self.progress.database_problem = ""
        return taken or drawn

    def _find_place(self) -> None:
        """Ask the store where to go on: after a start, and when a commit's outcome is unknown."""
        if self._placed:
            return
        with self._gear.store.transaction() as unit:
            self.progress.cursor = unit.cursor(self._options.journal)
        self._seen = 0 if self.progress.cursor == 0 else None
        self._placed = True

    def _take_in(self) -> bool:
        alone = self.progress.cursor < self._alone_until
        entries = self._gear.reader.read(self.progress.cursor, 1 if alone else self._options.batch)
        if not entries:
            return False
        started = time.monotonic()
        readings = [self._read(entry) for entry in entries if isinstance(entry, Kept)]
        crash.point("worker-after-read")
        try:
            folded = self._store(entries, readings)
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 -- told below; it must not stop the line
            self._look_closer(entries, error)
            return True
        crash.point("worker-after-commit")
        self.progress.cursor = entries[-1].position
        self._gear.reader.forget(self.progress.cursor)
        self._gear.dirty.note(folded.changed, time.monotonic())
        self.progress.nonces.update(folded.nonces)
        for step in folded.transitions:
            logger.info("case %s: %s", step.case, step.reason, extra={"action": step.after.value})
        self._measure(time.monotonic() - started)
        return True

    def _look_closer(self, entries: Sequence[Entry], error: Exception) -> None:
        """Have a batch that broke taken in one by one; what breaks alone is put aside as poison."""
        first = entries[0]
        if len(entries) == 1:
            if not isinstance(first, Kept) or first.position in self._broken:
                raise error
            self._broken[first.position] = f"{type(error).__name__} while it was taken in"
        logger.error("%d messages could not be taken in", len(entries), exc_info=error)
        self._alone_until = entries[-1].position
        self._placed = False

    def _read(self, entry: Kept) -> Reading:
        """Read one message within its time; one that broke its readers is put aside."""
        id_ = MessageId(journal=self._options.journal, position=entry.position)
        if entry.position in self._broken:
            return poisoned(id_, entry.message, self._broken[entry.position])
        if self._gear.attempts.begin(entry.position) >= self._options.tries:
            logger.error("message %s ended the worker twice; put aside", id_)
            self._gear.attempts.done()
            return poisoned(id_, entry.message, "it ended the worker more than once")
        try:
            with self._deadline:
                reading = read_message(id_, entry.message, self._gear.directory)
        except TooLong:
            reading = poisoned(
                id_, entry.message, f"not read within {self._options.parse_deadline} s"
            )
        except Exception as error:  # a fault of ours must not stop the line
            logger.exception("message %s broke the reader", id_)
            reading = poisoned(id_, entry.message, f"{type(error).__name__} while reading")
        self._gear.attempts.done()
        return reading

    def _store(self, entries: Sequence[Entry], readings: Sequence[Reading]) -> Folded:
        gear = self._gear
        seeded.move_cursor_first(gear.store, self._options.journal, entries[-1].position)
        with seeded.remember_outside(gear.store.transaction(), self._outside) as unit:
            if unit.cursor(self._options.journal) != self.progress.cursor:
                raise StoreUnavailable("another worker has taken this batch in")
            folded, books = fold(readings, unit, gear.clock.now(), gear.budget)
            heard = counted((e for e in entries if isinstance(e, Counted)), books)
            self._compare(entries, books)
            unit.keep([self._damage(entry) for entry in entries if isinstance(entry, Damaged)])
            unit.hear([*heard, self._alive()])
            unit.count(books.lines())
            unit.move_cursor(self._options.journal, entries[-1].position)
            crash.point("worker-before-commit")
        return folded

    def _compare(self, entries: Sequence[Entry], books: Books) -> None:
        """Hold the messages against the journal's own counts, and tell what is missing."""
        for entry in entries:
            if isinstance(entry, Kept) and self._seen is not None:
                self._seen += 1
            if isinstance(entry, Counted):
                missing = entry.kept - self._seen if self._seen is not None else 0
                if missing > 0:
                    books.add(JOURNAL, Place.QUARANTINED, missing, Reason.DAMAGED)
                elif missing < 0:
                    books.add(JOURNAL, Place.RECEIVED, -missing)
                self._seen = 0

    def _damage(self, entry: Damaged) -> StoredMessage:
        logger.error("%d bytes of the journal cannot be read", entry.size)
        id_ = MessageId(journal=self._options.journal, position=entry.position)
        return damaged(id_, entry, self._gear.clock.now())

    def _alive(self) -> Heard:
        return Heard(source="stage:worker", input=JOURNAL, count=1, last=self._gear.clock.now())

    def _measure(self, seconds: float) -> None:
        self.progress.batches += 1
        self.progress.batch_seconds += seconds
        self.progress.batch_seconds_worst = max(self.progress.batch_seconds_worst, seconds)

    def _tick(self, only: str = "") -> None:
        """Do what is due; what was due more than once meanwhile is done once."""
        for name in dict.fromkeys(self.due.get() for _ in range(self.due.qsize())):
            if only in ("", name):
                self._gear.ticks[name]()

    def _draw(self, *, idle: bool) -> bool:
        """Have the plan of a changed cluster drawn; tell whether something came of it."""
        easel = self._gear.easel
        drawn = easel.look()
        if drawn is not None and drawn.digest:
            self.progress.plans_drawn += 1
            self.progress.plans_refused += drawn.refused
            logger.info(
                "plan for %s: %s (%d steps)", drawn.cluster or "an unknown cluster",
                drawn.headline, drawn.steps,
                extra={"action": "plan_drawn", "digest": drawn.digest},
            )  # fmt: skip
        if drawn is not None and drawn.failed:
            self._gear.dirty.note(frozenset({drawn.cluster}), time.monotonic() + REDRAW)
        cluster = self._gear.dirty.due(time.monotonic(), idle=idle) if easel.free else None
        if cluster is not None:
            self._gear.dirty.done(cluster)
            easel.begin(cluster)
        return drawn is not None

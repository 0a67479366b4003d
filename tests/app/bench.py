"""A worker in the test's own process: real store, journal in memory."""

import sys
from contextlib import contextmanager
from dataclasses import dataclass, field

from app.desk import NUMBERED, StillClock, raw

from watcher.app.deadline import Attempts
from watcher.app.drawing import Dirty
from watcher.app.easel import Easel
from watcher.app.worker import Gear, Worker, WorkerOptions
from watcher.cases.storm import Budget
from watcher.errors import StoreUnavailable
from watcher.journal.memory import MemoryJournal
from watcher.ports import Batch

OPTIONS = WorkerOptions(batch=5, parse_deadline=0.3, poll=0.001, store_pause=0.001)


class Shaky:
    """A store that fails when it is told to: before a transaction, in it, or after its commit."""

    def __init__(self, store):
        self.store = store
        self.faults = []
        """Of the next transactions, the next one first; empty: it works."""

    @contextmanager
    def transaction(self):
        """Begin a transaction, or fail."""
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "before":
            raise StoreUnavailable("it does not answer")
        with self.store.transaction() as unit:
            yield unit
            if fault == "within":
                raise StoreUnavailable("it went away")
        if fault == "after":
            raise StoreUnavailable("what became of a commit is unknown")


@dataclass
class Bench:
    """One journal and one store; workers come and go."""

    store: object
    folder: object
    directory: object = NUMBERED
    clock: StillClock = field(default_factory=StillClock)
    dirty: Dirty = field(default_factory=lambda: Dirty(settle_seconds=1e9, patience_seconds=1e9))
    easel: Easel | None = None
    ticks: dict = field(default_factory=dict)

    def __post_init__(self):
        """Lay out an empty journal."""
        self.journal = MemoryJournal(self.clock)
        self.reader = self.journal
        self.shaky = Shaky(self.store)

    def worker(self, **changes):
        """Return a new worker, as after a start."""
        gear = Gear(
            reader=self.reader,
            store=self.shaky,
            directory=self.directory,
            budget=Budget(standing=NUMBERED.standing),
            easel=self.easel or Easel([sys.executable, "-c", ""]),
            dirty=self.dirty,
            attempts=Attempts(self.folder / "working"),
            clock=self.clock,
            ticks=self.ticks,
        )
        options = {name: getattr(OPTIONS, name) for name in WorkerOptions.__slots__}
        return Worker(gear, WorkerOptions(**(options | changes)))

    def arrive(self, *messages, noise=0):
        """Settle messages as an input does."""
        kept = [one if not isinstance(one, bytes) else raw(one) for one in messages]
        self.journal.settle(
            Batch(input="udp", received=len(kept) + noise, noise=noise, kept=kept,
                  heard={"192.0.2.1": len(kept) + noise})
        )  # fmt: skip

    def cursor(self):
        """Return up to where the store has the journal."""
        return self.store.view.cursors().get("main", 0)


def drain(worker):
    """Let a worker do all there is to do."""
    while worker.turn():
        pass

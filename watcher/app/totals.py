"""What the inputs counted since the start, for the status file."""

import threading
from concurrent.futures import Future

from watcher.model.ledger import Books, Line, Place
from watcher.model.message import Position
from watcher.ports import Batch, Journal


class Totals:
    """Implements ports.Journal in front of another one and adds up what goes through."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._books = Books()
        self._lock = threading.Lock()

    def settle(self, batch: Batch) -> Position:
        """Hand a batch on, then count it."""
        position = self._journal.settle(batch)
        with self._lock:
            self._books.add(batch.input, Place.RECEIVED, batch.received)
            self._books.add(batch.input, Place.NOISE, batch.noise)
            for reason, count in batch.refused.items():
                self._books.add(batch.input, Place.REFUSED, count, reason)
        return position

    def durable(self, position: Position) -> Future[None]:
        """Hand the question on."""
        return self._journal.durable(position)

    def close(self) -> None:
        """Close the journal behind."""
        self._journal.close()

    def lines(self) -> tuple[Line, ...]:
        """Return what was counted so far."""
        with self._lock:
            return self._books.lines()

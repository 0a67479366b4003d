"""A journal in memory, for tests of others: the same promises but for durability."""

import threading
from collections.abc import Sequence
from concurrent.futures import Future

from watcher.journal.counting import Counting
from watcher.model.message import Position
from watcher.ports import Batch, Clock, Counted, Entry, Kept


class MemoryJournal:
    """Implements ports.Journal and ports.JournalReader; counts are written at each reading."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: list[Entry] = []
        self._counting = Counting()
        self._end = 0

    def settle(self, batch: Batch) -> Position:
        """Keep and count a batch."""
        with self._lock:
            for message in batch.kept:
                self._entries.append(Kept(position=self._next(), message=message))
            self._counting.add(batch, self._clock.now())
            return Position(self._end)

    def durable(self, position: Position) -> Future[None]:
        """Return a future that is done."""
        del position
        future: Future[None] = Future()
        future.set_result(None)
        return future

    def close(self) -> None:
        """Write what is counted."""
        with self._lock:
            self._count()

    def read(self, after: Position, limit: int) -> Sequence[Entry]:
        """Return up to `limit` entries behind `after`."""
        with self._lock:
            self._count()
            return [entry for entry in self._entries if entry.position > after][:limit]

    def forget(self, before: Position) -> None:
        """Drop entries up to there."""
        with self._lock:
            self._entries = [entry for entry in self._entries if entry.position > before]

    def _count(self) -> None:
        counting = self._counting
        if counting:
            self._counting = Counting()
            self._entries.append(
                Counted(position=self._next(), counts=counting.counts(), kept=counting.kept)
            )

    def _next(self) -> Position:
        self._end += 1
        return Position(self._end)

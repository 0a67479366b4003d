"""Patience of an input that cannot ask its senders to wait, while the journal is full."""

import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass

from watcher.errors import JournalFull
from watcher.inputs.reception import Hit, Read, Reception
from watcher.model.ledger import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How much is held, and how long."""

    waiting: int = 500
    """Messages."""
    seconds: float = 1.0
    """Age of the oldest at which all are refused."""
    retry: float = 0.25
    """Seconds between two tries: each try asks the token buckets again."""


class Backlog:
    """Hands what was read to the desk; holds a little of it while the journal is full.

    Messages are refused when they have waited too long or are too many. Counts are never given up.
    """

    def __init__(self, reception: Reception, patience: Patience) -> None:
        self._reception = reception
        self._patience = patience
        self._held: _Held | None = None
        self._tried = 0.0

    @property
    def holds(self) -> bool:
        """Tell whether something waits, be it only counts."""
        return self._held is not None

    @property
    def waiting(self) -> int:
        """Return how many messages wait."""
        held = self._held
        return len(held.hits) if held else 0

    def settle(self, read: Read | None = None) -> None:
        """Settle what waits and what was just read; raise JournalBroken."""
        if self._held is None:
            if read is not None:
                self._first(read)
            return
        if read is not None:
            self._held.add(read)
        if self._spent(self._held):
            self._held.refuse()
        elif time.monotonic() - self._tried < self._patience.retry:
            return
        self._again(self._held)

    def end(self) -> None:
        """Settle now, or refuse; raise JournalFull when there is no room even for counts."""
        if self._held is not None:
            self._again(self._held)
        if self._held is not None:
            self._held.refuse()
            self._reception.settle(self._held.read())
            self._held = None

    def _spent(self, held: "_Held") -> bool:
        if not held.hits:
            return False
        late = time.monotonic() - held.since > self._patience.seconds
        return late or len(held.hits) > self._patience.waiting

    def _first(self, read: Read) -> None:
        try:
            self._reception.settle(read)
        except JournalFull:
            self._tried = time.monotonic()
            self._held = _Held()
            self._held.add(read)

    def _again(self, held: "_Held") -> None:
        self._tried = time.monotonic()
        with suppress(JournalFull):
            self._reception.settle(held.read())
            self._held = None


class _Held:
    """Readings that wait, as one."""

    def __init__(self) -> None:
        self.since = 0.0
        self.hits: list[Hit] = []
        self._received = self._noise = 0
        self._refused: Counter[Reason] = Counter()
        self._heard: Counter[str] = Counter()

    def add(self, read: Read) -> None:
        if not self.hits:
            self.since = time.monotonic()
        self._received += read.received
        self._noise += read.noise
        self.hits.extend(read.hits)
        self._refused.update(read.refused)
        self._heard.update(read.heard)

    def refuse(self) -> None:
        self._refused[Reason.JOURNAL_FULL] += len(self.hits)
        self.hits = []

    def read(self) -> Read:
        return Read(
            received=self._received, noise=self._noise, hits=tuple(self.hits),
            refused=dict(self._refused), heard=dict(self._heard),
        )  # fmt: skip

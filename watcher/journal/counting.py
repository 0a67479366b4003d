"""What was counted since the last counts entry; bounded, whatever peers are made up."""

from collections.abc import Iterable
from datetime import datetime

from watcher.model.ledger import Books, Counts, Place
from watcher.model.message import RawMessage
from watcher.ports import Batch

MAX_PEERS = 10_000
"""Peers named in one counts entry (one second); the rest are counted as OTHERS."""
OTHERS = "others"


class Counting:
    """The books of the last second."""

    def __init__(self) -> None:
        self._books = Books()
        self._heard: dict[tuple[str, str], tuple[int, datetime]] = {}
        self.kept = 0

    def __bool__(self) -> bool:
        """Tell whether there is anything to write."""
        return bool(self.kept or self._books.counts or self._heard)

    def add(self, batch: Batch, now: datetime) -> None:
        """Count what an input settled."""
        self.kept += len(batch.kept)
        self._books.add(batch.input, Place.RECEIVED, batch.received)
        self._books.add(batch.input, Place.NOISE, batch.noise)
        for reason, count in batch.refused.items():
            self._books.add(batch.input, Place.REFUSED, count, reason)
        for peer, count in batch.heard.items():
            self._hear(batch.input, peer, count, now)

    def find(self, message: RawMessage) -> None:
        """Count a message whose own count did not get into the journal before the process died."""
        self.kept += 1
        origin = message.origin
        self._books.add(origin.input, Place.RECEIVED)
        self._hear(origin.input, origin.peer, 1, message.received_at)

    def counts(self) -> Counts:
        """Return it all as it is written."""
        return Counts(lines=self._books.lines(), heard=dict(self._heard))

    def _hear(self, input_: str, peer: str, count: int, now: datetime) -> None:
        key = (input_, peer)
        before = self._heard.get(key)
        if before is None and len(self._heard) >= MAX_PEERS:
            key = (input_, OTHERS)
            before = self._heard.get(key)
        self._heard[key] = (count + (before[0] if before else 0), now)


def recount(messages: Iterable[RawMessage]) -> Counting:
    """Return the books of messages that were kept but not counted."""
    made = Counting()
    for message in messages:
        made.find(message)
    return made

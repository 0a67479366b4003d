"""Messages, stores and clocks for tests of the daemon without its processes."""

import shutil
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from builders import CATALOGUE
from killing.numbered import inventory

from watcher.cases.identity import Directory
from watcher.cases.storm import Budget
from watcher.intake import fold, read_message
from watcher.inventory.loader import load
from watcher.model.ledger import Books, Place, Reason
from watcher.model.message import Grade, MessageId, Origin, Position, RawMessage, Way
from watcher.store.engine import open_existing, open_store

NOW = datetime(2026, 11, 20, 2, tzinfo=UTC)
NUMBERED = Directory(load("inventory.yaml", inventory()), CATALOGUE)
"""The cluster of `killing.numbered`: every number is an event of its own."""
GRADES = {Way.UDP: Grade.CLAIM, Way.TLS: Grade.ATTRIBUTED}
_numbers = count(1)


class StillClock:
    """Says what a test tells it to."""

    def __init__(self, at=NOW):
        self.at = at
        self.steady = 0

    def now(self):
        """Return what it was told."""
        return self.at

    def monotonic_ns(self):
        """Return what passed by."""
        return self.steady

    def pass_by(self, span: timedelta):
        """Let time pass on both clocks."""
        self.at += span
        self.steady += int(span.total_seconds() * 1e9)


def raw(data: bytes, way=Way.UDP, **changes):
    """Return a message as it arrived; the peer of a plain stream is known by its address."""
    grade = changes.pop("grade", GRADES.get(way, Grade.RETURN_PATH))
    origin = Origin(way=way, input=way.value, peer="192.0.2.1", grade=grade,
                    bound=changes.pop("bound", ()))  # fmt: skip
    return RawMessage(
        **({"origin": origin, "received_at": NOW, "monotonic_ns": 0, "data": data} | changes)
    )


def reading(message: RawMessage, directory=NUMBERED, number: int | None = None):
    """Return what a message says; each has a place of its own in the journal."""
    position = Position(next(_numbers) if number is None else number)
    return read_message(MessageId(journal="main", position=position), message, directory)


def store_in(folder: Path, empty: Path):
    """Return an open store without rows; making its tables takes a while, copying them does not."""
    file = folder / f"watcher-{next(_numbers)}.db"
    shutil.copy(empty, file)
    return open_existing(f"sqlite:///{file}")


def made_empty(folder: Path) -> Path:
    """Make a database with tables and no rows, to be copied."""
    file = folder / "empty.db"
    open_store(f"sqlite:///{file}").close()
    return file


def take_in(store, *messages: RawMessage, directory=NUMBERED, budget=None):
    """Fold messages into a store as one batch, and count them as received; return what changed."""
    readings = [reading(message, directory) for message in messages]
    with store.transaction() as unit:
        folded, books = fold(readings, unit, NOW, budget or Budget(standing=directory.standing))
        for message in messages:
            books.add(message.origin.input, Place.RECEIVED)
        unit.count(books.lines())
    return folded


def books_of(store) -> Books:
    """Return the books of a store."""
    made = Books()
    for line in store.view.books():
        made.add(line.input, line.place, line.count, line.reason)
    return made


def places(store) -> dict[Place, int]:
    """Return how many messages ended in each place."""
    books = books_of(store)
    return {
        place: books.total(place)
        for place in Place
        if place is not Place.RECEIVED and books.total(place)
    }


def reasons(store) -> dict[Reason, int]:
    """Return how many messages lie in quarantine, by reason."""
    return {Reason(name): many for name, many in store.figures.quarantine_counts().items()}

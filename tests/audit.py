"""Audits a run: is everything there that was acknowledged, once, and do the books agree.

It reads journal and database as they lie on the disk, with statements of its own, so that a fault
of the store is not hidden by the store. Every system test ends with it.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, create_engine, text

from watcher.journal.reader import LocalReader
from watcher.model.message import Position
from watcher.ports import Counted, Damaged, Kept

NumbersIn = Callable[[bytes], list[int]]
"""Finds the numbers that senders put into their messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What the senders know: of each number how often it left, and which must be there."""

    times: Mapping[int, int]
    acknowledged: frozenset[int]
    """Or held by their sender until they were taken."""


@dataclass(slots=True, kw_only=True)
class Audit:
    """What was found; `faults` says in words what must not be."""

    events: int = 0
    cases: int = 0
    messages: int = 0
    poisoned: int = 0
    """Numbers that ended the worker twice while they were read: kept, in quarantine."""
    unread: int = 0
    """Messages that still wait in the journal."""
    damaged: int = 0
    found: frozenset[int] = frozenset()
    """Numbers that are there at all."""
    lost: int = 0
    doubled: int = 0
    books: dict[str, int] = field(default_factory=dict)
    """Received less all places, by input; the journal's own loss counts against nobody."""
    faults: list[str] = field(default_factory=list)


def audit(state: Path, url: str, sent: Sent, numbers_in: NumbersIn) -> Audit:
    """Return what the disk holds of what was sent, once the daemon has stopped."""
    engine = create_engine(url)
    try:
        with engine.connect() as database:
            made = Audit()
            waiting = _look_at_journal(state / "journal", database, made, numbers_in)
            _look_at_events(database, made, sent, numbers_in, waiting)
            _look_at_messages(database, made, sent, numbers_in)
            _look_at_cases(database, made)
            _look_at_books(database, made)
    finally:
        engine.dispose()
    return made


def _blame(made: Audit, found: int, what: str) -> int:
    if found:
        made.faults.append(f"{found} {what}")
    return found


def _rows(database: Connection, statement: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in database.execute(text(statement))]


def _look_at_journal(
    folder: Path, database: Connection, made: Audit, numbers_in: NumbersIn
) -> set[int]:
    """Read what the store has not taken in, and what of the rest is damaged."""
    cursor = Position(int(database.scalar(text("SELECT max(position) FROM cursor")) or 0))
    reader = LocalReader(folder)
    waiting: set[int] = set()
    after, uncounted = cursor, 0
    while entries := reader.read(after, 1000):
        for entry in entries:
            if isinstance(entry, Kept):
                made.unread += 1
                uncounted += 1
                waiting.update(numbers_in(entry.message.data))
            elif isinstance(entry, Counted):
                uncounted = 0
            made.damaged += isinstance(entry, Damaged)
        after = entries[-1].position
    reader.close()
    _blame(made, made.damaged, "damaged stretches in the journal")
    _blame(made, uncounted, "messages in the journal are in no counts")
    return waiting


def _look_at_events(
    database: Connection, made: Audit, sent: Sent, numbers_in: NumbersIn, waiting: set[int]
) -> None:
    raws = [str(raw).encode() for (raw,) in _rows(database, "SELECT raw FROM event")]
    counts = Counter(number for raw in raws for number in numbers_in(raw))
    aside = _rows(database, "SELECT data FROM message WHERE reason = 'poison'")
    poisoned = {number for (data,) in aside for number in numbers_in(bytes(data))}  # type: ignore[call-overload]
    made.events, made.poisoned = len(raws), len(poisoned)
    made.found = frozenset(counts.keys() | poisoned | waiting)
    made.lost = _blame(
        made, len(sent.acknowledged - made.found), "messages are lost that were accepted"
    )
    made.doubled = _blame(
        made, sum(count > 1 for count in counts.values()), "events are there twice"
    )
    _blame(made, len(made.found - sent.times.keys()), "events that nobody sent")


def _look_at_messages(database: Connection, made: Audit, sent: Sent, numbers_in: NumbersIn) -> None:
    """Allow a message as often as it was sent: whoever heard no answer sends again."""
    datas = _rows(database, "SELECT data FROM message WHERE data IS NOT NULL")
    counts = Counter(number for (data,) in datas for number in numbers_in(bytes(data)))  # type: ignore[call-overload]
    made.messages = len(datas)
    more = sum(count > sent.times.get(number, 0) for number, count in counts.items())
    _blame(made, more, "messages are there more often than they were sent")


def _look_at_cases(database: Connection, made: Audit) -> None:
    keys = "cluster, owner, store, identity, claimed"
    rows = _rows(database, f'SELECT {keys}, occurrences FROM "case"')  # noqa: S608 -- our words
    made.cases = len(rows)
    _blame(made, len(rows) - len({row[:-1] for row in rows}), "cases are there twice")
    events = Counter(_rows(database, f"SELECT {keys} FROM event"))  # noqa: S608 -- our words
    wrong = sum(row[-1] != events[row[:-1]] for row in rows)
    _blame(made, wrong, "cases count other than their events")
    _blame(made, len(events.keys() - {row[:-1] for row in rows}), "cases of events are missing")


def _look_at_books(database: Connection, made: Audit) -> None:
    """Each input's books must balance, and say of each place what rows are there."""
    for name, place, total in _rows(database, "SELECT input, place, total FROM ledger"):
        sign = 1 if place == "received" else -1
        made.books[str(name)] = made.books.get(str(name), 0) + sign * int(str(total))
    off = {name: difference for name, difference in made.books.items() if difference}
    if off:
        made.faults.append(f"the books do not balance: {off}")
    told = dict(
        _rows(database, "SELECT place, sum(total) FROM ledger WHERE input <> 'journal' "
              "AND place IN ('case', 'duplicate', 'evidence', 'quarantined') GROUP BY place")
    )  # fmt: skip
    there = dict(_rows(database, "SELECT place, count(*) FROM message GROUP BY place"))
    if {place: int(str(total)) for place, total in told.items() if total} != there:
        made.faults.append(f"the books say {told}, the rows {there}")

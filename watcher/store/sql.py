"""The store: one transaction at a time, and what can be done in it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from sqlalchemy import Connection, func, select, update

from watcher.model.case import Act, Case, CaseEvent, CaseKey, Crossing, Transition
from watcher.model.ledger import Line
from watcher.model.message import Position
from watcher.ports import EvidenceRow, Heard, StoredMessage, StoredPlan
from watcher.store import bulk, caserows, rows, tables
from watcher.store.connection import Database
from watcher.store.fetch import Damage, Fetcher
from watcher.store.rows import Values
from watcher.store.values import INPUT, case_digest, chunks, text, unique_key


class SqlUnit:
    """One transaction. Every bulk is one statement run many times: no statement grows."""

    def __init__(self, connection: Connection, damage: Damage) -> None:
        self._connection = connection
        self._fetch = Fetcher(connection, damage)

    def cursor(self, journal: str) -> Position:
        """Return up to where a journal has been taken in; 0 before the first time."""
        statement = select(tables.cursor.c.position).where(
            tables.cursor.c.journal == text(journal, INPUT)
        )
        return Position(self._connection.execute(statement).scalar() or 0)

    def move_cursor(self, journal: str, position: Position) -> None:
        """State up to where a journal has been taken in."""
        values: Values = {"journal": text(journal, INPUT), "position": position}
        bulk.replace(self._connection, tables.cursor, [values], ("journal",))

    def keep(self, messages: Sequence[StoredMessage]) -> None:
        """Insert messages; one whose id is there already is replaced (a replay)."""
        values = [rows.message_to_row(one) for one in messages]
        bulk.replace(self._connection, tables.message, values, ("journal", "position"))

    def known(self, keys: Collection[str]) -> Mapping[str, CaseKey | None]:
        """Return which event keys (of cases: with the case; of evidence: None) are stored."""
        asked = {unique_key(key): key for key in keys}
        found: dict[str, CaseKey | None] = {}
        columns = (tables.event.c[name] for name in ("id", "key", *caserows.KEY_COLUMNS))
        events, evidence = select(*columns), select(tables.evidence.c.id, tables.evidence.c.key)
        for chunk in chunks(asked):
            chosen = evidence.where(tables.evidence.c.key.in_(chunk))
            pairs = self._fetch.all(chosen, tables.evidence, lambda row: (row.key, None))
            found |= {asked[key]: None for key, _ in pairs}
            known = events.where(tables.event.c.key.in_(chunk))
            with_case = self._fetch.all(
                known, tables.event, lambda row: (row.key, caserows.key_from_row(row))
            )
            found |= {asked[key]: case_key for key, case_key in with_case}
        return found

    def cases(self, keys: Collection[CaseKey]) -> Mapping[CaseKey, Case]:
        """Return the stored cases among these."""
        found: dict[CaseKey, Case] = {}
        for chunk in chunks(keys):
            asked = {case_digest(key): key for key in chunk}
            statement = select(tables.case).where(tables.case.c.case_key.in_(asked))
            for one in self._fetch.all(statement, tables.case, caserows.case_from_row):
                key = asked[case_digest(one.key)]
                found[key] = one if one.key == key else replace(one, key=key)
        return found

    def add_events(self, events: Sequence[CaseEvent]) -> None:
        """Insert events; one whose key is there already changes nothing."""
        bulk.add(self._connection, tables.event, [caserows.event_to_row(event) for event in events])

    def add_evidence(self, evidence: Sequence[EvidenceRow]) -> None:
        """Insert evidence; one whose key is there already changes nothing."""
        bulk.add(self._connection, tables.evidence, [rows.evidence_to_row(row) for row in evidence])

    def save(self, cases: Sequence[Case]) -> None:
        """Insert or replace cases by their key."""
        values = [caserows.case_to_row(one) for one in cases]
        numbers = self._numbers([one["case_key"] for one in values])
        for one in values:
            one["id"] = numbers[one["case_key"]]
        bulk.replace(self._connection, tables.case, values, ("case_key",))

    def _numbers(self, keys: Sequence[str]) -> dict[str, int]:
        """Return the number of each case; writers are serial, so that none is given twice."""
        table = tables.case
        found: dict[str, int] = {}
        for chunk in chunks(keys):
            statement = select(table.c.case_key, table.c.id).where(table.c.case_key.in_(chunk))
            found |= {row.case_key: row.id for row in self._connection.execute(statement)}
        if len(found) < len(set(keys)):
            last = self._connection.execute(select(func.max(table.c.id))).scalar() or 0
            new = (key for key in dict.fromkeys(keys) if key not in found)
            found |= {key: last + at for at, key in enumerate(list(new), start=1)}
        return found

    def add_transitions(self, transitions: Sequence[Transition]) -> None:
        """Append to the histories."""
        bulk.append(
            self._connection,
            tables.transition,
            [caserows.transition_to_row(one) for one in transitions],
        )

    def add_crossings(self, crossings: Sequence[Crossing], round_: Mapping[CaseKey, int]) -> None:
        """Insert crossings, unique by case, round and days."""
        values = [caserows.crossing_to_row(one, round_[one.case]) for one in crossings]
        bulk.add(self._connection, tables.crossing, values)

    def add_act(self, act: Act) -> None:
        """Append what a person did."""
        bulk.append(self._connection, tables.act, [caserows.act_to_row(act)])

    def count(self, lines: Sequence[Line]) -> None:
        """Add to the books."""
        bulk.count(self._connection, [rows.line_to_row(line) for line in lines])

    def hear(self, heard: Sequence[Heard]) -> None:
        """Note who was heard; the later time wins, counts add up."""
        bulk.hear(self._connection, [rows.heard_to_row(row) for row in heard])

    def add_plan(self, plan: StoredPlan) -> bool:
        """Insert a plan unless its cluster's newest has this digest; tell whether it was new."""
        table, values = tables.plan, rows.plan_to_row(plan)
        newest = (
            select(table.c.id, table.c.digest, table.c.draft)
            .where(table.c.cluster == values["cluster"])
            .order_by(table.c.id.desc())
            .limit(1)
        )
        found = self._connection.execute(newest).first()
        if found is not None and found.digest == values["digest"]:
            # The same plan may have another ticket: a slot was found, or there was none before.
            if values["draft"] not in (None, found.draft):
                same = update(table).where(table.c.id == found.id)
                self._connection.execute(same.values(draft=values["draft"]))
            return False
        bulk.append(self._connection, table, [values])
        return True


class SqlStore:
    """The only room that knows SQL: hands out transactions, one at a time."""

    def __init__(self, database: Database, damage: Damage) -> None:
        self._database = database
        self._damage = damage

    @contextmanager
    def transaction(self) -> Iterator[SqlUnit]:
        """Begin a transaction that is serial with all others; commits at its end."""
        with self._database.writing() as connection:
            yield SqlUnit(connection, self._damage)

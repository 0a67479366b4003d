"""Fetches rows so that one damaged row does not hide the others."""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, Select, Table
from sqlalchemy.exc import DataError

from watcher.errors import one_line
from watcher.store.reading import BadRow

logger = logging.getLogger(__name__)

T = TypeVar("T")
REMEMBERED = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class DamagedRow:
    """A row that was skipped: in which table, under which primary key, and why."""

    table: str
    key: str
    problem: str


class Damage:
    """The damaged rows that were met: logged once each; up to 1,000 are remembered."""

    def __init__(self) -> None:
        self._met: dict[tuple[str, str], DamagedRow] = {}
        self._lock = threading.Lock()

    def rows(self) -> Sequence[DamagedRow]:
        """Return what was met, in order of table and key."""
        with self._lock:
            return [self._met[at] for at in sorted(self._met)]

    def note(self, table: Table, key: str, problem: str) -> None:
        """Remember a damaged row, and say so when it is new: nobody else will."""
        row = DamagedRow(table=table.name, key=key, problem=one_line(problem))
        with self._lock:
            if (table.name, key) in self._met or len(self._met) >= REMEMBERED:
                return
            self._met[table.name, key] = row
        logger.error("row %s of table %s is damaged and left out: %s", row.key, row.table,
                     row.problem, extra={"action": "damaged_row"})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fetcher:
    """One connection that reads, and where damaged rows are noted."""

    connection: Connection
    damage: Damage

    def all(self, statement: Select[Any], table: Table, make: Callable[[Row[Any]], T]) -> list[T]:
        """Return what `make` makes of each row; rows that it refuses are noted and left out."""
        made = []
        for row in self._rows(statement, table):
            try:
                made.append(make(row))
            except BadRow as error:
                self.damage.note(table, _key_of(row, table), str(error))
        return made

    def first(
        self, statement: Select[Any], table: Table, make: Callable[[Row[Any]], T]
    ) -> T | None:
        """Return the first row that can be read."""
        return next(iter(self.all(statement, table, make)), None)

    def _rows(self, statement: Select[Any], table: Table) -> Sequence[Row[Any]]:
        try:
            return self.connection.execute(statement).all()
        except DataError:  # a value that the driver itself cannot read: PostgreSQL's infinity
            return self._one_by_one(statement, table)

    def _one_by_one(self, statement: Select[Any], table: Table) -> list[Row[Any]]:
        columns = list(table.primary_key.columns)
        keys = self.connection.execute(statement.with_only_columns(*columns)).all()
        rows: list[Row[Any]] = []
        for key in keys:
            one = statement.where(*(c == v for c, v in zip(columns, key, strict=True)))
            try:
                rows += self.connection.execute(one).all()
            except DataError as error:
                self.damage.note(table, "/".join(map(str, key)), str(error.orig).splitlines()[0])
        return rows


def _key_of(row: Row[Any], table: Table) -> str:
    values = row._mapping  # noqa: SLF001 -- the public name of a row by column
    return "/".join(one_line(str(values.get(column))) for column in table.primary_key.columns)

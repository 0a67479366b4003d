"""Statements that are run with many rows: built once, and handed to SQLite's driver directly.

SQLAlchemy looks at every value of every row again; for 500 rows of 40 columns that costs twice
what SQLite itself does.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Dialect, Table, case, insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import Insert

from watcher.store.caserows import KEY_COLUMNS
from watcher.store.rows import Values
from watcher.store.tables import heard, ledger

Rows = Sequence[Values]
FIXED = {"id", *KEY_COLUMNS}
"""Columns that are not written again: no index is built anew over them."""


def append(connection: Connection, table: Table, values: Rows) -> None:
    """Insert rows."""
    _run(connection, _plain(table), values)


def add(connection: Connection, table: Table, values: Rows) -> None:
    """Insert rows; those whose key is there already change nothing."""
    _run(connection, _ignoring(table, connection.dialect.name), values)


def replace(connection: Connection, table: Table, values: Rows, key: tuple[str, ...]) -> None:
    """Insert rows; where the key is there already, replace what may have changed."""
    _run(connection, _replacing(table, connection.dialect.name, key), values)


def count(connection: Connection, values: Rows) -> None:
    """Add to the ledger."""
    _run(connection, _counting(connection.dialect.name), values)


def hear(connection: Connection, values: Rows) -> None:
    """Add to the sources; the later time wins."""
    _run(connection, _hearing(connection.dialect.name), values)


def _run(connection: Connection, statement: Insert, values: Rows) -> None:
    if not values:
        return
    if connection.dialect.name != "sqlite":
        connection.execute(statement, values)
        return
    sql, to_tuple = _driver_form(statement, connection.dialect, tuple(values[0]))
    connection.exec_driver_sql(sql, [to_tuple(one) for one in values])


@lru_cache(maxsize=64)
def _driver_form(
    statement: Insert, dialect: Dialect, names: tuple[str, ...]
) -> tuple[str, Callable[[Values], tuple[Any, ...]]]:
    """Return the SQL, and what makes a row its parameters."""
    compiled = statement.compile(dialect=dialect, column_keys=list(names))
    order = compiled.positiontup or []
    columns = statement.table.columns
    converters = [
        (at, columns[name].type.dialect_impl(dialect).bind_processor(dialect))
        for at, name in enumerate(order)
    ]
    needed = [(at, convert) for at, convert in converters if convert is not None]
    pick = itemgetter(*order)

    def to_tuple(values: Values) -> tuple[Any, ...]:
        made = list(pick(values))
        for at, convert in needed:
            made[at] = convert(made[at])
        return tuple(made)

    return str(compiled), to_tuple


def _upsert(table: Table, dialect: str) -> sqlite.Insert | postgresql.Insert:
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


@lru_cache(maxsize=32)
def _plain(table: Table) -> Insert:
    return insert(table)


@lru_cache(maxsize=32)
def _ignoring(table: Table, dialect: str) -> Insert:
    return _upsert(table, dialect).on_conflict_do_nothing()


@lru_cache(maxsize=32)
def _replacing(table: Table, dialect: str, key: tuple[str, ...]) -> Insert:
    statement = _upsert(table, dialect)
    names = [name for name in table.columns.keys() if name not in {*key, *FIXED}]  # noqa: SIM118 -- no dict
    return statement.on_conflict_do_update(
        index_elements=list(key), set_={name: statement.excluded[name] for name in names}
    )


@lru_cache(maxsize=2)
def _counting(dialect: str) -> Insert:
    statement = _upsert(ledger, dialect)
    return statement.on_conflict_do_update(
        index_elements=["input", "place", "reason"],
        set_={"total": ledger.c.total + statement.excluded.total},
    )


@lru_cache(maxsize=2)
def _hearing(dialect: str) -> Insert:
    statement = _upsert(heard, dialect)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["source", "input"],
        set_={
            "total": heard.c.total + new.total,
            "last": case((new.last > heard.c.last, new.last), else_=heard.c.last),
        },
    )

"""One database, opened as it must be: durable, in UTC, with bounded waits, one writer at a time.

A fault of the database leaves this module as StoreUnavailable, in words without URL or values.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    NotSupportedError,
    ProgrammingError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from watcher import crash
from watcher.errors import InputError, StoreUnavailable, extra, one_line
from watcher.store import postgres, sqlite

OURS = (IntegrityError, DataError, ProgrammingError, NotSupportedError)
"""Faults of this program, not of the database: they are not worth another try."""
WANTED = "sqlite:////var/lib/watcher/watcher.db or postgresql://user@host/watcher"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How long the store waits, in seconds (facts: a lock is waited for, never for ever)."""

    lock_seconds: float = 20
    """For another writer: SQLite's busy time-out, PostgreSQL's lock_timeout."""
    statement_seconds: float = 60
    """For one statement (PostgreSQL)."""
    check_seconds: float = 5
    """For looking for damage at the start (SQLite); what was not looked at is not said."""
    application: str = "watcher"
    """How the session calls itself (PostgreSQL)."""


SHOWN = {"host", "hostaddr", "port", "dbname", "user", "sslmode", "target_session_attrs"}
"""Parameters of a URL that an error may repeat."""
DEFAULT = Options()


def parse_url(url: str) -> URL:
    """Read a database URL; InputError, without the URL's secrets, when it is none of ours."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise InputError("the database URL cannot be read", expected=WANTED) from None
    kind = parsed.get_backend_name()
    if kind == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if kind != "sqlite":
        raise InputError(f"{kind} is not a database that watcher knows", expected=WANTED)
    if not parsed.database or parsed.database == ":memory:":
        raise InputError("the database needs a file", expected=WANTED)
    return parsed.set(drivername="sqlite")


def sqlite_file(url: str) -> Path | None:
    """Return the file that a URL names; None for PostgreSQL."""
    parsed = parse_url(url)
    return Path(parsed.database or "") if parsed.get_backend_name() == "sqlite" else None


class Database:
    """The connections to one database; safe to use from any thread, not across a fork."""

    def __init__(self, url: str, options: Options = DEFAULT) -> None:
        self.options = options
        self.url = parse_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        query = self.url.normalized_query
        self._hidden = [value for name in query.keys() - SHOWN for value in query[name]]
        self.engine = _engine(self.url, options)
        writing: dict[str, Any] = {"watcher_writes": True}
        reading: dict[str, Any] = {}
        if not self.is_sqlite:
            writing["isolation_level"] = "READ COMMITTED"
            reading |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        self._writing = self.engine.execution_options(**writing)
        self._reading = self.engine.execution_options(**reading)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Begin a transaction that is serial with all others; commit at the end."""
        with self.guard(), self._writing.connect() as connection:
            yield connection
            crash.point("store-before-commit")
            self._commit(connection)
            crash.point("store-after-commit")

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Begin a transaction that sees one state and changes nothing."""
        with self.guard(), self._reading.connect() as connection:
            yield connection

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Turn the database's faults into StoreUnavailable."""
        try:
            yield
        except DBAPIError as error:
            if _is_ours(error):
                raise
            raise StoreUnavailable(self.told(error)) from None
        except PoolTimeoutError:
            raise StoreUnavailable("no connection to the database became free") from None

    def _commit(self, connection: Connection) -> None:
        if not self.is_sqlite and postgres.is_broken(connection):
            raise StoreUnavailable("a statement of the transaction failed; nothing was committed")
        try:
            connection.commit()
        except DBAPIError as error:
            if _is_ours(error):
                raise
            raise StoreUnavailable(
                f"what became of a commit is unknown: {self.told(error)}"
            ) from None

    def told(self, error: SQLAlchemyError) -> str:
        """Return the first line of a fault, without secrets."""
        text = str(error.orig if isinstance(error, DBAPIError) else error).strip()
        text = one_line(text.partition("\n")[0]) or type(error).__name__
        for secret in filter(None, [self.url.password, *self._hidden]):
            text = text.replace(str(secret), "***")
        return re.sub(r"(password\s*=\s*)\S+", r"\1***", text)

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()


def _is_ours(error: DBAPIError) -> bool:
    return isinstance(error, OURS) and not error.connection_invalidated


def _closing(prepare: Callable[[Any, object], None]) -> Callable[[Any, object], None]:
    """Close a new connection that cannot be made what it must be; the pool would forget it."""

    def connect(connection: Any, record: object) -> None:  # noqa: ANN401 -- either driver's
        try:
            prepare(connection, record)
        except BaseException:
            connection.close()
            raise

    return connect


_POOL: dict[str, Any] = {"hide_parameters": True, "pool_size": 4, "max_overflow": 4}


def _engine(url: URL, options: Options) -> Engine:
    on_sqlite = url.get_backend_name() == "sqlite"
    engine = _sqlite(url, options) if on_sqlite else _postgres(url, options)
    event.listen(engine, "begin", sqlite.begin if on_sqlite else postgres.begin)
    return engine


def _sqlite(url: URL, options: Options) -> Engine:
    engine = create_engine(url, pool_timeout=options.lock_seconds, **_POOL)
    event.listen(engine, "connect", _closing(sqlite.prepare(options.lock_seconds)))
    return engine


def _postgres(url: URL, options: Options) -> Engine:
    told = {"connect_timeout": 10, "application_name": options.application}
    try:
        engine = create_engine(url, pool_pre_ping=True, connect_args=told, **_POOL)
    except ModuleNotFoundError:
        raise InputError(
            "PostgreSQL needs the psycopg package", expected=extra("postgres")
        ) from None
    prepare = postgres.prepare(options.lock_seconds, options.statement_seconds)
    event.listen(engine, "connect", _closing(prepare))
    return engine

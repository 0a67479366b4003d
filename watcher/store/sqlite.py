"""What a session on SQLite must be: WAL, every commit synced, foreign keys, a bounded wait.

The driver's own transactions are off. Each begins here, and a writing one begins with its lock:
a read that turns into a write later loses updates without an error.
"""

import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from sqlalchemy import Connection

from watcher.errors import InputError, StoreUnavailable

SETTINGS = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "cell_size_check": 1}
_STEPS = 100_000
"""Virtual machine steps between two looks at the clock; some milliseconds."""


def prepare(lock_seconds: float) -> Callable[[sqlite3.Connection, object], None]:
    """Return what is done with each new connection."""

    def connect(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None
        connection.text_factory = _lenient
        connection.execute(f"PRAGMA busy_timeout = {int(lock_seconds * 1000)}")
        if not connection.execute("PRAGMA page_count").fetchone()[0]:
            # Heard only by an empty file, and it takes the writer's lock, so not every time.
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        for name, value in SETTINGS.items():
            connection.execute(f"PRAGMA {name} = {value}")
            if connection.execute(f"PRAGMA {name}").fetchone()[0] != value:
                raise sqlite3.OperationalError(f"PRAGMA {name} = {value} was not heard")

    return connect


def _lenient(data: bytes) -> str:
    """Decode a text; a damaged one must not hide the rows behind it."""
    return data.decode("utf-8", "surrogateescape")


def begin(connection: Connection) -> None:
    """Begin a transaction; a writing one at once with the lock."""
    writes = connection.get_execution_options().get("watcher_writes")
    connection.exec_driver_sql(f"PRAGMA query_only = {not writes:d}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def shrink(connection: sqlite3.Connection) -> None:
    """Give free pages (2,000 at a time, 8 MB) back to the file system, and empty the log.

    Readers may be in the way: then a part of it, after a fifth of a second.
    """
    with suppress(sqlite3.OperationalError):  # locked: next time
        connection.executescript(
            "PRAGMA busy_timeout = 200; PRAGMA incremental_vacuum(2000);"
            "PRAGMA wal_checkpoint(TRUNCATE);"
        )


def look_for_damage(file: Path, seconds: float) -> None:
    """Refuse a damaged file; stop looking, without a complaint, after `seconds`."""
    if not file.exists():
        return
    ends = time.monotonic() + seconds
    try:
        connection = sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True)
    except sqlite3.Error as error:
        raise StoreUnavailable(f"{file}: {error}") from None
    try:
        connection.set_progress_handler(lambda: time.monotonic() > ends, _STEPS)
        found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.OperationalError as error:
        if "interrupted" in str(error):
            return
        raise StoreUnavailable(f"{file}: {error}") from None
    except sqlite3.DatabaseError as error:
        raise InputError(f"{file} is damaged: {error}", expected=_CURE) from None
    finally:
        connection.close()
    if found != "ok":
        raise InputError(f"{file} is damaged: {found}", expected=_CURE)


_CURE = "a sound database: restore a backup, or move the file away and replay the journal"

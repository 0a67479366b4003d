"""Keeps the database bounded: what says least goes first, and findings never.

Cases, their events (each with its own record) and their histories stay for good. Of messages the
repeats go first; those that told something new lose their bytes and keep their row, so that a
person still finds them. Work is done in small transactions, so that a batch never waits long.
"""

import time
from dataclasses import dataclass, field
from datetime import datetime
from sqlite3 import Connection
from typing import cast

from watcher.store import sqlite
from watcher.store.connection import Database
from watcher.store.weights import Gone, Keep, Step, by_time, by_weight, content

DEFAULT = Keep()


@dataclass(slots=True)
class Swept:
    """What one sweep did."""

    removed: dict[str, int] = field(default_factory=dict)
    """Rows by what they were: `repeats`, `quarantine`, `plans`, ..."""
    size: int = 0
    """Bytes in use afterwards: pages of SQLite, an estimate of the content of PostgreSQL."""
    more: bool = False
    """The time was up; sweep again soon."""
    over: bool = False
    """Above the quota, and nothing is left that may go: a person must act."""


class SqlRetention:
    """Sweeps; only the leader does."""

    def __init__(self, database: Database, keep: Keep = DEFAULT) -> None:
        self._database = database
        self._keep = keep

    def sweep(self, now: datetime, seconds: float = 5) -> Swept:
        """Remove what is past its time or over the quota, for about so many seconds."""
        swept = Swept()
        ends = time.monotonic() + seconds
        for step in by_time(self._keep, now):
            while self._run(step, swept).rows >= self._keep.chunk:
                if time.monotonic() > ends:
                    swept.more = True
                    break
        self._fit(swept, ends)
        if self._database.is_sqlite:
            self._give_back()
        swept.size = self.size()
        swept.over = swept.size > self._keep.bytes and not swept.more
        return swept

    def size(self) -> int:
        """Return the bytes in use."""
        with self._database.reading() as connection:
            if not self._database.is_sqlite:
                return content(connection)
            used, free, size = (
                connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
                for name in ("page_count", "freelist_count", "page_size")
            )
            return int((used - free) * size)

    def _run(self, step: Step, swept: Swept) -> Gone:
        with self._database.writing() as connection:
            gone = step.remove(connection, self._keep.chunk)
        if gone.rows:
            swept.removed[step.name] = swept.removed.get(step.name, 0) + gone.rows
        return gone

    def _fit(self, swept: Swept, ends: float) -> None:
        """Remove messages before their time, until the quota holds."""
        excess = self.size() - self._keep.bytes
        for step in by_weight():
            gone = None
            while excess > 0 and (gone is None or gone.rows):
                if time.monotonic() > ends:
                    swept.more = True
                    return
                gone = self._run(step, swept)
                excess -= gone.size

    def _give_back(self) -> None:
        """Shrink SQLite's files as far as nobody is in the way."""
        with self._database.guard():
            raw = self._database.engine.raw_connection()
            try:
                sqlite.shrink(cast("Connection", raw.dbapi_connection))
            finally:
                raw.invalidate()  # its time-out is not ours

"""Brings a database to the tables of this program, all or nothing, with a backup before."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, event, inspect

from watcher import crash
from watcher.errors import InputError, StoreUnavailable
from watcher.store.connection import DEFAULT, Database, Options

SCRIPTS = Path(__file__).parent / "migrations"


def head(scripts: Path = SCRIPTS) -> str:
    """Return the revision of the tables that this program knows."""
    return ScriptDirectory(str(scripts)).get_current_head() or ""


def migrate(url: str, options: Options = DEFAULT, scripts: Path = SCRIPTS) -> Path | None:
    """Bring the database to this program's tables; return the backup, if one was made.

    Everything happens in one transaction: a crash at any instant leaves the old tables. A database
    that is newer than this program is refused (InputError), and so is one that is not watcher's.
    """
    database = Database(url, options)
    try:
        with database.reading() as connection:
            before = revision_of(connection)
        refuse_newer(before, scripts)
        if before == head(scripts):
            return None
        kept = _back_up(Path(database.url.database or ""), before) if database.is_sqlite else None
        _upgrade(database, scripts)
        return kept
    finally:
        database.close()


def revision_of(connection: Connection) -> str | None:
    """Return the revision of a database; None when it is empty."""
    found = MigrationContext.configure(connection).get_current_revision()
    if found is None and inspect(connection).get_table_names():
        raise InputError("the database holds tables that are not watcher's", expected="an own one")
    return found


def refuse_newer(revision: str | None, scripts: Path = SCRIPTS) -> None:
    """Refuse tables that this program does not know."""
    known = {script.revision for script in ScriptDirectory(str(scripts)).walk_revisions()}
    if revision is not None and revision not in known:
        raise InputError(
            f"the database was written by a newer watcher (its tables are at {revision})",
            expected=f"that watcher, or a database at {head(scripts)} or before",
        )


def _upgrade(database: Database, scripts: Path) -> None:
    """Run what is missing. SQLite rebuilds tables, so references are looked at afterwards."""
    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    with database.guard(), database.engine.connect() as raw:
        connection = raw.execution_options(watcher_writes=True)
        if database.is_sqlite:
            _without_references(connection)
        connection.begin()  # else Alembic begins, and commits before references are looked at
        if not database.is_sqlite:
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        event.listen(connection, "after_cursor_execute", _statement_done)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        if database.is_sqlite and connection.exec_driver_sql("PRAGMA foreign_key_check").all():
            raise StoreUnavailable("a migration would break references; nothing was changed")
        connection.commit()


def _without_references(connection: Connection) -> None:
    """Switch foreign keys off; SQLite hears that only between transactions."""
    driver = connection.connection.dbapi_connection
    if driver is not None:
        driver.execute("PRAGMA foreign_keys = OFF")


def _statement_done(*_: object) -> None:
    crash.point("in-migration")


def _back_up(file: Path, revision: str | None) -> Path | None:
    """Copy a database that holds something, old or new but never half, beside itself."""
    if revision is None:
        return None
    kept = file.with_name(f"{file.name}.{revision}.backup")
    half = kept.with_name(f"{kept.name}.half")
    half.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(half)) as target:
            source.backup(target)
        _sync(half)
        half.replace(kept)
        _sync(kept.parent)
    except (OSError, sqlite3.Error) as error:
        raise StoreUnavailable(f"no backup before the migration: {error}") from None
    return kept


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

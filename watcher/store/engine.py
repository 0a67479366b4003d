"""Opens the store: what the app calls."""

from collections.abc import Callable, Sequence
from pathlib import Path

from watcher.errors import InputError
from watcher.store.connection import DEFAULT, Database, Options, sqlite_file
from watcher.store.fetch import Damage, DamagedRow
from watcher.store.figures import SqlFigures
from watcher.store.lease import SqlLease, SqlRuns
from watcher.store.migrate import head, migrate, refuse_newer, revision_of
from watcher.store.outbox import SqlOutbox
from watcher.store.retention import SqlRetention
from watcher.store.sql import SqlStore
from watcher.store.sqlite import look_for_damage
from watcher.store.view import SqlView
from watcher.store.weights import Keep


class Store(SqlStore):
    """An open database with all its seams (`view`, `lease`, ...); safe to use from any thread."""

    def __init__(self, database: Database) -> None:
        self.damage = Damage()
        super().__init__(database, self.damage)
        self.database = database
        self.view = SqlView(database, self.damage)
        self.lease = SqlLease(database)
        self.runs = SqlRuns(database, self.damage)
        self.figures = SqlFigures(database, self.damage)
        self.outbox = SqlOutbox(database, self.damage)

    def retention(self, keep: Keep) -> SqlRetention:
        """Return what keeps the database bounded."""
        return SqlRetention(self.database, keep)

    def damaged_rows(self) -> Sequence[DamagedRow]:
        """Return the damaged rows that were met and skipped since the start."""
        return self.damage.rows()

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()


def open_store(
    url: str,
    options: Options = DEFAULT,
    network_name: Callable[[Path], str | None] = lambda _: None,
) -> Store:
    """Open a database for the daemon: look for damage, bring the tables up to date.

    `network_name` names the file system when a folder lies on a network; SQLite is refused there,
    because neither locks nor flushes can be relied on (D-10).
    """
    file = sqlite_file(url)
    if file is not None:
        _refuse_unfit(file, network_name)
        look_for_damage(file, options.check_seconds)
    migrate(url, options)
    return _opened(url, options)


def open_existing(url: str, options: Options = DEFAULT) -> Store:
    """Open a database for a command that asks or acts; creates and changes no table."""
    file = sqlite_file(url)
    if file is not None and not file.exists():
        raise InputError(f"{file} does not exist", expected="the database of a daemon that ran")
    return _opened(url, options)


def _opened(url: str, options: Options) -> Store:
    database = Database(url, options)
    try:
        with database.reading() as connection:
            _refuse_other(revision_of(connection))
    except BaseException:
        database.close()
        raise
    return Store(database)


def _refuse_other(revision: str | None) -> None:
    refuse_newer(revision)
    if revision != head():
        raise InputError(
            f"the tables of the database are at {revision or 'nothing'}",
            expected=f"{head()}; the daemon brings them up to date when it starts",
        )


def _refuse_unfit(file: Path, network_name: Callable[[Path], str | None]) -> None:
    folder = file.absolute().parent
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder", expected="a folder for the database")
    name = network_name(folder)
    if name:
        raise InputError(
            f"{folder} lies on {name}, a network file system",
            expected="a local folder for SQLite, or PostgreSQL",
        )

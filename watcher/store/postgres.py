"""What a session on PostgreSQL must be: synchronous commit, UTC, UTF-8, bounded waits.

Settings of server, database or role could say otherwise, so they are forced and looked at.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, text

from watcher.errors import InputError

OLDEST = 150000
WRITERS = 0x77617463686572
"""Advisory lock of every writing transaction: two instances fold one after the other."""

_LOOK = (
    "SELECT current_setting('synchronous_commit'), current_setting('TimeZone'), "
    "current_setting('server_encoding')"
)


def prepare(lock_seconds: float, statement_seconds: float) -> Callable[[Any, object], None]:
    """Return what is done with each new connection."""
    settings = {
        "synchronous_commit": "on",
        "TimeZone": "UTC",
        "client_encoding": "UTF8",
        "default_transaction_isolation": "read committed",
        "standard_conforming_strings": "on",
        "lock_timeout": f"{int(lock_seconds * 1000)}ms",
        "statement_timeout": f"{int(statement_seconds * 1000)}ms",
        "idle_in_transaction_session_timeout": f"{int(statement_seconds * 2000)}ms",
    }

    def connect(connection: Any, _: object) -> None:  # noqa: ANN401 -- psycopg is an extra
        if connection.info.server_version < OLDEST:
            raise InputError("the PostgreSQL server is too old", expected="15 or newer")
        connection.autocommit = True
        with connection.cursor() as cursor:
            for name, value in settings.items():
                cursor.execute("SELECT set_config(%s, %s, false)", (name, value))
            cursor.execute(_LOOK)
            found = cursor.fetchone()
        connection.autocommit = False
        if found != ("on", "UTC", "UTF8"):
            raise InputError(
                f"the PostgreSQL session has {', '.join(found)}",
                expected="synchronous_commit on, time zone UTC, a database in UTF8",
            )

    return connect


def begin(connection: Connection) -> None:
    """Wait for the other writers; the statements that follow see what they committed."""
    if connection.get_execution_options().get("watcher_writes"):
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": WRITERS})


def is_broken(connection: Connection) -> bool:
    """Tell whether a statement failed: then COMMIT would roll back and say nothing."""
    info = connection.connection.dbapi_connection.info  # type: ignore[union-attr]
    return bool(info.transaction_status == info.transaction_status.INERROR)

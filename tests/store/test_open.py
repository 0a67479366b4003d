"""Opening: what is refused, in which words, and what a session then is."""

import os
import sqlite3
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from store import samples

from watcher.errors import InputError, StoreUnavailable
from watcher.store.connection import Database, Options, parse_url
from watcher.store.engine import open_existing, open_store

SECRET = "hunter2hunter2"  # noqa: S105 -- looked for in errors


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("nonsense", "cannot be read"),
        (f"mysql://u:{SECRET}@h/d", "mysql is not a database that watcher knows"),
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
        (f"//{SECRET}@", "cannot be read"),
    ],
)
def test_an_address_that_is_none_of_ours_is_refused(url, told):
    with pytest.raises(InputError, match=told) as caught:
        open_store(url)

    assert SECRET not in str(caught.value)


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(InputError, match=r"nowhere is no folder"):
        open_store(f"sqlite:///{tmp_path}/nowhere/watcher.db")


def test_a_network_file_system_is_refused(tmp_path):
    with pytest.raises(InputError, match="nfs4, a network file system"):
        open_store(f"sqlite:///{tmp_path}/watcher.db", network_name=lambda _: "nfs4")

    assert list(tmp_path.iterdir()) == []


def test_a_command_creates_no_database(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        open_existing(f"sqlite:///{tmp_path}/watcher.db")

    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_told_and_left_alone(tmp_path):
    file = tmp_path / "watcher.db"
    file.write_bytes(b"these are somebody's notes\n" * 99)
    with pytest.raises(InputError, match="is damaged: file is not a database"):
        open_store(f"sqlite:///{file}")

    assert file.read_bytes().startswith(b"these are")


def test_a_damaged_file_is_told_at_the_start(tmp_path):
    """Each page is overwritten with noise in turn; no traceback, whatever it held."""
    url = f"sqlite:///{tmp_path}/watcher.db"
    store = open_store(url)
    with store.transaction() as unit:
        unit.keep([samples.message(at, data=bytes(3000)) for at in range(20)])
    store.close()
    file = tmp_path / "watcher.db"
    sound = file.read_bytes()
    refused = 0
    for page in range(len(sound) // 4096):
        noise = sound[: page * 4096] + os.urandom(4096) + sound[(page + 1) * 4096 :]
        file.write_bytes(noise)
        try:
            open_store(url).close()
        except (InputError, StoreUnavailable) as error:
            assert "\n" not in str(error)  # noqa: PT017 -- some pages hold only bytes of messages
            refused += 1

    assert refused > len(sound) // 4096 * 0.6


def test_looking_for_damage_ends_in_time(tmp_path):
    url = f"sqlite:///{tmp_path}/watcher.db"
    store = open_store(url)
    with store.transaction() as unit:
        unit.keep([samples.message(at, data=bytes(2000)) for at in range(3000)])
    store.close()

    open_store(url, Options(check_seconds=0)).close()


def test_sessions_are_what_they_must_be(store):
    with store.transaction():
        pass
    with store.database.reading() as connection:
        if store.database.is_sqlite:
            asked = ("journal_mode", "synchronous", "foreign_keys", "auto_vacuum", "busy_timeout")
            found = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in asked]

            assert found == ["wal", 2, 1, 2, 20_000]
        else:
            asked = (
                "synchronous_commit", "TimeZone", "lock_timeout", "statement_timeout",
                "application_name", "transaction_isolation", "transaction_read_only",
            )  # fmt: skip
            found = [connection.exec_driver_sql(f"SHOW {name}").scalar() for name in asked]

            assert found == ["on", "UTC", "20s", "1min", "watcher", "repeatable read", "on"]


def test_settings_of_the_server_do_not_weaken_a_session(server):
    """Database and role say asynchronous commits in another zone; the session says otherwise."""
    server.execute("CREATE DATABASE weak TEMPLATE template0")
    server.execute("ALTER DATABASE weak SET synchronous_commit = off")
    server.execute("ALTER DATABASE weak SET TimeZone = 'Asia/Kolkata'")
    server.execute("ALTER DATABASE weak SET default_transaction_isolation = 'serializable'")
    store = open_store(server.url("weak"))
    with store.transaction() as unit:
        unit.keep([samples.message()])
    with store.database.writing() as connection:
        asked = ("synchronous_commit", "TimeZone", "transaction_isolation")
        found = [connection.exec_driver_sql(f"SHOW {name}").scalar() for name in asked]
    message = store.view.message(samples.message_id())
    store.close()

    assert found == ["on", "UTC", "read committed"]
    assert message == samples.message()


def test_a_database_of_another_encoding_is_refused(server):
    server.execute("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1'")

    with pytest.raises(InputError, match="LATIN1"):
        open_store(server.url("latin"))


def test_a_server_that_does_not_answer_is_a_fault_that_may_pass(tmp_path):
    url = f"postgresql://watcher:{SECRET}@/watcher?host={tmp_path}&passfile={SECRET}"
    with pytest.raises(StoreUnavailable) as caught:
        open_store(url)

    assert SECRET not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_reading_changes_nothing(store):
    with pytest.raises(Exception, match=r"(?i)read-?only"), store.database.reading() as connection:
        connection.execute(sa.text("DELETE FROM message"))


def test_an_address_names_the_driver_itself():
    parsed = parse_url("postgresql://u@h/d")

    assert parsed.drivername == "postgresql+psycopg"
    assert parse_url("postgresql+psycopg2://u@h/d").drivername == "postgresql+psycopg"


def test_a_relative_file_is_where_the_process_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    open_store("sqlite:///watcher.db").close()

    assert (tmp_path / "watcher.db").exists()
    assert sqlite3.connect(Path("watcher.db")).execute("SELECT 1").fetchone() == (1,)
    Database("sqlite:///watcher.db").close()


def test_postgresql_without_its_library_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(InputError, match=r"pip install -e '\.\[postgres\]'"):
        Database("postgresql+psycopg://db.example/watcher")

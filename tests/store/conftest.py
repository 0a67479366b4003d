"""Every test of the store runs on SQLite and on a PostgreSQL server that is started for it."""

import os
import shutil

import pytest
from store.server import OLDEST, Server, binaries, new_url, version

from watcher.store.engine import open_existing, open_store
from watcher.store.migrate import migrate
from watcher.store.tables import metadata


def started():
    folder = binaries()
    if folder is None or version(folder) < OLDEST:
        reason = f"no PostgreSQL {OLDEST} or newer is installed"
        if os.environ.get("REQUIRE_REAL"):
            pytest.fail(reason)
        pytest.skip(reason)
    pytest.importorskip("psycopg")
    server = Server(folder)
    server.start()
    return server


@pytest.fixture(scope="session")
def server():
    """Start a server for all tests that do not harm it."""
    server = started()
    yield server
    server.remove()


@pytest.fixture
def own_server():
    """Start a server to stop, kill and start again."""
    server = started()
    yield server
    server.remove()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request, tmp_path):
    """Give the address of an empty database, once of each kind."""
    return new_url(request.param, request, tmp_path)


@pytest.fixture(scope="session")
def sqlite_file(tmp_path_factory):
    """Make a database file to copy; that takes less time than to migrate each."""
    file = tmp_path_factory.mktemp("template") / "watcher.db"
    migrate(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def emptied(server):
    """Make a database on the server to empty before each test; one for each takes long."""
    server.execute("CREATE DATABASE emptied TEMPLATE template0")
    migrate(server.url("emptied"))
    return "emptied"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """Give the address of a database with tables and no rows, once of each kind."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_file"), tmp_path / "watcher.db")
        return f"sqlite:///{tmp_path}/watcher.db"
    name, server = request.getfixturevalue("emptied"), request.getfixturevalue("server")
    tables = ", ".join(f'"{table}"' for table in metadata.tables)
    server.execute(f"TRUNCATE {tables} RESTART IDENTITY", name)
    return server.url(name)


@pytest.fixture
def store(url):
    """Open a store without rows."""
    store = open_existing(url)
    yield store
    store.close()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared_store(request, tmp_path_factory):
    """Open a store for many examples; each works on rows of its own."""
    store = open_store(new_url(request.param, request, tmp_path_factory.mktemp("shared")))
    yield store
    store.close()

"""Every test of the store runs on SQLite and on a PostgreSQL server that is started for it."""

import os

import pytest
from store.server import OLDEST, Server, binaries, new_url, version

from watcher.store.engine import open_store


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
def url(request, tmp_path):
    """Give the address of an empty database, once of each kind."""
    return new_url(request.param, request, tmp_path)


@pytest.fixture
def store(url):
    """Open a store without rows."""
    store = open_store(url)
    yield store
    store.close()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared_store(request, tmp_path_factory):
    """Open a store for many examples; each works on rows of its own."""
    store = open_store(new_url(request.param, request, tmp_path_factory.mktemp("shared")))
    yield store
    store.close()

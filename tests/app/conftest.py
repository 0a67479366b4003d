"""A store for every test that wants one."""

import signal

import pytest
from app.bench import Bench
from app.desk import made_empty, store_in


@pytest.fixture(scope="session")
def empty(tmp_path_factory):
    """Return a database with tables and no rows."""
    return made_empty(tmp_path_factory.mktemp("empty"))


@pytest.fixture
def store(tmp_path, empty):
    """Return an open store without rows."""
    made = store_in(tmp_path, empty)
    yield made
    made.close()


@pytest.fixture
def bench(store, tmp_path):
    """Return a journal and a store for workers; the alarm clock is the test's again afterwards."""
    before = signal.getsignal(signal.SIGALRM)
    yield Bench(store, tmp_path)
    signal.signal(signal.SIGALRM, before)

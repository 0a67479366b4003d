"""Locks, full disks, restarts, cut commits: nothing is lost, nothing is doubled, nothing is raw."""

import itertools
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing, suppress

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from store import samples
from store.proxy import CommitCutter

from watcher.errors import StoreUnavailable
from watcher.model.ledger import Line, Place, Reason
from watcher.store.connection import Options
from watcher.store.engine import open_existing, open_store

RESTARTS = int(os.environ.get("RESTARTS", "10"))
PATIENCE = 120
"""Seconds that a caller goes on trying; far more than a restart takes."""


def take_in(store, batch, size=5):
    """Take in one batch as the worker does: with the cursor, and again until it is known."""
    ends = time.monotonic() + PATIENCE
    events = [samples.event(f"e{batch}-{number}") for number in range(size)]
    tried = 0
    while time.monotonic() < ends:
        tried += 1
        try:
            with store.transaction() as unit:
                if unit.cursor("main") < batch:
                    unit.save([samples.case()])
                    unit.add_events(events)
                    unit.count([Line("udp", Place.CASE, Reason.NONE, size)])
                    unit.move_cursor("main", samples.Position(batch))
        except StoreUnavailable as error:
            assert "\n" not in str(error)  # noqa: PT017 -- every one of them is looked at
            time.sleep(0.02)
        else:
            return tried
    raise TimeoutError


def assert_all_once(store, batches, size=5):
    keys = [row.key for row in store.view.events_of([samples.key()], newest=10**9)]

    assert sorted(keys) == sorted(f"e{b}-{n}" for b in range(1, batches + 1) for n in range(size))
    assert store.view.books() == [Line("udp", Place.CASE, Reason.NONE, batches * size)]


@pytest.fixture
def file(tmp_path):
    open_store(f"sqlite:///{tmp_path}/watcher.db").close()
    return tmp_path / "watcher.db"


def test_a_lock_that_stays_is_a_fault_that_may_pass(file):
    store = open_store(f"sqlite:///{file}", Options(lock_seconds=0.2))
    with closing(sqlite3.connect(file, isolation_level=None)) as shell:
        shell.execute("BEGIN IMMEDIATE")
        with (
            pytest.raises(StoreUnavailable, match=r"^database is locked$"),
            store.transaction() as u,
        ):
            u.keep([samples.message()])

        assert store.view.message(samples.message_id()) is None
    with store.transaction() as unit:
        unit.keep([samples.message()])
    store.close()


def test_a_lock_that_goes_is_waited_for(file):
    store = open_store(f"sqlite:///{file}")
    shell = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    shell.execute("BEGIN IMMEDIATE")
    letting_go = threading.Timer(0.5, shell.rollback)
    letting_go.start()
    with store.transaction() as unit:
        unit.keep([samples.message()])
    letting_go.join()
    shell.close()

    assert store.view.message(samples.message_id()) is not None
    store.close()


def test_a_full_disk_keeps_what_was_and_passes(file):
    store = open_store(f"sqlite:///{file}")
    with store.transaction() as unit:
        unit.keep([samples.message()])

    def limit(pages):
        store.database.engine.dispose()
        pragma = f"PRAGMA max_page_count = {pages}"
        event.listen(store.database.engine, "connect", lambda one, _: one.execute(pragma))

    limit(70)
    with pytest.raises(StoreUnavailable, match="full"), store.transaction() as unit:
        unit.keep([samples.message(at, data=bytes(4000)) for at in range(2, 200)])
    limit(10**6)

    assert store.view.message(samples.message_id(2)) is None
    with store.transaction() as unit:
        unit.keep([samples.message(2)])
    assert store.view.message(samples.message_id()) == samples.message()
    store.close()


KILLED = """
import sys
from store import samples
from watcher.store.engine import open_existing
with open_existing(sys.argv[1]).transaction() as unit:
    unit.keep([samples.message()])
    unit.move_cursor("main", 5)
"""


@pytest.mark.parametrize(("point", "cursor"), [("before", {}), ("after", {"main": 5})])
def test_a_process_killed_at_the_commit_keeps_all_or_nothing(store, url, point, cursor):
    environment = os.environ | {
        "WATCHER_CRASH_AT": f"store-{point}-commit",
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    killed = subprocess.run(  # noqa: S603 -- our own interpreter
        [sys.executable, "-c", KILLED, url], env=environment, check=False
    )

    assert killed.returncode == -signal.SIGKILL
    assert store.view.cursors() == cursor
    assert (store.view.message(samples.message_id()) is not None) == bool(cursor)


def test_a_swallowed_fault_does_not_pass_for_a_commit(store):
    """PostgreSQL answers COMMIT of a failed transaction with a roll-back, and no error."""
    if store.database.is_sqlite:
        pytest.skip("SQLite goes on after a failed statement")
    with (
        pytest.raises(StoreUnavailable, match="nothing was committed"),
        store.database.writing() as connection,
        suppress(sa.exc.DBAPIError),
    ):
        connection.exec_driver_sql("SELECT 1/0")


def test_a_writer_that_waits_too_long_for_another_is_told(store, url):
    if store.database.is_sqlite:
        pytest.skip("see the lock above")
    hasty = open_existing(url, Options(lock_seconds=0.2))
    with store.transaction() as unit:
        unit.cursor("main")
        with pytest.raises(StoreUnavailable, match="lock timeout"), hasty.transaction() as other:
            other.cursor("main")
    with hasty.transaction() as other:
        assert other.cursor("main") == 0
    hasty.close()


def test_restarts_of_the_server_lose_and_double_nothing(own_server):
    """Restart under load; every other time it is a crash."""
    own_server.execute("CREATE DATABASE load")
    store = open_store(own_server.url("load"))
    stop, done = threading.Event(), itertools.count(1)
    last = 0

    def load():
        nonlocal last
        while not stop.is_set():
            batch = next(done)
            take_in(store, batch)
            last = batch

    worker = threading.Thread(target=load)
    worker.start()
    for number in range(RESTARTS):
        reached = last
        while last < reached + 3:
            time.sleep(0.01)
        own_server.restart(signal.SIGQUIT if number % 2 else signal.SIGINT)
    stop.set()
    worker.join()

    assert_all_once(store, last)
    store.close()


def test_100_cut_commits_lose_and_double_nothing(server):
    """The connection breaks at COMMIT: before the server has it, or before we have the answer."""
    server.execute("CREATE DATABASE cut TEMPLATE template0")
    open_store(server.url("cut")).close()
    with CommitCutter(server, random.Random(15)) as cutter:  # noqa: S311 -- a seed, to repeat it
        store = open_existing(cutter.url("cut"))
        tries = [take_in(store, batch) for batch in range(1, 101)]
        store.close()
    store = open_existing(server.url("cut"))

    assert cutter.lost + cutter.unanswered >= 100
    assert min(cutter.lost, cutter.unanswered) > 20
    assert set(tries) == {2}
    assert_all_once(store, 100)
    store.close()


def test_sessions_ended_by_an_operator_lose_and_double_nothing(server):
    server.execute("CREATE DATABASE ended TEMPLATE template0")
    store = open_store(server.url("ended"))
    stop = threading.Event()
    ended = 0

    def end_sessions():
        nonlocal ended
        while not stop.wait(0.01):
            ended += len(server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = 'ended' AND application_name = 'watcher'"
            ))  # fmt: skip

    operator = threading.Thread(target=end_sessions)
    operator.start()
    batch = 0
    while ended < 30:
        batch += 1
        take_in(store, batch)
    stop.set()
    operator.join()

    assert_all_once(store, batch)
    store.close()

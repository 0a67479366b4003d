"""PostgreSQL as the database of the daemon; the server goes away in the middle (F-07)."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from killing.numbered import alarm, mail
from store.server import OLDEST, Server, binaries, version
from system.house import House, until

from watcher import seal
from watcher.store.engine import open_existing

NUMBERS = range(600)


@pytest.fixture(scope="module")
def server():
    """Start a server of our own."""
    folder = binaries()
    if folder is None or version(folder) < OLDEST:
        if os.environ.get("REQUIRE_REAL"):
            pytest.fail("no PostgreSQL")
        pytest.skip(f"no PostgreSQL {OLDEST} or newer is installed")
    pytest.importorskip("psycopg")
    made = Server(folder)
    made.start()
    made.execute("CREATE DATABASE system TEMPLATE template0")
    yield made
    made.remove()


def away(server, house):
    """Take the server away for a while, as a crash does; return what the daemon said of it."""
    server.stop(signal.SIGQUIT)
    until(lambda: house.worker().database_problem, "the status to say so", house)
    told = house.worker().database_problem, house.page("/readyz")[1]
    server.start()
    return told


def send(house):
    """Send all numbers, a few at a time, over three ways."""
    for first in range(0, len(NUMBERS), 30):
        house.udp(*map(alarm, range(first, first + 10)))
        house.tcp(*map(alarm, range(first + 10, first + 20)))
        assert {250} == set(house.smtp(*map(mail, range(first + 20, first + 30))))
        time.sleep(0.2)


def test_a_server_that_goes_away_loses_and_doubles_nothing(server, shared_folder):
    url = server.url("system").replace("postgresql:", "postgresql+psycopg:")
    house = House(shared_folder / "house", {"database": {"url": url}})
    try:
        house.start()
        with ThreadPoolExecutor(1) as pool:
            sending = pool.submit(send, house)
            house.taken_in(30)
            problem, ready = away(server, house)
            sending.result()
        house.taken_in(len(NUMBERS))
        until(lambda: not house.worker().database_problem, "the database to be well", house)
        until(lambda: house.worker().plans_drawn, "a plan", house)
        status = house.stop()
        made = house.audit(NUMBERS, url)
        store = open_existing(url)
        plan = store.view.newest_plan("numbered")
        store.close()
    finally:
        house.clear()

    assert problem
    assert '"ok": false' in ready
    assert (0, [], len(NUMBERS)) == (status, made.faults, made.events)
    assert seal.verify(plan.document).intact
    assert [] == house.faults()

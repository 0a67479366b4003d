"""Faults that last: a locked database, a full disk, a stage that stands still.

Most of the time they only wait, so all three are told at once and looked at afterwards.
"""

import signal
import socket
import sqlite3
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from killing.numbered import alarm, mail
from system.house import House, until

LOCKED = 20
"""Seconds that another process holds the database."""
RATE = 200
MESSAGES = LOCKED * RATE
LOCKER = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=60)
database.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
"""


@dataclass
class Told:
    """What was seen of a fault."""

    audit: object = None
    status: int | None = None
    faults: list = field(default_factory=list)
    problems: set = field(default_factory=set)
    codes: list = field(default_factory=list)
    seen: dict = field(default_factory=dict)


def told(house, story):
    """Tell a story and end in order; whatever is left is killed."""
    seen = Told()
    try:
        numbers = story(house, seen)
        seen.status = house.stop()
        seen.faults = house.faults()
        seen.audit = house.audit(numbers)
    finally:
        house.clear()
    return seen


def locked_database(house, seen):
    house.start()
    file = str(house.state / "watcher.db")
    with subprocess.Popen(  # noqa: S603 -- ours
        ["/usr/bin/env", "python3", "-c", LOCKER, file],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as locker:  # fmt: skip
        locker.stdout.readline()
        begin = time.monotonic()
        for number in range(MESSAGES):
            house.udp(alarm(number))
            time.sleep(max(0.0, begin + (number + 1) / RATE - time.monotonic()))
            if number % RATE == 0:
                seen.problems.add(bool(house.worker().database_problem))
                seen.codes.append(house.page("/healthz")[0])
        seen.seen["taken in meanwhile"] = rows(file)
        locker.stdin.close()
    house.taken_in(MESSAGES)
    seen.seen["lag"] = house.receiver().loop_lag_worst
    seen.seen["drops"] = sum(one.kernel_drops or 0 for one in house.receiver().inputs)
    until(lambda: not house.worker().database_problem, "the database to be well", house)
    return range(MESSAGES)


def rows(file):
    with sqlite3.connect(file) as database:
        return database.execute("SELECT count(*) FROM event").fetchone()[0]


def full_disk(house, seen):
    journal = house.state / "journal"
    ballast = journal / "ballast"
    house.start()
    house.smtp(mail(0))
    with ballast.open("wb") as stream, suppress(OSError):
        while True:
            stream.write(bytes(1 << 16))
            stream.flush()
    until(lambda: house.receiver().journal_problem, "the journal to be full", house)
    seen.seen["ready"] = house.page("/readyz")[0]
    seen.codes += house.smtp(mail(1))
    frame = alarm(2)
    with socket.create_connection(house.where("tcp"), 30) as sock:
        sock.sendall(b"%d %s" % (len(frame), frame))
        time.sleep(1)
        seen.seen["while full"] = house.total_received("tcp")
        ballast.unlink()
        begin = time.monotonic()
        until(lambda: house.smtp(mail(1))[0] == 250, "mail to be taken", house)
        seen.seen["seconds"] = time.monotonic() - begin
        until(lambda: house.total_received("tcp") == 1, "the stream to go on", house)
    house.taken_in(3)
    return range(3)


def still_stage(house, seen):
    beat = house.folder / "beat"
    house.start()
    until(lambda: house.worker().self_test_at, "the self-test to come out", house)
    until(beat.exists, "the heartbeat", house)
    seen.codes.append(house.page("/readyz")[0])
    house.signal_worker(signal.SIGSTOP)
    stopped = beat.stat().st_mtime
    until(lambda: house.page("/readyz")[0] == 503, "somebody to notice", house)
    seen.codes.append(house.page("/healthz")[0])
    seen.seen["why"] = house.page("/readyz")[1]
    seen.seen["beats"] = beat.stat().st_mtime - stopped
    house.smtp(mail(0))
    house.signal_worker(signal.SIGCONT)
    until(lambda: house.page("/readyz")[0] == 200, "it to be well", house)
    until(lambda: beat.stat().st_mtime > stopped, "the heart to beat again", house)
    house.taken_in(1)
    seen.seen["restarts"] = house.receiver().worker_restarts
    seen.seen["self-test"] = house.worker().self_test_problem
    return range(1)


@pytest.fixture(scope="module")
def small_disk(shared_folder):
    """Mount a disk of 8 MiB where the journal will be."""
    folder = shared_folder / "disk" / "state" / "journal"
    folder.mkdir(parents=True)
    mounted = subprocess.run(  # noqa: S603 -- fixed words
        ["/bin/mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)],
        check=False, capture_output=True,
    )  # fmt: skip
    yield mounted.returncode == 0
    if mounted.returncode == 0:
        subprocess.run(["/bin/umount", "-l", str(folder)], check=True)  # noqa: S603 -- fixed words


@pytest.fixture(scope="module")
def stories(shared_folder, small_disk):
    """Tell all three at once."""
    locked = House(shared_folder / "locked", {"database": {"busy": "5s"}})
    disk = House(shared_folder / "disk", {"journal": {"reserve": "1MiB", "segment": "64KiB"}})
    still = House(
        shared_folder / "still",
        {
            "heartbeat": {"file": str(shared_folder / "still" / "beat"), "every": "10s"},
            "selftest": {"every": "1m", "within": "50s"},
        },
    )
    with ThreadPoolExecutor(3) as pool:
        return {
            "locked": pool.submit(told, locked, locked_database),
            "disk": pool.submit(told, disk, full_disk) if small_disk else None,
            "still": pool.submit(told, still, still_stage),
        }


def test_a_locked_database_loses_nothing(stories, capsys):
    """F-06."""
    seen = stories["locked"].result()
    with capsys.disabled():
        print(f"\nlocked for {LOCKED} s: {seen.seen}")  # noqa: T201 -- figures, not a condition

    assert 0 == seen.seen["taken in meanwhile"]
    assert ([], MESSAGES - seen.seen["drops"]) == (seen.audit.faults, seen.audit.events)
    assert True in seen.problems
    assert {200} == set(seen.codes)
    assert (0, []) == (seen.status, seen.faults)


def test_a_full_disk_is_a_passing_state(stories):
    """F-04."""
    if stories["disk"] is None:
        pytest.skip("mounting is not permitted here")
    seen = stories["disk"].result()

    assert ([452], 503, 0) == (seen.codes, seen.seen["ready"], seen.seen["while full"])
    assert 10 > seen.seen["seconds"]
    assert (0, [], []) == (seen.status, seen.faults, seen.audit.faults)


def test_a_stage_that_stands_still_is_noticed(stories):
    """G-22, but for the outside who rings."""
    seen = stories["still"].result()

    assert [200, 200] == seen.codes
    assert 0 == seen.seen["beats"]
    assert "wrote its status" in seen.seen["why"]
    assert (0, "") == (seen.seen["restarts"], seen.seen["self-test"])
    assert (0, [], []) == (seen.status, seen.faults, seen.audit.faults)

"""Either half is killed or stopped; nothing that was acknowledged is lost, nothing doubles."""

import os
import signal
import subprocess
import sys
from contextlib import suppress

import pytest
from killing.numbered import alarm, mail
from system.house import PATIENCE, until


def is_there(pid):
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


def test_a_worker_that_is_killed_is_followed_by_another(house):
    house.start()
    house.udp(*map(alarm, range(100)))
    house.taken_in(100)
    old = house.receiver().worker_pid
    house.smtp(*map(mail, range(100, 150)))
    house.signal_worker(signal.SIGKILL)
    house.tcp(*map(alarm, range(150, 200)))
    until(lambda: house.receiver().worker_restarts, "a restart", house)
    house.taken_in(200)
    new = house.receiver().worker_pid
    status = house.stop()
    made = house.audit(range(200))

    assert (0, [], 200) == (status, made.faults, made.events)
    assert new != old
    assert [] == house.faults()


def test_while_the_worker_stands_still_reception_goes_on(house):
    house.start()
    house.signal_worker(signal.SIGSTOP)
    codes = house.smtp(*map(mail, range(20)))
    house.udp(*map(alarm, range(20, 220)))
    house.tcp(*map(alarm, range(220, 420)))
    until(lambda: house.total_received() == 420, "420 received", house)
    taken_in = house.total_taken_in()
    house.signal_worker(signal.SIGCONT)
    house.taken_in(420)
    status = house.stop()
    made = house.audit(range(420))

    assert ([250] * 20, 0) == (codes, taken_in)
    assert (0, [], 420) == (status, made.faults, made.events)


def test_a_worker_ends_when_its_receiver_is_killed(house):
    house.start()
    codes = house.smtp(*map(mail, range(30)))
    worker = house.receiver().worker_pid
    house.process.kill()
    house.process.wait()
    until(lambda: not is_there(worker), "the worker to end")
    house.start()
    house.taken_in(30)
    status = house.stop()
    made = house.audit(range(30))

    assert [250] * 30 == codes
    assert (0, [], 30) == (status, made.faults, made.events)


def test_a_second_daemon_on_the_same_state_is_refused(house):
    house.start()
    second = subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, "-m", "watcher", "run", "--settings", str(house.settings)],
        capture_output=True, text=True, check=False, timeout=PATIENCE,
        env={**os.environ, "WATCHER_WEB": "null"},
    )  # fmt: skip
    house.udp(alarm(1))
    house.taken_in(1)

    assert 2 == second.returncode
    assert 1 == len(second.stderr.splitlines())
    assert second.stderr.startswith("watcher: error: ")
    assert 0 == house.stop()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_takes_in_what_is_left_before_it_ends(house, number):
    house.start()
    codes = house.smtp(*map(mail, range(40)))
    status = house.stop(number)
    made = house.audit(range(40))

    assert (0, [250] * 40) == (status, codes)
    assert ([], 40, 0) == (made.faults, made.events, made.unread)
    assert house.log().splitlines()[-1] == "Books: 40 received = 40 case; balanced."


def half(house, name):
    """Start one half as a unit of its own."""
    with (house.folder / "log").open("ab") as log:
        return subprocess.Popen(  # noqa: S603 -- our own program
            [sys.executable, "-m", "watcher", "run", "--only", name, "--settings",
             str(house.settings)],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip


def test_both_halves_may_be_units_of_their_own(house):
    house.process = half(house, "receiver")
    worker = half(house, "worker")
    try:
        until(house.receiver, "the receiver", house)
        codes = house.smtp(*map(mail, range(10)))
        house.taken_in(10)
        statuses = [house.stop(), worker.poll()]
        worker.terminate()
        statuses.append(worker.wait(PATIENCE))
    finally:
        worker.kill()
        worker.wait()
    made = house.audit(range(10))

    assert [250] * 10 == codes
    assert [0, None, 0] == statuses
    assert ([], []) == (made.faults, house.faults())

"""The limit on one piece of work, and the memory of what was being worked on."""

import signal
import subprocess
import sys
import time

import pytest

from watcher.app.deadline import Attempts, Deadline, TooLong
from watcher.model.message import Position

pytestmark = pytest.mark.timeout(300, method="thread")  # the deadline needs the alarm clock
KILLED = """
import os, sys
from pathlib import Path
from watcher.app.deadline import Attempts
Attempts(Path(sys.argv[1])).begin(int(sys.argv[2]))
os.kill(os.getpid(), 9)
"""


@pytest.fixture
def deadline():
    """Return a short deadline; the alarm clock is the test's again afterwards."""
    before = signal.getsignal(signal.SIGALRM)
    yield Deadline(0.1)
    signal.signal(signal.SIGALRM, before)


def test_work_that_takes_too_long_is_ended_where_it_stands(deadline):
    with pytest.raises(TooLong), deadline:
        time.sleep(60)


class Slow:
    """Takes its time to go."""

    def __del__(self):
        """Be interrupted; what is raised here is ignored."""
        time.sleep(0.3)


def test_what_rings_where_nobody_can_hear_it_rings_again(deadline, capfd):
    def work():
        Slow()
        time.sleep(60)

    hook = sys.unraisablehook
    with pytest.raises(TooLong), deadline:
        work()

    assert "" == capfd.readouterr().err
    assert hook is sys.unraisablehook


def test_work_that_is_done_in_time_is_left_alone(deadline):
    with deadline:
        done = 1
    time.sleep(0.2)

    assert 1 == done


def test_a_fault_in_the_work_stops_the_clock(deadline):
    with pytest.raises(ValueError, match="of the work"), deadline:
        raise ValueError("of the work")
    time.sleep(0.2)

    assert (0.0, 0.0) == signal.getitimer(signal.ITIMER_REAL)


def test_what_killed_the_process_is_known_to_the_next(tmp_path):
    path, known = tmp_path / "working", []
    for _ in range(2):
        subprocess.run([sys.executable, "-c", KILLED, path, "7"], check=False)  # noqa: S603 -- ours
        attempts = Attempts(path)
        known.append(attempts.suspect)
        attempts.close()
    attempts = Attempts(path)

    assert [7, 7] == known
    assert [0, 2] == [attempts.begin(Position(3)), attempts.begin(Position(7))]


def test_what_was_done_is_suspected_of_nothing(tmp_path):
    first = Attempts(tmp_path / "working")
    first.begin(Position(7))
    first.done()
    second = Attempts(tmp_path / "working")

    assert (0, 0) == (second.suspect, second.begin(Position(7)))


@pytest.mark.parametrize("found", [b"", b"short", b"\0" * 16])
def test_a_file_that_is_new_or_cut_says_nothing(tmp_path, found):
    (tmp_path / "working").write_bytes(found.ljust(16, b"\0") if found == b"short" else found)

    attempts = Attempts(tmp_path / "working")

    assert 0 == attempts.begin(Position(1))

"""Signs of life: clock steps, the self-test, the heartbeat, who is silent, what hangs."""

import asyncio
import logging
import os
import socket
import sys
import time
from datetime import timedelta

import pytest
from app.desk import NOW, StillClock
from builders import CATALOGUE, cluster, inventory, node
from ports import free_port

from watcher.app.heartbeat import Heartbeat
from watcher.app.selftest import SelfTest, address_of
from watcher.app.status import write_status
from watcher.app.steps import ClockSteps
from watcher.app.supervisor import Supervisor, SupervisorOptions
from watcher.app.worker_process import expected_sources
from watcher.inputs.secret import Secret
from watcher.model.message import Way
from watcher.model.status import InputStatus, ReceiverStatus
from watcher.settings.loader import read

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
PATIENCE = 60


def test_time_that_passes_on_both_clocks_is_no_step():
    clock = StillClock()
    steps = ClockSteps(clock)
    for _ in range(5):
        clock.pass_by(HOUR)
        steps.look()

    assert 0 == steps.count


@pytest.mark.parametrize(
    ("step", "count"), [(HOUR, 1), (-HOUR, 1), (4 * MINUTE, 0), (6 * MINUTE, 1)]
)
def test_a_clock_that_was_set_is_counted_once(step, count):
    clock = StillClock()
    steps = ClockSteps(clock)
    clock.at += step
    steps.look()
    steps.look()

    assert count == steps.count


@pytest.fixture
def ear():
    """Return a socket that hears what is sent to the input."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(PATIENCE)
        yield sock


@pytest.fixture
def self_test(tmp_path, store, ear):
    """Return a self-test of an hour's period, and the receiver it reads of."""
    receiver_of(tmp_path, udp_input(ear))
    return SelfTest(
        folder=tmp_path, instance="main", every=HOUR, within=5 * MINUTE,
        recipient="watcher@localhost", alarms=CATALOGUE.alarms, runs=store.runs,
    )  # fmt: skip


def udp_input(ear, **changes):
    host, port = ear.getsockname()
    return InputStatus(**({"name": "udp", "way": Way.UDP, "where": f"{host}:{port}",
                           "open": True} | changes))  # fmt: skip


def receiver_of(folder, *inputs, at=NOW):
    """Write the status of a receiver with these inputs."""
    status = ReceiverStatus(written_at=at, started_at=at, pid=1, version="1", inputs=inputs)
    write_status(folder, status)


def nonce_in(data):
    return data.partition(b"Certificate name:")[2].split()[0].decode()


def test_a_self_test_that_comes_out_is_well(self_test, ear):
    self_test.look(NOW, set())
    nonce = nonce_in(ear.recv(4096))
    self_test.look(NOW + MINUTE, {"another", nonce})
    self_test.look(NOW + 2 * MINUTE, set())

    assert (NOW + MINUTE, "") == (self_test.last, self_test.problem)


def test_a_self_test_that_stays_away_is_told_until_one_comes_out(self_test, ear, tmp_path):
    self_test.look(NOW, set())
    ear.recv(4096)
    for minutes in (4, 6):
        self_test.look(NOW + minutes * MINUTE, set())
    told = self_test.problem
    receiver_of(tmp_path, udp_input(ear), at=NOW + HOUR)
    self_test.look(NOW + HOUR, set())
    nonce = nonce_in(ear.recv(4096))
    still = self_test.problem
    self_test.look(NOW + HOUR + MINUTE, {nonce})

    assert "udp: sent, and not seen at the end" == told == still
    assert "" == self_test.problem


def test_there_is_one_self_test_in_a_period(self_test, ear):
    for minutes in (0, 1, 2):
        self_test.look(NOW + minutes * MINUTE, set())
    ear.recv(4096)
    ear.settimeout(0.1)

    with pytest.raises(TimeoutError):
        ear.recv(4096)


def restarted(self_test):
    """Return the self-test of a worker that starts in its place."""
    names = ("folder", "instance", "every", "within", "recipient", "alarms", "runs")
    return SelfTest(**{name: getattr(self_test, name) for name in names})


def test_there_is_a_self_test_after_each_start_and_its_word_is_awaited(self_test, ear, tmp_path):
    self_test.look(NOW, set())
    self_test.look(NOW + MINUTE, {nonce_in(ear.recv(4096))})
    again = restarted(self_test)
    receiver_of(tmp_path, udp_input(ear), at=NOW + 2 * MINUTE)
    again.look(NOW + 2 * MINUTE, set())
    before = again.awaited, again.last, again.passed_at
    again.look(NOW + 3 * MINUTE, {nonce_in(ear.recv(4096))})

    assert (True, NOW + MINUTE, None) == before
    assert (False, NOW + 3 * MINUTE) == (again.awaited, again.passed_at)


def test_a_failure_outlives_a_restart_and_is_tried_again_soon(self_test, ear, tmp_path):
    self_test.look(NOW, set())
    ear.recv(4096)
    self_test.look(NOW + 6 * MINUTE, set())
    again = restarted(self_test)
    for minutes in (7, 13, 18):
        receiver_of(tmp_path, udp_input(ear), at=NOW + minutes * MINUTE)
        again.look(NOW + minutes * MINUTE, set())
    sent = [nonce_in(ear.recv(4096)) for _ in range(2)]
    told = again.problem
    again.look(NOW + 19 * MINUTE, {sent[1]})

    assert "udp: sent, and not seen at the end" == told
    assert ("", NOW + 19 * MINUTE) == (again.problem, again.last)


def test_an_input_that_stays_shut_has_failed(self_test, tmp_path, caplog):
    with caplog.at_level(logging.CRITICAL):
        for minutes in (0, 4, 6, 12):
            at = NOW + minutes * MINUTE
            shut = InputStatus(name="tcp", way=Way.TCP, where="127.0.0.1:1", open=False)
            receiver_of(tmp_path, shut, at=at)
            self_test.look(at, set())

    assert "tcp: sent, and not seen at the end" == self_test.problem


@pytest.mark.parametrize("at", [None, NOW - HOUR])
def test_nothing_is_sent_to_a_receiver_that_does_not_run(self_test, tmp_path, ear, at):
    """Else the period counted as tested, although nobody was."""
    (tmp_path / "receiver.json").unlink()
    if at is not None:
        receiver_of(tmp_path, udp_input(ear), at=at)
    self_test.look(NOW, set())
    self_test.look(NOW + MINUTE, set())
    receiver_of(tmp_path, udp_input(ear), at=NOW + 2 * MINUTE)
    self_test.look(NOW + 2 * MINUTE, set())

    assert nonce_in(ear.recv(4096))
    assert self_test.last is None


def test_an_input_that_takes_nothing_has_failed(self_test, tmp_path, caplog):
    gone = f"127.0.0.1:{free_port()}"
    receiver_of(tmp_path, InputStatus(name="tcp", way=Way.TCP, where=gone, open=True))
    with caplog.at_level(logging.CRITICAL):
        self_test.look(NOW, set())
        self_test.look(NOW + HOUR, set())

    assert "tcp: sent, and not seen at the end" == self_test.problem


@pytest.mark.parametrize(
    ("where", "address"),
    [
        ("127.0.0.1:514", ("127.0.0.1", 514)),
        ("0.0.0.0:514", ("127.0.0.1", 514)),
        ("[::]:25, 0.0.0.0:26", ("::1", 25)),
        ("[2001:db8::1]:25", ("2001:db8::1", 25)),
        (":25", ("127.0.0.1", 25)),
    ],
)
def test_all_addresses_are_reached_on_the_loopback(where, address):
    assert address == address_of(where)


def touched(file, beats):
    """Return whether the heartbeat touched the file at each of the moments."""
    heartbeat = Heartbeat(every=5 * MINUTE, file=file)
    found = []
    for minutes, trouble in beats:
        file.unlink(missing_ok=True)
        heartbeat.look(NOW + minutes * MINUTE, trouble)
        found.append(file.exists())
    return found


def test_the_heart_beats_once_in_an_interval(tmp_path):
    assert [True, False, True] == touched(tmp_path / "beat", [(0, ""), (4, ""), (5, "")])


def test_the_heart_stands_still_while_something_is_wrong(tmp_path, caplog):
    beats = [(0, ""), (5, "the database"), (10, "the database"), (15, "")]
    with caplog.at_level(logging.ERROR):
        found = touched(tmp_path / "beat", beats)

    assert [True, False, False, True] == found
    assert ["no heartbeat: the database"] == [r.getMessage() for r in caplog.records]


def test_a_clock_that_was_set_back_does_not_stop_the_heart(tmp_path):
    assert [True, True] == touched(tmp_path / "beat", [(0, ""), (-600, "")])


def test_a_heartbeat_that_cannot_be_delivered_names_no_secret(tmp_path, caplog):
    url = Secret("http://127.0.0.1:9/canary-of-the-url")
    heartbeat = Heartbeat(every=MINUTE, url=url, file=tmp_path / "none" / "beat")
    heartbeat.look(NOW, "")
    deadline = time.monotonic() + PATIENCE
    while len(caplog.records) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)

    assert 2 == len(caplog.records)
    assert "canary" not in caplog.text


SOURCES = """\
version: 1
sources:
  every: 26h
  exceptions:
    - {source: "node:sub1", every: null}
    - {source: "node:sub2", every: 1h}
    - {source: "peer:192.0.2.7", every: 2h}
    - {source: "stage:worker", every: null}
"""


def test_the_nodes_of_the_inventory_are_expected_but_for_the_exceptions():
    known = inventory(cluster(node("pub"), node("SUB1"), node("Sub2")))
    sources = read("settings", SOURCES, {}).settings.sources

    expected = {one.name: one.interval for one in expected_sources(known, sources)}

    assert {"pub": 26 * HOUR, "sub2": HOUR, "peer:192.0.2.7": 2 * HOUR} == expected


QUICK = SupervisorOptions(look=0.02, hang=0.3, shortest_pause=0.01, longest_pause=0.05, stop=5)


async def until(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


def supervisor_of(code, silent=lambda: 0.0, options=QUICK):
    return Supervisor([sys.executable, "-c", code], os.environ, silent, options)


async def test_a_worker_that_ends_is_started_again(caplog):
    with caplog.at_level(logging.CRITICAL):
        supervisor = supervisor_of("raise SystemExit(1)")
        supervisor.start()
        await until(lambda: supervisor.restarts >= 3)
        await supervisor.stop()

    assert supervisor.pid is None


async def test_a_worker_that_gives_no_sign_is_killed(caplog):
    with caplog.at_level(logging.CRITICAL):
        supervisor = supervisor_of("import time; time.sleep(600)", lambda: 1.0)
        supervisor.start()
        await until(lambda: supervisor.restarts >= 1)
        await supervisor.stop()

    assert supervisor.pid is None


async def test_a_worker_that_does_not_stop_is_killed(caplog, tmp_path):
    ready = tmp_path / "ready"
    code = (
        "import signal, time, pathlib; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        f"pathlib.Path({str(ready)!r}).touch(); time.sleep(600)"
    )
    options = SupervisorOptions(look=0.02, stop=0.2)
    with caplog.at_level(logging.CRITICAL):
        supervisor = supervisor_of(code, options=options)
        supervisor.start()
        await until(ready.exists)
        status = await supervisor.stop()

    assert (None, None) == (status, supervisor.pid)


async def test_a_worker_knows_when_its_starter_is_gone(tmp_path):
    gone = tmp_path / "gone"
    code = f"import os, pathlib; os.read(0, 1); pathlib.Path({str(gone)!r}).touch()"
    starter = (
        "import asyncio, os, sys\n"
        "from watcher.app.supervisor import Supervisor\n"
        "async def main():\n"
        f"    s = Supervisor([sys.executable, '-c', {code!r}], os.environ, lambda: 0.0)\n"
        "    s.start()\n"
        "    while s.pid is None: await asyncio.sleep(0.01)\n"
        "    os.kill(os.getpid(), 9)\n"
        "asyncio.run(main())\n"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", starter)
    status = await process.wait()
    await until(gone.exists)

    assert -9 == status


async def test_a_worker_that_was_told_to_end_has_not_failed():
    """It is followed at once, although it dies of the signal before it can handle it."""
    slow = SupervisorOptions(look=0.02, shortest_pause=60, longest_pause=60)
    supervisor = supervisor_of("import time; time.sleep(600)", options=slow)
    supervisor.start()
    seen = set()
    for _ in range(3):
        await until(lambda: supervisor.pid and supervisor.pid not in seen)
        seen.add(supervisor.pid)
        await supervisor.replace()
    await until(lambda: supervisor.pid and supervisor.pid not in seen)
    await supervisor.stop()

    assert 0 == supervisor.restarts


async def test_a_worker_that_ends_well_without_being_told_is_counted_and_waited_for(caplog):
    slow = SupervisorOptions(look=0.02, shortest_pause=60, longest_pause=60)
    supervisor = supervisor_of("", options=slow)
    with caplog.at_level(logging.WARNING):
        supervisor.start()
        await until(lambda: supervisor.restarts)
        await asyncio.sleep(0.3)
        await supervisor.stop()

    assert 1 == supervisor.restarts
    assert ["the worker ended (0); again in 60.0 s"] == [r.getMessage() for r in caplog.records]

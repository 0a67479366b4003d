"""The daemon does its work with what our units leave it, on sockets that systemd hands over."""

import signal
import sys
from collections import Counter
from urllib.request import urlopen

import pytest
from audit import Sent, audit
from deploy.running import PATIENCE, body, confined, namespaces, place, until
from killing.numbered import numbers_in

from deploy import units

NUMBERS = range(8)
TRIES = """
import mmap, os, socket
def tried(what, call):
    try:
        call()
    except OSError as error:
        print(what, error.errno)
    else:
        print(what, "done")
tried("nice", lambda: os.nice(1))
tried("packets", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))
tried("internet", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
tried("write or execute", lambda: mmap.mmap(-1, 4096, prot=7))
tried("elsewhere", lambda: open("../elsewhere", "w"))
tried("state", lambda: open("state", "w"))
tried("processors", lambda: open("/proc/cpuinfo"))
print("rights", open("/proc/self/status").read().split("CapEff:")[1].split()[0].strip("0"))
"""
BATCH = """
import socket, sys
sys.path += sys.argv[1:]
from watcher.inputs.datagrams import reader
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
    sock.bind(("127.0.0.1", 0))
    sock.sendto(b"x", sock.getsockname())
    taken = reader(sock, 1024, 8)
    print(type(taken).__name__, len(taken.draw().lengths))
"""
EPERM, ENOENT, EACCES, EROFS, EAFNOSUPPORT = 1, 2, 13, 30, 97


@pytest.fixture(autouse=True)
def _parts():
    units.need("systemd-analyze", "systemd-socket-activate")
    if not sys.platform.startswith("linux"):
        pytest.skip("units are for Linux")


@pytest.fixture
def site():
    with place() as made:
        yield made


def unit(name):
    return units.read(units.FOLDER / name)


def settled(site):
    """Tell whether every case has its alarm, plans are drawn and the self-test came out."""
    site.hear()  # few words fit into its ear
    worker = site.worker()
    cases = sum(one.count for one in worker.cases) if worker else 0
    return cases == len(NUMBERS) and worker.plans_drawn and worker.self_test_at


def check(site):
    """Nothing is lost or doubled, and nothing was forbidden that is needed."""
    sent = Sent(times=Counter(NUMBERS), acknowledged=frozenset(NUMBERS))
    found = audit(site.state, f"sqlite:///{site.state}/watcher.db", sent, numbers_in)

    assert not found.faults
    assert (len(NUMBERS), 0, 0) == (len(found.found), found.lost, found.doubled)
    assert "permitted" not in site.log
    assert "Traceback" not in site.log
    assert list((site.state / "plans").rglob("*.html"))


def ask(site, path):
    with urlopen(f"http://127.0.0.1:{site.ports['web']}{path}", timeout=PATIENCE) as answer:
        return answer.status


def test_what_confines_the_tests_does_confine(site):
    receiver = unit("watcher-receiver.service")
    if not namespaces():
        pytest.skip("no mounts can be made here")
    told = units.ask(*confined(receiver, site.state, "-c", TRIES)).stdout

    assert told.splitlines() == [
        f"nice {EPERM}", f"packets {EAFNOSUPPORT}", f"internet {EAFNOSUPPORT}",
        f"write or execute {EACCES}", f"elsewhere {EROFS}", "state done",
        f"processors {ENOENT}", "rights ",
    ]  # fmt: skip


def test_batches_of_datagrams_need_no_memory_that_can_be_executed(site):
    given = body().environment.get("PYTHONPATH", "").split(":")
    command = confined(unit("watcher.service"), site.state, "-c", BATCH, *given)

    assert units.ask(*command).stdout.split() == ["ManyReader", "1"]


def test_one_unit_receives_reads_and_draws(site):
    running = site.start(unit("watcher.service"))
    site.send(NUMBERS)
    until(lambda: settled(site), "cases, a plan and the self-test")
    answers = [ask(site, path) for path in ("/healthz", "/readyz", "/metrics")]
    listens = {one.name: int(one.where.rpartition(":")[2]) for one in site.receiver().inputs}
    running.send_signal(signal.SIGHUP)
    until(lambda: site.hear().count("READY=1") == 2, "reloaded")
    until(lambda: "WATCHDOG=1" in site.hear(), "a sign of life")
    running.send_signal(signal.SIGTERM)

    assert running.wait(PATIENCE) == 0
    assert answers == [200, 200, 200]
    words = [word for word in site.hear() if word != "WATCHDOG=1"]
    assert words == ["READY=1", "RELOADING=1", "READY=1", "STOPPING=1"]
    assert listens == {name: site.ports[name] for name in ("udp", "tcp", "smtp")}
    check(site)


def test_two_units_share_a_folder_and_no_secret(site):
    web = f"http://127.0.0.1:{site.ports['web']}/healthz"
    credentials = site.secret("heartbeat", web)
    with (site.folder / "watcher.yaml").open("a") as settings:
        settings.write("heartbeat: {url_from: {credential: heartbeat}, every: 10s}\n")
    site.start(unit("watcher-receiver.service"))
    site.start_alone(unit("watcher-worker.service"), CREDENTIALS_DIRECTORY=credentials)
    site.send(NUMBERS)
    until(lambda: settled(site), "cases, a plan and the self-test")
    for running in site.running:
        running.send_signal(signal.SIGTERM)

        assert running.wait(PATIENCE) == 0
    assert {"READY=1", "STOPPING=1"} <= set(site.hear())
    check(site)


def test_the_daemon_is_nobody_here():
    if body().uid == 0:
        pytest.skip("no interpreter that another user can run")

    assert body().uid not in {0, 1000}

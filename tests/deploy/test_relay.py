"""Our relay snippets: real relays read them, and lose nothing while the daemon is away."""

import re
import socket
import subprocess
import sys
from contextlib import contextmanager

import pytest
import trustme
from audit import Sent, audit
from deploy.running import PATIENCE, free_ports, until
from killing.numbered import NODES, NOISE, alarm, inventory, numbers_in
from real import parts

from deploy import units
from watcher.app.status import read_receiver, read_worker
from watcher.model.ledger import Place as End

FOLDER = units.ROOT / "deploy" / "relay"
EACH = 30
"""Alarms before, while and after the daemon is away."""
SETTINGS = """\
version: 1
state_dir: state
inventory: inventory.yaml
inputs:
  udp: null
  tcp: {tcp}
  tls: {tls}
  smtp: null
tls:
  certificate: server.pem
  key: server-key.pem
  client_ca: ca.pem
  clients: [{clients}]
plans: {{debounce: 1h}}
selftest: {{every: null}}
web: null
log: {{level: warning}}
"""


class Daemon:
    """The daemon with one input; it can be stopped and started again."""

    def __init__(self, folder, way, port):
        self.folder = folder
        told = {"tcp": "null", "tls": "null", way: f"{{port: {port}}}"}
        bound = (f"{{node: {node}, san: relay.example.com}}" for node in NODES)
        (folder / "watcher.yaml").write_text(SETTINGS.format(**told, clients=", ".join(bound)))
        (folder / "inventory.yaml").write_text(inventory())
        write_certificates(folder)
        self.process = None

    @property
    def state(self):
        """Return its folder."""
        return self.folder / "state"

    def start(self):
        """Begin to listen."""
        command = [sys.executable, "-m", "watcher", "run", "-s", self.folder / "watcher.yaml"]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=log)  # noqa: S603
        until(self.listens, "the daemon listens")

    def listens(self):
        """Tell whether this life is open."""
        told = read_receiver(self.state)
        return told is not None and told.pid == self.process.pid and told.inputs[0].open

    def stop(self):
        """End in order."""
        self.process.terminate()

        assert self.process.wait(PATIENCE) == 0

    def received(self):
        """Return how many messages reached the store's books."""
        worker = read_worker(self.state)
        lines = worker.lines if worker else ()
        return sum(line.count for line in lines if line.place is End.RECEIVED)


def write_certificates(folder):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    for name, host in (("server", "watcher.example.com"), ("relay", "relay.example.com")):
        made = authority.issue_cert(host)
        made.cert_chain_pems[0].write_to_path(folder / f"{name}.pem")
        made.private_key_pem.write_to_path(folder / f"{name}-key.pem")
        (folder / f"{name}-key.pem").chmod(0o600)


def settled_here(name, folder, listen, port):
    """Return a snippet with this machine's addresses; nothing else of it is changed."""
    text = (FOLDER / name).read_text()
    changes = [
        (r'target="watcher.example.com" port="\d+"', f'target="127.0.0.1" port="{port}"'),
        (r'"watcher.example.com" port\(\d+\)', f'"127.0.0.1" port({port})'),
        (r'port="514"', f'address="127.0.0.1" port="{listen}"'),
        (r'ip\("0.0.0.0"\) port\(514\)', f'ip("127.0.0.1") port({listen})'),
        (r"/etc/rsyslog.d/tls|/var/spool/rsyslog|/var/lib/syslog-ng", str(folder)),
        (r'resumeInterval="5"', 'resumeInterval="1"'),
    ]  # fmt: skip
    for old, new in changes:
        text = re.sub(old, new, text)
    return text


def rsyslog(name, folder, listen, port):
    """Return a relay's program and its arguments."""
    program = parts.need(parts.rsyslog(), "rsyslogd")
    if "tls" in name and "ossl" not in parts.rsyslog_drivers(program):
        parts.need(None, "rsyslog's driver ossl")
    text = f'global(workDirectory="{folder}")\n' + settled_here(name, folder, listen, port)
    (folder / "relay.conf").write_text(text)
    modules = ["-M", ":".join(map(str, program.modules))] if program.modules else []
    return program, ["-n", "-C", "-i", folder / "pid", *modules, "-f", folder / "relay.conf"]


def syslog_ng(name, folder, listen, port):
    """Return a relay's program and its arguments, likewise."""
    program = parts.need(parts.syslog_ng(), "syslog-ng")
    text = "@version: 3.35\noptions { stats-freq(0); time-reopen(1); };\n"
    (folder / "relay.conf").write_text(text + settled_here(name, folder, listen, port))
    modules = [f"--module-path={':'.join(map(str, program.modules))}"] if program.modules else []
    own = ["-c", folder / "control", "-p", folder / "pid", "-R", folder / "persist"]
    return program, ["-F", "--no-caps", *modules, "-f", folder / "relay.conf", *own]


@contextmanager
def running(program, arguments, folder, listen):
    with (folder / "told").open("wb") as told:
        relay = program.start(arguments, stdout=told, stderr=told)
    try:
        until(lambda: listening(listen) or relay.poll() is not None, "the relay listens")

        assert relay.poll() is None, (folder / "told").read_text()
        yield relay
    finally:
        relay.terminate()
        try:
            relay.wait(20)
        finally:
            relay.kill()
            relay.wait()


def listening(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True


def shoot(port, numbers):
    """Send alarms as a node does, noise between them."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for number in numbers:
            sender.sendto(alarm(number), ("127.0.0.1", port))
            sender.sendto(NOISE.replace(b"UC_", b"XX_"), ("127.0.0.1", port))


def snippets(prefix):
    return sorted(path.name for path in FOLDER.glob(f"{prefix}*.conf"))


@pytest.mark.parametrize("name", snippets("rsyslog"))
def test_rsyslog_reads_it(name, tmp_path):
    program, arguments = rsyslog(name, tmp_path, 10514, 20514)
    write_certificates(tmp_path)
    text = (FOLDER / name).read_text().replace("/etc/rsyslog.d/tls", str(tmp_path))
    (tmp_path / "relay.conf").write_text(text)
    told = program.run(["-N1", *arguments[4:]])

    assert b"rror" not in told
    assert b"warning" not in told
    assert b"End of config validation run" in told


@pytest.mark.parametrize("name", snippets("syslog-ng"))
def test_syslog_ng_reads_it(name, tmp_path):
    program, arguments = syslog_ng(name, tmp_path, 10514, 20514)
    (tmp_path / "relay.conf").write_text("@version: 3.35\n" + (FOLDER / name).read_text())

    assert program.run(["--syntax-only", *arguments]) == b""


RELAYS = {
    "rsyslog-watcher.conf": (rsyslog, "tcp", 0),
    "rsyslog-watcher-tls.conf": (rsyslog, "tls", 1),
    "syslog-ng-watcher.conf": (syslog_ng, "tcp", 0),
}
"""What makes it, its way in, and how many it may lose when we stop.

rsyslog looks whether a connection still lives by whether anything can be read; over TLS that is our
word of farewell, so it writes once more.
"""


def test_every_snippet_is_tried():
    assert {path.name for path in FOLDER.glob("*.conf")} == RELAYS.keys()


def count(daemon, certain, times=1):
    """Return how many alarms the store knows, each once, and all of the certain ones."""
    sent = Sent(times=dict.fromkeys(range(3 * EACH), times), acknowledged=frozenset(certain))
    found = audit(daemon.state, f"sqlite:///{daemon.state}/watcher.db", sent, numbers_in)

    assert not found.faults
    return found.events


@pytest.mark.parametrize("name", RELAYS)
def test_nothing_is_lost_while_the_daemon_is_away(name, tmp_path):
    make, way, lost = RELAYS[name]
    ports = free_ports()
    listen, port = ports["tcp"], ports["web"]
    program, arguments = make(name, tmp_path, listen, port)
    daemon = Daemon(tmp_path, way, port)
    with running(program, arguments, tmp_path, listen):
        daemon.start()
        try:
            shoot(listen, range(EACH))
            until(lambda: daemon.received() >= EACH, "the first part")
            daemon.stop()
            shoot(listen, range(EACH, 2 * EACH))
            daemon.start()
            shoot(listen, range(2 * EACH, 3 * EACH))
            until(lambda: daemon.received() >= 3 * EACH - lost, "all of it")
            daemon.stop()
        finally:
            daemon.process.kill()
            daemon.process.wait()

    assert 3 * EACH - lost <= count(daemon, () if lost else range(3 * EACH)) <= 3 * EACH


def test_what_reached_the_queue_of_rsyslog_outlives_its_kill(tmp_path):
    ports = free_ports()
    listen, port = ports["tcp"], ports["web"]
    program, arguments = rsyslog("rsyslog-watcher.conf", tmp_path, listen, port)
    daemon = Daemon(tmp_path, "tcp", port)
    with running(program, arguments, tmp_path, listen) as relay:
        shoot(listen, range(EACH))
        until(lambda: queued(tmp_path) == EACH, "all of it is in the queue")
        relay.kill()
        relay.wait()
    (tmp_path / "pid").unlink(missing_ok=True)
    with running(program, arguments, tmp_path, listen):
        daemon.start()
        try:
            until(lambda: daemon.received() >= EACH, "all of it")
            daemon.stop()
        finally:
            daemon.process.kill()
            daemon.process.wait()

    # Where rsyslog had got to was not on the disk yet: that one it hands over again.
    assert EACH == count(daemon, range(EACH), times=2)


def queued(folder):
    return len({n for path in folder.glob("watcher.0*") for n in numbers_in(path.read_bytes())})

"""The real daemon under load: a child process with settings, ports, memory and books of its own."""

import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import trustme
from ports import free_port

from watcher.app.status import read_receiver, read_worker
from watcher.inventory.schema import Inventory
from watcher.inventory.writer import write
from watcher.model.ledger import Place

PATIENCE = 300
"""Seconds to wait for what must come; only a slow machine needs them."""
SETTINGS = """\
version: 1
state_dir: {folder}/state
inventory: {folder}/inventory.yaml
inputs:
  udp: {{port: 0}}
  tcp: {{port: 0}}
  tls: {{port: 0}}
  smtp: {{port: 0}}
tls: {{certificate: {folder}/cert.pem, key: {folder}/key.pem, require_client: false}}
selftest: {{every: null}}
web: {{port: {web}}}
log: {{level: warning, format: json}}
"""


@dataclass(slots=True)
class Memory:
    """Resident memory of all processes together, watched until it is stopped."""

    process: psutil.Process
    peak: int = 0
    """Bytes of RSS, shared pages counted for each process."""
    proportional: int = 0
    """Bytes of PSS, shared pages counted once."""
    stopping: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None

    def start(self) -> None:
        """Look five times a second."""
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        """Look a last time."""
        self.stopping.set()
        if self.thread is not None:
            self.thread.join()

    def look(self) -> None:
        """Note the sum of now."""
        total = proportional = 0
        with suppress(psutil.Error):
            for process in (self.process, *self.process.children(recursive=True)):
                with suppress(psutil.Error):
                    full = process.memory_full_info()
                    total += full.rss
                    proportional += full.pss
        self.peak = max(self.peak, total)
        self.proportional = max(self.proportional, proportional)

    def _watch(self) -> None:
        self.look()
        while not self.stopping.wait(0.2):
            self.look()


@dataclass(slots=True)
class Daemon:
    """One life of the daemon on a folder of its own."""

    folder: Path
    site: Inventory
    process: subprocess.Popen[bytes] | None = None
    memory: Memory | None = None
    web: tuple[str, int] = ("127.0.0.1", 0)

    @property
    def state(self) -> Path:
        """Return the folder with journal and database."""
        return self.folder / "state"

    def start(self) -> None:
        """Write settings, start, and wait until both halves run and the inputs are open."""
        self.folder.mkdir(parents=True)
        authority = trustme.CA()
        ours = authority.issue_cert("127.0.0.1")
        ours.private_key_pem.write_to_path(self.folder / "key.pem")
        ours.cert_chain_pems[0].write_to_path(self.folder / "cert.pem")
        (self.folder / "key.pem").chmod(0o600)
        self.web = ("127.0.0.1", free_port())
        settings = SETTINGS.format(folder=self.folder, web=self.web[1])
        (self.folder / "watcher.yaml").write_text(settings)
        (self.folder / "inventory.yaml").write_text(write(self.site, {}))
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(  # noqa: S603 -- our own program
                [sys.executable, "-m", "watcher", "run", "-s", str(self.folder / "watcher.yaml")],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        until(self.ready, "the daemon is ready", self)
        self.memory = Memory(psutil.Process(self.process.pid))
        self.memory.start()

    def ready(self) -> bool:
        """Tell whether both halves run and every input is open."""
        receiver, worker = read_receiver(self.state), read_worker(self.state)
        return bool(receiver and worker and receiver.inputs) and all(
            one.open for one in receiver.inputs
        )

    def address(self, name: str) -> tuple[str, int]:
        """Return where an input listens."""
        receiver = read_receiver(self.state)
        where = next(one.where for one in receiver.inputs if one.name == name)
        host, _, port = where.rpartition(":")
        return host, int(port)

    def open_ones(self, *names: str) -> tuple[str, ...]:
        """Return which of these inputs are open."""
        receiver = read_receiver(self.state)
        there = {one.name for one in receiver.inputs if one.open} if receiver else set()
        return tuple(name for name in names if name in there)

    def received(self, name: str | None = None) -> int:
        """Return how many messages an input (all: None) counted as received."""
        receiver = read_receiver(self.state)
        return _sum(receiver.lines if receiver else (), Place.RECEIVED, name)

    def kept(self, place: Place, name: str | None = None) -> int:
        """Return how many messages ended in a place, by the books of the store."""
        worker = read_worker(self.state)
        return _sum(worker.lines if worker else (), place, name)

    def cases(self) -> int:
        """Return how many cases there are."""
        worker = read_worker(self.state)
        return sum(counted.count for counted in worker.cases) if worker else 0

    def drops(self) -> int:
        """Return what the kernel dropped of all inputs."""
        receiver = read_receiver(self.state)
        return sum(one.kernel_drops or 0 for one in receiver.inputs) if receiver else 0

    def lag(self) -> tuple[float, float]:
        """Return the loop's lag: the 99th of 100 of the last minute, and the worst."""
        receiver = read_receiver(self.state)
        return (receiver.loop_lag_p99, receiver.loop_lag_worst) if receiver else (0.0, 0.0)

    def is_settled(self) -> bool:
        """Tell whether all that was received is in the books of the store."""
        worker = read_worker(self.state)
        if worker is None or worker.backlog_bytes:
            return False
        places = [place for place in Place if place is not Place.RECEIVED]
        told = sum(_sum(worker.lines, place, None) for place in places)
        return told == _sum(worker.lines, Place.RECEIVED, None) == self.received()

    def settle(self) -> float:
        """Wait until then; return how many seconds it took."""
        began = time.monotonic()
        while time.monotonic() - began < PATIENCE:
            if self.is_settled():
                # A status is a second old: what came since then would show in the next one.
                time.sleep(2.2)
                if self.is_settled():
                    return max(0.0, time.monotonic() - began - 2.2)
            time.sleep(0.1)
        return float("inf")

    def stop(self) -> str:
        """End in order; return the last line that it told."""
        if self.memory is not None:
            self.memory.stop()
        if self.process is None:
            return ""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return "did not stop in order"
        return (self.log().splitlines() or [""])[-1]

    def log(self) -> str:
        """Return all that it told."""
        return (self.folder / "log").read_text(errors="replace")


def _sum(lines, place, name) -> int:
    return sum(line.count for line in lines if line.place is place and name in (None, line.input))


def until(condition, what: str, daemon: Daemon) -> None:
    """Wait for a condition; end with what the daemon told when it does not come."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        ended = daemon.process is not None and daemon.process.poll() is not None
        if ended or time.monotonic() > deadline:
            told = daemon.log()[-2000:]
            raise RuntimeError(f"waited for: {what}; the daemon told: {told}")
        time.sleep(0.05)

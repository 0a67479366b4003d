"""The real daemon as a unit starts it: sockets handed over, rights taken away, NOTIFY_SOCKET heard.

The sockets come from systemd-socket-activate, which binds them outside of what confines the daemon,
as systemd does. One call of it has either streams or datagrams, so two stand in a row.
"""

import json
import os
import shutil
import smtplib
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from killing.numbered import alarm, inventory, mail
from ports import free_port

from deploy import units
from watcher.app.status import read_receiver, read_worker

PATIENCE = 120.0
"""Seconds to wait for what must come; only a slow machine needs them."""
STRANGER = 65532
"""A user whom nothing here belongs to."""
CONFINE = Path(__file__).with_name("confine.py")
STREAMS = ("tcp", "smtp", "web")
SETTINGS = """\
version: 1
inventory: inventory.yaml
plans: {debounce: 1s}
selftest: {every: 6h, within: 2m}
log: {format: console}
"""


def until(condition, what):
    """Wait for what must come."""
    end = time.monotonic() + PATIENCE
    while not (found := condition()):
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.05)
    return found


def free_ports():
    """Return a free port for each socket."""
    return {name: free_port() for name in STREAMS} | {"udp": free_port(socket.SOCK_DGRAM)}


@dataclass(frozen=True)
class Body:
    """Who runs the daemon: an interpreter, what its environment needs, and as whom."""

    python: str = sys.executable
    environment: dict = field(default_factory=dict)
    uid: int = 0


@cache
def body():
    """Return a stranger who can run us if there is one, else ourselves without rights."""
    packages = [str(units.ROOT), *(path for path in sys.path if path.endswith("-packages"))]
    environment = {"PYTHONPATH": ":".join(packages), "PYTHONDONTWRITEBYTECODE": "1"}
    own = Body(environment=environment)
    if os.geteuid() != 0:
        return own
    for python in (sys.executable, shutil.which("python3", path="/usr/bin") or ""):
        with suppress(OSError):
            told = subprocess.run(  # noqa: S603 -- an interpreter
                [python, "-c", "import watcher.app.receiver, sys; print(*sys.version_info[:2])"],
                user=STRANGER, group=STRANGER, extra_groups=[], env=environment, cwd="/",
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            if told.stdout.split() == list(map(str, sys.version_info[:2])):
                return Body(python, environment, STRANGER)
    return own


@cache
def namespaces():
    """Tell whether mounts can be made here."""
    return os.geteuid() == 0 and units.ask("unshare", "--mount", "true").returncode == 0


def order(unit, state, who):
    """Return what the unit takes away, for confine.py."""
    return {
        "state": str(state),
        "read_only": namespaces() and unit.one("ProtectSystem") == "strict",
        "no_network": namespaces() and unit.words("PrivateNetwork") == ["yes"],
        "uid": who.uid,
        "umask": unit.one("UMask"),
        "files": int(unit.one("LimitNOFILE")),
        "no_write_execute": unit.one("MemoryDenyWriteExecute") == "yes",
        "calls": sorted(units.allowed(unit)),
        "families": unit.words("RestrictAddressFamilies"),
    }


def confined(unit, state, *arguments, who=None):
    """Return the command line that runs Python with what the unit takes away."""
    who = who or body()
    given = json.dumps(order(unit, state, who))
    return [sys.executable, str(CONFINE), given, who.python, *arguments]


@dataclass
class Place:
    """Settings, state and the unit's manager on one folder."""

    folder: Path
    manager: socket.socket
    ports: dict = field(default_factory=free_ports)
    running: list = field(default_factory=list)
    told: list = field(default_factory=list)
    who: Body = field(default_factory=body)

    @property
    def state(self):
        """Return STATE_DIRECTORY."""
        return self.folder / "state"

    @property
    def log(self):
        """Return what the daemon logged."""
        return (self.folder / "log").read_text(errors="replace")

    def environment(self, unit):
        """Return the variables of the unit's processes."""
        own = dict(item.split("=", 1) for item in unit.words("Environment"))
        told = {"STATE_DIRECTORY": str(self.state), "NOTIFY_SOCKET": str(self.folder / "notify")}
        return {**self.who.environment, **own, **told, "PATH": os.environ["PATH"]}

    def start(self, unit, **variables):
        """Start what the unit starts, with its own arguments, behind all sockets."""
        environment = self.environment(unit) | variables
        started = self._run(self._activated(environment, self._command(unit)), environment)
        # The first who comes starts the daemon.
        until(lambda: self._reached() or started.poll() is not None, "somebody listens")

        assert started.poll() is None, self.log
        return started

    def start_alone(self, unit, **variables):
        """Start a unit that has no sockets."""
        return self._run(self._command(unit), self.environment(unit) | variables)

    def secret(self, name, text):
        """Keep a secret as systemd does; return the folder."""
        folder = self.folder / "credentials"
        folder.mkdir(mode=0o700)
        (folder / name).write_text(text)
        (folder / name).chmod(0o400)
        for path in (folder / name, folder):
            os.chown(path, body().uid or -1, -1)
        return str(folder)

    def _command(self, unit):
        arguments = unit.one("ExecStart").split()[1:-1]
        file = str(self.folder / "watcher.yaml")
        return confined(unit, self.state, "-m", "watcher", *arguments, file, who=self.who)

    def _run(self, command, environment):
        with (self.folder / "log").open("ab") as log:
            started = subprocess.Popen(  # noqa: S603 -- our own program
                command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd="/", start_new_session=True,
            )  # fmt: skip
        self.running.append(started)
        return started

    def _reached(self):
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", self.ports["tcp"]), PATIENCE).close()
            return True
        return False

    def _activated(self, environment, command):
        activate = ["systemd-socket-activate"]
        for name, value in environment.items():
            activate += ["-E", f"{name}={value}"]
        listen = [word for name in STREAMS for word in ("-l", str(self.ports[name]))]
        names = ":".join(STREAMS)
        datagrams = [*activate, "-d", "-l", str(self.ports["udp"]), f"--fdname={names}:udp"]
        return [*activate, *listen, f"--fdname={names}", *datagrams, *command]

    def hear(self):
        """Return all words that the manager was told so far."""
        with suppress(BlockingIOError):
            while True:
                self.told += self.manager.recv(4096).decode().splitlines()
        return [word for word in self.told if not word.startswith("MONOTONIC_USEC")]

    def send(self, numbers):
        """Send alarms: by mail the first, then in turn by TCP and UDP."""
        first, *rest = numbers
        with smtplib.SMTP("127.0.0.1", self.ports["smtp"], timeout=PATIENCE) as session:
            session.sendmail("", ["watcher@localhost"], mail(first))
        with (
            socket.create_connection(("127.0.0.1", self.ports["tcp"]), PATIENCE) as stream,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams,
        ):
            for number in rest:
                if number % 2:
                    stream.sendall(alarm(number) + b"\n")
                else:
                    datagrams.sendto(alarm(number), ("127.0.0.1", self.ports["udp"]))

    def receiver(self):
        """Return the receiver's status, once there is one."""
        return read_receiver(self.state)

    def worker(self):
        """Return the worker's status, once there is one."""
        return read_worker(self.state)

    def end(self):
        """Kill what still runs."""
        for one in self.running:
            with suppress(ProcessLookupError):
                os.killpg(one.pid, 9)
            one.wait()


@contextmanager
def place():
    """Make a folder that the daemon's user can reach; remove it in the end."""
    folder = Path(tempfile.mkdtemp(prefix="watcher-deploy-"))
    folder.chmod(0o755)
    (folder / "state").mkdir(mode=0o700)
    if body().uid:
        os.chown(folder / "state", body().uid, body().uid)
    (folder / "watcher.yaml").write_text(SETTINGS)
    (folder / "inventory.yaml").write_text(inventory())
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(str(folder / "notify"))
    manager.settimeout(0)
    (folder / "notify").chmod(0o777)
    made = Place(folder, manager)
    try:
        yield made
    finally:
        made.end()
        manager.close()
        shutil.rmtree(folder)

"""The real daemon as a child process: settings, senders, questions, and what it logged."""

import json
import os
import re
import signal
import smtplib
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from audit import Sent, audit
from killing import numbered
from ports import free_port

from watcher.app.status import read_receiver, read_worker
from watcher.model.ledger import Place

PATIENCE = 120
"""Seconds to wait for what must come; only a slow machine needs them."""
HERE = "127.0.0.1"
TRACEBACK = re.compile(r"Traceback|Exception ignored|\bWarning\b")


def until(condition, what, house=None):
    """Wait for a condition and return what it returned; else fail with what the daemon logged."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        if house is not None and house.process is not None and house.process.poll() is not None:
            break
        time.sleep(0.05)
    raise AssertionError(f"waited for {what}; the log ends: {house.log()[-3000:] if house else ''}")


def merged(base, changes):
    """Return settings with others laid over them."""
    both = dict(base)
    for name, value in changes.items():
        nested = isinstance(value, dict) and isinstance(base.get(name), dict)
        both[name] = merged(base[name], value) if nested else value
    return both


@dataclass
class House:
    """One folder with settings and state, and at most one daemon on it."""

    folder: Path
    changes: dict = field(default_factory=dict)
    inventory: str = field(default_factory=numbered.inventory)
    environment: dict = field(default_factory=dict)
    process: subprocess.Popen | None = None
    workers: list[int] = field(default_factory=list)

    def __post_init__(self):
        """Write settings and inventory."""
        self.folder.mkdir(exist_ok=True)
        self.web = free_port()
        self.base = {
            "version": 1,
            "state_dir": str(self.state),
            "inventory": str(self.folder / "inventory.yaml"),
            "inputs": {
                "udp": {"port": 0},
                "tcp": {"port": 0},
                "smtp": {"port": 0, "commands": 1000, "bytes_per_second": 1},
            },
            "plans": {"debounce": "0s"},
            "selftest": {"every": None},
            "web": {"port": self.web},
            "log": {"level": "info", "format": "json"},
        }
        self.write()
        (self.folder / "inventory.yaml").write_text(self.inventory)

    @property
    def state(self):
        """Return the folder of journal, database and plans."""
        return self.folder / "state"

    @property
    def url(self):
        """Return the address of the default database."""
        return f"sqlite:///{self.state}/watcher.db"

    @property
    def settings(self):
        """Return the settings file; JSON is YAML."""
        return self.folder / "watcher.yaml"

    def write(self, **changes):
        """Write the settings, with changes besides those of the house."""
        told = merged(merged(self.base, self.changes), changes)
        self.settings.write_text(json.dumps(told))

    # -- life

    def start(self):
        """Start, and wait until both halves work."""
        self.spawn()
        until(self.works, "both halves to work", self)
        return self

    def spawn(self):
        """Start."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 -- our own program
                [sys.executable, "-m", "watcher", "run", "--settings", str(self.settings)],
                env={**os.environ, **self.environment}, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, start_new_session=True,
            )  # fmt: skip

    def works(self):
        """Tell whether receiver and worker of this life work."""
        receiver, worker = self.receiver(), read_worker(self.state)
        if receiver is None or worker is None or worker.pid != receiver.worker_pid:
            return False
        self.workers.append(worker.pid)
        return True

    def receiver(self):
        """Return the status of this life's receiver; None until it has written one."""
        status = read_receiver(self.state)
        ours = status is not None and self.process is not None and status.pid == self.process.pid
        return status if ours else None

    def worker(self):
        """Return the worker's status."""
        return read_worker(self.state)

    def signal_worker(self, number):
        """Send a signal to the worker."""
        os.kill(self.receiver().worker_pid, number)

    def stop(self, number=signal.SIGINT):
        """End in order; return the status."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def clear(self):
        """Kill whatever is left."""
        if self.process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    # -- senders

    def where(self, name):
        """Return host and port of an input."""
        status = next(one for one in self.receiver().inputs if one.name == name)
        host, _, port = status.where.rpartition(":")
        return host, int(port)

    def udp(self, *messages, pause=0.0):
        """Send datagrams."""
        where = self.where("udp")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            for message in messages:
                sock.sendto(message, where)
                if pause:
                    time.sleep(pause)

    def tcp(self, *messages):
        """Send counted frames in a connection of their own."""
        with socket.create_connection(self.where("tcp"), PATIENCE) as sock:
            for message in messages:
                sock.sendall(b"%d %s" % (len(message), message))

    def smtp(self, *mails):
        """Send mails in one session; return the answers' codes."""
        codes = []
        with smtplib.SMTP(*self.where("smtp"), timeout=PATIENCE) as session:
            session.ehlo()
            for letter in mails:
                session.mail("rtmt@cm1.example.test")
                session.rcpt("watcher@localhost")
                codes.append(session.data(letter)[0])
        return codes

    # -- questions

    def total(self, place):
        """Return how many messages ended in a place, by the worker's last status."""
        worker = self.worker()
        return sum(line.count for line in worker.lines if line.place is place) if worker else 0

    def total_received(self, name=None):
        """Return how many messages an input (all: None) has received in this life."""
        return sum(
            line.count for line in self.receiver().lines
            if line.place is Place.RECEIVED and name in (None, line.input)
        )  # fmt: skip

    def total_taken_in(self):
        """Return how many messages told something new, or something known."""
        return self.total(Place.CASE) + self.total(Place.DUPLICATE)

    def taken_in(self, events):
        """Wait until so many messages told something new, or had been told already."""
        until(lambda: self.total_taken_in() >= events, f"{events} taken in", self)

    def page(self, path):
        """Ask the web port; return status and text."""
        try:
            with urllib.request.urlopen(f"http://{HERE}:{self.web}{path}", timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def ask(self, *words):
        """Run a command; return status, output and errors."""
        done = subprocess.run(  # noqa: S603 -- our own program
            [sys.executable, "-m", "watcher", *words],
            capture_output=True, text=True, check=False, timeout=PATIENCE,
            env={**os.environ, "COLUMNS": "200", "WATCHER_SETTINGS": str(self.settings),
                 **self.environment},
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr

    def reload(self, **changes):
        """Have changed settings taken over, or refused; return which."""
        self.write(**changes)
        return self.rethink()

    def rethink(self):
        """Send SIGHUP; return whether the settings were taken over."""
        yes, no = self.told("reloaded"), self.told("reload_failed")
        self.hang_up()
        until(lambda: self.told("reloaded") + self.told("reload_failed") > yes + no, "it", self)
        until(self._said, "the status to say it", self)
        return self.told("reloaded") > yes

    def hang_up(self):
        """Send SIGHUP."""
        self.process.send_signal(signal.SIGHUP)

    def _said(self):
        said = self.receiver().written_at.timestamp()
        newest = [
            line["timestamp"] for line in self.lines()
            if line.get("action") in ("reloaded", "reload_failed")
        ][-1]  # fmt: skip
        return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(said)) > newest[:19]

    def log(self):
        """Return all that it logged."""
        return (self.folder / "log").read_text(errors="replace")

    def lines(self):
        """Return the log's lines that are JSON."""
        found = []
        for line in self.log().splitlines():
            with suppress(ValueError):
                found.append(json.loads(line))
        return found

    def told(self, action):
        """Return how often the log tells of something."""
        return sum(line.get("action") == action for line in self.lines())

    def faults(self):
        """Return what in the log nobody should have to read."""
        return [line for line in self.log().splitlines() if TRACEBACK.search(line)]

    def audit(self, sent, url=None):
        """Return the auditor's faults once it has stopped; all numbers in `sent` left once."""
        times = dict.fromkeys(sent, 1)
        return audit(self.state, url or self.url, Sent(times=times, acknowledged=frozenset(sent)),
                     numbered.numbers_in)  # fmt: skip

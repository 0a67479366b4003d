"""An honest sender among bad ones: how long from sending an alarm until it is in the database."""

import sqlite3
import threading
import time
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice

from builders import CATALOGUE
from loading.daemon import Daemon

from watcher.app.clock import SystemClock
from watcher.app.players import Scheme, SmtpSender, StreamSender, Target, UdpSender
from watcher.traffic.cast import cast
from watcher.traffic.message import Form
from watcher.traffic.numbered import number_in, numbered

EVERY = 0.1
"""Seconds between two alarms."""
BASE = 10_000_000
"""Its first number; no bad one counts so far."""
SOURCE = 2200
"""Where it comes from: an address that no bad one uses."""


@dataclass(slots=True)
class Honest:
    """Sends numbered alarms by several ways in turn and looks for them in the database."""

    daemon: Daemon
    ways: tuple[str, ...]
    sent_at: dict[int, float] = field(default_factory=dict)
    stored_at: dict[int, float] = field(default_factory=dict)
    stopping: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        """Begin; `stop` ends it."""
        for run in (self._send, self._look):
            self.threads.append(threading.Thread(target=run, daemon=True))
            self.threads[-1].start()

    def stop(self) -> None:
        """Send no more, and wait until all that was sent was found, or long enough."""
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    @property
    def is_alive(self) -> bool:
        """Tell whether it still sends."""
        return self.threads[0].is_alive()

    def waits(self, way: str) -> list[float]:
        """Return how long each took that came by this way, shortest first."""
        place = self.ways.index(way)
        mine = [n for n in self.stored_at if (n - BASE) % len(self.ways) == place]
        return sorted(self.stored_at[n] - self.sent_at[n] for n in mine if n in self.sent_at)

    @property
    def missing(self) -> int:
        """Return how many were never found."""
        return len(self.sent_at.keys() - self.stored_at.keys())

    def _send(self) -> None:
        senders = [self._sender(name) for name in self.ways]
        start = SystemClock().now() - timedelta(days=3)
        clusters = cast(self.daemon.site, CATALOGUE, seed=1, start=start)
        forms = [Form.MAIL if name == "smtp" else Form.REMOTE for name in self.ways]
        rounds = len(self.ways)
        streams = [
            islice(
                numbered(clusters, CATALOGUE.alarms, start, form=form, first=BASE + place),
                0,
                None,
                rounds,
            )
            for place, form in enumerate(forms)
        ]
        number = 0
        while not self.stopping.wait(EVERY):
            message = next(streams[number % rounds])
            self.sent_at[BASE + number] = time.monotonic()
            sender = senders[number % rounds]
            sender.send(message.data, SOURCE)
            sender.flush()
            number += 1
        for sender in senders:
            sender.close()

    def _sender(self, name: str):
        host, port = self.daemon.address(name)
        target = Target(scheme=Scheme(name), host=host, port=port)
        if name == "smtp":
            return SmtpSender(target, "watcher@localhost", 1)
        return UdpSender(target) if name == "udp" else StreamSender(target)

    def _look(self) -> None:
        newest, deadline = 0, None
        path = f"file:{self.daemon.state}/watcher.db?mode=ro"
        query = "SELECT id, data FROM message WHERE id > ? ORDER BY id LIMIT 5000"
        with closing(sqlite3.connect(path, uri=True, timeout=10)) as database:
            while deadline is None or (self.missing and time.monotonic() < deadline):
                if self.stopping.is_set() and deadline is None:
                    deadline = time.monotonic() + 120
                rows = []
                with suppress(sqlite3.OperationalError):
                    rows = database.execute(query, (newest,)).fetchall()
                now = time.monotonic()
                for newest, data in rows:  # noqa: B007 -- the last one stays
                    number = number_in(data or b"")
                    if number is not None:
                        self.stored_at.setdefault(number, now)
                time.sleep(0.01)

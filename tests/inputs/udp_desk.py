# ruff: noqa: D101, D102 -- doubles: their names say what they are
"""A journal in memory, a clock that stands, and an input on loopback, for the tests of UDP."""

import socket
import threading
import time
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from watcher.errors import JournalFull
from watcher.inputs.reception import Reception
from watcher.inputs.udp import UdpInput, UdpOptions, bind
from watcher.model.ledger import Books, Place
from watcher.model.message import Position
from watcher.wire.prefilter import Prefilter

MARK = b"%UC_CERT-"
ALARM = b"<186>7: cucm1: Nov 23 2026 10:00:00.000 UTC: %UC_CERT-2-CertExpired: number="
NOISE = b"<189>8: cucm1: Nov 23 2026 10:00:00.000 UTC: %UC_AUDITLOG-6-AdministrativeEvent: "


class StandingClock:
    def now(self):
        return datetime(2026, 11, 23, 10, tzinfo=UTC)

    def monotonic_ns(self):
        return 5


class MemoryJournal:
    """Keeps batches in a list; raises what `fault` holds instead, and forgets nothing."""

    def __init__(self):
        self.batches = []
        self.fault = None
        self.asked = 0
        self._lock = threading.Lock()

    def settle(self, batch):
        with self._lock:
            self.asked += 1
            if isinstance(self.fault, JournalFull) and not batch.kept:
                pass  # counts take no room
            elif self.fault is not None:
                raise self.fault
            self.batches.append(batch)
        return Position(len(self.batches))

    def durable(self, position):  # noqa: ARG002 -- the port has it
        done = Future()
        done.set_result(None)
        return done

    def close(self):
        pass

    @property
    def received(self):
        return sum(batch.received for batch in self.batches)

    @property
    def noise(self):
        return sum(batch.noise for batch in self.batches)

    @property
    def kept(self):
        return [message for batch in self.batches for message in batch.kept]

    @property
    def heard(self):
        counts = {}
        for batch in self.batches:
            for peer, count in batch.heard.items():
                counts[peer] = counts.get(peer, 0) + count
        return counts

    @property
    def books(self):
        made = Books()
        for batch in self.batches:
            made.add(batch.input, Place.RECEIVED, batch.received)
            made.add(batch.input, Place.NOISE, batch.noise)
            made.add(batch.input, Place.CASE, len(batch.kept))
            for reason, count in batch.refused.items():
                made.add(batch.input, Place.REFUSED, count, reason)
        return made


def until(condition, seconds=30):
    """Wait for something that must become true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.002)


@contextmanager
def listening(host="127.0.0.1", journal=None, marks=None, **options):
    """Yield a running input, its journal and the errors it ended with."""
    journal = journal or MemoryJournal()
    errors = []
    made = UdpInput(
        bind(host, 0),
        Reception("udp", journal, StandingClock()),
        marks or Prefilter((MARK,)),
        errors.append,
        UdpOptions(**options),
    )
    made.start()
    try:
        yield made, journal, errors
    finally:
        made.stop()


def need_ipv6():
    """Skip the test where the system has no IPv6 loopback."""
    try:
        bind("::1", 0).close()
    except OSError:
        pytest.skip("no IPv6 here")
    if not socket.has_dualstack_ipv6():
        pytest.skip("no socket for both IPv4 and IPv6 here")

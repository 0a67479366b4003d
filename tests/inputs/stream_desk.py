# ruff: noqa: D101, D102 -- doubles: their names say what they are
"""A journal in memory, stream inputs on loopback and their peers, for the tests of TCP and TLS."""

import asyncio
import ssl
from concurrent.futures import Future
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

from watcher.inputs.reception import Reception
from watcher.inputs.stream import StreamInput, StreamOptions
from watcher.model.ledger import Books, Place
from watcher.model.message import Position
from watcher.wire.prefilter import Prefilter

MARKS = Prefilter([b"UC_CERT", b"UC_DRF-"])
ALARM = b"<188>5: h: Mar 05 2024 05:00:00 UTC : %UC_CERT-4-CertExpired: 7"
NOISE = b"<189>8: h: Mar 05 2024 05:00:00 UTC : %UC_AUDITLOG-6-AdministrativeEvent: 7"


class StandingClock:
    def now(self):
        return datetime(2026, 11, 23, 10, tzinfo=UTC)

    def monotonic_ns(self):
        return 5


class MemoryJournal:
    """Keeps batches in a list; raises what `fault` holds instead."""

    def __init__(self):
        self.batches = []
        self.fault = None
        self.asked = 0

    def settle(self, batch):
        self.asked += 1
        if self.fault is not None:
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
    def data(self):
        return [message.data for message in self.kept]

    @property
    def refused(self):
        """Return what was refused, by reason, and check the books."""
        made = Books()
        for batch in self.batches:
            made.add(batch.input, Place.RECEIVED, batch.received)
            made.add(batch.input, Place.NOISE, batch.noise)
            made.add(batch.input, Place.CASE, len(batch.kept))
            for reason, count in batch.refused.items():
                made.add(batch.input, Place.REFUSED, count, reason)

        assert made.difference == 0

        return {line.reason: line.count for line in made.lines() if line.place is Place.REFUSED}

    @property
    def heard(self):
        counts = {}
        for batch in self.batches:
            for peer, count in batch.heard.items():
                counts[peer] = counts.get(peer, 0) + count
        return counts


async def until(condition, seconds=30):
    """Wait for something that must become true."""
    end = asyncio.get_running_loop().time() + seconds
    while not condition():
        assert asyncio.get_running_loop().time() < end, "waited in vain"
        await asyncio.sleep(0.002)


@asynccontextmanager
async def listening(*, journal=None, tls=None, host="127.0.0.1", admission=None, **options):
    """Yield a running input and its journal; `failures` of the input holds what it told."""
    journal = journal or MemoryJournal()
    reception = Reception("syslog", journal, StandingClock(), admission)
    failures = []
    options.setdefault("retry_seconds", 0.02)
    made = StreamInput(reception, MARKS, StreamOptions(**options), tls, failures.append)
    made.failures, made.peers = failures, []
    await made.start(address=(host, 0))
    try:
        yield made, journal
    finally:
        await made.stop()

        assert made.connections == 0

        for writer in made.peers:
            writer.close()
            await closed(writer)


async def connect(stream, *, context=None, source=None):
    """Return reader and writer of a new connection to an input, closed when it stops."""
    name = "watcher.test" if context else None
    address = (source, 0) if source else None
    reader, writer = await asyncio.open_connection(
        *stream.addresses[0], ssl=context, server_hostname=name, local_addr=address
    )
    stream.peers.append(writer)
    return reader, writer


async def send(stream, data, **how):
    """Open a connection, send, close it."""
    _, writer = await connect(stream, **how)
    writer.write(data)
    await writer.drain()
    writer.close()
    await closed(writer)


async def closed(writer):
    """Wait until a connection is closed, however it ends."""
    with suppress(OSError, ssl.SSLError):
        await writer.wait_closed()


async def ended(reader):
    """Wait until the other side ends the connection; return what it said before."""
    try:
        return await reader.read()
    except (OSError, ssl.SSLError):
        return b""

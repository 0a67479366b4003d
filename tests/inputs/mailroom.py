"""A journal in memory, a bare SMTP client and the rest that tests of mail inputs share."""

import asyncio
import contextlib
import itertools
import ssl
import threading
import time
from concurrent.futures import Future
from datetime import UTC, datetime

import trustme

from watcher.inputs.reception import Reception
from watcher.inputs.smtp import SmtpInput, SmtpOptions
from watcher.model.ledger import Place, Reason, books

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MAIL = b"From: a@cucm.example\r\nSubject: alarm\r\n\r\n%UC_CERT-4-CertValidLessThanMonth\r\n"
OURS = "alerts@watcher.example"


class Clock:
    """Stands still."""

    def now(self):
        """Return noon."""
        return NOW

    def monotonic_ns(self):
        """Return a nanosecond."""
        return 1


class MemoryJournal:
    """Keeps batches in a list; `hold` keeps them from becoming durable, `fault` is raised."""

    def __init__(self):
        self.batches = []
        self.fault = None
        self.disk_fault = None
        self.held = []
        self.hold = False
        self._lock = threading.Lock()

    def settle(self, batch):
        """Keep a batch; its number is its position."""
        with self._lock:
            if self.fault is not None and batch.kept:
                raise self.fault
            self.batches.append(batch)
            return len(self.batches)

    def durable(self, _position):
        """Return a future that is done, failed or in `held`."""
        done = Future()
        if self.disk_fault is not None:
            done.set_exception(self.disk_fault)
        elif self.hold:
            self.held.append(done)
        else:
            done.set_result(None)
        return done

    def close(self):
        """Do nothing."""

    @property
    def kept(self):
        """Return all messages."""
        return [message for batch in self.batches for message in batch.kept]

    @property
    def data(self):
        """Return the bytes of all messages."""
        return [message.data for message in self.kept]

    @property
    def refused(self):
        """Return how many were refused for each reason."""
        found = {}
        for reason, count in itertools.chain(*(b.refused.items() for b in self.batches)):
            found[reason] = found.get(reason, 0) + count
        return found

    @property
    def difference(self):
        """Return by how much the books do not balance, kept messages being cases."""
        book = books(())
        for batch in self.batches:
            book.add(batch.input, Place.RECEIVED, batch.received)
            book.add(batch.input, Place.NOISE, batch.noise)
            book.add(batch.input, Place.CASE, len(batch.kept))
            for reason, count in batch.refused.items():
                book.add(batch.input, Place.REFUSED, count, Reason(reason))
        return book.difference


def reception(journal, name="mail"):
    return Reception(name, journal, Clock())


@contextlib.asynccontextmanager
async def listening(options=None, tls=None, journal=None, **more):
    """Run an SMTP input on a free port of loopback."""
    options = options or SmtpOptions(recipients=(OURS,), **more)
    journal = journal or MemoryJournal()
    smtp = SmtpInput(reception(journal), options, tls)
    await smtp.start(address=("127.0.0.1", 0))
    try:
        yield smtp, journal
    finally:
        await Client.close_all()
        await smtp.stop(grace=0)


class Client:
    """Says exactly what it is told to; reads one reply at a time."""

    opened = ()

    def __init__(self, reader, writer):
        self.reader = reader
        self.writer = writer
        Client.opened = (*Client.opened, self)

    @classmethod
    async def close_all(cls):
        """Close what tests left open, so that no warning comes of it."""
        for client in cls.opened:
            client.close()
            with contextlib.suppress(OSError):
                await client.writer.wait_closed()
        cls.opened = ()

    @classmethod
    async def connect(cls, smtp, source=None):
        """Connect, from one of loopback's addresses."""
        local = (source, 0) if source else None
        streams = await asyncio.open_connection(*smtp.addresses[0], local_addr=local)
        return cls(*streams)

    async def reply(self):
        """Return the next reply, all its lines; empty when the connection is over."""
        lines = []
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(60):
                while line := await self.reader.readline():
                    lines.append(line.decode().rstrip())
                    if line[3:4] != b"-":
                        break
        return "\n".join(lines)

    async def say(self, *lines):
        """Send lines at once and return one reply for each."""
        self.send("".join(f"{line}\r\n" for line in lines).encode())
        return [await self.reply() for _ in lines]

    def send(self, data):
        """Send bytes as they are."""
        self.writer.write(data)

    async def greet(self, recipient=OURS):
        """Go up to the point where DATA may follow."""
        await self.reply()
        await self.say("EHLO test", "MAIL FROM:<a@cucm.example>", f"RCPT TO:<{recipient}>")

    async def mail(self, raw):
        """Send a mail and its end; return the last reply."""
        await self.say("DATA")
        self.send(raw + b".\r\n")
        return await self.reply()

    async def secure(self, context):
        """Go on inside TLS; the greeting before is done."""
        await self.say("EHLO test", "STARTTLS")
        await self.writer.start_tls(context, server_hostname="watcher.example")

    async def ended(self):
        """Read until the peer closes; tell whether it did."""
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(60):
                await self.reader.read()
        return self.reader.at_eof() or self.reader.exception() is not None

    def close(self):
        """Cut the connection."""
        self.writer.transport.abort()


async def until(condition, seconds=60):
    """Wait for something that another task or thread brings about."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


def tls_pair(name="watcher.example"):
    """Return contexts for a server and for a client that trusts it."""
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(server)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(client)
    return server, client

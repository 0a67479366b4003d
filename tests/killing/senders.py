"""Numbered senders: mail until it is acknowledged, streams and datagrams once and for good."""

import asyncio
import random
import socket
import ssl
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from audit import Sent
from inputs.imapserver import ImapServer
from killing.numbered import NOISE, alarm, mail

Address = tuple[str, int]
PATIENCE = 10.0
"""Seconds that a sender waits for an answer before it tries anew."""
RECONNECT = 0.02
AGAIN_AND_AGAIN = 1_000_000
"""Times that a line of a file may come: once for each kill before its place was remembered."""
LOST = (OSError, EOFError, TimeoutError)
_OK = 250
_GO_ON = 354


@dataclass(slots=True)
class Traffic:
    """What all senders of a daemon share."""

    where: Callable[[], dict[str, Address]]
    chance: random.Random
    mails_per_second: float = 95.0
    ways: dict[int, str] = field(default_factory=dict)
    """Of each number the way that it first took."""
    times: Counter[int] = field(default_factory=Counter)
    acknowledged: set[int] = field(default_factory=set)
    """Answered with 250."""
    held: set[int] = field(default_factory=set)
    """In a file or a mailbox: nobody acknowledges them, and still none may be lost."""
    again: deque[int] = field(default_factory=deque)
    refused: int = 0
    quiet: bool = False
    """Send nothing while it is set."""

    def take(self, way: str) -> int:
        """Return the next number, which nobody had."""
        number = len(self.ways)
        self.ways[number] = way
        return number

    def take_kept(self, way: str) -> int:
        """Return the next number for what its sender keeps until it is taken: it must not be lost.

        It may come again after each kill.
        """
        number = self.take(way)
        self.times[number] = AGAIN_AND_AGAIN
        self.held.add(number)
        return number

    def sent(self) -> Sent:
        """Return what the auditor needs."""
        return Sent(times=dict(self.times), acknowledged=frozenset(self.acknowledged | self.held))

    def count(self, way: str) -> int:
        """Return how many numbers took a way first."""
        return sum(each == way for each in self.ways.values())

    async def address(self, name: str) -> Address:
        """Wait until the input is open."""
        while True:
            found = {} if self.quiet else self.where()
            if name in found:
                return found[name]
            await asyncio.sleep(RECONNECT)


@dataclass(slots=True)
class Mailer:
    """Several sessions that send mails; one without answer is sent again, as a relay would."""

    traffic: Traffic
    sessions: int = 16

    async def run(self) -> None:
        """Send until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(self.sessions):
                tasks.create_task(self._session())

    async def _session(self) -> None:
        while True:
            host, port = await self.traffic.address("smtp")
            with suppress(*LOST):
                reader, writer = await asyncio.open_connection(host, port)
                try:
                    await self._talk(reader, writer)
                finally:
                    writer.close()
            await asyncio.sleep(RECONNECT)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _reply(reader)
        writer.write(b"EHLO cm1.example.test\r\n")
        await _reply(reader)
        for _ in range(200):
            if self.traffic.quiet:
                break
            traffic = self.traffic
            number = traffic.again.popleft() if traffic.again else traffic.take("smtp")
            code = 0
            try:
                code = await self._mail(reader, writer, number)
            finally:
                if code == _OK:
                    traffic.acknowledged.add(number)
                else:
                    traffic.again.append(number)
                    traffic.refused += code != 0
            await asyncio.sleep(self.sessions / traffic.mails_per_second)

    async def _mail(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> int:
        """Send one mail; return the code that it was answered with."""
        writer.write(
            b"MAIL FROM:<rtmt@cm1.example.test>\r\nRCPT TO:<watcher@localhost>\r\nDATA\r\n"
        )
        codes = [await _reply(reader) for _ in range(3)]
        if codes[-1] != _GO_ON:
            return max(codes)
        self.traffic.times[number] += 1
        writer.write(mail(number) + b".\r\n")
        return await _reply(reader)


async def _reply(reader: asyncio.StreamReader) -> int:
    """Return the code of an answer; raise EOFError when the connection ends."""
    async with asyncio.timeout(PATIENCE):
        while True:
            line = await reader.readuntil(b"\n")
            if line[3:4] != b"-":
                return int(line[:3])


@dataclass(slots=True)
class Streamer:
    """One connection for syslog, plain or TLS; what is written into a broken one is gone."""

    traffic: Traffic
    way: str = "tcp"
    per_second: float = 30.0

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            host, port = await self.traffic.address(self.way)
            with suppress(*LOST):
                _, writer = await asyncio.open_connection(host, port, ssl=self._context())
                try:
                    await self._write(writer)
                finally:
                    writer.close()
            await asyncio.sleep(RECONNECT)

    def _context(self) -> ssl.SSLContext | None:
        if self.way != "tls":
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context

    async def _write(self, writer: asyncio.StreamWriter) -> None:
        counted = self.traffic.chance.random() < 0.5
        while not self.traffic.quiet and not writer.transport.is_closing():
            lines = []
            for _ in range(10):
                number = self.traffic.take(self.way)
                self.traffic.times[number] += 1
                lines += [alarm(number), NOISE, NOISE]
            frames = (b"%d %s" % (len(x), x) if counted else x + b"\n" for x in lines)
            writer.write(b"".join(frames))
            await writer.drain()
            await asyncio.sleep(10 / self.per_second)


@dataclass(slots=True)
class Spooler:
    """Drops files into a folder and writes a log on; neither may be lost, either may come again."""

    traffic: Traffic
    folder: Path
    per_second: float = 10.0

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self.traffic.address("follow")
            self._drop([self.traffic.take_kept("spool") for _ in range(5)])
            self._append([self.traffic.take_kept("follow") for _ in range(5)])
            await asyncio.sleep(10 / self.per_second)

    @property
    def waiting(self) -> list[Path]:
        """Return the dropped files that were not taken yet."""
        return [path for path in (self.folder / "spool").glob("*.txt") if path.is_file()]

    def _drop(self, numbers: list[int]) -> None:
        draft = self.folder / "spool" / f".{numbers[0]}"
        draft.write_bytes(b"".join(alarm(number) + b"\n" for number in numbers))
        draft.rename(self.folder / "spool" / f"{numbers[0]}.txt")

    def _append(self, numbers: list[int]) -> None:
        with (self.folder / "followed.log").open("ab") as log:
            log.write(b"".join(alarm(number) + b"\n" + NOISE + b"\n" for number in numbers))


@dataclass(slots=True)
class Postman:
    """Puts mails into the mailbox that the daemon looks into."""

    traffic: Traffic
    server: ImapServer = field(default_factory=ImapServer)
    per_second: float = 2.0

    async def run(self) -> None:
        """Deliver until cancelled."""
        while True:
            await self.traffic.address("imap")
            await self.server.deliver(mail(self.traffic.take_kept("imap")))
            await asyncio.sleep(1 / self.per_second)

    @property
    def waiting(self) -> int:
        """Return how many mails were not marked yet."""
        return sum("\\Seen" not in flags for flags in self.server.flags())


@dataclass(slots=True)
class Shooter:
    """Datagrams; some of them say again what a mail has said."""

    traffic: Traffic
    per_second: float = 30.0

    async def run(self) -> None:
        """Send until cancelled."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            while True:
                address = await self.traffic.address("udp")
                for _ in range(5):
                    self._shoot(sender, address)
                await asyncio.sleep(5 / self.per_second)

    def _shoot(self, sender: socket.socket, address: Address) -> None:
        traffic = self.traffic
        known = len(traffic.ways)
        if known and traffic.chance.random() < 0.3:
            number = traffic.chance.randrange(max(0, known - 200), known)
        else:
            number = traffic.take("udp")
        traffic.times[number] += 1
        with suppress(OSError):
            sender.sendto(alarm(number), address)
            sender.sendto(NOISE, address)

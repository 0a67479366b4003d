"""Syslog over UDP (RFC 5426): a thread that takes datagrams in batches.

UDP cannot be asked to wait, so the thread does nothing but look for marks, count and hand over.
When the socket is empty it naps a moment, so that the next datagrams come as a batch; after an
empty look it waits for the kernel to wake it. What the kernel drops is not in the books: it never
reached us, and `UdpInput.figures` tells how much it was.
"""

import select
import socket
import struct
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from errno import EBADF, ENOTSOCK

from watcher.inputs.backlog import Backlog, Patience
from watcher.inputs.datagrams import EMPTY, Drawn, Reader, reader
from watcher.inputs.reception import Hit, Read, Reception
from watcher.model.message import Grade, Origin, Way
from watcher.wire.prefilter import Prefilter

OTHERS = "others"
"""Under this name peers are heard for whom there is no room: anybody can forge a million."""

_FORCE_BUFFER = 33  # SO_RCVBUFFORCE of linux/socket.h; the socket module has no name for it
_MEMINFO = 55  # SO_MEMINFO, likewise: nine counters, the last is what was dropped
_COUNTERS = struct.Struct("@9I")
_FILLED = 100_000_000
"""Bytes of the kernel's buffer that senders fill in a second, at worst."""
_LONGER = 1.2
_SHORTEST = 32
"""Part of the longest nap that is still worth the trouble."""
_SLOTS = 2 << 20
"""Bytes that all slots may take; there are fewer when more of each datagram is kept."""


_TROUBLE = 0.05
"""Seconds before a look at a socket that failed is tried again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UdpOptions:
    """Limits of one UDP input; docs/reliability.md tells why these."""

    kept: int = 16_384
    """Bytes of a datagram that are kept; it may have up to 65,507."""
    buffer: int = 8 << 20
    """Bytes asked of the kernel to hold what comes while we are busy."""
    batch: int = 1024
    """Datagrams that are handed over at once."""
    slots: int = 128
    """Datagrams that are taken from the kernel at once: few enough to stay in the cache."""
    nap: float = 0.01
    """Seconds to let datagrams gather; less when many come, or the kernel's buffer is small."""
    peers: int = 4096
    """New peers told apart within `turn`; others are heard as OTHERS."""
    turn: float = 600.0
    """Seconds after which a peer that fell silent makes room for another."""
    patience: Patience = field(default_factory=Patience)
    """What to do while the journal is full."""
    drain: float = 0.5
    """Seconds for what the kernel holds when we stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UdpFigures:
    """What the kernel says of a socket."""

    granted: int
    """Bytes of its receive buffer, in the terms of `UdpOptions.buffer`."""
    dropped: int | None
    """Datagrams it dropped since the socket was bound, also by another process; None: unknown."""
    waiting: int
    """Messages that wait for room in the journal."""


def bind(host: str, port: int) -> socket.socket:
    """Return a bound socket; `host` is an address, and "" all of IPv4 and IPv6."""
    if not host:
        return _bind_all(port)
    found = socket.getaddrinfo(
        host, port, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST | socket.AI_PASSIVE
    )
    family, kind, protocol, _, where = found[0]
    return _bound(socket.socket(family, kind, protocol), where)


def _bind_all(port: int) -> socket.socket:
    if not socket.has_dualstack_ipv6():
        return bind("0.0.0.0", port)  # noqa: S104 -- all addresses is what was asked for
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    return _bound(sock, ("::", port))


def _bound(sock: socket.socket, where: tuple[object, ...]) -> socket.socket:
    try:
        sock.bind(where)
    except OSError:
        sock.close()
        raise
    return sock


class UdpInput:
    """Takes datagrams from a bound socket until it is stopped.

    `failed` is called from the thread when it ends for a reason that is not `stop`: JournalBroken,
    or a fault of the socket.
    """

    def __init__(
        self,
        sock: socket.socket,
        reception: Reception,
        marks: Prefilter,
        failed: Callable[[BaseException], None],
        options: UdpOptions | None = None,
    ) -> None:
        self._options = options or UdpOptions()
        self._socket = sock
        self._granted = widen(sock, self._options.buffer)
        kept = self._options.kept
        self._slots = max(1, min(self._options.batch, self._options.slots, _SLOTS // kept))
        self._reader = reader(sock, kept, self._slots)
        peers = Peers(reception.name, self._reader.name, self._options)
        self._sieve = Sieve(self._reader, marks, peers, kept)
        self._backlog = Backlog(reception, self._options.patience)
        self._failed = failed
        self._nap = Nap(min(self._options.nap, self._granted / _FILLED))
        self._awake, self._waker = socket.socketpair()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=reception.name, daemon=True)
        self._dropped = dropped(sock)

    @property
    def address(self) -> tuple[str, int]:
        """Return where it listens."""
        name = self._socket.getsockname()
        return name[0], name[1]

    @property
    def alive(self) -> bool:
        """Tell whether the thread runs."""
        return self._thread.is_alive()

    def figures(self) -> UdpFigures:
        """Return what the kernel says; may be called from any thread, and after the end."""
        if self._socket.fileno() >= 0:
            self._dropped = dropped(self._socket) or self._dropped
        return UdpFigures(
            granted=self._granted, dropped=self._dropped, waiting=self._backlog.waiting
        )

    def start(self) -> None:
        """Begin to take datagrams."""
        self._thread.start()

    def stop(self) -> None:
        """Take what the kernel holds, within `drain`, and end; waits for it."""
        self._stopping.set()
        with suppress(OSError):  # the thread ended by itself
            self._waker.send(b"\0")
        if self._thread.ident is not None:
            self._thread.join(2 * self._options.drain)
        self.figures()
        for one in (self._socket, self._awake, self._waker):
            one.close()

    def _run(self) -> None:
        try:
            self._loop()
            self._drain()
        except BaseException as error:  # noqa: BLE001 -- a thread that dies must be heard of
            # `stop` closes the socket under a thread that the disk holds up for too long.
            if self._socket.fileno() >= 0:
                self._failed(error)

    def _loop(self) -> None:
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        poll.register(self._awake, select.POLLIN)
        while not self._stopping.is_set():
            count = self._take()
            if not count:
                self._backlog.settle()
                poll.poll(self._options.patience.retry * 1000 if self._backlog.holds else None)
            elif count < self._options.batch:
                time.sleep(self._nap.take())
            else:
                self._nap.shorten()

    def _drain(self) -> None:
        end = time.monotonic() + self._options.drain
        while time.monotonic() < end and self._take():
            pass
        self._backlog.end()

    def _take(self) -> int:
        """Settle up to one batch; return how many came."""
        count = 0
        while count < self._options.batch:
            drawn = self._draw()
            self._sieve.add(drawn)
            count += len(drawn.lengths)
            if len(drawn.lengths) < self._slots:
                break
        if count:
            self._backlog.settle(self._sieve.take())
        return count

    def _draw(self) -> Drawn:
        try:
            return self._reader.draw()
        except OSError as error:
            if error.errno in {EBADF, ENOTSOCK}:
                raise
            time.sleep(_TROUBLE)  # no memory, or the like: it may pass
            return EMPTY


class Sieve:
    """Looks for marks in what was drawn; copies only what has one."""

    def __init__(self, reader: Reader, marks: Prefilter, peers: "Peers", kept: int) -> None:
        self._reader = reader
        self._search = marks.search
        self._peers = peers
        self._kept = kept
        self._starts = range(0, len(reader.buffer), reader.stride)
        self._clear()

    def add(self, drawn: Drawn) -> None:
        """Sort datagrams, while they are in the reader's buffer."""
        search, buffer = self._search, self._reader.buffer
        found = [
            search(buffer, start, start + length)
            for start, length in zip(self._starts, drawn.lengths, strict=False)
        ]
        noise = found.count(None)
        if noise < len(found):
            self._hits += [self._hit(drawn, i) for i, hit in enumerate(found) if hit is not None]
        self._noise += noise
        self._received += len(drawn.lengths)
        self._senders += drawn.senders

    def take(self) -> Read:
        """Return what was sorted since the last time."""
        read = Read(
            received=self._received, noise=self._noise, hits=self._hits,
            heard=self._peers.heard(self._senders),
        )  # fmt: skip
        self._clear()
        return read

    def _clear(self) -> None:
        self._received = self._noise = 0
        self._hits: list[Hit] = []
        self._senders: list[Hashable] = []

    def _hit(self, drawn: Drawn, index: int) -> Hit:
        start, length = self._starts[index], drawn.lengths[index]
        return Hit(
            self._peers.origin(drawn.senders[index]),
            bytes(self._reader.buffer[start : start + min(length, self._kept)]),
            length > self._kept,
        )


def widen(sock: socket.socket, size: int) -> int:
    """Ask for a receive buffer, by privilege if there is one; return what was granted."""
    if _granted(sock) < size:  # a manager may have given more than we may ask for
        try:
            sock.setsockopt(socket.SOL_SOCKET, _FORCE_BUFFER, size)
        except OSError:
            with suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
    return _granted(sock)


def _granted(sock: socket.socket) -> int:
    # Linux tells twice what it grants: half is for its own records of each datagram.
    told = sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    return told // 2 if sys.platform == "linux" else told


def dropped(sock: socket.socket) -> int | None:
    """Return how many datagrams the kernel dropped for want of room; None where it does not say."""
    try:
        told = sock.getsockopt(socket.SOL_SOCKET, _MEMINFO, _COUNTERS.size)
    except OSError:
        return None
    return int(_COUNTERS.unpack(told)[-1]) if len(told) == _COUNTERS.size else None


class Nap:
    """Finds the time in which about one batch gathers: longer naps fill the kernel's buffer."""

    def __init__(self, longest: float) -> None:
        self._longest = self._now = longest

    def take(self) -> float:
        """Return seconds to sleep after a batch that was not full."""
        nap = self._now
        self._now = min(nap * _LONGER, self._longest)
        return nap

    def shorten(self) -> None:
        """Note that a batch was full: the last nap was too long."""
        self._now = max(self._now / 2, self._longest / _SHORTEST)


class Peers:
    """Names of senders, in bounded memory.

    Whoever was heard within the last turn keeps its name, so that a flood of forged addresses
    cannot make a real node look silent.
    """

    def __init__(self, name: str, read: Callable[[Hashable], str], options: UdpOptions) -> None:
        self._name = name
        self._read = read
        self._options = options
        self._now: dict[Hashable, Origin] = {}
        self._before: dict[Hashable, Origin] = {}
        self._room = options.peers
        self._turned = time.monotonic()

    def heard(self, senders: Iterable[Hashable]) -> Mapping[str, int]:
        """Return how many datagrams came of whom."""
        heard: dict[str, int] = {}
        for sender, count in Counter(senders).items():
            origin = self._now.get(sender) or self._remember(sender)
            peer = origin.peer if origin else OTHERS
            heard[peer] = heard.get(peer, 0) + count
        return heard

    def origin(self, sender: Hashable) -> Origin:
        """Return whom a datagram is from, by its real name."""
        return self._now.get(sender) or self._make(sender)

    def _remember(self, sender: Hashable) -> Origin | None:
        if time.monotonic() - self._turned > self._options.turn:
            self._turn()
        origin = self._before.get(sender)
        if origin is None:
            if not self._room:
                return None
            self._room -= 1
            origin = self._make(sender)
        self._now[sender] = origin
        return origin

    def _turn(self) -> None:
        # Forged addresses that are used again and again must not add up from turn to turn.
        self._before = self._now if len(self._now) <= 2 * self._options.peers else {}
        self._now = {}
        self._room = self._options.peers
        self._turned = time.monotonic()

    def _make(self, sender: Hashable) -> Origin:
        return Origin(way=Way.UDP, input=self._name, peer=self._read(sender), grade=Grade.CLAIM)

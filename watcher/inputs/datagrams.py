"""Batches of datagrams: many for one call where the kernel can, one by one elsewhere.

Both readers fill the same buffer, so that what reads it need not know which one it is. The buffer
holds one slot per datagram and is used again and again: nothing is copied unless it is wanted.
"""

import ctypes
import socket
import struct
import sys
from collections.abc import Hashable, Sequence
from errno import EAGAIN, EINTR
from typing import NamedTuple, Protocol

_PAD = 64
"""Bytes between slots: without them all slots would fall into the same few sets of the cache."""

# struct iovec, and struct mmsghdr up to its `msg_len`, as the C compiler lays them out.
_VECTOR = struct.Struct("@PN")
_HEADER = struct.Struct("@PIPNPNi0PI0P")
_LENGTH_AT = struct.calcsize("@PIPNPNi0P") // 4
_WORDS = _HEADER.size // 4


class Drawn(NamedTuple):
    """What one look at a socket found: of each datagram its length and its sender.

    A length above what a slot keeps says that the rest is gone. Senders are keys that only
    `Reader.name` can read.
    """

    lengths: Sequence[int]
    senders: Sequence[Hashable]


EMPTY = Drawn((), ())


class Reader(Protocol):
    """Reads what a socket holds without waiting."""

    buffer: bytearray
    """Datagram i of what was drawn last begins at `i * stride`."""
    stride: int

    def draw(self) -> Drawn:
        """Take up to one batch; empty when nothing is there."""

    def name(self, sender: Hashable) -> str:
        """Return the address of a sender."""


def reader(sock: socket.socket, kept: int, batch: int) -> Reader:
    """Return the best reader for this socket and this system.

    `kept` is the bytes of each datagram that fit, `batch` the datagrams of one look.
    """
    if sock.family in _ADDRESS and sys.platform == "linux":
        try:
            return ManyReader(sock, kept, batch)
        except (OSError, AttributeError):
            pass
    return SingleReader(sock, kept, batch)


def address(packed: bytes) -> str:
    """Return an address as text: an IPv4 sender on an IPv6 socket by its IPv4 address."""
    if len(packed) == 4:  # noqa: PLR2004 -- bytes of an IPv4 address
        return socket.inet_ntop(socket.AF_INET, packed)
    if packed.startswith(b"\0" * 10 + b"\xff\xff"):
        return socket.inet_ntop(socket.AF_INET, packed[12:])
    return socket.inet_ntop(socket.AF_INET6, packed)


class SingleReader:
    """Asks for one datagram at a time; works everywhere Python does."""

    def __init__(self, sock: socket.socket, kept: int, batch: int) -> None:
        self.stride = kept + _PAD
        self.buffer = bytearray(self.stride * batch)
        view = memoryview(self.buffer)
        self._slots = [view[i : i + kept + 1] for i in range(0, len(view), self.stride)]
        self._socket = sock
        sock.settimeout(0)

    def draw(self) -> Drawn:
        """Take up to one batch; empty when nothing is there."""
        lengths, senders = [], []
        try:
            for slot in self._slots:
                length, sender = self._socket.recvfrom_into(slot)
                lengths.append(length)
                senders.append(sender[0])
        except (BlockingIOError, InterruptedError):
            pass
        return Drawn(lengths, senders)

    def name(self, sender: Hashable) -> str:
        """Return the address of a sender, without the zone of a link-local one."""
        host = str(sender).partition("%")[0]
        return address(socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host))


class ManyReader:
    """Takes a whole batch with one recvmmsg(2), by ctypes.

    The call never waits, so it keeps the interpreter's lock (PyDLL): giving it away would cost up
    to a whole switch interval, 5 ms, to get it back from a busy event loop.
    """

    def __init__(self, sock: socket.socket, kept: int, batch: int) -> None:
        self.stride = kept + _PAD
        self.buffer = bytearray(self.stride * batch)
        self._socket = sock
        self._batch = batch
        size, form = _ADDRESS[sock.family]
        self._names = bytearray(size * batch)
        self._addresses = struct.Struct(form * batch)
        names, slots = _where(self._names), _where(self.buffer)
        self._vectors = bytearray().join(
            _VECTOR.pack(slots + i * self.stride, kept + 1) for i in range(batch)
        )
        vectors = _where(self._vectors)
        self._headers = bytearray().join(
            _HEADER.pack(names + i * size, size, vectors + i * _VECTOR.size, 1, 0, 0, 0, 0)
            for i in range(batch)
        )
        self._at = _where(self._headers)
        self._words = memoryview(self._headers).cast("I")
        self._receive = ctypes.PyDLL(None, use_errno=True).recvmmsg
        self._receive.argtypes = [
            ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int, ctypes.c_void_p,
        ]  # fmt: skip
        self._call(0)

    def draw(self) -> Drawn:
        """Take up to one batch; empty when nothing is there."""
        count = self._call(self._batch)
        if not count:
            return EMPTY
        lengths = self._words[_LENGTH_AT : _WORDS * count : _WORDS].tolist()
        return Drawn(lengths, self._addresses.unpack(self._names)[:count])

    def name(self, sender: Hashable) -> str:
        """Return the address of a sender."""
        return address(sender) if isinstance(sender, bytes) else str(sender)

    def _call(self, batch: int) -> int:
        count: int = self._receive(
            self._socket.fileno(), self._at, batch, socket.MSG_DONTWAIT, None
        )
        if count >= 0:
            return count
        code = ctypes.get_errno()
        if code in {EAGAIN, EINTR}:
            return 0
        raise OSError(code, "cannot receive")


_ADDRESS = {socket.AF_INET: (16, "4x4s8x"), socket.AF_INET6: (28, "8x16s4x")}
"""Of each family: the size of its sockaddr, and where in it the address is."""


def _where(buffer: bytearray) -> int:
    # The buffer cannot move as long as the ctypes object lives, and it lives as long as this:
    # nobody resizes these buffers.
    return ctypes.addressof(ctypes.c_char.from_buffer(buffer))

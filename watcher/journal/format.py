"""How entries stand in a segment: bytes in, entries out; no file is touched here.

    segment = *entry
    entry   = magic kind length body-check head-check body

All numbers are little-endian. `body-check` is the CRC-32 of the body. `head-check` is the CRC-32
of the four fields before it, begun with the segment's salt and the entry's place, so that

- a length is believed only when it is ours: a lie never makes the reader allocate or skip,
- an entry that was moved, or that a sender wrote into its message, is none (the salt is drawn
  for each segment and stands in its name alone).

A reader that stands in damage looks for the next magic with a right head-check.
"""

import json
import struct
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from zlib import crc32

from watcher.model.ledger import Counts, Line, Place, Reason
from watcher.model.message import Grade, Origin, RawMessage, Way

MAGIC: Final = b"\xf1WJ\x01"
"""The last byte is the version of the format."""
KEPT: Final = 1
COUNTED: Final = 2
DAMAGED: Final = 0
"""Never written: how the scan names a stretch that is no entry."""

MAX_BODY: Final = 8 * 1024 * 1024
"""Bytes; far above the largest mail that is taken (256 KiB), and the most a reader allocates."""
SAMPLE: Final = 4096
"""Bytes of a damaged stretch that are handed on."""
WINDOW: Final = 256 * 1024
"""Bytes read at once."""

_HEAD = struct.Struct("<4sBII")
_CHECK = struct.Struct("<I")
_CHECKED_HEAD = struct.Struct("<4sBIII")
_MESSAGE = struct.Struct("<qqBI")
HEAD_SIZE: Final = _CHECKED_HEAD.size

NOT_OURS: Final = (
    ValueError, TypeError, KeyError, OverflowError, RecursionError, struct.error,
)  # fmt: skip
"""What reading a body can raise that passed its check and was still not written by this version."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_CACHED = 4096


class Found(NamedTuple):
    """A stretch of a segment: an entry that passed its checks, or damage."""

    kind: int
    start: int
    end: int
    body: bytes
    """The body; of damage the first bytes."""


def frame(kind: int, bodies: Sequence[bytes], salt: int, offset: int) -> bytes:
    """Return entries as they stand at `offset` of the segment with this salt."""
    parts: list[bytes] = []
    for body in bodies:
        head = _HEAD.pack(MAGIC, kind, len(body), crc32(body))
        parts += (head, _CHECK.pack(crc32(head, salt ^ offset)), body)
        offset += HEAD_SIZE + len(body)
    return b"".join(parts)


def framed_size(bodies: Sequence[bytes]) -> int:
    """Return how many bytes `frame` will make of these."""
    return sum(map(len, bodies)) + HEAD_SIZE * len(bodies)


class Scan:
    """Goes through a stretch of a segment, over damage.

    `read(offset, size)` returns bytes of the segment; fewer than asked mean that the rest cannot
    be read. `end` is where a whole entry ends that was written last.
    """

    def __init__(self, read: Callable[[int, int], bytes], salt: int, end: int) -> None:
        self._read = read
        self._salt = salt
        self._end = end
        self._base = 0
        self._window = b""

    def entries(self, start: int) -> Iterator[Found]:
        """Yield everything from `start` on, oldest first, damage as one stretch."""
        at = start
        while at < self._end:
            found = self._entry(at) or self._damage(at)
            yield found
            at = found.end

    def _entry(self, at: int) -> Found | None:
        """Return the entry that begins here; None when none does."""
        begin = self._reach(at, HEAD_SIZE)
        window = self._window
        if begin + HEAD_SIZE > len(window):
            return None
        magic, kind, length, body_check, check = _CHECKED_HEAD.unpack_from(window, begin)
        if magic != MAGIC or crc32(window[begin : begin + _HEAD.size], self._salt ^ at) != check:
            return None
        end = at + HEAD_SIZE + length
        if length > MAX_BODY or end > self._end:
            return None
        body = self._bytes(at + HEAD_SIZE, length)
        if len(body) == length and crc32(body) == body_check:
            return Found(kind, at, end, body)
        return Found(DAMAGED, at, end, self._bytes(at, min(SAMPLE, end - at)))

    def _damage(self, at: int) -> Found:
        sample = self._bytes(at, min(SAMPLE, self._end - at))
        end = self._resume(at + 1)
        return Found(DAMAGED, at, end, sample[: end - at])

    def _resume(self, at: int) -> int:
        """Return where the next entry begins, or the end."""
        while at < self._end:
            begin = self._reach(at, HEAD_SIZE)
            if not self._window:
                break
            here = self._window.find(MAGIC, begin)
            if here < 0:
                # A magic may begin in the last bytes of the window.
                at = max(at, self._base + len(self._window) - len(MAGIC)) + 1
                continue
            at = self._base + here
            if self._entry(at):
                return at
            at += 1
        return self._end

    def _bytes(self, at: int, size: int) -> bytes:
        begin = self._reach(at, size)
        return self._window[begin : begin + size]

    def _reach(self, at: int, size: int) -> int:
        """Return where in the window a place is, with so many bytes behind it if there are."""
        begin = at - self._base
        if begin >= 0 and begin + size <= len(self._window):
            return begin
        self._base = at
        self._window = self._read(at, min(max(size, WINDOW), self._end - at))
        return 0


class Bodies:
    """Writes and reads the bodies of entries; remembers origins, which repeat."""

    def __init__(self) -> None:
        self._written: dict[tuple[Origin, Reason | None], bytes] = {}
        self._seen: dict[bytes, tuple[Origin, Reason | None]] = {}

    def write_message(self, message: RawMessage) -> bytes:
        """Return the body of a message; longer than MAX_BODY is the caller's fault."""
        label = self._label(message.origin, message.fault)
        wall = (message.received_at - _EPOCH) // _MICROSECOND
        body = b"".join(
            (
                _MESSAGE.pack(wall, message.monotonic_ns, message.cut, len(label)),
                label,
                message.data,
            )
        )
        if len(body) > MAX_BODY:
            raise ValueError(f"a message of {len(body)} bytes; the input must cut it")
        return body

    def read_message(self, body: bytes) -> RawMessage | None:
        """Return the message; None when the body is none (a later version's, perhaps)."""
        try:
            return self._message(body)
        except NOT_OURS:
            return None

    def _message(self, body: bytes) -> RawMessage:
        wall, monotonic_ns, cut, size = _MESSAGE.unpack_from(body)
        data_at = _MESSAGE.size + size
        origin, fault = self._origin(body[_MESSAGE.size : data_at])
        return RawMessage(
            origin=origin, received_at=_EPOCH + timedelta(microseconds=wall),
            monotonic_ns=monotonic_ns, data=body[data_at:], cut=bool(cut), fault=fault,
        )  # fmt: skip

    def _label(self, origin: Origin, fault: Reason | None) -> bytes:
        key = (origin, fault)
        label = self._written.get(key)
        if label is None:
            if len(self._written) >= _CACHED:
                self._written.clear()
            fields = (origin.way, origin.input, origin.peer, origin.grade, origin.bound)
            label = json.dumps((*fields, fault), separators=(",", ":")).encode("ascii")
            self._written[key] = label
        return label

    def _origin(self, label: bytes) -> tuple[Origin, Reason | None]:
        known = self._seen.get(label)
        if known is None:
            if len(self._seen) >= _CACHED:
                self._seen.clear()
            way, input_, peer, grade, bound, fault = json.loads(label)
            origin = Origin(
                way=Way(way), input=input_, peer=peer, grade=Grade(grade), bound=tuple(bound)
            )
            known = (origin, None if fault is None else Reason(fault))
            self._seen[label] = known
        return known


def write_counts(counts: Counts, kept: int) -> bytes:
    """Return the body of a counts entry."""
    lines = [(line.input, line.place, line.reason, line.count) for line in counts.lines]
    heard = [
        (input_, peer, count, (last - _EPOCH) // _MICROSECOND)
        for (input_, peer), (count, last) in counts.heard.items()
    ]
    return json.dumps((kept, lines, heard), separators=(",", ":")).encode("ascii")


def read_counts(body: bytes) -> tuple[Counts, int] | None:
    """Return what was counted and how many messages came; None when the body is none."""
    try:
        return _counts(body)
    except NOT_OURS:
        return None


def _counts(body: bytes) -> tuple[Counts, int]:
    kept, lines, heard = json.loads(body)
    counts = Counts(
        lines=tuple(
            Line(input_, Place(place), Reason(reason), count)
            for input_, place, reason, count in lines
        ),
        heard={
            (input_, peer): (count, _EPOCH + timedelta(microseconds=last))
            for input_, peer, count, last in heard
        },
    )
    return counts, kept

"""Frames out of the bytes of one connection, and only those that may be ours.

The first bytes of a connection say how it is framed, and nothing changes that later: digits and
a blank are a count (octet counting), anything else begins a line (non-transparent framing; the
trailer is LF or NUL, a CR before it is no part of the message). `1362992: ` is Cisco's sequence
number, hence a line.

Whatever holds no mark is counted and never copied: lines by counting trailers, counted frames by
hopping from count to count. At most `limit` bytes of a frame are kept, and no more than that is
ever held for one connection.

A count that lies ends the connection: where the next frame begins can then only be guessed.

Source: RFC 6587 section 3.4 (both framings), RFC 5425 section 4.3 (MSG-LEN).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from watcher.wire.prefilter import Bytes, Prefilter

FRAME_LIMIT = 16 * 1024
"""Bytes kept of one frame unless told otherwise; marks behind them are not looked for."""
FAULT_LIMIT = 1024
"""Bytes kept of what stands where a count should; a CiscoLog record has at most 805."""
MSG_LEN_LIMIT = 65_535

_TRAILER = b"\r\n\0"
_MSG_LEN = re.compile(rb"[1-9][0-9]{0,4} ")
_MSG_LEN_BEGUN = re.compile(rb"(?:[1-9][0-9]{0,4})?\Z")
_COUNT_ROOM = 6
_PIECE = 64 * 1024
"""Bytes that are copied at once, to be looked up in a table: few enough to stay in the cache."""
_STEPS = {b"%d " % size: size + 4 for size in range(100, 1000)}
"""What to add to get from such a count to the next one."""
_FIRST_DIGITS = re.compile(rb"[0-9]*")
_MOST_DIGITS = 20
"""More digits than any sequence number has; then they are a count, and a lie."""


class Framing(StrEnum):
    """How frames are told apart on a stream (RFC 6587)."""

    OCTET_COUNTING = "octet-counting"
    NON_TRANSPARENT = "non-transparent"


class Frame(NamedTuple):
    """A frame with a mark, without count and trailer; `cut`: only its beginning was kept."""

    data: bytes
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """What some bytes completed: received = noise + hits + fault.

    `fault` holds the first bytes from where a count should stand; the connection is to be closed.
    """

    received: int = 0
    noise: int = 0
    hits: Sequence[Frame] = ()
    fault: bytes | None = None


NOTHING = Reading()


class FrameDecoder:
    """Takes the bytes of one connection; where they are cut never changes the frames."""

    __slots__ = ("_frames", "_head", "_limit", "_marks")

    def __init__(self, marks: Prefilter, limit: int = FRAME_LIMIT) -> None:
        self._marks = marks
        self._limit = limit
        self._head = b""
        self._frames: _Lines | _Counted | None = None

    @property
    def framing(self) -> Framing | None:
        """How the connection is framed; None until enough bytes came."""
        return self._frames.framing if self._frames else None

    @property
    def held(self) -> int:
        """Bytes kept of a frame that is not whole yet."""
        return len(self._frames.held) if self._frames else len(self._head)

    @property
    def unfinished(self) -> bool:
        """Whether a frame was begun whose end has not come."""
        return self._frames.unfinished if self._frames else bool(self._head)

    def receive(self, buffer: Bytes, size: int) -> Reading:
        """Take `buffer[:size]`, which may be overwritten afterwards."""
        if self._frames is not None:
            return self._frames.receive(buffer, size)
        head = self._head = self._head + buffer[:size]
        self._frames = self._detect(head)
        if self._frames is None:
            return NOTHING
        self._head = b""
        return self._frames.receive(head, len(head))

    def close(self, *, lost: bool) -> Reading:
        """Take the end of the stream.

        An unfinished line is a frame. An unfinished counted frame is a fault of the sender, which
        promised more. If the connection was `lost` (it broke, or we end it) it is nobody's lie:
        then what came of either is a frame, cut.
        """
        frames = self._frames or _Lines(self._marks, self._limit, self._head)
        return frames.close(lost=lost)

    def _detect(self, head: bytes) -> "_Lines | _Counted | None":
        digits = _FIRST_DIGITS.match(head).end()  # type: ignore[union-attr]  # matches anything
        if digits == len(head) <= _MOST_DIGITS:
            return None
        if digits > _MOST_DIGITS or (digits and head[digits] == ord(" ")):
            return _Counted(self._marks, self._limit)
        return _Lines(self._marks, self._limit)


class _Tally:
    """A reading while it is made."""

    __slots__ = ("fault", "hits", "limit", "marks", "noise", "received")

    def __init__(self, marks: Prefilter, limit: int) -> None:
        self.marks = marks
        self.limit = limit
        self.received = 0
        self.noise = 0
        self.hits: list[Frame] = []
        self.fault: bytes | None = None

    def reading(self) -> Reading:
        return Reading(self.received, self.noise, self.hits, self.fault)

    def pass_over(self, frames: int) -> None:
        self.received += frames
        self.noise += frames

    def take(self, data: Bytes, *, cut: bool) -> None:
        """Count a frame whose end is known, and keep it if it holds a mark."""
        if self.marks.find(data, 0, len(data)) < 0:
            self.pass_over(1)
        elif cut:
            self.received += 1
            self.hits.append(Frame(bytes(data), cut=True))
        else:
            self.keep(data)

    def keep(self, data: Bytes) -> None:
        """Keep a whole frame that holds a mark."""
        self.received += 1
        self.hits.append(Frame(bytes(data.rstrip(_TRAILER))))

    def refuse(self, data: Bytes) -> None:
        self.received += 1
        self.fault = bytes(data[:FAULT_LIMIT])


class _Lines:
    """Non-transparent framing.

    Of a line that is too long the beginning is taken at once; the rest is thrown away as it
    comes, so that an endless line is one frame.
    """

    framing = Framing.NON_TRANSPARENT
    __slots__ = ("_endless", "_limit", "_marks", "held")

    def __init__(self, marks: Prefilter, limit: int, held: bytes = b"") -> None:
        self._marks = marks
        self._limit = limit
        self._endless = False
        self.held = bytearray(held)

    @property
    def unfinished(self) -> bool:
        return self._endless or bool(self.held)

    def receive(self, buffer: Bytes, size: int) -> Reading:
        if buffer.find(b"\0", 0, size) >= 0:
            buffer = buffer[:size].replace(b"\0", b"\n")
        tally = _Tally(self._marks, self._limit)
        at = self._finish(buffer, size, tally) if self.unfinished else 0
        last = buffer.rfind(b"\n", at, size) + 1
        if last > at:
            _scan(buffer, at, last, tally)
            at = last
        self._hold(buffer, at, size, tally)
        return tally.reading()

    def close(self, *, lost: bool) -> Reading:
        tally = _Tally(self._marks, self._limit)
        if self.held:
            tally.take(self.held, cut=lost)
            self.held = bytearray()
        return tally.reading()

    def _finish(self, buffer: Bytes, size: int, tally: _Tally) -> int:
        end = buffer.find(b"\n", 0, size)
        if not self._endless:
            self._hold(buffer, 0, size if end < 0 else end, tally)
        if end < 0:
            return size
        if self.held:
            tally.take(self.held, cut=False)
            self.held = bytearray()
        self._endless = False
        return end + 1

    def _hold(self, buffer: Bytes, start: int, end: int, tally: _Tally) -> None:
        room = self._limit + 1 - len(self.held)
        self.held += buffer[start : min(end, start + room)]
        if len(self.held) > self._limit:
            tally.take(self.held[: self._limit], cut=True)
            self.held = bytearray()
            self._endless = True


def _scan(buffer: Bytes, at: int, last: int, tally: _Tally) -> None:
    """Take whole lines: frames are cut out around marks only, all others are counted."""
    find, line_end, limit = tally.marks.find, buffer.find, tally.limit
    while (hit := find(buffer, at, last)) >= 0:
        begin = max(buffer.rfind(b"\n", at, hit) + 1, at)
        end = line_end(b"\n", hit, last)
        if begin > at:
            tally.pass_over(buffer.count(b"\n", at, begin))
        if end - begin > limit:
            tally.take(buffer[begin : begin + limit], cut=True)
        else:
            tally.keep(buffer[begin:end])
        at = end + 1
    tally.pass_over(buffer.count(b"\n", at, last))


class _Counted:
    """Octet counting."""

    framing = Framing.OCTET_COUNTING
    __slots__ = ("_broken", "_limit", "_marks", "_missing", "held")

    def __init__(self, marks: Prefilter, limit: int) -> None:
        self._marks = marks
        self._limit = limit
        self._missing = 0
        self._broken = False
        self.held = bytearray()
        """A frame from its count on; or the beginning of a count."""

    @property
    def unfinished(self) -> bool:
        return bool(self.held)

    def receive(self, buffer: Bytes, size: int) -> Reading:
        tally = _Tally(self._marks, self._limit)
        view = memoryview(buffer)
        for at in range(0, size, _PIECE):
            if self._broken:
                break
            self._take(bytes(view[at : min(at + _PIECE, size)]), tally)
        return tally.reading()

    def close(self, *, lost: bool) -> Reading:
        tally = _Tally(self._marks, self._limit)
        if self.held and lost:
            start = self.held.find(b" ") + 1
            tally.take(self.held[start : start + self._limit], cut=True)
        elif self.held:
            tally.refuse(self.held)
        self.held, self._missing = bytearray(), 0
        return tally.reading()

    def _take(self, data: bytes, tally: _Tally) -> None:
        if self._missing:
            data = self._finish(data, tally)
            if self._missing:
                return
        if self.held:
            data = bytes(self.held) + data
            self.held = bytearray()
        self._hop(data, tally)

    def _finish(self, data: bytes, tally: _Tally) -> bytes:
        came = min(len(data), self._missing)
        room = self._limit + _COUNT_ROOM - len(self.held)
        self.held += data[: min(came, room)]
        self._missing -= came
        if not self._missing:
            start = self.held.index(b" ") + 1
            cut = int(self.held[:start]) > self._limit
            tally.take(self.held[start : start + self._limit], cut=cut)
            self.held = bytearray()
        return data[came:]

    def _hop(self, data: bytes, tally: _Tally) -> None:
        at, size = 0, len(data)
        while at < size:
            hit = self._marks.find(data, at, size)
            frames, begin, at = _walk(data, at, hit if hit >= 0 else size - 1)
            if at > size or at <= begin:
                tally.pass_over(frames - 1)
                self._stop(data, begin, at, tally)
                return
            if hit < 0:
                tally.pass_over(frames)
                return
            if frames > 1:
                tally.pass_over(frames - 1)
            start = data.index(b" ", begin) + 1
            if start <= hit and hit + self._marks.longest <= at <= start + self._limit:
                tally.keep(data[start:at])
            else:
                cut = at - start > self._limit
                tally.take(data[start : start + self._limit if cut else at], cut=cut)

    def _stop(self, data: bytes, begin: int, end: int, tally: _Tally) -> None:
        if end < begin:
            tally.refuse(data[begin : begin + FAULT_LIMIT])
            self._broken = True
            return
        self.held += data[begin : begin + self._limit + _COUNT_ROOM]
        self._missing = max(end - len(data), 0)


def _walk(data: bytes, at: int, stop: int) -> tuple[int, int, int]:
    """Hop from count to count until a frame ends behind `stop`.

    Returns how many frames were met, where the last begins and where it ends: there too if its
    count is not whole, and before it if its count is a lie.
    """
    step_of, frames, begin = _STEPS.get, 0, at
    while at <= stop:
        begin, frames = at, frames + 1
        step = step_of(data[at : at + 4]) or _step(data, at)
        if step <= 0:
            return frames, begin, begin + step
        at += step
    return frames, begin, at


def _step(data: bytes, at: int) -> int:
    """Return the length of count and frame; 0 if the count is not whole, -1 if it is a lie."""
    count = _MSG_LEN.match(data, at)
    if count is None:
        return 0 if _MSG_LEN_BEGUN.match(data, at) else -1
    msg_len = int(count[0])
    return count.end() - at + msg_len if msg_len <= MSG_LEN_LIMIT else -1

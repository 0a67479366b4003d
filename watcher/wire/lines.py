"""Lines of any archive: finds the few that matter without looking at the others.

A block is searched for marks, line ends between two hits are counted, and only lines around a
hit are cut out and decoded. What a hit becomes depends on at most `CONTEXT` bytes before it and
`JOINED_LINES` lines after it, and waits until these have come: the size of the blocks that
come in never changes what goes out.
"""

import re
from collections.abc import Iterator

from watcher.model.alarm import Envelope
from watcher.wire.carrier import Found, open_text
from watcher.wire.region import CONTEXT, LINE_LIMIT, Region, find_region

BLOCK = 256 * 1024
"""Bytes gathered before a search: enough that its fixed costs vanish, and little memory."""


class LineReader:
    """Reads lines; `noise` counts those that belong to no record of ours."""

    def __init__(self, marks: re.Pattern[bytes], outer: tuple[Envelope, ...] = ()) -> None:
        self._marks = marks
        self._outer = outer
        self._incoming: list[bytes] = []
        self._size = 0
        self._buffer = b""
        self._done = 0
        self._overlong = False
        self.noise = 0

    def receive_data(self, data: bytes) -> Iterator[Found]:
        """Take the next bytes and yield the records that became whole."""
        self._incoming.append(data)
        self._size += len(data)
        if self._size >= BLOCK:
            yield from self._read(final=False)

    def close(self) -> Iterator[Found]:
        """Yield what is left; the last line may lack its end."""
        yield from self._read(final=True)

    def _read(self, *, final: bool) -> Iterator[Found]:
        self._fill()
        last = len(self._buffer) if final else self._buffer.rfind(b"\n") + 1
        at = self._done
        while (hit := self._marks.search(self._buffer, at, last)) is not None:
            start = max(self._buffer.rfind(b"\n", at, hit.start()) + 1, at)
            end = _line_end(self._buffer, hit.start(), last)
            if hit.end() > start + LINE_LIMIT:
                self.noise += _lines(self._buffer, at, end)
                at = end
                continue
            region = find_region(self._buffer, (at, start, end, last), final=final)
            if region is None:
                last = start
                break
            yield from self._open(region, at)
            at = region.end
        self._keep(at, last, final=final)

    def _open(self, region: Region, at: int) -> Iterator[Found]:
        self.noise += _lines(self._buffer, at, region.begin)
        empty = True
        for found in open_text(region.text, context=region.context, outer=self._outer):
            empty = False
            yield found
        if empty:
            self.noise += _lines(self._buffer, region.begin, region.end)

    def _fill(self) -> None:
        new = self._incoming[0] if len(self._incoming) == 1 else b"".join(self._incoming)
        self._incoming.clear()
        self._size = 0
        if self._overlong:
            end = new.find(b"\n")
            self._overlong = end < 0
            new = new[end:] if end >= 0 else b""
        self._buffer += new

    def _keep(self, at: int, last: int, *, final: bool) -> None:
        # Lines without a mark stay uncounted for a while: the next hit may need one of them.
        if final:
            done = len(self._buffer)
        else:
            done = max(at, self._buffer.rfind(b"\n", at, max(at, last - CONTEXT)) + 1)
        self.noise += _lines(self._buffer, at, done)
        if final:
            self._buffer, self._done = b"", 0
            return
        tail = self._buffer.rfind(b"\n") + 1
        if len(self._buffer) - tail > LINE_LIMIT:
            # The rest of an endless line is dropped; what is kept shows that it was too long.
            self._buffer = self._buffer[: tail + LINE_LIMIT]
            self._overlong = True
        cut = max(0, done - 2 * CONTEXT)
        self._buffer, self._done = self._buffer[cut:], done - cut


def _line_end(buffer: bytes, start: int, last: int) -> int:
    end = buffer.find(b"\n", start, last)
    return last if end < 0 else end + 1


def _lines(buffer: bytes, start: int, end: int) -> int:
    unfinished = end > start and buffer[end - 1 : end] != b"\n"
    return buffer.count(b"\n", start, end) + unfinished

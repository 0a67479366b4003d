"""Segment files and marks of a journal's folder: names, places, and what stands in them.

    00003412345-9f3c01ab.seg    number of the segment, its salt
    durable                     the writer's mark: up to here everything is on the disk
    forgotten                   the reader's mark: up to here everything is in the store
    lock                        held by the one writer

Numbers go up by one. The first of an empty folder is the count of minutes since 2020, so that a
journal whose folder was emptied goes on behind all it ever was: the store still knows the old
places, would pass over new entries in front of them, and would take new messages for old ones.
(A folder would have to fill more than one segment a minute all its life to outrun that.)
"""

import os
import re
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zlib import crc32

from watcher.journal.files import read_at
from watcher.journal.format import Scan
from watcher.model.message import Position

OFFSET_BITS = 28
"""A segment is shorter than 256 MiB; the number stands above."""
MAX_SEGMENT = 1 << OFFSET_BITS

_NAME = re.compile(r"([0-9]{11})-([0-9a-f]{8})\.seg")
_MARK = struct.Struct("<QI")
_BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)


def place(number: int, offset: int) -> Position:
    """Return the position of an offset in a segment."""
    return Position(number << OFFSET_BITS | offset)


def split(position: Position) -> tuple[int, int]:
    """Return the number of the segment, and the offset in it."""
    return position >> OFFSET_BITS, position & (MAX_SEGMENT - 1)


def first_number(now: datetime) -> int:
    """Return the number of the first segment of an empty folder."""
    return max(1, (now - _BEGINNING) // timedelta(minutes=1))


@dataclass(frozen=True, slots=True, order=True)
class Segment:
    """A segment file, by its name."""

    number: int
    salt: int
    path: Path

    @property
    def size(self) -> int:
        """Return its bytes; 0 when it is gone."""
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0

    def scan(self, fd: int, end: int) -> Scan:
        """Return a scan over the file, which the caller has open."""
        return Scan(lambda offset, size: read_at(fd, offset, size), self.salt, end)


def name_segment(folder: Path, number: int, salt: int) -> Segment:
    """Return the segment with a number and a salt, which need not exist."""
    return Segment(number, salt, folder / f"{number:011d}-{salt:08x}.seg")


def list_segments(folder: Path) -> list[Segment]:
    """Return the segments of a folder, oldest first; none when there is no folder."""
    try:
        names = os.listdir(folder)  # noqa: PTH208 -- a path for each name costs too much here
    except FileNotFoundError:
        return []
    matches = filter(None, map(_NAME.fullmatch, names))
    return sorted(name_segment(folder, int(m[1]), int(m[2], 16)) for m in matches)


def unread_bytes(segments: list[Segment], after: Position) -> int:
    """Return how many bytes stand behind a position."""
    number, offset = split(after)
    behind = sum(segment.size for segment in segments if segment.number > number)
    here = sum(segment.size for segment in segments if segment.number == number)
    return behind + max(0, here - offset)


class Mark:
    """A position that one process writes and another reads.

    A check goes with it, because nobody promises that a reader sees all of a write at once.
    """

    def __init__(self, path: Path, *, ours: bool) -> None:
        self._path = path
        self._flags = os.O_RDWR | os.O_CREAT if ours else os.O_RDONLY
        self._fd: int | None = None
        self._last = Position(0)

    def read(self) -> Position:
        """Return the position; what was read last when it is being written, 0 when never."""
        fd = self._open()
        raw = b"" if fd is None else os.pread(fd, _MARK.size, 0)
        if len(raw) == _MARK.size:
            position, check = _MARK.unpack(raw)
            if crc32(raw[:8]) == check:
                self._last = Position(position)
        return self._last

    def write(self, position: Position) -> None:
        """State the position, if the mark is ours; not synced, for it may always be too low."""
        fd = self._open()
        raw = position.to_bytes(8, "little")
        if fd is not None:
            os.pwrite(fd, raw + crc32(raw).to_bytes(4, "little"), 0)

    def close(self) -> None:
        """Let the file go."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _open(self) -> int | None:
        if self._fd is None:
            try:
                self._fd = os.open(self._path, self._flags, 0o600)
            except FileNotFoundError:
                return None
        return self._fd

"""Appends entries to segment files; all or nothing of each call. Its caller holds a lock."""

import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from watcher import crash
from watcher.errors import JournalBroken, JournalFull, TemporaryError
from watcher.journal.counting import Counting
from watcher.journal.files import PASSING, Files
from watcher.journal.format import COUNTED, KEPT, frame, framed_size, write_counts
from watcher.journal.segments import MAX_SEGMENT, name_segment, place
from watcher.model.message import Position


@dataclass(slots=True)
class _Tail:
    """The segment that is written."""

    fd: int
    number: int
    salt: int
    offset: int = 0


@dataclass(slots=True)
class Unsynced:
    """What must be synced so that everything up to `target` is durable."""

    target: Position
    full: list[int] = field(default_factory=list)
    """Descriptors of segments that are written no more: close them."""
    current: list[int] = field(default_factory=list)
    names: bool = False


class SegmentWriter:
    """The end of the journal."""

    def __init__(self, folder: Path, files: Files, segment_bytes: int) -> None:
        self._folder = folder
        self._files = files
        self._segment_bytes = min(segment_bytes, MAX_SEGMENT // 2)
        self._tail: _Tail | None = None
        self._full: list[int] = []
        self._names = False
        self.number = 0
        """Of the next segment."""
        self.written = Position(0)
        self.counting = Counting()
        self.room = 0
        """Bytes that may come before messages are refused."""
        self.refusing = ""
        """Why there is no more room."""
        self.broken = ""
        """Why nothing is written any more."""

    def keep(self, bodies: Sequence[bytes]) -> None:
        """Append messages; raise JournalFull or JournalBroken, and append none."""
        size = framed_size(bodies)
        if size >= MAX_SEGMENT // 2:
            raise ValueError(f"a batch of {size} bytes; the input must cut it")
        if self.room < size and not self.broken:
            self.room = 0  # a smaller one would be taken: refuse all alike until measured anew
            raise JournalFull(self.refusing)
        self._append(KEPT, bodies, self._tail_for(size))
        crash.point("journal-after-write")

    def count(self) -> None:
        """Append what was counted since the last time, if anything; the reserve is there for it."""
        if self.counting:
            body = write_counts(self.counting.counts(), self.counting.kept)
            tail = self._tail or self._begin()
            self._append(COUNTED, [body], tail)
            self.counting = Counting()
            crash.point("journal-counts-written")
            if tail.offset >= self._segment_bytes:
                self._retire()

    def take_unsynced(self) -> Unsynced:
        """Return what is to be synced now; the caller does it, or must call `fail`."""
        taken = Unsynced(self.written, self._full, names=self._names)
        if self._tail is not None:
            taken.current = [self._tail.fd]
        self._full, self._names = [], False
        return taken

    def fail(self, why: str) -> None:
        """Write nothing more; the first reason stays."""
        self.broken = self.broken or why

    def close(self) -> None:
        """Let the files go."""
        self.fail("closed")
        self._retire()
        fds, self._full = self._full, []
        for fd in fds:
            with suppress(OSError):
                os.close(fd)

    def _tail_for(self, size: int) -> _Tail:
        """Return where to write so many bytes: a new segment when this one is full.

        A full segment ends with its counts, so that recovery need not look into the one before.
        """
        if self._tail and self._tail.offset + size > self._segment_bytes:
            self.count()
            self._retire()
        return self._tail or self._begin()

    def _retire(self) -> None:
        if self._tail is not None:
            self._full.append(self._tail.fd)
            self._tail = None

    def _begin(self) -> _Tail:
        """Create a segment; its name is synced with its first entry, before anybody is told."""
        self._check()
        segment = name_segment(self._folder, self.number, secrets.randbits(32))
        try:
            fd = self._files.create(segment.path)
        except OSError as error:
            raise self._told(error) from error
        self._tail = _Tail(fd, segment.number, segment.salt)
        self.number += 1
        self._names = True
        crash.point("journal-segment-created")
        return self._tail

    def _append(self, kind: int, bodies: Sequence[bytes], tail: _Tail) -> None:
        self._check()
        data = frame(kind, bodies, tail.salt, tail.offset)
        try:
            self._put(tail, data)
        except OSError as error:
            self._cut(tail)
            raise self._told(error) from error
        tail.offset += len(data)
        self.room -= len(data)
        self.written = place(tail.number, tail.offset)

    def _put(self, tail: _Tail, data: bytes) -> None:
        """Write all of it: one call, unless the disk takes only a part."""
        done = self._files.write(tail.fd, data, tail.offset)
        while done < len(data):
            done += self._files.write(tail.fd, data[done:], tail.offset + done)

    def _cut(self, tail: _Tail) -> None:
        """Take back what a failed write left, so that no reader meets half an entry."""
        try:
            self._files.truncate(tail.fd, tail.offset)
        except OSError as error:
            self.fail(f"{self._folder}: a failed write cannot be cut off: {error.strerror}")

    def _told(self, error: OSError) -> TemporaryError:
        """Return the fault to raise; only a full disk (or table) is one that passes."""
        if error.errno in PASSING and not self.broken:
            self.room, self.refusing = 0, f"{self._folder}: {error.strerror}"
            return JournalFull(self.refusing)
        self.fail(f"{self._folder}: cannot write: {error.strerror}")
        return JournalBroken(self.broken)

    def _check(self) -> None:
        if self.broken:
            raise JournalBroken(self.broken)

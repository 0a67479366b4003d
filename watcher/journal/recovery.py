"""What a start finds in the folder: cut the torn tail, sync what was written, count what was not.

Only the end of the journal is read, so a start takes as long as a segment takes to read, whatever
the backlog. Doing it twice, or dying in between, changes nothing.

A tail is torn when the process died while it wrote. Its bytes were never durable, so nobody was
told that they were kept; they are cut off. What does lie below the durable mark is left where it
is, even when it cannot be read: the reader reports it as damaged.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from watcher import crash
from watcher.journal.counting import Counting, recount
from watcher.journal.files import Files
from watcher.journal.format import COUNTED, DAMAGED, KEPT, Bodies, read_counts
from watcher.journal.segments import Segment, list_segments, place, split
from watcher.model.message import Position, RawMessage

_FARTHEST = 8
"""Segments read at most. The mark is never more than an unsynced moment behind; only a power cut
can set it back, by as long as the kernel keeps a page to itself (30 s)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """Where the journal ends, the number of its newest segment, and what was never counted."""

    end: Position
    newest: int
    uncounted: Counting


@dataclass(slots=True)
class _Tail:
    """What stands behind the last counts of a segment."""

    end: int = 0
    counted: bool = False
    foreign: int = 0
    """Messages of segments before this one that its counts speak of."""
    kept: list[RawMessage] | None = None


def recover(folder: Path, files: Files, durable: Position) -> Recovered:
    """Make the folder whole; raise OSError when it cannot be written."""
    segments = list_segments(folder)
    uncounted: list[RawMessage] = []
    counted = False
    foreign = 0
    end = Position(0)
    for segment in reversed(segments[-_FARTHEST:]):
        unsynced = segment.number >= split(durable)[0] or segment is segments[-1]
        if counted and not unsynced:
            break
        tail = _mend(segment, files, durable) if unsynced else _read(segment)
        end = end or place(segment.number, tail.end)
        # Later counts speak of these too, or only of their own segment when this one lost its last.
        if foreign <= 0:
            uncounted[:0] = tail.kept or []
        counted, foreign = counted or tail.counted, max(foreign, tail.foreign)
    crash.point("in-recovery")
    newest = segments[-1].number if segments else 0
    return Recovered(end=end, newest=newest, uncounted=recount(uncounted))


def _mend(segment: Segment, files: Files, durable: Position) -> _Tail:
    """Cut the torn tail off, and sync the rest."""
    fd = files.open(segment.path)
    try:
        tail = _look(segment, fd, segment.size)
        number, offset = split(durable)
        if number == segment.number:
            tail.end = max(tail.end, offset)
        if tail.end < segment.size:
            files.truncate(fd, tail.end)
        files.sync(fd)
    finally:
        os.close(fd)
    return tail


def _read(segment: Segment) -> _Tail:
    fd = os.open(segment.path, os.O_RDONLY)
    try:
        return _look(segment, fd, segment.size)
    finally:
        os.close(fd)


def _look(segment: Segment, fd: int, size: int) -> _Tail:
    tail = _Tail(kept=[])
    bodies = Bodies()
    behind: list[bytes] = []
    for found in segment.scan(fd, size).entries(0):
        if found.kind == DAMAGED:
            continue
        tail.end = found.end
        if found.kind == KEPT:
            behind.append(found.body)
        elif found.kind == COUNTED and (counts := read_counts(found.body)):
            tail.counted = True
            tail.foreign += counts[1] - len(behind)
            behind.clear()
    tail.kept = list(filter(None, map(bodies.read_message, behind)))
    return tail

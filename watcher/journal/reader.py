"""Reads the journal of the local disk, from another process and while it is being written."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from watcher.errors import JournalBroken
from watcher.journal.format import COUNTED, KEPT, SAMPLE, Bodies, Found, read_counts
from watcher.journal.segments import Mark, Segment, list_segments, place, split, unread_bytes
from watcher.model.message import Position
from watcher.ports import Counted, Damaged, Entry, Kept

MAX_READ = 8 * 1024 * 1024
"""Bytes of one reading; the entry that passes it is still returned."""
_PEEK = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What stands behind a position: bytes, and when the oldest message there arrived."""

    size: int
    oldest: datetime | None


class LocalReader:
    """Implements ports.JournalReader; one thread each."""

    def __init__(self, folder: Path) -> None:
        """Need not find the folder yet; until a writer came there is nothing to read."""
        self._folder = folder
        self._bodies = Bodies()
        self._durable_mark = Mark(folder / "durable", ours=False)
        self._forgotten_mark = Mark(folder / "forgotten", ours=True)

    def read(self, after: Position, limit: int) -> Sequence[Entry]:
        """Return durable entries behind `after`, oldest first, at most `limit`; empty: none yet.

        What cannot be read comes as Damaged. Raises JournalBroken when `after` lies behind all
        that was ever written: then it belongs to another journal.
        """
        durable = self._durable_mark.read()
        if after > durable:
            self._check(after)
        entries: list[Entry] = []
        size = 0
        for segment, found in self._found(after, durable):
            entries.append(self._entry(segment, found))
            size += found.end - found.start
            if len(entries) >= limit or size >= MAX_READ:
                break
        return entries

    def forget(self, before: Position) -> None:
        """Mark that entries up to there are in the store; the writer removes whole segments."""
        if before > self._forgotten_mark.read():
            self._forgotten_mark.write(before)

    def durable(self) -> Position:
        """Return up to where there is something to read."""
        return self._durable_mark.read()

    def backlog(self, after: Position) -> Backlog:
        """Return how much waits behind a position."""
        messages = (entry for entry in self.read(after, _PEEK) if isinstance(entry, Kept))
        first = next(messages, None)
        return Backlog(
            size=unread_bytes(list_segments(self._folder), after),
            oldest=first.message.received_at if first else None,
        )

    def close(self) -> None:
        """Let the marks go."""
        self._durable_mark.close()
        self._forgotten_mark.close()

    def _found(self, after: Position, durable: Position) -> Iterator[tuple[Segment, Found]]:
        first, offset = split(after)
        last, end = split(durable)
        if after >= durable:
            return
        for segment in list_segments(self._folder):
            if first <= segment.number <= last:
                start = offset if segment.number == first else 0
                stop = end if segment.number == last else segment.size
                for found in _scan(segment, start, stop):
                    yield segment, found

    def _entry(self, segment: Segment, found: Found) -> Entry:
        position = place(segment.number, found.end)
        if found.kind == KEPT and (message := self._bodies.read_message(found.body)):
            return Kept(position=position, message=message)
        if found.kind == COUNTED and (counted := read_counts(found.body)):
            return Counted(position=position, counts=counted[0], kept=counted[1])
        return Damaged(position=position, data=found.body[:SAMPLE], size=found.end - found.start)

    def _check(self, after: Position) -> None:
        newest = max((segment.number for segment in list_segments(self._folder)), default=0)
        if newest and split(after)[0] > newest:
            raise JournalBroken(
                f"{self._folder}: the store has read up to {after:x}, but the newest segment is "
                f"{newest}: the folder was emptied, or is another journal's; give the journal "
                f"another name to read it from its beginning"
            )


def _scan(segment: Segment, start: int, stop: int) -> Iterator[Found]:
    try:
        fd = os.open(segment.path, os.O_RDONLY)
    except FileNotFoundError:  # forgotten since it was listed
        return
    try:
        yield from segment.scan(fd, stop).entries(start)
    finally:
        os.close(fd)

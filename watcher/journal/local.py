"""The journal on the local disk: one writer here, readers (reader.py) in any process.

Why a place is never given twice, though the tail of a journal can be lost: a reader is shown only
what is durable, so no place that anybody knows is ever lost; each start begins a new segment; and
numbers of segments only go up (segments.py). A store may so keep the place as a message's name.

What is written is not yet durable. One thread syncs: at once when somebody waits, and then one
sync serves all who wait, else at most `sync_seconds` after the write. The same thread writes the
counts about once a second, looks how much room is left, and removes what the reader has forgotten.
It alone closes and removes files; the reader only leaves its mark.
"""

import os
import threading
import time
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from watcher import crash
from watcher.errors import JournalBroken, TemporaryError
from watcher.journal.files import Disk, Files
from watcher.journal.folder import Folder
from watcher.journal.format import Bodies
from watcher.journal.recovery import recover
from watcher.journal.segments import Mark, first_number, list_segments, split, unread_bytes
from watcher.journal.writer import SegmentWriter, Unsynced
from watcher.model.message import Position
from watcher.ports import Batch, Clock

DISK = Disk()


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalOptions:
    """How much the journal may take, and how long it waits.

    No more messages are taken when less than the reserve is free: `reserve_bytes`, or on a small
    file system `reserve_share` of it, whichever is smaller (64 MiB of a volume of 100 MB would
    leave no room to work, 5 % of a volume of 10 TB would waste 500 GB). Fault F-04.
    """

    segment_bytes: int = 16 * 1024 * 1024
    sync_seconds: float = 0.05
    counts_seconds: float = 1.0
    reserve_bytes: int = 64 * 1024 * 1024
    reserve_share: float = 0.05
    max_bytes: int = 4 * 1024 * 1024 * 1024
    """Bytes that were not taken in yet; about eight million alarms. Fault F-08."""


DEFAULTS = JournalOptions()


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalState:
    """How a journal fares; `refusing` and `broken` say why, empty when all is well."""

    written: Position
    durable: Position
    unread: int
    """Bytes that the reader has not forgotten, measured about once a second."""
    room: int
    """Bytes that may come before messages are refused."""
    refusing: str
    broken: str


class LocalJournal:
    """Implements ports.Journal in a folder."""

    def __init__(
        self, folder: Path, clock: Clock, options: JournalOptions = DEFAULTS, files: Files = DISK
    ) -> None:
        """Recover what is there, make it durable and begin to write.

        Raises InputError when the folder is no good or another process writes it, JournalBroken
        when what is there cannot be recovered.
        """
        self._clock = clock
        self._options = options
        self._files = files
        self._bodies = Bodies()
        self._folder = Folder(folder)
        self._durable_mark = Mark(folder / "durable", ours=True)
        self._forgotten_mark = Mark(folder / "forgotten", ours=False)
        self._writer = SegmentWriter(folder, files, options.segment_bytes)
        self._durable = Position(0)
        self._unread = 0
        self._wake = threading.Condition(threading.Lock())
        self._waiters: list[tuple[Position, Future[None]]] = []
        self._written_at: float | None = None
        self._tick_at = 0.0
        self._closing = False
        self._start()

    def settle(self, batch: Batch) -> Position:
        """Write what a batch keeps and count the rest; return where the journal ends.

        A batch that keeps nothing is always counted, also while messages are refused.
        """
        bodies = [self._bodies.write_message(message) for message in batch.kept]
        with self._wake:
            if bodies:
                self._writer.keep(bodies)
                self._is_written()
            self._writer.counting.add(batch, self._clock.now())
            return self._writer.written

    def durable(self, position: Position) -> Future[None]:
        """Return a future that is done once everything up to `position` is on the disk.

        It fails with JournalBroken when that will not be; it cannot be cancelled.
        """
        future: Future[None] = Future()
        future.set_running_or_notify_cancel()
        with self._wake:
            if position > self._writer.written:
                raise ValueError(f"{position:x} is not written yet")
            done, broken = position <= self._durable, self._writer.broken
            if not done and not broken:
                self._waiters.append((position, future))
                self._wake.notify()
                return future
        if done:
            future.set_result(None)
        else:
            future.set_exception(JournalBroken(broken))
        return future

    def write_counts(self) -> None:
        """Write what was counted since the last time, now; it is due about once a second."""
        with self._wake:
            self._writer.count()
            self._is_written()

    def state(self) -> JournalState:
        """Return how the journal fares."""
        with self._wake:
            writer = self._writer
            return JournalState(
                written=writer.written, durable=self._durable, unread=self._unread,
                room=max(0, writer.room), broken=writer.broken,
                refusing=writer.refusing if writer.room <= 0 else "",
            )  # fmt: skip

    def close(self) -> None:
        """Write what is counted, make everything durable, let go; a second time does nothing."""
        with self._wake:
            again, self._closing = self._closing, True
            self._wake.notify()
        if not again:
            self._thread.join()
            self._break("closed")
            self._let_go()

    def _is_written(self) -> None:
        """Have the thread sync in a while; under the lock."""
        if self._written_at is None and self._writer.written > self._durable:
            self._written_at = time.monotonic()
            self._wake.notify()

    def _start(self) -> None:
        try:
            self._recover()
        except OSError as error:
            self._let_go()
            raise JournalBroken(f"{self._folder.path}: cannot be recovered: {error}") from error
        except BaseException:
            self._let_go()
            raise
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def _recover(self) -> None:
        marks = self._durable_mark.read(), self._forgotten_mark.read()
        found = recover(self._folder.path, self._files, marks[0])
        self._files.sync_folder(self._folder.fd)
        newest = max(found.newest, *(split(mark)[0] for mark in marks))
        writer = self._writer
        writer.number = newest + 1 if newest else first_number(self._clock.now())
        writer.written = self._durable = found.end
        writer.counting = found.uncounted
        self._durable_mark.write(found.end)
        self._tick()
        crash.point("in-recovery")
        self._sync()
        if writer.broken:
            raise JournalBroken(writer.broken)

    # What follows runs in the journal's own thread, or before it starts.

    def _run(self) -> None:
        try:
            while self._turn():
                pass
        except Exception as error:  # noqa: BLE001 -- who waits must hear of it, whatever it was
            self._break(f"{type(error).__name__}: {error}")

    def _turn(self) -> bool:
        """Do what is due; tell whether to go on."""
        with self._wake:
            if not (self._closing or self._waiters):
                self._wake.wait(self._pause())
            closing, asked = self._closing, self._closing or bool(self._waiters)
            broken = self._writer.broken
        if broken:
            self._break(broken)
            with self._wake:
                self._wake.wait_for(lambda: self._closing)
            return False
        if closing or time.monotonic() >= self._tick_at:
            self._tick()
        if asked or self._is_due():
            self._sync()
        return not closing

    def _pause(self) -> float:
        until = self._tick_at
        if self._written_at is not None:
            until = min(until, self._written_at + self._options.sync_seconds)
        return max(0.0, until - time.monotonic())

    def _is_due(self) -> bool:
        written_at = self._written_at
        return (
            written_at is not None and time.monotonic() >= written_at + self._options.sync_seconds
        )

    def _tick(self) -> None:
        self._tick_at = time.monotonic() + self._options.counts_seconds
        with suppress(TemporaryError):  # full: the counts stay for later; broken: the turn tells
            self.write_counts()
        with suppress(OSError):  # out of descriptors, say: the figures of the last time stay
            self._remove_forgotten()
            self._measure()

    def _sync(self) -> None:
        """Make durable what is written by now, then tell."""
        with self._wake:
            unsynced = self._writer.take_unsynced()
            self._written_at = None
        if unsynced.target > self._durable:
            crash.point("journal-before-sync")
            try:
                self._sync_files(unsynced)
            except OSError as error:
                # What a failed sync left on the disk nobody knows; a second one may succeed
                # and still have lost it (F-05).
                self._break(f"{self._folder.path}: cannot sync: {error.strerror}")
            else:
                crash.point("journal-after-sync")
                self._tell(unsynced.target)
        for fd in unsynced.full:
            os.close(fd)

    def _sync_files(self, unsynced: Unsynced) -> None:
        for fd in (*unsynced.full, *unsynced.current):
            self._files.sync(fd)
        if unsynced.names:
            self._files.sync_folder(self._folder.fd)
        self._durable_mark.write(unsynced.target)

    def _tell(self, target: Position) -> None:
        with self._wake:
            self._durable = target
            ready = [future for position, future in self._waiters if position <= target]
            self._waiters = [waiter for waiter in self._waiters if waiter[0] > target]
        for future in ready:
            future.set_result(None)

    def _break(self, why: str) -> None:
        """Fail for ever, and fail all who wait."""
        with self._wake:
            self._writer.fail(why)
            waiters, self._waiters = self._waiters, []
        for _, future in waiters:
            future.set_exception(JournalBroken(self._writer.broken))

    def _measure(self) -> None:
        """Reckon how much may still come."""
        options, path = self._options, self._folder.path
        space = self._files.space(path)
        reserve = min(options.reserve_bytes, int(space.total * options.reserve_share))
        unread = unread_bytes(list_segments(path), self._forgotten_mark.read())
        on_disk, in_journal = space.free - reserve, options.max_bytes - unread
        if on_disk <= in_journal:
            why = f"{path}: {space.free} bytes are free, {reserve} of them are the reserve"
        else:
            why = f"{path}: {unread} bytes wait for the store, the limit is {options.max_bytes}"
        with self._wake:
            self._writer.room, self._writer.refusing = min(on_disk, in_journal), why
            self._unread = unread

    def _remove_forgotten(self) -> None:
        """Remove whole segments below the reader's mark, never the newest.

        A name that comes back after a power cut is removed again; the reader is past it.
        """
        below = min(split(self._forgotten_mark.read())[0], split(self._durable)[0])
        for segment in list_segments(self._folder.path)[:-1]:
            if segment.number < below:
                self._files.remove(segment.path)
                crash.point("journal-forgotten")

    def _let_go(self) -> None:
        self._writer.close()
        self._durable_mark.close()
        self._forgotten_mark.close()
        self._folder.release()

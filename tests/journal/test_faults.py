"""Every write and sync of a small scenario fails once, or from then on (goal G-07)."""

import errno
import itertools
import os
from contextlib import suppress
from dataclasses import replace

import pytest
from journal.desk import StillClock, batch, counted, damaged, data_of, message, read_all

from watcher.errors import JournalBroken, TemporaryError
from watcher.journal.files import Disk
from watcher.journal.local import DEFAULTS, LocalJournal
from watcher.journal.reader import LocalReader

OPTIONS = replace(DEFAULTS, segment_bytes=700, counts_seconds=0.01)
MESSAGES = 20


class Failing(Disk):
    """Its n-th call fails, once or for ever."""

    def __init__(self, nth, code, *, ever):
        self.nth = nth
        self.calls = itertools.count(1)
        self.code = code
        self.ever = ever
        self.failed = False

    def create(self, path):
        """Create, perhaps."""
        self._maybe()
        return super().create(path)

    def open(self, path):
        """Open, perhaps."""
        self._maybe()
        return super().open(path)

    def write(self, fd, data, offset):
        """Write a part at least."""
        with suppress(OSError):
            self._maybe()
            return super().write(fd, data, offset)
        super().write(fd, data[: len(data) * 2 // 3], offset)
        raise OSError(self.code, os.strerror(self.code))

    def truncate(self, fd, size):
        """Cut, perhaps."""
        self._maybe()
        super().truncate(fd, size)

    def sync(self, fd):
        """Sync, perhaps."""
        self._maybe()
        super().sync(fd)

    def sync_folder(self, fd):
        """Sync, perhaps."""
        self._maybe()
        super().sync_folder(fd)

    def remove(self, path):
        """Remove, perhaps."""
        self._maybe()
        super().remove(path)

    def space(self, folder):
        """Measure, perhaps."""
        self._maybe()
        return super().space(folder)

    def _maybe(self):
        call = next(self.calls)
        if call == self.nth or (self.ever and call > self.nth):
            self.failed = True
            raise OSError(self.code, os.strerror(self.code))


def play(folder, files):
    """Keep messages, each waited for; return which of them were acknowledged."""
    acknowledged = []
    with suppress(JournalBroken):
        journal = LocalJournal(folder, StillClock(), OPTIONS, files)
        for number in range(MESSAGES):
            with suppress(TemporaryError):
                position = journal.settle(batch(message(number), noise=1))
                journal.durable(position).result(timeout=30)
                acknowledged.append(message(number).data)
        journal.close()
    return acknowledged


@pytest.mark.parametrize("ever", [False, True])
@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC, errno.EROFS])
def test_whatever_fails_no_acknowledged_message_is_lost(tmp_path, code, ever):
    for nth in itertools.count(1):
        folder = tmp_path / f"journal-{nth}"
        files = Failing(nth, code, ever=ever)
        first = play(folder, files)
        second = play(folder, Disk())
        reader = LocalReader(folder)
        entries = read_all(reader)
        reader.close()
        data = data_of(entries)

        assert [message(number).data for number in range(MESSAGES)] == second
        assert [] == [each for each in first if each not in data]
        assert [] == damaged(entries)
        assert len(data) == counted(entries)
        if not files.failed:
            assert nth > 2 * MESSAGES
            break

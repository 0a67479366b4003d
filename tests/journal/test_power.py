"""The power fails at any moment: what was durable stays, the rest is lost without a trace (G-06).

`Forgetful` writes to the real disk and remembers what was not synced. A snapshot is what a disk
may hold that orders nothing: of the unsynced sectors and names any may be there or not.
"""

import os
import random
import threading
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from journal.desk import StillClock, batch, counted, damaged, data_of, message, read_all

from watcher.journal.files import Disk
from watcher.journal.format import KEPT, Bodies, frame
from watcher.journal.local import DEFAULTS, LocalJournal
from watcher.journal.reader import LocalReader
from watcher.journal.segments import list_segments, name_segment
from watcher.ports import Kept

SECTOR = 512
LIVES = 10
SNAPSHOTS = 20
"""In each life."""
OPTIONS = replace(DEFAULTS, segment_bytes=6000, counts_seconds=0.01, sync_seconds=0.005)


@dataclass
class Image:
    """A file as the disk has it, and the writes that only the cache has."""

    path: Path
    synced: bytearray = field(default_factory=bytearray)
    unsynced: list[tuple[int, bytes]] = field(default_factory=list)
    named: bool = False

    def settle(self, writes):
        """Put writes onto what is synced; one without data cuts the file off."""
        for offset, data in writes:
            if not data:
                del self.synced[offset:]
                continue
            self.synced.extend(bytes(max(0, offset + len(data) - len(self.synced))))
            self.synced[offset : offset + len(data)] = data


class Forgetful(Disk):
    """A disk whose power may fail."""

    def __init__(self):
        self.lock = threading.RLock()
        self.images = {}
        self.by_fd = {}

    def create(self, path):
        """Create; the name is not on the disk yet."""
        fd = super().create(path)
        with self.lock:
            self.by_fd[fd] = self.images[path.name] = Image(path)
        return fd

    def open(self, path):
        """Open a file that a killed process wrote and perhaps never synced."""
        fd = super().open(path)
        with self.lock:
            self.by_fd[fd] = self.images[path.name] = Image(path, unsynced=[(0, path.read_bytes())])
        return fd

    def write(self, fd, data, offset):
        """Write, and remember each sector apart."""
        with self.lock:
            for at in range(0, len(data), SECTOR):
                self.by_fd[fd].unsynced.append((offset + at, data[at : at + SECTOR]))
            return super().write(fd, data, offset)

    def truncate(self, fd, size):
        """Cut, and remember."""
        with self.lock:
            self.by_fd[fd].unsynced.append((size, b""))
            super().truncate(fd, size)

    def sync(self, fd):
        """Put on the disk what was written before."""
        with self.lock:
            image = self.by_fd[fd]
            writes, image.unsynced = image.unsynced, []
            image.settle(writes)

    def sync_folder(self, fd):
        """Put the names on the disk."""
        with self.lock:
            assert fd >= 0

            for image in self.images.values():
                image.named = True

    def snapshot(self, folder, chance):
        """Write into `folder` what the disk might hold after a cut now."""
        folder.mkdir()
        with self.lock:
            for name, image in self.images.items():
                if image.named or chance.random() < 0.5:
                    held = Image(image.path, bytearray(image.synced))
                    writes = list(image.unsynced)
                    if chance.random() < 0.7:
                        share = chance.random()
                        writes = [each for each in writes if chance.random() < share]
                    held.settle(writes)
                    (folder / name).write_bytes(held.synced)


class Life:
    """A journal that is written by two threads while its power may fail."""

    def __init__(self, folder):
        self.disk = Forgetful()
        self.journal = LocalJournal(folder, StillClock(), OPTIONS, self.disk)
        self.acknowledged = []
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self._write, args=(n,)) for n in range(2)]
        for thread in self.threads:
            thread.start()

    def _write(self, name):
        chance = random.Random(name)  # noqa: S311 -- chance that can be repeated
        number = name * 10**9
        while not self.stop.is_set():
            self.stop.wait(0.001)
            size = chance.randrange(1, 5)
            kept = [message(number + each) for each in range(size)]
            number += size
            position = self.journal.settle(batch(*kept, noise=1))
            if chance.random() < 0.5:
                self.journal.durable(position).result(timeout=30)
                self.acknowledged.append((position, [each.data for each in kept]))

    def end(self):
        """Stop writing."""
        self.stop.set()
        for thread in self.threads:
            thread.join()
        self.journal.close()


@pytest.fixture
def life(tmp_path):
    made = Life(tmp_path / "journal")
    yield made
    made.end()


@pytest.mark.parametrize("seed", range(LIVES))
def test_what_was_durable_survives_the_power(life, tmp_path, seed):
    chance = random.Random(seed)  # noqa: S311 -- likewise
    for nth in range(SNAPSHOTS):
        life.stop.wait(chance.random() * 0.02)
        acknowledged = list(life.acknowledged)
        folder = tmp_path / f"snapshot-{nth}"
        mark = (tmp_path / "journal" / "durable").read_bytes()
        life.disk.snapshot(folder, chance)
        if chance.random() < 0.5:
            (folder / "durable").write_bytes(mark)
        fresh, entries = start_again(folder)
        at = {entry.position: entry.message.data for entry in entries if isinstance(entry, Kept)}
        data = data_of(entries)

        assert {each for _, kept in acknowledged for each in kept} <= set(data)
        assert len(set(data)) == len(data)
        assert all(at[position] == kept[-1] for position, kept in acknowledged)
        assert fresh > max((position for position, _ in acknowledged), default=0)
        assert data[-1] == b"after the cut"
        assert len(data) == counted(entries) or damaged(entries)

    assert acknowledged


def start_again(folder):
    """Start on what is left; return where a new message ended, and all entries."""
    journal = LocalJournal(folder, StillClock(), OPTIONS)
    fresh = journal.settle(batch(message(b"after the cut")))
    journal.close()
    reader = LocalReader(folder)
    entries = read_all(reader)
    reader.close()
    return fresh, entries


def test_a_start_makes_durable_what_a_killed_process_wrote(tmp_path):
    """A reader is shown it at once, and the store keeps its places."""
    folder = tmp_path / "journal"
    folder.mkdir()
    segment = name_segment(folder, 5, 0xABC)
    body = Bodies().write_message(message(1))
    segment.path.write_bytes(frame(KEPT, [body], segment.salt, 0))
    disk = Forgetful()
    journal = LocalJournal(folder, StillClock(), OPTIONS, disk)
    shown = data_of(read_all(LocalReader(folder)))
    for seed in range(20):
        disk.snapshot(tmp_path / f"snapshot-{seed}", random.Random(seed))  # noqa: S311 -- likewise
    journal.close()
    after = [data_of(start_again(tmp_path / f"snapshot-{seed}")[1]) for seed in range(20)]

    assert [message(1).data] == shown
    assert [[message(1).data, b"after the cut"]] * 20 == after


def test_a_full_segment_that_lost_its_last_counts_is_counted_once(tmp_path):
    """The next one has counts, but of its own messages only."""
    folder = tmp_path / "journal"
    journal = LocalJournal(folder, StillClock(), replace(DEFAULTS, segment_bytes=6000))
    for number in range(100):
        journal.settle(batch(message(number)))
    journal.close()
    before_last(list_segments(folder)[0])
    (folder / "durable").unlink()
    told = [
        len(data_of(entries)) - counted(entries) for _, entries in map(start_again, [folder] * 3)
    ]

    assert len(list_segments(folder)) > 2
    assert [0, 0, 0] == told


def before_last(segment):
    """Cut the last entry of a segment off."""
    with segment.path.open("rb") as stream:
        *_, last = segment.scan(stream.fileno(), segment.size).entries(0)
    os.truncate(segment.path, last.start)


def test_the_simulated_disk_does_lose_what_was_not_synced(tmp_path):
    """Else the test above could not fail."""
    folder = tmp_path / "journal"
    folder.mkdir()
    disk = Forgetful()
    fd = disk.create(folder / "a")
    for number in range(8):
        disk.write(fd, bytes([number]) * SECTOR, number * SECTOR)
    held = set()
    for nth in range(40):
        copy = tmp_path / f"copy-{nth}"
        disk.snapshot(copy, random.Random(nth))  # noqa: S311 -- likewise
        held |= {path.read_bytes() for path in copy.iterdir()} or {None}
    disk.sync(fd)
    disk.sync_folder(fd)
    disk.snapshot(tmp_path / "synced", random.Random(0))  # noqa: S311 -- likewise
    os.close(fd)

    assert {None, (folder / "a").read_bytes()} < held
    assert (folder / "a").read_bytes() == (tmp_path / "synced" / "a").read_bytes()

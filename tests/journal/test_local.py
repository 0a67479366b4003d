"""What only the journal on the disk does: segments, one writer, room, durability."""

import errno
import os
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest
from journal.desk import StillClock, batch, counted, data_of, message, read_all

from watcher.errors import InputError, JournalBroken, JournalFull
from watcher.journal.counting import MAX_PEERS, OTHERS
from watcher.journal.files import Disk, Space
from watcher.journal.local import DEFAULTS, LocalJournal
from watcher.journal.segments import OFFSET_BITS, first_number, list_segments, split
from watcher.model.message import Position

SMALL = replace(DEFAULTS, segment_bytes=2000)
QUICK = replace(DEFAULTS, counts_seconds=0.02)


def wait_until(condition, seconds=30):
    """Wait for what another thread does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end

        time.sleep(0.005)


class Troubled(Disk):
    """A disk that refuses while it is told to."""

    def __init__(self):
        self.refuse = {}
        self.syncs = 0
        self.room = Space(10**12, 10**13)
        self.gate = threading.Event()
        self.gate.set()

    def create(self, path):
        """Create unless told otherwise."""
        self._maybe("create")
        return super().create(path)

    def write(self, fd, data, offset):
        """Write only half when told to refuse."""
        if "write" in self.refuse:
            super().write(fd, data[: len(data) // 2], offset)
        self._maybe("write")
        return super().write(fd, data, offset)

    def truncate(self, fd, size):
        """Cut unless told otherwise."""
        self._maybe("truncate")
        super().truncate(fd, size)

    def sync(self, fd):
        """Sync when the gate is open."""
        self.syncs += 1
        self.gate.wait(30)
        self._maybe("sync")
        super().sync(fd)

    def sync_folder(self, fd):
        """Sync unless told otherwise."""
        self._maybe("sync_folder")
        super().sync_folder(fd)

    def space(self, folder):
        """Return what was set."""
        assert folder.is_dir()

        return self.room

    def _maybe(self, what):
        if what in self.refuse:
            raise OSError(self.refuse[what], os.strerror(self.refuse[what]))


@pytest.fixture
def disk():
    return Troubled()


def test_segments_roll_and_are_read_as_one(local, folder, reader):
    journal = local(SMALL)
    for number in range(100):
        journal.settle(batch(message(number)))
    journal.close()
    entries = read_all(reader, limit=7)

    assert [message(number).data for number in range(100)] == data_of(entries)
    assert 5 == len(list_segments(folder))
    assert 100 == counted(entries)


def test_each_full_segment_ends_with_its_counts(local, reader):
    journal = local(SMALL)
    for number in range(100):
        journal.settle(batch(message(number)))
    journal.close()
    last = {}
    for entry in read_all(reader):
        last[split(entry.position)[0]] = type(entry).__name__

    assert {"Counted"} == set(last.values())


def test_counts_alone_fill_segments_too(local, folder, reader):
    """A year of nothing but noise must not end in one file."""
    journal = local(SMALL)
    for _ in range(100):
        journal.settle(batch(noise=1, heard={"192.0.2.7": 1}))
        journal.write_counts()
    journal.close()

    assert 4 < len(list_segments(folder))
    assert 100 == len(read_all(reader))
    assert max(segment.size for segment in list_segments(folder)) < 2 * SMALL.segment_bytes


def test_a_segment_is_never_longer_than_its_places_reach(local):
    journal = local(replace(DEFAULTS, segment_bytes=1 << 40))
    body = b"x" * 1_000_000
    numbers = {split(journal.settle(batch(*[message(body)] * 60)))[0] for _ in range(5)}

    assert 3 == len(numbers)


def test_each_start_goes_on_in_a_segment_with_a_larger_number(local, reader):
    positions = []
    for number in range(3):
        journal = local()
        positions.append(split(journal.settle(batch(message(number))))[0])
        journal.close()

    assert [positions[0], positions[0] + 1, positions[0] + 2] == positions
    assert 3 == counted(read_all(reader))


def test_a_folder_that_was_emptied_goes_on_behind_all_it_was(clock):
    assert first_number(clock.at) < first_number(clock.at.replace(minute=1))
    assert 1 == first_number(clock.at.replace(year=1999))


def test_the_readers_mark_alone_keeps_positions_from_coming_back(local, reader):
    journal = local()
    forgotten = Position(journal.settle(batch(message(1))) + (5 << OFFSET_BITS))
    reader.forget(forgotten)
    journal.close()

    assert local().settle(batch(message(1))) > forgotten


def test_an_idle_start_creates_no_segment(local, folder):
    local().close()
    local().close()

    assert [] == list_segments(folder)


def test_a_second_writer_is_refused_in_one_sentence(local, folder, clock):
    local()
    with pytest.raises(InputError, match=r"another process writes .* daemon .* runs already"):
        LocalJournal(folder, clock)


def test_the_lock_is_gone_with_the_writer(local):
    local().close()
    local()


def test_a_folder_that_cannot_be_is_refused(tmp_path, clock):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="the journal cannot be kept here"):
        LocalJournal(tmp_path / "file" / "journal", clock)


def test_files_are_for_their_owner_alone(local, folder):
    local().settle(batch(message(1)))

    assert {0o600} == {path.stat().st_mode & 0o777 for path in folder.iterdir()}
    assert 0o700 == folder.stat().st_mode & 0o777


def test_nothing_is_read_that_is_not_durable(local, reader, disk):
    journal = local(files=disk)
    disk.gate.clear()
    future = journal.durable(journal.settle(batch(message(1))))
    hidden = read_all(reader)
    disk.gate.set()
    future.result(timeout=30)

    assert [] == hidden
    assert [message(1).data] == data_of(read_all(reader))


def test_what_nobody_waits_for_is_durable_soon(local, reader):
    journal = local()
    journal.settle(batch(message(1)))
    wait_until(lambda: data_of(read_all(reader)))

    assert journal.state().written == journal.state().durable


def test_one_sync_serves_all_who_wait(local, disk):
    journal = local(files=disk)
    disk.gate.clear()
    first = journal.durable(journal.settle(batch(message(0))))
    wait_until(lambda: disk.syncs == 1)
    rest = [journal.durable(journal.settle(batch(message(n)))) for n in range(1, 100)]
    disk.gate.set()
    for future in (first, *rest):
        future.result(timeout=30)

    assert 2 == disk.syncs


def test_waiting_cannot_be_cancelled_and_a_durable_place_is_done(local):
    journal = local()
    position = journal.settle(batch(message(1)))
    future = journal.durable(position)

    assert not future.cancel()
    future.result(timeout=30)
    assert journal.durable(position).done()


def test_a_place_that_was_never_written_is_a_mistake(local):
    with pytest.raises(ValueError, match="not written yet"):
        local().durable(Position(1 << 60))


def test_a_sync_that_fails_once_is_failed_for_ever(local, disk, reader):
    journal = local(files=disk)
    disk.refuse = {"sync": errno.EIO}
    future = journal.durable(journal.settle(batch(message(1))))
    with pytest.raises(JournalBroken, match="cannot sync"):
        future.result(timeout=30)
    disk.refuse = {}
    with pytest.raises(JournalBroken, match="cannot sync"):
        journal.settle(batch(message(2)))
    with pytest.raises(JournalBroken, match="cannot sync"):
        journal.durable(journal.state().written).result(timeout=30)

    assert "Input/output error" in journal.state().broken
    assert [] == read_all(reader)


@pytest.mark.parametrize("what", ["sync_folder", "write", "create"])
def test_a_disk_that_may_not_be_written_breaks_the_journal(local, disk, what):
    journal = local(files=disk)
    disk.refuse = {what: errno.EROFS}
    with pytest.raises(JournalBroken, match="Read-only file system"):
        journal.durable(journal.settle(batch(message(1)))).result(timeout=30)


def test_counting_goes_on_while_the_journal_is_broken(local, disk):
    journal = local(files=disk)
    disk.refuse = {"write": errno.EIO}
    with pytest.raises(JournalBroken):
        journal.settle(batch(message(1)))
    journal.settle(batch(noise=1))


def test_those_who_wait_hear_of_a_broken_write(local, disk):
    journal = local(files=disk)
    disk.gate.clear()
    future = journal.durable(journal.settle(batch(message(1))))
    wait_until(lambda: disk.syncs)
    late = journal.durable(journal.settle(batch(message(2))))
    disk.refuse = {"write": errno.EIO}
    with pytest.raises(JournalBroken):
        journal.settle(batch(message(3)))
    disk.gate.set()

    with pytest.raises(JournalBroken):
        late.result(timeout=30)
    future.result(timeout=30)


def test_a_full_disk_leaves_no_half_entry_and_goes_on_by_itself(local, disk, reader):
    journal = local(QUICK, files=disk)
    journal.settle(batch(message(1)))
    disk.refuse = {"write": errno.ENOSPC}
    with pytest.raises(JournalFull, match="No space left"):
        journal.settle(batch(message(2)))
    journal.settle(batch(received=1))
    disk.refuse = {}
    wait_until(lambda: not journal.state().refusing)
    journal.settle(batch(message(3)))
    journal.close()
    entries = read_all(reader)

    assert [message(1).data, message(3).data] == data_of(entries)
    assert 2 == counted(entries)


def test_a_failed_write_that_cannot_be_cut_breaks_the_journal(local, disk):
    journal = local(files=disk)
    disk.refuse = {"write": errno.ENOSPC, "truncate": errno.EIO}
    with pytest.raises(JournalBroken, match="cannot be cut off"):
        journal.settle(batch(message(1)))


def test_descriptors_that_ran_out_may_come_back(local, disk):
    journal = local(QUICK, files=disk)
    disk.refuse = {"create": errno.EMFILE}
    with pytest.raises(JournalFull):
        journal.settle(batch(message(1)))
    disk.refuse = {}
    wait_until(lambda: not journal.state().refusing)
    journal.settle(batch(message(1)))


@pytest.mark.parametrize(
    ("free", "total", "taken"),
    [
        (63 << 20, 1 << 40, False),
        (65 << 20, 1 << 40, True),
        (4 << 20, 100 << 20, False),
        (6 << 20, 100 << 20, True),
    ],
)
def test_a_reserve_is_left_the_smaller_of_both(local, disk, free, total, taken):
    disk.room = Space(free, total)
    journal = local(files=disk)

    assert taken is (journal.state().refusing == "")
    if taken:
        journal.settle(batch(message(1)))
    else:
        with pytest.raises(JournalFull, match="are the reserve"):
            journal.settle(batch(message(1)))


def test_messages_are_refused_when_too_many_wait_until_they_are_forgotten(local, reader):
    journal = local(replace(QUICK, max_bytes=20_000, segment_bytes=2000))
    with pytest.raises(JournalFull, match="wait for the store, the limit is 20000"):
        settle_many(journal)
    wait_until(lambda: journal.state().written == journal.state().durable)
    reader.forget(read_all(reader)[-1].position)
    wait_until(lambda: not journal.state().refusing)
    journal.settle(batch(message(1)))


def settle_many(journal):
    for number in range(10_000):
        journal.settle(batch(message(number)))


def test_forgotten_segments_are_removed_but_never_the_newest(local, folder, reader):
    journal = local(replace(SMALL, counts_seconds=0.02))
    for number in range(100):
        journal.settle(batch(message(number)))
    position = journal.settle(batch(message(100)))
    journal.durable(position).result(timeout=30)
    reader.forget(position)
    wait_until(lambda: len(list_segments(folder)) == 1)
    journal.settle(batch(message(101)))
    journal.close()

    assert [message(101).data] == data_of(read_all(reader, after=position))


def test_forgetting_never_goes_back(local, reader, folder):
    local()
    reader.forget(Position(500))
    reader.forget(Position(400))

    assert (500).to_bytes(8, "little") == (folder / "forgotten").read_bytes()[:8]


def test_a_reader_needs_no_folder(reader):
    reader.forget(Position(5))

    assert [] == reader.read(Position(0), 10)
    assert (0, None) == (reader.backlog(Position(0)).size, reader.backlog(Position(0)).oldest)


def test_a_place_behind_the_newest_segment_is_another_journals(local, reader):
    journal = local()
    position = journal.settle(batch(message(1)))
    journal.close()
    with pytest.raises(JournalBroken, match="another journal"):
        reader.read(Position(position + (1 << 28)), 10)

    assert [] == reader.read(Position(position + 1000), 10)


def test_the_backlog_is_told(local, reader):
    journal = local()
    position = journal.settle(batch(message(1)))
    journal.settle(batch(message(2)))
    journal.close()
    first, second = reader.backlog(Position(0)), reader.backlog(position)

    assert message(1).received_at == first.oldest
    assert first.size > second.size > 0
    assert 0 == reader.backlog(read_all(reader)[-1].position).size


def test_peers_that_are_made_up_do_not_fill_the_memory(local, reader):
    journal = local()
    for start in range(0, 3 * MAX_PEERS, 1000):
        journal.settle(batch(noise=1000, heard={f"p{start + n}": 1 for n in range(1000)}))
    journal.write_counts()
    journal.close()
    heard = read_all(reader)[0].counts.heard

    assert MAX_PEERS + 1 == len(heard)
    assert 2 * MAX_PEERS == heard["tcp", OTHERS][0]


def test_messages_that_nobody_counted_are_counted_by_the_next_start(folder, reader, local):
    """The process is killed with messages behind the last counts."""
    subprocess.run(  # noqa: S603 -- our own interpreter
        [sys.executable, "-c", _DYING, str(folder)], check=False, timeout=60
    )
    local().close()
    counts = [entry for entry in read_all(reader) if hasattr(entry, "kept")]

    assert [2, 1] == [entry.kept for entry in counts]
    assert [("tcp", "received", 1)] == [
        (line.input, line.place, line.count) for line in counts[1].counts.lines
    ]
    assert {("tcp", "192.0.2.7"): (1, message(3).received_at)} == counts[1].counts.heard


_DYING = """
import os, sys
sys.path.insert(0, "tests")
from pathlib import Path
from journal.desk import StillClock, batch, message
from watcher.journal.local import LocalJournal
journal = LocalJournal(Path(sys.argv[1]), StillClock())
journal.settle(batch(message(1), message(2), noise=5))
journal.write_counts()
journal.durable(journal.settle(batch(message(3)))).result(30)
os.kill(os.getpid(), 9)
"""


def test_a_start_takes_no_longer_with_a_backlog(local, folder):
    """Fault F-01: within 5 s, whatever waits."""
    journal = local()
    body = b"x" * 400
    for _ in range(500):
        journal.settle(batch(*[message(body)] * 500))
    journal.close()
    begin = time.monotonic()
    LocalJournal(folder, StillClock()).close()

    assert 5 > time.monotonic() - begin
    assert 6 < len(list_segments(folder))

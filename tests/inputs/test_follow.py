"""Log files are followed across every kind of rotation; no line is left out."""

import gzip
import itertools
import json
import os
import random
import shutil
from pathlib import Path

import pytest
from inputs.mailroom import MemoryJournal, reception
from inputs.test_files import MARKS, NOISE, wait

from watcher.errors import JournalBroken
from watcher.inputs.follow import FollowInput, FollowOptions


def line(number):
    return b"Nov 23 10:00:00 cucm %%UC_CERT-4-X: number=%06d\n" % number


def lines(*numbers):
    return b"".join(map(line, numbers))


class Logs:
    """A folder of log files, and whoever follows it; may be stopped and started again."""

    def __init__(self, folder, pattern="app.log", **options):
        self.folder = folder
        self.journal = MemoryJournal()
        self.settings = {
            "patterns": (str(folder / pattern),), "state": folder.parent / "state.json",
            "poll_seconds": 0.01, "linger_seconds": 0.1, **options,
        }  # fmt: skip
        self.input = None

    def start(self):
        """Follow, as after a start of the program."""
        options = FollowOptions(**self.settings)
        self.input = FollowInput(reception(self.journal, "logs"), MARKS, options)
        self.input.start()

    def stop(self):
        """Stop, as at the end of the program."""
        if self.input is not None:
            self.input.stop()
        self.input = None

    def append(self, data, name="app.log"):
        """Write as a syslog daemon does."""
        with (self.folder / name).open("ab") as file:
            file.write(data)

    def wait(self, *numbers):
        """Wait until just these lines came, and return them in order."""
        wait(lambda: len(self.numbers) >= len(numbers))
        assert list(numbers) == self.numbers

    def wait_for(self, number):
        """Wait until a line came."""
        wait(lambda: number in self.numbers)

    @property
    def numbers(self):
        """Return the numbers of the lines that came."""
        return [int(data.partition(b"number=")[2]) for data in self.journal.data]

    @property
    def saved(self):
        """Return how far the files were read, by path."""
        state = self.settings["state"]
        rows = json.loads(state.read_bytes()) if state.exists() else []
        return {Path(row["path"]).name: row["offset"] for row in rows}


@pytest.fixture
def make(tmp_path):
    made = []

    def logs(**options):
        folder = tmp_path / "log"
        folder.mkdir(exist_ok=True)
        made.append(Logs(folder, **options))
        return made[-1]

    yield logs
    for each in made:
        each.stop()


def test_lines_are_taken_as_they_are_written(make):
    logs = make()
    logs.append(lines(1) + NOISE + lines(2))
    logs.start()
    logs.wait(1, 2)
    logs.append(NOISE + line(3)[:20])
    logs.append(line(3)[20:] + NOISE)
    logs.wait(1, 2, 3)
    wait(lambda: logs.saved == {"app.log": (logs.folder / "app.log").stat().st_size})

    assert 0 == logs.journal.difference
    assert str(logs.folder / "app.log") == logs.journal.kept[0].origin.peer


def test_a_file_that_appears_later_is_read_from_its_beginning(make):
    logs = make(pattern="*/*.log", from_start=False)
    logs.start()
    wait(lambda: logs.input.status.success)
    (logs.folder / "cucm1").mkdir()
    logs.append(lines(1), "cucm1/app.log")
    logs.wait(1)


def test_a_start_at_the_end_takes_what_is_new(make):
    logs = make(from_start=False)
    logs.append(lines(1) + line(2)[:10])
    logs.start()
    wait(lambda: logs.saved)
    logs.append(line(2)[10:] + line(3))
    logs.wait(2, 3)


def test_a_new_start_goes_on_where_it_was(make):
    logs = make()
    logs.append(lines(1, 2))
    logs.start()
    logs.wait(1, 2)
    wait(lambda: logs.saved)
    logs.stop()
    logs.append(lines(3))
    logs.start()
    logs.wait(1, 2, 3)


def rename(logs):
    """Rotate as logrotate's `create` does; the writer notices only later."""
    (logs.folder / "app.log").rename(logs.folder / "app.log.1")


def copytruncate(logs):
    shutil.copyfile(logs.folder / "app.log", logs.folder / "app.log.1")
    os.truncate(logs.folder / "app.log", 0)


@pytest.mark.parametrize("pattern", ["app.log", "app.log*"])
@pytest.mark.parametrize("rotate", [rename, copytruncate])
@pytest.mark.parametrize("running", [True, False])
def test_rotation_leaves_no_line_out(make, pattern, rotate, running):
    logs = make(pattern=pattern)
    logs.append(lines(1, 2))
    logs.start()
    logs.wait(1, 2)
    wait(lambda: logs.saved)
    if not running:
        logs.stop()
    logs.append(lines(3))
    rotate(logs)
    logs.append(lines(*range(4, 40)))
    if not running:
        logs.start()
    wait(lambda: len(logs.numbers) >= 39)

    assert list(range(1, 40)) == sorted(logs.numbers)


def test_a_writer_may_end_an_old_file_late(make):
    logs = make()
    logs.append(lines(1))
    logs.start()
    logs.wait(1)
    rename(logs)
    logs.append(lines(3))
    logs.wait(1, 3)
    logs.append(lines(2) + line(4).strip(), "app.log.1")
    logs.wait(1, 3, 2, 4)


def test_a_file_that_was_written_anew_is_read_from_its_beginning(make):
    logs = make()
    logs.append(lines(1, 2))
    logs.start()
    logs.wait(1, 2)
    wait(lambda: logs.saved)
    (logs.folder / "app.log").write_bytes(lines(3, 4, 5))
    logs.wait(1, 2, 3, 4, 5)


def test_a_file_may_go_and_come_back(make):
    logs = make()
    logs.append(lines(1))
    logs.start()
    logs.wait(1)
    (logs.folder / "app.log").rename(logs.folder / "elsewhere")
    wait(lambda: not logs.input.following)
    (logs.folder / "elsewhere").rename(logs.folder / "app.log")
    logs.append(lines(2))
    logs.wait(1, 2)


def test_the_place_is_remembered_only_when_the_lines_are_on_the_disk(make):
    logs = make()
    logs.journal.hold = True
    logs.append(lines(1))
    logs.start()
    wait(lambda: logs.journal.held)
    logs.stop()
    before = logs.saved
    logs.journal.hold = False
    logs.start()
    logs.wait(1, 1)

    assert {} == before


def test_a_fault_of_the_journal_loses_no_line(make):
    logs = make()
    logs.journal.disk_fault = JournalBroken("EIO")
    logs.append(lines(1))
    logs.start()
    wait(lambda: logs.input.status.error)
    logs.stop()
    logs.journal.disk_fault = None
    logs.start()
    wait(lambda: logs.saved)

    assert 1 in logs.numbers


def test_links_that_lead_out_are_not_followed(make, tmp_path):
    logs = make(pattern="**/*.log")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.log").write_bytes(lines(9))
    (logs.folder / "link.log").symlink_to(outside / "secret.log")
    (logs.folder / "folder").symlink_to(outside)
    os.mkfifo(logs.folder / "pipe.log")
    logs.append(lines(1), "real.log")
    logs.start()
    logs.wait(1)

    assert (str(logs.folder / "real.log"),) == logs.input.following


def test_packed_old_files_are_not_read(make):
    logs = make(pattern="app.log*")
    (logs.folder / "app.log.2.gz").write_bytes(gzip.compress(lines(1)))
    logs.append(lines(2))
    logs.start()
    logs.wait(2)

    assert [1] == [batch.received for batch in logs.journal.batches]


def test_a_line_without_end_is_cut_and_takes_no_memory(make):
    logs = make()
    logs.append(b"%UC_CERT number=1" + b"x" * 3_000_000 + b"\n" + line(2))
    logs.start()
    wait(lambda: len(logs.journal.kept) == 2)
    long, _ = logs.journal.kept

    assert long.cut
    assert 16 * 1024 == len(long.data)


def test_a_broken_state_file_is_put_aside(make):
    logs = make()
    logs.settings["state"].write_bytes(b'[{"path": 1')
    logs.append(lines(1))
    logs.start()
    logs.wait(1)

    assert logs.settings["state"].with_name("state.json.bad").exists()


def test_names_may_hold_any_byte(make):
    logs = make(pattern="*.log")
    logs.append(lines(1), "\udcff\n.log")
    logs.start()
    logs.wait(1)
    wait(lambda: logs.saved)

    assert logs.journal.kept[0].origin.peer.endswith(r"\udcff\n.log")


@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_to_the_file_every_line_comes(make, seed):
    """Numbered lines under random rotation, restarts and partial writes: none is missing."""
    chance = random.Random(seed)  # noqa: S311 -- the same story each time
    logs, numbers = make(), itertools.count()
    logs.start()
    written = 0
    for generation in range(30):
        for _ in range(chance.randrange(1, 20)):
            written = next(numbers)
            logs.append(line(written))
        match chance.randrange(4):
            case 0:
                logs.wait_for(written)
                shift(logs, generation)
                rename(logs)
            case 1:
                logs.wait_for(written)
                shift(logs, generation)
                copytruncate(logs)
            case 2:
                logs.stop()
                logs.start()
    wait(lambda: set(logs.numbers) == set(range(written + 1)))

    assert 0 == logs.journal.difference


def shift(logs, generation):
    """Move the last rotated file out of the way."""
    if (logs.folder / "app.log.1").exists():
        (logs.folder / "app.log.1").rename(logs.folder / f"app.log.{generation + 2}")

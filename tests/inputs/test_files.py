"""Files that are dropped into a folder: taken whole, once they are whole, and moved away."""

import gzip
import os
import time

import pytest
from inputs.mailroom import MAIL, MemoryJournal, reception

from watcher.errors import InputError, JournalBroken, JournalFull
from watcher.inputs.files import SpoolInput, SpoolOptions
from watcher.model.ledger import Reason
from watcher.model.message import Grade, Way
from watcher.wire.prefilter import Prefilter

MARKS = Prefilter([b"%UC_CERT", b"%UC_RTMT"])
HIT = b"<189>1: cucm: %%UC_CERT-4-CertValidLessThanMonth: %d\n"
NOISE = b"<30>Nov 23 10:00:00 host daemon: nothing of ours\n"
LARGE = 300 * 1024


class Spool:
    """A folder that is watched, and what came out of it."""

    def __init__(self, folder):
        self.folder = folder
        self.journal = MemoryJournal()
        options = SpoolOptions(folder=folder, poll_seconds=0.01, settle_seconds=0.03)
        self.input = SpoolInput(reception(self.journal, "spool"), MARKS, options)

    def put(self, name, data):
        """Write a file elsewhere and rename it in."""
        made = self.folder.with_name("made")
        made.write_bytes(data)
        made.rename(self.folder / name)

    def names(self, kind):
        """Return which files are in a sub-folder."""
        return sorted(path.name for path in (self.folder / kind).iterdir())


@pytest.fixture
def spool(tmp_path):
    made = Spool(tmp_path / "spool")
    made.input.start()
    yield made
    made.input.stop()


def wait(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_mail_is_one_message(spool):
    spool.put("alarm.eml", MAIL)
    wait(lambda: spool.names("done"))
    origin = spool.journal.kept[0].origin

    assert [MAIL] == spool.journal.data
    assert (Way.FILE, "spool", Grade.RETURN_PATH) == (origin.way, origin.input, origin.grade)
    assert str(spool.folder / "alarm.eml") == origin.peer
    assert ["alarm.eml"] == spool.names("done")


def test_a_small_file_is_one_message_and_a_large_one_has_lines(spool):
    small = (HIT % 1) + NOISE + (HIT % 2)
    spool.put("small", small)
    wait(lambda: spool.names("done"))
    large = NOISE * (LARGE // len(NOISE)) + (HIT % 3) + NOISE * 5 + HIT.strip() % 4
    spool.put("large", large)
    wait(lambda: len(spool.names("done")) == 2)

    assert [small, HIT.strip() % 3, HIT.strip() % 4] == spool.journal.data
    assert large.count(b"\n") + 2 == sum(batch.received for batch in spool.journal.batches)
    assert 0 == spool.journal.difference


def test_lines_of_a_large_file_may_begin_with_digits(spool):
    spool.put("large", b"2026 %UC_CERT one\n" + b"12 noise\n" * (LARGE // 9))
    wait(lambda: spool.names("done"))

    assert [b"2026 %UC_CERT one"] == spool.journal.data


def test_a_large_utf16_file_has_lines(spool):
    text = ("äöü noise\n" * (LARGE // 10) + "%UC_CERT ä\r\n").encode("utf-16")
    spool.put("windows.log", text)
    wait(lambda: spool.names("done"))

    assert ["%UC_CERT ä".encode()] == spool.journal.data


def test_a_large_mbox_has_mails(spool):
    mails = [b"From a@b Mon Nov 23 10:00:00 2026\n" + MAIL + b"x" * 99_999 + b"\n"] * 4
    spool.put("archive.mbox", b"".join(mails))
    wait(lambda: spool.names("done"))

    assert mails == spool.journal.data


def test_a_mail_of_an_mbox_that_is_too_large_is_counted(spool):
    small, large = b"From a\nSubject: x\n\nx\n", b"From b\n" + b"y" * LARGE + b"\n"
    spool.put("archive.mbox", small + large + small)
    wait(lambda: spool.names("done"))

    assert [small, small] == spool.journal.data
    assert {Reason.TOO_LARGE: 1} == spool.journal.refused


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (gzip.compress(MAIL, mtime=0), Reason.UNREADABLE),
        (b"\x7fELF\0\0", Reason.UNREADABLE),
        (b"", Reason.UNREADABLE),
        (MAIL + b"x" * LARGE, Reason.TOO_LARGE),
    ],
)
def test_what_cannot_be_taken_is_put_aside_with_the_reason(spool, data, reason):
    spool.put("odd", data)
    wait(lambda: len(spool.names("failed")) == 2)
    wait(lambda: (spool.folder / "failed/odd.reason").read_text().startswith(f"{reason}: "))

    assert ["odd", "odd.reason"] == spool.names("failed")
    assert {reason: 1} == spool.journal.refused
    assert [] == spool.journal.kept


def test_names_may_hold_any_byte_and_come_twice(spool):
    for _ in range(2):
        spool.put("\udcff\udcfe\n ä", MAIL)
        wait(lambda: not os.path.lexists(spool.folder / "\udcff\udcfe\n ä"))
    peer = spool.journal.kept[0].origin.peer

    assert peer.endswith(r"\udcff\udcfe\n ä")
    assert 2 == len(spool.names("done"))


def test_a_file_that_still_grows_is_not_taken(spool):
    with (spool.folder / "growing").open("wb") as file:
        for _ in range(20):
            file.write(b"line\n")
            file.flush()
            time.sleep(0.01)
    wait(lambda: spool.names("done"))

    assert [b"line\n" * 20] == spool.journal.data


def test_links_pipes_folders_and_unfinished_names_are_let_alone(spool, tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(MAIL)
    (spool.folder / "link").symlink_to(secret)
    (spool.folder / "more").mkdir()
    os.mkfifo(spool.folder / "pipe")
    for name in (".hidden", "half.tmp", "half.part", "edited~"):
        (spool.folder / name).write_bytes(MAIL)
    spool.put("real", b"real\n")
    wait(lambda: spool.names("done"))

    assert [b"real\n"] == spool.journal.data
    assert 7 + len(["done", "failed"]) == len(list(spool.folder.iterdir()))


def test_nothing_is_moved_before_it_is_on_the_disk(spool):
    spool.journal.hold = True
    spool.put("alarm.eml", MAIL)
    wait(lambda: spool.journal.held)
    before = spool.names("done")
    spool.journal.held[0].set_result(None)
    wait(lambda: spool.names("done"))

    assert [] == before


def test_a_stop_before_that_leaves_the_file(spool):
    spool.journal.hold = True
    spool.put("alarm.eml", MAIL)
    wait(lambda: spool.journal.held)
    spool.input.stop()

    assert (spool.folder / "alarm.eml").exists()


@pytest.mark.parametrize("fault", [JournalFull("full"), JournalBroken("broken")])
def test_it_waits_for_a_journal_that_takes_nothing(spool, fault):
    spool.journal.fault = fault
    spool.put("alarm.eml", MAIL)
    wait(lambda: spool.input.status.error)
    spool.journal.fault = None
    wait(lambda: spool.names("done"))

    assert [MAIL] == spool.journal.data
    wait(lambda: not spool.input.status.error)


def test_a_disk_that_fails_leaves_the_file(spool):
    spool.journal.disk_fault = JournalBroken("EIO")
    spool.put("alarm.eml", MAIL)
    wait(lambda: spool.input.status.error)
    there = (spool.folder / "alarm.eml").exists()
    spool.journal.disk_fault = None
    wait(lambda: spool.names("done"))

    assert there


def test_a_file_that_cannot_be_moved_is_not_taken_twice(spool):
    spool.put("first", MAIL)
    wait(lambda: spool.names("done"))
    (spool.folder / "done").rename(spool.folder / "away")
    spool.put("second", b"second\n")
    wait(lambda: "cannot move" in spool.input.status.error)
    time.sleep(0.1)
    (spool.folder / "done").mkdir()
    wait(lambda: spool.names("done"))

    assert [MAIL, b"second\n"] == spool.journal.data


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(InputError, match="cannot make"):
        Spool(tmp_path / "file/spool").input.start()

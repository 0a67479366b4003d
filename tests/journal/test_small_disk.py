"""A real disk that is full: needs the right to mount a small one (F-04)."""

import subprocess
import time
from contextlib import suppress
from dataclasses import replace

import pytest
from journal.desk import StillClock, batch, counted, damaged, data_of, message, read_all

from watcher.errors import JournalFull
from watcher.journal.local import DEFAULTS, LocalJournal
from watcher.journal.reader import LocalReader


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(  # noqa: S603 -- fixed words
        ["/bin/mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)],
        check=False, capture_output=True,
    )  # fmt: skip
    if mounted.returncode:
        pytest.skip("mounting is not permitted here")
    yield folder
    subprocess.run(["/bin/umount", "-l", str(folder)], check=True)  # noqa: S603 -- fixed words


@pytest.mark.parametrize("reserve", [0.0, 0.1])
def test_a_full_disk_is_a_passing_state(small_disk, reserve):
    options = replace(DEFAULTS, counts_seconds=0.02, reserve_share=reserve)
    journal = LocalJournal(small_disk / "journal", StillClock(), options)
    kept = []
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(500_000))
    with suppress(JournalFull):
        for number in range(100_000):
            journal.settle(batch(message(number)))
            kept.append(message(number).data)
    refusing = journal.state().refusing
    ballast.unlink()
    begin = time.monotonic()
    while journal.state().refusing:
        time.sleep(0.01)
    journal.settle(batch(message(b"again")))
    journal.close()
    reader = LocalReader(small_disk / "journal")
    entries = read_all(reader)
    reader.close()

    assert refusing
    assert 10 > time.monotonic() - begin
    assert [*kept, b"again"] == data_of(entries)
    assert len(kept) + 1 == counted(entries)
    assert [] == damaged(entries)

"""Journals that are closed again."""

import pytest
from journal.desk import StillClock

from watcher.journal.local import LocalJournal
from watcher.journal.memory import MemoryJournal
from watcher.journal.reader import LocalReader


@pytest.fixture
def clock():
    return StillClock()


@pytest.fixture
def opened():
    """Journals and readers in here are closed at the end."""
    found = []
    yield found
    for each in found:
        each.close()


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "journal"


@pytest.fixture
def local(folder, clock, opened):
    """Return a function that opens the journal of `folder`, with options and files as given."""

    def open_it(*options, **others):
        journal = LocalJournal(folder, clock, *options, **others)
        opened.append(journal)
        return journal

    return open_it


@pytest.fixture
def reader(folder, opened):
    made = LocalReader(folder)
    opened.append(made)
    return made


@pytest.fixture(params=["local", "memory"])
def pair(request, clock, local, reader):
    """Return a journal and its reader."""
    if request.param == "local":
        return local(), reader
    journal = MemoryJournal(clock)
    return journal, journal

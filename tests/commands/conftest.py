"""Commands as a person runs them, on the state of a daemon that took real messages in."""

import shutil
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from watcher.app.knowledge import load_catalogue
from watcher.cases.identity import Directory
from watcher.cases.storm import Budget
from watcher.cli.main import main
from watcher.intake import fold, read_message
from watcher.inventory.loader import load
from watcher.model.ledger import Books, Line, Place
from watcher.model.message import Grade, MessageId, Origin, Position, RawMessage, Way
from watcher.store.engine import open_existing, open_store

CATALOGUE = load_catalogue()
INVENTORY = """\
version: 1
clusters:
  - name: graz
    time_zone: Europe/Vienna
    nodes:
      - {name: pub, role: publisher, addresses: [127.0.0.1]}
      - {name: sub}
"""
NOW = datetime(2026, 11, 20, 2, tzinfo=UTC)
ORIGIN = Origin(way=Way.UDP, input="udp", peer="192.0.2.1", grade=Grade.CLAIM)


@pytest.fixture
def run(monkeypatch, capsys):
    """Run a command line; return its exit status, output and errors."""

    def command(*words, given=b""):
        monkeypatch.setenv("COLUMNS", "200")
        monkeypatch.setattr(sys, "argv", ["watcher", *(str(word) for word in words)])
        monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(given)))
        with pytest.raises(SystemExit) as left:
            main()
        told = capsys.readouterr()
        return left.value.code, told.out, told.err

    return command


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory):
    """Return a database with tables and no rows; making the tables takes a while."""
    file = tmp_path_factory.mktemp("empty") / "watcher.db"
    open_store(f"sqlite:///{file}").close()
    return file


@dataclass
class Site:
    """A folder with settings, an inventory and a database that messages are taken into."""

    folder: Path
    settings: Path
    empty: Path
    count: int = 0

    @property
    def url(self):
        """Return the address of the database."""
        return f"sqlite:///{self.folder / 'state' / 'watcher.db'}"

    def write(self, text):
        """Write the settings file."""
        self.settings.write_text(text, encoding="utf-8")

    def take_in(self, *texts, inventory=INVENTORY, origin=ORIGIN):
        """Take messages in, each counted as received; return their ids as people copy them."""
        directory = Directory(load("inventory.yaml", inventory), CATALOGUE)
        if not self.count:
            shutil.copy(self.empty, self.folder / "state")
        store = open_existing(self.url)
        ids = []
        with store.transaction() as unit:
            readings = []
            for text in texts:
                self.count += 1
                id_ = MessageId(journal="main", position=Position(self.count))
                raw = RawMessage(
                    origin=origin, received_at=NOW, monotonic_ns=0, data=text.encode("latin-1")
                )
                readings.append(read_message(id_, raw, directory))
                ids.append(str(id_))
            _, books = fold(readings, unit, NOW, Budget(standing=directory.standing))
            books.add(origin.input, Place.RECEIVED, len(texts))
            unit.count(books.lines())
        store.close()
        return ids

    def lines(self):
        """Return the books of the store."""
        store = open_existing(self.url)
        try:
            return books_of(store.view.books())
        finally:
            store.close()


def books_of(lines: list[Line]):
    books = Books()
    for line in lines:
        books.add(line.input, line.place, line.count, line.reason)
    return books


@pytest.fixture
def site(tmp_path, monkeypatch, empty_database):
    """Return a site of one cluster, graz, with two nodes, and no message yet."""
    monkeypatch.chdir(tmp_path)
    for name in ("WATCHER_SETTINGS", "STATE_DIRECTORY", "CREDENTIALS_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "state").mkdir(mode=0o700)
    (tmp_path / "inventory.yaml").write_text(INVENTORY, encoding="utf-8")
    made = Site(tmp_path, tmp_path / "watcher.yaml", empty_database)
    made.write("version: 1\nstate_dir: state\ninventory: inventory.yaml\n")
    return made

"""Entries a second into and out of the journal: `python tests/journal/bench.py`."""

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from journal.desk import StillClock, batch, message, read_all

from watcher.journal.local import LocalJournal
from watcher.journal.reader import LocalReader

ENTRIES = 200_000
AT_ONCE = 200
SIZE = 400
ONE_BY_ONE = 300


def main() -> None:
    """Print three figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "journal"
        journal, reader = LocalJournal(folder, StillClock()), LocalReader(folder)
        kept = [message(b"x" * SIZE) for _ in range(AT_ONCE)]
        begin = time.perf_counter()
        for _ in range(ENTRIES // AT_ONCE):
            position = journal.settle(batch(*kept))
        journal.durable(position).result()
        say("written in batches, durable", ENTRIES, begin)
        begin = time.perf_counter()
        read_all(reader, limit=1000)
        say("read", ENTRIES, begin)
        begin = time.perf_counter()
        for one in kept[:1] * ONE_BY_ONE:
            journal.durable(journal.settle(batch(one))).result()
        say("written one by one, each durable", ONE_BY_ONE, begin)
        journal.close()
        reader.close()


def say(what: str, count: int, begin: float) -> None:
    """Print a figure."""
    sys.stdout.write(f"{what:34} {count / (time.perf_counter() - begin):>10,.0f}/s\n")


if __name__ == "__main__":
    main()

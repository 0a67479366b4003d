# ruff: noqa: T201 -- a bench prints
"""Alarms from the journal to durable cases: how many a second, and where the time goes.

    make bench-ingest runs it behind the bench of the inputs; python tests/bench_cases.py [ALARMS]

One worker takes a full journal into SQLite (WAL, FULL), as the daemon does: read, fold, commit in
batches. The alarms are of 500 certificates, repeated as nights repeat them.
"""

import sys
import tempfile
import time
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from watcher.app.clock import SystemClock
from watcher.app.knowledge import load_catalogue
from watcher.app.settings import prepare
from watcher.app.worker import Worker, WorkerOptions
from watcher.app.worker_process import build
from watcher.intake import read_message
from watcher.inventory.writer import write
from watcher.journal.local import LocalJournal
from watcher.model.message import Grade, MessageId, Origin, Position, RawMessage, Way
from watcher.ports import Batch
from watcher.store.engine import open_store
from watcher.traffic.cast import cast
from watcher.traffic.invent import invent
from watcher.traffic.numbered import numbered

ALARMS = 20_000
CERTIFICATES = 500
START = datetime(2026, 11, 20, 1, tzinfo=UTC)
ORIGIN = Origin(way=Way.UDP, input="udp", peer="192.0.2.1", grade=Grade.CLAIM)


def filled(folder, count):
    """Return prepared settings whose journal holds so many alarms."""
    site, catalogue = invent(80), load_catalogue()
    (folder / "inventory.yaml").write_text(write(site, {}))
    (folder / "w.yaml").write_text("version: 1\nstate_dir: state\ninventory: inventory.yaml\n")
    prepared = prepare(str(folder / "w.yaml"), {})
    clusters = cast(site, catalogue, seed=1, start=START)
    journal, clock = LocalJournal(prepared.state_dir / "journal", SystemClock()), SystemClock()
    parts = sum(len(cluster.certificates) for cluster in clusters)
    alarms = (
        played.data
        for number, played in enumerate(numbered(clusters, catalogue.alarms, START))
        if number % parts < CERTIFICATES
    )
    for _ in range(count // 500):
        kept = [
            RawMessage(origin=ORIGIN, received_at=clock.now(), monotonic_ns=0, data=data)
            for data in islice(alarms, 500)
        ]
        journal.settle(Batch(input="udp", received=500, kept=kept))
    journal.close()
    return prepared


def main():
    """Print the figures of one run."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else ALARMS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "state" / "journal").mkdir(parents=True)
        prepared = filled(folder, count)
        store = open_store(prepared.database_url.reveal())
        parts = build(prepared, store, folder / "in-force.json")
        worker = Worker(parts.gear, WorkerOptions())
        began, used = time.monotonic(), time.process_time()
        while worker.turn():
            pass
        seconds, used = time.monotonic() - began, time.process_time() - used
        parts.gear.easel.end()
        cases = sum(store.figures.case_counts().values())
        store.close()
        alone = reading_alone(parts.gear.directory, folder, count)
    print(f"{count:,} alarms of {cases} certificates to durable cases, one worker, SQLite FULL")
    print(f"  {count / seconds:,.0f} a second; CPU {1e6 * used / count:.0f} us an alarm,")
    print(f"  of which reading the text takes {1e6 * alone:.0f} us: that bounds it")


def reading_alone(directory, folder, count):
    """Return the CPU seconds that reading one message takes, nothing else."""
    from watcher.journal.reader import LocalReader  # noqa: PLC0415 -- a second look, apart
    from watcher.ports import Kept  # noqa: PLC0415

    entries = LocalReader(folder / "state" / "journal").read(Position(0), count)
    messages = [entry.message for entry in entries if isinstance(entry, Kept)]
    began = time.process_time()
    for message in messages:
        read_message(MessageId(journal="main", position=Position(1)), message, directory)
    return (time.process_time() - began) / len(messages)


if __name__ == "__main__":
    main()

# ruff: noqa: D102, T201 -- a program of its own, and doubles of what has docstrings
"""Our own inputs in a process of their own, with a real journal, as the receiver has them.

`ours.py FOLDER`: prints the ports as JSON, then for each line on standard input what it counted;
ends when standard input does, and prints what the journal holds. FOLDER has cert.pem and key.pem.
"""

import asyncio
import json
import resource
import ssl
import sys
from pathlib import Path

from watcher.app.clock import SystemClock
from watcher.inputs.reception import Reception
from watcher.inputs.stream import StreamInput
from watcher.inputs.tls import Tls
from watcher.inputs.udp import UdpInput, bind
from watcher.journal.local import LocalJournal
from watcher.journal.reader import LocalReader
from watcher.model.ledger import Books, Place
from watcher.model.message import Position
from watcher.ports import Counted, Kept
from watcher.wire.prefilter import Prefilter

MARKS = (b"UC_CERT", b"UC_RTMT")


class Tally:
    """A journal that also adds up what it is handed; the books beside the books."""

    def __init__(self, journal):
        self._journal = journal
        self.counts = {"received": 0, "noise": 0, "kept": 0, "refused": 0}

    def settle(self, batch):
        place = self._journal.settle(batch)
        counts = self.counts
        counts["received"] += batch.received
        counts["noise"] += batch.noise
        counts["kept"] += len(batch.kept)
        counts["refused"] += sum(batch.refused.values())
        return place

    def durable(self, position):
        return self._journal.durable(position)

    def close(self):
        self._journal.close()


def failed(error):
    print(f"an input ended: {error!r}", file=sys.stderr)


def read_back(folder):
    """Return what the journal itself says, read as the worker reads it."""
    reader, books, kept = LocalReader(folder), Books(), 0
    after = Position(0)
    while entries := reader.read(after, 10_000):
        for entry in entries:
            if isinstance(entry, Counted):
                for line in entry.counts.lines:
                    books.add(line.input, line.place, line.count, line.reason)
            kept += isinstance(entry, Kept)
        after = entries[-1].position
    reader.close()
    counts = {place: books.total(place) for place in (Place.RECEIVED, Place.NOISE, Place.REFUSED)}
    return {**counts, "kept": kept}


class Inputs:
    """Our inputs at one journal."""

    def __init__(self, folder, journal):
        clock, marks = SystemClock(), Prefilter(MARKS)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
        self.datagrams = UdpInput(
            bind("127.0.0.1", 0), Reception("udp", journal, clock), marks, failed
        )
        self.plain = StreamInput(Reception("tcp", journal, clock), marks)
        self.secret = StreamInput(
            Reception("tls", journal, clock), marks, tls=Tls(context, anonymous=True)
        )

    async def start(self):
        """Listen; return the ports by way."""
        self.datagrams.start()
        for stream in (self.plain, self.secret):
            await stream.start(address=("127.0.0.1", 0))
        tcp, tls = self.plain.addresses[0][1], self.secret.addresses[0][1]
        return {"udp": self.datagrams.address[1], "lines": tcp, "counted": tcp, "tls": tls}

    async def stop(self):
        self.datagrams.stop()
        for stream in (self.plain, self.secret):
            await stream.stop()


async def serve(folder):
    """Take what comes, and say what it was for each line on standard input."""
    journal = LocalJournal(folder / "journal", SystemClock())
    tally = Tally(journal)
    inputs = Inputs(folder, tally)
    print(json.dumps(await inputs.start()), flush=True)
    loop = asyncio.get_running_loop()
    while await loop.run_in_executor(None, sys.stdin.readline):
        figures = inputs.datagrams.figures()
        told = {**tally.counts, "dropped": figures.dropped or 0, "buffer": figures.granted}
        print(json.dumps(told), flush=True)
    await inputs.stop()
    journal.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({**read_back(folder / "journal"), "peak": peak}), flush=True)


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))

"""Kills the daemon under load, at random instants and at named points, and audits what is left."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from audit import Audit, audit
from killing.daemon import Daemon
from killing.numbered import numbers_in
from killing.senders import Mailer, Postman, Shooter, Spooler, Streamer, Traffic

READY_WITHIN = 60.0
REACHED_WITHIN = 60.0
"""Seconds that a life may take to come by a crash point."""
GATHER_WITHIN = 180.0
WORKERS_OF_LIFE = 2
"""Workers killed in one life of the receiver; it waits longer before each new one."""
FIRST_LIFE = ("in-migration",)
"""Points that only a life without a database passes."""
TIMES = {
    "in-recovery": 2,
    "in-migration": 12,
    "journal-forgotten": 3,
    "journal-segment-created": 4,
    "file-kept": 4,
    "lines-kept": 4,
    "imap-settled": 2,
    "imap-before-flag": 2,
}
"""How often a life surely passes a point; 8 where nothing is said."""


@dataclass(slots=True)
class Figures:
    """What came of a run."""

    kills: Counter[str] = field(default_factory=Counter)
    points: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    """Points that a life was to die at and did not pass."""
    sent: Counter[str] = field(default_factory=Counter)
    there: Counter[str] = field(default_factory=Counter)
    acknowledged: int = 0
    """Mails that were answered with 250."""
    held: int = 0
    """Lines and mails that lay in files and mailboxes."""
    audit: Audit = field(default_factory=Audit)
    seconds: float = 0.0


class Killer:
    """One daemon, its senders, and who kills it."""

    def __init__(self, folder: Path, seed: int, seeded_bug: str = "") -> None:
        self.daemon = Daemon(folder, {"WATCHER_SEEDED_BUG": seeded_bug} if seeded_bug else {})
        self.chance = random.Random(seed)  # noqa: S311 -- chance that can be repeated
        self.traffic = Traffic(self.daemon.addresses, self.chance)
        self.spooler = Spooler(self.traffic, folder)
        self.postman = Postman(self.traffic)
        self.figures = Figures()
        self._of_life = 0
        self._workers: dict[int, int] = {}
        """The first worker of each life, by its group."""

    @asynccontextmanager
    async def load(self) -> AsyncIterator[None]:
        """Send by all ways inside of the block; leave nothing running behind it."""
        traffic = self.traffic
        senders = (
            Mailer(traffic), Streamer(traffic), Streamer(traffic, "tls"), Shooter(traffic),
            self.spooler, self.postman,
        )  # fmt: skip
        async with self.postman.server as server:
            self.daemon.prepare(server.port)
            tasks = [asyncio.create_task(sender.run()) for sender in senders]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                self.daemon.clear()

    async def kill_at_random(self) -> None:
        """Let it live for a moment, then kill one half, both, or what has only begun to start."""
        kind = self.chance.choices(
            ("receiver", "worker", "both", "start"), weights=(35, 30, 20, 15)
        )[0]
        self._of_life += kind == "worker"
        if self._of_life > WORKERS_OF_LIFE:
            kind = "both"
        if not self.daemon.alive:
            self._of_life = 0
            self.daemon.start()
            if kind == "start":
                await asyncio.sleep(self.chance.uniform(0.0, 1.2))
        if kind != "start":
            await self._ready()
            if kind != "receiver":
                await self._until(self.daemon.works, READY_WITHIN)
            await self._moment(self.daemon.journal if kind == "receiver" else self.daemon.database)
        self.daemon.kill(receiver=kind != "worker", worker=kind != "receiver")
        self.figures.kills[kind] += 1

    async def _ready(self) -> None:
        await self._until(lambda: self.daemon.addresses() or not self.daemon.alive, READY_WITHIN)
        if not self.daemon.addresses():
            raise RuntimeError(f"a life does not begin: {self.daemon.last_words()}")

    async def _moment(self, watched: Callable[[], int]) -> None:
        """Wait for any instant, or for one just behind a write, where the narrow windows are."""
        await asyncio.sleep(self.chance.uniform(0.0, 0.8))
        if self.chance.random() < 0.5:
            before = watched()
            await self._until(lambda: watched() != before, 1.0, pause=0.0005)
            await asyncio.sleep(self.chance.uniform(0.0, 0.006))

    async def kill_at(self, point: str) -> bool:
        """Have a life die at a point, and again when it recovers; tell whether it came by."""
        if self.daemon.alive:
            self.daemon.kill(receiver=True, worker=True)
        if point in FIRST_LIFE:
            return await self._kill_first_life(point)
        self.daemon.start(self._place(point))
        reached = await self._until(self._has_died, REACHED_WITHIN)
        await asyncio.sleep(self.chance.uniform(0.0, 0.5))
        self.daemon.kill(receiver=True, worker=True)
        (self.figures.points if reached else self.figures.missed)[point] += 1
        return reached

    async def _kill_first_life(self, point: str) -> bool:
        """Kill a daemon that has no database yet; another life must begin well after it."""
        nth = len(self.daemon.groups)
        other = Killer(self.daemon.folder / f"first-{nth}", nth)
        async with other.load():
            other.daemon.start(other._place(point))
            reached = await self._until(other._has_died, REACHED_WITHIN)
            other.daemon.kill(receiver=True, worker=True)
            other.daemon.start()
            await other._until(lambda: len(other.traffic.acknowledged) > 20, READY_WITHIN)
            found = await other.end()
        self.daemon.groups += other.daemon.groups
        self.figures.audit.faults += found.audit.faults
        (self.figures.points if reached else self.figures.missed)[point] += 1
        return reached

    async def gather(self, acknowledged: int) -> None:
        """Let it live until so many mails were acknowledged in all."""
        if not self.daemon.alive:
            self.daemon.start()
        await self._until(lambda: len(self.traffic.acknowledged) >= acknowledged, GATHER_WITHIN)

    async def end(self) -> Figures:
        """Stop sending, let the daemon take in what is left, stop it in order, and audit."""
        if not self.daemon.alive:
            self.daemon.start()
        await self._ready()
        self.traffic.quiet = True
        await self._until(
            lambda: not self.spooler.waiting and not self.postman.waiting, READY_WITHIN
        )
        await asyncio.sleep(1.0)  # the followed log is looked at every 0.1 s
        read = await asyncio.to_thread(self.daemon.wait_read)
        status = await asyncio.to_thread(self.daemon.stop)
        self.traffic.quiet = False
        figures = self.figures
        faults = figures.audit.faults
        figures.audit = await asyncio.to_thread(
            audit, self.daemon.state, self.daemon.url, self.traffic.sent(), numbers_in
        )
        figures.audit.faults += faults
        if not read or status:
            figures.audit.faults.append(f"the last life read all: {read}, ended with {status}")
        self._count()
        return figures

    def _count(self) -> None:
        figures, traffic = self.figures, self.traffic
        figures.acknowledged, figures.held = len(traffic.acknowledged), len(traffic.held)
        figures.sent = Counter(traffic.ways[number] for number in traffic.times)
        figures.there = Counter(traffic.ways[number] for number in figures.audit.found)

    def _place(self, point: str) -> str:
        return f"{point}:{self.chance.randint(1, TIMES.get(point, 8))}"

    def _has_died(self) -> bool:
        """Tell whether a half of this life was killed, by itself."""
        if not self.daemon.alive:
            return True
        life, worker = self.daemon.groups[-1], self.daemon.worker()
        first = self._workers.setdefault(life, worker) if worker else self._workers.get(life)
        return first is not None and worker != first

    @staticmethod
    async def _until(condition: Callable[[], object], seconds: float, pause: float = 0.02) -> bool:
        """Wait for something; tell whether it came."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if condition():
                return True
            await asyncio.sleep(pause)
        return False

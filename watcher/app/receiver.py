"""The receiver: opens the doors, keeps the journal, supervises the worker, ends in order.

    start: journal, doors, web, worker, ready          stop: doors, worker, web, journal

It decides nothing about a message and never opens the database.
"""

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from watcher import __version__
from watcher.app import in_force
from watcher.app.builder import Builder, certificates
from watcher.app.clock import SystemClock
from watcher.app.doors import Door
from watcher.app.halves import half_command
from watcher.app.lag import LoopLag
from watcher.app.logs import log_drops, sd_notify
from watcher.app.machine import free_bytes, resident_bytes
from watcher.app.pages import open_web
from watcher.app.settings import Prepared, prepare
from watcher.app.sockets import Sockets, handed_over
from watcher.app.status import read_worker, write_status
from watcher.app.steps import ClockSteps
from watcher.app.supervisor import Supervisor, SupervisorOptions
from watcher.app.totals import Totals
from watcher.errors import InputError
from watcher.journal.local import JournalOptions, LocalJournal
from watcher.model.status import ReceiverStatus

logger = logging.getLogger(__name__)

TICK = 1.0
"""Seconds between two status files."""
OPENING = 600.0
"""Seconds that a worker may take to open its database, or to bring its tables up to date."""
FIXED = ("state_dir", "instance", "journal", "database", "web", "log")
"""Settings that a reload cannot change: they need a restart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOrder:
    """What a person asks of `watcher run`."""

    settings: str | None
    environment: Mapping[str, str]
    texts: Mapping[str, in_force.Text] = field(default_factory=dict)
    """What was read for it: the worker is handed these texts, not the files."""
    worker: bool = True
    """Start the worker as well; else it runs as a unit of its own."""


@dataclass(slots=True)
class Receiver:
    """One run of the receiver, from start to stop."""

    order: RunOrder
    prepared: Prepared
    clock: SystemClock = field(default_factory=SystemClock)
    lag: LoopLag = field(default_factory=LoopLag)
    doors: dict[str, Door] = field(default_factory=dict)
    config_differs: bool = False
    failure: str = ""
    """Why it cannot go on; empty while it can."""
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    journal: LocalJournal = field(init=False)
    totals: Totals = field(init=False)
    supervisor: Supervisor | None = field(init=False, default=None)
    _builder: Builder = field(init=False)
    _sockets: Sockets = field(init=False)
    _loop: asyncio.AbstractEventLoop = field(init=False)
    _started_at: datetime = field(init=False)
    _steps: ClockSteps = field(init=False)
    _reloading: asyncio.Lock = field(default_factory=asyncio.Lock)
    _waiting: bool = False
    _worker_sign: tuple[int | None, datetime | None, float] = (None, None, 0.0)
    """Process and time of the worker's newest sign of life, and when the loop's clock saw it."""

    async def run(self) -> None:
        """Start, serve until told to stop, end in order; raise InputError when it cannot start."""
        self._loop = asyncio.get_running_loop()
        self._started_at = self.clock.now()
        self._steps = ClockSteps(self.clock)
        self._open_journal()
        try:
            await self._serve()
        finally:
            await asyncio.to_thread(self.journal.close)
            await self._stop_worker()
            with contextlib.suppress(OSError):
                write_status(self.prepared.state_dir, replace(self.status(), stopped=True))

    async def _serve(self) -> None:
        await self._open()
        try:
            web = await open_web(self.prepared, self._sockets, self.status, self.clock)
            self._start_worker()
            async with asyncio.TaskGroup() as tasks:
                running = [tasks.create_task(self.lag.run()), tasks.create_task(self._tick())]
                self._listen_to_signals(tasks)
                self._say_ready()
                await self.stopping.wait()
                sd_notify("STOPPING=1")
                for task in running:
                    task.cancel()
        finally:
            await self._close()
        if web is not None:
            web.close()

    # -- start

    def _open_journal(self) -> None:
        settings = self.prepared.settings.journal
        folder = self.prepared.state_dir / "journal"
        try:
            for one in (self.prepared.state_dir, folder):  # `mode` is not for parents
                one.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            problem = f"{folder}: {error.strerror}"
            raise InputError(problem, expected="a writable state_dir") from error
        options = JournalOptions(
            segment_bytes=settings.segment, sync_seconds=settings.sync.total_seconds(),
            reserve_bytes=settings.reserve, max_bytes=settings.limit,
        )  # fmt: skip
        self.journal = LocalJournal(folder, self.clock, options)
        self.totals = Totals(self.journal)

    async def _open(self) -> None:
        given = handed_over(self.order.environment, os.getpid())
        self._sockets = Sockets(given)
        self._builder = Builder(self.totals, self.clock, self._sockets, self._failed)
        try:
            for door in self._builder.build(self.prepared):
                self.doors[door.name] = door
                await door.start()
        except BaseException:
            await self._close()
            raise
        self._sockets.keep(self.doors)

    def _start_worker(self) -> None:
        if not self.order.worker:
            return
        busy = self.prepared.settings.database.busy.total_seconds()
        file = self.prepared.state_dir / in_force.RECEIVER_FILE
        in_force.write(file, self.order.texts)
        self.supervisor = Supervisor(
            half_command("worker", self.prepared.path, file), self.order.environment,
            self._worker_silent_for, SupervisorOptions(hang=SupervisorOptions().hang + busy),
        )  # fmt: skip
        self.supervisor.start()

    def _worker_silent_for(self) -> float:
        """Return how long the worker gave no sign, by the clock that never steps.

        One that just started says nothing before its database is open, which may take a while.
        """
        status, now = read_worker(self.prepared.state_dir), self._loop.time()
        pid = self.supervisor.pid if self.supervisor else None
        sign = status.written_at if status is not None and status.pid == pid else None
        if self._worker_sign[:2] != (pid, sign):
            self._worker_sign = pid, sign, now
        silent = now - self._worker_sign[2]
        return silent if sign is not None else silent - OPENING

    def _listen_to_signals(self, tasks: asyncio.TaskGroup) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self.stopping.set)
        self._loop.add_signal_handler(signal.SIGHUP, lambda: tasks.create_task(self.reload()))

    def _say_ready(self) -> None:
        for door in self.doors.values():
            status = door.status()
            logger.info("%s listens on %s", status.name, status.where, extra={"action": "open"})
        sd_notify("READY=1")
        self.ready.set()

    # -- while it runs

    async def _tick(self) -> None:
        while True:
            self._steps.look()
            try:
                await asyncio.to_thread(write_status, self.prepared.state_dir, self.status())
            except OSError as error:
                logger.warning("the status file cannot be written: %s", error.strerror)
            sd_notify("WATCHDOG=1")
            await asyncio.sleep(TICK)

    def status(self) -> ReceiverStatus:
        """Return how the receiver is now."""
        state = self.journal.state()
        return ReceiverStatus(
            written_at=self.clock.now(),
            started_at=self._started_at,
            pid=os.getpid(),
            version=__version__,
            inputs=tuple(door.status() for door in self.doors.values()),
            lines=self.totals.lines(),
            journal=self.prepared.settings.instance,
            journal_end=state.written,
            journal_bytes=state.unread,
            journal_problem=state.broken or state.refusing,
            free_bytes=free_bytes(self.prepared.state_dir),
            loop_lag_p99=self.lag.p99,
            loop_lag_worst=self.lag.worst,
            worker_pid=self.supervisor.pid if self.supervisor else None,
            worker_restarts=self.supervisor.restarts if self.supervisor else 0,
            config_differs=self.config_differs,
            settings_digest=self.prepared.digest,
            clock_steps=self._steps.count,
            certificates=certificates(self.prepared),
            resident_bytes=resident_bytes(),
            log_drops=log_drops(),
        )

    def _failed(self, name: str, error: BaseException) -> None:
        """Take the word of an input that it cannot go on; may come from any thread."""
        self.failure = f"{name}: {error}"
        logger.error("input %s cannot go on: %s", name, error, extra={"action": "failed"})
        self._loop.call_soon_threadsafe(self.stopping.set)

    async def reload(self) -> None:
        """Take new settings over whole, or keep those in force and say so."""
        if self._waiting:
            return  # who waits already will read the file as it then is
        self._waiting = True
        async with self._reloading:  # one after the other, however many ask
            self._waiting = False
            sd_notify("RELOADING=1")
            self.config_differs = not await self._take_over()
            sd_notify("READY=1")

    async def _take_over(self) -> bool:
        try:
            with in_force.noting() as texts:
                prepared = await asyncio.to_thread(
                    prepare, self.order.settings, self.order.environment
                )
            self._refuse_fixed(prepared)
            await self._swap(prepared)
            await self._replace_worker(texts)
        except InputError as error:
            logger.error("settings not taken over: %s", error, extra={"action": "reload_failed"})  # noqa: TRY400 -- a person's mistake
            return False
        except Exception:  # a fault of ours must not end what works
            logger.exception("settings not taken over", extra={"action": "reload_failed"})
            return False
        logger.info("settings taken over", extra={"action": "reloaded"})
        return True

    def _refuse_fixed(self, prepared: Prepared) -> None:
        for key in FIXED:
            if getattr(prepared.settings, key) != getattr(self.prepared.settings, key):
                raise InputError(f"{key} has changed", expected="a restart to change it")

    async def _swap(self, prepared: Prepared) -> None:
        """Open what is new before anything old is closed; nothing is closed when that fails."""
        kept, fresh = self._builder.compare(self.doors, prepared)
        opened: list[Door] = []
        try:
            for door in fresh:
                opened.append(door)
                await door.start()
        except BaseException:
            await _stop(opened)
            self._sockets.forget()
            raise
        gone = [door for name, door in self.doors.items() if name not in kept]
        self.doors = {name: self.doors[name] for name in kept} | {d.name: d for d in fresh}
        for name in kept:
            self.doors[name].use(prepared)
        self.prepared = prepared
        await _stop(gone)
        self._sockets.keep(self.doors)

    async def _replace_worker(self, texts: Mapping[str, in_force.Text]) -> None:
        if self.supervisor is not None:
            in_force.write(self.prepared.state_dir / in_force.RECEIVER_FILE, texts)
            await self.supervisor.replace()

    # -- stop

    async def _close(self) -> None:
        self._sockets.keep(())
        await _stop(list(self.doors.values()))

    async def _stop_worker(self) -> None:
        if self.supervisor is not None:
            await self.supervisor.stop()


async def _stop(doors: Sequence[Door]) -> None:
    for door in doors:
        try:
            await door.stop()
        except Exception:  # one that cannot stop must not keep the others open
            logger.exception("input %s did not stop in order", door.name)

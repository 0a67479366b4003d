"""The process of the worker: builds it from the settings, runs it, ends it.

It stops at SIGTERM, and when its standard input ends: then the receiver that started it is gone.
"""

import contextlib
import fcntl
import os
import signal
import stat
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from ipaddress import ip_address, ip_network
from pathlib import Path

from watcher.app import paper
from watcher.app.clock import SystemClock
from watcher.app.deadline import Attempts
from watcher.app.digests import Digests
from watcher.app.drawing import Dirty, Draughtsman
from watcher.app.easel import LIMIT, Drawn, Easel, stand_back, tell
from watcher.app.halves import half_command
from watcher.app.heartbeat import Heartbeat
from watcher.app.in_force import modified
from watcher.app.outgoing import Outgoing
from watcher.app.posting import Desk, carriers_of
from watcher.app.report import Found, Reporter
from watcher.app.selftest import SelfTest
from watcher.app.settings import Prepared
from watcher.app.status import read_worker, write_status
from watcher.app.steps import ClockSteps
from watcher.app.ticketing import desk_of
from watcher.app.ticks import Rules, Ticks
from watcher.app.worker import Gear, Worker, WorkerOptions
from watcher.cases.identity import Directory, Standing
from watcher.cases.sources import Expected, expected_nodes
from watcher.cases.states import TickOptions
from watcher.cases.storm import Budget, StormLimits
from watcher.cases.table import OPEN
from watcher.errors import InputError, Location
from watcher.inventory.schema import Inventory
from watcher.journal.mounts import refuse_network
from watcher.journal.reader import LocalReader
from watcher.model.message import Grade
from watcher.ports import CaseQuery
from watcher.schedule import Metronome
from watcher.settings.inputs import SmtpDesk
from watcher.settings.schema import Retention, Sources
from watcher.store.connection import Options
from watcher.store.engine import Store, open_existing, open_store
from watcher.store.weights import Keep

PATIENCE = 30.0
"""Seconds a worker waits for the one before it to end."""
COUNTED = 20_000
"""Open cases that are counted at the start."""
STORM_DEBOUNCES = 10
"""While alarms keep coming a plan is drawn after so many times the usual wait."""


def run_worker(prepared: Prepared, in_force: Path) -> None:
    """Take the journal into the store until told to stop; InputError when it cannot begin.

    `in_force` holds the texts that `prepared` was made from; plans are drawn from the same.
    """
    prepared.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    refuse_network(prepared.state_dir)
    with _alone(prepared.state_dir / "worker.lock"):
        wait = prepared.settings.database.busy.total_seconds()
        store = open_store(prepared.database_url.reveal(), Options(lock_seconds=wait))
        try:
            _work(build(prepared, store, in_force), prepared)
        finally:
            store.close()
            _say_stopped(prepared.state_dir)


def _say_stopped(folder: Path) -> None:
    """Mark the last status as that of a worker that ended, while no other may write one."""
    last = read_worker(folder)
    if last is not None and last.pid == os.getpid():
        with contextlib.suppress(OSError):
            write_status(folder, replace(last, stopped=True))


@contextlib.contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Wait until no other worker takes in this journal; the system lets go when we end."""
    with lock.open("a") as stream:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError as error:
                if time.monotonic() > deadline:
                    raise InputError(
                        "another worker is at work", where=Location(str(lock)),
                        expected="one for each state_dir",
                    ) from error  # fmt: skip
                time.sleep(0.05)
        yield


def _work(parts: "Parts", prepared: Prepared) -> None:
    settings = prepared.settings
    options = WorkerOptions(
        journal=settings.instance, batch=settings.worker.batch,
        parse_deadline=settings.worker.deadline.total_seconds(),
    )  # fmt: skip
    worker = Worker(parts.gear, options)
    parts.ticks.bind(worker)
    parts.gear.dirty.note(parts.ticks.open_clusters(), time.monotonic())
    signal.signal(signal.SIGTERM, lambda *_: worker.stopping.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to both; the receiver ends us
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    threading.Thread(target=_until_alone, args=(worker,), daemon=True).start()
    metronome = Metronome(
        {name: (seconds, partial(worker.due.put, name))
         for name, seconds in parts.ticks.seconds.items()},
        parts.gear.clock,
    )  # fmt: skip
    metronome.start()
    try:
        worker.run()
    finally:
        metronome.stop()
        parts.gear.easel.end()
        parts.ticks.end()
        parts.gear.attempts.close()


def _until_alone(worker: Worker) -> None:
    """Wait for the end of standard input: whoever started us holds its other end."""
    if stat.S_ISFIFO(os.fstat(0).st_mode):
        while os.read(0, 1024):
            pass
        worker.abandoned.set()
        worker.stopping.set()


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The worker's own things."""

    gear: Gear
    ticks: Ticks


def build(prepared: Prepared, store: Store, in_force: Path) -> Parts:
    """Build everything that a worker works with."""
    settings, clock = prepared.settings, SystemClock()
    directory = Directory(prepared.inventory, prepared.catalogue)
    storm = settings.cases.storm
    limits = StormLimits(
        claimed_per_hour=storm.claimed_per_hour, claimed_total=storm.claimed_total,
        named_per_hour=storm.named_per_hour, named_total=storm.named_total,
    )  # fmt: skip
    budget = Budget(
        standing=directory.standing, limits=limits, total=_standing_cases(store, directory)
    )
    reader = LocalReader(prepared.state_dir / "journal")
    debounce = settings.plans.debounce.total_seconds()
    dirty = Dirty(settle_seconds=debounce, patience_seconds=STORM_DEBOUNCES * debounce)
    ticks = _ticks(prepared, store, _Shared(directory, budget, reader, dirty))
    gear = Gear(
        reader=reader,
        store=store,
        directory=directory,
        budget=budget,
        easel=Easel(draw_command(prepared.path, in_force)),
        dirty=dirty,
        attempts=Attempts(prepared.state_dir / "working"),
        clock=clock,
        ticks=ticks.calls,
    )  # fmt: skip
    return Parts(gear=gear, ticks=ticks)


@dataclass(frozen=True, slots=True)
class _Shared:
    """What both the worker and what falls due work with."""

    directory: Directory
    budget: Budget
    reader: LocalReader
    dirty: Dirty


def _ticks(prepared: Prepared, store: Store, shared: _Shared) -> Ticks:
    settings, clock, standing = prepared.settings, SystemClock(), Found()
    reporter = Reporter(
        folder=prepared.state_dir, journal=settings.instance, reader=shared.reader,
        view=store.view, figures=store.figures, clock=clock, standing=standing,
        steps=ClockSteps(clock), started_at=clock.now(),
        damaged_rows=lambda: len(store.damaged_rows()),
    )  # fmt: skip
    self_test = SelfTest(
        folder=prepared.state_dir, instance=settings.instance, every=settings.selftest.every,
        within=settings.selftest.within, recipient=_own_address(settings.smtp.recipients),
        alarms=prepared.catalogue.alarms, runs=store.runs,
        takes_mail=_takes_our_mail(settings.smtp),
    )  # fmt: skip
    return Ticks(
        rules=_rules(prepared), store=store, view=store.view, figures=store.figures,
        lease=store.lease, retention=store.retention(_keep(settings.retention)),
        directory=shared.directory, budget=shared.budget, dirty=shared.dirty,
        clock=clock, standing=standing, reporter=reporter, self_test=self_test,
        heartbeat=Heartbeat(
            every=settings.heartbeat.every, url=prepared.heartbeat_url,
            file=prepared.heartbeat_file,
        ),
        digests=Digests(
            desk=Desk(settings=settings, inventory=prepared.inventory,
                      calendars=prepared.calendars),
            store=store, clock=clock,
            standing=standing, carriers=carriers_of(prepared),
        ),
        outgoing=Outgoing(desk_of(prepared, store, standing, clock)),
    )  # fmt: skip


def _rules(prepared: Prepared) -> Rules:
    settings = prepared.settings
    return Rules(
        thresholds=settings.cases.thresholds,
        tick=TickOptions(quiet_after=settings.cases.quiet_after),
        expected=expected_sources(prepared.inventory, settings.sources),
        lease_seconds=int(settings.lease.lasts.total_seconds()),
        inventory_read_at=_inventory_read_at(prepared),
        hushed=frozenset(o.source for o in settings.sources.exceptions if o.every is None),
    )


def _inventory_read_at(prepared: Prepared) -> datetime | None:
    name = prepared.settings.inventory
    if name is None:
        return None
    written = modified(str(prepared.resolved(("inventory",), name)))
    return datetime.fromtimestamp(written, UTC)


def _standing_cases(store: Store, directory: Directory) -> Counter[tuple[Standing, Grade]]:
    """Return how many open cases of each class there are: strangers' budgets count them."""
    cases = (row.case for row in store.view.list_cases(CaseQuery(states=OPEN, limit=COUNTED)))
    return Counter((directory.standing(case.key), case.grade) for case in cases)


def _keep(retention: Retention) -> Keep:
    return Keep(
        repeat_days=retention.repeats.days, case_days=retention.messages.days,
        quarantine_days=retention.quarantine.days, quarantine_rows=retention.quarantine_rows,
        evidence_days=retention.evidence.days, plans=retention.plans, bytes=retention.database,
    )  # fmt: skip


def _takes_our_mail(desk: SmtpDesk) -> bool:
    """Tell whether mail from this machine is taken; a self-test that must fail is none."""
    networks = (ip_network(network) for network in desk.allowed_networks)
    ours = ip_address("127.0.0.1")
    return not desk.refuse_others or any(ours in network for network in networks)


def _own_address(recipients: tuple[str, ...]) -> str:
    first = recipients[0] if recipients else "watcher@localhost"
    return f"watcher{first}" if first.startswith("@") else first


def expected_sources(inventory: Inventory | None, sources: Sources) -> tuple[Expected, ...]:
    """Return who is expected to be heard: the inventory's nodes, but for the exceptions."""
    every = {one.source: one.every for one in sources.exceptions}
    found = []
    for one in expected_nodes(inventory, sources.every):
        interval = every.get(f"node:{one.name}", sources.every)
        if interval is not None:
            found.append(replace(one, interval=interval))
    found += [
        Expected(name=source, signs=(source,), interval=interval)
        for source, interval in every.items()
        if interval is not None and not source.startswith("node:")
    ]
    return tuple(found)


def draw_command(settings: str | None, in_force: Path) -> list[str]:
    """Return the command line that draws a plan, without the name of the cluster."""
    return [*half_command("drawing", settings, in_force), "--cluster"]


def draw_plan(prepared: Prepared, cluster: str) -> None:
    """Draw the plan of one cluster out of the store, and tell who started us what came of it."""
    stand_back()
    store = open_existing(prepared.database_url.reveal())
    try:
        plan = Draughtsman(
            store=store, view=store.view, catalogue=prepared.catalogue,
            inventory=prepared.inventory, calendars=prepared.calendars,
            folder=prepared.plan_folder,
            printer=paper.printer(LIMIT / 2) if prepared.settings.tickets.used() else None,
        ).draw(cluster, SystemClock().now())  # fmt: skip
    finally:
        store.close()
    if plan is not None and plan.digest:
        tell(Drawn(cluster=cluster, digest=plan.digest, headline=plan.headline,
                   steps=plan.steps, refused=plan.refused))  # fmt: skip

"""Looks at everything that a daemon stands on, and says what to do about what is not well."""

import ctypes
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from stat import S_IMODE, S_IRWXG, S_IRWXO, S_IWGRP, S_IWOTH

from watcher.app import reach
from watcher.app.finding import Finding, fail, ok, warn
from watcher.app.machine import free_bytes
from watcher.app.servers import servers
from watcher.app.settings import Located, Prepared, locate_anyway, prepare
from watcher.app.status import read_receiver, read_worker
from watcher.app.tls import Identity, ends_at
from watcher.app.views import opened, runs
from watcher.cases.sources import SourceState
from watcher.errors import InputError, WatcherError
from watcher.journal.mounts import is_network, kind_of
from watcher.model.status import ReceiverStatus, WorkerStatus
from watcher.settings.terms import duration_text, size_text
from watcher.store.connection import sqlite_file
from watcher.store.sqlite import look_for_damage

SOON, NOW = timedelta(days=30), timedelta(days=7)
"""Certificates of our own listeners: time to renew, and no more time."""
DAMAGE_SECONDS = 10.0
BACKLOG = timedelta(minutes=5)
FUTURE = timedelta(minutes=5)
MADE = 2026
"""Year in which this was written; a clock before it is wrong."""
_ADVICE = "`watcher doctor --advice`"
_MOUNTS = Path("/proc/self/mountinfo")


@dataclass(frozen=True, slots=True)
class _Patient:
    """What is looked at, and when; of settings with a fault, what is sound in them."""

    located: Located
    now: datetime
    receiver: ReceiverStatus | None
    worker: WorkerStatus | None

    @property
    def running(self) -> ReceiverStatus | None:
        """The receiver's status while it runs."""
        return self.receiver if runs(self.receiver, self.now) else None


def examine(path: str | None, environment: Mapping[str, str], now: datetime) -> tuple[Finding, ...]:
    """Look at everything; without good settings at what can be looked at nevertheless.

    May wait for others' servers.
    """
    try:
        prepared, fault = prepare(path, environment), ""
    except InputError as error:
        prepared, fault = None, str(error)
    try:
        located, _ = locate_anyway(path, environment)
    except InputError:
        return (_broken(fault),)
    folder = located.state_dir
    patient = _Patient(located, now, read_receiver(folder), read_worker(folder))
    first = (_broken(fault),) if prepared is None else _of_settings(prepared, patient)
    return (*first, *(finding for look in _LOOKS for finding in look(patient)))


def _broken(fault: str) -> Finding:
    return fail("settings", fault, "correct it; `watcher config check` tells the same")


def _of_settings(prepared: Prepared, patient: _Patient) -> tuple[Finding, ...]:
    return (
        *_settings(prepared, patient),
        *reach.ports(prepared, patient.running),
        *reach.receive_buffers(prepared, patient.running),
        *servers(prepared),
        *_certificates(prepared, patient.now),
        *_inventory(prepared),
    )


def _settings(prepared: Prepared, patient: _Patient) -> Iterator[Finding]:
    path = prepared.path
    if path is None:
        yield warn("settings", "no settings file: defaults and environment", "make a watcher.yaml")
    elif S_IMODE(Path(path).stat().st_mode) & (S_IWGRP | S_IWOTH):
        yield warn("settings", f"{path}: others may change it", f"chmod go-w {path}")
    else:
        yield ok("settings", path)
    running = patient.running
    if running is not None and running.settings_digest != prepared.digest:
        yield warn("settings in force", "the file has changed since", "reload: SIGHUP")
    secrets = (
        len(prepared.smtp_users) + len(prepared.imap_secrets)
        + (prepared.tls is not None) + (prepared.smtp is not None)
    )  # fmt: skip
    if secrets:
        yield ok("secrets", f"{secrets} read; nobody else can read them")


def _daemon(patient: _Patient) -> Iterator[Finding]:
    for name, half in (("receiver", patient.receiver), ("worker", patient.worker)):
        if runs(half, patient.now) and half is not None:
            yield ok(name, f"runs since {half.started_at:%Y-%m-%d %H:%M} UTC, pid {half.pid}")
        else:
            yield warn(name, "does not run", "watcher run, or systemctl start watcher")


def _state(patient: _Patient) -> Iterator[Finding]:
    folder = patient.located.state_dir
    near = next(one for one in (folder, *folder.parents) if one.exists())
    kind = _kind(near)
    if is_network(kind):
        yield fail("state", f"{folder} lies on {kind}: locks and syncs do not hold there",
                   "state_dir on a local disk")  # fmt: skip
    elif not folder.exists():
        yield ok("state", f"{folder} ({kind or 'unknown'}), made at the first start")
    elif S_IMODE(folder.stat().st_mode) & (S_IRWXG | S_IRWXO):
        yield warn("state", f"{folder}: others may look into it", f"chmod 700 {folder}")
    else:
        yield ok("state", f"{folder} ({kind or 'unknown'})")
    free, reserve = free_bytes(near), patient.located.settings.journal.reserve
    if free is None:
        return
    told = f"{free >> 20} MiB free, {size_text(reserve)} of them in reserve"
    room = free - reserve
    if room <= 0:
        yield fail("disk", told, "make room: nothing is accepted below the reserve")
    elif room < patient.located.settings.journal.limit // 4:
        yield warn("disk", told, "make room: the journal may not get a quarter of journal.limit")
    else:
        yield ok("disk", told)


def _kind(path: Path) -> str:
    try:
        return kind_of(path.resolve(), _MOUNTS.read_text("utf-8", "surrogateescape"))
    except OSError:
        return ""


def _database(patient: _Patient) -> Iterator[Finding]:
    file = sqlite_file(patient.located.database_url.reveal())
    name = str(file) if file else "PostgreSQL"
    if file is not None and not file.exists():
        yield ok("database", f"{file}, made at the first start")
        return
    try:
        if file is not None:
            look_for_damage(file, DAMAGE_SECONDS)
        with opened(patient.located) as store:
            cases = sum(store.figures.case_counts().values())
    except WatcherError as error:
        yield fail("database", f"{name}: {error}", "see what it says; the journal keeps alarms")
        return
    yield ok("database", f"{name}: reachable, tables current, no damage found, cases: {cases}")


def _backlog(patient: _Patient) -> Iterator[Finding]:
    worker = patient.worker
    if worker is None or not runs(worker, patient.now):
        return
    oldest = worker.oldest_unread_at
    if oldest is not None and patient.now - oldest > BACKLOG:
        yield fail("backlog", f"{worker.backlog_bytes} bytes wait since {oldest:%H:%M:%S} UTC",
                   "the worker's log says why it is behind")  # fmt: skip
    else:
        yield ok("backlog", f"{worker.backlog_bytes} bytes wait")
    if worker.self_test_problem:
        yield fail("self-test", worker.self_test_problem, "a stage is deaf; see status and log")


def _clock(patient: _Patient) -> Iterator[Finding]:
    now = patient.now
    written = [half.written_at for half in (patient.receiver, patient.worker) if half]
    if now.year < MADE:
        yield fail("clock", f"it is {now:%Y-%m-%d %H:%M} UTC, they say", "set it; start NTP")
    elif any(one > now + FUTURE for one in written):
        yield fail("clock", f"it went back: status files are of {max(written):%Y-%m-%d %H:%M} UTC",
                   "set it; start NTP")  # fmt: skip
    elif synchronised() is False:
        yield warn("clock", f"{now:%Y-%m-%d %H:%M} UTC, not synchronised, says the kernel",
                   "start an NTP client (chrony, systemd-timesyncd)")  # fmt: skip
    else:
        yield ok("clock", f"{now:%Y-%m-%d %H:%M} UTC")


def synchronised() -> bool | None:
    """Tell whether the kernel holds the clock for synchronised; None where it does not tell."""
    try:
        # adjtimex(2) with modes 0 only reads; struct timex has 208 bytes. TIME_ERROR is 5.
        state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512))
    except (OSError, AttributeError):
        return None
    return None if state < 0 else state != 5  # noqa: PLR2004 -- TIME_ERROR


def _certificates(prepared: Prepared, now: datetime) -> Iterator[Finding]:
    for block, identity in (("tls", prepared.tls), ("smtp", prepared.smtp)):
        if identity is not None:
            yield _certificate(f"certificate of {block}", identity, now)


def _certificate(what: str, identity: Identity, now: datetime) -> Finding:
    end = ends_at(identity.certificate)
    if end is None:
        return warn(what, f"{identity.certificate}: its end cannot be read", "look at it")
    left = end - now
    told = f"ends on {end:%Y-%m-%d}, {left.days} days left"
    todo = f"renew {identity.certificate}, then SIGHUP"
    if left < NOW:
        return fail(what, told if left > timedelta(0) else f"ended on {end:%Y-%m-%d}", todo)
    return warn(what, told, todo) if left < SOON else ok(what, told)


def _inventory(prepared: Prepared) -> Iterator[Finding]:
    inventory = prepared.inventory
    if inventory is None:
        yield warn("inventory", "there is none: every name stays a claim",
                   "inventory: PATH; `watcher inventory import` makes one")  # fmt: skip
        return
    nodes = [node for cluster in inventory.clusters for node in cluster.nodes]
    yield ok("inventory", f"clusters: {len(inventory.clusters)}, nodes: {len(nodes)}")
    bare = [node.name for node in nodes if not node.addresses]
    if bare:
        yield warn("addresses", f"unknown for {_few(bare)}", "addresses: of these nodes")
    empty = [cluster.name for cluster in inventory.clusters if not cluster.nodes]
    if empty:
        yield warn("nodes", f"none in {_few(empty)}", "nodes: of these clusters")
    zoneless = [cluster.name for cluster in inventory.clusters if not cluster.time_zone]
    if zoneless:
        yield warn("time zone", f"unknown for {_few(zoneless)}", "time_zone: of these clusters")


def _sources(patient: _Patient) -> Iterator[Finding]:
    worker = patient.worker
    if worker is None:
        return
    by_state = {
        state: [
            one.source
            for one in worker.sources
            if one.state == state and not one.source.startswith("stage:")
        ]
        for state in SourceState
    }
    every = duration_text(patient.located.settings.sources.every)
    if by_state[SourceState.SILENT]:
        yield fail("silent", f"{_few(by_state[SourceState.SILENT])}: nothing for over {every}",
                   f"look at the node and its remote syslog ({_ADVICE})")  # fmt: skip
    if by_state[SourceState.UNKNOWN]:
        yield warn("never heard", _few(by_state[SourceState.UNKNOWN]),
                   f"set its remote syslog ({_ADVICE}), or wait a night")  # fmt: skip
    if by_state[SourceState.HEALTHY]:
        yield ok("heard", f"sources: {len(by_state[SourceState.HEALTHY])}")


def _few(names: list[str]) -> str:
    shown = ", ".join(names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"  # noqa: PLR2004


_LOOKS: tuple[Callable[[_Patient], Iterator[Finding]], ...] = (
    _daemon, _state, _database, _backlog, _clock, _sources,
)  # fmt: skip

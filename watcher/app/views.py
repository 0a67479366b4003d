"""What the state of a daemon shows to a person: status files, books, cases, plans."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from watcher.app.plans import is_sound
from watcher.app.posting import WAITED, is_stuck, stuck
from watcher.app.settings import Located
from watcher.app.status import read_receiver, read_worker
from watcher.cases.sources import SourceState
from watcher.cases.states import act
from watcher.errors import InputError, WatcherError
from watcher.model.case import Act, Case, CaseEvent, CaseKey, Crossing, Transition
from watcher.model.ledger import Line, Place, books
from watcher.model.status import LettersStatus, ReceiverStatus, WorkerStatus
from watcher.model.ticket import OutboxCount
from watcher.ports import CaseQuery, CaseRow, Heard, Store, StoredPlan, View
from watcher.store.connection import Options
from watcher.store.engine import Store as OpenStore
from watcher.store.engine import open_existing

STALE = timedelta(seconds=15)
"""A status file is written about once a second; an older one is of a process that ended."""
EVENTS = 5
"""Newest events of each reporter that a case shows."""


@contextmanager
def opened(located: Located) -> Iterator[OpenStore]:
    """Open the database of a daemon that ran, and close it again."""
    options = Options(lock_seconds=located.settings.database.busy.total_seconds())
    store = open_existing(located.database_url.reveal(), options)
    try:
        yield store
    finally:
        store.close()


# -- status


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """How a daemon is, from its two status files and its database.

    `lines` and `difference` are the books; `trouble` says what is not well, in sentences.
    """

    now: datetime
    state_dir: str
    receiver: ReceiverStatus | None
    worker: WorkerStatus | None
    lines: tuple[Line, ...] = ()
    difference: int = 0
    cases: Mapping[str, int] | None = None
    quarantine: Mapping[str, int] | None = None
    outbox: tuple[OutboxCount, ...] = ()
    heard: tuple[Heard, ...] = ()
    database_problem: str = ""
    trouble: tuple[str, ...] = ()


def overview(located: Located, now: datetime, fault: str = "") -> Overview:
    """Return how the daemon is; a database that does not answer is part of the answer.

    `fault` is what is wrong with the settings file.
    """
    files = _files(located, now)
    try:
        with opened(located) as store:
            lines = tuple(store.view.books())
            seen = replace(
                files, lines=lines, difference=books(lines).difference,
                cases=store.figures.case_counts(), heard=tuple(store.view.heard()),
                quarantine=store.figures.quarantine_counts(),
                outbox=tuple(store.figures.outbox_counts()),
            )  # fmt: skip
    except WatcherError as error:
        seen = replace(files, database_problem=str(error))
    return replace(
        seen, trouble=(*_settings_trouble(located, seen.receiver, fault), *_trouble(seen))
    )


def _files(located: Located, now: datetime) -> Overview:
    folder = located.state_dir
    receiver, worker = read_receiver(folder), read_worker(folder)
    return Overview(now=now, state_dir=str(folder), receiver=receiver, worker=worker)


def runs(half: ReceiverStatus | WorkerStatus | None, now: datetime) -> bool:
    """Tell whether a half of the daemon gave a sign of life just now."""
    return half is not None and not half.stopped and now - half.written_at < STALE


def _settings_trouble(
    located: Located, receiver: ReceiverStatus | None, fault: str
) -> Iterator[str]:
    if fault:
        yield f"The settings file: {fault}"
    if receiver is None:
        return
    if receiver.config_differs:
        yield "The settings in force are not those of the file; the log says why."
    # Of a daemon that has another file than we found, or none, nothing can be said.
    elif located.path and receiver.settings_digest not in {"", located.digest}:
        yield "The settings file was changed and not taken over; SIGHUP takes it over."


def _trouble(seen: Overview) -> Iterator[str]:
    for name, half in (("receiver", seen.receiver), ("worker", seen.worker)):
        if not runs(half, seen.now):
            yield f"The {name} does not run{_since(half)}"
    if seen.database_problem:
        yield f"The database: {seen.database_problem}"
    # Counts follow their messages by a second, so that only a rest can be less than nothing.
    if seen.difference > 0 or (seen.difference and not runs(seen.worker, seen.now)):
        yield f"The books differ by {seen.difference}: received less the sum of all places."
    yield from _ticket_trouble(seen)
    if seen.receiver is not None:
        yield from _receiver_trouble(seen.receiver)
    if seen.worker is not None:
        yield from _worker_trouble(seen.worker)


def _ticket_trouble(seen: Overview) -> Iterator[str]:
    for one in seen.outbox:
        if is_stuck(one, seen.now):
            yield f"Tickets: {stuck(one)}; see watcher tickets."


def _since(half: ReceiverStatus | WorkerStatus | None) -> str:
    if half is None:
        return "; it never did here."
    how = "it ended in order at" if half.stopped else "its last sign is of"
    return f": {how} {half.written_at:%Y-%m-%d %H:%M:%S} UTC."


def _receiver_trouble(receiver: ReceiverStatus) -> Iterator[str]:
    for one in receiver.inputs:
        if one.problem or not one.open:
            yield f"Input {one.name}: {one.problem or 'it is not open'}"
    if receiver.journal_problem:
        yield f"The journal: {receiver.journal_problem}"


def _worker_trouble(worker: WorkerStatus) -> Iterator[str]:
    if worker.database_problem:
        yield f"The worker's database: {worker.database_problem}"
    if worker.damaged_rows:
        yield f"Rows that cannot be read: {worker.damaged_rows}; the log names them."
    if worker.self_test_problem:
        yield f"The self-test: {worker.self_test_problem}"
    for part in worker.failing:
        yield f"This failed and is tried again, the log says why: {part}."
    for letters in worker.letters:
        yield from _letters_trouble(letters, worker.written_at)
    silent = [one.source for one in worker.sources if one.state == SourceState.SILENT]
    if silent:
        yield f"Silent: {', '.join(silent)}."


def _letters_trouble(one: LettersStatus, now: datetime) -> Iterator[str]:
    what = f"{one.kind.capitalize()} to list {one.list}"
    if one.undrawn:
        yield f"{what}: {one.undrawn} not drawn; the log says why."
    if one.lost:
        yield f"{what}: {one.lost} lost in the last seven days ({one.lost_told})."
    if one.oldest is not None and now - one.oldest >= WAITED:
        since = f"{one.oldest:%Y-%m-%d %H:%M} UTC"
        yield f"{what}: {one.waiting} waiting since {since} ({one.wait_told})."


# -- cases


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFile:
    """All that is known of one case."""

    row: CaseRow
    history: tuple[Transition | Crossing | Act, ...]
    events: tuple[CaseEvent, ...]
    plan: StoredPlan | None
    plan_altered: bool
    """The stored plan is not as it was drawn; it is not shown."""
    plan_path: str
    """File of the cluster's newest plan; empty when there is none."""


def find_case(view: View, number: int) -> CaseRow:
    """Return the case of that number, or raise InputError."""
    rows = view.list_cases(CaseQuery(id=number))
    if not rows:
        raise InputError(f"there is no case {number}", expected="a number of `watcher cases --all`")
    return rows[0]


def case_file(view: View, number: int, plan_folder: Path) -> CaseFile:
    """Return a case with its history, the newest events of each reporter, and its plan."""
    row = find_case(view, number)
    key = row.case.key
    path = plan_page(plan_folder, key.cluster)
    plan = view.newest_plan(key.cluster)
    altered = plan is not None and not is_sound(plan)
    return CaseFile(
        row=row,
        history=tuple(view.history(key)),
        events=tuple(view.events_of({key}, EVENTS)),
        plan=None if altered else plan,
        plan_altered=altered,
        plan_path=str(path) if path.exists() and not altered else "",
    )


def plan_page(folder: Path, cluster: str) -> Path:
    """Return where the newest plan of a cluster is written, as Markdown."""
    return folder / f"{cluster or 'unknown-cluster'}.md"


def stored_case(view: View, key: CaseKey) -> CaseRow | None:
    """Return the row of a case by its key; None when there is no such case."""
    rows = view.list_cases(CaseQuery(cluster=key.cluster, limit=1_000_000))
    return next((row for row in rows if row.case.key == key), None)


def perform(store: Store, key: CaseKey, deed: Act) -> Case:
    """Do to a case what a person wants, in one transaction; return the case after it."""
    with store.transaction() as unit:
        found = unit.cases({key})
        if key not in found:
            raise InputError("the case is gone", expected="a case of `watcher cases`")
        advance = act(found[key], deed)
        unit.save((advance.case,))
        unit.add_act(deed)
        unit.add_transitions(advance.transitions)
    return advance.case


def plan_of(view: View, code: str, cluster: str) -> str:
    """Return the whole digest of a cluster's stored plan by its plan code, or raise InputError."""
    plan = view.plan(code)
    if plan is None:
        raise InputError(
            f"no stored plan, or more than one, has the plan code {code!r}",
            expected="the plan code that a plan shows, such as 57F8-4B15-5054",
        )
    if plan.cluster != cluster:
        ours, other = cluster or "an unknown cluster", plan.cluster or "an unknown cluster"
        raise InputError(
            f"plan {code!r} is of {other}, the case of {ours}", expected=f"a plan of {ours}"
        )
    return sound(plan).digest


def sound(plan: StoredPlan) -> StoredPlan:
    """Return a stored plan that is as it was drawn; one that was altered is shown to nobody."""
    if not is_sound(plan):
        raise InputError(
            f"the stored plan {plan.digest[:19]} was altered in the database",
            expected="a plan as it was drawn; the next change of a case draws another",
        )
    return plan


def total(lines: Sequence[Line], place: Place) -> int:
    """Return how many messages ended in a place."""
    return books(lines).total(place)

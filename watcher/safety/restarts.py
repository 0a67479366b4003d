"""No restart is owed: every required row of the restart table follows the change."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from watcher.model.plan import Step
from watcher.rules.select import Selected, select
from watcher.rules.store import Need, On, Restart, Role
from watcher.rules.work import StepKind
from watcher.safety.cases import IF_STARTED, IF_TFTP
from watcher.safety.reading import Reading, covers, mask_of, place, plural, same, sure
from watcher.safety.trust import detoured
from watcher.safety.violation import Violation, broken

RULE = "RESTARTS"


@dataclass(frozen=True, slots=True)
class _Debt:
    """A service that a change makes due on one node (None: wherever it runs)."""

    change: Step
    row: Selected[Restart]
    node: str | None


def nothing_is_owed(reading: Reading) -> Iterator[Violation]:
    """RESTARTS: each required restart follows its change (section 2: TN214231, SG14, UG125).

    What phones trust must be served before they are waited for (TV-23), except the recovery
    signer (O15, O16) and the localkey detour (TV-52), where phones first take re-signed lists.
    """
    for change in (*reading.renewals, *reading.of(StepKind.DELETE)):
        candidates = _Candidates(reading, change)
        for debt in _debts(reading, change):
            steps = candidates.of(debt.row.item.service, debt.node)
            if not any(_pays(reading, step, debt) for step in steps):
                where = debt.node or "where it runs"
                service = reading.catalogue.services[debt.row.item.service].name
                yield broken(RULE, f"{service} is not restarted on {where} after this.", change)


def _debts(reading: Reading, change: Step) -> Iterator[_Debt]:
    store = reading.store(change)
    facts = reading.known.facts_at(change.store or "", change.node)
    for row in select(store.restarts, reading.known.release, facts) if store else ():
        if row.item.need is Need.REQUIRED:
            for node in _nodes(reading, change, row.item):
                yield _Debt(change, row, node)


def _nodes(reading: Reading, change: Step, row: Restart) -> tuple[str | None, ...]:
    service = reading.catalogue.services[row.service]
    if not reading.known.nodes:
        return (None,)
    running, publisher = reading.known.running(service), reading.known.publisher
    match row.on:
        case On.PUBLISHER:
            return (publisher,)
        case On.SUBSCRIBERS:
            return tuple(name for name in running if name != publisher)
        case On.EVERY:
            return running
        case On.CHANGED:
            return _changed(reading, change, running)


def _changed(reading: Reading, change: Step, running: tuple[str, ...]) -> tuple[str | None, ...]:
    # A deleted copy is reported node by node: the service restarts where the deletion is done.
    one_place = change.kind == StepKind.DELETE
    if not one_place and reading.known.multi_server(change.store or "", change.node):
        return running
    if change.node is None:
        return (None,)
    return tuple(name for name in running if same(name, change.node))


class _Candidates:
    """The restarts after a change that are done in time, by service and place."""

    def __init__(self, reading: Reading, change: Step) -> None:
        self._reading = reading
        self._change = change
        self._found: dict[str, dict[str | None, list[Step]]] = {}

    def of(self, service: str, node: str | None) -> Sequence[Step]:
        """Return the restarts that may be meant for a node; None: all of the service."""
        if service not in self._found:
            self._found[service] = self._sorted(service)
        found = self._found[service]
        if node is None:
            return [step for steps in found.values() for step in steps]
        # Words such as "each subscriber" may cover any node.
        return (*found.get(node.lower(), ()), *found.get(None, ()))

    def _sorted(self, service: str) -> dict[str | None, list[Step]]:
        found: dict[str | None, list[Step]] = {}
        for step in _in_time(self._reading, self._change, service):
            found.setdefault(step.node.lower() if step.node else None, []).append(step)
        return found


def _in_time(reading: Reading, change: Step, service: str) -> tuple[Step, ...]:
    """Return the restarts of a service that are done in time; a start counts as one."""
    store = reading.store(change)
    later = reading.between(change, None, reading.serving(service))
    starts = tuple(step for step in later if step.kind == StepKind.START)
    restarts = tuple(step for step in later if step.kind == StepKind.RESTART)
    if (
        store
        and store.phone_facing
        and store.role is not Role.RECOVERY_SIGNER
        and not detoured(reading, change)
    ):
        waits = mask_of(reading.of(StepKind.WAIT))
        restarts = tuple(s for s in restarts if not reading.anything_between(change, s, waits))
    return starts + restarts


def _pays(reading: Reading, step: Step, debt: _Debt) -> bool:
    if not _there(reading, step, debt):
        return False
    service = reading.catalogue.services[debt.row.item.service]
    certain = reading.known.surely_runs(service, debt.node)
    words = (*debt.row.only_if, *(() if certain else (IF_STARTED, IF_TFTP)))
    return sure(step, debt.change, words=words)


def _there(reading: Reading, step: Step, debt: _Debt) -> bool:
    if debt.node is not None:
        return covers(step, debt.node)
    match debt.row.item.on:
        case On.PUBLISHER:
            return reading.on_publisher(step)
        case On.CHANGED:
            return plural(step) or place(step) == place(debt.change)
        case On.EVERY | On.SUBSCRIBERS:
            return plural(step)

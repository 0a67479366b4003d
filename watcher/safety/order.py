"""Publisher first, stores and services in their order: O1, O7, O17."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise

from watcher.inventory.schema import SecurityMode
from watcher.model.plan import Step
from watcher.rules.store import Role
from watcher.rules.terms import Condition
from watcher.rules.work import StepKind
from watcher.safety.reading import RENEWING, Reading, place
from watcher.safety.trust import detoured
from watcher.safety.violation import Violation, broken

_ENDS_A_RUN = (*RENEWING, StepKind.DELETE, StepKind.WAIT, StepKind.CTL_UPDATE, StepKind.LOCALKEY)


def publisher_first(reading: Reading) -> Iterator[Violation]:
    """O1: publisher before subscribers, for certificates and for each restart (TN214231)."""
    changes = _by(reading.of(*RENEWING), lambda s: (s.store, s.part))
    for group in (*changes, *_by(reading.of(StepKind.DELETE), lambda s: (s.store, s.block))):
        publisher = [step for step in group if reading.on_publisher(step)]
        for step in group:
            late = [one for one in publisher if one is not step and not reading.before(one, step)]
            if late and step not in publisher:
                text = f"{step.store} is changed here before it is on the publisher."
                yield broken("O1", text, step, late[0])
    for run in runs(reading):
        for group in _by(run, lambda s: s.service):
            yield from _restarts(reading, group)


def _restarts(reading: Reading, group: Sequence[Step]) -> Iterator[Violation]:
    publisher = [step for step in group if reading.on_publisher(step)]
    for step in group if publisher else ():
        if step not in publisher and not any(reading.before(one, step) for one in publisher):
            text = f"{step.service} restarts here before it restarts on the publisher."
            yield broken("O1", text, step, publisher[0])


def runs(reading: Reading) -> Iterator[list[Step]]:
    """Yield the restarts of each block that no change, CTL or wait separates."""
    run: list[Step] = []
    block = None
    for step in reading.steps:
        if run and (step.block != block or step.kind in _ENDS_A_RUN):
            yield run
            run = []
        block = step.block
        if step.kind == StepKind.RESTART:
            run.append(step)
    if run:
        yield run


def order_of_stores(reading: Reading) -> Iterator[Violation]:
    """O7: stores that phones trust follow the order of the rules within a window (TN214231).

    Up to 11.5 on each node by itself, because nodes may change one after the other (SEED). From
    12.0, where encrypted phones may be, the file signer may come last (O8). The localkey detour
    of the CTL's signer needs two resets, and the LSC issuer may come with the second (TV-52).
    """
    legacy = reading.known.legacy
    for group in _by(reading.facing, lambda s: (s.part, place(s)) if legacy else s.part):
        first = [steps[0] for steps in _by(group, lambda step: step.store)]
        for one, two in pairwise(first):
            late = _position(reading, one) > _position(reading, two)
            may = _signer_last(reading, one, two) or _with_the_new_ctl(reading, one, two)
            if late and not may:
                text = f"{one.store} is changed before {two.store}; the rules have it after."
                yield broken("O7", text, one, two)


def _roles(reading: Reading, *steps: Step) -> list[Role | None]:
    return [store.role for step in steps if (store := reading.store(step))]


def _with_the_new_ctl(reading: Reading, one: Step, two: Step) -> bool:
    """Tell whether `two` shares the reset by which the usual signer of the CTL comes back."""
    if _roles(reading, one, two) != [Role.FILE_SIGNER, Role.LSC_ISSUER]:
        return False
    updates = reading.between(one, two, reading.of(StepKind.CTL_UPDATE))
    return detoured(reading, one) and reading.barrier(one, two) and not updates


def _signer_last(reading: Reading, one: Step, two: Step) -> bool:
    roles = _roles(reading, one, two)
    plain = reading.known.fact(Condition.NON_SECURE) is True
    # Where the mode is an assumption the plan was drawn for encrypted phones as well.
    secure = not plain or SecurityMode.NON_SECURE.value in reading.assumed
    return secure and not reading.known.legacy and roles == [Role.VERIFIER, Role.FILE_SIGNER]


def _position(reading: Reading, step: Step) -> int:
    store = reading.store(step)
    return store.position if store else 0


def order_of_restarts(reading: Reading) -> Iterator[Violation]:
    """O17: restarts follow the store's table, such as DRF Master before DRF Local (TN214231).

    Not for what is only offered, nor for a service that O2 stops and starts in the same block.
    """
    stopped = {(step.block, step.service) for step in reading.of(StepKind.STOP)}
    for run in runs(reading):
        asked = [s for s in run if not s.optional and (s.block, s.service) not in stopped]
        for group in _by(asked, lambda step: step.store):
            yield from _table_order(reading, group)


def _table_order(reading: Reading, group: Sequence[Step]) -> Iterator[Violation]:
    store, release = reading.store(group[0]), reading.known.release
    rows = [
        row.service
        for row in (store.restarts if store else ())
        if release is None or row.releases.matches(release)
    ]
    at = 0
    for step in _first_of_each(group):
        found = next((i for i in range(at, len(rows)) if rows[i] == step.service), None)
        if found is None and step.service in rows:
            yield broken("O17", f"{step.service} restarts for {step.store} too late.", step)
        at = at if found is None else found


def _first_of_each(group: Sequence[Step]) -> Iterator[Step]:
    # A second restart of a service is late, never too early.
    yield from sorted({s.service: s for s in reversed(group)}.values(), key=lambda s: s.number)


def _by(steps: Iterable[Step], key: Callable[[Step], object]) -> list[list[Step]]:
    groups: dict[object, list[Step]] = {}
    for step in steps:
        groups.setdefault(key(step), []).append(step)
    return list(groups.values())

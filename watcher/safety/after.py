"""What others must be told and what closes a change: O12, O20, O21, O22."""

from collections.abc import Iterator

from watcher.model.plan import Step
from watcher.rules.select import select, unknowns
from watcher.rules.store import Party, Phase, ProcedureItem, Role
from watcher.rules.terms import Condition
from watcher.rules.work import StepKind
from watcher.safety.reading import CHANGES_CLUSTER, Reading, sure
from watcher.safety.violation import Violation, broken


def admission_before_lscs(reading: Reading) -> Iterator[Violation]:
    """O12: 802.1X and VPN systems know the new issuer before LSCs come from it (CC3209844)."""
    for issued in reading.of(StepKind.REISSUE):
        store = reading.store(issued)
        if store is None or store.role is not Role.LSC_ISSUER:
            continue
        tells = [s for s in reading.of(StepKind.TELL) if s.store == issued.store]
        for late in (s for s in tells if not reading.before(s, issued)):
            yield broken("O12", "new LSCs are issued before this party knows who signs.", late)


def parties_are_told(reading: Reading) -> Iterator[Violation]:
    """O20: each party of the store's table is told, EMCC clusters among them (SG14, TN214231).

    Counted, not read: a plan has a step for each party that is or may be there.
    """
    for name in dict.fromkeys(step.store for step in reading.renewals):
        first = next(step for step in reading.renewals if step.store == name)
        tells = reading.between(first, None, reading.of(StepKind.TELL))
        told = sum(step.store == name and not step.optional for step in tells)
        wanted = _parties(reading, first)
        if told < len(wanted):
            names = ", ".join(party.party for party in wanted)
            yield broken("O20", f"{told} of {len(wanted)} parties are told ({names}).", first)


def _parties(reading: Reading, change: Step) -> tuple[Party, ...]:
    store = reading.store(change)
    facts = reading.known.facts_at(change.store or "", change.node)
    rows = select(store.tell, reading.known.release, facts) if store else ()
    return tuple(row.item for row in rows)


def single_sign_on(reading: Reading) -> Iterator[Violation]:
    """O21: where SSO is or may be on, it is off while its certificate changes (TN225746)."""
    for change in reading.renewals:
        store = reading.store(change)
        items = store.procedure if store else ()
        renew = next((i for i, item in enumerate(items) if item.phase is Phase.RENEW), len(items))
        for i, item in enumerate(items):
            if item.phase is Phase.STEP and Condition.SSO in item.when:
                yield from _framed(reading, change, item, i < renew)


def _framed(
    reading: Reading,
    change: Step,
    item: ProcedureItem,
    before: bool,  # noqa: FBT001 -- which side
) -> Iterator[Violation]:
    words = unknowns(item, reading.known.release, reading.known.facts)
    if words is None:
        return
    steps = [step for step in reading.keyed(item.step or "") if sure(step, change, words=words)]
    restarts = [s for s in reading.of(StepKind.RESTART) if s.store == change.store]
    last = (change, *reading.between(change, None, restarts))[-1]
    if before and not any(reading.before(step, change) for step in steps):
        yield broken("O21", f"{item.step} is not done before {change.store} changes.", change)
    if not before and not any(reading.before(last, step) for step in steps):
        yield broken("O21", f"{item.step} is not done after {change.store} works.", change)


def final_backup(reading: Reading) -> Iterator[Violation]:
    """O22: a new backup is made and verified after the last change (SG14)."""
    for change in reversed(reading.of(*CHANGES_CLUSTER)):
        if not _saved_after(reading, change):
            yield broken("O22", "no verified backup holds what this step changed.", change)
            return


def _saved_after(reading: Reading, change: Step) -> bool:
    return any(
        reading.before(change, backup) and reading.before(backup, check)
        for backup in reading.of(StepKind.BACKUP)
        if sure(backup)
        for check in reading.of(StepKind.VERIFY_BACKUP)
        if sure(check)
    )

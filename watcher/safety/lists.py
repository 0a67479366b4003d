"""How changes reach the CTL and the ITL: O10, O13, O15, O16.

The CTL is never updated by the system; the ITL of 12.0 and later is signed by the recovery key.
"""

from collections.abc import Iterable, Iterator

from watcher.model.plan import Step
from watcher.rules.store import Role
from watcher.rules.terms import Condition
from watcher.rules.work import StepKind
from watcher.safety.cases import IF_STARTED
from watcher.safety.reading import CTL_LOCALKEY, ITL_LOCALKEY, Reading, sure
from watcher.safety.violation import Violation, broken


def listed_by_ctl(reading: Reading) -> tuple[Step, ...]:
    """Return the changes of certificates that a CTL lists, where there may be a CTL."""
    if reading.known.fact(Condition.MIXED) is False:
        return ()
    return tuple(
        step
        for step in reading.facing
        if (store := reading.store(step)) and reading.known.in_ctl(store)
    )


def _delivered(reading: Reading, change: Step, updates: Iterable[Step]) -> int:
    """Return a bit for each step that surely waits for a CTL with the change in it."""
    mask = 0
    for step in reading.between(change, None, updates):
        if sure(step, change):
            mask |= reading.later[step.number] | 1 << step.number
    return mask


def ctl_before_restarts(reading: Reading) -> Iterator[Violation]:
    """O10: CTL before the store's restarts, and new LSCs only after the CTL (TN214231, SEED)."""
    updates = (*reading.of(StepKind.CTL_UPDATE), *reading.keyed(CTL_LOCALKEY))
    for change in listed_by_ctl(reading):
        after = _delivered(reading, change, updates)
        kinds = (StepKind.RESTART, StepKind.REISSUE)
        for step in reading.between(change, None, reading.of(*kinds)):
            if step.store == change.store and after and not after >> step.number & 1:
                yield broken("O10", f"this comes before the CTL lists the new {step.store}.", step)
                break


def ctl_updated(reading: Reading) -> Iterator[Violation]:
    """O13: in mixed mode each change that the CTL lists reaches it before phones reset (SG14)."""
    updates = reading.of(StepKind.CTL_UPDATE)
    early = (*updates, *reading.keyed(CTL_LOCALKEY))
    for change in listed_by_ctl(reading):
        if not _delivered(reading, change, updates):
            yield broken("O13", f"no CTL update follows the change of {change.store}.", change)
            continue
        after = _delivered(reading, change, early)
        resets = reading.between(change, None, reading.of(StepKind.RESET))
        late = next((step for step in resets if not after >> step.number & 1), None)
        if late:
            text = f"phones reset before the CTL lists the new {change.store}."
            yield broken("O13", text, change, late)
    for step in updates:
        if not reading.on_publisher(step):
            yield broken("O13", "the CTL is updated on the publisher only.", step)
        if not any(sure(s, step) for s in reading.between(step, None, reading.of(StepKind.RESET))):
            yield broken("O13", "phones are not surely reset after this CTL update.", step)
        if reading.known.fact(Condition.MIXED) is False:
            yield broken("O13", "a non-secure cluster has no CTL to update.", step)


def recovery_by_localkey(reading: Reading) -> Iterator[Violation]:
    """O15: recovery signer, non-secure: localkey, barrier, TFTP restart, barrier (SG14)."""
    tftp = reading.tftp(StepKind.RESTART)
    for change in reading.role(Role.RECOVERY_SIGNER):
        yield from _two_phases(reading, "O15", change, ITL_LOCALKEY, tftp)


def recovery_by_ctl_localkey(reading: Reading) -> Iterator[Violation]:
    """O16: recovery signer, mixed: localkey, barrier, CTL update, barrier (SG14, CLI-UTILS).

    Exempt: an eToken CTL, which a token signs as before (I-13 c); O13 asks for its update.
    """
    if reading.known.etoken_shield:
        return
    for change in reading.role(Role.RECOVERY_SIGNER):
        updates = reading.of(StepKind.CTL_UPDATE)
        yield from _two_phases(reading, "O16", change, CTL_LOCALKEY, updates)
        if reading.known.applies("O16") is not None:
            yield from _tftp_waits(reading, change)


def _tftp_waits(reading: Reading, change: Step) -> Iterator[Violation]:
    # A TFTP restart drops the signature of the old key before phones have taken it.
    for step in reading.between(change, None, reading.tftp(StepKind.RESTART)):
        if not reading.barrier(change, step):
            yield broken("O16", "TFTP restarts before phones took the re-signed lists.", step)


def _two_phases(
    reading: Reading, rule: str, change: Step, key: str, second: Iterable[Step]
) -> Iterator[Violation]:
    """Yield what is missing of: change, `key`, barrier, a step of `second`, barrier."""
    words = reading.known.applies(rule)
    if words is None:
        return
    keys = [s for s in reading.between(change, None, reading.keyed(key)) if sure(s, words=words)]
    if not keys:
        yield broken(rule, f"no {key} follows, so phones meet a key they do not know.", change)
        return
    resets = reading.between(change, None, reading.of(StepKind.RESET))
    if any(not reading.before(keys[0], step) for step in resets):
        yield broken(rule, f"phones reset before {key} is done.", change, keys[0])
    words += (IF_STARTED,)
    ready = [s for s in reading.between(keys[0], None, second) if sure(s, words=words)]
    if not ready:
        yield broken(rule, "nothing hands out the new signature after localkey.", keys[0])
    for step in ready:
        if not reading.barrier(keys[0], step):
            yield broken(rule, "phones are not back from the first reset before this.", step)
    if ready and not any(reading.barrier(step, None) for step in ready):
        yield broken(rule, "phones are not reset and waited for a second time.", ready[0])

"""What is looked at, written down and saved before anything changes: P2 to P13."""

from collections.abc import Iterator, Sequence

from watcher.inventory.schema import Issuer
from watcher.model.plan import Step
from watcher.rules.store import Renewal, Role
from watcher.rules.terms import Condition
from watcher.rules.work import StepKind
from watcher.safety.lists import listed_by_ctl
from watcher.safety.reading import CHANGES_CLUSTER, Reading, place, plural, sure
from watcher.safety.violation import Violation, broken

BEFORE_ANY_CHANGE = {"P4": "check-replication"}
BEFORE_PHONES_ARE_CONCERNED = {
    "P3": "check-security-mode",
    "P5": "record-baseline",
    "P6": "check-phone-itl",
    "P7": "check-rollback-parameter",
    "P8": "check-callmanager-groups",
    "P11": "check-itl-size",
    "P12": "export-recovery-key",
    "P13": "check-license",
}


def backup_first(reading: Reading) -> Iterator[Violation]:
    """P2: a backup is made and verified before the first change (SEED)."""
    for change in reading.of(*CHANGES_CLUSTER):
        if not _saved(reading, change):
            yield broken("P2", "this changes the cluster before a verified backup.", change)
            return


def _saved(reading: Reading, change: Step) -> bool:
    return any(
        reading.before(backup, check) and reading.before(check, change)
        for backup in reading.of(StepKind.BACKUP)
        if sure(backup)
        for check in reading.of(StepKind.VERIFY_BACKUP)
        if sure(check)
    )


def security_mode(reading: Reading) -> Iterator[Violation]:
    """P3: the mode is read; with a lost eToken nothing changes that the CTL lists (SEED)."""
    yield from _looked(reading, "P3", reading.facing)
    tokens = reading.known.cluster.etokens if reading.known.cluster else None
    lost = reading.known.fact(Condition.ETOKEN) and tokens == 0
    if lost and not reading.assumed:
        for step in listed_by_ctl(reading):
            yield broken("P3", "no eToken is at hand, so phones cannot get a new CTL.", step)


def replication(reading: Reading) -> Iterator[Violation]:
    """P4: database replication is checked before the first change (TN118893)."""
    yield from _looked(reading, "P4", reading.of(*CHANGES_CLUSTER))


def baseline(reading: Reading) -> Iterator[Violation]:
    """P5: registered counts are written down before phones are concerned (TN214231)."""
    yield from _looked(reading, "P5", reading.facing)


def phones_refusing(reading: Reading) -> Iterator[Violation]:
    """P6: phones that refuse the present ITL are listed first (TN214231, SG14-DS)."""
    yield from _looked(reading, "P6", reading.facing)


def rollback_is_off(reading: Reading) -> Iterator[Violation]:
    """P7: the rollback parameter is read before phones are concerned (CC3209844)."""
    yield from _looked(reading, "P7", reading.facing)


def callmanager_groups(reading: Reading) -> Iterator[Violation]:
    """P8: the nodes of each CallManager group are read before phones are concerned (CC3209844)."""
    yield from _looked(reading, "P8", reading.facing)


def lsc_use(reading: Reading) -> Iterator[Violation]:
    """P9: whether phones use LSCs is found out before their issuer changes (CC3209844)."""
    if reading.known.fact(Condition.LSC) is None:
        yield from _looked(reading, "P9", reading.role(Role.LSC_ISSUER))


def itl_size(reading: Reading) -> Iterator[Violation]:
    """P11: the certificates in the ITL are counted before phones are concerned (SG14-DS)."""
    yield from _looked(reading, "P11", reading.facing)


def recovery_key_exported(reading: Reading) -> Iterator[Violation]:
    """P12: from 10.0 the recovery key is saved before phones are concerned (SG14-DS)."""
    yield from _looked(reading, "P12", reading.facing)


def licensed(reading: Reading) -> Iterator[Violation]:
    """P13: from 12.5 the licence that a CTL update needs is checked (CLI-UTILS)."""
    yield from _looked(reading, "P13", reading.of(StepKind.CTL_UPDATE))


def _looked(reading: Reading, rule: str, changes: Sequence[Step]) -> Iterator[Violation]:
    """Yield the first change that does not wait for the look that a precondition asks for."""
    words = reading.known.applies(rule)
    if words is None:
        return
    key = (BEFORE_ANY_CHANGE | BEFORE_PHONES_ARE_CONCERNED | {"P9": "check-lsc-use"})[rule]
    looks = [step for step in reading.keyed(key) if sure(step, words=words)]
    for change in changes:
        if not any(reading.before(look, change) for look in looks):
            yield broken(rule, f"nothing like {key} is done before this change.", change)
            return


def issuer_read(reading: Reading) -> Iterator[Violation]:
    """P10: who signed a certificate is read before it is regenerated (SG14).

    Not asked where the inventory says self-signed, and for keys that are rotated.
    """
    looks = [step for step in reading.keyed("check-issuer") if sure(step)]
    for step in regenerated(reading):
        known = reading.known.issuer(step.store or "", step.node)
        seen = [s for s in looks if place(s) == place(step) or plural(s)]
        if known is not Issuer.SELF_SIGNED and not any(reading.before(s, step) for s in seen):
            yield broken("P10", "nobody reads who signed this certificate.", step)


def regenerated(reading: Reading) -> tuple[Step, ...]:
    """Return the steps that replace a certificate by a self-signed one."""
    return tuple(step for step in reading.of(StepKind.REGENERATE) if not _rotated(reading, step))


def _rotated(reading: Reading, step: Step) -> bool:
    store = reading.store(step)
    return store is not None and all(row.value is Renewal.ROTATE_KEY for row in store.renewal)

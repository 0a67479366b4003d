"""Check a finished plan against the order rules: the last look before anybody sees it.

The planner draws; this module only reads the steps that came out. Whatever is not known is
checked for every way it may be.

Not decidable from steps, and so left to people: the maintenance window (P1), the state that a
check will find, key lengths and CSR contents (S2, S4 to S7), FIPS and host names (S9, S10).
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from watcher.inventory.schema import Cluster
from watcher.model.plan import ChangePlan
from watcher.rules.catalogue import Catalogue
from watcher.safety import after, before, copies, lists, order, restarts, rollback, signed, trust
from watcher.safety.cases import Case, cases
from watcher.safety.commands import closed_set
from watcher.safety.form import well_formed
from watcher.safety.reading import Reading, read
from watcher.safety.violation import Violation

Rule = Callable[[Reading], Iterator[Violation]]

RULES: dict[str, tuple[Rule, ...]] = {
    "P2": (before.backup_first,),
    "P3": (before.security_mode,),
    "P4": (before.replication,),
    "P5": (before.baseline,),
    "P6": (before.phones_refusing,),
    "P7": (before.rollback_is_off,),
    "P8": (before.callmanager_groups, trust.a_server_alone),
    "P9": (before.lsc_use,),
    "P10": (before.issuer_read,),
    "P11": (before.itl_size,),
    "P12": (before.recovery_key_exported,),
    "P13": (before.licensed,),
    "O1": (order.publisher_first,),
    "O2": (trust.one_tftp_server_at_a_time,),
    "O3": (trust.signer_and_verifier,),
    "O4": (trust.recovery_in_its_own_window,),
    "O5": (trust.recovery_after_a_barrier,),
    "O6": (trust.gate_after_each_store,),
    "O7": (order.order_of_stores,),
    "O10": (lists.ctl_before_restarts,),
    "O11": (copies.lsc_issuer_is_kept,),
    "O12": (after.admission_before_lscs,),
    "O13": (lists.ctl_updated,),
    "O15": (lists.recovery_by_localkey,),
    "O16": (lists.recovery_by_ctl_localkey,),
    "O17": (order.order_of_restarts,),
    "O18": (copies.copies_stay_deleted,),
    "O19": (copies.copies_go_last,),
    "O20": (after.parties_are_told,),
    "O21": (after.single_sign_on,),
    "O22": (after.final_backup,),
    "S1": (signed.signed_is_not_regenerated,),
    "S3": (signed.multi_server_on_publisher,),
    "S8": (signed.reuse_is_followed,),
    "I-2": (trust.phones_without_verifier,),
    "I-5": (trust.ctl_signer_is_delivered,),
    "I-6": (trust.phones_without_itl,),
    "I-8": (rollback.only_where_it_helps, rollback.blank_before_changes),
    "I-14": (copies.identity_is_never_deleted, copies.own_copies_are_kept),
    "RESTARTS": (restarts.nothing_is_owed,),
}
"""Each rule by its id in the facts: P, O and S of the rule packs, I of the trust model.

FORM (watcher/safety/form.py) and COMMANDS are checked once, the others in every case.
"""


def check(plan: ChangePlan, cluster: Cluster | None, catalogue: Catalogue) -> tuple[Violation, ...]:
    """Return every rule that a finished plan breaks; none for a plan that may be shown.

    A plan that is not well formed is not read any further.
    """
    faults = tuple(well_formed(plan, cluster, catalogue))
    if faults:
        return faults
    found = {
        (one.rule, one.steps, one.text): one
        for one in closed_set(read(plan, Case(cluster), catalogue))
    }
    for case in cases(cluster, catalogue):
        for one in _broken_in(read(plan, case, catalogue)):
            found.setdefault((one.rule, one.steps, one.text), _told(one, case))
    return tuple(found.values())


def _broken_in(reading: Reading) -> Iterator[Violation]:
    return (one for rules in RULES.values() for rule in rules for one in rule(reading))


def _told(violation: Violation, case: Case) -> Violation:
    """Return a violation with what was assumed, because a plan may be wrong in one case only."""
    if not case.assumed:
        return violation
    return replace(violation, text=f"{violation.text} (if {', '.join(case.assumed)})")

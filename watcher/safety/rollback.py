"""The parameter *Prepare Cluster for Rollback to pre 8.0*: I-8.

Sources: SEED, SG125SU1, and the caution that it blanks the ITL but never the CTL.
"""

from collections.abc import Iterator

from watcher.model.plan import Step
from watcher.rules.store import Need, Role
from watcher.rules.terms import Condition
from watcher.rules.work import StepKind
from watcher.safety.reading import BLANK_ITL, ROLLBACK_OFF, ROLLBACK_ON, Reading, covers, sure
from watcher.safety.violation import Violation, broken

RULE = "I-8"


def only_where_it_helps(reading: Reading) -> Iterator[Violation]:
    """I-8: the parameter is set up to 11.5 and non-secure only, and it is set back."""
    known = reading.known
    on, off = reading.keyed(ROLLBACK_ON), reading.keyed(ROLLBACK_OFF)
    if on and not (known.fact(Condition.NON_SECURE) and known.release and known.legacy):
        text = "the rollback parameter is for non-secure clusters up to release 11.5 only."
        yield broken(RULE, text, *on)
    for step in on:
        if not any(reading.before(step, end) and sure(end, step) for end in off):
            yield broken(RULE, "the rollback parameter is never set back.", step)


def blank_before_changes(reading: Reading) -> Iterator[Violation]:
    """I-8: lists are handed out and taken after each setting; blank ones before any change."""
    for step in (*reading.keyed(ROLLBACK_ON), *reading.keyed(ROLLBACK_OFF)):
        yield from _not_handed_out(reading, step)
    for step in reading.facing:
        if reading.in_rollback(step) and not _seen_blank(reading, step):
            yield broken(RULE, "nobody sees that the ITL is blank before this change.", step)


def _seen_blank(reading: Reading, change: Step) -> bool:
    return any(
        reading.before(on, look) and reading.before(look, change) and sure(look, change)
        for on in reading.keyed(ROLLBACK_ON)
        for look in reading.keyed(BLANK_ITL)
    )


def _not_handed_out(reading: Reading, step: Step) -> Iterator[Violation]:
    """Yield what keeps a setting from phones: a service not restarted, or phones not reset."""
    change = next(iter(reading.between(step, None, reading.facing)), None)
    if not reading.barrier(step, change):
        yield broken(RULE, "phones are not reset and waited for after this.", step)
        return
    restarts = reading.between(step, change, reading.of(StepKind.RESTART))
    served = [one for one in restarts if reading.barrier(one, change)]
    for service, node in _list_servers(reading):
        if not any(one.service == service and covers(one, node) for one in served):
            name = reading.catalogue.services[service].name
            text = f"{name} on {node} still hands out the old list when phones are reset."
            yield broken(RULE, text, step)


def _list_servers(reading: Reading) -> Iterator[tuple[str, str]]:
    """Yield what the verifier's table restarts, on each node: it serves and vouches for lists."""
    release = reading.known.release
    for store in reading.catalogue.stores.values():
        for row in store.restarts if store.role is Role.VERIFIER else ():
            fits = release is None or row.releases.matches(release)
            if fits and row.need is Need.REQUIRED:
                for node in reading.known.running(reading.catalogue.services[row.service]):
                    yield row.service, node

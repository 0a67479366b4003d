"""What may change between two barriers: the exceptions of I-13, read from the finished steps.

(a) Everything on one TFTP server, while another one and, in each CallManager group, one TVS stay
as phones know them. (b) Anything while phones hold a blank ITL. (c) Anything under an eToken CTL
that is updated before phones are reset.
"""

from collections.abc import Iterable, Mapping

from watcher.model.plan import Step
from watcher.rules.store import Role
from watcher.rules.terms import Condition
from watcher.rules.work import StepKind
from watcher.safety.reading import Reading, place, plural, sure


def may_go_together(reading: Reading, one: Step, two: Step) -> bool:
    """Tell whether no barrier is needed between two changes, the first of them `one`."""
    if reading.in_rollback(one) and reading.in_rollback(two):
        return True
    return _token_vouches(reading, one, two) or leaves_an_anchor(reading, one, two)


def _token_vouches(reading: Reading, one: Step, two: Step) -> bool:
    if not reading.known.etoken_shield:
        return False
    resets = reading.of(StepKind.RESET)
    return any(
        reading.before(two, update)
        and sure(update, one, two)
        and not reading.between(one, update, resets)
        for update in reading.of(StepKind.CTL_UPDATE)
    )


def leaves_an_anchor(reading: Reading, *changes: Step) -> bool:
    """Tell whether phones keep a TFTP server and a TVS through all that changes with these steps.

    Only where the inventory says what each node does. CallManager groups that it does not list
    have two nodes at least, which the plan has looked at (P8).
    """
    known = reading.known
    if not known.legacy or not known.several_tftp_servers:
        return False
    steps = {step.number: step for change in changes for step in _stage(reading, change)}
    if any(_scattered(reading, step) for step in steps.values()):
        return False
    signing = {place(s) for s in _playing(reading, Role.FILE_SIGNER, steps) if known.tftp(s.node)}
    verifying = {place(s) for s in _playing(reading, Role.VERIFIER, steps)}
    if len(signing) > 1 or not _vouched(reading, verifying):
        return False
    met = [step for step in steps.values() if _met(reading, step)]
    if len({store.role for step in met if (store := reading.store(step))}) <= 1:
        return True
    return len({place(s) for s in met}) == 1 and _all_have(known.tftp_lists, signing)


def _scattered(reading: Reading, step: Step) -> bool:
    """Tell whether it is not clear which one node a step changes."""
    several = plural(step) or reading.known.multi_server(step.store or "", step.node)
    return several or reading.known.node(step.node) is None


def _met(reading: Reading, step: Step) -> bool:
    """Tell whether phones meet what a step changes: a key of no TFTP server is in the CTL only."""
    store, known = reading.store(step), reading.known
    signer = store is not None and store.role is Role.FILE_SIGNER
    return not signer or bool(known.tftp(step.node)) or not known.fact(Condition.NON_SECURE)


def _stage(reading: Reading, change: Step) -> tuple[Step, ...]:
    """Return the renewals that no barrier parts from a change, itself among them."""
    return tuple(
        step
        for step in reading.facing
        if step is change
        or not reading.barrier(*sorted((step, change), key=lambda one: one.number))
    )


def _playing(reading: Reading, role: Role, steps: Mapping[int, Step]) -> list[Step]:
    return [step for step in reading.role(role) if step.number in steps]


def _all_have(lists: Iterable[frozenset[str]], changing: set[str]) -> bool:
    return not any(servers <= changing for servers in lists)


def _vouched(reading: Reading, verifying: set[str]) -> bool:
    """Tell whether each CallManager group keeps a TVS besides those that change."""
    groups = reading.known.callmanager_groups
    return _all_have(groups, verifying) if groups else len(verifying) <= 1

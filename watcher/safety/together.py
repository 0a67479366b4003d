"""What may change between two barriers: the exceptions of I-13, read from the finished steps.

(a) Everything on one TFTP server, while another one and, in each CallManager group, one TVS stay
as phones know them. (b) Anything while phones hold a blank ITL. (c) Anything under an eToken CTL
that is updated before phones are reset.
"""

from collections.abc import Iterable

from watcher.inventory.schema import Duty
from watcher.model.plan import Step
from watcher.rules.store import Role
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
    beside = {step.number: step for change in changes for step in _stage(reading, change)}
    steps = tuple(beside.values())
    if any(
        known.node(step.node) is None or plural(step) or _shared(reading, step) for step in steps
    ):
        return False
    signing = {place(s) for s in _playing(reading, Role.FILE_SIGNER, steps) if known.tftp(s.node)}
    verifying = {place(s) for s in _playing(reading, Role.VERIFIER, steps) if _asked(reading, s)}
    return (
        len(signing) <= 1 and _all_have(known.tftp_lists, signing) and _vouched(reading, verifying)
    )


def _stage(reading: Reading, change: Step) -> tuple[Step, ...]:
    """Return the renewals that no barrier parts from a change, itself among them."""
    return tuple(
        step
        for step in reading.facing
        if step is change
        or not reading.barrier(*sorted((step, change), key=lambda one: one.number))
    )


def _shared(reading: Reading, step: Step) -> bool:
    return reading.known.multi_server(step.store or "", step.node)


def _playing(reading: Reading, role: Role, steps: Iterable[Step]) -> list[Step]:
    found = [(step, reading.store(step)) for step in steps]
    return [step for step, store in found if store and store.role is role]


def _asked(reading: Reading, step: Step) -> bool:
    """Tell whether phones may ask the TVS of a step's node: it is in a CallManager group then."""
    node = reading.known.node(step.node)
    return node is None or node.has(Duty.CALL_PROCESSING) is not False


def _all_have(lists: Iterable[frozenset[str]], changing: set[str]) -> bool:
    return not any(servers <= changing for servers in lists)


def _vouched(reading: Reading, verifying: set[str]) -> bool:
    groups = reading.known.callmanager_groups
    return _all_have(groups, verifying) if groups else len(verifying) <= 1

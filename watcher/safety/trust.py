"""What phones trust: O2 to O6, I-2, I-5, I-6, and a server that is alone (P8).

Phones accept a new list when they know its signer or when a TVS that they know vouches for it.
These rules keep one of the two unchanged until phones have come back.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations

from watcher.inventory.schema import CtlMethod, SecurityMode
from watcher.model.plan import Step
from watcher.rules.store import Role
from watcher.rules.terms import Condition
from watcher.rules.work import StepKind
from watcher.safety.cases import IF_TFTP
from watcher.safety.reading import (
    CTL_LOCALKEY,
    Reading,
    place,
    plural,
    sure,
)
from watcher.safety.together import leaves_an_anchor, may_go_together
from watcher.safety.violation import Violation, broken


def _signers_at_risk(reading: Reading) -> tuple[Step, ...]:
    """Return the file-signer changes that nothing but O2 protects."""
    if not reading.known.legacy or reading.known.etoken_shield:
        return ()
    signers = reading.role(Role.FILE_SIGNER)
    return tuple(
        step
        for step in signers
        if not reading.in_rollback(step) and reading.known.tftp(step.node) is not False
    )


def one_tftp_server_at_a_time(reading: Reading) -> Iterator[Violation]:
    """O2: two TFTP servers never change at the same time, and the changing one is stopped (SEED).

    Hard up to 11.5 and for unknown releases. Exempt: the rollback way and an eToken CTL. A server
    runs on where its new list is served before phones are reset and they keep a TVS that vouches
    for it (TV-01, TV-03), or the localkey detour tells them its key (TV-52).
    """
    signers = () if reading.known.one_tftp_server else _signers_at_risk(reading)
    for step in signers:
        if plural(step) or reading.known.multi_server(step.store or "", step.node):
            yield broken("O2", "one step changes the file signer of several TFTP servers.", step)
        elif not any(way(reading, step) for way in (detoured, _stopped, _served_and_vouched)):
            text = "TFTP is not stopped here until phones are back from another TFTP server."
            yield broken("O2", text, step)
    for one, two in combinations(signers, 2):
        if place(one) != place(two) and not reading.barrier(one, two):
            text = "the next TFTP server changes though phones were not reset and waited for."
            yield broken("O2", text, one, two)


def _stopped(reading: Reading, change: Step) -> bool:
    """Tell whether TFTP rests from before a change until after the barrier that follows it."""
    words = () if reading.known.tftp(change.node) else (IF_TFTP,)
    here = [
        step
        for step in reading.tftp(StepKind.STOP, StepKind.START, StepKind.RESTART)
        if place(step) == place(change)
    ]
    stops = [s for s in here if s.kind == StepKind.STOP and reading.before(s, change)]
    starts = [s for s in here if s.kind == StepKind.START and reading.before(change, s)]
    if not stops or not starts or not sure(stops[-1], change, words=words):
        return False
    resting = not reading.between(stops[-1], starts[0], [s for s in here if s != stops[-1]])
    return resting and sure(starts[0], change, words=words) and reading.barrier(change, starts[0])


def _served_and_vouched(reading: Reading, change: Step) -> bool:
    """Tell whether phones fetch the new list from its own server, and can have it vouched for."""
    resets = reading.of(StepKind.RESET)
    served = any(
        place(step) == place(change)
        and reading.before(change, step)
        and sure(step, change)
        and not reading.between(change, step, resets)
        and reading.barrier(step, None)
        for step in reading.tftp(StepKind.RESTART, StepKind.START)
    )
    return served and leaves_an_anchor(reading, change)


def detoured(reading: Reading, change: Step) -> bool:
    """Tell whether the CTL is re-signed by the recovery key before phones can meet the change."""
    return reading.on_publisher(change) and _told_by_ctl(reading, change)


def _told_by_ctl(reading: Reading, change: Step) -> bool:
    """Tell whether a CTL whose signer phones know names a new key before they can meet it.

    The recovery key signs it, or the publisher's where that one did not change.
    """
    mixed = reading.known.fact(Condition.MIXED) and reading.known.fact(Condition.TOKENLESS)
    if not mixed:
        return False
    tellers = reading.keyed(CTL_LOCALKEY)
    if not any(reading.on_publisher(step) for step in reading.role(Role.FILE_SIGNER)):
        tellers = (*tellers, *reading.of(StepKind.CTL_UPDATE))
    keys = [s for s in tellers if reading.before(change, s) and sure(s, change)]
    risky = reading.of(StepKind.RESTART, StepKind.START, StepKind.RESET, StepKind.WAIT)
    return bool(keys) and not reading.between(change, keys[0], risky)


def ctl_signer_is_delivered(reading: Reading) -> Iterator[Violation]:
    """I-5: a tokenless CTL of 10.5(2) to 11.5 is re-signed before its signer meets phones (TV-52).

    Only where mode and method are known: a plan with the question open says what may come.
    """
    mixed = reading.known.fact(Condition.MIXED) and reading.known.fact(Condition.TOKENLESS)
    exists = _localkey_exists(reading)
    if mixed and exists and reading.known.legacy and not reading.assumed:
        for step in reading.role(Role.FILE_SIGNER):
            if reading.on_publisher(step) and not detoured(reading, step):
                yield broken("I-5", "it signs the CTL, and no localkey follows at once.", step)


def phones_without_verifier(reading: Reading) -> Iterator[Violation]:
    """I-2: phones that reach no TVS meet a new signer only with a blank ITL (TV-19, group T).

    Exempt: the rollback way, eTokens, and phones that keep no ITL.
    """
    groups = reading.known.cluster.phone_groups if reading.known.cluster else ()
    cut_off = [g for g in groups if g.tvs_reachable is False and g.security_by_default is not False]
    for step in _signers_at_risk(reading) if cut_off else ():
        text = "a phone group reaches no TVS (tvs_reachable: false): no one vouches for the key."
        yield broken("I-2", text, step)


def phones_without_itl(reading: Reading) -> Iterator[Violation]:
    """I-6: phones that keep no ITL never lose the signer of a tokenless CTL (TV-32).

    Up to 11.5 that signer is the publisher's; only a localkey in between keeps it known. Asked
    where mode and method are known, as in I-5.
    """
    known = reading.known
    groups = known.cluster.phone_groups if known.cluster else ()
    mixed = known.fact(Condition.MIXED) and known.fact(Condition.TOKENLESS)
    assumed = {SecurityMode.MIXED.value, CtlMethod.TOKENLESS.value} & set(reading.assumed)
    if not mixed or assumed or not known.legacy:
        return
    if any(group.security_by_default is False for group in groups):
        for step in reading.role(Role.FILE_SIGNER):
            kept = _localkey_exists(reading) and detoured(reading, step)
            if reading.on_publisher(step) and not kept:
                text = "it signs the CTL, and phones with security_by_default: false have no ITL."
                yield broken("I-6", text, step)


def _localkey_exists(reading: Reading) -> bool:
    release = reading.known.release
    rows = reading.catalogue.steps[CTL_LOCALKEY].command
    return release is not None and any(row.releases.matches(release) for row in rows)


def a_server_alone(reading: Reading) -> Iterator[Violation]:
    """P8: up to 11.5 a lone TFTP server changes its key only while phones hold a blank ITL.

    Nobody can vouch for its new key (CC3209844, TN118893). Exempt: eTokens, and a tokenless CTL
    that names the key (TV-52).
    """
    if reading.known.one_tftp_server:
        alone = [s for s in _signers_at_risk(reading) if not _told_by_ctl(reading, s)]
        for step in alone:
            yield broken("P8", "one TFTP server serves all phones and no rollback is set.", step)


def signer_and_verifier(reading: Reading) -> Iterator[Violation]:
    """O3: between a file-signer and a verifier change phones are reset and waited for (TN214231).

    Up to 11.5, with the exceptions of I-13. From 12.0 the recovery key signs, and the wait that O6
    asks for is enough (C-2, TV-17).
    """
    pairs = _pairs(reading, (Role.FILE_SIGNER,), (Role.VERIFIER,))
    for one, two in pairs if reading.known.legacy else ():
        if not reading.barrier(one, two) and not may_go_together(reading, one, two):
            text = f"{one.store} and {two.store} change without phones coming back in between."
            yield broken("O3", text, one, two)


def recovery_in_its_own_window(reading: Reading) -> Iterator[Violation]:
    """O4: the recovery signer never changes in one window with signer or verifier (TN225746)."""
    for one, two in _pairs(
        reading, (Role.RECOVERY_SIGNER,), (Role.FILE_SIGNER, Role.VERIFIER, Role.LSC_ISSUER)
    ):
        if one.part == two.part:
            text = f"{one.store} and {two.store} change in the same window."
            yield broken("O4", text, one, two)


def recovery_after_a_barrier(reading: Reading) -> Iterator[Violation]:
    """O5: phones take the lists with one anchor changed before the other changes (FN70613)."""
    for one, two in _pairs(reading, (Role.RECOVERY_SIGNER,), (Role.FILE_SIGNER, Role.VERIFIER)):
        if not reading.barrier(one, two):
            text = f"{two.store} changes before phones were reset and back after {one.store}."
            yield broken("O5", text, one, two)


def _pairs(
    reading: Reading, roles: Sequence[Role], others: Sequence[Role]
) -> Iterator[tuple[Step, Step]]:
    left = [step for role in roles for step in reading.role(role)]
    right = [step for role in others for step in reading.role(role)]
    for one in left:
        for two in right:
            yield (one, two) if one.number < two.number else (two, one)


def gate_after_each_store(reading: Reading) -> Iterator[Violation]:
    """O6: after a store that phones trust, and its restarts, one waits for phones (TN214231).

    The exceptions of I-13 hold up to 11.5; stores that sign the same files are as one.
    """
    for change in reading.facing:
        following = next(
            (s for s in reading.facing if s.number > change.number and s.store != change.store),
            None,
        )
        last = _last_restart(reading, change, following)
        if reading.waited(last, following) or (following and _as_one(reading, change, following)):
            continue
        text = f"nobody waits for phones after {change.store} before {_next(following)}."
        yield broken("O6", text, *[step for step in (change, following) if step])


def _as_one(reading: Reading, one: Step, two: Step) -> bool:
    signers = reading.role(Role.FILE_SIGNER)
    return (one in signers and two in signers) or may_go_together(reading, one, two)


def _last_restart(reading: Reading, change: Step, following: Step | None) -> Step:
    """Return the last restart for a change before the next store's, or the change itself."""
    restarts = [s for s in reading.of(StepKind.RESTART) if s.store == change.store]
    return (change, *reading.between(change, following, restarts))[-1]


def _next(following: Step | None) -> str:
    return f"{following.store} changes" if following else "the plan ends"

"""What is allowed and must be shown: preconditions P-1 to P-10, soft rules I-20 to I-30, windows.

Intervals are found in the history of a group: its state after each step where it changed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from watcher.trust.change import ctl_possible
from watcher.trust.crowd import History, Status
from watcher.trust.names import PHONE_FACING, CtlKind, Kind, Service
from watcher.trust.phone import FAITH, NO_LIST, SAME
from watcher.trust.rulebook import Breach, Severity
from watcher.trust.scenario import RENEWING, Action, Group, HeldItl, Scenario
from watcher.trust.verdict import Note


def before(scenario: Scenario) -> Iterator[tuple[str, str, str]]:
    """Yield the preconditions that the state at the start breaks: rule, words, group."""
    if not scenario.replication_ok:
        text = "database replication is broken: TVS on other nodes does not learn certificates"
        yield "P-1", text, ""
    if scenario.rollback:
        yield "P-2", "the rollback parameter is on before the first step", ""
    if scenario.mixed and not ctl_possible(scenario) and _needs_ctl(scenario):
        yield "P-7", "the CTL cannot be updated: no token of it, or no licence", ""
    for group in scenario.groups:
        if group.online and group.held_itl is HeldItl.MISMATCH:
            text = f"phones of {group.name} already hold a list that no server signed: delete it"
            yield "P-4", text, group.name


def _needs_ctl(scenario: Scenario) -> bool:
    in_ctl = (Kind.CALLMANAGER, Kind.CAPF, Kind.RECOVERY)
    return any(s.action in RENEWING and s.store in in_ctl for s in scenario.steps)


def windows(history: History, steps: Sequence[int]) -> Iterator[tuple[int, int, str]]:
    """Yield when a reset phone would be refused: first step, last step, why (I-21)."""
    yield from _spans(history, steps, lambda s: "" if s.accepted else s.why)


def outages(history: History, steps: Sequence[int]) -> Iterator[tuple[int, int, str]]:
    """Yield when phones are out of service without a reset (I-15, I-24)."""
    text = "some phones are not registered"
    yield from _spans(history, steps, lambda s: "" if s.registered else text)


def _spans(
    history: History, steps: Sequence[int], told: Callable[[Status], str]
) -> Iterator[tuple[int, int, str]]:
    ends = [step for step, _ in history[1:]]
    last = steps[-1] if steps else 0
    open_at: tuple[int, str] | None = None
    for (step, status), until in zip(history, [*ends, None], strict=True):
        text = told(status)
        if text and open_at is None:
            open_at = (step, text)
        if open_at and (not text or until is None):
            first, words = open_at
            yield first, max(first, last if text else _step_before(step, steps)), words
            open_at = None


def _step_before(step: int, steps: Sequence[int]) -> int:
    return max((number for number in steps if number < step), default=0)


def notes(
    scenario: Scenario, histories: Mapping[str, History], breaches: Sequence[Breach]
) -> Iterator[Note]:
    """Yield what the plan must show though it may be followed (trust facts, 3.2)."""
    yield from _of_branch(breaches)
    yield from _single_thread(histories, scenario)
    yield from _blank_time(scenario)
    yield from _small_groups(scenario)
    yield from _automatic_resets(scenario)
    yield from _stores_without_gate(scenario)
    yield from _size(scenario)
    yield from _lone_restarts(scenario)
    yield from _https_gap(scenario)
    yield from _untold(scenario)


def _of_branch(breaches: Sequence[Breach]) -> Iterator[Note]:
    for breach in breaches:
        if breach.rule == "I-23":
            yield Note(
                rule="I-23", severity=Severity.DEGRADED, text=breach.text, first=breach.step,
                last=breach.step,
            )  # fmt: skip


def _single_thread(histories: Mapping[str, History], scenario: Scenario) -> Iterator[Note]:
    """I-20: only one way is left to authenticate what is served."""
    steps = [step.number for step in scenario.steps]
    for name, history in histories.items():
        for first, last, text in _spans(history, steps, _thin):
            yield Note(
                rule="I-20", severity=Severity.WINDOW, text=text, first=first, last=last,
                group=name,
            )  # fmt: skip


def _thin(status: Status) -> str:
    ways = status.ways - {SAME, FAITH, NO_LIST}
    alone = status.accepted and len(ways) == 1 and not status.ways & {FAITH, NO_LIST}
    return f"everything hangs on {next(iter(ways))}" if alone else ""


def _blank_time(scenario: Scenario) -> Iterator[Note]:
    """I-22, I-28: what the rollback parameter costs while it is on."""
    on = [step.number for step in scenario.steps if step.action is Action.ROLLBACK_ON]
    off = [step.number for step in scenario.steps if step.action is Action.ROLLBACK_OFF]
    if not on:
        return
    first = on[0]
    last = off[-1] if off else scenario.steps[-1].number
    down = "phones' HTTPS services (Extension Mobility, directories) do not work"
    open_to_all = "phones take a list from anybody"
    for rule, severity, text in (
        ("I-22", Severity.DEGRADED, down),
        ("I-28", Severity.WINDOW, open_to_all),
    ):
        yield Note(rule=rule, severity=severity, first=first, last=last, text=text)


def _small_groups(scenario: Scenario) -> Iterator[Note]:
    if len(scenario.nodes) == 1:
        return
    for group in scenario.groups:
        if len(_serving(scenario, group)) < _PAIR:
            text = f"{group.name}: one node of its CallManager group runs CallManager and TVS"
            yield Note(rule="P-3", severity=Severity.WINDOW, text=text, group=group.name)
        if len(group.tftp) == 1:
            text = f"{group.name}: one TFTP server"
            yield Note(rule="P-5", severity=Severity.WINDOW, text=text, group=group.name)
        if group.sbd and not group.tvs_reachable:
            text = f"{group.name}: tcp 2445 is closed, so no TVS can vouch"
            yield Note(rule="P-6", severity=Severity.WINDOW, text=text, group=group.name)


_PAIR = 2


def _serving(scenario: Scenario, group: Group) -> list[str]:
    callers, verifiers = scenario.running(Service.CCM), scenario.running(Service.TVS)
    return [node for node in group.cm_group if node in callers and node in verifiers]


def _lone_restarts(scenario: Scenario) -> Iterator[Note]:
    """I-25: a restart of the only CallManager of a group drops all its registrations (S2)."""
    callers = set(scenario.running(Service.CCM))
    for step in scenario.steps:
        if step.service is not Service.CCM or step.action is Action.START:
            continue
        for group in scenario.groups:
            if callers & set(group.cm_group) == {step.node}:
                yield Note(
                    rule="I-25", severity=Severity.OUTAGE_TRANSIENT, first=step.number,
                    last=step.number, group=group.name,
                    text=f"{group.name}: out of service while CallManager on {step.node} restarts",
                )  # fmt: skip


def _automatic_resets(scenario: Scenario) -> Iterator[Note]:
    """P-10: a phone that resets between renewal and CTL update meets the old CTL."""
    updates = any(step.action is Action.CTL_UPDATE for step in scenario.steps)
    manual = scenario.interaction_manual or any(
        step.action is Action.INTERACTION and step.value == "manual" for step in scenario.steps
    )
    if scenario.mixed and updates and scenario.profile.interaction_parameter and not manual:
        text = "set Phone Interaction on Certificate Update to manual for the change"
        yield Note(rule="P-10", severity=Severity.OUTAGE_TRANSIENT, text=text)


def _stores_without_gate(scenario: Scenario) -> Iterator[Note]:
    """I-13 from 12.0: Cisco asks to wait between stores; ITLRecovery carries the safety (S7)."""
    if not scenario.profile.recovery_signs:
        return
    seen: set[str] = set()
    for step in scenario.steps:
        if step.action is Action.RESET:
            seen.clear()
        renewed = step.action in RENEWING
        if renewed and step.store in PHONE_FACING:
            seen.add(step.store or "")
            if len(seen) == 2:  # noqa: PLR2004 -- the second store
                text = f"{' and '.join(sorted(seen))} change without a reset in between"
                yield Note(
                    rule="I-13", severity=Severity.WINDOW, text=text, first=step.number,
                    last=step.number,
                )  # fmt: skip


def _https_gap(scenario: Scenario) -> Iterator[Note]:
    """I-22: until its restart Tomcat shows a certificate that TVS no longer knows (S1, S5)."""
    if not any(group.https_services for group in scenario.groups):
        return
    for group in scenario.groups:
        if group.https_services and group.sbd and not group.tvs_reachable:
            text = f"{group.name}: no HTTPS service works, for TVS cannot be asked (tcp 2445)"
            yield Note(rule="I-22", severity=Severity.DEGRADED, text=text, group=group.name)
    for place, step in enumerate(scenario.steps):
        if step.action in RENEWING and step.store == Kind.TOMCAT:
            later = scenario.steps[place + 1 :]
            ends = [s for s in later if s.service is Service.TOMCAT and s.node in (step.node, None)]
            yield Note(
                rule="I-22", severity=Severity.DEGRADED, first=step.number,
                last=ends[0].number if ends else scenario.steps[-1].number,
                text=f"Tomcat on {step.node or 'every node'} shows the old certificate to phones' "
                "HTTPS services",
            )  # fmt: skip


def _untold(scenario: Scenario) -> Iterator[Note]:
    """I-30: a party outside that pins a certificate meets the next one (S2, S4, S12)."""
    for peer in scenario.peers:
        renewed = [s for s in scenario.steps if s.action in RENEWING and s.store == peer.needs]
        told = [
            s.number
            for s in scenario.steps
            if s.action is Action.TELL and s.peer in (peer.name, peer.kind)
        ]
        for step in renewed[:1]:
            if any(number < step.number for number in told):
                continue
            last = next(iter(told), scenario.steps[-1].number)
            yield Note(
                rule="I-30", severity=Severity.DEGRADED, first=step.number, last=last,
                text=f"{peer.name} does not know the new {peer.needs} certificate",
            )  # fmt: skip


_ITL_LIMIT = 39


def _size(scenario: Scenario) -> Iterator[Note]:
    """I-26: TVS of every node, two records of a TFTP server, CAPF and the recovery key (S3)."""
    records = len(scenario.running(Service.TVS)) + 3
    if scenario.ctl_kind is CtlKind.ETOKEN:
        records += 2
    if records > _ITL_LIMIT:
        text = f"the ITL holds about {records} certificates; phones take {_ITL_LIMIT}"
        yield Note(rule="I-26", severity=Severity.DEGRADED, text=text)

"""Commands that cannot be given: the release, the CTL or the phones of the cluster have none.

An order with such a step is bad input: what the engineer would see is an error, not an effect
(trust facts, 1.1). Whether a command that exists is wise is for the proof to say.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from watcher.model.release import ReleaseRange
from watcher.orders.words import StepError
from watcher.trust.names import CtlKind, Kind
from watcher.trust.release import Profile
from watcher.trust.scenario import Action, Scenario, Step

NO_TOKENS = ReleaseRange.parse(">=14SU3")
"""The CTL client left with 14; clusters that were upgraded with tokens exist up to 14SU2."""
Reason = tuple[str, str]
"""Why a command cannot be given, and what would be expected instead."""


@dataclass(slots=True)
class _Course:
    """What steps before this one made possible."""

    scenario: Scenario
    exported: bool

    @property
    def profile(self) -> Profile:
        return self.scenario.profile


def mode_fault(profile: Profile, kind: CtlKind | None) -> Reason | None:
    """Return why a release cannot be in mixed mode this way."""
    release = profile.release
    if kind is CtlKind.TOKENLESS and not profile.recovery_key:
        return f"release {release} has no tokenless CTL", "etoken, or release 10.0 or later"
    if kind is CtlKind.ETOKEN and NO_TOKENS.matches(release):
        return f"release {release} takes no eTokens", "tokenless, or a release before 14SU3"
    return None


def refuse_impossible(scenario: Scenario, steps: Iterable[Step]) -> None:
    """Raise StepError at the first step whose command cannot be given."""
    course = _Course(scenario, exported=scenario.exported_key is not None)
    for step in steps:
        for ask in _ASKED.get(step.action, ()):
            reason = ask(step, course)
            if reason is not None:
                problem, expected = reason
                told = f"step {step.number}, {step.text!r}: {problem}"
                raise StepError(step.number, told, expected)
        if step.action is Action.EXPORT_KEY:
            course.exported = True


def _renewal(step: Step, course: _Course) -> Reason | None:
    profile = course.profile
    publisher = course.scenario.publisher
    if step.store == Kind.RECOVERY and not profile.recovery_key:
        return f"release {profile.release} has no {Kind.RECOVERY}", "release 10.0 or later"
    away = step.node is not None and step.node != publisher
    alone = (step.store == Kind.CAPF and not profile.ctl_client) or (
        step.store == Kind.RECOVERY and profile.single_recovery
    )
    if away and alone:
        problem = f"on release {profile.release} only the publisher has an own {step.store}"
        return problem, f"{publisher}, or no node"
    return None


def _recovery_key(_step: Step, course: _Course) -> Reason | None:
    release = course.profile.release
    if not course.profile.recovery_key:
        return f"release {release} has no recovery key", "release 10.0 or later"
    return None


def _exported(_step: Step, course: _Course) -> Reason | None:
    if not course.exported:
        problem = "no exported recovery key is at hand"
        return problem, "export_p12 earlier, or itlrecovery_p12_exported: 0"
    return None


def _mixed(step: Step, course: _Course) -> Reason | None:
    kind = course.scenario.ctl_kind
    if kind is None:
        return "the cluster is not in mixed mode, so it has no CTL", "a cluster in mixed mode"
    # The words were read already: what a step may say beside its verb is who signs, if anything.
    wrong = next((k for k in CtlKind if k is not kind and k.value in step.text.lower()), None)
    if wrong is not None:
        return f"the CTL of this cluster is {kind}, not {wrong}", f"ctl_update, or mixed: {wrong}"
    return None


def _second_signer(_step: Step, course: _Course) -> Reason | None:
    if course.scenario.ctl_kind is CtlKind.ETOKEN:
        return "tokens sign the CTL of this cluster", "ctl_update with the CTL client"
    if not course.profile.second_ctl_anchor:
        problem = f"on release {course.profile.release} a CTL has no second signer"
        return problem, "release 10.5(2) or later"
    return None


def _somebody(step: Step, course: _Course) -> Reason | None:
    """Refuse a re-issue that names no group where no group holds an LSC."""
    if not step.groups:
        known = ", ".join(group.name for group in course.scenario.groups)
        return "no phone group holds an LSC", f"the group that gets its first one: {known}"
    return None


_ASKED: dict[Action, tuple[Callable[[Step, _Course], Reason | None], ...]] = {
    Action.REGENERATE: (_renewal,),
    Action.UPLOAD_SIGNED: (_renewal,),
    Action.LSC_REISSUE: (_somebody,),
    Action.ITL_LOCALKEY: (_recovery_key,),
    Action.ITL_REMOTEKEY: (_recovery_key, _exported),
    Action.EXPORT_KEY: (_recovery_key,),
    Action.CTL_UPDATE: (_mixed,),
    Action.CTL_LOCALKEY: (_mixed, _second_signer),
}


def shared_by(steps: Iterable[Step], stores: Iterable[str]) -> Iterator[str]:
    """Yield the stores for which an order uploads one certificate for all nodes."""
    able = set(stores)
    for step in steps:
        everywhere = step.action is Action.UPLOAD_SIGNED and step.node is None
        if everywhere and step.store in able:
            yield step.store

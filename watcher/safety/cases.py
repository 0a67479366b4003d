"""What is not known is checked for every way it may be: release, security mode, CTL signer.

A plan for an unknown cluster holds steps "only if the release is 12.0 or later". Such a plan is
safe when it is safe on each release, with the steps that are done there.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from watcher.inventory.schema import Cluster, CtlMethod, SecurityMode
from watcher.model.plan import Step
from watcher.model.release import Release, ReleaseRange
from watcher.rules.catalogue import Catalogue
from watcher.rules.select import CONDITION_WORDS
from watcher.rules.terms import Condition

RELEASES = tuple(
    Release.parse(text)
    for text in (
        "8.6", "9.1", "10.0", "10.5(2)", "11.0", "11.5", "12.0", "12.5(1)SU4", "14", "14SU1",
        "14SU3", "15",
    )
)  # fmt: skip
"""One release for each difference that the rules know (domain facts, section 5)."""

IF_TFTP = "this node is a TFTP server"
IF_STARTED = "the service is started there"

_CTL_STEPS = {CtlMethod.TOKENLESS: "ctl-update", CtlMethod.ETOKEN: "ctl-update-etoken"}
_RELEASE = "release "


@dataclass(frozen=True, slots=True)
class Case:
    """The cluster as it is or may be; `assumed` says in words what of it is not known."""

    cluster: Cluster | None
    assumed: tuple[str, ...] = ()
    truth: Mapping[str, bool] | None = None

    def done(self, step: Step) -> Step | None:
        """Return the step with the conditions that stay open here, or None if it is not done."""
        known = {word: self._holds(word) for word in step.only_if}
        if False in known.values():
            return None
        return replace(step, only_if=tuple(word for word, holds in known.items() if not holds))

    def _holds(self, word: str) -> bool | None:
        release = self.cluster.release if self.cluster else None
        if release and word.startswith(_RELEASE):
            return ReleaseRange.parse(word.removeprefix(_RELEASE)).matches(release)
        return (self.truth or {}).get(word)


def cases(cluster: Cluster | None, catalogue: Catalogue) -> Iterator[Case]:
    """Yield the cluster as every combination of release, mode and CTL signer it may have."""
    base = cluster or Cluster(name="unknown")
    for release in (base.release,) if base.release else RELEASES:
        for mode, method in _modes(base, release, catalogue):
            changes = {"release": release, "security_mode": mode, "ctl_method": method}
            assumed = [
                str(value)
                for key, value in changes.items()
                if value is not None and getattr(base, key) is None
            ]
            yield Case(base.model_copy(update=changes), tuple(assumed), _truth(mode, method))


def _modes(
    base: Cluster, release: Release, catalogue: Catalogue
) -> Iterator[tuple[SecurityMode, CtlMethod | None]]:
    if base.security_mode is not SecurityMode.MIXED:
        yield SecurityMode.NON_SECURE, None
    if base.security_mode is SecurityMode.NON_SECURE:
        return
    for method, key in _CTL_STEPS.items():
        exists = any(row.releases.matches(release) for row in catalogue.steps[key].do)
        if base.ctl_method in (method, None) and (exists or (base.release and base.ctl_method)):
            yield SecurityMode.MIXED, method


def _truth(mode: SecurityMode, method: CtlMethod | None) -> dict[str, bool]:
    mixed = mode is SecurityMode.MIXED
    facts = {
        Condition.MIXED: mixed,
        Condition.NON_SECURE: not mixed,
        Condition.TOKENLESS: method is CtlMethod.TOKENLESS,
        Condition.ETOKEN: method is CtlMethod.ETOKEN,
    }
    return {CONDITION_WORDS[condition]: holds for condition, holds in facts.items()}

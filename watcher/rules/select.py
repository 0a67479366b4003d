"""Which statement holds for a release and a cluster: yes, no, or not known.

What is not known is kept and labelled with the condition it hangs on; it is never dropped and
never taken for certain.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from watcher.model.release import Release, ReleaseRange
from watcher.rules.terms import Condition

Facts = Mapping[Condition, bool | None]
"""What is known of a cluster; an absent condition is unknown."""


class Conditional(Protocol):
    """Anything that holds for some releases under some conditions."""

    @property
    def releases(self) -> ReleaseRange:
        """Where it holds."""

    @property
    def when(self) -> tuple[Condition, ...]:
        """What must hold besides."""


T = TypeVar("T", bound=Conditional)


@dataclass(frozen=True, slots=True)
class Selected(Generic[T]):
    """An item that holds, or may hold: `only_if` names in words what is not known."""

    item: T
    only_if: tuple[str, ...] = ()


def select(items: Iterable[T], release: Release | None, facts: Facts) -> tuple[Selected[T], ...]:
    """Return the items that hold or may hold, in their order."""
    chosen = []
    for item in items:
        open_conditions = unknowns(item, release, facts)
        if open_conditions is not None:
            chosen.append(Selected(item, open_conditions))
    return tuple(chosen)


def unknowns(item: Conditional, release: Release | None, facts: Facts) -> tuple[str, ...] | None:
    """Return what must be found out before `item` holds, or None when it does not hold."""
    if release is not None and not item.releases.matches(release):
        return None
    known = [facts.get(condition) for condition in item.when]
    if False in known:
        return None
    words = [f"release {item.releases}"] if release is None and item.releases.terms else []
    words += [CONDITION_WORDS[c] for c, k in zip(item.when, known, strict=True) if k is None]
    return tuple(words)


CONDITION_WORDS: Mapping[Condition, str] = {
    Condition.MIXED: "the cluster is in mixed mode",
    Condition.NON_SECURE: "the cluster is in non-secure mode",
    Condition.TOKENLESS: "the CTL is tokenless",
    Condition.ETOKEN: "the CTL is signed by an eToken",
    Condition.LSC: "phones use LSCs",
    Condition.DOT1X: "phones use 802.1X",
    Condition.VPN: "phones use Phone VPN",
    Condition.SSO: "SAML SSO is on",
    Condition.SIP_OAUTH: "SIP OAuth is on",
    Condition.EXPRESSWAY: "Expressway or MRA is used",
    Condition.EMCC: "EMCC is used",
    Condition.CCX: "Contact Center Express is connected",
    Condition.UNITY_CONNECTION: "Unity Connection is connected",
    Condition.IM_PRESENCE: "IM and Presence is connected",
    Condition.EMERGENCY_RESPONDER: "Emergency Responder is connected",
    Condition.IPSEC_POLICIES: "IPsec policies exist",
    Condition.SECURE_TRUNKS: "SIP trunks or gateways use TLS",
    Condition.FIPS: "FIPS mode is on",
    Condition.SELF_SIGNED: "the certificate is self-signed",
    Condition.CA_SIGNED: "the certificate is CA-signed",
    Condition.MULTI_SERVER: "the certificate is multi-server",
    Condition.REUSED: "the certificate is reused for another store",
    Condition.SINGLE_NODE: "the cluster has one node",
    Condition.MULTI_NODE: "the cluster has more than one node",
}
"""Each condition as the end of a sentence that begins with "only if"."""

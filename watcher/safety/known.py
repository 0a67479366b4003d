"""What is known of the cluster, asked the strict way: what is not known may be so.

Everything here is read from inventory and catalogue anew, not taken over from the planner.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from watcher.inventory.schema import (
    Certificate,
    Cluster,
    CtlMethod,
    Duty,
    Issuer,
    Node,
    NodeRole,
    Product,
    SecurityMode,
)
from watcher.model.release import Release
from watcher.rules.catalogue import Catalogue
from watcher.rules.select import Facts, select, unknowns
from watcher.rules.store import Answer, Scope, Store
from watcher.rules.terms import Condition
from watcher.rules.work import RunsOn, Service

_DUTY = {
    RunsOn.CALL_PROCESSING: Duty.CALL_PROCESSING,
    RunsOn.TFTP: Duty.TFTP,
    RunsOn.CTI: Duty.CTI,
}


@dataclass(frozen=True)
class Known:
    """A cluster (or None) and the rules, with the questions that safety rules ask of them.

    It has no slots, so that what is asked for with every step is worked out once.
    """

    cluster: Cluster | None
    catalogue: Catalogue

    @property
    def release(self) -> Release | None:
        """The release, or None when not known."""
        return self.cluster.release if self.cluster else None

    @property
    def legacy(self) -> bool:
        """Whether each TFTP server may sign the ITL with its own key: where O2 is hard."""
        hard = self.catalogue.safety["O2"].hard
        return self.release is None or hard is None or hard.matches(self.release)

    @cached_property
    def facts(self) -> Facts:
        """Each condition of the cluster as true, false, or absent when not known."""
        return _cluster_facts(self.cluster) if self.cluster else {}

    def fact(self, condition: Condition) -> bool | None:
        """Tell whether a condition holds for the cluster; None when not known."""
        return self.facts.get(condition)

    @property
    def etoken_shield(self) -> bool:
        """Whether eTokens at hand vouch for every change: the CTL is signed by hardware."""
        tokens = self.cluster.etokens if self.cluster else None
        both = self.fact(Condition.MIXED) and self.fact(Condition.ETOKEN)
        return bool(both) and tokens != 0

    def applies(self, rule: str) -> tuple[str, ...] | None:
        """Return in words what must still hold for a rule to apply; None when it does not."""
        return unknowns(self.catalogue.safety[rule], self.release, self.facts)

    def certificates(self, store: str, node: str | None) -> tuple[Certificate, ...]:
        """Return what is known of a store's own certificate on a node, or of all of them."""
        own = [
            known
            for known in (self.cluster.certificates if self.cluster else ())
            if known.store.lower() == store.lower() and known.owner is None
        ]
        if node is None:
            return tuple(own)
        exact = [known for known in own if known.node and known.node.lower() == node.lower()]
        return tuple(exact or [known for known in own if known.node is None])

    def facts_at(self, store: str, node: str | None) -> Facts:
        """Return the cluster's facts with those of one certificate of a store."""
        found = self.certificates(store, node)
        one = found[0] if len(found) == 1 or (found and node) else None
        return dict(self.facts) | dict(_certificate_facts(one))

    def issuer(self, store: str, node: str | None) -> Issuer | None:
        """Return who signed a certificate; CA-signed already when one of several may be."""
        issuers = [known.issuer for known in self.certificates(store, node)]
        if Issuer.CA_SIGNED in issuers:
            return Issuer.CA_SIGNED
        return Issuer.SELF_SIGNED if issuers and None not in issuers else None

    def multi_server(self, store: str, node: str | None) -> bool:
        """Tell whether one certificate of the store is known to serve several nodes."""
        if any(known.multi_server for known in self.certificates(store, node)):
            return True
        rows = select(self.catalogue.store(store).scope, self.release, self.facts)
        return bool(rows) and not rows[0].only_if and rows[0].item.value is Scope.CLUSTER

    def in_ctl(self, store: Store) -> bool:
        """Tell whether a certificate of the store is, or may be, listed in the CTL."""
        return any(
            row.item.value is not Answer.NO for row in select(store.in_ctl, self.release, {})
        )

    @property
    def nodes(self) -> tuple[Node, ...]:
        """CUCM and IM and Presence nodes of the inventory."""
        wanted = (Product.CUCM, Product.IM_PRESENCE)
        return tuple(n for n in self._all if n.product in wanted)

    @property
    def cucm(self) -> tuple[Node, ...]:
        """CUCM nodes of the inventory."""
        return tuple(n for n in self._all if n.product is Product.CUCM)

    @property
    def presence(self) -> tuple[Node, ...]:
        """IM and Presence nodes of the inventory."""
        return tuple(n for n in self._all if n.product is Product.IM_PRESENCE)

    @property
    def publisher(self) -> str | None:
        """Name of the publisher, or None when not known."""
        return next((n.name for n in self.cucm if n.role is NodeRole.PUBLISHER), None)

    @property
    def one_tftp_server(self) -> bool:
        """Whether a single TFTP server is known to serve all phones."""
        serving = [node.has(Duty.TFTP) for node in self.cucm]
        return len(self.cucm) == 1 or (None not in serving and serving.count(True) == 1)

    @property
    def several_tftp_servers(self) -> bool:
        """Whether it is known what each node does, and that two of them serve TFTP at least."""
        serving = [node.has(Duty.TFTP) for node in self.cucm]
        return None not in serving and serving.count(True) > 1

    @property
    def tftp_lists(self) -> tuple[frozenset[str], ...]:
        """TFTP servers that phone groups ask, in small letters."""
        groups = self.cluster.phone_groups if self.cluster else ()
        return tuple(frozenset(n.lower() for n in group.tftp) for group in groups if group.tftp)

    @property
    def callmanager_groups(self) -> tuple[frozenset[str], ...]:
        """Nodes of each CallManager group, in small letters."""
        groups = self.cluster.callmanager_groups if self.cluster else ()
        return tuple(frozenset(name.lower() for name in group.nodes) for group in groups)

    def node(self, name: str | None) -> Node | None:
        """Return a node by name."""
        return next((n for n in self._all if name and n.name.lower() == name.lower()), None)

    def tftp(self, name: str | None) -> bool | None:
        """Tell whether a node is a TFTP server; None when not known."""
        node = self.node(name)
        return node.has(Duty.TFTP) if node else None

    def running(self, service: Service) -> tuple[str, ...]:
        """Return the nodes of the inventory on which a service runs, or may run."""
        match service.runs_on:
            case RunsOn.PUBLISHER:
                return tuple(n.name for n in self.cucm if n.role is NodeRole.PUBLISHER)
            case RunsOn.IM_PRESENCE:
                return tuple(node.name for node in self.presence)
            case RunsOn.CUCM:
                return tuple(node.name for node in self.cucm)
            case RunsOn.ALL:
                return tuple(node.name for node in self.nodes)
        duty = _DUTY[service.runs_on]
        return tuple(node.name for node in self.cucm if node.has(duty) is not False)

    def surely_runs(self, service: Service, name: str | None) -> bool:
        """Tell whether the inventory says for certain that a node runs a service."""
        if service.runs_on in (RunsOn.ALL, RunsOn.CUCM, RunsOn.PUBLISHER):
            return True
        node = self.node(name)
        return node is not None and node.duties is not None

    @property
    def _all(self) -> tuple[Node, ...]:
        return self.cluster.nodes if self.cluster else ()


def _cluster_facts(cluster: Cluster) -> Facts:
    facts: dict[Condition, bool | None] = {
        condition: getattr(cluster.features, condition.value.replace("-", "_"), None)
        for condition in Condition
    }
    groups, features = cluster.phone_groups, cluster.features
    facts[Condition.LSC] = _any(features.lsc, (group.lsc for group in groups))
    facts[Condition.DOT1X] = _any(features.dot1x, (group.dot1x for group in groups))
    facts[Condition.VPN] = _any(features.vpn, (group.vpn for group in groups))
    mode, method = cluster.security_mode, cluster.ctl_method
    facts[Condition.MIXED] = None if mode is None else mode is SecurityMode.MIXED
    facts[Condition.NON_SECURE] = None if mode is None else mode is SecurityMode.NON_SECURE
    for condition, value in (
        (Condition.TOKENLESS, CtlMethod.TOKENLESS),
        (Condition.ETOKEN, CtlMethod.ETOKEN),
    ):
        facts[condition] = None if method is None else method is value
        if mode is SecurityMode.NON_SECURE:
            facts[condition] = False
    count = sum(node.product is Product.CUCM for node in cluster.nodes)
    facts[Condition.SINGLE_NODE] = count == 1 if count else None
    facts[Condition.MULTI_NODE] = count > 1 if count else None
    return facts


def _any(feature: bool | None, groups: Iterable[bool | None]) -> bool | None:  # noqa: FBT001 -- a fact, not a switch
    known = tuple(groups)
    if feature or True in known:
        return True
    if feature is None and (not known or None in known):
        return None
    return False


def _certificate_facts(known: Certificate | None) -> Facts:
    if known is None:
        return {}
    issuer = known.issuer
    return {
        Condition.SELF_SIGNED: None if issuer is None else issuer is Issuer.SELF_SIGNED,
        Condition.CA_SIGNED: None if issuer is None else issuer is Issuer.CA_SIGNED,
        Condition.MULTI_SERVER: known.multi_server,
        Condition.REUSED: bool(known.reused_for),
    }

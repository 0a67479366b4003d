"""The ground a plan stands on: which nodes there are, what runs where, what is known.

Without an inventory the same questions are answered in words ("the publisher", "each node that
runs it"), so that the planner draws the same steps and never invents a node.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

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
from watcher.rules.select import Facts
from watcher.rules.terms import Condition
from watcher.rules.work import RunsOn, Service

PHONES = "phones"
OUTSIDE = "outside"
EVERY_NODE = "each node"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a step is done: a node of the inventory, or words for places not known."""

    label: str
    node: Node | None = None
    publisher: bool = False

    @property
    def name(self) -> str | None:
        """Name in the inventory, or None."""
        return self.node.name if self.node else None


PUBLISHER = Place("the publisher", publisher=True)
EACH_NODE = Place(EVERY_NODE)
ALL_PHONES = Place(PHONES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terrain:
    """One cluster as far as it is known; `places` has the publisher first."""

    cluster: Cluster | None
    release: Release | None
    facts: Facts
    places: tuple[Place, ...] = ()
    reported: tuple[Place, ...] = field(default=())

    @property
    def publisher(self) -> Place:
        """The publisher, by name when the inventory tells."""
        return next((place for place in self.places if place.publisher), PUBLISHER)

    @property
    def every_node(self) -> tuple[Place, ...]:
        """All nodes of the platform, or the words for them."""
        return self.places or (EACH_NODE,)

    @property
    def cucm_nodes(self) -> tuple[Place, ...]:
        """CUCM nodes, or the words for them."""
        return self._of(Product.CUCM) or (Place("each CUCM node"),)

    @property
    def presence_nodes(self) -> tuple[Place, ...]:
        """IM and Presence nodes; empty when the inventory lists none."""
        return self._of(Product.IM_PRESENCE)

    @property
    def tftp_servers(self) -> tuple[Place, ...]:
        """Nodes known to be TFTP servers, publisher first."""
        return tuple(p for p in self.places if p.node and p.node.has(Duty.TFTP))

    @property
    def duties_known(self) -> bool:
        """Whether the inventory says what every CUCM node does."""
        nodes = [p.node for p in self._of(Product.CUCM)]
        return bool(nodes) and all(node and node.duties is not None for node in nodes)

    def named(self, name: str | None) -> Place | None:
        """Return the node of that name in the inventory."""
        return next((place for place in self.places if place.name == name), None)

    def in_order(self, places: Iterable[Place]) -> tuple[Place, ...]:
        """Return places once each: publisher first, then in the order of the cluster (O1)."""
        order = {place: i for i, place in enumerate(self.places)}
        once = dict.fromkeys(places)
        return tuple(sorted(once, key=lambda p: (not p.publisher, order.get(p, 999), p.label)))

    def running(self, service: Service) -> tuple[Place, ...]:
        """Return the nodes on which a service runs or may run, publisher first."""
        if service.runs_on is RunsOn.PUBLISHER:
            return (self.publisher,)
        if service.runs_on is RunsOn.IM_PRESENCE:
            return self.presence_nodes or (Place("each IM and Presence node"),)
        if service.runs_on is RunsOn.ALL:
            return self.every_node
        if service.runs_on is RunsOn.CUCM:
            return self.cucm_nodes
        duty = Duty(service.runs_on.value)
        maybe = tuple(p for p in self._of(Product.CUCM) if p.node and p.node.has(duty) is not False)
        if maybe or self.duties_known:
            return maybe
        return (Place(f"each node that runs {service.name}"),)

    def certificate(self, store: str, node: str | None) -> Certificate | None:
        """Return what the inventory says of a node's certificate, or of the cluster's one.

        Where a store reuses another's certificate, that one is returned.
        """
        if self.cluster is None:
            return None
        listed = [c for c in self.cluster.certificates if c.owner is None]
        own = [c for c in listed if c.reused_for == store] or [
            c for c in listed if c.store == store
        ]
        exact = [c for c in own if node and c.node and c.node.lower() == node.lower()]
        shared = [c for c in own if c.node is None]
        return next(iter(exact + shared), None)

    def facts_for(self, certificate: Certificate | None) -> Facts:
        """Return the cluster's facts with those of one certificate."""
        issuer = certificate.issuer if certificate else None
        return dict(self.facts) | {
            Condition.SELF_SIGNED: None if issuer is None else issuer is Issuer.SELF_SIGNED,
            Condition.CA_SIGNED: None if issuer is None else issuer is Issuer.CA_SIGNED,
            Condition.MULTI_SERVER: certificate.multi_server if certificate else None,
            Condition.REUSED: bool(certificate.reused_for) if certificate else None,
        }

    def _of(self, product: Product) -> tuple[Place, ...]:
        return tuple(p for p in self.places if p.node and p.node.product is product)


def together(places: Sequence[Place]) -> Place:
    """Return one place for a step that is the same at several: they are named in order."""
    if len(places) == 1:
        return places[0]
    return Place(", ".join(place.label for place in places))


def survey(cluster: Cluster | None, reported: Iterable[Place] = ()) -> Terrain:
    """Return the terrain of a cluster; of an unknown one when `cluster` is None."""
    if cluster is None:
        return Terrain(cluster=None, release=None, facts={}, reported=tuple(reported))
    return Terrain(
        cluster=cluster,
        release=cluster.release,
        facts=cluster_facts(cluster),
        places=tuple(_place(node) for node in sorted(cluster.nodes, key=_rank)),
        reported=tuple(reported),
    )


def _place(node: Node) -> Place:
    publisher = node.role is NodeRole.PUBLISHER and node.product is Product.CUCM
    return Place(node.name, node, publisher)


def _rank(node: Node) -> tuple[bool, bool, int, str]:
    # Publisher first (O1), CUCM before IM and Presence, then TFTP servers in their order.
    return (
        node.product is not Product.CUCM,
        node.role is not NodeRole.PUBLISHER,
        node.tftp_order or 99,
        node.name.lower(),
    )


def cluster_facts(cluster: Cluster) -> Facts:
    """Return each condition as true, false or unknown for a cluster."""
    mode, method, features = cluster.security_mode, cluster.ctl_method, cluster.features
    nodes = sum(node.product is Product.CUCM for node in cluster.nodes)
    groups = cluster.phone_groups
    return {
        Condition.MIXED: None if mode is None else mode is SecurityMode.MIXED,
        Condition.NON_SECURE: None if mode is None else mode is SecurityMode.NON_SECURE,
        Condition.TOKENLESS: _ctl(mode, method, CtlMethod.TOKENLESS),
        Condition.ETOKEN: _ctl(mode, method, CtlMethod.ETOKEN),
        Condition.LSC: _either(features.lsc, [group.lsc for group in groups]),
        Condition.DOT1X: _either(features.dot1x, [group.dot1x for group in groups]),
        Condition.VPN: _either(features.vpn, [group.vpn for group in groups]),
        Condition.SSO: features.sso,
        Condition.SIP_OAUTH: features.sip_oauth,
        Condition.EXPRESSWAY: features.expressway,
        Condition.EMCC: features.emcc,
        Condition.CCX: features.ccx,
        Condition.UNITY_CONNECTION: features.unity_connection,
        Condition.IM_PRESENCE: features.im_presence,
        Condition.EMERGENCY_RESPONDER: features.emergency_responder,
        Condition.IPSEC_POLICIES: features.ipsec_policies,
        Condition.SECURE_TRUNKS: features.secure_trunks,
        Condition.FIPS: features.fips,
        Condition.SINGLE_NODE: nodes == 1 if nodes else None,
        Condition.MULTI_NODE: nodes > 1 if nodes else None,
    }


def _ctl(mode: SecurityMode | None, method: CtlMethod | None, wanted: CtlMethod) -> bool | None:
    if mode is SecurityMode.NON_SECURE:
        return False
    return None if method is None else method is wanted


def _either(feature: bool | None, groups: list[bool | None]) -> bool | None:  # noqa: FBT001
    if feature or True in groups:
        return True
    if feature is None and (not groups or None in groups):
        return None
    return False

"""An inventory's cluster as the trust model needs it; what the inventory leaves open is assumed.

Each assumption is told: the proof holds for the cluster as it is written here.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from watcher.inventory.schema import (
    Certificate,
    Cluster,
    CtlMethod,
    DeviceSecurity,
    Duty,
    Node,
    NodeRole,
    PhoneGroup,
    PhoneInteraction,
    Product,
    SecurityMode,
)
from watcher.model.proof import Assumption
from watcher.model.release import Release
from watcher.trust import names, scenario
from watcher.trust.names import CLUSTER, CtlKind, Kind, Service, certificate
from watcher.trust.release import profile
from watcher.trust.scenario import Dot1x, Mode, Peer, PeerKind, Scenario

STAND_INS = ("the publisher", "a subscriber")
"""Names of the two nodes that stand for a cluster of which nothing is known."""

_MODES = {
    DeviceSecurity.NON_SECURE: Mode.NON_SECURE,
    DeviceSecurity.AUTHENTICATED: Mode.AUTHENTICATED,
    DeviceSecurity.ENCRYPTED: Mode.ENCRYPTED,
}


@dataclass(slots=True)
class _Ground:
    """A cluster while it is read, with what had to be assumed and how to check it, each once."""

    cluster: Cluster
    assumed: dict[str, str] = field(default_factory=dict)

    def assume(self, text: str, check: str) -> None:
        self.assumed[text] = check


def scenario_of(
    cluster: Cluster | None, release: Release | None = None, as_of: datetime | None = None
) -> tuple[Scenario, tuple[Assumption, ...]]:
    """Return a cluster without steps, and what of it was assumed, with the check that settles it.

    `release` stands in where the inventory has none. Certificates past their date at `as_of` are
    marked so. A DRS backup is never assumed: a plan makes its own.
    """
    ground = _Ground(cluster or Cluster(name="unknown"))
    known = ground.cluster.release or release
    if known is None:
        raise ValueError("a release is needed to prove anything")
    nodes = tuple(_nodes(ground))
    kind = _ctl_kind(ground)
    groups = tuple(_groups(ground, nodes, mixed=kind is not None))
    return (
        Scenario(
            profile=profile(known), nodes=nodes, groups=groups, steps=(), ctl_kind=kind,
            tokens=_tokens(ground, kind),
            licensed=ground.cluster.export_controlled_license is not False,
            rollback=ground.cluster.rollback_pre80 is True,
            interaction_manual=ground.cluster.phone_interaction is PhoneInteraction.MANUAL,
            backed_up=False, shared=_shared(ground.cluster),
            expired=frozenset(_expired(ground.cluster, nodes, as_of)),
            peers=tuple(_peers(groups)),
        ),
        tuple(Assumption(text=text, check=check) for text, check in ground.assumed.items()),
    )  # fmt: skip


# -- nodes


def _nodes(ground: _Ground) -> Iterator[scenario.Node]:
    listed = [node for node in ground.cluster.nodes if node.product is Product.CUCM]
    if not listed:
        ground.assume(
            "the cluster has a publisher and one subscriber that both serve phones",
            "show network cluster, and Control Center - Feature Services of each node",
        )
        for name in STAND_INS:
            yield scenario.Node(
                name=name, publisher=name == STAND_INS[0],
                services=frozenset(Service) - _elsewhere(publisher=name == STAND_INS[0]),
            )  # fmt: skip
        return
    first = _publisher(ground, listed)
    for node in listed:
        publisher = node is first
        services = {Service.TVS, Service.TOMCAT, Service.DRF_LOCAL}
        if publisher:
            services |= {Service.CAPF, Service.DRF_CENTRAL}
        if _does(ground, node, Duty.TFTP, "serves TFTP"):
            services.add(Service.TFTP)
        if _does(ground, node, Duty.CALL_PROCESSING, "processes calls"):
            services.add(Service.CCM)
        yield scenario.Node(name=node.name, publisher=publisher, services=frozenset(services))


def _elsewhere(*, publisher: bool) -> frozenset[Service]:
    return frozenset() if publisher else frozenset({Service.CAPF, Service.DRF_CENTRAL})


def _publisher(ground: _Ground, nodes: list[Node]) -> Node:
    found = next((node for node in nodes if node.role is NodeRole.PUBLISHER), None)
    if found is None:
        unknown = next((node for node in nodes if node.role is None), nodes[0])
        ground.assume(f"{unknown.name} is the publisher", "show network cluster")
        return unknown
    return found


def _does(ground: _Ground, node: Node, duty: Duty, words: str) -> bool:
    known = node.has(duty)
    if known is None:
        ground.assume(f"{node.name} {words}", f"utils service list on {node.name}")
        return True
    return known


# -- phones


def _groups(
    ground: _Ground, nodes: tuple[scenario.Node, ...], *, mixed: bool
) -> Iterator[scenario.Group]:
    servers = tuple(_tftp_order(ground, nodes))
    for group in _listed_groups(ground):
        yield _group(ground, group, nodes, servers, mixed=mixed)


def _listed_groups(ground: _Ground) -> tuple[PhoneGroup, ...]:
    """Return the phone groups; one for each CallManager group where none is listed."""
    cluster = ground.cluster
    if cluster.phone_groups:
        return cluster.phone_groups
    if cluster.callmanager_groups:
        ground.assume(
            "every CallManager group has phones that keep an ITL and reach TVS",
            "list the phones of each device pool, and put them into the inventory (phone_groups)",
        )
        return tuple(
            PhoneGroup(name=f"phones of {group.name}", callmanager_group=group.name)
            for group in cluster.callmanager_groups
        )
    ground.assume(
        "all phones keep an ITL, reach TVS, and use every node that processes calls",
        "list the phones of each device pool, and put them into the inventory (phone_groups)",
    )
    return (PhoneGroup(name="all phones"),)


def _group(
    ground: _Ground, group: PhoneGroup, nodes: tuple[scenario.Node, ...],
    servers: tuple[str, ...], *, mixed: bool,
) -> scenario.Group:  # fmt: skip
    tftp = _known(nodes, group.tftp)[:2]
    if not tftp:
        tftp = servers[:2]
        if len(servers) > 1 and (mixed or group.security_by_default is not False):
            ground.assume(
                f"{group.name}: asks the TFTP servers {', '.join(tftp)} in this order",
                "Network settings of one phone: TFTP Server 1 and 2 (DHCP option 150)",
            )
    sbd = group.security_by_default is not False
    if sbd and group.tvs_reachable is None:
        ground.assume(
            f"{group.name}: reaches TVS (tcp 2445)",
            "open tcp 2445 from one phone's subnet to each node of its CallManager group",
        )
    mode = _mode(ground, group, mixed=mixed)
    lsc = group.lsc if group.lsc is not None else mode is not Mode.NON_SECURE
    dot1x = Dot1x.LSC if group.dot1x else Dot1x.NO
    uses = lsc or bool(group.dot1x) or bool(group.vpn)
    return scenario.Group(
        name=group.name, tftp=tftp, cm_group=_cm_group(ground, group, nodes), sbd=sbd, mode=mode,
        held_itl=tftp[0], lsc=certificate(Kind.CAPF, CLUSTER, 0) if uses else None,
        mic=not uses, dot1x=dot1x, vpn=bool(group.vpn),
        tvs_reachable=group.tvs_reachable is not False, count=group.count,
    )  # fmt: skip


def _mode(ground: _Ground, group: PhoneGroup, *, mixed: bool) -> Mode:
    if not mixed:
        return Mode.NON_SECURE
    if group.security is None:
        ground.assume(
            f"{group.name}: encrypted, which asks for more",
            "the Device Security Profile of one phone",
        )
        return Mode.ENCRYPTED
    return _MODES[group.security]


def _cm_group(
    ground: _Ground, group: PhoneGroup, nodes: tuple[scenario.Node, ...]
) -> tuple[str, ...]:
    named = {g.name.lower(): g for g in ground.cluster.callmanager_groups}
    listed = named.get((group.callmanager_group or "").lower())
    if listed is None and len(named) == 1:
        listed = next(iter(named.values()))
    if listed is not None and (found := _known(nodes, listed.nodes)):
        return found
    calling = [node.name for node in nodes if Service.CCM in node.services]
    chosen = tuple((calling or [node.name for node in nodes])[-3:])
    ground.assume(
        f"{group.name}: CallManager group {', '.join(chosen)}",
        "the device pool of one phone, and its CallManager group",
    )
    return chosen


def _known(nodes: tuple[scenario.Node, ...], wanted: Iterable[str]) -> tuple[str, ...]:
    by_name = {node.name.lower(): node.name for node in nodes}
    return tuple(by_name[name.lower()] for name in wanted if name.lower() in by_name)


def _tftp_order(ground: _Ground, nodes: tuple[scenario.Node, ...]) -> Iterator[str]:
    order = {node.name: node.tftp_order or 99 for node in ground.cluster.nodes}
    serving = [node.name for node in nodes if Service.TFTP in node.services]
    yield from sorted(serving, key=lambda name: order.get(name, 99))


# -- the cluster


def _ctl_kind(ground: _Ground) -> CtlKind | None:
    if ground.cluster.security_mode is not SecurityMode.MIXED:
        return None
    if ground.cluster.ctl_method is CtlMethod.ETOKEN:
        return CtlKind.ETOKEN
    return CtlKind.TOKENLESS


def _tokens(ground: _Ground, kind: CtlKind | None) -> int:
    if kind is not CtlKind.ETOKEN:
        return 0
    if ground.cluster.etokens is None:
        ground.assume(
            "an original eToken and its password are at hand", "log in to the CTL client with it"
        )
        return 1
    return ground.cluster.etokens


def _shared(cluster: Cluster) -> frozenset[str]:
    several = [c for c in cluster.certificates if c.multi_server and c.owner is None]
    stores = {c.store for c in several} | {c.reused_for for c in several if c.reused_for}
    return frozenset(stores & set(names.Kind))


def _expired(
    cluster: Cluster, nodes: tuple[scenario.Node, ...], as_of: datetime | None
) -> Iterator[names.Certificate]:
    for listed in cluster.certificates:
        past = as_of is not None and listed.not_after is not None and listed.not_after <= as_of
        if past and listed.owner is None and listed.store in set(Kind):
            yield _name(listed, nodes)


def _name(listed: Certificate, nodes: tuple[scenario.Node, ...]) -> names.Certificate:
    publisher = next(node.name for node in nodes if node.publisher)
    alone = listed.store in (Kind.CAPF, Kind.RECOVERY) and (
        listed.node is None or listed.node.lower() == publisher.lower()
    )
    owner = CLUSTER if alone or listed.multi_server else next(
        (node.name for node in nodes if node.name.lower() == (listed.node or "").lower()), CLUSTER
    )  # fmt: skip
    return certificate(listed.store, owner, 0)


def _peers(groups: Iterable[scenario.Group]) -> Iterator[Peer]:
    """Yield the RADIUS server and VPN headend that phones with LSCs meet."""
    groups = tuple(groups)
    trusted = frozenset({certificate(Kind.CAPF, CLUSTER, 0)})
    if any(group.dot1x is Dot1x.LSC for group in groups):
        yield Peer(name="RADIUS", kind=PeerKind.RADIUS, needs=Kind.CAPF, trusted=trusted)
    if any(group.vpn for group in groups):
        yield Peer(name="VPN", kind=PeerKind.VPN, needs=Kind.CAPF, trusted=trusted)

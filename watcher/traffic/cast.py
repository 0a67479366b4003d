"""Who plays: the nodes of an inventory and the certificates that they report."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from watcher.inventory.lookup import fold, stem
from watcher.inventory.schema import Certificate, Cluster, Inventory, Node, NodeRole, Product
from watcher.model.case import CaseKey
from watcher.rules.catalogue import Catalogue
from watcher.rules.store import Scope, Store, StoreKind
from watcher.rules.work import RunsOn

DAYS_LEFT = (-200.0, -19.0, -2.0, 0.4, 2.5, 6.0, 13.0, 24.0, 29.0, 45.0, 80.0)
"""What is left of certificates whose end the inventory does not know; every alarm occurs."""
OWN_TYPE = "own-cert"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayedNode:
    """A node that sends; `host` is what it calls itself in records."""

    name: str
    host: str
    address: str
    publisher: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A certificate as one node reports it: under which store, file name and type."""

    reporter: PlayedNode
    store: str
    file: str
    reported_type: str
    trust: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayedCertificate:
    """A certificate, whom it is about, when it ends, and all copies that are reported."""

    case: CaseKey
    end: datetime
    copies: tuple[Copy, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayedCluster:
    """A cluster; the first node raises its RTMT alerts."""

    name: str
    zone: ZoneInfo
    nodes: tuple[PlayedNode, ...]
    certificates: tuple[PlayedCertificate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Casting:
    cluster: Cluster
    nodes: tuple[PlayedNode, ...]
    catalogue: Catalogue
    chance: random.Random
    start: datetime


def cast(
    inventory: Inventory, catalogue: Catalogue, *, seed: int, start: datetime
) -> tuple[PlayedCluster, ...]:
    """Return the clusters of an inventory with the certificates that it lists.

    A cluster that lists none gets those that its nodes would have, and two trusted CAs. An end
    that is not known is drawn by `seed`, reckoned from `start`.
    """
    chance = random.Random(seed)  # noqa: S311 -- the same cast for the same seed is the point
    played = []
    for number, cluster in enumerate(inventory.clusters):
        nodes = tuple(_nodes(cluster, number))
        if nodes:
            casting = _Casting(
                cluster=cluster, nodes=nodes, catalogue=catalogue, chance=chance, start=start
            )
            zone = ZoneInfo(cluster.time_zone or "UTC")
            certificates = tuple(_certificates(casting))
            played.append(
                PlayedCluster(name=cluster.name, zone=zone, nodes=nodes, certificates=certificates)
            )
    return tuple(played)


def _nodes(cluster: Cluster, number: int) -> Iterator[PlayedNode]:
    ordered = sorted(cluster.nodes, key=lambda node: node.role is not NodeRole.PUBLISHER)
    for place, node in enumerate(ordered):
        named = [alias for alias in node.aliases if "." in alias]
        yield PlayedNode(
            name=node.name,
            host=named[0] if named else f"{node.name}.example.test",
            address=node.addresses[0] if node.addresses else f"198.18.{number % 256}.{place + 1}",
            publisher=place == 0,
        )


def _certificates(casting: _Casting) -> Iterator[PlayedCertificate]:
    listed = [_listed(casting, certificate) for certificate in casting.cluster.certificates]
    if listed:
        yield from (certificate for certificate in listed if certificate is not None)
        return
    for node in casting.cluster.nodes:
        for store in casting.catalogue.stores.values():
            if _has(node, store, casting):
                yield _own(casting, _name(casting, store), node.name, _end(casting, None))
    yield from _authorities(casting)


def _has(node: Node, store: Store, casting: _Casting) -> bool:
    """Tell whether a node has a certificate in a service store, as far as the packs say."""
    if store.kind is not StoreKind.SERVICE or store.file is None:
        return False
    release = casting.cluster.release
    if release is not None and not store.releases.matches(release):
        return False
    publisher = next(played for played in casting.nodes if played.name == node.name).publisher
    if any(statement.value is Scope.PUBLISHER for statement in store.scope) and not publisher:
        return False
    places = {casting.catalogue.service(restart.service).runs_on for restart in store.restarts}
    if node.product is Product.IM_PRESENCE:
        return RunsOn.IM_PRESENCE in places
    return RunsOn.IM_PRESENCE not in places or RunsOn.ALL in places


def _name(casting: _Casting, store: Store) -> str:
    return next(name for name, known in casting.catalogue.stores.items() if known is store)


def _listed(casting: _Casting, listed: Certificate) -> PlayedCertificate | None:
    end = _end(casting, listed.not_after)
    store = casting.catalogue.store_name(listed.store) or listed.store
    known = casting.catalogue.stores.get(store)
    if known is not None and known.kind is StoreKind.PHONE:
        return None
    if known is not None and known.kind is StoreKind.TRUST:
        return _trusted(casting, store, listed, end)
    if listed.node is None or listed.multi_server:
        return _shared(casting, store, end)
    return _own(casting, store, listed.node, end)


def _own(casting: _Casting, store: str, name: str, end: datetime) -> PlayedCertificate:
    """Return a node's own certificate, and its copies in the trust store of all other nodes."""
    owner = next(node for node in casting.nodes if fold(node.name) == fold(name))
    copies = [
        Copy(reporter=owner, store=store, file=f"{store}.der", reported_type=OWN_TYPE, trust=False)
    ]
    known = casting.catalogue.stores.get(store)
    for copied in known.copies_to if known else ():
        # Two stores copy into one trust store under the same name; only one can be told apart.
        if casting.catalogue.stores[copied.store].trust_of == store:
            others = [node for node in casting.nodes if node is not owner]
            copies += _everywhere(others, copied.store, f"{owner.name}.der")
    return PlayedCertificate(case=_case(casting, owner.name, store), end=end, copies=tuple(copies))


def _case(casting: _Casting, owner: str, store: str) -> CaseKey:
    """Return whose case it is: the node's, or the cluster's where all nodes share one."""
    for listed in casting.cluster.certificates:
        shared = listed.multi_server and listed.owner is None
        if shared and fold(store) in (fold(listed.store), fold(listed.reused_for or "")):
            return CaseKey(cluster=casting.cluster.name, owner="", store=listed.store)
    return CaseKey(cluster=casting.cluster.name, owner=owner.lower(), store=store)


def _everywhere(nodes: list[PlayedNode], store: str, file: str) -> list[Copy]:
    # The alarm's Type of a copy was seen as own-cert; its spelling for the rest is not known.
    return [
        Copy(reporter=node, store=store, file=file, reported_type=OWN_TYPE, trust=True)
        for node in nodes
    ]


def _shared(casting: _Casting, store: str, end: datetime) -> PlayedCertificate:
    """Return the one certificate of a whole cluster, which every node reports as its own."""
    copies = tuple(
        Copy(reporter=node, store=store, file=f"{store}.der", reported_type=OWN_TYPE, trust=False)
        for node in casting.nodes
    )
    return PlayedCertificate(case=_case(casting, "", store), end=end, copies=copies)


def _trusted(
    casting: _Casting, store: str, listed: Certificate, end: datetime
) -> PlayedCertificate | None:
    """Return a listed copy that the nodes trust: somebody's, or a CA's."""
    if listed.file is None:
        return None
    file = f"{stem(listed.file)}.der"
    base = casting.catalogue.stores[store].trust_of
    if listed.owner is not None:
        case = _case(casting, listed.owner, base or store)
    else:
        case = CaseKey(
            cluster=casting.cluster.name, owner="", store=store, identity=stem(listed.file)
        )
    nodes = [node for node in casting.nodes if listed.node in (None, node.name)]
    return PlayedCertificate(case=case, end=end, copies=tuple(_everywhere(nodes, store, file)))


def _authorities(casting: _Casting) -> Iterator[PlayedCertificate]:
    """Yield two CAs that every node trusts, under names that the packs know."""
    for store, known in casting.catalogue.stores.items():
        names = [file.pattern for file in known.known_files if "*" not in file.pattern]
        if names and known.trust_of is not None:
            for name in casting.chance.sample(names, min(2, len(names))):
                listed = Certificate(store=store, file=f"{name}.der")
                found = _trusted(casting, store, listed, _end(casting, None))
                if found is not None:
                    yield found
            return


def _end(casting: _Casting, known: datetime | None) -> datetime:
    if known is not None:
        return known.astimezone(UTC)
    # A few hours off, so that ends are spread over the day.
    drawn = casting.chance.choice(DAYS_LEFT) + casting.chance.uniform(-0.05, 0.05)
    return (casting.start + timedelta(days=drawn)).replace(microsecond=0)

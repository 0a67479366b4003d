"""What must hold between the parts of an inventory; the schema cannot say it."""

from collections.abc import Iterator
from ipaddress import ip_address

from watcher.errors import InputError
from watcher.inventory.schema import (
    Cluster,
    CtlMethod,
    Duty,
    Inventory,
    Node,
    NodeRole,
    Product,
    SecurityMode,
)
from watcher.model.release import Release, ReleaseRange
from watcher.rules.catalogue import Catalogue, nearest
from watcher.rules.document import Document, Path
from watcher.rules.faults import fault

_TOKENLESS_FROM = Release(10)
_KNOWN_RELEASES = ReleaseRange.parse(">=8.0 <=15")

Fault = tuple[Path, str, str]
"""Where, what is wrong, what would be right."""


def check(
    document: Document, inventory: Inventory, catalogue: Catalogue | None = None
) -> tuple[InputError, ...]:
    """Return every fault between parts, in the order of the file.

    With a catalogue also the stores that it does not have: no rule would hold for them.
    """
    found = [*_names(inventory), *(_stores(inventory, catalogue) if catalogue else ())]
    for number, cluster in enumerate(inventory.clusters):
        at: Path = ("clusters", number)
        for path, problem, expected in _cluster(cluster):
            found.append((at + path, problem, expected))
    faults = (fault(document, *item) for item in found)
    return tuple(sorted(faults, key=_order))


def _order(error: InputError) -> tuple[int, int]:
    where = error.where
    return (where.line or 0, where.column or 0) if where else (0, 0)


def _names(inventory: Inventory) -> Iterator[Fault]:
    """Yield names that mean two things; an alarm must lead to one node of the whole site."""
    yield from _doubles(
        (("clusters", i, "name"), c.name, "a cluster") for i, c in enumerate(inventory.clusters)
    )
    yield from _doubles(_node_names(inventory))
    yield from _doubles(_cluster_ids(inventory))


def _cluster_ids(inventory: Inventory) -> Iterator[tuple[Path, str, str]]:
    for c, cluster in enumerate(inventory.clusters):
        for i, name in enumerate(cluster.cluster_ids):
            yield ("clusters", c, "cluster_ids", i), name, "a cluster id"


def _node_names(inventory: Inventory) -> Iterator[tuple[Path, str, str]]:
    for c, cluster in enumerate(inventory.clusters):
        for n, node in enumerate(cluster.nodes):
            at: Path = ("clusters", c, "nodes", n)
            yield (*at, "name"), node.name, "a node"
            for i, alias in enumerate(node.aliases):
                yield (*at, "aliases", i), alias, "a node"


def _addresses(cluster: Cluster) -> Iterator[tuple[Path, str, str]]:
    # Clusters of different customers may use the same private addresses; a lookup by such an
    # address is then ambiguous and becomes a question.
    for n, node in enumerate(cluster.nodes):
        for i, address in enumerate(node.addresses):
            yield ("nodes", n, "addresses", i), address, "a node"


def _hosts(cluster: Cluster) -> Iterator[Fault]:
    for n, node in enumerate(cluster.nodes):
        at: Path = ("nodes", n)
        if _is_address(node.name):
            problem = f"{node.name} is an address, not a host name"
            yield (*at, "name"), problem, "the short host name; addresses go under addresses:"
        for i, address in enumerate(node.addresses):
            if not _is_address(address):
                problem = f"{address} is not an IP address"
                yield (*at, "addresses", i), problem, "one such as 192.0.2.10 or 2001:db8::10"


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _doubles(names: Iterator[tuple[Path, str, str]]) -> Iterator[Fault]:
    seen: set[str] = set()
    for path, name, what in names:
        key = name.lower()
        if key in seen:
            yield path, f"{name} already names {what} above", "a name that means one thing"
        seen.add(key)


def _cluster(cluster: Cluster) -> Iterator[Fault]:
    yield from _release(cluster)
    yield from _hosts(cluster)
    yield from _doubles(_addresses(cluster))
    yield from _publishers(cluster)
    yield from _tftp(cluster)
    yield from _served(cluster)
    yield from _groups(cluster)
    yield from _certificates(cluster)
    yield from _security(cluster)


def _release(cluster: Cluster) -> Iterator[Fault]:
    if cluster.release is not None and not _KNOWN_RELEASES.matches(cluster.release):
        yield ("release",), f"the rules know no release {cluster.release}", "8.0 to 15"


def _publishers(cluster: Cluster) -> Iterator[Fault]:
    first: dict[Product, str] = {}
    for n, node in enumerate(cluster.nodes):
        if node.role is not NodeRole.PUBLISHER:
            continue
        if node.product in first:
            problem = f"{first[node.product]} is the publisher already"
            yield ("nodes", n, "role"), problem, "one publisher in a cluster"
        first.setdefault(node.product, node.name)


def _tftp(cluster: Cluster) -> Iterator[Fault]:
    order: dict[int, str] = {}
    for n, node in enumerate(cluster.nodes):
        if node.tftp_order is None:
            continue
        path: Path = ("nodes", n, "tftp_order")
        if node.duties is None or "tftp" not in node.duties:
            yield path, f"{node.name} has no tftp duty", "duties: [tftp], or no tftp_order"
        if node.tftp_order in order:
            taken = order[node.tftp_order]
            yield path, f"{taken} has this place already", "a place for each TFTP server"
        order.setdefault(node.tftp_order, node.name)


def _served(cluster: Cluster) -> Iterator[Fault]:
    """Yield phones that would fetch their files where no TFTP server is."""
    nodes = [node for node in cluster.nodes if node.product is Product.CUCM]
    if nodes and not any(_may_serve(node) for node in nodes):
        problem = "no node has the tftp duty, so phones fetch their files nowhere"
        yield ("nodes",), problem, "tftp among the duties of a node, or no duties where unknown"
    silent = {node.name.lower() for node in cluster.nodes if not _may_serve(node)}
    for p, phones in enumerate(cluster.phone_groups):
        for i, name in enumerate(phones.tftp):
            if name.lower() in silent:
                able = ", ".join(node.name for node in nodes if _may_serve(node))
                problem = f"{name} has no tftp duty"
                expected = "tftp among its duties" + (f", or one of: {able}" if able else "")
                yield ("phone_groups", p, "tftp", i), problem, expected


def _may_serve(node: Node) -> bool:
    return node.product is Product.CUCM and node.has(Duty.TFTP) is not False


def _groups(cluster: Cluster) -> Iterator[Fault]:
    nodes = {node.name.lower() for node in cluster.nodes}
    known = ", ".join(node.name for node in cluster.nodes) or "no node yet"
    yield from _doubles(
        (("callmanager_groups", g, "name"), group.name, "a CallManager group")
        for g, group in enumerate(cluster.callmanager_groups)
    )
    yield from _doubles(
        (("phone_groups", p, "name"), phones.name, "a phone group")
        for p, phones in enumerate(cluster.phone_groups)
    )
    for path, name in _group_members(cluster):
        if name.lower() not in nodes:
            yield path, f"there is no node {name} in this cluster", f"one of: {known}"
    groups = {group.name.lower() for group in cluster.callmanager_groups}
    for p, phones in enumerate(cluster.phone_groups):
        asked = phones.callmanager_group
        if asked is not None and asked.lower() not in groups:
            at: Path = ("phone_groups", p, "callmanager_group")
            yield at, f"there is no CallManager group {asked}", "a name from callmanager_groups"


def _group_members(cluster: Cluster) -> Iterator[tuple[Path, str]]:
    for g, group in enumerate(cluster.callmanager_groups):
        for i, name in enumerate(group.nodes):
            yield ("callmanager_groups", g, "nodes", i), name
    for p, phones in enumerate(cluster.phone_groups):
        for i, name in enumerate(phones.tftp):
            yield ("phone_groups", p, "tftp", i), name


def _certificates(cluster: Cluster) -> Iterator[Fault]:
    nodes = {node.name.lower() for node in cluster.nodes}
    seen: set[tuple[str, str, str]] = set()
    for c, certificate in enumerate(cluster.certificates):
        at: Path = ("certificates", c)
        for key in ("node", "owner"):
            name = getattr(certificate, key)
            if name is not None and name.lower() not in nodes:
                yield (*at, key), f"there is no node {name} in this cluster", "a name from nodes"
        identity = (certificate.store, certificate.node or "", certificate.file or "")
        folded = (identity[0].lower(), identity[1].lower(), identity[2].lower())
        if folded in seen:
            yield (*at, "store"), "the same store, node and file stand above", "each once"
        seen.add(folded)


def _stores(inventory: Inventory, catalogue: Catalogue) -> Iterator[Fault]:
    for c, cluster in enumerate(inventory.clusters):
        for n, certificate in enumerate(cluster.certificates):
            for key in ("store", "reused_for"):
                name = getattr(certificate, key)
                if name is not None and catalogue.store_name(name) is None:
                    at: Path = ("clusters", c, "certificates", n, key)
                    expected = f"{nearest(name, catalogue.stores)}; or a site's rule pack with it"
                    yield at, f"the rules have no store {name}", expected


def _security(cluster: Cluster) -> Iterator[Fault]:
    if cluster.ctl_method is not None and cluster.security_mode is not SecurityMode.MIXED:
        problem = "a CTL belongs to mixed mode only"
        yield ("ctl_method",), problem, "security_mode: mixed, or no ctl_method"
    tokenless = cluster.ctl_method is CtlMethod.TOKENLESS
    if tokenless and cluster.release is not None and cluster.release < _TOKENLESS_FROM:
        problem = f"release {cluster.release} has no tokenless CTL"
        yield ("ctl_method",), problem, "release 10.0 or later, or ctl_method: etoken"
    if cluster.etokens is not None and cluster.ctl_method is not CtlMethod.ETOKEN:
        yield ("etokens",), "tokens sign no CTL here", "ctl_method: etoken, or no etokens"

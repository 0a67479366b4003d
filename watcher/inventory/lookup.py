"""Find a node or a cluster by the names that messages and people use.

Names match as a whole, with the case of ASCII letters folded and nothing else: a letter of
another alphabet that looks alike is another name.
"""

from dataclasses import dataclass

from watcher.inventory.schema import Cluster, Inventory, Node


@dataclass(frozen=True, slots=True)
class Place:
    """A node and the cluster it is in."""

    cluster: Cluster
    node: Node


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """A name that fits several nodes; a person must say which."""

    name: str
    places: tuple[Place, ...]


def find_node(inventory: Inventory, name: str) -> Place | Ambiguous | None:
    """Find a node of the whole site by name, alias or address.

    A name without a dot also fits the first label of an alias, if that label is unique.
    """
    wanted = fold(name)
    if wanted is None:
        return None
    places = [Place(cluster, node) for cluster in inventory.clusters for node in cluster.nodes]
    exact = [place for place in places if wanted in names_of(place.node)]
    if not exact and "." not in wanted and ":" not in wanted:
        exact = [place for place in places if wanted in _labels(place.node)]
    if len(exact) > 1:
        return Ambiguous(name, tuple(exact))
    return exact[0] if exact else None


def node_of(cluster: Cluster, name: str) -> Node | None:
    """Find a node of one cluster by name, alias or address; None when unknown or ambiguous."""
    found = find_node(Inventory(version=1, clusters=(cluster,)), name)
    return found.node if isinstance(found, Place) else None


def find_cluster(inventory: Inventory, cluster_id: str) -> Cluster | None:
    """Find the one cluster with this name, or whose alarms say this ClusterID."""
    wanted = fold(cluster_id)
    found = [
        cluster
        for cluster in inventory.clusters
        if wanted in {fold(known) for known in (cluster.name, *cluster.cluster_ids)}
    ]
    return found[0] if wanted is not None and len(found) == 1 else None


def names_of(node: Node) -> frozenset[str]:
    """Return every whole name of a node, folded."""
    names = (node.name, *node.aliases, *node.addresses)
    return frozenset(folded for name in names if (folded := fold(name)) is not None)


def fold(name: str) -> str | None:
    """Lower ASCII letters; None for an empty name and for one with any other character."""
    name = name.strip()
    return name.lower() if name and name.isascii() else None


def stem(file: str) -> str:
    """Return a file name without `.pem` or `.der`, folded."""
    lowered = file.strip().lower()
    return lowered[:-4] if lowered.endswith((".pem", ".der")) else lowered


def _labels(node: Node) -> frozenset[str]:
    names = (node.name, *node.aliases)
    return frozenset(name.partition(".")[0].lower() for name in names)

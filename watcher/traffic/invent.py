"""Clusters out of nothing, for a load that no inventory at hand is large enough for."""

from collections.abc import Iterator

from watcher.errors import InputError
from watcher.inventory.schema import Cluster, Duty, Inventory, Node, NodeRole
from watcher.model.release import Release

PER_CLUSTER = 9
_MOST = 2000
_RELEASE = Release.parse("12.5(1)SU4")


def invent(nodes: int, *, per_cluster: int = PER_CLUSTER) -> Inventory:
    """Return an inventory of so many nodes, in clusters of `per_cluster` at most.

    It lists no certificates: `cast` gives each node those that its release has.
    """
    if not 1 <= nodes <= _MOST:
        raise InputError(f"{nodes} nodes cannot be played", expected=f"1 to {_MOST}")
    sizes = [min(per_cluster, nodes - first) for first in range(0, nodes, per_cluster)]
    return Inventory(
        version=1, clusters=tuple(_cluster(number, size) for number, size in enumerate(sizes, 1))
    )


def _cluster(number: int, size: int) -> Cluster:
    return Cluster(
        name=f"lab{number}",
        release=_RELEASE,
        time_zone="Europe/Vienna",
        nodes=tuple(_nodes(number, size)),
    )


def _nodes(number: int, size: int) -> Iterator[Node]:
    for place in range(size):
        name = f"lab{number}-pub" if place == 0 else f"lab{number}-sub{place}"
        yield Node(
            name=name,
            aliases=(f"{name}.example.test",),
            addresses=(f"198.{18 + number // 256}.{number % 256}.{place + 1}",),
            role=NodeRole.SUBSCRIBER if place else NodeRole.PUBLISHER,
            duties=(Duty.CALL_PROCESSING, Duty.TFTP),
        )

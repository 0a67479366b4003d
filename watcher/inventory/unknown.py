"""What an inventory leaves open; each item costs a question in a plan."""

from collections.abc import Iterator
from dataclasses import dataclass

from watcher.inventory.schema import Cluster, Features, Inventory, Product, SecurityMode

_SCALARS = ("release", "time_zone", "security_mode", "rollback_pre80", "last_backup")
_MIXED = ("ctl_method", "export_controlled_license")
_LISTS = ("nodes", "callmanager_groups", "phone_groups", "certificates", "change_schedule")


@dataclass(frozen=True, slots=True)
class Unknown:
    """One key without a value; `key` is its name without list positions (`nodes.duties`)."""

    cluster: str
    node: str | None
    key: str


def unknowns(inventory: Inventory) -> tuple[Unknown, ...]:
    """Return what is not known, cluster by cluster; trifles such as counts are left out."""
    return tuple(item for cluster in inventory.clusters for item in _cluster(cluster))


def _cluster(cluster: Cluster) -> Iterator[Unknown]:
    for key in _keys(cluster):
        if getattr(cluster, key) in (None, ()):
            yield Unknown(cluster.name, None, key)
    for key in Features.model_fields:
        if getattr(cluster.features, key) is None:
            yield Unknown(cluster.name, None, f"features.{key}")
    yield from _nodes(cluster)


def _keys(cluster: Cluster) -> tuple[str, ...]:
    mixed = cluster.security_mode is SecurityMode.MIXED
    return (*_SCALARS, *(_MIXED if mixed else ()), *_LISTS)


def _nodes(cluster: Cluster) -> Iterator[Unknown]:
    for node in cluster.nodes:
        if node.role is None:
            yield Unknown(cluster.name, node.name, "nodes.role")
        if node.product is Product.CUCM and node.duties is None:
            yield Unknown(cluster.name, node.name, "nodes.duties")
        if node.duties is not None and "tftp" in node.duties and node.tftp_order is None:
            yield Unknown(cluster.name, node.name, "nodes.tftp_order")

"""What an inventory leaves open; each item costs a question in a plan."""

from collections.abc import Iterator
from dataclasses import dataclass

from watcher.inventory.schema import (
    Cluster,
    CtlMethod,
    Features,
    Inventory,
    Product,
    SecurityMode,
)
from watcher.model.release import Release

_SCALARS = ("release", "time_zone", "security_mode", "rollback_pre80", "last_backup")
_MIXED = ("ctl_method", "export_controlled_license")
_LISTS = {
    "nodes": "nodes.name",
    "callmanager_groups": "callmanager_groups",
    "phone_groups": "phone_groups.count",
    "certificates": "certificates.file",
    "change_schedule": "change_schedule",
}
"""Lists that should not be empty, and the key that a question about them asks for."""
_PHONE_INTERACTION_SINCE = Release(14)


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
        if getattr(cluster, key) is None:
            yield Unknown(cluster.name, None, key)
    for key, asked in _LISTS.items():
        if not getattr(cluster, key):
            yield Unknown(cluster.name, None, asked)
    for key in Features.model_fields:
        if getattr(cluster.features, key) is None:
            yield Unknown(cluster.name, None, f"features.{key}")
    yield from _nodes(cluster)


def _keys(cluster: Cluster) -> Iterator[str]:
    yield from _SCALARS
    if cluster.release is None or cluster.release >= _PHONE_INTERACTION_SINCE:
        yield "phone_interaction"
    if cluster.security_mode is SecurityMode.MIXED:
        yield from _MIXED
    if cluster.ctl_method is CtlMethod.ETOKEN:
        yield "etokens"


def _nodes(cluster: Cluster) -> Iterator[Unknown]:
    for node in cluster.nodes:
        if node.role is None:
            yield Unknown(cluster.name, node.name, "nodes.role")
        if node.product is Product.CUCM and node.duties is None:
            yield Unknown(cluster.name, node.name, "nodes.duties")
        if node.duties is not None and "tftp" in node.duties and node.tftp_order is None:
            yield Unknown(cluster.name, node.name, "nodes.tftp_order")

"""What the inventory adds to an alarm: its cluster, and whose trust copy it speaks of."""

from dataclasses import replace

from watcher.inventory.lookup import Place, find_cluster, find_node, stem
from watcher.inventory.schema import Certificate, Cluster, Inventory
from watcher.model.alarm import CertificateAlarm, StoreKind


def place_of(inventory: Inventory | None, name: str | None) -> Place | None:
    """Return the node of that name; a name that fits two nodes names none of them."""
    if inventory is None or name is None:
        return None
    found = find_node(inventory, name)
    return found if isinstance(found, Place) else None


def cluster_of(inventory: Inventory | None, alarm: CertificateAlarm) -> Cluster | None:
    """Return the cluster of an alarm: by its node, else by its ClusterID."""
    place = place_of(inventory, alarm.node)
    if place is not None:
        return place.cluster
    if inventory is None or alarm.cluster_id is None:
        return None
    return find_cluster(inventory, alarm.cluster_id)


def copy_of(alarm: CertificateAlarm, cluster: Cluster | None) -> Certificate | None:
    """Return the copy of a trust store that the inventory lists under the alarm's file name."""
    if cluster is None or alarm.certificate is None or alarm.store is None:
        return None
    store, name = alarm.store.lower(), stem(alarm.certificate)
    named = (c for c in cluster.certificates if c.file and stem(c.file) == name)
    return next((c for c in named if c.store.lower() == store), None)


def owner_of(
    alarm: CertificateAlarm, inventory: Inventory | None, cluster: Cluster | None
) -> Place | None:
    """Return the node whose certificate a trust copy is: listed so, else by the file's name."""
    if alarm.store_kind is not StoreKind.TRUST:
        return None
    listed = copy_of(alarm, cluster)
    if listed and listed.owner:
        return place_of(inventory, listed.owner)
    # Without an inventory few file names are believed to be a node's; a known node's name is.
    return place_of(inventory, alarm.owner or (alarm.certificate and stem(alarm.certificate)))


def located(alarm: CertificateAlarm, inventory: Inventory) -> CertificateAlarm:
    """Return the alarm with the inventory's names for cluster and owner where it knows them."""
    cluster = cluster_of(inventory, alarm)
    owner = owner_of(alarm, inventory, cluster)
    return replace(
        alarm,
        cluster=cluster.name if cluster else alarm.cluster,
        owner=owner.node.name if owner else alarm.owner,
    )

"""Names of the site in the settings: what the inventory does not have would silence a setting."""

from collections.abc import Collection, Iterator

from watcher.inventory.lookup import Place, find_node
from watcher.inventory.schema import Inventory
from watcher.rules.catalogue import nearest
from watcher.rules.document import Path
from watcher.settings.digest import DigestList, NoticeList
from watcher.settings.schema import Settings
from watcher.settings.terms import Fault

_NODE, _STAGE = "node:", "stage:"
_NO_INVENTORY = "there is no inventory to know it from"


def unknown_names(
    settings: Settings, inventory: Inventory | None, stages: Collection[str]
) -> tuple[Fault, ...]:
    """Return each cluster, node or stage of the settings that is not there.

    A list of people with a cluster that nobody knows would tell of a quiet week for ever.
    """
    return (
        *_clusters(settings, inventory),
        *_clients(settings, inventory),
        *_sources(settings, inventory, stages),
    )


def _clusters(settings: Settings, inventory: Inventory | None) -> Iterator[Fault]:
    known = dict.fromkeys(one.name for one in inventory.clusters) if inventory else {}
    kinds: tuple[tuple[str, tuple[DigestList | NoticeList, ...]], ...] = (
        ("digest", settings.digest.lists), ("notifications", settings.notifications.lists)
    )  # fmt: skip
    for kind, lists in kinds:
        for number, told in enumerate(lists):
            for place, name in enumerate(told.clusters):
                at: Path = (kind, "lists", number, "clusters", place)
                if inventory is None:
                    expected = "inventory: PATH, or no clusters, which means all"
                    yield at, f"{name}: {_NO_INVENTORY}", expected
                elif name not in known:
                    yield at, f"the inventory has no cluster {name}", nearest(name, known)


def _clients(settings: Settings, inventory: Inventory | None) -> Iterator[Fault]:
    # A certificate for a node that is not there: all its alarms would be refused.
    for number, client in enumerate(settings.tls.clients):
        if inventory is not None and not isinstance(find_node(inventory, client.node), Place):
            at: Path = ("tls", "clients", number, "node")
            expected = nearest(client.node, _nodes(inventory))
            yield at, f"the inventory has no node {client.node}", expected


def _sources(
    settings: Settings, inventory: Inventory | None, stages: Collection[str]
) -> Iterator[Fault]:
    nodes = _nodes(inventory) if inventory else {}
    ours = dict.fromkeys(stages)
    lowered = {name.lower() for name in nodes}
    for number, one in enumerate(settings.sources.exceptions):
        at: Path = ("sources", "exceptions", number, "source")
        name = one.source.partition(":")[2]
        if one.source.startswith(_STAGE) and name not in ours:
            yield at, f"there is no stage {name}", nearest(name, ours)
        elif one.source.startswith(_NODE) and inventory is None:
            yield at, f"{name}: {_NO_INVENTORY}", "inventory: PATH, or no such exception"
        elif one.source.startswith(_NODE) and name.lower() not in lowered:
            yield at, f"the inventory has no node {name}", nearest(name, nodes)


def _nodes(inventory: Inventory) -> dict[str, None]:
    """Return the names of the nodes; an alias is not what a source is called."""
    return dict.fromkeys(node.name for cluster in inventory.clusters for node in cluster.nodes)

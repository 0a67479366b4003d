"""Pasted command output -> the YAML of an inventory, new or completed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from watcher.errors import InputError, Location
from watcher.inventory import loader
from watcher.inventory.lookup import fold
from watcher.inventory.merge import Addition, Conflict, compare
from watcher.inventory.schema import Cluster, Inventory, Node
from watcher.inventory.writer import add_cluster, complete, write
from watcher.transcripts.gather import Gathered, Note, Options, gather
from watcher.transcripts.reading import Paste, read_paste

DEFAULT_CLUSTER = "cluster"

NamedText = tuple[str, str]
"""The name of a file and what is in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the person asks for besides the pastes; `hints` says how to find a missing key."""

    cluster: str | None = None
    node: str | None = None
    time_zone: str | None = None
    merge: NamedText | None = None
    hints: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """The inventory's text, and everything a person must be told; `commands` were read."""

    text: str
    commands: int
    notes: tuple[Note, ...]
    conflicts: tuple[str, ...]


def import_pastes(files: Sequence[NamedText], request: Request) -> Imported:
    """Read pastes into an inventory; raise InputError when nothing in them can be read."""
    inventory = loader.load(*request.merge) if request.merge else None
    options = _options(request, inventory)
    pastes = tuple(read_paste(name, text) for name, text in files)
    commands = _commands(pastes)
    if not commands:
        raise InputError(
            "no output of a known command is in it",
            where=Location(files[0][0] if files else "-"),
            expected="pasted output such as `show cert list own` or `show network cluster`",
        )
    gathered = gather(pastes, options)
    if request.merge is not None and inventory is not None:
        _refuse_nodes_of_others(gathered.cluster, inventory, request.merge[0])
    text, conflicts = _text(gathered, request, inventory)
    # What was read is untrusted; the result must be a file that `check` accepts.
    loader.load("the imported inventory", text)
    return Imported(text=text, commands=commands, notes=gathered.notes, conflicts=conflicts)


def _commands(pastes: Sequence[Paste]) -> int:
    return sum(reading.facts is not None for paste in pastes for reading in paste.readings)


def _options(request: Request, inventory: Inventory | None) -> Options:
    known = _known(request.cluster, inventory)
    zone = request.time_zone
    if zone is None and known is not None:
        zone = known.time_zone
    asked = DEFAULT_CLUSTER if request.cluster is None else request.cluster
    name = known.name if known else asked
    return Options(cluster=_id(name), node=_host(request.node), zone=_zone(zone), known=known)


def _id(name: str) -> str:
    try:
        return Cluster(name=name).name
    except ValueError as error:
        problem = f"{name!r} is not a name for a cluster"
        raise InputError(problem, expected="letters, digits, `.`, `_` and `-`") from error


def _host(name: str | None) -> str | None:
    try:
        return None if name is None else Node(name=name).name
    except ValueError as error:
        problem = f"{name!r} is not a name for a node"
        raise InputError(problem, expected="its short host name: letters, digits, `-`") from error


def _known(name: str | None, inventory: Inventory | None) -> Cluster | None:
    if inventory is None:
        return None
    if name is not None:
        found = (c for c in inventory.clusters if fold(c.name) == fold(name))
        return next(found, None)
    if len(inventory.clusters) > 1:
        names = ", ".join(cluster.name for cluster in inventory.clusters)
        raise InputError("which cluster does the paste show?", expected=f"--cluster, of: {names}")
    return inventory.clusters[0]


def _zone(name: str | None) -> ZoneInfo | None:
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError) as error:
        problem = f"{name!r} is not a time zone"
        raise InputError(problem, expected="a name such as Europe/Vienna") from error


def _text(
    gathered: Gathered, request: Request, inventory: Inventory | None
) -> tuple[str, tuple[str, ...]]:
    cluster = gathered.cluster
    if request.merge is None or inventory is None:
        fresh = Inventory(version=1, clusters=(cluster,))
        return write(fresh, request.hints, _remarks(gathered)), ()
    place = next((i for i, c in enumerate(inventory.clusters) if c.name == cluster.name), None)
    if place is None:
        return add_cluster(request.merge[1], cluster), ()
    changes = compare(inventory.clusters[place], cluster)
    additions = [change for change in changes if isinstance(change, Addition)]
    conflicts = tuple(
        f"{request.merge[0]}: {change}" for change in changes if isinstance(change, Conflict)
    )
    return complete(request.merge[1], {place: additions}), conflicts


def _refuse_nodes_of_others(found: Cluster, inventory: Inventory, file: str) -> None:
    """Raise InputError when a node that was read is one of another cluster of the file."""
    owners = {
        name: (node.name, cluster.name)
        for cluster in inventory.clusters
        if cluster.name != found.name
        for node in cluster.nodes
        for name in _names(node)
    }
    for name in (name for node in found.nodes for name in _names(node) if name in owners):
        node, cluster = owners[name]
        raise InputError(
            f"the paste shows node {node}, which belongs to cluster {cluster}, not {found.name}",
            where=Location(file),
            expected=f"--cluster {cluster}, or output from nodes of {found.name}",
        )


def _names(node: Node) -> list[str | None]:
    return [fold(name) for name in (node.name, *node.aliases)]


def _remarks(gathered: Gathered) -> tuple[str, ...]:
    if gathered.build is None:
        return ()
    return (f"The nodes run build {gathered.build}; add the SU to `release` if there is one.",)

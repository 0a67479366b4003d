"""How `watcher inventory check` looks on a terminal."""

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table
from rich.text import Text

from watcher.inventory.schema import Cluster, Duty, Inventory, Node
from watcher.inventory.unknown import unknowns

_UNKNOWN = "?"


def console() -> Console:
    """Return a console that takes text as it is: names in a file are no markup."""
    return Console(highlight=False, markup=False, emoji=False)


def print_cluster(out: Console, cluster: Cluster) -> None:
    """Print one cluster: what it is, then a line for each node."""
    out.print(Text(f"Cluster {cluster.name}", style="bold"))
    facts = (
        ("release", cluster.release),
        ("time zone", cluster.time_zone),
        ("security mode", cluster.security_mode),
        ("CTL", cluster.ctl_method),
    )
    words = ", ".join(f"{name} {value or _UNKNOWN}" for name, value in facts)
    out.print(Text(f"  {words}"), soft_wrap=True)
    counts = (
        (len(cluster.nodes), "node"),
        (len(cluster.callmanager_groups), "CallManager group"),
        (len(cluster.phone_groups), "phone group"),
        (len(cluster.certificates), "certificate"),
    )
    nouns = (f"{number} {noun}{'' if number == 1 else 's'}" for number, noun in counts)
    out.print(Text("  " + ", ".join(nouns)))
    if cluster.nodes:
        _print_table(out, _nodes(cluster))


def print_unknowns(out: Console, inventory: Inventory, hints: Mapping[str, str]) -> None:
    """Print what is not known, and which question of a plan asks for it."""
    missing = unknowns(inventory)
    if not missing:
        out.print(Text("Everything a plan asks for is known."))
        return
    table = Table(title="Not known yet", title_justify="left", box=None, pad_edge=False)
    for heading in ("cluster", "node", "key", "question of the plan"):
        table.add_column(heading, overflow="fold")
    for item in missing:
        hint = hints.get(item.key, "")
        table.add_row(*(Text(cell) for cell in (item.cluster, item.node or "", item.key, hint)))
    _print_table(out, table)


def _print_table(out: Console, table: Table) -> None:
    """Print a table without the blanks that fill its last column."""
    with out.capture() as drawn:
        out.print(table)
    lines = drawn.get().splitlines()
    out.file.write("".join(f"{line.rstrip()}\n" for line in lines))


def _nodes(cluster: Cluster) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("node", "address", "product", "role", "call processing", "TFTP", "CTI"):
        table.add_column(heading, overflow="fold")
    for node in cluster.nodes:
        cells = (
            node.name,
            ", ".join(node.addresses) or _UNKNOWN,
            node.product,
            node.role or _UNKNOWN,
            *(_duty(node, duty) for duty in Duty),
        )
        table.add_row(*(Text(str(cell)) for cell in cells))
    return table


def _duty(node: Node, duty: Duty) -> str:
    has = node.has(duty)
    if has is None:
        return _UNKNOWN
    if duty is Duty.TFTP and has and node.tftp_order is not None:
        return f"yes ({node.tftp_order})"
    return "yes" if has else "no"

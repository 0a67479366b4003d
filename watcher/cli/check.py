"""`watcher check` executes an order of steps against the trust model and judges it."""

from dataclasses import replace
from enum import StrEnum
from typing import Annotated

import typer

from watcher.app.clock import SystemClock
from watcher.app.files import read_text
from watcher.app.site import load_inventory
from watcher.cli import tables
from watcher.errors import InputError, Location
from watcher.inventory.lookup import find_cluster
from watcher.inventory.schema import Cluster
from watcher.model.proof import Assumption
from watcher.orders.reader import read
from watcher.orders.record import record
from watcher.orders.text import text
from watcher.proving.ground import scenario_of
from watcher.trust.prove import prove
from watcher.trust.scenario import Scenario


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command()(check)


class Format(StrEnum):
    """Formats of an answer."""

    TEXT = "text"
    JSON = "json"


_EXAMPLES = """Judge an order of steps: whom it would leave behind, why, and what heals them.

Every step is executed against a model of the cluster and its phones, in every combination of
undocumented behaviour and with reboots at any moment. Exit status 0 when the order is safe, 1 when
it is refused. The file is described in docs/steps.md; with an inventory it may hold the steps
alone, in plain words, one to a line.

Examples:

    watcher check steps.yaml                                 the file holds cluster and phones

    watcher check steps.txt -i site.yaml --cluster graz      cluster and phones of the inventory

    watcher check - --format json < steps.yaml               for programs
"""

Steps = Annotated[str, typer.Argument(metavar="STEPS|-", help="A steps file, or - for a pipe.")]
Site = Annotated[
    str | None,
    typer.Option("--inventory", "-i", metavar="FILE", help="Takes cluster and phones from here."),
]
Named = Annotated[
    str | None,
    typer.Option("--cluster", metavar="NAME", help="Cluster of the inventory, if it has several."),
]
Form = Annotated[Format, typer.Option("--format", help="Text for people, JSON for programs.")]


def check(
    steps: Steps, *, inventory: Site = None, cluster: Named = None, form: Form = Format.TEXT
) -> None:
    """Judge an order of steps."""
    if cluster is not None and inventory is None:
        raise InputError("--cluster without --inventory", expected="the inventory as well")
    base, inputs = ground(inventory, cluster) if inventory is not None else (None, ())
    scenario = read(steps, read_text(steps), base, possible=True)
    verdict = prove(scenario)
    if form is Format.JSON:
        tables.print_json(record(scenario, verdict, inputs))
    else:
        print(text(scenario, verdict, inputs), end="")
    if not verdict.safe:
        raise typer.Exit(1)


check.__doc__ = _EXAMPLES


def ground(inventory: str, name: str | None) -> tuple[Scenario, tuple[Assumption, ...]]:
    """Return a cluster of an inventory without steps, and what of it had to be assumed."""
    cluster = _chosen(inventory, name)
    if cluster.release is None:
        raise InputError(
            f"{cluster.name} has no release", where=Location(inventory),
            expected='release: "12.5" in the inventory',
        )  # fmt: skip
    scenario, inputs = scenario_of(cluster, as_of=SystemClock().now())
    if cluster.last_backup is None:
        return scenario, inputs
    day = cluster.last_backup.date()
    held = Assumption(
        text=f"the DRS backup of {day} holds the present certificates",
        check="Disaster Recovery System: its date, and no certificate renewed since",
    )
    return replace(scenario, backed_up=True), (*inputs, held)


def _chosen(inventory: str, name: str | None) -> Cluster:
    site = load_inventory(inventory)
    names = ", ".join(cluster.name for cluster in site.clusters)
    where = Location(inventory)
    if name is None:
        if len(site.clusters) > 1:
            problem = f"it holds {len(site.clusters)} clusters"
            raise InputError(problem, where=where, expected=f"--cluster with one of {names}")
        return site.clusters[0]
    found = find_cluster(site, name)
    if found is None:
        raise InputError(f"no cluster is called {name}", where=where, expected=f"one of {names}")
    return found

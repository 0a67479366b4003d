"""`watcher inventory`: check an inventory, import pasted CLI output, write the schema."""

import sys
from typing import Annotated

import typer

from watcher.app.calendars import site_calendars
from watcher.app.files import write_output
from watcher.app.imports import import_transcripts
from watcher.app.knowledge import load_catalogue
from watcher.app.site import inventory_hints, load_inventory
from watcher.cli import inventory_text
from watcher.errors import one_line
from watcher.inventory.jsonschema import inventory_schema
from watcher.inventory.loader import faults
from watcher.transcripts.gather import Note
from watcher.transcripts.importer import Request

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Check what is known about your clusters, or read it from pasted command output.",
)


def register(commands: typer.Typer) -> None:
    """Add the group of commands to `commands`."""
    commands.add_typer(app, name="inventory")


Output = Annotated[
    str | None,
    typer.Option("--output", "-o", metavar="FILE", help="File; standard output when absent."),
]


@app.command()
def check(
    file: Annotated[str, typer.Argument(metavar="FILE", help="An inventory; `-` reads a pipe.")],
    rules: Annotated[
        list[str] | None,
        typer.Option("--rules", metavar="PACK", help="A site's own rule pack, for its stores."),
    ] = None,
) -> None:
    """Check an inventory and show its clusters, and what is not known yet.

    Exit status 2 when anything is wrong, with file, line and column.
    """
    inventory = load_inventory(file, load_catalogue(rules or ()))
    site_calendars(file, inventory)
    out = inventory_text.console()
    for cluster in inventory.clusters:
        inventory_text.print_cluster(out, cluster)
    inventory_text.print_unknowns(out, inventory, inventory_hints())


@app.command()
def schema(output: Output = None) -> None:
    """Write the JSON Schema of an inventory, for editors."""
    write_output(output, inventory_schema())


@app.command(name="import")
def import_(  # noqa: PLR0913 -- one parameter for each option of the command line
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="[FILE]...", help="Pasted output; `-` or nothing reads a pipe."),
    ] = None,
    *,
    cluster: Annotated[str | None, typer.Option(help="Which cluster the output shows.")] = None,
    node: Annotated[str | None, typer.Option(help="Which node the output comes from.")] = None,
    time_zone: Annotated[
        str | None, typer.Option(help="The cluster's zone, such as Europe/Vienna.")
    ] = None,
    merge: Annotated[
        str | None, typer.Option(metavar="INVENTORY", help="Complete this file; its values stay.")
    ] = None,
    output: Output = None,
) -> None:
    """Read pasted command output and print an inventory; what is not read is told on stderr.

    Reads `show ctl`, `show itl`, `show cert list own|trust`, `show cert own|trust NAME`,
    `utils service list`, `show network cluster`, `show version active` and the two
    `run sql select paramname,paramvalue ...`, many in one paste, with prompts or without.

    Example: `watcher inventory import pub.txt --cluster hq -o inventory.yaml`
    """
    request = Request(cluster=cluster, node=node, time_zone=time_zone, hints=inventory_hints())
    imported = import_transcripts(files or ["-"], request, merge)
    for note in imported.notes:
        _tell(_words(note))
    for conflict in imported.conflicts:
        _tell(f"conflict: {conflict}")
    strange = faults(output or "the imported inventory", imported.text, load_catalogue())
    for fault in strange:
        _tell(f"open: {fault}")
    open_ends = sum(note.open_end for note in imported.notes) + len(strange)
    conflicts = len(imported.conflicts)
    _tell(f"commands read: {imported.commands}, open: {open_ends}, conflicts: {conflicts}")
    write_output(output, imported.text)


def _words(note: Note) -> str:
    place = f"{note.file}:{note.line}: " if note.line else ""
    return f"{place}{'open' if note.open_end else 'read'}: {note.text}"


def _tell(text: str) -> None:
    print(one_line(text), file=sys.stderr)

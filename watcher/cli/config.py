"""`watcher config`: check the settings as start does, show what is in force, write the schema."""

import os
import sys
from collections.abc import Iterator
from typing import Annotated

import typer

from watcher.app.files import write_output
from watcher.app.secrets import hashed
from watcher.app.settings import Prepared, find_settings, load_settings, prepare
from watcher.cli import config_text, tables
from watcher.errors import InputError
from watcher.settings.jsonschema import settings_schema
from watcher.settings.loader import From, settings_in_force

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Check and show the settings of the daemon.",
)


def register(commands: typer.Typer) -> None:
    """Add the group of commands to `commands`."""
    commands.add_typer(app, name="config")


File = Annotated[
    str | None,
    typer.Argument(
        metavar="[FILE]",
        help="Else $WATCHER_SETTINGS, watcher.yaml here, /etc/watcher/watcher.yaml, or none.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="For programs.")]


@app.command()
def check(file: File = None) -> None:
    """Check settings by all that start does short of opening a port; exit status 2 on a fault.

    Reads the environment, secrets, inventory, rule packs and certificates too. Says what listens,
    what is known, where tickets and mail go, and where the state is.

    Example: `watcher config check /etc/watcher/watcher.yaml`
    """
    prepared = prepare(find_settings(file, os.environ), os.environ)
    out = tables.console()
    tables.say(out, f"{prepared.path or 'Defaults (no settings file)'}: good.")
    tables.print_table(out, ("input", "kind", "where"), _inputs(prepared))
    clusters = prepared.inventory.clusters if prepared.inventory else ()
    nodes = sum(len(cluster.nodes) for cluster in clusters)
    known = f"{tables.counted(len(clusters), 'cluster')}, {tables.counted(nodes, 'node')}"
    tables.say(out, f"inventory: {known}")
    tables.say(out, f"rules: {len(prepared.catalogue.stores)} certificate stores")
    for line in config_text.lines(prepared):
        tables.say(out, line)


@app.command()
def show(
    file: File = None,
    *,
    changed: Annotated[bool, typer.Option("--changed", help="Leave defaults out.")] = False,
    as_json: Json = False,
) -> None:
    """Show every setting in force and who said so: default, file with line, or a variable.

    Of a secret it shows where it stands, never the secret.

    Example: `watcher config show --changed`
    """
    loaded = load_settings(find_settings(file, os.environ), os.environ)
    told = [
        one for one in settings_in_force(loaded) if not changed or one.origin is not From.DEFAULT
    ]
    if as_json:
        tables.print_json(
            [
                {"key": one.key, "value": one.value, "origin": one.origin, "where": one.where}
                for one in told
            ]
        )
        return
    rows = ((one.key, one.value, one.where or one.origin) for one in told)
    tables.print_table(tables.console(), ("setting", "value", "from"), rows)


@app.command()
def schema(
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="FILE", help="File; standard output when absent."),
    ] = None,
) -> None:
    """Write the JSON Schema of the settings file, for editors."""
    write_output(output, settings_schema())


@app.command()
def password() -> None:
    """Read a password from standard input and print its hash, for a file of `smtp.users`.

    Example: `watcher config password < new-password > /etc/watcher/relay.hash`
    """
    given = sys.stdin.readline().rstrip("\r\n")
    if not given:
        raise InputError("standard input holds no password", expected="one line")
    write_output(None, f"{hashed(given)}\n")


def _inputs(prepared: Prepared) -> Iterator[tuple[str, str, str]]:
    inputs = prepared.settings.inputs
    listening = (
        ("udp", inputs.udp), ("tcp", inputs.tcp),
        ("tls", prepared.settings.tls_inputs()), ("smtp", inputs.smtp),
    )  # fmt: skip
    for kind, blocks in listening:
        for one in blocks:
            yield one.name, kind, f"{one.address} port {one.port or 'any'}"
    for spool in inputs.files:
        yield spool.name, "files", spool.folder or ", ".join(spool.follow)
    for mailbox in inputs.imap:
        yield mailbox.name, "imap", f"{mailbox.user} at {mailbox.host} port {mailbox.port}"
    if prepared.settings.web is not None:
        web = prepared.settings.web
        yield "web", "metrics", f"{web.address} port {web.port or 'any'}"

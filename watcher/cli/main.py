"""The `watcher` command: its subcommands, and the one place that turns errors into exits."""

import os
import sys
from typing import Annotated

import typer

from watcher import __version__
from watcher.cli import inventory, parse, plan, rules
from watcher.errors import InputError

app = typer.Typer(
    name="watcher",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="Turn certificate alarms of Cisco UC clusters into change plans.",
)


def _version(*, wanted: bool) -> None:
    if wanted:
        print(__version__)
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Hold the options that stand before a subcommand."""


app.command()(parse.parse)
app.command("plan")(plan.plan)
app.command("verify")(plan.verify)
app.add_typer(rules.app, name="rules")
app.add_typer(inventory.app, name="inventory")


def main() -> None:
    """Run the command line; exit 2 with one line on standard error for bad input."""
    try:
        app()
    except InputError as error:
        print(f"watcher: error: {error}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        # The reader went away (`| head`); say nothing more, not even at interpreter exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except KeyboardInterrupt:
        sys.exit(130)

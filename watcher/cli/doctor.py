"""`watcher doctor`: is everything as it must be, and what to set on the nodes."""

import os
from typing import Annotated

import typer
from pydantic import TypeAdapter

from watcher.app.advice import advice
from watcher.app.clock import SystemClock
from watcher.app.doctor import examine
from watcher.app.finding import Finding, Verdict
from watcher.app.settings import find_settings
from watcher.cli import tables
from watcher.cli.options import Json, SettingsFile


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command()(doctor)


def doctor(
    settings: SettingsFile = None,
    *,
    brief: Annotated[bool, typer.Option("--brief", help="Only what is not well.")] = False,
    as_json: Json = False,
) -> None:
    """Look at everything the daemon stands on; say what to do, and what to set on the nodes.

    Ports, receive buffer, disk, database, mailboxes, clock, our own certificates, inventory,
    silent sources. Exit status 1 when something fails; a warning is none.

    Examples: `watcher doctor` and `watcher doctor --brief`
    """
    now = SystemClock().now()
    prepared, findings = examine(find_settings(settings, os.environ), os.environ, now)
    if as_json:
        tables.print_json(TypeAdapter(tuple[Finding, ...]).dump_python(findings, mode="json"))
    else:
        out = tables.console()
        shown = [one for one in findings if not brief or one.verdict is not Verdict.OK]
        rows = ((one.verdict, one.what, one.found, one.todo) for one in shown)
        tables.print_table(out, ("", "what", "found", "to do"), rows)
        if prepared is not None and not brief:
            out.print()
            out.print(advice(prepared), end="", soft_wrap=True)
    failed = any(one.verdict is Verdict.FAIL for one in findings)
    raise typer.Exit(1 if failed else 0)

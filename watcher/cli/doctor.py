"""`watcher doctor`: is everything as it must be; with `--advice`, what to set on the nodes."""

import os
from typing import Annotated

import typer
from pydantic import TypeAdapter

from watcher.app.advice import advice
from watcher.app.clock import SystemClock
from watcher.app.doctor import examine
from watcher.app.finding import Finding, Verdict
from watcher.app.settings import Prepared, find_settings, prepare
from watcher.cli import tables
from watcher.cli.options import Json, SettingsFile
from watcher.errors import InputError


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command()(doctor)


def doctor(
    settings: SettingsFile = None,
    *,
    brief: Annotated[bool, typer.Option("--brief", help="Only what is not well.")] = False,
    nodes: Annotated[
        bool,
        typer.Option(
            "--advice", help="Tell what to set on the nodes so that alarms come, and nothing else."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Look at everything the daemon stands on and say what to do; or what to set on the nodes.

    Ports, receive buffer, disk, database, mailboxes, clock, our own certificates, inventory,
    silent sources. Exit status 1 when something fails; a warning is none.

    Examples: `watcher doctor`, `watcher doctor --brief`, `watcher doctor --advice`
    """
    if nodes:
        if as_json or brief:
            raise InputError("--advice is a text of its own", expected="no --json, no --brief")
        _advise(prepare(find_settings(settings, os.environ), os.environ))
        return
    now = SystemClock().now()
    findings = examine(find_settings(settings, os.environ), os.environ, now)
    if as_json:
        tables.print_json(TypeAdapter(tuple[Finding, ...]).dump_python(findings, mode="json"))
    else:
        out = tables.console()
        shown = [one for one in findings if not brief or one.verdict is not Verdict.OK]
        rows = ((one.verdict, one.what, one.found, one.todo) for one in shown)
        tables.print_table(out, ("", "what", "found", "to do"), rows)
        if not brief:
            out.print()
            tables.say(out, "What to set on the nodes so that alarms come: watcher doctor --advice")
    failed = any(one.verdict is Verdict.FAIL for one in findings)
    raise typer.Exit(1 if failed else 0)


def _advise(prepared: Prepared) -> None:
    tables.console().print(advice(prepared), end="", soft_wrap=True)

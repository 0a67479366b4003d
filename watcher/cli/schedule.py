"""`watcher schedule` finds the maintenance window for the plans of alarms."""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from watcher.app.clock import SystemClock
from watcher.app.files import STANDARD_INPUT, write_output
from watcher.app.plans import PlanOrder
from watcher.app.slots import schedules
from watcher.cli.plan import Inputs, Packs, moment, no_alarm
from watcher.cli.tables import console, print_json, print_table, say
from watcher.errors import one_line
from watcher.model.alarm import Tally
from watcher.model.slot import Outcome, Schedule
from watcher.slots import text
from watcher.slots.calendar_out import to_ics


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("schedule")(schedule)


class Format(StrEnum):
    """Formats of a schedule."""

    TEXT = "text"
    JSON = "json"
    ICS = "ics"


_EXAMPLES = """Find the slot for the change: recommended, latest safe, or the proof that none fits.

Windows, blackouts, lead times and margin come from the inventory and from calendar files. Exit
status 1 when no slot was found for a plan.

Examples:

    watcher schedule alarm.txt -i site.yaml                    as of now

    watcher schedule mail.eml -i site.yaml --at 2026-11-23T08:00Z --calendar holidays.ics

    watcher schedule storm.txt -i site.yaml --calendar graz=graz.ics --calendar wien=wien.ics

    watcher schedule - -i site.yaml --format ics < alarm.txt > change.ics
"""

Site = Annotated[
    str, typer.Option("--inventory", "-i", metavar="FILE", help="The site's inventory.")
]
At = Annotated[
    str | None,
    typer.Option(
        "--at",
        metavar="TIME",
        help="Moment that counts as now: 2026-11-23 or 2026-11-23T22:00Z.",
    ),
]
Calendars = Annotated[
    list[str] | None,
    typer.Option(
        "--calendar",
        metavar="[CLUSTER=]ICS",
        help="Besides those of the inventory: events that block changes; with the category WINDOW "
        "or MAINTENANCE: windows.",
    ),
]
Form = Annotated[Format, typer.Option("--format", help="Format of the answer.")]


def schedule(  # noqa: PLR0913, PLR0917 -- one argument for each option of the command line
    inventory: Site,
    inputs: Inputs = None,
    rules: Packs = None,
    at: At = None,
    calendar: Calendars = None,
    form: Form = Format.TEXT,
) -> None:
    """Find the slot for the change: recommended, latest safe, or the proof that none fits."""
    now = moment(at) or SystemClock().now()
    order = PlanOrder(
        inputs=tuple(inputs or [STANDARD_INPUT]), inventory=inventory, rules=tuple(rules or ())
    )
    tally = Tally()
    found = schedules(order, calendar or (), now, tally)
    if not found:
        raise no_alarm(order, tally)
    _print(found, form, now)
    if any(one.outcome is not Outcome.FOUND for one in found):
        raise typer.Exit(1)


schedule.__doc__ = _EXAMPLES


def _print(found: Sequence[Schedule], form: Format, now: datetime) -> None:
    if form is Format.ICS:
        # Minutes since 1970: a calendar that is made later replaces the one before.
        write_output(None, to_ics(found, int(now.timestamp()) // 60))
        for one in found:
            if one.outcome is not Outcome.FOUND:
                print(one_line(" ".join(text.lines(one))), file=sys.stderr)
    elif form is Format.JSON:
        print_json([_plain(asdict(one)) for one in found])
    else:
        for number, one in enumerate(found):
            _tell(one, first=number == 0)


def _plain(value: Any) -> Any:  # noqa: ANN401 -- whatever a dataclass holds
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value


def _tell(found: Schedule, *, first: bool) -> None:
    out = console()
    if not first:
        out.print()
    for line in text.lines(found):
        say(out, line)
    if found.slots or found.late:
        out.print()
        say(out, "Recommended:" if found.slots else "First slots without regard to the deadline:")
        print_table(out, text.COLUMNS, text.rows(found))
    if found.outcome in (Outcome.FOUND, Outcome.NONE):
        out.print()
        for line in text.strip(found):
            say(out, line)
    for line in text.proof(found):
        say(out, line)

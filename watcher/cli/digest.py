"""`watcher digest`: what the weekly digest says, or would say at another time."""

import os
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from watcher.app.clock import SystemClock
from watcher.app.files import write_output
from watcher.app.posting import ALL, Desk, carriers_of, state_of
from watcher.app.settings import Located, calendars_of, find_settings, inventory_of, prepare
from watcher.app.status import read_worker
from watcher.app.views import opened
from watcher.cli import tables
from watcher.cli.formats import chosen
from watcher.cli.options import TIME, SettingsFile, located_to_look, moment
from watcher.digest.weeks import newest
from watcher.errors import InputError, WatcherError
from watcher.model.digest import Answer, DigestPage


class Form(StrEnum):
    """Formats of a digest."""

    TEXT = "text"
    HTML = "html"
    EML = "eml"
    """The mail itself, with all its parts."""


_ENDINGS = {".txt": Form.TEXT, ".html": Form.HTML, ".htm": Form.HTML, ".eml": Form.EML}
"""What the name of an output file says about its format."""


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("digest")(digest)


def digest(  # noqa: PLR0913 -- one parameter for each option of the command line
    *,
    settings: SettingsFile = None,
    at: Annotated[
        str | None,
        typer.Option(metavar="TIME", help=f"As if it were then, with the cases of now: {TIME}."),
    ] = None,
    list_: Annotated[
        str | None, typer.Option("--list", metavar="NAME", help="Of the settings; else the first.")
    ] = None,
    send: Annotated[bool, typer.Option("--send", help="Send it to the list, by hand.")] = False,
    form: Annotated[
        Form | None,
        typer.Option(
            "--format",
            show_default=False,
            help="A part, or the whole mail. Default: as the name of the output ends, else text.",
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write it there.")
    ] = None,
) -> None:
    """Show the weekly digest: what expires, what changed, what is silent, what is quiet.

    Without a list in the settings it tells of all clusters. A digest that is sent by hand is a
    mail of its own: that of the week goes out nevertheless, once.

    Examples: `watcher digest`, `watcher digest --send`,
    `watcher digest --list voice --at 2026-12-07 -o digest.html`
    """
    where = str(output) if output else None
    wanted = chosen(form, where, _ENDINGS, "a digest") or Form.TEXT
    now = SystemClock().now()
    place = located_to_look(settings)
    name = _named(place, list_)
    inventory = inventory_of(place)
    desk = Desk(
        settings=place.settings, inventory=inventory, calendars=calendars_of(place, inventory)
    )  # fmt: skip
    page = _page(place, desk, name, moment(at, now, "--at") if at else now)
    if send:
        _send(settings, desk, page, now)
    else:
        write_output(where, _FORMS[wanted](desk, page, now))


def _named(place: Located, wanted: str | None) -> str:
    names = [one.name for one in place.settings.digest.lists]
    if wanted is not None and wanted not in names:
        known = ", ".join(names) or "a list under `digest:` in the settings"
        raise InputError(f"--list: there is no list {wanted!r}", expected=known)
    return wanted or next(iter(names), ALL)


def _page(place: Located, desk: Desk, name: str, at: datetime) -> DigestPage:
    worker = read_worker(place.state_dir)
    with opened(place) as store:
        state = state_of(store, worker.sources if worker else (), desk.inventory, at)
    return desk.page(name, state, newest(at, desk.timetable), at)


_FORMS: dict[Form, Callable[[Desk, DigestPage, datetime], str]] = {
    Form.TEXT: lambda desk, page, now: desk.body(page, now).text,
    Form.HTML: lambda desk, page, now: desk.body(page, now).html,
    Form.EML: lambda desk, page, now: desk.digest(page, now).decode("ascii"),
}


def _send(settings: str | None, desk: Desk, page: DigestPage, now: datetime) -> None:
    """Send a page now; who did not get it is told, and is the exit status."""
    to = next((one.to for one in desk.settings.digest.lists if one.name == page.list), ())
    if not to:
        raise InputError("there is nobody to send it to", expected="`digest: {lists: ...}`")
    carriers = carriers_of(prepare(find_settings(settings, os.environ), os.environ))
    letter = desk.digest(page, now, f".by-hand-{page.now:%Y%m%dT%H%M%S}")
    answers = carriers.carry(page.list, letter, to)
    rows = [(one, *answers[one]) for one in to]
    tables.print_table(tables.console(), ("recipient", "answer", "told"), rows)
    missed = [one for one in to if answers[one][0] is not Answer.TAKEN]
    if missed:
        raise WatcherError(f"not delivered to {', '.join(missed)}")

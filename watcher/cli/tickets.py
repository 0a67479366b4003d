"""`watcher tickets`, `watcher test-send`: what went to ticket systems, and whether they work."""

import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from shlex import quote
from typing import Annotated

import typer
from pydantic import TypeAdapter
from rich.console import Console

from watcher.app.clock import SystemClock
from watcher.app.settings import ticket_keys_of
from watcher.app.ticketing import sample_sent, systems_of, tried_again
from watcher.app.views import opened
from watcher.cli import tables
from watcher.cli.options import Json, SettingsFile, located, located_to_look
from watcher.errors import InputError
from watcher.model.clock import sure_moment
from watcher.model.ticket import Draft, Errand, Ticket
from watcher.ports import Filed, TicketSystem
from watcher.senders.directory import DirectorySystem
from watcher.slots import said
from watcher.slots.zones import zone_of
from watcher.tickets.advance import SHOW

app = typer.Typer(
    invoke_without_command=True,
    rich_markup_mode="markdown",
    help="List change tickets and how far each is; show one, or try again what was given up.",
)
Key = Annotated[str, typer.Argument(metavar="KEY", help="Key, as `watcher tickets` prints it.")]


def register(commands: typer.Typer) -> None:
    """Add the group of commands and `test-send` to `commands`."""
    commands.add_typer(app, name="tickets")
    commands.command("test-send")(send_sample)


@app.callback()
def tickets(
    context: typer.Context,
    *,
    settings: SettingsFile = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many changes.")] = 50,
    as_json: Json = False,
) -> None:
    """List changes and their tickets, the newest first.

    Examples: `watcher tickets`, `watcher tickets show watcher-hq-0fa2c1-3`
    """
    context.obj = settings
    if context.invoked_subcommand is not None:
        return
    with opened(located_to_look(settings)) as store:
        found = store.outbox.recent(limit)
    if as_json:
        tables.print_json(TypeAdapter(list[Filed]).dump_python(list(found), mode="json"))
        return
    heads = ("change", "version", "state", "system", "ticket", "waiting", "unknown", "dead", "told")
    tables.print_table(tables.console(), heads, (row for one in found for row in _rows(one)))


def _rows(filed: Filed) -> Iterator[tuple[object, ...]]:
    change = filed.change
    state = "done" if change.ended_at else "open"
    for name in sorted({one.system for one in filed.errands}) or [""]:
        errands = [one for one in filed.errands if one.system == name]
        ticket = next((one for one in filed.tickets if one.system == name), None)
        counts = [sum(one.state in states for one in errands) for states in _COLUMNS]
        yield (change.key, change.version, state, name, _named(ticket), *counts, _told(errands))


_COLUMNS = (("new", "sending"), ("unknown",), ("dead",))


def _named(ticket: Ticket | None) -> str:
    if ticket is None:
        return "none yet"
    return f"{ticket.ref.number}{' (closed)' if ticket.ref.closed else ''}"


def _told(errands: Sequence[Errand]) -> str:
    """Return what is wrong now, else what the version that was sent last had to do without.

    What never was sent tells why where nothing was: a closed ticket has the key.
    """
    wrong = [one.told for one in errands if one.state != "done" and one.told]
    shows = [one for one in errands if one.state == "done" and one.kind in SHOW]
    last = [one.told for one in shows if one.sent_at] or [one.told for one in shows]
    return (wrong or last or [""])[-1]


@app.command()
def show(
    context: typer.Context,
    key: Key,
    *,
    full: Annotated[bool, typer.Option("--full", help="All that the ticket says too.")] = False,
    as_json: Json = False,
) -> None:
    """Show one change: when it is planned, its tickets, what was and is to be done.

    Examples: `watcher tickets show watcher-hq-0fa2c1-3`,
    `watcher tickets show watcher-hq-0fa2c1-3 --full`
    """
    with opened(located_to_look(context.obj)) as store:
        filed = store.outbox.filed(key)
    if filed is None:
        raise InputError(f"there is no change {key!r}", expected="a key of `watcher tickets`")
    if as_json:
        tables.print_json(TypeAdapter(Filed).dump_python(filed, mode="json"))
        return
    out = tables.console()
    _print_head(out, filed)
    if full:
        _print_texts(out, filed.change.draft)
    else:
        out.print()
        tables.say(out, f"What the ticket says: watcher tickets show {key} --full")


def _print_head(out: Console, filed: Filed) -> None:
    change, draft = filed.change, filed.change.draft
    tables.say(out, f"{change.key}, version {change.version}: {draft.title}")
    tables.say(out, f"opened {_at(change.opened_at)}, done {_at(change.ended_at)}")
    tables.say(out, _planned(draft))
    for line in change.standing:
        tables.say(out, f"- {line}")
    tables.heading(out, "Tickets")
    rows = ((one.system, _named(one), one.ref.url) for one in filed.tickets)
    tables.print_table(out, ("system", "ticket", "where"), rows)
    tables.heading(out, "Errands")
    heads = ("system", "what", "mark", "state", "tries", "next", "sent", "told")
    tables.print_table(out, heads, (_errand(one) for one in filed.errands))


def _planned(draft: Draft) -> str:
    """Return when it is planned and by when it must be over, by the clock that its ticket shows."""
    name = draft.fit.zone if draft.fit else "UTC"
    zone = zone_of(name)
    due = f"; to be over by {sure_moment(draft.due, zone)}" if draft.due else ""
    when = "no window"
    if draft.fit is not None and draft.fit.slots:
        when = "; ".join(said.windows(draft.fit))
    elif draft.starts is not None and draft.ends is not None:
        when = f"{sure_moment(draft.starts, zone)} to {sure_moment(draft.ends, zone)}"
    return f"planned: {when}{due} ({name})"


def _print_texts(out: Console, draft: Draft) -> None:
    for name in ("description", "risk", "impact", "implementation", "back_out", "test"):
        tables.heading(out, name.replace("_", "-").capitalize())
        for line in str(getattr(draft, name)).split("\n"):
            tables.say(out, line)


def _errand(one: Errand) -> tuple[object, ...]:
    waits = one.state in ("new", "unknown")
    following = _at(one.next_at) if waits else ""
    return (one.system, one.kind, one.mark, one.state, one.attempts + one.refusals, following,
            _at(one.sent_at), one.told)  # fmt: skip


def _at(when: datetime | None) -> str:
    return f"{when:%Y-%m-%d %H:%M:%S} UTC" if when else "not yet"


@app.command()
def retry(
    context: typer.Context,
    key: Annotated[str | None, typer.Argument(metavar="[KEY]", help="Key of a change.")] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="Of all changes.")] = False,
) -> None:
    """Try again what was given up for a change, or for all; a search comes first.

    Examples: `watcher tickets retry watcher-hq-0fa2c1-3`, `watcher tickets retry --all`
    """
    if (key is None) != every:
        raise InputError("what to try again is not clear", expected="a key, or --all")
    with opened(located(context.obj)) as store:
        count = tried_again(store.outbox, key, SystemClock().now())
    whose = key or "all changes"
    tables.say(
        tables.console(), f"{tables.counted(count, 'errand')} of {whose} will be tried again"
    )


def send_sample(
    system: Annotated[
        str | None, typer.Argument(metavar="[SYSTEM]", help="Its name; absent: each of them.")
    ] = None,
    *,
    settings: SettingsFile = None,
) -> None:
    """Make a marked sample ticket at a ticket system, find it, comment on it; say how it went.

    The sample says that it is one and may be closed; each try makes another, and it is told how to
    be rid of it. Exit status 1 if a system failed.
    """
    place, clock = located(settings), SystemClock()
    systems = systems_of(place, ticket_keys_of(place, os.environ), clock)
    if system is not None and system not in systems:
        known = ", ".join(systems) or "none is configured"
        raise InputError(f"there is no ticket system {system!r}", expected=known)
    out, failed = tables.console(), False
    for name in [system] if system else systems:
        result = sample_sent(systems[name], clock.now())
        failed = failed or bool(result.problem)
        tables.say(out, f"{name}: {result.problem or 'works: ' + result.where}")
        for step in result.steps:
            tables.say(out, f"- {step}")
        if result.where:
            tables.say(out, f"- to be rid of it: {_riddance(systems[name], result.where)}")
    raise typer.Exit(1 if failed else 0)


def _riddance(system: TicketSystem, where: str) -> str:
    if isinstance(system, DirectorySystem):
        return f"rm -r {quote(where)}"
    return "delete or close it there; nothing of ours looks for it again"

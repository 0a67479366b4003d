"""`watcher quarantine`: which messages could not be read or believed, and why."""

from collections.abc import Iterator
from itertools import islice
from typing import Annotated

import typer

from watcher.app.explain import shown
from watcher.app.replay import PAGE
from watcher.app.views import opened
from watcher.cli import tables
from watcher.cli.options import Json, SettingsFile, located_to_look
from watcher.model.ledger import Reason
from watcher.model.message import MessageId
from watcher.ports import StoredMessage, View

TEXT = 80
"""Bytes of a message in the table."""


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command()(quarantine)


def quarantine(
    *,
    reason: Annotated[
        list[Reason] | None, typer.Option(help="Only what is there for it; may be repeated.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 200,
    settings: SettingsFile = None,
    as_json: Json = False,
) -> None:
    """List messages that could not be read or believed, oldest first, and why.

    They are kept, and count for no case. `watcher explain MESSAGE` tells all about one; after a
    fix of rules, inventory or program `watcher replay` reads them again.

    Examples: `watcher quarantine` and `watcher quarantine --reason unreadable --limit 20`
    """
    with opened(located_to_look(settings)) as store:
        wanted = _messages(store.view, frozenset(reason or ()))
        found = list(islice(wanted, limit + 1))
    rows = [_row(one) for one in found[:limit]]
    heads = ("message", "received", "input", "peer", "reason", "detail", "text")
    if as_json:
        tables.print_json([dict(zip(heads, row, strict=True)) for row in rows])
        return
    out = tables.console()
    tables.print_table(out, heads, rows)
    if len(found) > limit:
        tables.say(out, f"There are more than these {limit}: --limit shows more.")


def _messages(view: View, reasons: frozenset[Reason]) -> Iterator[StoredMessage]:
    after: MessageId | None = None
    while page := view.quarantine(after, PAGE):
        after = page[-1].id
        yield from (one for one in page if not reasons or one.reason in reasons)


def _row(one: StoredMessage) -> tuple[str, ...]:
    received = f"{one.received_at:%Y-%m-%d %H:%M:%S} UTC"
    text = shown(one.data, TEXT)
    return (
        str(one.id), received, one.origin.input, one.origin.peer, one.reason.value, one.detail, text
    )  # fmt: skip

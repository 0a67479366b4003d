"""`watcher explain`: the whole path of one message."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from watcher.app.clock import SystemClock
from watcher.app.explain import Explainer, Stage
from watcher.app.files import read_bytes
from watcher.app.settings import Located, directory_of
from watcher.app.views import opened
from watcher.cli import tables
from watcher.cli.options import Json, SettingsFile, located
from watcher.errors import InputError
from watcher.model.message import MessageId, Position
from watcher.ports import View
from watcher.store.connection import sqlite_file

LIMIT = 16 << 20
"""Bytes of a message in a file."""
_ID = re.compile(r"([a-z][a-z0-9-]*)-([0-9a-f]{1,16})", re.ASCII)


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command()(explain)


def explain(
    message: Annotated[
        str, typer.Argument(metavar="MESSAGE", help="Id of a message, a file, or - for a pipe.")
    ],
    *,
    settings: SettingsFile = None,
    as_json: Json = False,
) -> None:
    """Print the whole path of one message: bytes, header, facts, node, case, event, plan.

    For an id (`main-1a2b`, as the log and `watcher cases show` print it) it tells what happened;
    for a file what would happen, had its bytes come as one datagram. Nothing is changed.

    Examples: `watcher explain main-1a2b` and `watcher explain - < alarm.txt`
    """
    place = located(settings)
    path = _path(place, message)
    if as_json:
        tables.print_json([{"stage": stage.title, "facts": dict(stage.facts)} for stage in path])
        return
    out = tables.console()
    for stage in path:
        tables.heading(out, stage.title)
        for name, value in stage.facts:
            tables.say(out, f"  {name}: {value}")


def _path(place: Located, message: str) -> Sequence[Stage]:
    directory = directory_of(place)
    id_ = message_id(message)
    with _view(place, needed=id_ is not None) as view:
        explainer = Explainer(
            directory=directory, view=view, thresholds=place.settings.cases.thresholds,
            plan_folder=place.plan_folder, now=SystemClock().now(),
        )  # fmt: skip
        if id_ is None or view is None:
            return explainer.of_bytes(read_bytes(message, LIMIT, "one message"), message)
        found = view.message(id_)
        if found is None:
            raise InputError(
                f"no message {id_} is stored; noise is only counted, and old messages are removed",
                expected="an id of the log or of `watcher cases show`",
            )
        return explainer.of_message(found)


def message_id(text: str) -> MessageId | None:
    """Return the id that a text is; None when it is none, or there is a file of that name."""
    match = _ID.fullmatch(text)
    if match is None or Path(text).exists():
        return None
    return MessageId(journal=match[1], position=Position(int(match[2], 16)))


@contextmanager
def _view(place: Located, *, needed: bool) -> Iterator[View | None]:
    """Open the store; bytes are explained without one, too."""
    file = sqlite_file(place.database_url.reveal())
    if not needed and file is not None and not file.exists():
        yield None
        return
    with opened(place) as store:
        yield store.view

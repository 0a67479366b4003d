"""Options that several commands share, and the texts of times that people type."""

import os
import sys
from datetime import UTC, date, datetime, time
from typing import Annotated

import typer

from watcher.app.settings import Located, find_settings, locate, locate_anyway
from watcher.errors import InputError, one_line
from watcher.settings.terms import read_duration

SettingsFile = Annotated[
    str | None,
    typer.Option(
        "--settings", "-s", metavar="FILE",
        help="Else $WATCHER_SETTINGS, watcher.yaml here, /etc/watcher/watcher.yaml, or none.",
    ),
]  # fmt: skip
Json = Annotated[bool, typer.Option("--json", help="For programs.")]


def located(settings: str | None) -> Located:
    """Return where the state of the daemon is."""
    return locate(find_settings(settings, os.environ), os.environ)


def located_anyway(settings: str | None) -> tuple[Located, str]:
    """Do as `located` with what is sound in the settings, and return what is wrong with them."""
    return locate_anyway(find_settings(settings, os.environ), os.environ)


def located_to_look(settings: str | None) -> Located:
    """Do as `located_anyway`, for a command that changes nothing; a fault is told beside it."""
    place, fault = located_anyway(settings)
    if fault:
        told = f"watcher: warning: {fault}; this is what lies in {place.state_dir}"
        print(one_line(told), file=sys.stderr)
    return place


def moment(text: str, now: datetime, what: str) -> datetime:
    """Read a time: `3d` from now, a date (its first instant in UTC), or a time with its zone."""
    length = read_duration(text)
    if length is not None:
        return now + length
    try:
        if len(text) == len("2026-01-31"):
            return datetime.combine(date.fromisoformat(text), time(0), UTC)
        read = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{what}: {text!r} is no time", expected=_TIMES) from error
    if read.tzinfo is None:
        raise InputError(f"{what}: {text!r} has no time zone", expected=_TIMES)
    return read.astimezone(UTC)


_TIMES = "3d, 2026-01-31, or 2026-01-31T22:00+01:00"

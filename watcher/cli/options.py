"""Options that several commands share, and the texts of times that people type."""

import os
import sys
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from watcher.app.settings import Located, find_settings, locate, locate_anyway
from watcher.errors import InputError, one_line
from watcher.model.moments import reckonable
from watcher.settings.terms import read_duration

SettingsFile = Annotated[
    str | None,
    typer.Option(
        "--settings", "-s", metavar="FILE",
        help="Else $WATCHER_SETTINGS, watcher.yaml here, /etc/watcher/watcher.yaml, or none.",
    ),
]  # fmt: skip
TIME = "3d from now, 2026-01-31 (UTC), or a time such as 2026-01-31T22:00+01:00"
"""What every option takes that is a time: for its help, and for who typed another thing."""
Json = Annotated[bool, typer.Option("--json", help="For programs.")]


class AllAtOnce(TyperCommand):
    """A command that names all that is missing, not one thing at each try."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 -- typer's own
        """Look what is missing before anything is read."""
        given, _, _ = self.make_parser(ctx).parse_args(args=list(args))
        asked = [one for one in self.params if one.required]
        missing = [one for one in asked if not isinstance(given.get(one.name or ""), str)]
        if missing and not given.get("help"):
            ctx.fail(f"Missing {', '.join(_typed(one) for one in missing)}")
        return super().parse_args(ctx, args)


def _typed(parameter: Any) -> str:  # noqa: ANN401 -- typer's own
    """Return what a person types: the option, or the word for an argument in the help."""
    is_argument = parameter.param_type_name == "argument"
    return str(parameter.metavar if is_argument else parameter.opts[0])


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
    try:
        if length is not None:
            return reckonable(now + length)
        read = datetime.fromisoformat(text)
        if read.tzinfo is None and len(text) <= len("2026-01-31"):
            return reckonable(read.replace(tzinfo=UTC))
        if read.tzinfo is not None:
            return reckonable(read.astimezone(UTC))
    except OverflowError as error:
        raise InputError(f"{what}: {text!r} is out of range", expected=TIME) from error
    except ValueError as error:
        raise InputError(f"{what}: {text!r} is not a time", expected=TIME) from error
    zoned = f"{text}Z for UTC, or {text}+01:00"
    raise InputError(f"{what}: {text!r} names no zone", expected=zoned)

"""The `watcher` command: its subcommands, and the one place that turns errors into exits."""

import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Annotated, NoReturn

import typer

from watcher import __version__
from watcher.errors import InputError, Location, WatcherError, one_line

COMMANDS: Mapping[str, str] = {
    "parse": "watcher.cli.parse",
    "plan": "watcher.cli.plan",
    "verify": "watcher.cli.plan",
    "schedule": "watcher.cli.schedule",
    "check": "watcher.cli.check",
    "rules": "watcher.cli.rules",
    "inventory": "watcher.cli.inventory",
    "run": "watcher.cli.run",
    "config": "watcher.cli.config",
    "doctor": "watcher.cli.doctor",
    "status": "watcher.cli.status",
    "cases": "watcher.cli.cases",
    "digest": "watcher.cli.digest",
    "explain": "watcher.cli.explain",
    "quarantine": "watcher.cli.quarantine",
    "replay": "watcher.cli.replay",
    "simulate": "watcher.cli.simulate",
    "tickets": "watcher.cli.tickets",
    "test-send": "watcher.cli.tickets",
    "what-if": "watcher.cli.whatif",
}
"""Where each command lives. Only the one that is called is loaded: a plan at 2 a.m., or a filter
on a pipe, must not wait for what it does not use."""


def build(arguments: Sequence[str]) -> typer.Typer:
    """Return the program with the command that is called, or with all of them for help."""
    app = typer.Typer(
        name="watcher",
        no_args_is_help=True,
        add_completion=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="markdown",
        help="Turn certificate alarms of Cisco UC clusters into change plans.",
    )
    app.callback()(_options)
    called = COMMANDS.get(arguments[0]) if arguments else None
    for module in dict.fromkeys([called] if called else COMMANDS.values()):
        import_module(module).register(app)
    return app


def _version(*, wanted: bool) -> None:
    if wanted:
        print(__version__)
        raise typer.Exit


def _options(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Hold the options that stand before a subcommand."""


def main() -> None:
    """Run the command line and leave with its status.

    0 done; 1 `verify` saw a changed plan, `check` refused an order, `schedule` found no slot;
    2 bad input, told in one line on standard error; 3 a finished plan was refused, which is a
    fault of ours; 130 interrupted; 141 the reader left.
    """
    try:
        sys.exit(_status())
    except WatcherError as error:
        _leave(2 if isinstance(error, InputError) else 3, str(error))
    except typer.TyperException as error:
        _leave(2, _usage_error(error))
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(130)


def _status() -> int:
    if sys.stdout is None:
        raise InputError("standard output is closed", expected="somewhere to write to")
    try:
        status = build(sys.argv[1:])(prog_name="watcher", standalone_mode=False)
        # What is still in the buffer fails here, where it can be told, not at interpreter exit.
        sys.stdout.flush()
    except SystemExit as left:
        if isinstance(left.__context__, BrokenPipeError):
            # typer and rich end with 1 here, which would read as `verify` saying "changed".
            return _reader_left()
        raise
    except BrokenPipeError:
        return _reader_left()
    except OSError as error:
        where = Location(str(error.filename or "standard output"))
        raise InputError(
            (error.strerror or "cannot be written").lower(), where=where, expected="room to write"
        ) from error
    return status if isinstance(status, int) else 0


def _reader_left() -> int:
    # The reader went away (`| head`); say nothing more, not even at interpreter exit.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno() if sys.__stdout__ else 1)
    return 141


def _usage_error(error: typer.TyperException) -> str:
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "watcher"
    words = error.format_message().replace("Value error, ", "")
    problem = " ".join(words.split()).rstrip(".") or "Missing command"
    place = command.removeprefix("watcher").strip()
    told = f"{place}: {problem}" if place else problem
    return f"{told} (expected what `{command} --help` shows)"


def _leave(status: int, text: str) -> NoReturn:
    print(f"watcher: error: {one_line(text)}", file=sys.stderr)
    sys.exit(status)

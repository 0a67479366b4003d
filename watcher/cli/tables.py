"""Tables and texts on a terminal as they are: no markup, no guessed colours."""

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from watcher.errors import one_line

WIDE = 200
"""Columns when the output is no terminal: a pipe has no width to keep to."""


def console() -> Console:
    """Return a console that takes text as it is: names of messages are no markup."""
    width = None if sys.stdout.isatty() else WIDE
    return Console(highlight=False, markup=False, emoji=False, width=width)


def print_table(out: Console, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under their headings; every cell on one line of printable characters."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(one_line(str(cell))) for cell in row))
    with out.capture() as drawn:
        out.print(table)
    out.file.write("".join(f"{line.rstrip()}\n" for line in drawn.get().splitlines()))


def heading(out: Console, text: str) -> None:
    """Print a heading with a blank line before it."""
    out.print()
    out.print(Text(text, style="bold"))


def near(path: Path | str) -> str:
    """Return a path as one types it where one stands, if it lies below."""
    here = Path.cwd()
    return str(Path(path).relative_to(here)) if Path(path).is_relative_to(here) else str(path)


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, one or many."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def say(out: Console, text: str) -> None:
    """Print one line, however long, with escapes for what is not printable."""
    out.print(Text(one_line(text)), soft_wrap=True)


def print_json(value: Any) -> None:  # noqa: ANN401 -- whatever json can print
    """Print for a program: indented, in ASCII."""
    sys.stdout.write(json.dumps(value, indent=2) + "\n")

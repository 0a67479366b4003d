"""The lines of an order, each with its place: of a list, a text, or a file of plain words."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from watcher.errors import InputError, Location
from watcher.rules.document import Document, Path
from watcher.rules.faults import fault


@dataclass(frozen=True, slots=True)
class Line:
    """One step as its author wrote it, and where."""

    text: str
    where: Location


_YAML = re.compile(r"(-(\s|$)|[\[{\"']|---|%|[A-Za-z_]\w*\s*:(\s|$))")
_NUMBERING = re.compile(r"\s*(?:\d{1,4}[.)]|[*\u2022\u2013-])?\s*")


def is_plain(text: str) -> bool:
    """Tell whether a file is lines of plain words: its first line begins no map and no list."""
    lines = (line.strip() for line in text.splitlines())
    first = next((line for line in lines if line and not line.startswith("#")), "")
    return bool(first) and not _YAML.match(first)


def plain_lines(name: str, text: str) -> Iterator[Line]:
    """Yield the lines of a file without YAML; a number or a dot before a step is taken off."""
    for number, line in enumerate(text.split("\n"), 1):
        bare = line.removesuffix("\r")
        odd = next((i for i, c in enumerate(bare) if not c.isprintable() and c != "\t"), None)
        if odd is not None:
            raise InputError(
                f"character U+{ord(bare[odd]):04X} is not allowed",
                where=Location(name, number, odd + 1), expected="visible characters and blanks",
            )  # fmt: skip
        start = _NUMBERING.match(bare)
        column = start.end() if start else 0
        if not bare.lstrip().startswith("#"):
            yield from _split(bare[column:], name, number, column + 1)


def _split(text: str, name: str, line: int, column: int) -> Iterator[Line]:
    """Yield what stands between semicolons, each with its column."""
    for found in re.finditer(r"[^;]+", text):
        bare = found[0].strip()
        if bare:
            indent = len(found[0]) - len(found[0].lstrip())
            yield Line(bare, Location(name, line, column + found.start() + indent))


def lines(document: Document, steps: object) -> Iterable[Line]:
    """Return the steps of a file's key `steps`: a list, or one text."""
    if isinstance(steps, str):
        place = document.place(("steps",))
        # A block scalar begins on the line below its key; its column is not kept.
        below = len(steps.split("\n")) > 1
        found = [
            Line(line.text, Location(document.name, place.line + number + below, place.column))
            for number, text in enumerate(steps.split("\n"))
            for line in _split(_NUMBERING.sub("", text, count=1), document.name, 1, 1)
            if not text.lstrip().startswith("#")
        ]
    elif isinstance(steps, list):
        found = listed(document, ("steps",), steps)
    else:
        raise fault(document, ("steps",), "it is no list and no text", "a list of steps")
    if not found:
        raise fault(document, ("steps",), "there is no step", "a list of steps")
    return found


def listed(document: Document, path: Path, items: Sequence[object]) -> list[Line]:
    """Return the steps of a list.

    An unquoted `flush(P,S)` in a YAML list arrives in two pieces; they are put together again.
    """
    found: list[Line] = []
    for index, item in enumerate(items):
        where = document.where((*path, index))
        if not isinstance(item, str):
            raise fault(document, (*path, index), "it is not a text", 'a step in quotes: "..."')
        last = found[-1] if found else None
        if last is not None and last.text.count("(") > last.text.count(")"):
            found[-1] = Line(f"{last.text},{item.strip()}", last.where)
            continue
        if not item.strip():
            raise fault(document, (*path, index), "it is empty", "a step")
        found += [
            Line(line.text, where) for line in _split(item, document.name, where.line or 1, 1)
        ]
    if not found:
        raise fault(document, path, "there is no step", "a list of steps")
    return found

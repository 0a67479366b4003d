"""Read the plain half of YAML 1.2: maps, lists and scalars, each with the place it stands at.

Whatever lets a file mean more than it shows is refused with its place: anchors and aliases,
tags, directives, double keys, invisible characters, nesting beyond 20, more than 1 MiB.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, StringMark, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from watcher.errors import InputError, Location

MAX_BYTES = 1 << 20
MAX_DEPTH = 20

Path = tuple[str | int, ...]
"""The keys and list positions that lead to a value."""

# YAML 1.2.2 section 10.3.2 (core schema); `yes`, dates and `1:20` are text there.
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}|0o[0-7]{1,18}|0x[0-9a-fA-F]{1,15}", re.ASCII)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
_NO_NUMBER = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", re.ASCII)
_WORDS: Mapping[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


@dataclass(frozen=True, slots=True)
class Place:
    """Line and column counted from 1, and how a scalar was written."""

    line: int
    column: int
    written: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One file's data and where each part of it stands."""

    name: str
    data: object
    places: Mapping[Path, Place]

    def place(self, path: Path) -> Place:
        """Return the place of `path`, or of the nearest part around it that is written."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, Place(1, 1))

    def where(self, path: Path) -> Location:
        """Return `place` with the file's name, for an error."""
        place = self.place(path)
        return Location(self.name, place.line, place.column)


def read_document(name: str, text: str) -> Document:
    """Read one file, or raise InputError with its place."""
    _refuse_size(name, text)
    _refuse_characters(name, text)
    reader = _Reader(name)
    for event in _events(name, text):
        reader.take(event)
    return Document(name=name, data=reader.data, places=reader.places)


def _refuse_size(name: str, text: str) -> None:
    if len(text) > MAX_BYTES or len(text.encode()) > MAX_BYTES:
        raise InputError("larger than 1 MiB", where=Location(name), expected="a smaller file")


def _refuse_characters(name: str, text: str) -> None:
    for number, line in enumerate(text.split("\n"), 1):
        # Only a line that holds one is looked at letter by letter.
        if line.isprintable():
            continue
        indent = len(line) - len(line.lstrip())
        for column, letter in enumerate(line.removesuffix("\r"), 1):
            where = Location(name, number, column)
            if letter == "\t" and column <= indent:
                raise InputError("a tab indents this line", where=where, expected="blanks")
            if not letter.isprintable() and letter != "\t":
                problem = f"character U+{ord(letter):04X} is not allowed"
                raise InputError(problem, where=where, expected="visible characters and blanks")


def _events(name: str, text: str) -> Iterator[Event]:
    # The C scanner: five times as fast as the one in Python.
    try:
        yield from YAML(typ="safe", pure=False).parse(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = Location(name, mark.line + 1, mark.column + 1) if mark else Location(name)
        problem = error.problem or error.context or "not YAML"
        raise InputError(problem, where=where, expected=_expected(problem)) from error
    except YAMLError as error:
        raise InputError(str(error), where=Location(name), expected="YAML 1.2") from error


def _expected(problem: str) -> str:
    # Inside braces the scanner reads `start: 22:00` as a key in a key.
    colon = "unexpected ':'" in problem or "mapping values" in problem
    return "YAML 1.2; times and texts with ':' go in quotes" if colon else "YAML 1.2"


@dataclass(slots=True)
class _Frame:
    """A map or list that is still open."""

    holds: dict[str, object] | list[object]
    path: Path
    key: str | None = None


@dataclass(slots=True)
class _Reader:
    """Builds data from events with a stack of its own, so that depth is ours to limit."""

    name: str
    data: object = None
    places: dict[Path, Place] = field(default_factory=dict)
    _open: list[_Frame] = field(default_factory=list)
    _documents: int = 0

    def take(self, event: Event) -> None:
        if isinstance(event, NodeEvent):
            self._refuse_meaning(event)
        if isinstance(event, ScalarEvent):
            self._scalar(event)
        elif isinstance(event, MappingStartEvent):
            self._start(event, {})
        elif isinstance(event, SequenceStartEvent):
            self._start(event, [])
        elif isinstance(event, MappingEndEvent | SequenceEndEvent):
            self._open.pop()
        elif isinstance(event, DocumentStartEvent):
            self._document(event)

    def _fault(self, event: Event, problem: str, expected: str) -> InputError:
        place = _place(event)
        where = Location(self.name, place.line, place.column)
        return InputError(problem, where=where, expected=expected)

    def _document(self, event: DocumentStartEvent) -> None:
        self._documents += 1
        if event.version or event.tags:
            raise self._fault(event, "a directive is not allowed", "no line that begins with %")
        if self._documents > 1:
            raise self._fault(event, "a second document begins", "one document in a file")

    def _refuse_meaning(self, event: NodeEvent) -> None:
        if isinstance(event, AliasEvent):
            raise self._fault(event, f"alias *{event.anchor} is not allowed", "the value itself")
        if event.anchor is not None:
            raise self._fault(event, f"anchor &{event.anchor} is not allowed", "the value alone")
        tag = getattr(event, "tag", None)
        if tag is not None:
            raise self._fault(event, f"tag {tag} is not allowed", "the value alone")

    def _scalar(self, event: ScalarEvent) -> None:
        written = str(event.value)
        plain = bool(event.implicit[0])
        if self._expects_key():
            self._key(event, written, plain=plain)
            return
        value = _resolve(written) if plain else written
        self._add(event, value, written)

    def _expects_key(self) -> bool:
        return (
            bool(self._open)
            and isinstance(self._open[-1].holds, dict)
            and (self._open[-1].key is None)
        )

    def _key(self, event: Event, written: str, *, plain: bool) -> None:
        frame = self._open[-1]
        if plain and not isinstance(_resolve(written), str):
            raise self._fault(event, f"key {written} is not text", f'quotes: "{written}"')
        path = (*frame.path, written)
        if written in frame.holds:
            first = self.places[path].line
            raise self._fault(
                event, f"key {written!r} stands twice, first in line {first}", "each key once"
            )
        frame.key = written
        self.places[path] = _place(event)

    def _start(self, event: NodeEvent, holds: dict[str, object] | list[object]) -> None:
        if self._expects_key():
            raise self._fault(event, "a map or list cannot be a key", "a text as key")
        if len(self._open) >= MAX_DEPTH:
            raise self._fault(event, "nested too deep", f"at most {MAX_DEPTH} levels")
        path = self._add(event, holds, None)
        self._open.append(_Frame(holds, path))

    def _add(self, event: Event, value: object, written: str | None) -> Path:
        if not self._open:
            self.data = value
            self.places[()] = _place(event)
            return ()
        frame = self._open[-1]
        if isinstance(frame.holds, list):
            path: Path = (*frame.path, len(frame.holds))
            frame.holds.append(value)
            self.places[path] = _place(event, written)
        else:
            key, frame.key = frame.key or "", None
            path = (*frame.path, key)
            frame.holds[key] = value
            at = self.places[path]
            self.places[path] = Place(at.line, at.column, written)
        return path


def _place(event: Event, written: str | None = None) -> Place:
    mark: StringMark = event.start_mark
    return Place(mark.line + 1, mark.column + 1, written)


def _resolve(written: str) -> object:
    if written in _WORDS:
        return _WORDS[written]
    if not written[0].isdigit() and written[0] not in "+-.":
        return written
    if _INTEGER.fullmatch(written):
        return int(written, 0) if written[:2] in {"0o", "0x"} else int(written)
    if _FLOAT.fullmatch(written) or _NO_NUMBER.fullmatch(written):
        return float(written.replace(".", "", 1) if _NO_NUMBER.fullmatch(written) else written)
    return written

"""Environment over file: `WATCHER_INPUTS__UDP__PORT=5514` stands for `inputs: {udp: {port: 5514}}`.

Two underscores lead into a block; a number picks one block of a list. A value is read as in the
file: `5514` is a number, `"5514"` a text, `[a, b]` a list. A variable that means nothing is an
error, because a typo must not leave a default in force.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from watcher.errors import InputError, Location
from watcher.rules.document import Document, Path, Place, read_document
from watcher.settings.schema import Settings

PREFIX = "WATCHER_"
RESERVED = ("WATCHER_SETTINGS", "WATCHER_CRASH_AT", "WATCHER_SEEDED_BUG")
RESERVED_PREFIX = "WATCHER_TEST_"
STATE_DIRECTORY = "STATE_DIRECTORY"
"""What systemd sets for StateDirectory=; paths with `:` between them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged(Document):
    """A settings file with the environment laid over it; `variables` says what came from there."""

    variables: Mapping[Path, str]

    def variable(self, path: Path) -> str | None:
        """Return the variable that `path` was read from, if one was."""
        for depth in range(len(path), 0, -1):
            if path[:depth] in self.variables:
                return self.variables[path[:depth]]
        return None

    def place(self, path: Path) -> Place:
        """Return the place in the file; what the environment says stands before it."""
        name = self.variable(path)
        if name is None:
            return Document.place(self, path)
        return self.places.get(path, Place(0, 0))

    def where(self, path: Path) -> Location:
        """Return the file with line and column, or the name of the variable."""
        name = self.variable(path)
        return Document.where(self, path) if name is None else Location(name)


def merged(document: Document, environment: Mapping[str, str]) -> Merged:
    """Lay the environment over a file; raise InputError for a variable that means nothing."""
    data = {} if document.data is None else document.data
    result = Merged(name=document.name, data=data, places=_singles(document), variables={})
    if not isinstance(data, dict):
        return result
    for name, written in _ours(environment, "state_dir" in data):
        result = _laid(result, name, written)
    return result


def _ours(environment: Mapping[str, str], given: bool) -> Iterator[tuple[str, str]]:  # noqa: FBT001
    folder = environment.get(STATE_DIRECTORY, "").partition(":")[0]
    if folder and not given:
        yield STATE_DIRECTORY, folder
    for name in sorted(environment):
        ours = name.startswith(PREFIX) and not name.startswith(RESERVED_PREFIX)
        if ours and name not in RESERVED:
            yield name, environment[name]


def _singles(document: Document) -> dict[Path, Place]:
    """Return the places, and those of the only block of an input as if it stood in a list."""
    places = dict(document.places)
    for path, place in document.places.items():
        if path[:1] == ("inputs",) and len(path) > 2 and isinstance(path[2], str):  # noqa: PLR2004
            places[(*path[:2], 0, *path[2:])] = place
    return places


def _laid(over: Merged, name: str, written: str) -> Merged:
    path = ("state_dir",) if name == STATE_DIRECTORY else _path(over, name)
    value = _value(name, written)
    data = _with(over.data, path, value)
    places = {**over.places, path: Place(0, 0, written), _in_list(path): Place(0, 0, written)}
    variables = {**over.variables, path: name, _in_list(path): name}
    return replace(over, data=data, places=places, variables=variables)


def _in_list(path: Path) -> Path:
    alone = path[:1] == ("inputs",) and len(path) > 2 and isinstance(path[2], str)  # noqa: PLR2004
    return (*path[:2], 0, *path[2:]) if alone else path


def _value(name: str, written: str) -> object:
    if name == STATE_DIRECTORY or not written.isprintable():
        return written
    try:
        # In a list, so that a lone `key: value` or an empty value is read as one value too.
        data = read_document(name, written).data if written[:1] in {"[", "{", '"', "'"} else None
        if data is None:
            data = read_document(name, f"[{written}]").data
            data = data[0] if isinstance(data, list) and len(data) == 1 else written
    except InputError:
        return written
    return data if not isinstance(data, dict) else written


def _with(data: object, path: Path, value: object) -> object:
    if not path:
        return value
    key, rest = path[0], path[1:]
    if isinstance(data, list) and isinstance(key, int):
        return [_with(item, rest, value) if n == key else item for n, item in enumerate(data)]
    if data is not None and not isinstance(data, dict):
        return data  # a fault of the file, and told as one
    known = data or {}
    return {**known, key: _with(known.get(key), rest, value)}


def _path(over: Merged, name: str) -> Path:
    path: Path = ()
    model: Any = Settings
    here: object = over.data
    for word in name.removeprefix(PREFIX).lower().split("__"):
        if isinstance(here, list) and word.isdigit() and int(word) < len(here):
            path, here = (*path, int(word)), here[int(word)]
            continue
        fields = _fields(model)
        if isinstance(here, list) or word not in fields:
            raise _unknown(name, path, here, word, fields)
        path, model = (*path, word), fields[word]
        here = here.get(word) if isinstance(here, dict) else None
    return path


def _fields(annotation: Any) -> Mapping[str, Any]:  # noqa: ANN401 -- whatever a field is declared as
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return {key: field.annotation for key, field in annotation.model_fields.items()}
    if get_origin(annotation) is dict:
        return {}
    for part in get_args(annotation):
        found = _fields(part)
        if found:
            return found
    return {}


def _unknown(
    name: str, path: Path, here: object, word: str, fields: Mapping[str, Any]
) -> InputError:
    stem = PREFIX + "__".join([*(str(part).upper() for part in path), ""])
    if isinstance(here, list):
        numbers = (
            f"{stem}0__..." if len(here) == 1 else f"{stem}0__... to {stem}{len(here) - 1}__..."
        )
        return InputError("a list stands there", where=Location(name), expected=numbers)
    close = get_close_matches(word, fields, n=1)
    known = close or sorted(fields)
    names = ", ".join(f"{stem}{key.upper()}" for key in known)
    what = "means no setting" if fields else "leads into a value"
    return InputError(what, where=Location(name), expected=names or stem.removesuffix("__"))

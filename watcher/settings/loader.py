"""Text of a settings file and the environment -> Settings, or the first fault with its place."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from pydantic import ValidationError

from watcher.errors import InputError
from watcher.rules.document import Path, read_document
from watcher.rules.faults import checked, dotted, fault, true_faults, with_others
from watcher.settings.crosscheck import check
from watcher.settings.overlay import Merged, merged
from watcher.settings.schema import Settings
from watcher.settings.terms import PrivateFile, SecretSource

_ELSEWHERE = (SecretSource.model_fields.keys(), PrivateFile.model_fields.keys())
_ONLY = re.compile(r"inputs\.([a-z]+)\.0(?=[.:])")


class From(StrEnum):
    """Who said what a setting is."""

    DEFAULT = "default"
    FILE = "file"
    ENVIRONMENT = "environment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting in force: its key, its value as text, and who said so where."""

    key: str
    value: str
    origin: From
    where: str = ""
    """Line of the file, or the variable; empty for a default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """Settings with the document they were read from, for errors that are found later."""

    settings: Settings
    document: Merged


def load(name: str, text: str, environment: Mapping[str, str]) -> Settings:
    """Read settings; raise InputError for the first fault, with the number of others."""
    return read(name, text, environment).settings


def read(name: str, text: str, environment: Mapping[str, str]) -> Loaded:
    """Do as `load`, and keep where each setting stands."""
    document = merged(read_document(name, text), environment)
    settings = _shaped(document)
    faults = check(document, settings)
    if faults:
        raise _renamed(with_others(faults[0], len(faults) - 1), document)
    return Loaded(settings=settings, document=document)


def _shaped(document: Merged) -> Settings:
    try:
        return checked(Settings, document)
    except InputError as error:
        if isinstance(document.data, dict) and "clusters" in document.data:
            wanted = "settings, in which `inventory: PATH` names this file"
            raise fault(document, ("clusters",), "this is an inventory", wanted) from error
        raise _renamed(with_others(error, _count(document) - 1), document) from error


def _count(document: Merged) -> int:
    try:
        Settings.model_validate(document.data)
    except ValidationError as error:
        return len(true_faults(error))
    return 1


def settings_in_force(loaded: Loaded) -> tuple[Setting, ...]:
    """Return every setting with its origin; a secret is shown by where it stands, never itself."""
    document = loaded.document
    return tuple(
        Setting(key=printed(document, path), value=value, origin=origin, where=where)
        for path, value in _leaves(loaded.settings.model_dump(mode="json"), ())
        for origin, where in (_origin(document, path),)
    )


def _leaves(value: object, path: Path) -> Iterator[tuple[Path, str]]:
    """Yield what is no block; an empty block or list is a value too."""
    if isinstance(value, dict) and value.keys() in _ELSEWHERE:
        ways = (f"{way}: {name}" for way, name in value.items() if name is not None)
        yield path, f"{{{', '.join(ways)}}}"
    elif isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(inner, (*path, key))
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for number, inner in enumerate(value):
            yield from _leaves(inner, (*path, number))
    else:
        yield path, value if isinstance(value, str) else json.dumps(value)


def _origin(document: Merged, path: Path) -> tuple[From, str]:
    variable = document.variable(path)
    if variable is not None:
        return From.ENVIRONMENT, variable
    if path in document.places:
        return From.FILE, str(document.where(path))
    return From.DEFAULT, ""


def _alone(document: Merged, kind: str) -> bool:
    """Tell whether an input is written as one block, so that its 0 is not ours to print."""
    data = document.data if isinstance(document.data, dict) else {}
    inputs = data.get("inputs")
    return not isinstance((inputs if isinstance(inputs, dict) else {}).get(kind), list)


def printed(document: Merged, path: Path) -> str:
    """Print a key as the file says it: the only block of an input has no number."""
    if path[:1] == ("inputs",) and path[2:3] == (0,) and _alone(document, str(path[1])):
        path = (*path[:2], *path[3:])
    return dotted(path)


def _renamed(error: InputError, document: Merged) -> InputError:
    """Return the error without the 0 of an input that is written as one block."""
    match = _ONLY.match(error.problem)
    if match is None or not _alone(document, match[1]):
        return error
    problem = f"inputs.{match[1]}{error.problem[match.end() :]}"
    return InputError(problem, where=error.where, expected=error.expected)

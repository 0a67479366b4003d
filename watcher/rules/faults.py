"""Turn what pydantic finds wrong into one line for the person who wrote the file."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from watcher.errors import InputError
from watcher.rules.document import Document, Path

Model = TypeVar("Model", bound=BaseModel)

_SHOWN = 60
"""Characters of a wrong value that are quoted."""

_PLAIN: Mapping[str, tuple[str, str]] = {
    "missing": ("is missing", "this key"),
    "int_type": ("{value} is not a whole number", "a number such as 5, without quotes"),
    "bool_type": ("{value} is neither true nor false", "true or false, without quotes"),
    "tuple_type": ("{value} is not a list", "a list: [a, b] or lines that begin with `- `"),
    "dict_type": ("{value} is not a map", "lines of the form `key: value`"),
    "model_type": ("{value} is not a map", "lines of the form `key: value`"),
    "model_attributes_type": ("{value} is not a map", "lines of the form `key: value`"),
    "enum": ("{value} is not one of the words allowed here", "{expected}"),
    "literal_error": ("{value} is not one of the words allowed here", "{expected}"),
    "string_pattern_mismatch": ("{value} has not the right form", "text like {pattern}"),
    "string_too_short": ("is empty", "a text"),
    "string_too_long": ("is too long", "at most {max_length} characters"),
    "too_short": ("has too few entries", "at least {min_length}"),
    "too_long": ("has too many entries", "at most {max_length}"),
    "date_from_datetime_parsing": ("{value} is not a date", "one such as 2026-01-31"),
    "date_from_datetime_inexact": ("{value} is a time", "a date such as 2026-01-31"),
    "date_parsing": ("{value} is not a date", "one such as 2026-01-31"),
    "datetime_from_date_parsing": ("{value} is not a date", "one such as 2026-01-31"),
    "datetime_parsing": (
        "{value} is not a date with time",
        "one such as 2026-01-31T22:00:00+01:00",
    ),
    "timezone_aware": ("{value} has no time zone", "Z or an offset such as +01:00 at its end"),
    "greater_than_equal": ("{value} is too small", "at least {ge}"),
    "less_than_equal": ("{value} is too large", "at most {le}"),
}


def checked(model: type[Model], document: Document, data: object = None, *, at: Path = ()) -> Model:
    """Return `data` (by default the whole document) as `model`, or raise InputError.

    The error names the first fault in the order of the file; `at` is where `data` stands in it.
    """
    try:
        return model.model_validate(document.data if data is None else data)
    except ValidationError as error:
        first = min(true_faults(error), key=lambda one: _rank(document, one, at))
        raise _fault(document, first, at, model) from error


def true_faults(error: ValidationError) -> list[ErrorDetails]:
    """Return the faults of an error without those that only follow from another.

    pydantic counts the good items of a list: one bad item in a list that must not be empty is
    told twice, and the list's own place comes first.
    """
    faults = error.errors(include_url=False)
    around = {fault["loc"][:depth] for fault in faults for depth in range(len(fault["loc"]))}
    return [one for one in faults if one["type"] != "too_short" or one["loc"] not in around]


def _rank(document: Document, detail: ErrorDetails, at: Path) -> tuple[bool, int, int]:
    # A key that is missing is often one that stands there misspelled: that is told first.
    place = document.place(at + detail["loc"])
    return detail["type"] == "missing", place.line, place.column


def fault(document: Document, path: Path, problem: str, expected: str | None = None) -> InputError:
    """Return an error about the value at `path`, with its place and the path in words."""
    prefix = f"{dotted(path)}: " if path else ""
    return InputError(f"{prefix}{problem}", where=document.where(path), expected=expected)


def with_others(error: InputError, others: int) -> InputError:
    """Return an error that also says how many further faults the file has."""
    if others < 1:
        return error
    noun = "fault" if others == 1 else "faults"
    problem = f"{error.problem}; {others} more {noun} after this"
    return InputError(problem, where=error.where, expected=error.expected)


def dotted(path: Path) -> str:
    """Print a path as `stores.x.restarts.0.service`."""
    return ".".join(str(part) for part in path)


def _fault(
    document: Document, detail: ErrorDetails, at: Path, model: type[BaseModel]
) -> InputError:
    path = at + tuple(part for part in detail["loc"] if part != "[key]")
    problem, expected = _words(detail, document.place(path).written)
    if detail["type"] == "extra_forbidden":
        expected = _known_keys(model, detail["loc"])
    return fault(document, path, problem, expected)


def _words(detail: ErrorDetails, written: str | None) -> tuple[str, str | None]:
    kind, value = detail["type"], detail["input"]
    if kind == "extra_forbidden":
        return "unknown key", None
    if value is None and not detail["loc"]:
        return "the file is empty", "lines of the form `key: value`"
    if value is None and kind != "missing":
        return "has no value", "a value after the colon"
    if kind == "string_type" or (kind in {"enum", "value_error"} and _typed(value)):
        return _text_wanted(value, written)
    if kind == "value_error":
        return str(detail["msg"]).removeprefix("Value error, "), None
    problem, expected = _PLAIN.get(kind, (detail["msg"], ""))
    fields = {**detail.get("ctx", {}), "value": _quoted(value)}
    if kind == "literal_error":
        fields["expected"] = fields["expected"].lower()
    return problem.format_map(fields), expected.format_map(fields) or None


def _typed(value: object) -> bool:
    return isinstance(value, bool | int | float)


def _text_wanted(value: object, written: str | None) -> tuple[str, str]:
    if isinstance(value, dict | list):
        return f"{_quoted(value)} is not text", "a text"
    read_as = "true or false" if isinstance(value, bool) else "a number"
    shown = (written or str(value))[:_SHOWN]
    return f"{shown} is read as {read_as}", f'text, so write it in quotes: "{shown}"'


def _quoted(value: object) -> str:
    if isinstance(value, dict):
        return "a map"
    if isinstance(value, list):
        return "a list"
    shown = str(value).lower() if isinstance(value, bool) else repr(value)
    return shown if len(shown) <= _SHOWN else f"{shown[: _SHOWN - 3]}..."


def _known_keys(model: type[BaseModel], loc: Path) -> str:
    """Return what the refusing model knows: the key that was meant, else all of them."""
    steps = iter(loc[:-1])
    for step in steps:
        known = model.model_fields.get(str(step))
        inner, indexed = _inside(known.annotation) if known else (None, False)
        if inner is None:
            return ""
        if indexed:
            next(steps, None)
        model = inner
    names = sorted(model.model_fields)
    meant = get_close_matches(str(loc[-1]), names, n=1)
    return meant[0] if meant else f"one of {', '.join(names)}"


def _inside(annotation: object) -> tuple[type[BaseModel] | None, bool]:
    """Return the model in an annotation, and whether an index or a key leads to it."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    indexed = get_origin(annotation) in {dict, tuple}
    for part in get_args(annotation):
        inner, deeper = _inside(part)
        if inner is not None:
            return inner, indexed or deeper
    return None, False

"""Reads columns that anything may stand in: a flipped bit or a hand's edit is a BadRow.

What comes night after night (times, lists, enumerations) is remembered: reading the cases of a
batch costs half.
"""

import json
from datetime import UTC, date, datetime
from enum import IntEnum, StrEnum
from functools import lru_cache
from typing import TypeVar

S = TypeVar("S", bound=StrEnum)
N = TypeVar("N", bound=IntEnum)


class BadRow(Exception):  # noqa: N818 -- it is what the row is
    """A row cannot be what we wrote; it is skipped and shown."""


def words(value: object) -> str:
    """Read a text."""
    if not isinstance(value, str):
        raise BadRow(f"{type(value).__name__} in place of a text")
    if not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
        raise BadRow("a text is not UTF-8")
    return value


def number(value: object) -> int:
    """Read a whole number."""
    if not isinstance(value, int):
        raise BadRow(f"{type(value).__name__} in place of a number")
    return value


def flag(value: object) -> bool:
    """Read yes or no."""
    if not isinstance(value, int) or value not in {0, 1}:
        raise BadRow("neither yes nor no")
    return bool(value)


def instant(value: object) -> datetime:
    """Read a time, aware UTC; SQLite holds it as text."""
    if isinstance(value, str):
        return _time(value)
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise BadRow(f"{type(value).__name__} in place of a time")
    return value.astimezone(UTC)


@lru_cache(maxsize=8192)
def _time(value: str) -> datetime:
    try:
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    except ValueError:
        raise BadRow("a time cannot be read") from None


def maybe_instant(value: object) -> datetime | None:
    """Read a time that may be unknown."""
    return None if value is None else instant(value)


def maybe_day(value: object) -> date | None:
    """Read a calendar date that may be unknown."""
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise BadRow("a date cannot be read") from None
    if value is None or isinstance(value, date):
        return value
    raise BadRow(f"{type(value).__name__} in place of a date")


def member(kind: type[S], value: object) -> S:
    """Read a member of an enumeration of words."""
    try:
        return kind(words(value))
    except ValueError:
        raise BadRow(f"unknown {kind.__name__}") from None


def level(kind: type[N], value: object) -> N:
    """Read a member of an enumeration of numbers."""
    try:
        return kind(number(value))
    except ValueError:
        raise BadRow(f"unknown {kind.__name__}") from None


@lru_cache(maxsize=1024)
def members(kind: type[S], value: str) -> tuple[S, ...]:
    """Read members that commas part."""
    listed = words(value)
    return tuple(member(kind, one) for one in listed.split(",")) if listed else ()


def names(value: object) -> tuple[str, ...]:
    """Read a JSON list of texts."""
    return _listed(words(value))


@lru_cache(maxsize=4096)
def _listed(value: str) -> tuple[str, ...]:
    try:
        listed = json.loads(value)
    except (ValueError, RecursionError):
        raise BadRow("a list cannot be read") from None
    if not isinstance(listed, list):
        raise BadRow("no list")
    return tuple(words(one) for one in listed)

"""Values as both databases can hold them: text without NUL, time in UTC, names that fit.

SQLite gives back naive times and any type in any column, and PostgreSQL refuses NUL: what goes in
passes `text` and `Instant`, and what comes out is looked at by watcher.store.rows.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime
from functools import lru_cache
from hashlib import sha256
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import BigInteger, Date, DateTime, Dialect, Integer, String
from sqlalchemy.types import TypeDecorator, TypeEngine

from watcher.model.case import CaseKey

T = TypeVar("T")

NAME = 255
"""Characters of a node, cluster, peer or file name; a DNS name has no more (RFC 1035 2.3.4)."""
INPUT = 64
KEY = 128
"""Characters of a unique key; a longer one is stored as its digest."""
DETAIL = 300
DIGEST = 32
"""Hexadecimal digits of a case's key in the tables that belong to it."""
CHUNK = 500
"""Values bound by one statement; SQLite before 3.32 allows 999."""

BigId = BigInteger().with_variant(Integer(), "sqlite")
"""A number the database gives; SQLite counts only in a column that is called INTEGER."""


def text(value: str, limit: int | None = None) -> str:
    """Return `value` without NUL and surrogates (U+FFFD stands for each), cut at `limit`."""
    if limit is not None and len(value) > limit:
        value = value[:limit]
    if value.isascii():
        return value.replace("\0", "\ufffd") if "\0" in value else value
    return "".join("\ufffd" if c == "\0" or "\ud800" <= c <= "\udfff" else c for c in value)


def unique_key(value: str) -> str:
    """Return a key as it is stored: itself, or its digest when it is too long to be indexed."""
    if len(value) <= KEY:
        return text(value)
    return "sha256:" + sha256(value.encode("utf-8", "surrogatepass")).hexdigest()


def stored_form(key: CaseKey) -> CaseKey:
    """Return a case's key as it is stored; the same for all that differ in nothing storable."""
    return CaseKey(
        cluster=text(key.cluster, NAME),
        owner=text(key.owner, NAME),
        store=text(key.store, NAME),
        identity=text(key.identity, NAME),
        claimed=key.claimed,
    )


def case_digest(key: CaseKey) -> str:
    """Return the short text that stands for a case in every table."""
    form = stored_form(key)
    parts = (form.cluster, form.owner, form.store, form.identity, str(int(form.claimed)))
    return sha256("\0".join(parts).encode()).hexdigest()[:DIGEST]


@lru_cache(maxsize=4096)
def names_to_text(names: tuple[str, ...]) -> str:
    """Return names as a JSON list."""
    return json.dumps([text(name, NAME) for name in names], separators=(",", ":"))


def chunks(values: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """Yield lists of up to `size` values."""
    rest = iter(values)
    while chunk := list(islice(rest, size)):
        yield chunk


class Instant(TypeDecorator[datetime]):
    """An aware time; a naive one is refused. ISO text of fixed width on SQLite, so that it sorts.

    What comes back is left as the driver gives it; `watcher.store.rows.instant` reads it.
    """

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column's type."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(String(26))
        return dialect.type_descriptor(DateTime(timezone=True))

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any]:
        """Return what turns a value into the driver's."""
        return _instant_as_text if dialect.name == "sqlite" else _aware


def _aware(value: datetime | None) -> datetime | None:
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError("a naive time was about to be stored")
    return value if value.tzinfo is UTC else value.astimezone(UTC)


def _instant_as_text(value: datetime | None) -> str | None:
    value = _aware(value)
    return None if value is None else value.isoformat(" ", "microseconds")[:26]


class Day(TypeDecorator[date]):
    """A calendar date: ISO text on SQLite. `watcher.store.rows.day` reads it."""

    impl = Date
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column's type."""
        return dialect.type_descriptor(String(10) if dialect.name == "sqlite" else Date())

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        """Return what turns a value into the driver's."""
        return _day_as_text if dialect.name == "sqlite" else None


def _day_as_text(value: date | None) -> str | None:
    return None if value is None else value.isoformat()

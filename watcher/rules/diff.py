"""What differs: between two states of the packs, or between two releases of one store."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from watcher.model.plan import Disagreement, Line
from watcher.rules.schema import Pack
from watcher.rules.show import RestartRow, StoreView, cite_words, only_if_words


class Kind(StrEnum):
    """What happened to an id or to an entry of a list."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    MOVED = "moved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One difference: where, what happened, and the old and new state in words."""

    path: str
    kind: Kind
    old: str | None = None
    new: str | None = None


def pack_differences(old: Iterable[Pack], new: Iterable[Pack]) -> tuple[Difference, ...]:
    """Compare packs by id and field; in which file something stands makes no difference."""
    return tuple(_maps("", _together(old), _together(new), depth=3))


def view_differences(old: StoreView, new: StoreView) -> tuple[Difference, ...]:
    """Compare what one store's rules say for two releases, section by section."""
    return tuple(_maps(old.id, _sections(old), _sections(new), depth=1))


def _together(packs: Iterable[Pack]) -> dict[str, Any]:
    together: dict[str, Any] = {part: {} for part in Pack.model_fields}
    for pack in packs:
        data = _dumped(pack)
        for part in data.keys() - {"version", "title"}:
            together[part] = {**together[part], **data[part]}
    return together


def _dumped(model: BaseModel) -> dict[str, Any]:
    # Without defaults, so that a difference reads like the lines a person wrote.
    return model.model_dump(mode="json", exclude_defaults=True)


def _sections(view: StoreView) -> dict[str, Any]:
    names = {field.name for field in fields(view)} - {"release", "sources"}
    parts = {name: getattr(view, name) for name in names}
    return {
        name: [_sentence(one) for one in part] if isinstance(part, tuple) else part
        for name, part in parts.items()
    }


def _sentence(part: Line | RestartRow | Disagreement) -> str:
    if isinstance(part, Disagreement):
        return f"{part.question} {part.default} [{part.id}]"
    if isinstance(part, Line):
        text = part.text
    else:
        text = f"{part.service} on {part.nodes}, {part.need}{f': {part.why}' if part.why else ''}"
    cited = f" [{cite_words(part.cite)}]" if part.cite else ""
    return f"{text}{only_if_words(part.only_if)}{cited}"


def _maps(
    path: str, old: Mapping[str, Any], new: Mapping[str, Any], *, depth: int
) -> Iterator[Difference]:
    """Compare two maps; down to `depth` a map is compared key by key, below it as one value."""
    for key in sorted(old.keys() | new.keys()):
        where = f"{path}.{key}" if path else key
        one, other = old.get(key), new.get(key)
        if one == other:
            continue
        if depth > 1 and isinstance(one, dict) and isinstance(other, dict):
            yield from _maps(where, one, other, depth=depth - 1)
        elif isinstance(one, list) or isinstance(other, list):
            yield from _lists(where, one or [], other or [])
        else:
            yield _values(where, one, other)


def _values(path: str, old: object, new: object) -> Difference:
    if old is None:
        return Difference(path=path, kind=Kind.ADDED, new=_label(new))
    if new is None:
        return Difference(path=path, kind=Kind.REMOVED, old=_label(old))
    return Difference(path=path, kind=Kind.CHANGED, old=words(old), new=words(new))


def _lists(path: str, old: list[Any], new: list[Any]) -> Iterator[Difference]:
    gone = [entry for entry in old if entry not in new]
    come = [entry for entry in new if entry not in old]
    for entry in gone:
        yield Difference(path=path, kind=Kind.REMOVED, old=words(entry))
    for entry in come:
        yield Difference(path=path, kind=Kind.ADDED, new=words(entry))
    if not gone and not come:
        yield Difference(path=path, kind=Kind.MOVED, old=words(old), new=words(new))


def words(value: object) -> str:
    """Print a part of a pack on one line, its text first."""
    if isinstance(value, dict):
        rest = [
            f"{key} {words(part)}"
            for key, part in value.items()
            if key != "text" and part not in (None, (), [], False)
        ]
        text = [str(value["text"])] if value.get("text") else []
        return "; ".join(text + rest)
    if isinstance(value, list | tuple):
        return f"[{', '.join(words(part) for part in value)}]"
    return str(value)


def _label(value: object) -> str:
    """Print what came or went: a noun by its name, anything else in full."""
    named = value if isinstance(value, dict) else {}
    return words(named.get("title") or named.get("name") or named.get("question") or value)

"""Complete a written inventory with facts read elsewhere; what a person wrote stays."""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from watcher.inventory.lookup import fold, names_of, stem
from watcher.inventory.schema import Certificate, Cluster, Node
from watcher.model.release import Release, ReleaseRange

Path = tuple[str | int, ...]

_GROWS = frozenset({"aliases", "addresses"})
"""Lists of names: a new name is added, none is a contradiction."""


@dataclass(frozen=True, slots=True)
class Addition:
    """A value for a key that has none, or a new item at the end of a list."""

    path: Path
    value: object


@dataclass(frozen=True, slots=True)
class Conflict:
    """A value that differs from what the person wrote, which is kept."""

    path: Path
    written: object
    found: object

    def __str__(self) -> str:
        """Say it in one line."""
        where = ".".join(str(part) for part in self.path)
        return f"{where}: the inventory says {self.written}, the paste says {self.found}; kept"


Change = Addition | Conflict


def compare(known: Cluster, found: Cluster) -> tuple[Change, ...]:
    """Return what `found` adds to `known` and where it contradicts it; paths within the cluster."""
    return tuple(_model(known, found, ()))


def _model(known: BaseModel, found: BaseModel, at: Path) -> Iterator[Change]:
    for key in type(found).model_fields:
        written, value = getattr(known, key), getattr(found, key)
        if key in {"name", "store"} or value is None or value == ():
            continue
        path = (*at, key)
        if isinstance(value, tuple):
            yield from _list(written or (), value, path)
        elif isinstance(value, BaseModel):
            yield from _model(written, value, path)
        else:
            yield from _value(written, value, path, is_written=key in known.model_fields_set)


def _value(written: object, value: object, path: Path, *, is_written: bool) -> Iterator[Change]:
    if written == value:
        return
    if written is None or not is_written:
        yield Addition(path, value)
    elif not _less_precise(value, written):
        yield Conflict(path, written, value)


def _less_precise(value: object, written: object) -> bool:
    """Tell whether the found release is the written one without its SU."""
    if not isinstance(value, Release) or not isinstance(written, Release):
        return False
    return ReleaseRange.parse(str(value)).matches(written)


def _list(written: Sequence[object], found: Sequence[object], path: Path) -> Iterator[Change]:
    if path[-1] in _GROWS:
        have = {fold(str(name)) for name in written}
        new = [name for name in found if fold(str(name)) not in have]
        yield from (Addition((*path, len(written) + i), name) for i, name in enumerate(new))
    elif isinstance(found[0], BaseModel):
        yield from _items(written, found, path)
    elif not written:
        yield Addition(path, found)
    elif set(written) != set(found):
        yield Conflict(path, ", ".join(map(str, written)), ", ".join(map(str, found)))


def _items(written: Sequence[object], found: Sequence[object], path: Path) -> Iterator[Change]:
    places: dict[Hashable, int] = {}
    for place, known in enumerate(written):
        for identity in _identities(known):
            places.setdefault(identity, place)
    end = len(written)
    for item in found:
        at = next((places[one] for one in _wanted(item) if one in places), None)
        known = written[at] if at is not None else None
        if at is not None and isinstance(known, BaseModel) and isinstance(item, BaseModel):
            yield from _model(known, item, (*path, at))
        else:
            yield Addition((*path, end), item)
            end += 1


def _identities(known: object) -> Iterable[Hashable]:
    """Return what a written item may be found by."""
    match known:
        case Node():
            return names_of(known)
        case Certificate():
            place = (fold(known.store), fold(known.node or ""))
            return (*place, stem(known.file or "")), place
        case _:
            return (str(known),)


def _wanted(item: object) -> Iterable[Hashable]:
    """Return what identifies a found item; a file may be known on one side only."""
    match item:
        case Node():
            return [fold(name) for name in (item.name, *item.aliases)]
        case Certificate():
            place = (fold(item.store), fold(item.node or ""))
            return [(*place, stem(item.file)), (*place, "")] if item.file else [place]
        case _:
            return (str(item),)

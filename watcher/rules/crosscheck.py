"""Checks across packs: named ids exist, kinds fit, commands are what may stand in a plan."""

import re
from collections.abc import Callable, Iterator, Mapping

from pydantic import BaseModel

from watcher.rules.catalogue import Catalogue, nearest
from watcher.rules.document import Document, Path
from watcher.rules.faults import fault
from watcher.rules.store import Phase, ProcedureItem, Store, StoreKind
from watcher.rules.work import CommandLine, ServiceCommand, StepTemplate

PLACEHOLDERS = ("unit", "file", "trust_file", "service")
"""What a command line may leave open; the planner fills these from catalogue and inventory."""

TITLE_PLACEHOLDERS = ("store", "file", "service", "node")
"""What the title and the texts of a step may leave open."""

_REFERS: Mapping[str, str] = {
    "source": "sources",
    "store": "stores",
    "trust_of": "stores",
    "trust_store": "stores",
    "copies_to": "stores",
    "service": "services",
    "restarts": "services",
    "also_offered": "services",
    "step": "steps",
    "checks_before": "steps",
    "checks_after": "steps",
    "contradiction": "contradictions",
    "contradictions": "contradictions",
    "rules": "safety",
}
"""Fields whose text is an id, and the part of the catalogue that defines it."""

_BRACES = re.compile(r"\{([^{}]*)\}|[{}]")
_COMMAND = re.compile(r"[\x20-\x7e]+")


def check_parts(document: Document, item: BaseModel, catalogue: Catalogue, at: Path = ()) -> None:
    """Raise InputError for the first thing in a pack that does not fit the catalogue.

    `at` is where `item` stands in the document; the whole pack stands at its beginning.
    """
    for path, part in walk(item, at):
        for field, key in _references(part):
            section = _REFERS[str(field[0])]
            known: Mapping[str, object] = getattr(catalogue, section)
            if key not in known:
                kind = "safety rule" if section == "safety" else section.removesuffix("s")
                raise fault(
                    document, path + field, f"there is no {kind} {key!r}", nearest(key, known)
                )
        for kind_of, check in _CHECKS:
            if isinstance(part, kind_of):
                check(document, path, part)


def check_stores(catalogue: Catalogue, documents: Mapping[str, Document]) -> None:
    """Raise InputError for stores that do not fit together; `documents` says where each stands."""
    positions: dict[int, str] = {}
    for key, store in catalogue.stores.items():
        _check_kinds(documents[key], key, store, catalogue)
        if not store.examples:
            raise fault(documents[key], ("stores", key), "has no examples", "at least one")
        if store.kind is not StoreKind.SERVICE:
            continue
        other = positions.setdefault(store.position, key)
        if other != key:
            path = ("stores", key, "position")
            problem = f"{store.position} is already the position of {other}"
            raise fault(documents[key], path, problem, "a place of its own in the order")


def walk(item: object, path: Path = ()) -> Iterator[tuple[Path, BaseModel]]:
    """Yield every model inside `item` with the path that leads to it."""
    if isinstance(item, BaseModel):
        yield path, item
        for name in type(item).model_fields:
            yield from walk(getattr(item, name), (*path, name))
    elif isinstance(item, dict):
        for key, value in item.items():
            yield from walk(value, (*path, key))
    elif isinstance(item, tuple):
        for index, value in enumerate(item):
            if isinstance(value, BaseModel):
                yield from walk(value, (*path, index))


def _references(item: BaseModel) -> Iterator[tuple[Path, str]]:
    for name in type(item).model_fields.keys() & _REFERS.keys():
        value = getattr(item, name)
        if isinstance(value, str):
            yield (name,), value
        for index, entry in enumerate(value if isinstance(value, tuple) else ()):
            if isinstance(entry, str):
                yield (name, index), entry
            elif isinstance(entry, tuple):
                # A pair (service, on) of an example.
                yield (name, index, 0), entry[0]


def _check_kinds(document: Document, key: str, store: Store, catalogue: Catalogue) -> None:
    wanted = (("trust_of", StoreKind.TRUST, StoreKind.SERVICE),
              ("trust_store", StoreKind.SERVICE, StoreKind.TRUST))  # fmt: skip
    for name, own, other in wanted:
        named = getattr(store, name)
        if named is None:
            continue
        path = ("stores", key, name)
        if store.kind is not own:
            raise fault(document, path, f"a {store.kind} store has no {name}", f"a {own} store")
        if catalogue.stores[named].kind is not other:
            problem = f"{named} is a {catalogue.stores[named].kind} store"
            raise fault(document, path, problem, f"a {other} store")


def _check_phase(document: Document, path: Path, item: ProcedureItem) -> None:
    if item.phase is Phase.STEP and item.step is None:
        raise fault(document, path, "phase `step` names no step", "`step:` with a step's id")
    if item.phase is not Phase.STEP and item.step is not None:
        problem = f"phase `{item.phase}` draws its own steps"
        raise fault(document, (*path, "step"), problem, "`step:` with phase `step` only")


def _check_command(document: Document, path: Path, item: CommandLine | ServiceCommand) -> None:
    if not _COMMAND.fullmatch(item.text):
        problem = "a command holds a character that is not printable ASCII"
        raise fault(document, (*path, "text"), problem, "plain ASCII")
    _check_braces(document, (*path, "text"), item.text, PLACEHOLDERS)


def _check_title(document: Document, path: Path, item: StepTemplate) -> None:
    _check_braces(document, (*path, "title"), item.title, TITLE_PLACEHOLDERS)
    for name in ("do", "gui", "expect", "check", "undo"):
        for index, statement in enumerate(getattr(item, name)):
            where = (*path, name, index, "text")
            _check_braces(document, where, statement.text, TITLE_PLACEHOLDERS)


def _check_braces(document: Document, path: Path, text: str, allowed: tuple[str, ...]) -> None:
    for found in _BRACES.finditer(text):
        if found[1] not in allowed:
            expected = " ".join(f"{{{name}}}" for name in allowed)
            problem = f"placeholder {found[0]} is not known"
            raise fault(document, path, problem, f"only {expected}")


_CHECKS: tuple[tuple[type[BaseModel], Callable[..., None]], ...] = (
    (ProcedureItem, _check_phase),
    (CommandLine, _check_command),
    (ServiceCommand, _check_command),
    (StepTemplate, _check_title),
)

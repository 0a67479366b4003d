"""A site's own pack: changes and adds stores without editing the built-in packs.

Lists are appended, single values replaced; `replace` names lists that are replaced whole. A
site brings no commands: those come from the reviewed catalogue only.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import Field, StrictInt, create_model

from watcher.rules.catalogue import Catalogue, nearest
from watcher.rules.crosscheck import check_parts
from watcher.rules.document import Document
from watcher.rules.faults import checked, fault
from watcher.rules.schema import Pack
from watcher.rules.store import Example, Store
from watcher.rules.terms import Closed, Id, Source, Text


class SitePack(Closed):
    """One YAML file of a site."""

    version: Annotated[StrictInt, Field(ge=1, le=1)]
    title: Text
    site: Literal[True]
    sources: dict[Id, Source] = Field(default={})
    stores: dict[Id, dict[str, Any]] = Field(
        default={}, description="A change for a known store, a complete store for a new one."
    )


class Change(Closed):
    """What every change of a store may say besides the store's own fields."""

    replace: tuple[str, ...] = Field(default=(), description="Lists that are replaced whole.")


_PROVED_BY: Mapping[str, tuple[str, ...]] = {
    "tell": ("tells",),
    "impact": ("impact_mentions",),
    "restarts": ("restarts", "also_offered"),
}
"""Fields of a store, and what an example says about them where the name differs."""


def _optional(store: type[Store]) -> dict[str, Any]:
    optional: dict[str, Any] = {}
    for name, info in store.model_fields.items():
        kind: Any = info.annotation
        for limit in info.metadata:
            kind = Annotated[kind, limit]
        optional[name] = (kind | None, Field(default=None, description=info.description))
    return optional


StoreChange: type[Change] = create_model(
    "StoreChange",
    __base__=Change,
    __doc__="A store of which only the given fields change.",
    **_optional(Store),
)


def apply_site(catalogue: Catalogue, document: Document) -> tuple[Catalogue, tuple[str, ...]]:
    """Return the catalogue with a site's pack on top, and the stores that the pack names."""
    _refuse_reviewed_parts(document)
    pack = checked(SitePack, document)
    for key in pack.sources.keys() & catalogue.sources.keys():
        raise fault(document, ("sources", key), "is a source already", "an id of your own")
    stores = {key: _store(catalogue, document, key, raw) for key, raw in pack.stores.items()}
    result = replace(
        catalogue,
        sources={**catalogue.sources, **pack.sources},
        stores={**catalogue.stores, **stores},
        titles=(*catalogue.titles, pack.title),
    )
    for key, raw in pack.stores.items():
        known = key in catalogue.stores
        part = checked(StoreChange if known else Store, document, raw, at=("stores", key))
        check_parts(document, part, result, at=("stores", key))
    return result, tuple(stores)


def _refuse_reviewed_parts(document: Document) -> None:
    if not isinstance(document.data, dict):
        return
    for part in Pack.model_fields.keys() - SitePack.model_fields.keys():
        if part in document.data:
            problem = "a site's pack may not bring this: commands and rules are reviewed here"
            raise fault(document, (part,), problem, "sources and stores only")


def _store(catalogue: Catalogue, document: Document, key: str, raw: Mapping[str, Any]) -> Store:
    at = ("stores", key)
    if key not in catalogue.stores:
        meant = catalogue.store_name(key)
        if meant is not None:
            raise fault(document, at, f"store {key!r} differs from {meant} in case only", meant)
        return checked(Store, document, raw, at=at)
    return _changed(
        catalogue.stores[key], checked(StoreChange, document, raw, at=at), document, key
    )


def _changed(store: Store, change: Change, document: Document, key: str) -> Store:
    lists = {name: getattr(store, name) for name in _list_fields()}
    lists["examples"] = _silenced(store, change.model_fields_set - {"releases", "examples"})
    for index, name in enumerate(change.replace):
        path = ("stores", key, "replace", index)
        if name not in lists:
            raise fault(document, path, f"{name!r} is not a list", nearest(name, lists))
        if name not in change.model_fields_set:
            raise fault(document, path, f"no new {name} are given", f"`{name}:` beside `replace:`")
    update = {"examples": lists["examples"]}
    for name in change.model_fields_set - {"replace"}:
        value = getattr(change, name)
        if value is None and Store.model_fields[name].default is not None:
            raise fault(document, ("stores", key, name), "has no value", "a value")
        kept = () if name in change.replace else lists.get(name, ())
        update[name] = (*kept, *value) if name in lists else value
    return store.model_copy(update=update)


def _silenced(store: Store, changed: Iterable[str]) -> tuple[Example, ...]:
    """Return the store's examples without what they say about changed fields.

    They prove the built-in rules; a site proves its own by examples of its own.
    """
    names = [name for field in changed for name in _PROVED_BY.get(field, (field,))]
    stated = {name: Example.model_fields[name] for name in names if name in Example.model_fields}
    update = {name: info.default for name, info in stated.items()}
    return tuple(example.model_copy(update=update) for example in store.examples)


def _list_fields() -> tuple[str, ...]:
    schema = Store.model_json_schema()["properties"]
    return tuple(name for name, part in schema.items() if part.get("type") == "array")

"""Put packs together into one catalogue; every fault is told with file, line and column."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel

from watcher.errors import InputError
from watcher.rules.alarms import Alarms
from watcher.rules.catalogue import Catalogue
from watcher.rules.crosscheck import check_parts, check_stores
from watcher.rules.document import Document, read_document
from watcher.rules.faults import checked, fault
from watcher.rules.schema import Pack
from watcher.rules.site import apply_site

PARTS = (
    "sources", "services", "stores", "steps", "safety", "contradictions", "questions", "ways",
)  # fmt: skip
"""The parts of a pack that hold things by id; `alarms` stands once in all packs."""

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class LoadedPack:
    """One pack and the document it was read from, so that faults can name the place."""

    document: Document
    pack: Pack


def load_pack(name: str, text: str) -> LoadedPack:
    """Read one built-in pack by itself, or raise InputError."""
    document = read_document(name, text)
    return LoadedPack(document, checked(Pack, document))


def load(texts: Iterable[tuple[str, str]], site_texts: Iterable[tuple[str, str]] = ()) -> Catalogue:
    """Read packs given as (name, text) and return what they say together.

    A site's packs follow the built-in ones, in order. Raises InputError for the first fault: a
    pack's shape, an id in two packs, or an id that one part names and none defines.
    """
    packs = tuple(load_pack(name, text) for name, text in texts)
    catalogue = _merged(packs)
    for loaded in packs:
        check_parts(loaded.document, loaded.pack, catalogue)
    documents = {key: p.document for p in packs for key in p.pack.stores}
    for name, text in site_texts:
        site = read_document(name, text)
        catalogue, changed = apply_site(catalogue, site)
        documents |= dict.fromkeys(changed, site)
    check_stores(catalogue, documents)
    return catalogue


def _merged(packs: tuple[LoadedPack, ...]) -> Catalogue:
    seen: dict[tuple[str, str], Document] = {}
    for loaded in packs:
        for part in PARTS:
            for key in getattr(loaded.pack, part):
                _refuse_double(seen, (part, key), loaded.document)
    return Catalogue(
        sources=_union(p.pack.sources for p in packs),
        services=_union(p.pack.services for p in packs),
        stores=_union(p.pack.stores for p in packs),
        steps=_union(p.pack.steps for p in packs),
        safety=_union(p.pack.safety for p in packs),
        contradictions=_union(p.pack.contradictions for p in packs),
        questions=_union(p.pack.questions for p in packs),
        ways=_union(p.pack.ways for p in packs),
        alarms=_alarms(packs),
        titles=tuple(p.pack.title for p in packs),
    )


def _refuse_double(
    seen: dict[tuple[str, str], Document], path: tuple[str, str], document: Document
) -> None:
    first = seen.setdefault(path, document)
    if first is not document:
        problem = f"is already in {first.where(path)}"
        raise fault(document, path, problem, "each id in one pack")


def _union(parts: Iterable[Mapping[str, Model]]) -> dict[str, Model]:
    return {key: item for part in parts for key, item in part.items()}


def _alarms(packs: tuple[LoadedPack, ...]) -> Alarms:
    having = [loaded for loaded in packs if loaded.pack.alarms is not None]
    if len(having) > 1:
        first = having[0].document.where(("alarms",))
        raise fault(having[1].document, ("alarms",), f"is already in {first}", "one pack with it")
    if not having or having[0].pack.alarms is None:
        raise InputError("no pack holds `alarms`", expected="one pack with the alarm catalogue")
    return having[0].pack.alarms

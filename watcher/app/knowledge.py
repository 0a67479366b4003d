"""What the program knows: rule packs and alarm catalogue, built in and a site's own."""

from collections.abc import Sequence
from importlib.resources.abc import Traversable
from pathlib import Path

from watcher.app.files import read_text
from watcher.app.texts import read_in_force
from watcher.errors import InputError, Location
from watcher.plugins import builtin
from watcher.rules.catalogue import Catalogue
from watcher.rules.loader import load


def load_catalogue(site_packs: Sequence[str] = ()) -> Catalogue:
    """Read the built-in rule packs and then the site's own, in the order given."""
    return load(builtin_packs(), [(name, read_in_force(name)) for name in site_packs])


def builtin_packs() -> list[tuple[str, str]]:
    """Read the built-in rule packs as (name, text), in the order of their names."""
    return [
        (f"rules/{entry.name}", entry.read_text(encoding="utf-8"))
        for entry in _packs_in(builtin("rules"))
    ]


def read_packs(name: str) -> list[tuple[str, str]]:
    """Read one rule pack, or all of a folder, as (name, text)."""
    folder = Path(name)
    if not folder.is_dir():
        return [(name, read_text(name))]
    packs = [(str(entry), read_text(str(entry))) for entry in _packs_in(folder)]
    if not packs:
        raise InputError("holds no rule pack", where=Location(name), expected="files *.yaml")
    return packs


def _packs_in(folder: Traversable) -> list[Traversable]:
    packs = (entry for entry in folder.iterdir() if entry.name.endswith(".yaml"))
    return sorted(packs, key=lambda entry: entry.name)

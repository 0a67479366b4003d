"""Inventories: loading one, and which question each of its keys answers."""

from watcher.app.knowledge import load_catalogue
from watcher.app.texts import read_in_force
from watcher.inventory import loader
from watcher.inventory.schema import Inventory
from watcher.rules.catalogue import Catalogue


def load_inventory(name: str, catalogue: Catalogue | None = None) -> Inventory:
    """Read an inventory file, or raise InputError with the place of the first fault.

    Whoever has the catalogue passes it: then a store that no rule knows is a fault, too.
    """
    return loader.load(name, read_in_force(name), catalogue)


def inventory_hints() -> dict[str, str]:
    """Say for each key of an inventory which question of a plan asks for it."""
    questions = load_catalogue().questions.values()
    return {_key(question.inventory_key): question.text for question in questions}


def _key(path: str) -> str:
    return path.replace("[]", "").removeprefix("clusters.").strip(".")

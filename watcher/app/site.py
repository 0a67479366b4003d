"""Inventories: loading one, and which question each of its keys answers."""

from watcher.app.knowledge import load_catalogue
from watcher.app.texts import read_in_force
from watcher.inventory import loader
from watcher.inventory.schema import Inventory


def load_inventory(name: str) -> Inventory:
    """Read an inventory file, or raise InputError with the place of the first fault."""
    return loader.load(name, read_in_force(name))


def inventory_hints() -> dict[str, str]:
    """Say for each key of an inventory which question of a plan asks for it."""
    questions = load_catalogue().questions.values()
    return {_key(question.inventory_key): question.text for question in questions}


def _key(path: str) -> str:
    return path.replace("[]", "").removeprefix("clusters.").strip(".")

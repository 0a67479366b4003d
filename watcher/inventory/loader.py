"""Text of an inventory file -> Inventory, or the first fault with its place and the fix."""

import re

from pydantic import ValidationError

from watcher.errors import InputError, Location
from watcher.inventory.crosscheck import check
from watcher.inventory.schema import Inventory
from watcher.rules.catalogue import Catalogue
from watcher.rules.document import Document, read_document
from watcher.rules.faults import checked, true_faults, with_others

_KEY = re.compile(r"^(?:version|clusters)\s*:", re.MULTILINE)
_PROMPT = re.compile(r"^[ \t]*admin:", re.MULTILINE)


def load(name: str, text: str, catalogue: Catalogue | None = None) -> Inventory:
    """Read an inventory; raise InputError for the first fault, with the number of others.

    With a catalogue its stores are held against those of the rules.
    """
    document = _document(name, text)
    if document.data is None:
        raise InputError("the file is empty", where=document.where(()), expected="version: 1")
    inventory = _shaped(document)
    found = check(document, inventory, catalogue)
    if found:
        raise with_others(found[0], len(found) - 1)
    return inventory


def faults(name: str, text: str, catalogue: Catalogue) -> tuple[InputError, ...]:
    """Return what is wrong between the parts of an inventory whose shape is right."""
    document = _document(name, text)
    return check(document, _shaped(document), catalogue)


def _document(name: str, text: str) -> Document:
    """Read the file; a paste of a node's output, the likeliest other text, gets a hint."""
    keyed = _KEY.search(text) is not None
    prompt = _PROMPT.search(text)
    if prompt and not keyed:
        raise InputError(
            "this looks like command output; see `watcher inventory import`",
            where=Location(name, text.count("\n", 0, prompt.start()) + 1),
            expected="an inventory, with the keys version and clusters",
        )
    try:
        document = read_document(name, text)
    except InputError as error:
        if keyed:
            raise
        expected = f"{error.expected}; if this is command output, see `watcher inventory import`"
        raise InputError(error.problem, where=error.where, expected=expected) from error
    if isinstance(document.data, str):
        raise InputError(
            "this is text without keys, perhaps command output; see `watcher inventory import`",
            where=document.where(()),
            expected="an inventory, with the keys version and clusters",
        )
    return document


def _shaped(document: Document) -> Inventory:
    try:
        return checked(Inventory, document)
    except InputError as error:
        raise with_others(error, _count(document) - 1) from error


def _count(document: Document) -> int:
    try:
        Inventory.model_validate(document.data)
    except ValidationError as error:
        return len(true_faults(error))
    return 1

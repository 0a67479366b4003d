"""Text of an inventory file -> Inventory, or the first fault with its place and the fix."""

from pydantic import ValidationError

from watcher.errors import InputError
from watcher.inventory.crosscheck import check
from watcher.inventory.schema import Inventory
from watcher.rules.document import Document, read_document
from watcher.rules.faults import checked, true_faults


def load(name: str, text: str) -> Inventory:
    """Read an inventory; raise InputError for the first fault, with the number of others."""
    document = read_document(name, text)
    if document.data is None:
        raise InputError("the file is empty", where=document.where(()), expected="version: 1")
    inventory = _shaped(document)
    faults = check(document, inventory)
    if faults:
        raise _with_others(faults[0], len(faults) - 1)
    return inventory


def _shaped(document: Document) -> Inventory:
    try:
        return checked(Inventory, document)
    except InputError as error:
        raise _with_others(error, _count(document) - 1) from error


def _count(document: Document) -> int:
    try:
        Inventory.model_validate(document.data)
    except ValidationError as error:
        return len(true_faults(error))
    return 1


def _with_others(error: InputError, others: int) -> InputError:
    if others < 1:
        return error
    noun = "fault" if others == 1 else "faults"
    problem = f"{error.problem}; {others} more {noun} after this"
    return InputError(problem, where=error.where, expected=error.expected)

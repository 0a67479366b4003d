"""Finds what ships with watcher: built-in rules and templates."""

from importlib.resources import files
from importlib.resources.abc import Traversable


def builtin(kind: str) -> Traversable:
    """Return the folder of built-in `kind`: "rules" or "templates".

    In a wheel they lie inside the package; in a checkout (editable install) at the top, where
    people read and change them.
    """
    package = files("watcher")
    packaged = package / "_builtin" / kind
    return packaged if packaged.is_dir() else package / ".." / kind

"""Pasted command output, read into an inventory."""

from collections.abc import Sequence
from dataclasses import replace

from watcher.app.files import read_bytes, read_text
from watcher.transcripts.importer import Imported, Request, import_pastes

PASTE_LIMIT = 8 << 20
"""Bytes of pasted command output; a trust store of a large cluster prints about 1 MiB."""


def import_transcripts(names: Sequence[str], request: Request, merge: str | None) -> Imported:
    """Read pasted command output, and the inventory to complete where there is one."""
    known = (merge, read_text(merge)) if merge is not None else None
    pastes = [(name, read_paste(name)) for name in names]
    return import_pastes(pastes, replace(request, merge=known))


def read_paste(name: str) -> str:
    """Read pasted output: any bytes, at most 8 MiB; what is not UTF-8 is replaced."""
    return read_bytes(name, PASTE_LIMIT, "a shorter paste").decode("utf-8-sig", errors="replace")

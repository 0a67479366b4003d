"""`run sql select paramname,paramvalue from processconfig ...`: parameters of the cluster."""

import re
from dataclasses import dataclass

from watcher.inventory.schema import SecurityMode
from watcher.transcripts.block import Block, Unread

_ROW = re.compile(r"(?P<name>[A-Za-z][A-Za-z0-9_]{1,60})\s+(?P<value>\S{1,40})")
_HEADING = re.compile(r"paramname\s+paramvalue|[=\s-]+", re.IGNORECASE)
_SECURITY_MODE = {"0": SecurityMode.NON_SECURE, "1": SecurityMode.MIXED}
_TRUTH = {"f": False, "t": True, "0": False, "1": True, "false": False, "true": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterFacts:
    """The parameters that an inventory holds; None when not in this output."""

    security_mode: SecurityMode | None
    rollback_pre80: bool | None
    unread: tuple[Unread, ...]


def read(block: Block) -> ParameterFacts:
    """Read one table of names and values."""
    mode: SecurityMode | None = None
    rollback: bool | None = None
    unread: list[Unread] = []
    for line in block.lines:
        text = line.text.strip()
        row = _ROW.fullmatch(text)
        name, value = (row["name"].lower(), row["value"].lower()) if row else ("", "")
        if _HEADING.fullmatch(text):
            continue
        if name == "clustersecuritymode" and value in _SECURITY_MODE:
            mode = _SECURITY_MODE[value]
        elif name == "rollbacktopregrayback" and value in _TRUTH:
            rollback = _TRUTH[value]
        else:
            unread.append(Unread(line.number, text, "a parameter or value that is not known here"))
    return ParameterFacts(security_mode=mode, rollback_pre80=rollback, unread=tuple(unread))

"""Which crash points there are: what the code says, not a list that somebody keeps."""

import re
from pathlib import Path

import watcher

_POINT = re.compile(r'crash\.point\(\s*"([a-z0-9-]+)"')


SENDING = ("app/outgoing.py", "app/errands.py", "senders/")
"""Where tickets are sent from: few lives of a daemon pass there, so tests/tickets kills it."""


def taking_in() -> dict[str, str]:
    """Return the points that a life of the daemon under load passes."""
    return {name: path for name, path in points().items() if not path.startswith(SENDING)}


def points() -> dict[str, str]:
    """Return the name of each crash point and the module that has it."""
    root = Path(watcher.__file__).parent
    found: dict[str, str] = {}
    for path in sorted(root.rglob("*.py")):
        for name in _POINT.findall(path.read_text(encoding="utf-8")):
            found.setdefault(name, str(path.relative_to(root)))
    return found

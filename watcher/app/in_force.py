"""The texts that are in force: what was read at the start or at the last reload.

Worker and drawing are processes of their own, started anew now and then. They must not read what
somebody is just writing into the settings, the inventory or a rule pack: they are handed the texts
that the daemon took over, whole, until a reload takes others over.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from pathlib import Path

from watcher.app.files import write_output
from watcher.errors import InputError, Location

RECEIVER_FILE, WORKER_FILE = "in-force.json", "in-force-worker.json"


@dataclass(frozen=True, slots=True)
class Text:
    """A file's text, and when it was written, in seconds since 1970."""

    text: str
    modified: float


_held: dict[str, Text] = {}
_noting: ContextVar[dict[str, Text] | None] = ContextVar("noting", default=None)


def held(name: str) -> str | None:
    """Return the text in force of a file; None: read the file."""
    found = _held.get(os.path.abspath(name))  # noqa: PTH100 -- no look at the disk
    if found is not None:
        note(name, found.text)
    return found.text if found else None


def note(name: str, text: str) -> None:
    """Note a text that was read, where somebody collects what comes into force."""
    noting = _noting.get()
    if noting is not None:
        noting[os.path.abspath(name)] = Text(text, modified(name))  # noqa: PTH100


def modified(name: str) -> float:
    """Return when a file that is in force was written; 0 when nobody can tell."""
    found = _held.get(os.path.abspath(name))  # noqa: PTH100
    if found is not None:
        return found.modified
    try:
        return Path(name).stat().st_mtime
    except OSError:
        return 0.0


@contextmanager
def noting() -> Iterator[Mapping[str, Text]]:
    """Collect the texts that are read inside of the block."""
    texts: dict[str, Text] = {}
    token = _noting.set(texts)
    try:
        yield texts
    finally:
        _noting.reset(token)


def write(file: Path, texts: Mapping[str, Text]) -> None:
    """Write down what is in force, whole or not at all, for those who are started later."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_output(str(file), json.dumps({name: asdict(text) for name, text in texts.items()}))
    file.chmod(0o600)


def take(file: Path) -> None:
    """Hold to what is written there instead of to the files as they are now."""
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        _held.update({name: Text(**text) for name, text in told.items()})
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise InputError(
            "does not say what is in force", where=Location(str(file)), expected="a restart"
        ) from error

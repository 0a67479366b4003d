"""The shell around the core: files, standard input and the clock. It carries, never decides."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import BinaryIO

from watcher import pipeline, render, seal
from watcher.errors import InputError, Location
from watcher.inventory import loader as inventory_loader
from watcher.inventory.schema import Inventory
from watcher.model.alarm import Event, Tally
from watcher.model.plan import ChangePlan
from watcher.planner.plan import REFUSED
from watcher.plugins import builtin
from watcher.rules.catalogue import Catalogue
from watcher.rules.loader import load
from watcher.transcripts.importer import Imported, Request, import_pastes

STANDARD_INPUT = "-"
SETTINGS_LIMIT = 1 << 20
"""Bytes of a file that a person writes (facts: config and rule packs at most 1 MiB)."""
PASTE_LIMIT = 8 << 20
"""Bytes of pasted command output; a trust store of a large cluster prints about 1 MiB."""


def now() -> datetime:
    """Return the present, aware and UTC: the only read of the clock."""
    return datetime.now(UTC)


@contextmanager
def open_input(name: str) -> Iterator[BinaryIO]:
    """Open a file, or standard input for `-`, for reading bytes."""
    if name == STANDARD_INPUT:
        if sys.stdin is None:  # closed by who started us: `watcher parse <&-`
            raise InputError("standard input is closed", expected="a file or a pipe")
        yield sys.stdin.buffer
        return
    if not name:
        raise InputError("a file name is empty", expected="a file, or - for standard input")
    try:
        stream = Path(name).open("rb")  # noqa: SIM115 -- closed below, after the error is told
    except OSError as error:
        reason = (error.strerror or "cannot be read").lower()
        raise InputError(reason, where=Location(name), expected="a readable file") from error
    with stream:
        if os.path.isdir(name):  # noqa: PTH112
            raise InputError("is a folder", where=Location(name), expected="a file")
        yield stream


def _read(name: str, limit: int, expected: str) -> bytes:
    """Read a whole file of at most `limit` bytes, a number of mebibytes."""
    with open_input(name) as stream:
        try:
            raw = stream.read(limit + 1)
        except OSError as error:
            reason = (error.strerror or "cannot be read").lower()
            raise InputError(reason, where=Location(name), expected="a readable file") from error
    if len(raw) > limit:
        size = f"larger than {limit >> 20} MiB"
        raise InputError(size, where=Location(name), expected=expected)
    return raw


def read_text(name: str) -> str:
    """Read a file that a person wrote: UTF-8, at most 1 MiB."""
    raw = _read(name, SETTINGS_LIMIT, "a smaller file")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"byte {raw[error.start]:#04x} is not UTF-8",
            where=Location(name, line),
            expected="a text file in UTF-8",
        ) from error


def write_output(name: str | None, text: str) -> None:
    """Write a document to a file, whole or not at all, or to standard output."""
    if name is None or name == STANDARD_INPUT:
        sys.stdout.buffer.write(text.encode())
        sys.stdout.buffer.flush()
        return
    path = Path(name)
    try:
        if os.path.lexists(path) and (path.is_symlink() or not path.is_file()):
            # A device, a pipe or a link is written to, never replaced: think of -o /dev/null.
            path.write_bytes(text.encode())
        else:
            _replace(path, text.encode())
    except OSError as error:
        reason = (error.strerror or "cannot be written").lower()
        raise InputError(reason, where=Location(name), expected="a writable path") from error


def _replace(path: Path, content: bytes) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with draft.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)
    except OSError:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise


def load_catalogue(site_packs: Sequence[str] = ()) -> Catalogue:
    """Read the built-in rule packs and then the site's own, in the order given."""
    return load(builtin_packs(), [(name, read_text(name)) for name in site_packs])


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


def load_inventory(name: str) -> Inventory:
    """Read an inventory file, or raise InputError with the place of the first fault."""
    return inventory_loader.load(name, read_text(name))


def inventory_hints() -> dict[str, str]:
    """Say for each key of an inventory which question of a plan asks for it."""
    questions = load_catalogue().questions.values()
    return {_key(question.inventory_key): question.text for question in questions}


def _key(path: str) -> str:
    return path.replace("[]", "").removeprefix("clusters.").strip(".")


def import_transcripts(names: Sequence[str], request: Request, merge: str | None) -> Imported:
    """Read pasted command output, and the inventory to complete where there is one."""
    known = (merge, read_text(merge)) if merge is not None else None
    pastes = [(name, read_paste(name)) for name in names]
    return import_pastes(pastes, replace(request, merge=known))


def read_paste(name: str) -> str:
    """Read pasted output: any bytes, at most 8 MiB; what is not UTF-8 is replaced."""
    return _read(name, PASTE_LIMIT, "a shorter paste").decode("utf-8-sig", errors="replace")


BLOCK = 1 << 20
"""Bytes read at a time from alarms; an archive never stands in memory as a whole."""


def blocks_of(name: str) -> Iterator[bytes]:
    """Yield a file, or standard input, block by block as it comes."""
    with open_input(name) as stream:
        read = getattr(stream, "read1", stream.read)
        try:
            while block := read(BLOCK):
                yield block
        except OSError as error:
            reason = (error.strerror or "cannot be read").lower()
            raise InputError(reason, where=Location(name), expected="a file") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOrder:
    """What a person asks of `watcher plan`."""

    inputs: tuple[str, ...]
    inventory: str | None = None
    rules: tuple[str, ...] = ()
    as_of: datetime | None = None


def draw(order: PlanOrder, tally: Tally) -> tuple[ChangePlan, ...]:
    """Read alarms and draw the plans for them; one for each cluster."""
    catalogue = load_catalogue(order.rules)
    inventory = load_inventory(order.inventory) if order.inventory else None
    events: list[Event] = []
    for name in order.inputs:
        events += pipeline.planned(pipeline.read(blocks_of(name), catalogue.alarms, tally))
    return pipeline.plan(events, inventory, catalogue, order.as_of)


def was_refused(plan: ChangePlan) -> bool:
    """Tell whether the independent check took the steps out of a plan."""
    return plan.withheld[: len(REFUSED)] == REFUSED


def render_plans(plans: Sequence[ChangePlan], form: str) -> str:
    """Return plans as a document of the format md, html or json."""
    if form == "json":
        return render.as_json(plans)
    folder = builtin("templates")
    texts = {e.name: e.read_text(encoding="utf-8") for e in folder.iterdir() if e.is_file()}
    return (render.html if form == "html" else render.markdown)(plans, texts)


def verify_document(name: str) -> seal.Verdict:
    """Compare a document with the seal it carries."""
    raw = _read(name, DOCUMENT_LIMIT, "a plan")
    try:
        return seal.verify(raw.decode())
    except UnicodeDecodeError as error:
        raise InputError("is not UTF-8", where=Location(name), expected="a plan") from error
    except InputError as error:
        raise InputError(error.problem, where=Location(name), expected=error.expected) from error


DOCUMENT_LIMIT = 16 << 20
"""Bytes of a plan that `watcher verify` reads."""

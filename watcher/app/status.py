"""The status files of the two halves: written whole about once a second, read by anybody."""

import os
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from watcher.app.files import SETTINGS_LIMIT
from watcher.model.status import ReceiverStatus, WorkerStatus

RECEIVER_FILE = "receiver.json"
WORKER_FILE = "worker.json"

_RECEIVER = TypeAdapter(ReceiverStatus)
_WORKER = TypeAdapter(WorkerStatus)
_LIMIT = SETTINGS_LIMIT * 8
Status = TypeVar("Status", ReceiverStatus, WorkerStatus)


def write_status(folder: Path, status: ReceiverStatus | WorkerStatus) -> None:
    """Write a status, whole or not at all; raise OSError when that fails.

    It is not synced: after a power cut both halves write a new one within a second.
    """
    name = RECEIVER_FILE if isinstance(status, ReceiverStatus) else WORKER_FILE
    draft = folder / f".{name}.{os.getpid()}.tmp"
    try:
        draft.write_bytes(to_json(status))
        draft.replace(folder / name)
    except OSError:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise


def read_receiver(folder: Path) -> ReceiverStatus | None:
    """Return what the receiver last wrote; None when it never did, or another version did."""
    return _read(folder / RECEIVER_FILE, _RECEIVER)


def read_worker(folder: Path) -> WorkerStatus | None:
    """Return what the worker last wrote, likewise."""
    return _read(folder / WORKER_FILE, _WORKER)


def to_json(status: ReceiverStatus | WorkerStatus) -> bytes:
    """Return a status as JSON."""
    if isinstance(status, ReceiverStatus):
        return _RECEIVER.dump_json(status, indent=1)
    return _WORKER.dump_json(status, indent=1)


def _read(path: Path, adapter: TypeAdapter[Status]) -> Status | None:
    try:
        with path.open("rb") as stream:
            return adapter.validate_json(stream.read(_LIMIT))
    except (OSError, ValidationError):
        return None

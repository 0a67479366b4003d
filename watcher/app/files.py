"""Files, standard input and standard output."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EDQUOT, ENOSPC, ENOTDIR
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import BinaryIO

from watcher.errors import InputError, Location

STANDARD_INPUT = "-"
SETTINGS_LIMIT = 1 << 20
"""Bytes of a file that a person writes (facts: config and rule packs at most 1 MiB)."""
NO_ROOM = frozenset({ENOSPC, EDQUOT})
"""Errors of a full disk."""
BLOCK = 1 << 20
"""Bytes read at a time from alarms; an archive never stands in memory as a whole."""


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


def read_bytes(name: str, limit: int, expected: str) -> bytes:
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
    raw = read_bytes(name, SETTINGS_LIMIT, "a smaller file")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"byte {raw[error.start]:#04x} is not UTF-8",
            where=Location(name, line),
            expected="a text file in UTF-8",
        ) from error


def write_output(name: str | None, document: str | bytes) -> None:
    """Write a document to a file, whole or not at all, or to standard output."""
    content = document.encode() if isinstance(document, str) else document
    if name is None or name == STANDARD_INPUT:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    path = Path(name)
    try:
        if os.path.lexists(path) and (path.is_symlink() or not path.is_file()):
            # A device, a pipe or a link is written to, never replaced: think of -o /dev/null.
            path.write_bytes(content)
        else:
            _replace(path, content)
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


def try_folder(folder: Path) -> None:
    """Try whether a folder can be made and written, or raise OSError; nothing is left behind."""
    near = folder
    while not near.exists():
        near = near.parent
    if not near.is_dir():
        raise NotADirectoryError(ENOTDIR, os.strerror(ENOTDIR), str(near))
    if near == folder:
        with TemporaryFile(dir=near):
            return
    with TemporaryDirectory(dir=near):  # what it is called is made at random, and gone
        return

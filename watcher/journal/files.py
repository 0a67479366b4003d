"""The few things the writer asks of a file system; a test hands in one that fails or forgets."""

import errno
import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Protocol

PASSING = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EMFILE, errno.ENFILE, errno.ENOMEM}
"""Errors of creating and writing that pass: room, descriptors or memory may come back."""
_PAGE = 4096


class Space(NamedTuple):
    """Bytes of a file system: free for us, and in all."""

    free: int
    total: int


class Files(Protocol):
    """What can fail, be lost by a power cut, or be told to die."""

    def create(self, path: Path) -> int:
        """Create a file that is not there and open it for writing."""

    def open(self, path: Path) -> int:
        """Open a file for reading and writing."""

    def write(self, fd: int, data: bytes, offset: int) -> int:
        """Write at a place; return how many bytes it took."""

    def truncate(self, fd: int, size: int) -> None:
        """Cut a file off."""

    def sync(self, fd: int) -> None:
        """Return when what was written to the file is on the disk."""

    def sync_folder(self, fd: int) -> None:
        """Return when the names of a folder are on the disk."""

    def remove(self, path: Path) -> None:
        """Remove a file."""

    def space(self, folder: Path) -> Space:
        """Return how much room there is."""


class Disk:
    """The real one."""

    def create(self, path: Path) -> int:
        """Create a file that only its owner may read."""
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)

    def open(self, path: Path) -> int:
        """Open a file for reading and writing."""
        return os.open(path, os.O_RDWR)

    def write(self, fd: int, data: bytes, offset: int) -> int:
        """Write at a place, whatever the file's own position is."""
        return os.pwrite(fd, data, offset)

    def truncate(self, fd: int, size: int) -> None:
        """Cut a file off."""
        os.ftruncate(fd, size)

    def sync(self, fd: int) -> None:
        """Sync data and, where it grew, the size."""
        os.fdatasync(fd)

    def sync_folder(self, fd: int) -> None:
        """Sync the names of a folder."""
        os.fsync(fd)

    def remove(self, path: Path) -> None:
        """Remove a file; one that is gone is no error."""
        path.unlink(missing_ok=True)

    def space(self, folder: Path) -> Space:
        """Return what an unprivileged process may fill."""
        found = os.statvfs(folder)
        return Space(found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize)


def read_at(fd: int, offset: int, size: int) -> bytes:
    """Read a stretch; what the disk refuses to give comes as zeros, so that the rest is read."""
    try:
        return os.pread(fd, size, offset)
    except OSError:
        return b"".join(_page(fd, at, offset + size) for at in range(offset, offset + size, _PAGE))


def _page(fd: int, at: int, end: int) -> bytes:
    size = min(_PAGE, end - at)
    with suppress(OSError):
        return os.pread(fd, size, at)
    return bytes(size)

"""The folder of a journal, taken by its one writer."""

import fcntl
import os
from pathlib import Path

from watcher.errors import InputError, Location
from watcher.journal.mounts import refuse_network


class Folder:
    """A folder that no other process writes while this one lives.

    The lock goes with the process (also with one that it forks without exec: start the worker
    anew, do not fork it).
    """

    def __init__(self, path: Path) -> None:
        """Take it; raise InputError when it is no good or another process has it."""
        self.path = path
        try:
            refuse_network(path)
            _make(path)
            self.fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
            self._lock_fd = os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise InputError(
                f"the journal cannot be kept here: {error.strerror}",
                where=Location(str(path)),
                expected="a folder that this user may write",
            ) from error
        self._lock()

    def release(self) -> None:
        """Let another process have it."""
        os.close(self._lock_fd)
        os.close(self.fd)

    def _lock(self) -> None:
        try:
            fcntl.flock(self._lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self.release()
            raise InputError(
                "another process writes this journal: a daemon with this state folder runs already",
                where=Location(str(self.path)),
                expected="one daemon for each state_dir; `watcher status` shows the other",
            ) from None


def _make(path: Path) -> None:
    """Create the folder for its owner alone, and see that its name lasts."""
    if path.is_dir():
        return
    path.mkdir(mode=0o700, parents=True)
    fd = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)

"""Follows log files as syslog daemons write them, across rotation of every kind.

The place up to which a file is on our disk is remembered by device, inode and the file's first
bytes: a renamed file goes on where it was, and of a copied and truncated one the rest is read from
the copy. Lines may come twice after a crash, and are never left out.
"""

import glob
import hashlib
import json
import os
import re
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from watcher import crash
from watcher.errors import one_line
from watcher.inputs.files import BLOCK, line_decoder, read_of
from watcher.inputs.poller import Desk, Poller, Status
from watcher.inputs.reception import Reception
from watcher.model.message import Grade, Origin, Position, Way
from watcher.wire.archive import PACKED
from watcher.wire.prefilter import Prefilter

_HEAD: Final = 1024
_BLOCKS: Final = 64
"""Of one file, before the next has its turn."""
_OPEN: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_WILD: Final = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowOptions:
    """Log files to follow; times in seconds."""

    patterns: tuple[str, ...]
    """Paths with `*`, `?`, `[...]` and, for any depth of folders, `**`."""
    state: Path
    """A file of ours, where the places are remembered."""
    from_start: bool = True
    """Read what is there at the very first start; else only what is written afterwards."""
    poll_seconds: float = 1
    linger_seconds: float = 10
    """How long a rotated file is still looked at: its writer learns of it a little later."""
    files: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Up to where a file is on our disk; `head` tells it from another with the same inode."""

    path: str
    device: int
    inode: int
    offset: int
    head_size: int
    head: str


class _File:
    """An open file and how far it is read."""

    def __init__(self, path: str, file: int, offset: int, marks: Prefilter) -> None:
        self.path = path
        self.file = file
        self.offset = offset
        self.decoder = line_decoder(marks)
        self.rotated: float | None = None
        """When it was found renamed, copied or gone, and last gave something."""
        found = os.fstat(file)
        self.device, self.inode = found.st_dev, found.st_ino
        self._head_size = 0
        self._head = ""
        self._learn()

    def place(self) -> _Place:
        """Return where to go on: at the beginning of an unfinished line."""
        self._learn()
        return _Place(
            path=self.path, device=self.device, inode=self.inode,
            offset=self.offset - self.decoder.held, head_size=self._head_size, head=self._head,
        )  # fmt: skip

    def blocks(self) -> Iterator[bytes]:
        """Yield what was written since, to a limit."""
        for _ in range(_BLOCKS):
            block = os.pread(self.file, BLOCK, self.offset)
            if not block:
                return
            self.offset += len(block)
            yield block

    def is_same(self, file: int) -> bool:
        """Tell whether a descriptor is of this file."""
        found = os.fstat(file)
        return (found.st_dev, found.st_ino) == (self.device, self.inode)

    @property
    def behind(self) -> bool:
        """There is more to read."""
        return os.fstat(self.file).st_size > self.offset

    @property
    def truncated(self) -> bool:
        """It was cut or written anew, maybe beyond where we are."""
        size = os.fstat(self.file).st_size
        return size < self.offset or _head(self.file, self._head_size) != self._head

    def _learn(self) -> None:
        size = min(self.offset, _HEAD)
        if size > self._head_size:
            self._head_size, self._head = size, _head(self.file, size)


class FollowInput:
    """Follows files in a thread of its own."""

    def __init__(self, reception: Reception, marks: Prefilter, options: FollowOptions) -> None:
        self._marks = marks
        self._options = options
        self._poller = Poller(reception.name, options.poll_seconds, self._look)
        self._desk = Desk(reception, self._poller.status, self._poller.stopping)
        self._open: dict[str, _File] = {}
        self._rotated: list[_File] = []
        self._places: tuple[_Place, ...] = ()
        """What the state file says."""
        self._first = False

    @property
    def status(self) -> Status:
        """How it is doing."""
        return self._poller.status

    @property
    def following(self) -> tuple[str, ...]:
        """Which files are open now."""
        return tuple(self._open)

    def start(self) -> None:
        """Begin where the state file says."""
        self._load()
        self._poller.start()

    def stop(self, grace: float = 10) -> None:
        """End after the block that is being read."""
        self._poller.stop(grace)
        for file in [*self._open.values(), *self._rotated]:
            os.close(file.file)
        self._open.clear()
        self._rotated.clear()

    # -- one look

    def _look(self) -> bool:
        failure = self.status.failure
        self._find()
        files = [*self._rotated, *self._open.values()]
        positions = [position for file in files for position in self._read(file)]
        positions += self._finish()
        self._first = False
        if positions:
            self._desk.wait(max(positions))
            crash.point("lines-kept")
        self._remember()
        if self.status.failure == failure:
            self.status.succeed()
        return any(file.behind for file in [*self._rotated, *self._open.values()])

    def _read(self, file: _File) -> Iterator[Position]:
        origin = self._origin(file)
        try:
            for block in file.blocks():
                read = read_of(file.decoder.receive(block, len(block)), origin, origin.peer)
                if file.rotated is not None:
                    file.rotated = time.monotonic()
                yield self._desk.settle(read)
        except OSError as error:
            self.status.fail(f"{self._desk.name}: cannot read {file.path}: {error.strerror}")

    def _finish(self) -> list[Position]:
        """Let go of rotated files that nobody writes any more; their last line is whole now."""
        now, positions = time.monotonic(), []
        for file in list(self._rotated):
            if now - (file.rotated or 0) < self._options.linger_seconds or file.behind:
                continue
            origin = self._origin(file)
            last = file.decoder.close(lost=False)
            if last.received:
                positions.append(self._desk.settle(read_of(last, origin, origin.peer)))
            self._rotated.remove(file)
            os.close(file.file)
        return positions

    def _origin(self, file: _File) -> Origin:
        peer = one_line(file.path)
        return Origin(way=Way.FILE, input=self._desk.name, peer=peer, grade=Grade.RETURN_PATH)

    # -- which files

    def _find(self) -> None:
        found = self._matching()
        for path, state in found.items():
            current = self._open.get(path)
            if current is None:
                self._begin(path, [place for place in self._places if place.path == path])
            elif (state.st_dev, state.st_ino) != (current.device, current.inode):
                self._retire(current)
                self._begin(path)
            elif current.truncated:
                self._restart(current)
        for gone in self._open.keys() - found.keys():
            self._retire(self._open[gone])

    def _matching(self) -> dict[str, os.stat_result]:
        found: dict[str, os.stat_result] = {}
        for pattern in self._options.patterns:
            inside = os.path.realpath(_fixed(pattern))
            for path in sorted(glob.iglob(pattern, recursive=True)):  # noqa: PTH207 -- as given
                if len(found) >= self._options.files:
                    self.status.fail(f"{self._desk.name}: too many files match {pattern}")
                    return found
                with suppress(OSError):
                    state = os.lstat(path)
                    if stat.S_ISREG(state.st_mode) and _is_inside(path, inside):
                        found[path] = state
        return found

    def _begin(self, path: str, before: Sequence[_Place] = ()) -> None:
        """Open a file where it was left, and what became of those that had its name before."""
        try:
            file = os.open(path, _OPEN)
        except OSError as error:
            self.status.fail(f"{self._desk.name}: cannot open {path}: {error.strerror}")
            return
        renamed = next((old for old in self._rotated if old.is_same(file)), None)
        if renamed is not None:
            os.close(file)
            self._rotated.remove(renamed)
            renamed.path, renamed.rotated = path, None
            self._open[path] = renamed
            return
        self._open[path] = _File(path, file, self._offset(file), self._marks)
        for place in before:
            if not _is_at(file, place):
                self._rescue(place)

    def _offset(self, file: int) -> int:
        for place in self._places:
            if _is_at(file, place):
                return place.offset
        if os.pread(file, 8, 0).startswith(tuple(PACKED)):
            return os.fstat(file).st_size  # an old file that was packed: it has no lines
        return _end(file) if self._first and not self._options.from_start else 0

    def _retire(self, file: _File) -> None:
        file.rotated = time.monotonic()
        self._rotated.append(file)
        del self._open[file.path]

    def _restart(self, file: _File) -> None:
        """Begin a truncated file anew, and read the rest of what it held from its copy."""
        place = file.place()
        os.close(file.file)
        del self._open[file.path]
        self._begin(file.path)
        self._rescue(place)

    def _rescue(self, place: _Place) -> None:
        """Read the rest of a file that was renamed or copied while we did not look."""
        for path in _siblings(place):
            with suppress(OSError):
                file = os.open(path, _OPEN)
                is_it = _is_at(file, place) or _is_copy(file, place)
                known = (*self._open.values(), *self._rotated)
                if is_it and not any(other.is_same(file) for other in known):
                    kept = _File(place.path, file, place.offset, self._marks)
                    kept.rotated = time.monotonic()
                    self._rotated.append(kept)
                    return
                os.close(file)

    # -- the state file

    def _load(self) -> None:
        path = self._options.state
        try:
            rows = json.loads(path.read_text("utf-8"))
            self._places = tuple(_Place(**row) for row in rows)
        except FileNotFoundError:
            self._first = True
        except (ValueError, TypeError) as error:
            # Lines may then come twice; that is better than not to start.
            path.replace(path.with_name(path.name + ".bad"))
            self.status.fail(f"{self._desk.name}: {path} is broken, put aside: {error}")

    def _remember(self) -> None:
        places = tuple(file.place() for file in [*self._open.values(), *self._rotated])
        known = {(place.device, place.inode) for place in places}
        # Of a file that is gone for now the place stays: it may come back.
        gone = (p for p in self._places if p.path not in self._open)
        gone = (p for p in gone if (p.device, p.inode) not in known)
        places += tuple(islice(gone, self._options.files))
        if places != self._places:
            _replace(self._options.state, json.dumps([asdict(place) for place in places]))
            self._places = places


def _head(file: int, size: int) -> str:
    return hashlib.sha256(os.pread(file, size, 0)).hexdigest()


def _is_at(file: int, place: _Place) -> bool:
    """Tell whether a place is in this file, and not in another that got its inode."""
    found = os.fstat(file)
    same = (found.st_dev, found.st_ino) == (place.device, place.inode)
    return same and found.st_size >= place.offset and _head(file, place.head_size) == place.head


def _is_copy(file: int, place: _Place) -> bool:
    size = os.fstat(file).st_size
    return size >= place.offset > 0 and _head(file, place.head_size) == place.head


def _siblings(place: _Place) -> list[str]:
    """Return which files a rotated file may have become, newest first."""
    folder, name = os.path.split(place.path)
    found = []
    with suppress(OSError), os.scandir(folder or ".") as entries:
        for entry in entries:
            if entry.name == name or not entry.is_file(follow_symlinks=False):
                continue
            state = entry.stat(follow_symlinks=False)
            if entry.name.startswith(name) or state.st_ino == place.inode:
                found.append((-state.st_mtime_ns, entry.path))
    return [path for _, path in sorted(found)]


def _end(file: int) -> int:
    """Return where the last whole line of a file ends."""
    size = os.fstat(file).st_size
    start = max(0, size - BLOCK)
    return start + os.pread(file, BLOCK, start).rfind(b"\n") + 1


def _fixed(pattern: str) -> str:
    """Return the folder of a pattern up to its first wildcard."""
    wild = _WILD.search(pattern)
    return os.path.dirname(pattern[: wild.start()] if wild else pattern) or "."  # noqa: PTH120


def _is_inside(path: str, folder: str) -> bool:
    """Tell whether no symbolic link leads out of a folder."""
    real = os.path.realpath(os.path.dirname(path) or ".")  # noqa: PTH120 -- as given
    return os.path.commonpath((real, folder)) == folder


def _replace(path: Path, text: str) -> None:
    """Write a file so that after any crash it is the old or the new one."""
    new = path.with_name(path.name + ".new")
    with new.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)

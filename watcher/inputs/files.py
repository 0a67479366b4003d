"""Takes whole files that are dropped into a folder: mails, single messages, archives.

A file is taken when nobody writes it any more, and moved away when all of it is on the disk:
`done/`, or `failed/` with a file beside it that says why. Nothing is ever deleted.
"""

import codecs
import os
import re
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, count, islice
from pathlib import Path
from typing import Final, NamedTuple

from watcher import crash
from watcher.errors import InputError, one_line
from watcher.inputs.poller import Desk, Poller, Status
from watcher.inputs.reception import Hit, Read, Reception
from watcher.model.ledger import Reason
from watcher.model.message import Grade, Origin, Way
from watcher.wire.archive import PACKED, is_mail
from watcher.wire.framing import FrameDecoder, Reading
from watcher.wire.prefilter import Prefilter

MESSAGE_LIMIT: Final = 256 * 1024
BLOCK: Final = 256 * 1024
_HEAD: Final = 4096
_DONE: Final = b"done"
_FAILED: Final = b"failed"
_UNFINISHED: Final = re.compile(rb"\A\.|(?:~|\.tmp|\.part|\.swp|\.filepart)\Z", re.IGNORECASE)
_UTF16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_BORDER: Final = b"\nFrom "


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolOptions:
    """A folder to take files from; times in seconds."""

    folder: Path
    poll_seconds: float = 1
    settle_seconds: float = 1
    """A file that did not change for so long is complete. One that is renamed in always is."""
    files_per_look: int = 1000


class _Seen(NamedTuple):
    """What tells that a file is the same and unchanged."""

    device: int
    inode: int
    size: int
    changed: int


class Refused(Exception):  # noqa: N818 -- what becomes of a file
    """A file cannot be taken."""

    def __init__(self, reason: Reason, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class SpoolInput:
    """Takes files out of a folder in a thread of its own."""

    def __init__(self, reception: Reception, marks: Prefilter, options: SpoolOptions) -> None:
        self._marks = marks
        self._options = options
        self._poller = Poller(reception.name, options.poll_seconds, self._look)
        self._desk = Desk(reception, self._poller.status, self._poller.stopping)
        self._folder = os.fsencode(options.folder)
        self._heard = one_line(str(options.folder))
        self._waiting: dict[bytes, tuple[_Seen, float]] = {}
        self._finished: dict[bytes, tuple[_Seen, Refused | None]] = {}
        """Files that are on the disk or counted, until they are moved."""

    @property
    def status(self) -> Status:
        """How it is doing."""
        return self._poller.status

    def start(self) -> None:
        """Make the folders if need be and begin; raise InputError if that cannot be."""
        for name in (b"", _DONE, _FAILED):
            path = os.path.join(self._folder, name)  # noqa: PTH118 -- bytes
            try:
                os.makedirs(path, mode=0o750, exist_ok=True)  # noqa: PTH103 -- bytes
            except OSError as error:
                raise InputError(f"cannot make {path!r}: {error.strerror}") from None
            if not os.access(path, os.W_OK | os.X_OK):
                raise InputError(f"cannot move files into {path!r}", expected="a folder of ours")
        self._poller.start()

    def stop(self, grace: float = 10) -> None:
        """End after the file that is being read; it is read again if it is not at its end."""
        self._poller.stop(grace)

    # -- which files

    def _look(self) -> bool:
        failure = self.status.failure
        for name, seen in self._complete():
            self._take(name, seen)
        if self.status.failure == failure:
            self.status.succeed()
        return False

    def _complete(self) -> list[tuple[bytes, _Seen]]:
        """Return what did not change since it was seen before, oldest first."""
        now = time.monotonic()
        waiting: dict[bytes, tuple[_Seen, float]] = {}
        for name, seen in self._present():
            before, since = self._waiting.get(name, (None, now))
            waiting[name] = (seen, since if before == seen else now)
        self._waiting = waiting
        self._finished = {name: self._finished[name] for name in waiting if name in self._finished}
        patience = self._options.settle_seconds
        complete = [
            (name, seen) for name, (seen, since) in waiting.items() if now - since >= patience
        ]
        return sorted(complete, key=lambda found: found[1].changed)

    def _present(self) -> Iterator[tuple[bytes, _Seen]]:
        with os.scandir(self._folder) as entries:
            files = (entry for entry in entries if entry.is_file(follow_symlinks=False))
            for entry in islice(files, self._options.files_per_look):
                if not _UNFINISHED.search(entry.name):
                    yield entry.name, _seen(entry.stat(follow_symlinks=False))

    # -- one file

    def _take(self, name: bytes, seen: _Seen) -> None:
        before, refused = self._finished.get(name, (None, None))
        if before != seen:
            try:
                refused = self._keep(name, seen)
            except _Changing:
                return
            except OSError as error:
                self.status.fail(f"{self._desk.name}: cannot read {name!r}: {error.strerror}")
                return
            self._finished[name] = (seen, refused)
        if refused is None:
            self._move(name, _DONE)
        elif moved := self._move(name, _FAILED):
            Path(os.fsdecode(moved + b".reason")).write_text(f"{refused.reason}: {refused}\n")

    def _keep(self, name: bytes, seen: _Seen) -> Refused | None:
        """Have all of a file on the disk, or count why not."""
        position = None
        try:
            for read in self._reads(os.path.join(self._folder, name), seen):  # noqa: PTH118 -- bytes
                position = self._desk.settle(read)
        except Refused as refused:
            self._desk.settle(Read(received=1, refused={refused.reason: 1}, heard={self._heard: 1}))
            return refused
        if position is not None:
            self._desk.wait(position)
            crash.point("file-kept")
        return None

    def _reads(self, path: bytes, seen: _Seen) -> Iterator[Read]:
        origin = Origin(
            way=Way.FILE, input=self._desk.name, peer=one_line(os.fsdecode(path)),
            grade=Grade.RETURN_PATH,
        )  # fmt: skip
        with _opened(path) as file:
            head = os.pread(file, _HEAD, 0)
            _check(head)
            blocks = _blocks(file)
            if seen.size <= MESSAGE_LIMIT:
                data = b"".join(blocks)
                _same(file, seen)
                yield Read(received=1, hits=(Hit(origin, data),), heard={self._heard: 1})
                return
            if head.startswith(b"From "):
                yield from _mails(blocks, origin, self._heard)
            elif is_mail(head):
                raise Refused(Reason.TOO_LARGE, f"a mail larger than {MESSAGE_LIMIT >> 10} KiB")
            else:
                blocks = _decoded(blocks) if head.startswith(_UTF16) else blocks
                yield from _lines(blocks, self._marks, origin, self._heard)
            _same(file, seen)

    def _move(self, name: bytes, into: bytes) -> bytes | None:
        source = os.path.join(self._folder, name)  # noqa: PTH118 -- bytes
        target = _free(os.path.join(self._folder, into, name))  # noqa: PTH118 -- bytes
        try:
            os.rename(source, target)  # noqa: PTH104 -- bytes
        except OSError as error:
            self.status.fail(f"{self._desk.name}: cannot move {name!r}: {error.strerror}")
            return None
        del self._finished[name]
        return target


class _Changing(Exception):  # noqa: N818 -- a state
    """Somebody writes the file while we read it; it is taken again."""


def _seen(found: os.stat_result) -> _Seen:
    return _Seen(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


def _same(file: int, seen: _Seen) -> None:
    if _seen(os.fstat(file)) != seen:
        raise _Changing


@contextmanager
def _opened(path: bytes) -> Iterator[int]:
    # Not through a symbolic link, and without waiting if it has become a pipe.
    file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise _Changing
        yield file
    finally:
        os.close(file)


def _check(head: bytes) -> None:
    """Raise Refused for what holds no text."""
    for magic, name in PACKED.items():
        if head.startswith(magic):
            raise Refused(Reason.UNREADABLE, f"packed ({name}): unpack it first")
    if not head:
        raise Refused(Reason.UNREADABLE, "empty")
    if b"\0" in head and not head.startswith(_UTF16):
        raise Refused(Reason.UNREADABLE, "no text: it holds zero bytes")


def _blocks(file: int) -> Iterator[bytes]:
    while block := os.read(file, BLOCK):
        yield block


def _decoded(blocks: Iterator[bytes]) -> Iterator[bytes]:
    # Windows tools save text so; the mark at the beginning tells the order of the bytes.
    decoder = codecs.getincrementaldecoder("utf-16")("replace")
    for block in blocks:
        yield decoder.decode(block).encode("utf-8", "replace")
    yield decoder.decode(b"", final=True).encode("utf-8", "replace")


def line_decoder(marks: Prefilter) -> FrameDecoder:
    """Return a decoder that takes lines, also where the first begins like an octet count."""
    decoder = FrameDecoder(marks)
    decoder.receive(b"\n", 1)
    return decoder


def read_of(reading: Reading, origin: Origin, heard: str) -> Read:
    """Return what is to be settled of some lines."""
    hits = tuple(Hit(origin, frame.data, frame.cut) for frame in reading.hits)
    received = reading.received
    return Read(received=received, noise=reading.noise, hits=hits, heard={heard: received})


def _lines(blocks: Iterator[bytes], marks: Prefilter, origin: Origin, heard: str) -> Iterator[Read]:
    decoder = line_decoder(marks)
    for block in blocks:
        yield read_of(decoder.receive(block, len(block)), origin, heard)
    yield read_of(decoder.close(lost=False), origin, heard)


def _mails(blocks: Iterator[bytes], origin: Origin, heard: str) -> Iterator[Read]:
    """Yield the mails of an mbox, each with its `From ` line (RFC 4155)."""
    held, dropped = bytearray(), False
    for block in blocks:
        at = max(0, len(held) - len(_BORDER) + 1)
        held += block
        while (border := held.find(_BORDER, at)) >= 0:
            mail = bytes(held[: border + 1])
            del held[: border + 1]
            at = 0
            yield _mail(mail, origin, heard, too_large=dropped)
            dropped = False
        if len(held) > MESSAGE_LIMIT + len(_BORDER):
            dropped = True
            del held[: -len(_BORDER)]
    yield _mail(bytes(held), origin, heard, too_large=dropped)


def _mail(mail: bytes, origin: Origin, heard: str, *, too_large: bool) -> Read:
    if too_large or len(mail) > MESSAGE_LIMIT:
        return Read(received=1, refused={Reason.TOO_LARGE: 1}, heard={heard: 1})
    return Read(received=1, hits=(Hit(origin, mail),), heard={heard: 1})


def _free(path: bytes) -> bytes:
    """Return a path that is not taken: renaming would replace what is there."""
    tries = chain((path,), (b"%s.%d" % (path, number) for number in count(1)))
    return next(tried for tried in tries if not os.path.lexists(tried))

"""A limit on the time that one piece of work may take, and a memory of what was being worked on.

The limit is a timer signal: Python code is interrupted where it stands. What hangs outside of
Python is ended by the supervisor; the memory tells the next worker which message it was.
"""

import mmap
import os
import signal
import struct
import sys
from pathlib import Path

from watcher.model.message import Position

_RECORD = struct.Struct("<qq")
_AGAIN = 0.01
"""Seconds until the timer rings once more when nobody could hear it."""


class TooLong(Exception):  # noqa: N818 -- a state, named as one
    """The work took longer than allowed."""


class Deadline:
    """Raises TooLong inside of its block after so many seconds; main thread only."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._hook = sys.unraisablehook
        signal.signal(signal.SIGALRM, self._ring)

    def __enter__(self) -> None:
        """Start the timer."""
        self._hook, sys.unraisablehook = sys.unraisablehook, self._swallowed
        signal.setitimer(signal.ITIMER_REAL, self._seconds)

    def __exit__(self, *_: object) -> None:
        """Stop the timer."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        sys.unraisablehook = self._hook

    def _swallowed(self, told: "sys.UnraisableHookArgs") -> None:
        """Ring once more: what rings in a destructor or a weak reference's callback is ignored."""
        if issubclass(told.exc_type, TooLong):
            signal.setitimer(signal.ITIMER_REAL, _AGAIN)
        else:
            self._hook(told)

    @staticmethod
    def _ring(_signal: int, _frame: object) -> None:
        raise TooLong


class Attempts:
    """How often a message was begun and never finished, kept in a mapped file of 16 bytes.

    A mapped page outlives the process, however it ends; it need not outlive the machine. There is
    room for one message only: whoever reads others before `suspect` must take each in alone, so
    that the next one need not read them again.
    """

    def __init__(self, path: Path) -> None:
        """Look what the process before left unfinished."""
        with path.open("a+b") as stream:
            if os.fstat(stream.fileno()).st_size < _RECORD.size:
                stream.truncate(_RECORD.size)
            self._map = mmap.mmap(stream.fileno(), _RECORD.size)
        found, tries = _RECORD.unpack(self._map[:])
        self.suspect = Position(found)
        """What the process before was reading when it ended; 0: nothing."""
        self._tries: int = tries

    def begin(self, position: Position) -> int:
        """Note that a message is begun; return how often it was before."""
        before = self._tries if position == self.suspect else 0
        self._map[:] = _RECORD.pack(position, before + 1)
        return before

    def done(self) -> None:
        """Note that nothing is being worked on."""
        self._map[:] = _RECORD.pack(0, 0)

    def close(self) -> None:
        """Let go of the file."""
        self._map.close()

"""Which lines of the program an input reached, and how often: what makes a mutant worth keeping.

Only for our own engine; atheris counts edges by itself and better.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType

import watcher

_ROOT = str(Path(watcher.__file__).parent)
Tracer = Callable[[FrameType, str, object], object]


class Coverage:
    """Remembers every line of the program that ever ran, in steps of twice as often."""

    def __init__(self) -> None:
        self._seen: set[tuple[CodeType, int, int]] = set()
        self._counts: dict[tuple[CodeType, int], int] = {}

    def __len__(self) -> int:
        """Return how many different things were seen."""
        return len(self._seen)

    def is_new(self, call: Callable[[], object]) -> bool:
        """Run something and tell whether it did what nothing before it did."""
        self._counts = {}
        sys.settrace(self._enter)
        try:
            call()
        finally:
            sys.settrace(None)
        met = {(code, line, n.bit_length()) for (code, line), n in self._counts.items()}
        fresh = met - self._seen
        self._seen |= fresh
        return bool(fresh)

    def _enter(self, frame: FrameType, _event: str, _arg: object) -> Tracer | None:
        return self._line if frame.f_code.co_filename.startswith(_ROOT) else None

    def _line(self, frame: FrameType, event: str, _arg: object) -> Tracer:
        if event == "line":
            key = (frame.f_code, frame.f_lineno)
            self._counts[key] = self._counts.get(key, 0) + 1
        return self._line

"""Which bytes may be ours: a search for marks that costs next to nothing where there are none."""

import re
from collections.abc import Callable, Iterable, Sequence

_STEM = 2
"""Marks that begin with the same bytes, so many of them, are searched for together."""
_WINDOW = 512
"""Bytes of the first of several searches; each further one looks at twice as many."""
_NEVER_IN_A_MARK = b"\n\0"

Bytes = bytes | bytearray


class Prefilter:
    """Finds marks: byte strings of which a message of ours holds at least one.

    Raises ValueError for no marks at all, an empty mark, or one that a line cannot hold.
    """

    # Measured (CPU seconds for a million lines of 265 bytes, CPython 3.11): one compiled pattern
    # whose alternatives begin alike takes 0.074 on other noise and 0.12 where each line holds
    # `%UC_AUDITLOG-5-`, whether it has 2 marks or 12: `re` looks for the common beginning in a
    # loop of its own. bytes.find takes 0.13 for each mark, so 0.26 for two and 1.1 for twelve.
    # Alternatives that begin differently make `re` try all of them at each byte: 0.7 to 1.6.
    # Hence one pattern for each beginning, and with the usual marks there is one beginning.

    def __init__(self, marks: Sequence[bytes]) -> None:
        _check(marks)
        self._patterns = tuple(
            re.compile(b"|".join(re.escape(mark) for mark in alike)) for alike in _alike(marks)
        )
        self._only = self._patterns[0].search if len(self._patterns) == 1 else None
        self.search: Callable[[Bytes, int, int], object | None] = self._only or self._search
        """Return something if a mark lies in `buffer[start:end]`, else None: a call less than
        `find`, for who asks about each datagram."""
        self.longest = max(map(len, marks))
        """Bytes of the longest mark."""

    def find(self, buffer: Bytes, start: int, end: int) -> int:
        """Return the place of the next mark that lies wholly in `buffer[start:end]`, or -1."""
        if self._only is not None:
            found = self._only(buffer, start, end)
            return found.start() if found else -1
        return self._first(buffer, start, end)

    def _search(self, buffer: Bytes, start: int, end: int) -> object | None:
        return True if self._first(buffer, start, end) >= 0 else None

    def _first(self, buffer: Bytes, start: int, end: int) -> int:
        # In windows, because a rare mark would else be searched for up to the end of the buffer
        # again and again, once for each common one. They double, so that noise needs few.
        size = _WINDOW
        while start < end:
            stop = min(start + size, end)
            reach = min(stop + self.longest - 1, end)
            hits = (pattern.search(buffer, start, reach) for pattern in self._patterns)
            place = min((hit.start() for hit in hits if hit), default=stop)
            if place < stop:
                return place
            start, size = stop, 2 * size
        return -1


def _check(marks: Sequence[bytes]) -> None:
    if not marks:
        raise ValueError("no marks: nothing would ever be found")
    for mark in marks:
        if len(mark) < _STEM or any(byte in mark for byte in _NEVER_IN_A_MARK):
            raise ValueError(f"{mark!r} is no mark: {_STEM} bytes or more, none of them LF or NUL")


def _alike(marks: Sequence[bytes]) -> Iterable[list[bytes]]:
    groups: dict[bytes, list[bytes]] = {}
    for mark in sorted(set(marks)):
        groups.setdefault(mark[:_STEM], []).append(mark)
    return groups.values()

"""Arithmetic of stretches of time, in whole minutes since 1970 in UTC; ends are not included."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

Stretch = tuple[int, int]


def ceil_div(number: int, by: int) -> int:
    """Return how many times `by` it takes to hold a number; one that is begun counts."""
    return -(-number // by)


def merged(stretches: Iterable[Stretch]) -> tuple[Stretch, ...]:
    """Return stretches in order, those that touch as one, empty ones left out."""
    found: list[Stretch] = []
    for start, end in sorted(s for s in stretches if s[0] < s[1]):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return tuple(found)


def without(stretches: Iterable[Stretch], taken: Iterable[Stretch]) -> tuple[Stretch, ...]:
    """Return what is left of merged stretches when merged others are taken out."""
    left: list[Stretch] = []
    cuts = tuple(taken)
    ends = [end for _, end in cuts]
    for start, end in stretches:
        at = start
        for cut in cuts[bisect_right(ends, start) :]:
            if cut[0] >= end:
                break
            left.append((at, cut[0]))
            at = max(at, cut[1])
        left.append((at, end))
    return tuple(s for s in left if s[0] < s[1])


def clipped(stretches: Iterable[Stretch], first: int, last: int) -> tuple[Stretch, ...]:
    """Return what lies between two instants."""
    cut = ((max(start, first), min(end, last)) for start, end in stretches)
    return tuple(s for s in cut if s[0] < s[1])


class Allowed:
    """Merged stretches in which work is allowed, and where in them something fits."""

    def __init__(self, stretches: Iterable[Stretch]) -> None:
        self.stretches: Sequence[Stretch] = merged(stretches)
        self._starts = [start for start, _ in self.stretches]
        self._ends = [end for _, end in self.stretches]

    def earliest(self, minutes: int, after: int) -> int | None:
        """Return the earliest start not before `after` of work that takes `minutes`."""
        for start, end in self.stretches[bisect_right(self._ends, after) :]:
            begin = max(start, after)
            if begin + minutes <= end:
                return begin
        return None

    def latest(self, minutes: int, before: int) -> int | None:
        """Return the latest start of work that takes `minutes` and ends by `before`."""
        for start, end in reversed(self.stretches[: bisect_left(self._starts, before)]):
            begin = min(end, before) - minutes
            if begin >= start:
                return begin
        return None

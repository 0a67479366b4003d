"""Whether time grows with length and not faster: time at 2n over time at n, for hostile shapes.

CPU time, the least of several runs, with everything forgotten that the code under test remembers.
What looks steeper than it may is measured again before anybody is blamed, so that a busy machine
proves nothing.
"""

import functools
import gc
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from fuzzing.shapes import Shape

SIZES = tuple(1024 << step for step in range(5))
"""Bytes: 1 to 16 KiB."""
LIMIT = 2.5
"""Linear is 2, quadratic 4 (goal G-03)."""
FLOOR = 500_000
"""Nanoseconds at 2n under which a ratio says nothing: that is cheap enough, whatever its shape."""
GOAL = 20_000_000
"""Nanoseconds that 16 KiB of any shape should take at most on an idle machine."""
RUNS, TIMES = 3, 4

Call = Callable[[bytes], object]


@dataclass(frozen=True)
class Growth:
    """The worst ratio of a shape, the size it was met at (2n), and the time of the longest."""

    shape: str
    ratio: float
    size: int
    longest: int


@functools.cache
def forgetters() -> list[Callable[[], None]]:
    """Return what empties each cache of the program: a remembered answer takes no time."""
    modules = [module for name, module in sys.modules.items() if name.startswith("watcher")]
    found = [value for module in modules for value in vars(module).values()]
    caches = {id(v): v for v in found if isinstance(v, functools._lru_cache_wrapper)}  # noqa: SLF001 -- has no public name
    return [cache.cache_clear for cache in caches.values()]


def least(call: Call, data: bytes, runs: int = RUNS) -> int:
    """Return the least CPU time of some runs, in nanoseconds."""
    empty = forgetters()
    best = 1 << 62
    for _ in range(runs):
        for forget in empty:
            forget()
        start = time.process_time_ns()
        call(data)
        best = min(best, time.process_time_ns() - start)
    return best


def growth(call: Call, shape: Shape, sizes: Sequence[int] = SIZES, runs: int = RUNS) -> Growth:
    """Return the worst growth of a target on one shape; anything too steep is measured again.

    What is quadratic takes sixteen times as long for four times the length. So that is asked
    again, because a ratio of two short times is soon wrong.
    """
    gc.disable()
    try:
        worst = _worst(call, shape, sizes, runs)
        for _ in range(TIMES):
            if worst.ratio <= LIMIT:
                break
            twice = _twice(call, shape, worst.size)
            worst = replace(worst, ratio=min(worst.ratio, twice))
    finally:
        gc.enable()
    return worst


def _worst(call: Call, shape: Shape, sizes: Sequence[int], runs: int) -> Growth:
    times = [least(call, shape.of(size), runs) for size in sizes]
    ratios = [
        (long / max(short, 1), size)
        for short, long, size in zip(times, times[1:], sizes[1:], strict=False)
        if long >= FLOOR
    ]
    ratio, size = max(ratios, default=(0.0, sizes[-1]))
    return Growth(shape.name, ratio, size, times[-1])


def _twice(call: Call, shape: Shape, size: int) -> float:
    """Return the mean ratio over two doublings that reach, or pass, the steep place.

    Where a longer text is no longer steep, it was a step (another answer, a limit that was
    reached) and no growth.
    """
    if size == SIZES[-1]:
        return _ratio(call, shape, size // 4, size) ** 0.5
    return min(_ratio(call, shape, size // 2, size * 2) ** 0.5, _ratio(call, shape, size, size * 2))


def _ratio(call: Call, shape: Shape, short: int, long: int) -> float:
    return least(call, shape.of(long), 3 * RUNS) / max(least(call, shape.of(short), 3 * RUNS), 1)

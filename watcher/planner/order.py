"""From sketches to numbered steps: a topological order that is the same on every machine."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from graphlib import TopologicalSorter
from heapq import heapify, heappop, heappush

from watcher.model.plan import Step
from watcher.planner.fill import Filled
from watcher.planner.sketch import Sketch


def arrange(sketches: Sequence[Sketch], filled: Sequence[Filled]) -> tuple[Step, ...]:
    """Return the steps that have something to do, numbered from 1 in an order of work.

    Where several steps are free to come next, the one drawn first does: input order decides,
    never hash order.
    """
    kept = {
        handle: _before(handle, sketches, filled)
        for handle, item in enumerate(filled)
        if not item.empty
    }
    order = _sorted(kept)
    number = {handle: i for i, handle in enumerate(order, 1)}
    stage: dict[int, int] = {}
    steps = []
    for handle in order:
        before = kept[handle]
        stage[handle] = 1 + max((stage[b] for b in before), default=0)
        steps.append(
            replace(
                filled[handle].step, number=number[handle], stage=stage[handle],
                depends_on=tuple(sorted(number[b] for b in before)),
            )
        )  # fmt: skip
    return tuple(steps)


def _before(handle: int, sketches: Sequence[Sketch], filled: Sequence[Filled]) -> frozenset[int]:
    """Return what must come before a step; through an empty step one looks to what is before it."""
    found: set[int] = set()
    waiting = list(sketches[handle].after)
    seen: set[int] = set()
    while waiting:
        earlier = waiting.pop()
        if earlier in seen:
            continue
        seen.add(earlier)
        if filled[earlier].empty:
            waiting.extend(sketches[earlier].after)
        else:
            found.add(earlier)
    return frozenset(found)


def _sorted(graph: Mapping[int, frozenset[int]]) -> list[int]:
    sorter = TopologicalSorter(graph)
    sorter.prepare()
    ready = list(sorter.get_ready())
    heapify(ready)
    order = []
    while ready:
        handle = heappop(ready)
        order.append(handle)
        sorter.done(handle)
        for freed in sorter.get_ready():
            heappush(ready, freed)
    return order

"""A plan while it is drawn: steps as references to templates, with what must come before."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from watcher.planner.terrain import Place, Terrain
from watcher.rules.catalogue import Catalogue
from watcher.rules.store import Need, Party


@dataclass(frozen=True, slots=True)
class Sketch:
    """One step to be: template, place, object, and the handles of what must be done first."""

    template: str
    place: Place
    store: str | None = None
    service: str | None = None
    file: str | None = None
    only_if: tuple[str, ...] = ()
    need: Need = Need.REQUIRED
    alternative: bool = False
    note: str | None = None
    party: Party | None = None
    after: tuple[int, ...] = ()
    block: str = ""
    part: int = 1


@dataclass(frozen=True, slots=True)
class Ground:
    """What every drawing function asks: the knowledge, and the cluster as far as known."""

    catalogue: Catalogue
    terrain: Terrain


@dataclass(slots=True)
class Board:
    """Sketches in the order they were thought of; a handle is the place in that order."""

    sketches: list[Sketch] = field(default_factory=list)

    def pin(self, sketch: Sketch) -> int:
        """Keep one sketch and return its handle."""
        self.sketches.append(sketch)
        return len(self.sketches) - 1


@dataclass(slots=True)
class Thread:
    """A run of steps done one after the other: each waits for the one before."""

    board: Board
    block: str
    part: int = 1
    last: tuple[int, ...] = ()

    def then(self, sketch: Sketch, *also_after: int) -> int:
        """Add a step that waits for the last one, and for what else is named.

        A restart that stands already in the run of restarts before it is not drawn again.
        """
        if sketch.service is not None and (known := self._just_restarted(sketch)) is not None:
            return known
        handle = self.board.pin(self._headed(sketch, (*self.last, *also_after)))
        self.last = (handle,)
        return handle

    def _just_restarted(self, sketch: Sketch) -> int | None:
        pinned = self.board.sketches
        for handle in range(len(pinned) - 1, -1, -1):
            earlier = pinned[handle]
            if earlier.template != sketch.template or earlier.block != self.block:
                return None
            same = (earlier.service, earlier.place) == (sketch.service, sketch.place)
            if same and earlier.need is sketch.need and set(earlier.only_if) <= set(sketch.only_if):
                return handle
        return None

    def beside(self, sketches: Iterable[Sketch]) -> tuple[int, ...]:
        """Add steps in any order; what comes next waits for all of them."""
        before = self.last
        handles = tuple(self.board.pin(self._headed(sketch, before)) for sketch in sketches)
        self.last = handles or before
        return handles

    def each(self, sketch: Sketch, places: Sequence[Place]) -> None:
        """Add the step at each place, in order."""
        for place in places:
            self.then(replace(sketch, place=place))

    def begin(self, block: str, part: int | None = None) -> None:
        """Go on under another heading."""
        self.block = block
        self.part = self.part if part is None else part

    def _headed(self, sketch: Sketch, after: tuple[int, ...]) -> Sketch:
        return replace(sketch, block=self.block, part=self.part, after=after)


def joined(*groups: Iterable[str]) -> tuple[str, ...]:
    """Return all conditions once, in order."""
    return tuple(dict.fromkeys(word for group in groups for word in group))

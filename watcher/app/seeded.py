"""Two classic mistakes of a worker, switched on by a test that must then find a loss or a double.

Without the test's variable every function in here does nothing.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

from watcher import crash
from watcher.model.case import CaseKey
from watcher.model.message import Position
from watcher.ports import Store, Unit


@dataclass(slots=True)
class Outside:
    """What is known, kept where no transaction protects it."""

    keys: dict[str, CaseKey | None] = field(default_factory=dict)


class _Forgetful:
    """A unit that asks a memory of ours what is known, and not the database."""

    def __init__(self, unit: Unit, outside: Outside) -> None:
        self._unit = unit
        self._outside = outside

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 -- all else is the unit's
        return getattr(self._unit, name)

    def known(self, keys: set[str]) -> dict[str, CaseKey | None]:
        """Return what this life has seen."""
        return {key: self._outside.keys[key] for key in keys & self._outside.keys.keys()}

    def add_events(self, events: Any) -> None:  # noqa: ANN401 -- likewise
        """Insert, and remember."""
        self._unit.add_events(events)
        self._outside.keys.update((event.key, event.case) for event in events)


@contextmanager
def remember_outside(transaction: AbstractContextManager[Unit], outside: Outside) -> Iterator[Unit]:
    """Begin the transaction; with `dedup-outside` what is known is not looked up in it."""
    with transaction as unit:
        forgetful = cast("Unit", _Forgetful(unit, outside))
        yield forgetful if crash.seeded("dedup-outside") else unit


def move_cursor_first(store: Store, journal: str, position: Position) -> None:
    """With `cursor-first`: commit the journal's cursor before the rows that it stands for."""
    if crash.seeded("cursor-first"):
        with store.transaction() as unit:
            unit.move_cursor(journal, position)

"""What people did of a plan: a mark on each step, and how the rest goes on."""

from dataclasses import dataclass
from enum import StrEnum


class Mark(StrEnum):
    """What became of a step."""

    DONE = "done"
    SKIPPED = "skipped"
    """Somebody left it out on purpose, and says why."""
    FAILED = "failed"
    """It was tried and did not end as it should: nobody knows whether it took effect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """The mark of one step, by its number in the plan."""

    number: int
    mark: Mark
    reason: str = ""


class Outcome(StrEnum):
    """How the rest of an interrupted plan goes on, in the order in which it is tried."""

    AS_PLANNED = "as-planned"
    AGAIN = "again"
    """What failed or was left out is done now, then the rest."""
    FLUSH = "flush"
    """All servers first load what is on disk and all phones take it, then the rest."""
    REDRAWN = "redrawn"
    """What is still due, by a way drawn anew."""
    RESCUE = "rescue"
    """A recovery step first, then the rest."""
    RESTORE = "restore"
    """Nothing that goes on is safe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Continuation:
    """How an interrupted plan goes on, in words.

    `refused` says for each step that must not be left out what leaving it out breaks. `again` are
    numbers of steps behind that this plan has done once more; `renumbered` pairs the number of a
    step before with its number in this plan, where they differ.
    """

    outcome: Outcome
    lines: tuple[str, ...]
    refused: tuple[str, ...] = ()
    again: tuple[int, ...] = ()
    renumbered: tuple[tuple[int, int], ...] = ()

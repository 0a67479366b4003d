"""What a step in the life of a case yields: the case after it, and what of it others must know."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from watcher.cases.table import TRANSITIONS, Cause
from watcher.model.case import Case, Transition


@dataclass(frozen=True, slots=True, kw_only=True)
class Advance:
    """A case after something happened.

    `material` says that what a plan or a reader relies on has changed; `why` says what, in words
    of ours only.
    """

    case: Case
    transitions: tuple[Transition, ...] = ()
    material: bool = False
    why: str = ""


def moved(
    case: Case,
    cause: Cause,
    at: datetime,
    reason: str,
    **changes: Any,  # noqa: ANN401 -- fields of a case
) -> Advance:
    """Return the case in the state that the table says, with the transition that tells of it."""
    state = TRANSITIONS[case.state, cause]
    step = Transition(case=case.key, at=at, before=case.state, after=state, reason=reason)
    after = replace(case, state=state, state_since=at, **changes)
    return Advance(case=after, transitions=(step,), material=True, why=reason)

"""What a step in the life of a case yields: the case after it, and what of it others must know."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from watcher.model.case import Case, CaseState, Transition


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
    state: CaseState,
    at: datetime,
    reason: str,
    **changes: Any,  # noqa: ANN401 -- fields
) -> Advance:
    """Return the case in another state, with the transition that tells of it."""
    step = Transition(case=case.key, at=at, before=case.state, after=state, reason=reason)
    after = replace(case, state=state, state_since=at, **changes)
    return Advance(case=after, transitions=(step,), material=True, why=reason)

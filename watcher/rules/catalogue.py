"""All packs put together: the knowledge that planner, parsers and documents ask."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TypeVar

from watcher.errors import InputError
from watcher.rules.alarms import Alarms
from watcher.rules.store import Store
from watcher.rules.terms import Source
from watcher.rules.work import Contradiction, Question, SafetyRule, Service, StepTemplate, Way

T = TypeVar("T")

_NAMED_IN_AN_ERROR = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """Everything the packs say, by id; every id that one part names exists in another."""

    sources: Mapping[str, Source]
    services: Mapping[str, Service]
    stores: Mapping[str, Store]
    steps: Mapping[str, StepTemplate]
    safety: Mapping[str, SafetyRule]
    contradictions: Mapping[str, Contradiction]
    questions: Mapping[str, Question]
    ways: Mapping[str, Way]
    alarms: Alarms
    titles: tuple[str, ...] = field(default=())

    def store_name(self, text: str | None) -> str | None:
        """Return the store that `text` names, in Cisco's spelling; whole name, any case."""
        if text is None:
            return None
        wanted = text.strip().lower()
        return next((name for name in self.stores if name.lower() == wanted), None)

    def store(self, name: str) -> Store:
        """Return the store of that name (any case), or raise InputError with the nearest."""
        return _named(self.stores, self.store_name(name) or name, "store")

    def service(self, key: str) -> Service:
        """Return the service of that id, or raise InputError with the nearest."""
        return _named(self.services, key, "service")

    def step(self, key: str) -> StepTemplate:
        """Return the step template of that id, or raise InputError with the nearest."""
        return _named(self.steps, key, "step")


def nearest(name: str, names: Mapping[str, object]) -> str:
    """Return the names that `name` may mean, as words for an error; some when none is near."""
    by_lower = {known.lower(): known for known in names}
    near = get_close_matches(name.lower(), by_lower, n=3, cutoff=0.5)
    words = [by_lower[key] for key in near] or sorted(names, key=str.lower)
    if len(words) < 2:  # noqa: PLR2004 -- "one of" needs two
        return words[0] if words else "one, but none is defined"
    more = ", ..." if len(words) > _NAMED_IN_AN_ERROR else ""
    return f"one of {', '.join(words[:_NAMED_IN_AN_ERROR])}{more}"


def _named(items: Mapping[str, T], key: str, kind: str) -> T:
    if key not in items:
        raise InputError(f"there is no {kind} {key!r}", expected=nearest(key, items))
    return items[key]

"""All packs put together: the knowledge that planner, parsers and documents ask."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from watcher.rules.schema import (
    Alarms,
    Contradiction,
    Question,
    SafetyRule,
    Service,
    Source,
    StepTemplate,
    Store,
    Way,
)


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

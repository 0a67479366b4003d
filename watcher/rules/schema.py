"""The shape of a rule pack: what a person may write in `rules/*.yaml`.

Every statement says for which releases it holds, where it was read and how surely. The JSON
Schema in `rules/schema/pack.json` is generated from these classes (`make schema`).
"""

from typing import Annotated

from pydantic import (
    Field,
    StrictInt,
)

from watcher.rules.alarms import Alarms
from watcher.rules.store import Store
from watcher.rules.terms import Closed, Id, Source, Text
from watcher.rules.work import Contradiction, Question, SafetyRule, Service, StepTemplate, Way


class Pack(Closed):
    """One YAML file of built-in rules; it may hold any of these parts."""

    version: Annotated[StrictInt, Field(ge=1, le=1)]
    title: Text
    sources: dict[Id, Source] = Field(default_factory=dict)
    services: dict[Id, Service] = Field(default_factory=dict)
    stores: dict[Id, Store] = Field(default_factory=dict)
    steps: dict[Id, StepTemplate] = Field(default_factory=dict)
    safety: dict[Id, SafetyRule] = Field(default_factory=dict)
    contradictions: dict[Id, Contradiction] = Field(default_factory=dict)
    questions: dict[Id, Question] = Field(default_factory=dict)
    ways: dict[Id, Way] = Field(default_factory=dict)
    alarms: Alarms | None = None

"""A verdict as plain data for programs; `docs/steps.md` names every key."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from watcher.model.proof import Assumption
from watcher.orders.course import Course, after, courses, ways
from watcher.trust.crowd import Status
from watcher.trust.rescue import Rescue
from watcher.trust.rulebook import RULES
from watcher.trust.scenario import Scenario, Step
from watcher.trust.verdict import Interval, Note, Verdict

Data = dict[str, Any]


def record(scenario: Scenario, verdict: Verdict, inputs: Iterable[Assumption] = ()) -> Data:
    """Return everything a verdict says, in an order that does not change from run to run."""
    fared = courses(verdict)
    return {
        "verdict": verdict.ruling.value,
        "broken": [broken.rule for broken in verdict.broken],
        "stranded": {lost.group: lost.severity.value for lost in verdict.stranded},
        "offline": {
            absent.group: "ok" if absent.ok else str(absent.severity) for absent in verdict.offline
        },
        "branches": {
            **{broken.rule: dict(broken.branches) for broken in verdict.broken},
            **{lost.group: dict(lost.branches) for lost in verdict.stranded},
        },
        "windows": [_interval(one) for one in verdict.windows],
        "rescue": {lost.group: _rescue(lost.rescue) for lost in verdict.stranded},
        "since": {lost.group: _since(fared[lost.group]) for lost in verdict.stranded},
        "trace": list(_trace(scenario, fared)),
        "details": {broken.rule: _broken(verdict, broken.rule) for broken in verdict.broken},
        "lost": {lost.group: lost.why for lost in verdict.stranded},
        "absent": [_absent(verdict, absent.group) for absent in verdict.offline],
        "outages": [_interval(one) for one in verdict.outages],
        "notes": [_note(note) for note in verdict.notes],
        "unpaid": [_note(note) for note in verdict.unpaid],
        "combinations": verdict.combinations,
        "walked": verdict.walked,
        "assumed": dict(verdict.assumed),
        "accepted": sorted(scenario.accept),
        "inputs": [{"text": one.text, "check": one.check} for one in inputs],
    }


def _rescue(way: Rescue) -> Data:
    return {"id": way.id, "action": way.action, "text": way.text}


def _since(course: Course) -> list[Data]:
    return [
        {
            "step": one.step, "branches": dict(one.answers), "exact": one.exact,
            "combinations": one.number,
        }
        for one in course.lost
    ]  # fmt: skip


def _interval(one: Interval) -> Data:
    return {
        "group": one.group, "first": one.first, "last": one.last, "why": one.text,
        "branches": dict(one.branches),
    }  # fmt: skip


def _note(note: Note) -> Data:
    return {
        "rule": note.rule, "severity": note.severity.value, "text": note.text,
        "first": note.first, "last": note.last, "group": note.group,
    }  # fmt: skip


def _broken(verdict: Verdict, rule: str) -> Data:
    broken = next(one for one in verdict.broken if one.rule == rule)
    return {
        "title": RULES[rule].title, "sources": list(RULES[rule].sources),
        "steps": list(broken.steps), "groups": list(broken.groups), "text": broken.text,
    }  # fmt: skip


def _absent(verdict: Verdict, group: str) -> Data:
    absent = next(one for one in verdict.offline if one.group == group)
    return {
        "group": group, "ok": absent.ok, "why": absent.why, "branches": dict(absent.branches),
        "rescue": _rescue(absent.rescue) if absent.rescue else None,
    }  # fmt: skip


# -- the trace


def lines_of(scenario: Scenario) -> tuple[Step, ...]:
    """Return one step for each line of the order, as its author counts."""
    return tuple({step.number: step for step in reversed(scenario.steps)}.values())[::-1]


def _trace(scenario: Scenario, fared: Mapping[str, Course]) -> Iterator[Data]:
    for step in lines_of(scenario):
        yield {
            "step": step.number,
            "text": step.text,
            "groups": {
                group.name: _status(after(fared[group.name].worst, step.number))
                for group in scenario.groups
            },
        }


def _status(status: Status) -> Data:
    anchors = ways(status)
    return {
        "anchors": list(anchors), "count": len(anchors), "accepted": status.accepted,
        "registered": status.registered, "why": status.why,
    }  # fmt: skip

"""How phone groups fare in all branches together: the worst after each step, and who is lost when.

A table that people read must show the worst of all branches, not the history of one of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

from watcher.trust.branch import Answers, Branch, pattern
from watcher.trust.crowd import History, Status
from watcher.trust.phone import NO_SERVER, SAME
from watcher.trust.verdict import Execution, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """From a step on phones are lost: in how many branches, and which answers tell them apart.

    `exact` is set when the answers are what decides; else they are those of one such branch.
    """

    step: int
    number: int
    answers: Answers
    exact: bool
    branch: Branch
    """One of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """One phone group over all branches; `lost` is empty when every branch brings it back."""

    worst: History
    lost: tuple[Since, ...]
    combinations: int


def courses(verdict: Verdict) -> Mapping[str, Course]:
    """Return how each group fares, by its name."""
    made = {name: _course(name, verdict.executions) for name in verdict.alike}
    return {like: made[name] for name, likes in verdict.alike.items() for like in likes}


def _course(name: str, executions: Sequence[Execution]) -> Course:
    lost = sorted(
        ((_lost_since(one.histories[name]), one.branch) for one in executions if name in one.lost),
        key=itemgetter(0),
    )
    return Course(
        worst=tuple(_worst([one.histories[name] for one in executions])),
        lost=tuple(_sinces(lost, [one.branch for one in executions])),
        combinations=len(executions),
    )


def _lost_since(history: History) -> int:
    """Return the step from which on some phone is refused, or not in service, until the end."""
    since = history[-1][0]
    for step, status in reversed(history):
        if status.accepted and status.registered:
            break
        since = step
    return since


def _sinces(lost: Sequence[tuple[int, Branch]], among: Sequence[Branch]) -> Iterator[Since]:
    """Yield for each step the branches in which phones are lost from it on, or from before it."""
    for step in sorted({step for step, _ in lost}):
        found = [branch for since, branch in lost if since <= step]
        shared = pattern(found, among)
        exact = len(found) == sum(shared.items() <= branch.answers.items() for branch in among)
        answers = shared if exact else pattern(found[:1], among)
        yield Since(step=step, number=len(found), answers=answers, exact=exact, branch=found[0])


# -- the worst


def after(history: History, number: int) -> Status:
    """Return how a group stands after a step."""
    return [status for step, status in history if step <= number][-1]


def ways(status: Status) -> tuple[str, ...]:
    """Return what authenticates the next list; the list a phone already holds is no anchor."""
    return tuple(sorted(status.ways - {SAME} or status.ways)) if status.accepted else ()


def _worst(histories: Sequence[History]) -> Iterator[tuple[int, Status]]:
    last: Status | None = None
    different = list(dict.fromkeys(histories))
    for number in sorted({step for history in different for step, _ in history}):
        status = _together([after(history, number) for history in different])
        if status != last:
            yield number, status
        last = status


def _together(found: Sequence[Status]) -> Status:
    """Return what holds in every branch: a refusal or an outage in one of them counts."""
    refused = sorted((one.why == NO_SERVER, one.why) for one in found if not one.accepted)
    fewest = min(found, key=lambda one: (len(ways(one)), sorted(one.ways)))
    return Status(
        accepted=not refused,
        registered=all(one.registered for one in found),
        ways=fewest.ways,
        why=refused[0][1] if refused else "",
    )

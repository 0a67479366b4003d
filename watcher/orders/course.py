"""How phone groups fare in all branches together: the worst after each step, and who is lost when.

The verdict keeps the history of one branch. Here every branch is walked once more, because a
table that people read must show the worst of all of them.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from watcher.trust.branch import Branch, branches, pattern
from watcher.trust.names import Service
from watcher.trust.phone import NO_SERVER, SAME
from watcher.trust.scenario import Group, Scenario
from watcher.trust.verdict import Answers
from watcher.trust.walk import Memory, Status, Walk, start

History = Sequence[tuple[int, Status]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """From a step on phones are lost: in how many branches, and which answers tell them apart.

    `exact` is set when the answers are what decides; else they are those of one such branch.
    """

    step: int
    number: int
    answers: Answers
    exact: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """One phone group over all branches; `lost` is empty when every branch brings it back."""

    worst: tuple[tuple[int, Status], ...]
    lost: tuple[Since, ...]
    branch: Branch | None
    """The branch in which it is lost first."""
    combinations: int


@dataclass(slots=True)
class _Seen:
    """What the branches walked so far say of one group."""

    histories: list[History] = field(default_factory=list)
    lost: list[tuple[int, Branch]] = field(default_factory=list)


def courses(scenario: Scenario) -> Mapping[str, Course]:
    """Walk every branch and return how each group fares, by its name."""
    groups, names = _distinct(scenario)
    seen: dict[str, _Seen] = defaultdict(_Seen)
    walked = list(branches(_questions(scenario)))
    memory = Memory()
    done: list[tuple[Branch, Walk]] = []
    for branch in walked:
        walk = next((one for other, one in done if _alike(branch, other, one.asked)), None)
        if walk is None:
            walk = start(scenario, branch, memory, groups)
            walk.go()
            done.append((branch, walk))
        for crowd in walk.crowds:
            mine = seen[crowd.group.name]
            mine.histories.append(tuple(crowd.history))
            if crowd.group.online and any(not boot.ok for boot in walk.ends(crowd)):
                mine.lost.append((lost_since(crowd.history), branch))
    made = {name: _course(mine, walked) for name, mine in seen.items()}
    return {like: made[name] for name, likes in names.items() for like in likes}


def _alike(branch: Branch, other: Branch, asked: set[str]) -> bool:
    """Tell whether two branches differ only in questions that no phone asked in the other one."""
    answers = other.answers
    differ = {name for name, word in branch.answers.items() if answers[name] != word}
    return differ <= _LATE and differ.isdisjoint(asked)


_LATE = frozenset(("U5", "U6"))
"""Questions that matter only once a phone asks them."""


def _distinct(scenario: Scenario) -> tuple[list[Group], dict[str, list[str]]]:
    """Return one group of each kind, and all that fare like it because no step tells them apart."""
    chosen = [frozenset(step.groups) for step in scenario.steps if step.groups]
    first: dict[tuple[Group, tuple[bool, ...]], Group] = {}
    names: dict[str, list[str]] = defaultdict(list)
    for group in scenario.groups:
        kind = replace(group, name="", count=None), tuple(group.name in some for some in chosen)
        names[first.setdefault(kind, group).name].append(group.name)
    return list(first.values()), names


def _questions(scenario: Scenario) -> dict[str, str | None]:
    """Return the open questions that this cluster can ask, with the answer where one is assumed."""
    profile = scenario.profile
    matters = {
        "U1": len(scenario.running(Service.TFTP)) > 1, "U2": True, "U3": True,
        "U5": scenario.mixed, "U6": scenario.mixed,
        "U9": profile.recovery_key and not profile.single_recovery and len(scenario.nodes) > 1,
        "U10": bool(scenario.expired),
    }  # fmt: skip
    return {name: scenario.assume.get(name) for name, so in matters.items() if so}


def _course(seen: _Seen, walked: Sequence[Branch]) -> Course:
    lost = sorted(seen.lost, key=lambda found: found[0])
    return Course(
        worst=tuple(_worst(seen.histories)), lost=tuple(_sinces(lost, walked)),
        branch=lost[0][1] if lost else None, combinations=len(walked),
    )  # fmt: skip


def lost_since(history: History) -> int:
    """Return the step from which on some phone is refused, or not in service, until the end."""
    since = history[-1][0]
    for step, status in reversed(history):
        if status.accepted and status.registered:
            break
        since = step
    return since


def _sinces(lost: Sequence[tuple[int, Branch]], walked: Sequence[Branch]) -> Iterator[Since]:
    """Yield for each step the branches in which phones are lost from it on, or from before it."""
    among = [branch.answers for branch in walked]
    for step in sorted({step for step, _ in lost}):
        found = [branch.answers for since, branch in lost if since <= step]
        shared = pattern(found, among)
        alike = [one for one in among if all(one[key] == shared[key] for key in shared)]
        exact = len(alike) == len(found)
        yield Since(
            step=step, number=len(found), answers=shared if exact else _varying(found[0], among),
            exact=exact,
        )  # fmt: skip


def _varying(answers: Answers, among: Sequence[Answers]) -> Answers:
    return {key: word for key, word in answers.items() if any(a[key] != word for a in among)}


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

"""The proof: an order of steps, executed in every branch, judged by the worst (trust facts, 3.6).

Groups that differ in name and number only are walked once. Branches that differ in a question no
phone ever asked end alike, so they are counted and not walked.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from watcher.trust.branch import UNKNOWNS, Answers, Branch, branches, pattern
from watcher.trust.crowd import Crowd, History
from watcher.trust.goals import at_end, unpaid
from watcher.trust.names import Kind, Service
from watcher.trust.notes import before, notes, outages, windows
from watcher.trust.phone import Boot
from watcher.trust.rescue import Rescue, Trials
from watcher.trust.rulebook import RULES, Breach, Severity
from watcher.trust.scenario import Action, Group, Scenario, secure
from watcher.trust.verdict import (
    Absent,
    Broken,
    Execution,
    Interval,
    Note,
    Stranded,
    Verdict,
    ruling,
)
from watcher.trust.walk import Memory, Walk, start

_ORDER = (Severity.LOCKED_SERVER, Severity.LOCKED_TOUCH)


def prove(scenario: Scenario, *, thorough: bool = False) -> Verdict:
    """Execute the scenario's steps in every branch and return the verdict over all of them.

    `thorough` walks each branch by itself, sharing nothing: slow, and the verdict is the same.
    """
    groups, names = _distinct(scenario)
    work = _walk_all(scenario, groups, thorough=thorough)
    return _Judge(scenario, names, work).verdict()


def _distinct(scenario: Scenario) -> tuple[list[Group], dict[str, list[str]]]:
    """Return one group of each kind, and for its name the names of all like it.

    Groups are alike only if every step that names groups names all of them or none.
    """
    chosen = [frozenset(step.groups) for step in scenario.steps if step.groups]
    kinds: dict[tuple[Group, tuple[bool, ...]], Group] = {}
    names: dict[str, list[str]] = defaultdict(list)
    for group in scenario.groups:
        alike = replace(group, name="", count=None)
        kind = (alike, tuple(group.name in some for some in chosen))
        first = kinds.setdefault(kind, group)
        names[first.name].append(group.name)
    return list(kinds.values()), names


Fate = tuple[bool, Severity | None, Rescue | None, str]
"""Of phones that were off: whether they come up, how bad if not, what heals, why."""


@dataclass(slots=True)
class Outcome:
    """One branch, walked to its end."""

    branch: Branch
    breaches: list[Breach]
    histories: dict[str, History]
    stranded: dict[str, tuple[Severity, Rescue, str]]
    absent: dict[str, Fate]
    debts: list[tuple[str, str]]


@dataclass(slots=True)
class Work:
    """The outcome of every branch; how many were walked, and the resets thought through for it."""

    outcomes: list[Outcome] = field(default_factory=list)
    walked: int = 0
    resets: int = 0


def _walk_all(scenario: Scenario, groups: list[Group], *, thorough: bool) -> Work:
    memory, work = Memory(), Work()
    done: dict[Branch, tuple[set[str], Outcome]] = {}
    for branch in sorted(branches(_questions(scenario)), key=_careful_first):
        twin = None if thorough else _twin(branch, done)
        if twin is not None:
            work.outcomes.append(replace(twin, branch=branch))
            continue
        memory = Memory() if thorough else memory
        known = len(memory.boots)
        walk = start(scenario, branch, memory, groups)
        like = None if thorough else _but_for_recovery(branch, done, scenario)
        if like is not None:
            asked, outcome = like[0], _ended_like(like[1], walk)
        else:
            walk.go()
            asked, outcome = walk.asked, _outcome(walk)
            work.walked += 1
            work.resets += len(memory.boots) - known
        done[branch] = asked, outcome
        work.outcomes.append(outcome)
    return work


def _careful_first(branch: Branch) -> tuple[bool, ...]:
    return (branch.tvs_vouches_for_ctl, branch.itl_suffices_for_tls)


def _twin(branch: Branch, done: Mapping[Branch, tuple[set[str], Outcome]]) -> Outcome | None:
    """Return the end of a branch that differs only in questions that nobody asked there."""
    return next(
        (done[other][1] for other in done if branch.differing(other) <= _LATE - done[other][0]),
        None,
    )


_LATE = frozenset(("U5", "U6"))
"""Questions that matter only once a phone asks them."""
_RECOVERY_MATTERS = frozenset((Action.ITL_LOCALKEY, Action.ITL_REMOTEKEY, Action.RESTORE))


def _but_for_recovery(
    branch: Branch, done: Mapping[Branch, tuple[set[str], Outcome]], scenario: Scenario
) -> tuple[set[str], Outcome] | None:
    """Return the branch with one ITLRecovery certificate, if phones on the way fare alike (U9).

    Below 12.0 that key signs an ITL only by localkey or remotekey. Where no step does that, renews
    it or restores it, its name makes no difference to anybody until phones are to be healed.
    """
    twin = done.get(replace(branch, recovery_per_node=False)) if branch.recovery_per_node else None
    quiet = not scenario.profile.recovery_signs and not any(
        step.action in _RECOVERY_MATTERS or step.store == Kind.RECOVERY for step in scenario.steps
    )
    return twin if twin is not None and quiet and not twin[1].stranded else None


def _ended_like(twin: Outcome, walk: Walk) -> Outcome:
    """Return the outcome of such a branch: only who was off, and what heals them, is asked anew."""
    walk.execute()
    trials = Trials(walk.world)
    absent = {crowd.group.name: _absent(walk, crowd, trials) for crowd in walk.crowds}
    return replace(twin, branch=walk.branch, absent=absent)


def _questions(scenario: Scenario) -> dict[str, str | None]:
    """Return the open questions that can matter here, with the answer where one is assumed."""
    profile = scenario.profile
    open_here = {
        "U1": len(scenario.running(Service.TFTP)) > 1,
        "U2": True,
        "U3": True,
        "U5": scenario.mixed,
        "U6": scenario.mixed,
        "U9": profile.recovery_key and not profile.single_recovery and len(scenario.nodes) > 1,
        "U10": bool(scenario.expired),
    }
    return {name: scenario.assume.get(name) for name, matters in open_here.items() if matters}


def _outcome(walk: Walk) -> Outcome:
    """Judge the end of one branch, with the recovery search for who is lost."""
    breaches = [*walk.breaches, *at_end(walk)]
    stranded: dict[str, tuple[Severity, Rescue, str]] = {}
    absent: dict[str, Fate] = {}
    trials = Trials(walk.world)
    last = walk.scenario.steps[-1].number if walk.scenario.steps else 0
    for crowd in walk.crowds:
        name = crowd.group.name
        lost = sorted((b for b in walk.ends(crowd) if not b.ok), key=lambda b: b.why)
        if lost and crowd.group.online:
            severity, way = trials.rescue(crowd.group, (b.held for b in lost), lost[0].why)
            stranded[name] = (severity, way, lost[0].why)
            breaches += _end_breaches(crowd.group, lost, last)
        absent[name] = _absent(walk, crowd, trials)
    return Outcome(
        branch=walk.branch, breaches=breaches,
        histories={crowd.group.name: tuple(crowd.history) for crowd in walk.crowds},
        stranded=stranded, absent=absent, debts=list(unpaid(walk)),
    )  # fmt: skip


def _end_breaches(group: Group, lost: list[Boot], last: int) -> Iterator[Breach]:
    """Yield I-1 for a refusal, I-15 for an encrypted phone that is not served in the end."""
    for boot in lost:
        silent = boot.accepted and secure(boot.held.mode)
        told = "are not registered" if boot.accepted else "refuse what they are handed"
        yield Breach(
            rule="I-15" if silent else "I-1", step=last, group=group.name,
            text=f"at the end phones of {group.name} {told}: {boot.why}",
        )  # fmt: skip


def _absent(walk: Walk, crowd: Crowd, trials: Trials) -> Fate:
    boot = walk.shadow(crowd)
    if boot.ok:
        return True, None, None, ", ".join(sorted(boot.anchors))
    severity, way = trials.rescue(crowd.group, [crowd.first], boot.why)
    return False, severity, way, boot.why


Find = Callable[[History, Sequence[int]], Iterator[tuple[int, int, str]]]


def _severity(fate: Fate) -> int:
    return _ORDER.index(fate[1]) if fate[1] else -1


class _Judge:
    """Puts the branches together; what differs between them is told by the open questions."""

    def __init__(self, scenario: Scenario, names: dict[str, list[str]], work: Work) -> None:
        self.scenario, self.names, self.work = scenario, names, work
        self.outcomes = work.outcomes
        self.all = [outcome.branch for outcome in self.outcomes]

    def verdict(self) -> Verdict:
        """Return the verdict over all branches."""
        broken = self._broken()
        stranded = tuple(self._stranded())
        assumed = {k: v for k, v in self.scenario.assume.items() if k in UNKNOWNS}
        worst = self._worst()
        return Verdict(
            ruling=ruling(self.scenario, broken, lost=bool(stranded)),
            broken=broken, stranded=stranded, offline=tuple(self._offline()),
            windows=self._intervals(windows), outages=self._intervals(outages),
            notes=tuple(notes(self.scenario, worst.histories, worst.breaches)),
            unpaid=tuple(self._unpaid()), history=self._histories(worst),
            executions=tuple(
                Execution(branch=o.branch, histories=o.histories, lost=frozenset(o.stranded))
                for o in self.outcomes
            ),
            alike={name: tuple(likes) for name, likes in self.names.items()},
            combinations=len(self.outcomes), walked=self.work.walked,
            resets=self.work.resets, assumed=assumed,
        )  # fmt: skip

    def _where(self, found: Iterable[Branch]) -> Answers:
        return pattern(found, self.all)

    def _broken(self) -> tuple[Broken, ...]:
        kept: dict[str, list[tuple[Breach, Branch]]] = defaultdict(list)
        for outcome in self.outcomes:
            for breach in outcome.breaches:
                kept[breach.rule].append((breach, outcome.branch))
        for rule, text, group in before(self.scenario):
            breach = Breach(rule=rule, step=0, group=group, text=text)
            kept[rule] += [(breach, branch) for branch in self.all]
        rules = [rule for rule in RULES if rule in kept and RULES[rule].hard]
        return tuple(self._one_broken(rule, kept[rule]) for rule in rules)

    def _one_broken(self, rule: str, found: list[tuple[Breach, Branch]]) -> Broken:
        first = min(found, key=lambda f: (f[0].step, f[0].group))[0]
        groups = dict.fromkeys(
            name for breach, _ in found for name in self.names.get(breach.group, ())
        )
        return Broken(
            rule=rule, steps=tuple(sorted({breach.step for breach, _ in found})),
            groups=tuple(groups), text=first.text,
            branches=self._where(branch for _, branch in found),
        )  # fmt: skip

    def _stranded(self) -> Iterator[Stranded]:
        for name, likes in self.names.items():
            found = [(o.stranded[name], o.branch) for o in self.outcomes if name in o.stranded]
            if not found:
                continue
            severity, way, why = max((f for f, _ in found), key=lambda f: _ORDER.index(f[0]))
            where = self._where(branch for _, branch in found)
            for like in likes:
                yield Stranded(group=like, severity=severity, why=why, rescue=way, branches=where)

    def _offline(self) -> Iterator[Absent]:
        for name, likes in self.names.items():
            lost = [(o.absent[name], o.branch) for o in self.outcomes if not o.absent[name][0]]
            if lost:
                worst = max((f for f, _ in lost), key=_severity)
            else:
                worst = self.outcomes[0].absent[name]
            ok, severity, way, why = worst
            where = self._where(branch for _, branch in lost)
            for like in likes:
                yield Absent(
                    group=like, ok=ok, severity=severity, why=why, rescue=way, branches=where
                )

    def _intervals(self, find: Find) -> tuple[Interval, ...]:
        kept: dict[tuple[str, int, int], tuple[str, list[Branch]]] = {}
        steps = [step.number for step in self.scenario.steps]
        for outcome in self.outcomes:
            for name, history in outcome.histories.items():
                for first, last, text in find(history, steps):
                    key = (name, first, last)
                    kept.setdefault(key, (text, []))[1].append(outcome.branch)
        return tuple(
            Interval(group=like, first=first, last=last, text=text, branches=self._where(where))
            for (name, first, last), (text, where) in sorted(kept.items(), key=lambda k: k[0])
            for like in self.names[name]
        )

    def _unpaid(self) -> Iterator[Note]:
        seen = dict.fromkeys(debt for outcome in self.outcomes for debt in outcome.debts)
        for rule, text in seen:
            yield Note(rule=rule, severity=Severity.DEGRADED, text=text)

    def _worst(self) -> Outcome:
        """Return the branch to show: where most is lost, then where fewest anchors are left."""

        def badness(outcome: Outcome) -> tuple[int, int, int]:
            refused = sum(
                not status.accepted for h in outcome.histories.values() for _, status in h
            )
            ways = min((len(s.ways) for h in outcome.histories.values() for _, s in h), default=0)
            return (len(outcome.stranded), refused, -ways)

        return max(self.outcomes, key=badness)

    def _histories(self, worst: Outcome) -> dict[str, History]:
        return {like: worst.histories[name] for name, likes in self.names.items() for like in likes}

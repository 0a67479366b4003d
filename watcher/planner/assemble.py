"""Everything around the steps that a plan says, each sentence with its source."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from watcher.inventory.schema import Blackout, Cluster
from watcher.model.alarm import UcAlarm
from watcher.model.plan import (
    ChangePlan,
    Cite,
    Disagreement,
    Evidence,
    Finding,
    Impact,
    Line,
    SourceEntry,
    Step,
    minutes,
)
from watcher.planner import prose
from watcher.planner.fill import cite
from watcher.planner.findings import plain
from watcher.planner.frame import BEFORE_THE_WINDOW, Work
from watcher.planner.phases import common_facts
from watcher.planner.questions import open_questions
from watcher.planner.sketch import Ground
from watcher.planner.ways import SPLIT_WINDOWS, Choice
from watcher.rules.alarms import Weight
from watcher.rules.catalogue import Catalogue
from watcher.rules.select import select
from watcher.rules.terms import Condition, Statement
from watcher.rules.work import Contradiction, StepKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A plan's steps with what they were drawn for."""

    findings: tuple[Finding, ...]
    work: Work
    choice: Choice
    steps: tuple[Step, ...]
    refused: tuple[str, ...]


def assemble(
    drawn: Drawn, ground: Ground, evidence: Sequence[Evidence], others: Sequence[UcAlarm],
    as_of: datetime | None,
) -> ChangePlan:  # fmt: skip
    """Return the whole plan."""
    terrain, work, steps, findings = ground.terrain, drawn.work, drawn.steps, drawn.findings
    way = ground.catalogue.ways[drawn.choice.way].title if steps else "none"
    shown = {name for finding in findings for name in finding.evidence}
    plan = ChangePlan(
        cluster=terrain.cluster.name if terrain.cluster else None,
        release=str(terrain.release) if terrain.release else None,
        as_of=as_of,
        headline=prose.headline(findings),
        summary=prose.summary(findings, work, steps, way, ground),
        way=way,
        way_lines=_way_lines(drawn.choice, ground) if steps else (),
        findings=findings,
        evidence=tuple(item for item in evidence if item.id in shown),
        impacts=tuple(_impacts(work, ground)),
        warnings=(*_warnings(others, ground.catalogue), *_site_warnings(drawn, ground, as_of)),
        questions=open_questions(findings, work, steps, ground),
        preconditions=_preconditions(steps, ground),
        steps=steps,
        minutes=minutes([s for s in steps if s.block != BEFORE_THE_WINDOW]),
        point_of_no_return=prose.point_of_no_return(steps),
        back_out=_back_out(steps),
        disagreements=_disagreements(work, ground),
        cautions=_cautions(work, ground),
        sources=(),
        not_known=prose.not_known(findings, ground),
        withheld=drawn.choice.withheld,
        not_planned=drawn.refused,
    )
    return replace(plan, sources=_sources(plan, ground.catalogue))


def _chosen(statements: Sequence[Statement], ground: Ground) -> tuple[Line, ...]:
    chosen = select(statements, ground.terrain.release, ground.terrain.facts)
    return tuple(Line(text=s.item.text, cite=cite(s.item), only_if=s.only_if) for s in chosen)


def _way_lines(choice: Choice, ground: Ground) -> tuple[Line, ...]:
    names = (choice.way, SPLIT_WINDOWS) if choice.split else (choice.way,)
    ways = [ground.catalogue.ways[name] for name in names]
    return tuple(
        line for way in ways for line in (*_chosen(way.reason, ground), *_chosen(way.cost, ground))
    )


def _impacts(work: Work, ground: Ground) -> Iterator[Impact]:
    for name, store in work.stores.items():
        places = [p.label for job in work.services if job.name == name for p in job.changed]
        holders = [p.label for job in work.trusts if job.name == name for p in job.holders]
        yield Impact(
            store=name, title=store.title,
            affected=", ".join(dict.fromkeys(places + holders)),
            lines=_chosen(store.impact, ground), used_by=_chosen(store.used_by, ground),
        )  # fmt: skip


def _warnings(others: Sequence[UcAlarm], catalogue: Catalogue) -> Iterator[Line]:
    for alarm in others:
        known = catalogue.alarms.evidence_in(alarm.record)
        if known is None or known.weight is Weight.SHOWS_EFFECT:
            continue
        time = alarm.record.event_time
        when = f"{time:%Y-%m-%d %H:%M} UTC" if time else "time not readable"
        node = plain(alarm.node) or "a node"
        stop = "STOP. " if known.weight is Weight.STOP else ""
        yield Line(
            text=f"{stop}{known.text} (alarm {known.msgname}, {node}, {when})", cite=cite(known)
        )


def _site_warnings(drawn: Drawn, ground: Ground, as_of: datetime | None) -> Iterator[Line]:
    """Yield what the inventory says against the work: lone CallManager groups, blackouts."""
    cluster = ground.terrain.cluster
    if cluster is None:
        return
    if drawn.work.phone_facing and ground.terrain.facts.get(Condition.SINGLE_NODE) is not True:
        rule = ground.catalogue.safety["P8"]
        for group in cluster.callmanager_groups:
            if len(group.nodes) == 1:
                text = f"CallManager group {group.name} has one node: {rule.text}"
                yield Line(text=text, cite=cite(rule))
    if as_of is not None:
        yield from _blackouts(drawn.findings, cluster, as_of.date())


def _blackouts(findings: Sequence[Finding], cluster: Cluster, today: date) -> Iterator[Line]:
    """Yield the blackouts that the work has to do with, and what each leaves free."""
    days = [finding.expiry.day for finding in findings if finding.expiry.day]
    margin = timedelta(days=cluster.margin_days or 0)
    by = min((max(day - margin, today) for day in days if day >= today), default=None)
    for blackout in cluster.blackouts if days else ():
        if today <= blackout.last and blackout.first <= max(*days, today):
            yield Line(
                text=f"No changes from {blackout.first} to {blackout.last} ({blackout.reason}): "
                f"{_left(blackout, today, by)}."
            )


def _left(blackout: Blackout, today: date, by: date | None) -> str:
    """Say when the work can be done; `by` is when it must be over, None when it is late anyhow."""
    free = (
        ("before", today < blackout.first), ("after", by is None or blackout.last < by)
    )  # fmt: skip
    sides = [side for side, is_free in free if is_free]
    told = [f"take a slot {' or '.join(sides)} it"] if sides else []
    if by is None or blackout.first <= by <= blackout.last:
        told.append("have an exception granted for this change")
    return ", or ".join(told)


def _preconditions(steps: Sequence[Step], ground: Ground) -> tuple[Line, ...]:
    """Return the preconditions (P1 to P13) that a step of this plan serves, with its number."""
    lines = []
    for name, rule in ground.catalogue.safety.items():
        numbers = [step.number for step in steps if name in step.rules]
        always = name == "P1" and bool(steps)
        if not name.startswith("P") or not (numbers or always):
            continue
        for chosen in select([rule], ground.terrain.release, ground.terrain.facts):
            where = f" (step {numbers[0]})" if numbers else ""
            text = f"{name}: {rule.text}{where}"
            lines.append(Line(text=text, cite=cite(rule), only_if=chosen.only_if))
    return tuple(lines)


_NOTHING_TO_UNDO = frozenset(
    kind.value
    for kind in (
        StepKind.FIND_OUT, StepKind.CHECK, StepKind.RECORD, StepKind.SAVE, StepKind.BACKUP,
        StepKind.VERIFY_BACKUP, StepKind.VERIFY, StepKind.WAIT, StepKind.CANARY,
    )
)  # fmt: skip
"""Kinds that look or save and leave everything as it was."""


def _back_out(steps: Sequence[Step]) -> tuple[Line, ...]:
    """Return how to undo what changes something: each way once, with its steps."""
    lines: dict[str, Line] = {}
    numbers: dict[str, list[int]] = {}
    for step in steps:
        for line in step.undo if step.kind not in _NOTHING_TO_UNDO else ():
            lines.setdefault(line.text, line)
            numbers.setdefault(line.text, []).append(step.number)
    return tuple(
        replace(line, text=f"{_numbered(numbers[text])}: {text}") for text, line in lines.items()
    )


def _numbered(numbers: Sequence[int]) -> str:
    if len(numbers) == 1:
        return f"Step {numbers[0]}"
    return "Steps " + ", ".join(str(number) for number in numbers)


def _disagreements(work: Work, ground: Ground) -> tuple[Disagreement, ...]:
    """Return the contradictions that touch this plan: its stores, and rows that hold here."""
    stores, release = work.stores, ground.terrain.release
    rows = [select(store.restarts, release, ground.terrain.facts) for store in stores.values()]
    named: set[str | None] = {n for store in stores.values() for n in store.contradictions}
    named |= {row.item.contradiction for chosen in rows for row in chosen}
    return tuple(
        _disagreement(name, item)
        for name, item in ground.catalogue.contradictions.items()
        if name in named
        and (release is None or item.releases.matches(release))
        and all(store in stores for store in item.stores)
    )


def _disagreement(name: str, item: Contradiction) -> Disagreement:
    return Disagreement(
        id=name, question=item.question, default=item.default,
        alternative=item.alternative, why=item.why,
        sides=tuple(
            Line(
                text=side.text,
                cite=Cite(sources=side.source, releases="all", confidence="seen"),
            )
            for side in item.sides
        ),
    )  # fmt: skip


def _cautions(work: Work, ground: Ground) -> tuple[Line, ...]:
    lines: dict[str, Line] = {}
    for name, store in work.stores.items():
        job = next((job for job in work.services if job.name == name), None)
        facts = common_facts(job, job.changed, ground) if job else ground.terrain.facts
        for chosen in select(store.cautions, ground.terrain.release, facts):
            caution = chosen.item
            text = f"{caution.bug}: {caution.text}" if caution.bug else caution.text
            lines.setdefault(text, Line(text=text, cite=cite(caution), only_if=chosen.only_if))
    return tuple(lines.values())


def _cites(plan: ChangePlan) -> Iterator[Cite]:
    for step in plan.steps:
        yield from (command.cite for command in step.command)
        for line in (*step.do, *step.gui, *step.expect, *step.check, *step.undo):
            if line.cite:
                yield line.cite
    lines: Iterable[Line] = (
        *plan.way_lines, *plan.warnings, *plan.preconditions, *plan.cautions,
        *(line for impact in plan.impacts for line in (*impact.lines, *impact.used_by)),
        *(side for item in plan.disagreements for side in item.sides),
    )  # fmt: skip
    for line in lines:
        if line.cite:
            yield line.cite
    for question in plan.questions:
        for command in question.command:
            yield command.cite


def _sources(plan: ChangePlan, catalogue: Catalogue) -> tuple[SourceEntry, ...]:
    used = {name for item in _cites(plan) for name in item.sources}
    return tuple(
        SourceEntry(id=name, title=source.title, url=source.url)
        for name, source in catalogue.sources.items()
        if name in used
    )

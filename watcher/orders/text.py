"""A verdict in words for a person at a terminal: at most 100 columns, no colour needed."""

import textwrap
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from watcher.account import counted, few
from watcher.errors import one_line
from watcher.model.proof import Assumption
from watcher.orders.course import Course, Since, courses
from watcher.orders.grid import grid
from watcher.orders.witness import Witness, witness
from watcher.trust.branch import UNKNOWNS, Answers
from watcher.trust.names import Kind, certificate
from watcher.trust.rulebook import RULES, Severity
from watcher.trust.scenario import Scenario
from watcher.trust.verdict import Broken, Interval, Ruling, Stranded, Verdict

Item = TypeVar("Item")

WIDTH = 100
_BEFORE = "Before the first step"
_SHOWN = 12
"""Entries of a list that are printed; JSON has them all."""


def text(scenario: Scenario, verdict: Verdict, inputs: Sequence[Assumption] = ()) -> str:
    """Return the whole answer: verdict, counter-example, steps, windows, phones that were off."""
    fared = courses(verdict)
    parts = (
        _headline(scenario, verdict),
        _assumed(scenario, verdict),
        _lost(scenario, verdict, fared),
        _rules(scenario, verdict),
        ["Steps", *grid(scenario, verdict, fared, WIDTH)],
        _intervals("Windows: a phone that is reset then is refused", verdict.windows),
        _intervals("Out of service without a reset", verdict.outages),
        _offline(verdict),
        _notes(verdict),
        _unpaid(verdict),
        _questions(verdict, fared),
        _inputs(inputs),
        _scope(scenario, verdict),
    )
    blocks = ("\n".join(one_line(line) for line in part) for part in parts if part)
    return "\n\n".join(blocks) + "\n"


# -- verdict


def _headline(scenario: Scenario, verdict: Verdict) -> list[str]:
    cases = counted(verdict.combinations, "combination")
    if verdict.ruling is Ruling.SAFE:
        return _wrapped(f"SAFE: no phone is left behind, in {cases} of undocumented behaviour.")
    if verdict.ruling is Ruling.WITH_ASSUMPTIONS:
        return _wrapped("SAFE WITH ASSUMPTIONS: no phone is left behind, as long as they hold.")
    lost = [stranded.group for stranded in verdict.stranded]
    hard = [b.rule for b in verdict.broken if b.rule not in scenario.accept]
    told = f"phones of {few(lost, _SHOWN)} would be lost" if lost else "it breaks a rule"
    also = f" ({few(hard, _SHOWN)})" if hard else ""
    return _wrapped(f"REFUSED: {told}{also}.")


def _assumed(scenario: Scenario, verdict: Verdict) -> list[str]:
    lines: list[str] = []
    for name, answer in verdict.assumed.items():
        unknown = UNKNOWNS[name]
        so = "it is so" if answer == unknown.other else "it is not so"
        told = f"assumed: {so} that {unknown.text} ({name}). See first: {unknown.observable}."
        lines += _wrapped(told, "  ")
    for broken in verdict.broken:
        if broken.rule in scenario.accept:
            title = RULES[broken.rule].title
            lines += _wrapped(f"accepted in writing: {broken.rule} is broken. {title}", "  ")
    return lines


# -- the counter-example


def _lost(scenario: Scenario, verdict: Verdict, fared: Mapping[str, Course]) -> list[str]:
    alike: dict[tuple[str, ...], list[Stranded]] = defaultdict(list)
    for stranded in verdict.stranded:
        course = fared[stranded.group]
        near = len(alike) < _SHOWN and course.lost
        seen = witness(scenario, stranded.group, course.lost[0]) if near else None
        alike[tuple(_story(scenario, stranded, course, seen))].append(stranded)
    lines: list[str] = []
    for story, alone in alike.items():
        phones = _phones(scenario, [stranded.group for stranded in alone])
        lines += ["", *_wrapped(f"Lost: {phones}")]
        for sentence in story:
            lines += _wrapped(sentence, "  ")
    if lines:
        lines += _wrapped(_names_explained(scenario), "  ")
    return lines[1:]


def _names_explained(scenario: Scenario) -> str:
    """Return what the name of a certificate says, with one that this cluster has."""
    kind = Kind.TVS if Kind.CALLMANAGER in scenario.shared else Kind.CALLMANAGER
    node = scenario.publisher
    name = certificate(kind, node, 0)
    return f"{name} is the certificate of node {node} at the start, #1 the one after that."


def _story(
    scenario: Scenario, stranded: Stranded, course: Course, seen: Witness | None
) -> Iterator[str]:
    if seen is None:
        yield f"Why: {stranded.why}."
    else:
        yield from _closely(scenario, seen)
    yield from _branches(course)
    if stranded.severity is Severity.LOCKED_SERVER:
        yield f"Heals from the server ({stranded.rescue.id}): {stranded.rescue.text}"
    else:
        yield f"Nothing on the server heals them: {stranded.rescue.text}"


def _branches(course: Course) -> Iterator[str]:
    """Yield in which combinations phones are lost, and from which step on where that differs."""
    if not course.lost:
        return
    if len(course.lost) == 1:
        told = _share(course.lost[0], course)
        yield f"{told[0].upper()}{told[1:]}."
        return
    told = "; ".join(
        f"from {f'step {one.step}' if one.step else 'the start'} on "
        + _share(one, course).removeprefix("only ")
        for one in course.lost
    )
    yield f"{told[0].upper()}{told[1:]}."


def _share(since: Since, course: Course) -> str:
    """Return in which combinations; "every" only where it is every one."""
    if since.number == course.combinations:
        return "in every combination of undocumented behaviour"
    if since.exact:
        return f"only if {when(since.answers)}"
    return (
        f"in {since.number} of {course.combinations} combinations of undocumented behaviour, "
        f"one of them {when(since.answers)}"
    )


def _closely(scenario: Scenario, seen: Witness) -> Iterator[str]:
    titles = {step.number: step.text for step in scenario.steps}
    where = f"step {seen.step} ({titles[seen.step]})" if seen.step in titles else "the start"
    yield f"Since {where} one that is reset does not come back."
    yield f"It holds {seen.holds}."
    if seen.handed:
        yield f"It is handed {seen.handed}."
    for reason in seen.reasons:
        yield f"- {reason}"


def _rules(scenario: Scenario, verdict: Verdict) -> list[str]:
    broken = [one for one in verdict.broken if one.rule not in scenario.accept]
    if not broken:
        return []
    titles = {step.number: step.text for step in scenario.steps}
    lines = ["Rules it breaks"]
    for one in broken:
        lines += _wrapped(_rule(one, titles), "       ", f"  {one.rule:<5}")
    return lines


def _rule(one: Broken, titles: dict[int, str]) -> str:
    rule = RULES[one.rule]
    first = one.steps[0] if one.steps else 0
    more = f" and {len(one.steps) - 1} more" if len(one.steps) > 1 else ""
    place = f"At step {first} ({titles[first]}){more}" if first in titles else _BEFORE
    only = f" Only if {when(one.branches)}." if one.branches else ""
    return f"{rule.title} {place}: {one.text}.{only} [{', '.join(rule.sources)}]"


# -- the rest


def _intervals(title: str, found: Iterable[Interval]) -> list[str]:
    alike: dict[tuple[int, int, str, str], list[str]] = defaultdict(list)
    for one in found:
        key = (one.first, one.last, one.text, when(one.branches))
        alike[key].append(one.group)
    if not alike:
        return []
    lines = [title]
    for (first, last, why, only), groups in _some(sorted(alike.items()), lines):
        condition = f", only if {only}" if only else ""
        lines += _wrapped(
            f"{_span(first, last)}: {few(groups, _SHOWN)}: {why}{condition}", "    ", "  "
        )
    return lines


def _span(first: int, last: int) -> str:
    if first == 0 and last == 0:
        return "at the start"
    if first == 0:
        return f"from the start until after step {last}"
    return f"after step {first}" if first == last else f"after steps {first} to {last}"


def _offline(verdict: Verdict) -> list[str]:
    alike: dict[tuple[str, str], list[str]] = defaultdict(list)
    for absent in verdict.offline:
        if absent.ok:
            told = f"come up ({absent.why})" if absent.why else "come up"
        else:
            heal = absent.rescue.text if absent.rescue else ""
            told = f"are refused: {absent.why}. {heal}".rstrip()
        alike[told, when(absent.branches)].append(absent.group)
    if not alike:
        return []
    lines = ["Phones that are off from the first step to the last"]
    for (told, only), groups in alike.items():
        condition = f" Only if {only}." if only else ""
        lines += _wrapped(f"{few(groups, _SHOWN)}: {told}{condition}", "    ", "  ")
    return lines


def _notes(verdict: Verdict) -> list[str]:
    alike: dict[tuple[str, int, int, str], list[str]] = defaultdict(list)
    for note in verdict.notes:
        alike[note.rule, note.first, note.last, note.text].append(note.group)
    if not alike:
        return []
    lines = ["Notes"]
    for (rule, first, last, told), groups in _some(list(alike.items()), lines):
        names = [group for group in groups if group and not told.startswith(f"{group}:")]
        of = f" ({few(names, _SHOWN)})" if names else ""
        at = f", {_span(first, last)}" if first or last else ""
        lines += _wrapped(f"{told}{at}{of}", "        ", f"  {rule:<5} ")
    return lines


def _unpaid(verdict: Verdict) -> list[str]:
    if not verdict.unpaid:
        return []
    lines = ["Left to do afterwards"]
    for note in _some(verdict.unpaid, lines):
        lines += _wrapped(note.text, "        ", f"  {note.rule:<5} ")
    return lines


def _inputs(inputs: Sequence[Assumption]) -> list[str]:
    if not inputs:
        return []
    lines = ["Taken for granted, because the inventory does not tell"]
    for one in _some(inputs, lines):
        lines += _wrapped(f"{one.text} (check: {one.check})", "    ", "  ")
    return lines


def _scope(scenario: Scenario, verdict: Verdict) -> list[str]:
    return _wrapped(
        f"Executed against a model of the cluster ({counted(len(scenario.nodes), 'node')}, "
        f"{counted(len(scenario.groups), 'phone group')}, release {scenario.profile.release}) in "
        f"{counted(verdict.combinations, 'combination')} of undocumented behaviour, with reboots "
        "at any moment. It is a proof about the model, not about the phones. Not a Cisco document."
    )


# -- words


def when(answers: Answers) -> str:
    """Return in which branches something is so; the questions are told below."""
    return " and ".join(f"{name} = {answer}" for name, answer in answers.items())


def _questions(verdict: Verdict, fared: Mapping[str, Course]) -> list[str]:
    """Tell the open questions on which something depends, and what one phone shows of them."""
    found: list[Answers] = [one.branches for one in verdict.broken]
    found += [one.branches for one in verdict.stranded]
    found += [one.branches for one in verdict.offline]
    found += [one.branches for one in (*verdict.windows, *verdict.outages)]
    found += [one.answers for course in fared.values() for one in course.lost]
    named = {name for answers in found for name in answers}
    lines = ["What no public source settles"] if named else []
    for name in (name for name in UNKNOWNS if name in named):
        unknown = UNKNOWNS[name]
        told = (
            f"{unknown.text}: {unknown.other}, else {unknown.careful}. "
            f"Seen in: {unknown.observable}."
        )
        lines += _wrapped(told, "       ", f"  {name:<5}")
    return lines


def _some(items: Sequence[Item], lines: list[str]) -> Iterator[Item]:
    """Yield the first few items, and say at the end how many more there are."""
    yield from items[:_SHOWN]
    if len(items) > _SHOWN:
        lines.append(f"  and {len(items) - _SHOWN} more: --format json")


def _phones(scenario: Scenario, groups: Sequence[str]) -> str:
    counts = {group.name: group.count for group in scenario.groups}
    known = [counts[name] for name in groups]
    total = sum(count for count in known if count is not None)
    number = f" ({counted(total, 'phone')})" if None not in known else ""
    return f"phones of {few(groups, _SHOWN)}{number}"


def _wrapped(line: str, indent: str = "", first: str | None = None) -> list[str]:
    bullet = f"{indent}  " if line.startswith("- ") else indent
    return textwrap.wrap(
        one_line(line), WIDTH, initial_indent=indent if first is None else first,
        subsequent_indent=bullet, break_long_words=True, break_on_hyphens=False,
    )  # fmt: skip

"""The steps as a table on a terminal: a row for each, a column for phone groups that fare alike."""

import textwrap
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from watcher.errors import one_line
from watcher.orders.course import Course, after, ways
from watcher.orders.record import lines_of
from watcher.trust.crowd import Status
from watcher.trust.phone import FAITH, NO_LIST
from watcher.trust.scenario import Scenario, Step
from watcher.trust.verdict import Verdict

_COLUMNS = 10
"""Columns of one table; more groups that all fare differently make another table below."""
_LABEL = 9
"""Characters of a head; a longer one is a letter that is told below."""


@dataclass(frozen=True, slots=True)
class Column:
    """Phone groups that fare alike, under one head."""

    head: str
    groups: tuple[str, ...]
    cells: tuple[str, ...]
    """The first one is the start."""


def grid(
    scenario: Scenario, verdict: Verdict, fared: Mapping[str, Course], width: int
) -> Iterator[str]:
    """Yield the lines of the table, with the legend of the marks it uses."""
    steps = lines_of(scenario)
    columns = _columns(fared, steps)
    breaks = _breaks(verdict)
    for begin in range(0, len(columns), _COLUMNS):
        if begin:
            yield ""
        yield from _table(columns[begin : begin + _COLUMNS], steps, breaks, width)
    yield from _heads(columns, width)
    yield from _legend(columns, width)


def _columns(fared: Mapping[str, Course], steps: Sequence[Step]) -> list[Column]:
    numbers = [0, *(step.number for step in steps)]
    alike: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for name, course in fared.items():
        alike[tuple(_marks(course, numbers))].append(name)
    found = []
    for place, (cells, names) in enumerate(alike.items(), 1):
        joined = one_line(", ".join(names))
        head = joined if len(joined) <= _LABEL else f"G{place}"
        found.append(Column(head, tuple(names), cells))
    return found


def _marks(course: Course, numbers: Sequence[int]) -> Iterator[str]:
    """Yield a mark for each moment; a refusal that lasts to the end in some branch is a loss."""
    since = course.lost[0].step if course.lost else None
    for number in numbers:
        gone = since is not None and number >= since
        yield _mark(after(course.worst, number), heals=not gone)


def _mark(status: Status, *, heals: bool) -> str:
    if not status.accepted:
        mark = "!" if heals else "x"
    elif NO_LIST in status.ways:
        mark = "-"
    elif FAITH in status.ways:
        mark = "*"
    else:
        mark = str(len(ways(status)))
    return mark if status.registered else f"{mark}."


def _breaks(verdict: Verdict) -> dict[int, str]:
    found: dict[int, list[str]] = defaultdict(list)
    for broken in verdict.broken:
        for step in broken.steps:
            found[step].append(broken.rule)
    return {step: " ".join(rules) for step, rules in found.items()}


def _table(
    columns: Sequence[Column], steps: Sequence[Step], breaks: dict[int, str], width: int
) -> Iterator[str]:
    last = max((len(rules) for rules in breaks.values()), default=0)
    last = min(max(last, len("breaks")), 20) if last else 0
    room = width - 5 - sum(_wide(column) + 2 for column in columns) - (last + 2 if last else 0)
    longest = max((len(one_line(step.text)) for step in steps), default=0)
    wide = max(24, min(room, max(longest, len("before the first step"))))
    heads = "".join(f"  {column.head:>{_wide(column)}}" for column in columns)
    yield f"{'':5}{'':{wide}}{heads}{'  breaks' if last else ''}".rstrip()
    rows = [("", "before the first step", breaks.get(0, ""))]
    rows += [(str(s.number), one_line(s.text), breaks.get(s.number, "")) for s in steps]
    for place, (number, told, rules) in enumerate(rows):
        cells = "".join(f"  {column.cells[place]:>{_wide(column)}}" for column in columns)
        text = textwrap.wrap(told, wide) or [""]
        tail = textwrap.wrap(rules, last) if last and rules else [""]
        for row in range(max(len(text), len(tail))):
            yield (
                f"{number if row == 0 else '':>3}  {_at(text, row):<{wide}}"
                f"{cells if row == 0 else ' ' * len(cells)}  {_at(tail, row)}"
            ).rstrip()


def _at(lines: Sequence[str], row: int) -> str:
    return lines[row] if row < len(lines) else ""


def _wide(column: Column) -> int:
    return max(len(column.head), *(len(cell) for cell in column.cells))


def _heads(columns: Sequence[Column], width: int) -> Iterator[str]:
    for column in columns:
        names = ", ".join(column.groups)
        if column.head != names:
            yield from textwrap.wrap(
                one_line(f"{column.head}: {names}"), width, initial_indent="  ",
                subsequent_indent="      ",
            )  # fmt: skip


def _legend(columns: Sequence[Column], width: int) -> Iterator[str]:
    used = {letter for column in columns for cell in column.cells for letter in cell}
    meanings = {
        "!": "! reset now, it is refused until a later step heals it",
        "x": "x refused, and nothing in this order heals it",
        ".": ". some phones are not registered",
        "-": "- keeps no list, so nothing can lock it out",
        "*": "* takes a list from anybody",
    }
    told = [
        "a number: ways in which the worst phone can check the next list, over all combinations"
    ]
    told += [meaning for mark, meaning in meanings.items() if mark in used]
    yield from textwrap.wrap("; ".join(told), width, initial_indent="  ", subsequent_indent="  ")

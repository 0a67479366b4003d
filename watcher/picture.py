"""The picture of a plan: blocks of steps in order, as Mermaid text and as inline SVG.

One square is one step, in the colour of what it does; steps on a grey ground may be done in any
order; a dark square is a gate behind which nobody goes before the phones are back.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from watcher.model.clock import short_hours
from watcher.model.plan import ChangePlan, Step, minutes

SQUARE, GAP, WIDTH, LABEL = 24, 4, 640, 22
_DAY = 24 * 60
_PER_ROW = (WIDTH - GAP) // (SQUARE + GAP)

COLOURS = {
    "find-out": "#e8eef7", "check": "#e8eef7", "record": "#e8eef7", "save": "#dcebdc",
    "backup": "#bfe0bf", "verify-backup": "#bfe0bf", "parameter": "#f6dfb0", "request": "#eadcf3",
    "upload-chain": "#f3c9a5", "upload": "#e8935a", "regenerate": "#e8935a", "delete": "#e07a6b",
    "restart": "#f8edc0", "stop": "#f6dfb0", "start": "#f6dfb0", "ctl-update": "#d99ad1",
    "localkey": "#d99ad1", "canary": "#9fc3e8", "reset": "#6fa3d8", "wait": "#24476b",
    "reissue": "#9fc3e8", "tell": "#eadcf3", "verify": "#e8eef7",
}  # fmt: skip
"""Fill of each kind of step; the legend names them, so colour is never the only sign."""

LEGEND = (
    ("check", "look"), ("backup", "back up"), ("regenerate", "change a certificate"),
    ("delete", "delete"), ("restart", "restart"), ("ctl-update", "CTL"), ("reset", "phones reset"),
    ("wait", "gate: wait for phones"), ("tell", "others"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Block:
    """A part of the work: consecutive steps under one heading."""

    title: str
    part: int
    steps: tuple[Step, ...]

    @property
    def minutes(self) -> int:
        """Minutes of its steps, one after the other."""
        return minutes(self.steps)

    @property
    def duration(self) -> str:
        """Its minutes in words; what takes days is not counted in minutes."""
        return "days" if self.minutes >= _DAY else short_hours(self.minutes)

    @property
    def span(self) -> str:
        """First and last number."""
        first, last = self.steps[0].number, self.steps[-1].number
        return f"{first}" if first == last else f"{first}-{last}"


def blocks(plan: ChangePlan) -> tuple[Block, ...]:
    """Return the plan's steps cut where the heading changes."""
    runs: list[list[Step]] = []
    for step in plan.steps:
        if runs and (runs[-1][0].block, runs[-1][0].part) == (step.block, step.part):
            runs[-1].append(step)
        else:
            runs.append([step])
    return tuple(Block(run[0].block, run[0].part, tuple(run)) for run in runs)


def lanes(plan: ChangePlan) -> tuple[str, ...]:
    """Return the rows of the table of places: nodes in order of appearance, then the rest."""
    names = dict.fromkeys(step.lane for step in plan.steps if step.node)
    others = dict.fromkeys(step.lane for step in plan.steps if not step.node)
    return (*names, *others)


def mermaid(plan: ChangePlan) -> str:
    """Return the blocks as a Mermaid flow chart; gates are drawn as hexagons."""
    lines = ["flowchart TD"]
    drawn = blocks(plan)
    for i, block in enumerate(drawn):
        gate = any(step.kind == "wait" for step in block.steps)
        left, right = ("{{", "}}") if gate else ("[", "]")
        text = f"{_plain(block.title)}<br/>steps {block.span}, {block.duration}"
        if gate:
            text += "<br/>ends at a gate"
        lines.append(f'  b{i}{left}"{text}"{right}')
    lines += [f"  b{i} --> b{i + 1}" for i in range(len(drawn) - 1)]
    return "\n".join(lines)


def _plain(text: str) -> str:
    return "".join(c if c.isalnum() or c in " -_.,:" else " " for c in text)


def picture(plan: ChangePlan, prefix: str = "") -> str:
    """Return the picture as an SVG element; its squares link to `#{prefix}step-{number}`."""
    rows: list[str] = []
    y = 4
    no_return = frozenset((plan.point_of_no_return, *(plan.proof.no_return if plan.proof else ())))
    for block in blocks(plan):
        drawn, height = _block(block, no_return, y, prefix)
        rows.append(drawn)
        y += height
    title = f"{len(plan.steps)} steps in {len(blocks(plan))} blocks"
    return (
        f'<svg class="picture" viewBox="0 0 {WIDTH} {y}" role="img" '
        f'xmlns="http://www.w3.org/2000/svg"><title>{escape(title)}</title>{"".join(rows)}</svg>'
    )


def _block(
    block: Block, no_return: frozenset[int | None], top: int, prefix: str
) -> tuple[str, int]:
    window = f" (window {block.part})" if block.part > 1 else ""
    label = f"{block.title}{window}: steps {block.span}, {block.duration}"
    parts = [f'<text x="{GAP}" y="{top + 14}" class="label">{escape(label)}</text>']
    y = top + LABEL
    for row in _wrapped(list(_cells(block.steps))):
        depth = 2 if any(cell.free for cell in row) else 1
        parts += _row(row, no_return, y, prefix)
        y += depth * (SQUARE + GAP)
    return "".join(parts), y - top + 8


def _groups(steps: Sequence[Step]) -> list[list[Step]]:
    """Return steps one after the other; those that may be done in any order share a group."""
    groups: list[list[Step]] = []
    for step in steps:
        if groups and groups[-1][0].stage == step.stage:
            groups[-1].append(step)
        else:
            groups.append([step])
    return groups


@dataclass(frozen=True, slots=True)
class _Cell:
    """One column of the picture: a step, or two of a group whose order is free."""

    steps: tuple[Step, ...]
    free: bool


def _cells(steps: Sequence[Step]) -> Iterator[_Cell]:
    for group in _groups(steps):
        width = (len(group) + 1) // 2 if len(group) > 1 else 1
        for column in range(width):
            yield _Cell(tuple(group[column::width]), free=len(group) > 1)


def _wrapped(cells: list[_Cell]) -> Iterator[list[_Cell]]:
    for start in range(0, len(cells), _PER_ROW):
        yield cells[start : start + _PER_ROW]


def _row(row: list[_Cell], no_return: frozenset[int | None], y: int, prefix: str) -> Iterator[str]:
    squares: dict[int, str] = {}
    for i, cell in enumerate(row):
        x = GAP + i * (SQUARE + GAP)
        if cell.free:
            yield (
                f'<rect x="{x - GAP / 2:g}" y="{y - GAP / 2:g}" width="{SQUARE + GAP}" '
                f'height="{2 * SQUARE + 2 * GAP}" fill="#dde3ea"/>'
            )
        for j, step in enumerate(cell.steps):
            square = _square(step, x, y + j * (SQUARE + GAP), last=step.number in no_return)
            squares[step.number] = f'<a href="#{prefix}step-{step.number}">{square}</a>'
    # In the order of numbers, which is the order of the tabulator key and of screen readers.
    yield from (squares[number] for number in sorted(squares))


def _square(step: Step, x: int, y: int, *, last: bool) -> str:
    fill = COLOURS.get(step.kind, "#ffffff")
    dark = "inv" if step.kind == "wait" else "num"
    dash = ' stroke-dasharray="3 2"' if step.optional or step.only_if else ""
    stroke = ' stroke="#b00020" stroke-width="3"' if last else ' stroke="#556"'
    tip = escape(f"{step.number}. {step.title} ({step.where})")
    return (
        f"<g><title>{tip}</title>"
        f'<rect x="{x}" y="{y}" width="{SQUARE}" height="{SQUARE}" rx="3" fill="{fill}"'
        f"{stroke}{dash}/>"
        f'<text x="{x + SQUARE / 2:g}" y="{y + 16}" class="{dark}">{step.number}</text></g>'
    )

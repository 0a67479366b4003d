"""The trust timeline of a plan: as pictures for a page, as a table for Markdown.

One lane is one or more phone groups that fare alike, one column a step that changes what phones
see; in the cell stands how many ways are left by which the worst phone could trust the next list.
State is told by colour, figure and pattern, so that grey paper and any eyes can tell them apart.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from html import escape

from watcher.model.proof import Proof, TrustCell, TrustLane, TrustState

PER_STRIP, LANES_DRAWN, LANES_TABLED = 10, 12, 8
"""Columns of one picture; lanes of a picture and of a table."""

COLUMNS, ROWS = 40, 45
"""Columns of all pictures, and rows of a table, that fit on a page; what is more is folded."""

COLUMN, CELL, LABEL, AXIS, EDGE = 28, 22, 16, 22, 3
_ROW = LABEL + CELL + 3
_LABEL_LETTERS = 0.155
"""Letters of a lane's name for each unit of width."""
_NAMES_SHOWN = 3
_TITLES_SHOWN = 2

STATES = {
    TrustState.STEADY: ("#cfe8cf", "two or more ways to trust the next list"),
    TrustState.SINGLE: ("#f8edc0", "one way left"),
    TrustState.BARE: ("#ffffff", "keeps no list, so that nothing can lock it out"),
    TrustState.OPEN: ("#ffffff", "blank list, any signer is taken"),
    TrustState.OUT: ("#b9c9dc", "some phones out of service until a later step"),
    TrustState.WINDOW: ("#f3b08a", "a phone that restarts now is refused, until a later step"),
    TrustState.LOST: ("#1c2430", "phones do not come back without help"),
}  # fmt: skip
"""Fill and words of each state, from best to worst."""

_RANK = {state: rank for rank, state in enumerate(TrustState)}


@dataclass(frozen=True, slots=True)
class Column:
    """One column: the steps it stands for (none: the start), and which cell of a lane it shows."""

    steps: tuple[int, ...]
    titles: tuple[str, ...]
    reset: bool
    place: int

    @property
    def numbers(self) -> str:
        """Its steps as a table names them."""
        if not self.steps:
            return "start"
        first, last = self.steps[0], self.steps[-1]
        return f"{first}" if first == last else f"{first} to {last}"

    @property
    def what(self) -> str:
        """What is done in it."""
        if not self.steps:
            return "Before the first of these steps"
        shown = list(dict.fromkeys(self.titles))
        more = len(shown) - _TITLES_SHOWN
        text = "; ".join(shown[:_TITLES_SHOWN]) + (f"; and {more} more" if more > 0 else "")
        return f"All phones reset. {text}" if self.reset else text


@dataclass(frozen=True, slots=True)
class Table:
    """The timeline as a table; `rest` tells the lanes that have no column."""

    heads: tuple[str, ...]
    rows: tuple[tuple[Column, tuple[str, ...]], ...]
    rest: tuple[str, ...]
    lanes: tuple[TrustLane, ...]
    """What the columns show, for those who shade a cell by its state."""


class Fold(IntEnum):
    """What may share a column with the one before it, when nothing differs after it."""

    NOTHING = 0
    STEPS = 1
    RESETS = 2


def columns(proof: Proof, limit: int, least: Fold = Fold.NOTHING) -> tuple[Column, ...]:
    """Return the start and every moment, folded no more than the limit asks for."""
    found: tuple[Column, ...] = ()
    for fold in Fold:
        if fold >= least:
            found = tuple(_folded(proof, fold))
        if found and len(found) <= limit:
            break
    return found


def _folded(proof: Proof, fold: Fold) -> list[Column]:
    found = [Column((), (), reset=False, place=0)]
    for place, moment in enumerate(proof.moments, 1):
        last = found[-1]
        same = all(lane.cells[place] == lane.cells[last.place] for lane in proof.lanes)
        needed = Fold.RESETS if moment.reset or last.reset else Fold.STEPS
        if same and last.steps and fold >= needed:
            steps, titles = (*last.steps, moment.step), (*last.titles, moment.title)
            found[-1] = Column(steps, titles, moment.reset or last.reset, place)
        else:
            found.append(Column((moment.step,), (moment.title,), moment.reset, place))
    return found


def lane_name(lane: TrustLane) -> str:
    """Return the groups of a lane and how many phones they have."""
    return _names(lane) + _count(lane)


def _names(lane: TrustLane) -> str:
    more = len(lane.groups) - _NAMES_SHOWN
    return ", ".join(lane.groups[:_NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _count(lane: TrustLane) -> str:
    return "" if lane.phones is None else f": {phones(lane.phones)}"


def phones(number: int) -> str:
    """Return a number of phones in words."""
    return f"{number} phone{'' if number == 1 else 's'}"


def figure(cell: TrustCell) -> str:
    """Return what a square shows: the ways left, `any` where every signer is taken, else `-`."""
    return _WORDLESS.get(cell.state, str(cell.anchors))


_WORDLESS = {TrustState.OPEN: "any", TrustState.BARE: "-"}


def cell_words(cell: TrustCell) -> str:
    """Return a cell of the table: the figure, with what is special about it."""
    match cell.state:
        case TrustState.STEADY:
            return str(cell.anchors)
        case TrustState.SINGLE:
            return f"{cell.anchors} {', '.join(cell.ways)}".strip()
        case TrustState.BARE:
            return "-"
        case TrustState.OPEN:
            return "any signer"
        case _:
            return f"{cell.anchors} {cell.state.value}"


def states(proof: Proof) -> tuple[tuple[TrustState, str], ...]:
    """Return the states that occur, with their words, from best to worst."""
    seen = {cell.state for lane in proof.lanes for cell in lane.cells}
    return tuple((state, words) for state, (_, words) in STATES.items() if state in seen)


def _chosen(proof: Proof, limit: int) -> tuple[list[TrustLane], list[TrustLane]]:
    """Return the lanes that are drawn, in their order, and the rest; the worst are drawn."""
    worst = sorted(proof.lanes, key=_badness, reverse=True)[:limit]
    drawn = [lane for lane in proof.lanes if any(lane is other for other in worst)]
    return drawn, [lane for lane in proof.lanes if not any(lane is other for other in drawn)]


def _badness(lane: TrustLane) -> tuple[int, int]:
    cell = _lowest(lane)
    return _RANK[cell.state], -cell.anchors


def _lowest(lane: TrustLane) -> TrustCell:
    return max(lane.cells, key=lambda cell: (_RANK[cell.state], -cell.anchors))


def _told(lane: TrustLane, proof: Proof) -> str:
    cell = _lowest(lane)
    place = lane.cells.index(cell)
    after = f"after step {proof.moments[place - 1].step}" if place else "from the start"
    return f"{lane_name(lane)}: at worst {cell_words(cell)} ({after})"


# -- Markdown


def table(proof: Proof, limit: int = LANES_TABLED) -> Table:
    """Return the timeline as a table of so many lanes; steps that change nothing folded."""
    drawn, rest = _chosen(proof, limit)
    rows = tuple(
        (column, tuple(cell_words(lane.cells[column.place]) for lane in drawn))
        for column in columns(proof, ROWS, Fold.STEPS)
    )
    heads = tuple(lane_name(lane) for lane in drawn)
    return Table(heads, rows, tuple(_told(lane, proof) for lane in rest), tuple(drawn))


def lanes_not_drawn(proof: Proof) -> tuple[str, ...]:
    """Return what the pictures leave out, in words."""
    return tuple(_told(lane, proof) for lane in _chosen(proof, LANES_DRAWN)[1])


# -- pictures


def strips(proof: Proof, prefix: str = "") -> tuple[str, ...]:
    """Return the timeline as SVG elements, side by side or below each other as there is room.

    Their step numbers link to `#{prefix}step-{number}`.
    """
    shown = columns(proof, COLUMNS)
    drawn, _ = _chosen(proof, LANES_DRAWN)
    last_steps = frozenset(proof.no_return)
    return tuple(_strip(part, drawn, last_steps, prefix) for part in _parts(shown))


def _parts(shown: Sequence[Column]) -> Iterator[Sequence[Column]]:
    """Yield runs of columns of about equal length."""
    count = -(-len(shown) // PER_STRIP)
    length = -(-len(shown) // count)
    for start in range(0, len(shown), length):
        yield shown[start : start + length]


def _strip(
    part: Sequence[Column], lanes: Sequence[TrustLane], last_steps: frozenset[int], prefix: str
) -> str:
    width = 2 * EDGE + COLUMN * PER_STRIP
    height = AXIS + _ROW * len(lanes) + EDGE
    body = [*_axis(part, last_steps, prefix)]
    for number, lane in enumerate(lanes):
        body += _cells(lane, part, AXIS + number * _ROW + LABEL)
    body += [_reset(EDGE + i * COLUMN, len(lanes)) for i, one in enumerate(part) if one.reset]
    for number, lane in enumerate(lanes):
        body.append(_label(lane, AXIS + number * _ROW, width))
    title = f"Trust timeline, {part[0].numbers} to {part[-1].numbers}"
    desc = " ".join(_described(lane, part) for lane in lanes)
    return (
        f'<svg class="strip" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" xmlns="http://www.w3.org/2000/svg"><title>{escape(title)}</title>'
        f"<desc>{escape(desc)}</desc>{''.join(body)}</svg>"
    )


def _described(lane: TrustLane, part: Sequence[Column]) -> str:
    """Return a lane in words, for those who hear the picture: each change once."""
    told: list[str] = []
    before = ""
    for column in part:
        words = cell_words(lane.cells[column.place])
        if words != before:
            told.append(f"{words} {'after step ' if column.steps else 'at the '}{column.numbers}")
        before = words
    return f"{lane_name(lane)}: {', '.join(told)}."


def _axis(part: Sequence[Column], last_steps: frozenset[int], prefix: str) -> Iterator[str]:
    for i, column in enumerate(part):
        x = EDGE + i * COLUMN
        middle = x + COLUMN / 2
        tip = escape(f"{column.numbers}: {column.what}")
        if not column.steps:
            yield f'<text x="{middle:g}" y="14" class="axis narrow">start</text>'
            continue
        frame = ""
        if column.reset or last_steps.intersection(column.steps):
            fill = "#24476b" if column.reset else "#ffffff"
            edge = "#24476b" if column.reset else "#b00020"
            frame = (
                f'<rect x="{x + 2}" y="2" width="{COLUMN - 4}" height="16" rx="3" fill="{fill}" '
                f'stroke="{edge}" stroke-width="2"/>'
            )
        more = "+" if len(column.steps) > 1 else ""
        style = f"axis{' inv' if column.reset else ''}{' narrow' if more else ''}"
        yield (
            f'<a href="#{prefix}step-{column.steps[0]}"><g><title>{tip}</title>{frame}'
            f'<text x="{middle:g}" y="14" class="{style}">{column.steps[0]}{more}</text></g></a>'
        )


def _label(lane: TrustLane, top: int, width: int) -> str:
    names, count = _names(lane), _count(lane)
    room = int(width * _LABEL_LETTERS) - len(count)
    shown = (names if len(names) <= room else f"{names[: room - 3].rstrip(' ,')}...") + count
    return (
        f"<g><title>{escape(names + count)}</title>"
        f'<text x="{EDGE}" y="{top + 12}" class="lane">{escape(shown)}</text></g>'
    )


def _cells(lane: TrustLane, part: Sequence[Column], top: int) -> Iterator[str]:
    for i, column in enumerate(part):
        cell = lane.cells[column.place]
        tip = escape(f"{lane_name(lane)}; {column.numbers}: {_tip(cell)}")
        square = _square(cell.state, figure(cell), EDGE + i * COLUMN, top)
        yield f"<g><title>{tip}</title>{square}</g>"


def _tip(cell: TrustCell) -> str:
    ways = f" ({', '.join(cell.ways)})" if cell.ways else ""
    why = f". {cell.why}" if cell.why else ""
    return f"{cell.state.value}, {figure(cell)}{ways}{why}"


def _reset(x: int, lanes: int) -> str:
    """Return the line before a reset: beside its number and each lane's cells, through no name."""
    tops = (AXIS + number * _ROW + LABEL for number in range(lanes))
    line = "".join(f"M{x} {top - 1}v{CELL + 2}" for top in tops)
    return f'<path d="M{x} 2V{AXIS - 3}{line}" stroke="#24476b" stroke-width="3"/>'


def _square(state: TrustState, text: str, x: int, y: int) -> str:
    fill, _ = STATES[state]
    letters = _LETTERS.get(state, "fig")
    dash = f' stroke-dasharray="{_DASHES[state]}"' if state in _DASHES else ""
    ground = (
        f'<rect x="{x + 8}" y="{y + 3}" width="{COLUMN - 16}" height="{CELL - 6}" fill="{fill}"/>'
        if text and state in _PATTERNED
        else ""
    )
    return (
        f'<rect x="{x}" y="{y}" width="{COLUMN}" height="{CELL}" fill="{fill}" '
        f'stroke="#556"{dash}/>{_pattern(state, x, y)}{ground}'
        f'<text x="{x + COLUMN / 2:g}" y="{y + 15}" class="{letters}">{text}</text>'
    )


_DASHES = {TrustState.OPEN: "3 2", TrustState.BARE: "1 3"}
_LETTERS = {
    TrustState.BARE: "any", TrustState.OPEN: "any", TrustState.LOST: "fig inverse",
}  # fmt: skip
_PATTERNED = {TrustState.OUT, TrustState.WINDOW, TrustState.LOST}
"""Their figure stands on a plain ground of its own; not every printer knows halos of letters."""


def _pattern(state: TrustState, x: int, y: int) -> str:
    """Return the lines that tell a state apart without its colour."""
    match state:
        case TrustState.SINGLE:
            return f'<path d="M{x} {y + CELL - 2}h{COLUMN}" stroke="#7a4b00" stroke-width="3"/>'
        case TrustState.OUT:
            return _path(_hatch(x, y, 10), "#24476b")
        case TrustState.WINDOW:
            return _path(_hatch(x, y, 5), "#b00020")
        case TrustState.LOST:
            cross = (f"M{x} {y}l{COLUMN} {CELL}", f"M{x} {y + CELL}l{COLUMN} -{CELL}")
            return _path(cross, "#ffffff")
        case _:
            return ""


def _hatch(x: int, y: int, pitch: int) -> Iterator[str]:
    """Yield slanting lines, cut off at the edges of a square."""
    for start in range(pitch - CELL, COLUMN, pitch):
        first, last = max(0, -start), min(CELL, COLUMN - start)
        yield f"M{x + start + first} {y + CELL - first}l{last - first} -{last - first}"


def _path(lines: Iterable[str], colour: str) -> str:
    return f'<path d="{"".join(lines)}" fill="none" stroke="{colour}"/>'


def swatch(state: TrustState) -> str:
    """Return the square of a state, for the legend; its title is what a PDF reads aloud."""
    return (
        f'<svg class="swatch" viewBox="-1 -1 {COLUMN + 2} {CELL + 2}" role="presentation" '
        f'xmlns="http://www.w3.org/2000/svg"><title>{state.value}</title>'
        f"{_square(state, '', 0, 0)}</svg>"
    )

"""The page of a plan as a Word document: same headings, tables, steps and sentences.

The page is read tag by tag, so that nothing stands in one document and not in the other. Only the
pictures differ: the strips of the trust timeline become a table with shaded cells, and the
picture of the work is left out, as the table of places below it says the same.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html.parser import HTMLParser

from watcher.app.sheet import Look, Sheet
from watcher.model.plan import ChangePlan
from watcher.strip import LANES_DRAWN, STATES, Table, table

_BLOCKS = {"h1", "h2", "h3", "p", "li", "header", "dd", "pre", "div", "th", "td"}
"""Tags that begin a paragraph and end one."""
_BOXED = {
    "stop": "FDEFF1", "note": "FFF9E8", "mark": "FFF9E8", "noreturn": "FDEFF1", "ruling": "F4F6F9",
}  # fmt: skip
"""Grounds of the paragraphs that must be seen."""
_LISTS = {"ul", "ol"}
_SKIPPED = {"svg", "style", "head"}
_LEFT_OUT = "drawn"
"""What is only there for a picture, and what the legend becomes of one that is left out."""
_SPACE = re.compile(r"[ \t\r\n]+")
BOX = "\u2610"
"""An empty box, for a tick with a pen."""


@dataclass(slots=True)
class _List:
    """A list that is open: how its items begin, and how many there were."""

    kind: str
    boxes: bool
    count: int = 0

    def mark(self) -> str:
        self.count += 1
        return f"{self.count}." if self.kind == "ol" else BOX if self.boxes else "\u2022"


def document(page: str, plans: Sequence[ChangePlan]) -> bytes:
    """Return a page and its plans as the bytes of a .docx file; same page, same bytes."""
    as_of = next((plan.as_of for plan in plans if plan.as_of), datetime(2000, 1, 1, tzinfo=UTC))
    sheet = Sheet()
    reader = _Reader(sheet, plans)
    reader.feed(page)
    reader.close()
    return sheet.saved(reader.title, as_of)


class _Reader(HTMLParser):
    """Reads the page and writes the sheet."""

    def __init__(self, sheet: Sheet, plans: Sequence[ChangePlan]) -> None:
        super().__init__(convert_charrefs=True)
        self.title = ""
        self._sheet = sheet
        self._proofs = iter([p.proof for p in plans if p.steps and p.proof and p.proof.moments])
        self._open: list[tuple[str, str]] = []
        self._lists: list[_List] = []
        self._pictured = False

    # -- what the parser finds

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin what a tag begins."""
        if tag == "meta":
            return
        kind = dict(attrs).get("class") or ""
        if self._pictured and kind == "legend":
            self._pictured, kind = False, _LEFT_OUT
        self._pictured |= kind == "picture"
        self._open.append((tag, kind))
        if not self._skipped():
            self._begin(tag, kind)

    def handle_endtag(self, tag: str) -> None:
        """End what a tag began."""
        skipped = self._skipped()
        while self._open and self._open.pop()[0] != tag:
            continue
        if skipped:
            return
        if tag in _LISTS and self._lists:
            self._lists.pop()
        elif tag == "table":
            self._sheet.end_table()
        elif tag in _BLOCKS:
            self._sheet.end()

    def handle_data(self, data: str) -> None:
        """Write text as the tags around it want it."""
        if any(tag == "title" for tag, _ in self._open) and not self._inside({"svg"}):
            self.title += data
        if self._skipped():
            return
        if self._inside({"pre"}):
            self._sheet.add(data.rstrip("\n"), Look())
            return
        text = _SPACE.sub(" ", data)
        if text.strip() or self._sheet.writing:
            self._sheet.add(self._worded(text), self._look())

    # -- what it means

    def _inside(self, tags: set[str]) -> bool:
        return any(tag in tags for tag, _ in self._open)

    def _skipped(self) -> bool:
        return any(tag in _SKIPPED or kind == _LEFT_OUT for tag, kind in self._open)

    def _classes(self) -> set[str]:
        return {word for _, kind in self._open for word in kind.split()}

    def _worded(self, text: str) -> str:
        tag, kind = self._open[-1] if self._open else ("", "")
        if kind == "num":
            return f"{text}  "
        return f"{text}: " if tag == "dt" else text

    def _look(self) -> Look:
        classes = self._classes()
        return Look(
            bold=self._inside({"b", "th", "dt"}) or bool(classes & {"ruling", "lead", "noreturn"}),
            soft=bool(classes & {"src", "facts", "meta", "legend"}) or self._inside({"footer"}),
            small="src" in classes or self._inside({"footer"}),
            warn="only" in classes,
        )

    def _begin(self, tag: str, kind: str) -> None:
        if kind == "strips":
            self._timeline()
        elif tag in _LISTS:
            self._lists.append(_List(tag, "boxes" in kind))
        elif tag in {"table", "tr", "th", "td"}:
            self._grid(tag, kind)
        elif tag == "dt":
            self._sheet.begin()
        elif kind == "tick":
            self._sheet.add(f" {BOX}", Look(bold=True))
        elif tag in _BLOCKS and kind != "scroll":
            self._write(tag, kind)

    def _write(self, tag: str, kind: str) -> None:
        """Begin a paragraph."""
        if tag in {"h1", "h2", "h3", "header"}:
            self._sheet.heading(4 if tag == "header" else int(tag[1]))
        elif tag == "li" and self._lists:
            self._sheet.begin(indent=len(self._lists), mark=self._lists[-1].mark())
        elif tag == "pre":
            self._sheet.begin(indent=self._depth(), shade="F4F6F9", code=True)
        elif tag != "dd":  # which goes on behind its dt
            shade = next((_BOXED[word] for word in kind.split() if word in _BOXED), "")
            self._sheet.begin(indent=self._depth(), shade=shade)

    def _depth(self) -> int:
        return len(self._lists) + self._inside({"dd"})

    def _grid(self, tag: str, kind: str) -> None:
        if tag == "table":
            self._sheet.begin_table(small="matrix" in kind)
        elif tag == "tr":
            self._sheet.begin_row()
        else:
            self._sheet.begin_cell(shade="F4F6F9" if tag == "th" else "")

    def _timeline(self) -> None:
        proof = next(self._proofs, None)
        if proof is not None:
            _timeline(self._sheet, table(proof, LANES_DRAWN))


def _timeline(sheet: Sheet, drawn: Table) -> None:
    """Write the timeline: a row for each step that matters, a shaded cell for each lane."""
    sheet.begin_table(small=True)
    sheet.begin_row()
    for head in ("Step", "What", *drawn.heads):
        sheet.begin_cell(shade="F4F6F9")
        sheet.add(head, Look(bold=True))
    for column, cells in drawn.rows:
        sheet.begin_row()
        for text in (column.numbers, column.what):
            sheet.begin_cell()
            sheet.add(text, Look(bold=column.reset))
        for lane, text in zip(drawn.lanes, cells, strict=True):
            fill, _ = STATES[lane.cells[column.place].state]
            dark = fill == "#1c2430"
            sheet.begin_cell(shade=fill.removeprefix("#").upper())
            sheet.add(text, Look(light=dark))
    sheet.end_table()

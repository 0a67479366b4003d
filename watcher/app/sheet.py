"""A Word document that is written from its first word to its last; knows paragraphs and tables.

Text is text: whatever XML cannot hold is shown as U+FFFD, and nothing becomes a field or a link.
"""

import io
import re
import zipfile
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from math import sqrt
from typing import Any

import docx
from docx.enum.style import WD_STYLE_TYPE
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Mm, Pt, RGBColor
from docx.text.paragraph import Paragraph

_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_DATE = (1980, 1, 1, 0, 0, 0)
"""The date of each part, so that the same plan is the same file; the first that ZIP can say."""
_STEP = 6.0
"""Millimetres that a list stands in."""
_MARGINS, _WIDE = 3.0, 1.2
"""Letters that the margins of a cell take; how wide capitals and bold letters are."""
_WIDTH = 178 * 1440 / 25.4
"""What an A4 page is wide between its margins, in twentieths of a point."""
INK, SOFT, WARN, LIGHT = "1C2430", "5A6675", "7A4B00", "FFFFFF"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How a piece of text looks."""

    bold: bool = False
    soft: bool = False
    small: bool = False
    warn: bool = False
    light: bool = False


@dataclass(slots=True)
class _Grid:
    """A table that is being written: its element, the size of its letters, the row and the cell."""

    element: Any
    small: bool
    row: Any = None
    cell: Any = None

    def widths(self) -> list[int]:
        """Return the width of each column, as much as its words need; the sum is that of a page.

        A column has room for its longest word, and of the rest as much as its text is long: not
        every program that opens the file finds widths by itself.
        """
        rows = [[_text(cell) for cell in row.findall(qn("w:tc"))] for row in self._rows()]
        columns = [column for column in zip_longest(*rows, fillvalue="") if column]
        least = [max((len(w) for text in one for w in text.split()), default=1) for one in columns]
        longest = [max(map(len, one)) for one in columns]
        letters = [
            _WIDE * low + _MARGINS + sqrt(max(0, most - low))
            for low, most in zip(least, longest, strict=True)
        ]
        return [round(_WIDTH * one / sum(letters)) for one in letters]

    def fix(self) -> None:
        """Write the widths into the table."""
        widths = self.widths()
        for width in widths:
            column = OxmlElement("w:gridCol")
            column.set(qn("w:w"), str(width))
            self.element[1].append(column)
        for row in self._rows():
            for cell, width in zip(row.findall(qn("w:tc")), widths, strict=False):
                form = parse_xml(f'<w:tcW {nsdecls("w")} w:w="{width}" w:type="dxa"/>')
                cell[0].insert(0, form)

    def _rows(self) -> Any:  # noqa: ANN401 -- elements of lxml
        return self.element.findall(qn("w:tr"))


class Sheet:
    """Takes headings, paragraphs and tables in order; `saved` gives the file."""

    def __init__(self) -> None:
        """Begin an empty A4 document with page numbers."""
        self._document = docx.Document()
        self._body: Any = self._document.element.body
        self._paragraph: Any = None
        self._last: Any = None
        self._grid: _Grid | None = None
        self._set_up()

    @property
    def writing(self) -> bool:
        """Tell whether a paragraph is open that has text already."""
        return self._paragraph is not None and bool(self._paragraph.runs)

    def heading(self, level: int) -> None:
        """Begin a heading, 1 to 4."""
        self._paragraph = self._new()
        self._paragraph.style = self._document.styles[f"Heading {level}"]

    def begin(
        self, *, indent: int = 0, mark: str = "", shade: str = "", code: bool = False
    ) -> None:
        """Begin a paragraph; `mark` hangs before a list's item, `shade` is its ground."""
        if mark == "" and not code and shade == "" and self._fresh():
            return
        before, self._paragraph = self._paragraph or self._last, self._new()
        form = self._paragraph.paragraph_format
        form.left_indent = Mm(_STEP * indent) if indent else None
        if mark:
            form.first_line_indent = Mm(-_STEP)
            form.tab_stops.add_tab_stop(Mm(_STEP * indent))
            self.add(f"{mark}\t", Look())
        if shade:
            self._paragraph._p.get_or_add_pPr().append(_shading(shade))  # noqa: SLF001 -- the library has no call for it
        if code:
            self._paragraph.style = self._document.styles["Command"]
            if before is not None:  # its label stays with it
                before.paragraph_format.keep_with_next = True

    def add(self, text: str, look: Look) -> None:
        """Add text to the paragraph; begins one where none is open."""
        if self._paragraph is None:
            self._paragraph = self._new()
        run = self._paragraph.add_run(_NO_XML.sub("\ufffd", text))
        colour = LIGHT if look.light else WARN if look.warn else SOFT if look.soft else ""
        run.bold = look.bold or None
        if colour:
            run.font.color.rgb = RGBColor.from_string(colour)
        if look.small or (self._grid and self._grid.small):
            run.font.size = Pt(7)

    def end(self) -> None:
        """End the paragraph."""
        self._last, self._paragraph = self._paragraph, None

    def begin_table(self, *, small: bool = False) -> None:
        """Begin a table; `small` for one of many columns."""
        self.end()
        element = parse_xml(
            f'<w:tbl {nsdecls("w")}><w:tblPr><w:tblStyle w:val="TableGrid"/>'
            '<w:tblW w:w="5000" w:type="pct"/><w:tblCellMar><w:left w:w="60" w:type="dxa"/>'
            '<w:right w:w="60" w:type="dxa"/></w:tblCellMar></w:tblPr><w:tblGrid/></w:tbl>'
        )
        self._body.insert(len(self._body) - 1, element)
        self._grid = _Grid(element, small)

    def begin_row(self) -> None:
        """Begin a row; the first is repeated on each page."""
        if self._grid is None:
            return
        first = "" if self._grid.row is not None else "<w:tblHeader/>"
        self._grid.row = parse_xml(
            f"<w:tr {nsdecls('w')}><w:trPr><w:cantSplit/>{first}</w:trPr></w:tr>"
        )
        self._grid.element.append(self._grid.row)

    def begin_cell(self, *, shade: str = "") -> None:
        """Begin a cell on this ground."""
        if self._grid is None:
            return
        cell = parse_xml(f"<w:tc {nsdecls('w')}><w:tcPr/><w:p/></w:tc>")
        if shade:
            cell[0].append(_shading(shade))
        self._grid.row.append(cell)
        self._grid.cell = cell
        self._paragraph = Paragraph(cell[1], self._document._body)  # noqa: SLF001 -- made by hand: the library's cells take a second for each table

    def end_table(self) -> None:
        """End the table; a line stands between it and what follows."""
        grid, self._grid, self._paragraph = self._grid, None, None
        if grid is None:
            return
        grid.fix()
        self._new()

    def saved(self, title: str, as_of: datetime) -> bytes:
        """Return the file, with the plan's moment as its date."""
        told = self._document.core_properties
        told.title, told.author, told.comments = _NO_XML.sub("\ufffd", title)[:255], "watcher", ""
        told.created = told.modified = as_of.replace(tzinfo=None, microsecond=0)
        told.language, told.revision = "en", 1
        foot = self._document.sections[0].footer.paragraphs[0]
        foot.insert_paragraph_before(told.title, style=foot.style)
        draft = io.BytesIO()
        self._document.save(draft)
        return _undated(draft)

    def _fresh(self) -> bool:
        """Tell whether the open paragraph is a list's item or a cell without a word yet."""
        if self._paragraph is None:
            return False
        runs = self._paragraph.runs
        return not runs if self._grid else len(runs) == 1 and runs[0].text.endswith("\t")

    def _new(self) -> Any:  # noqa: ANN401 -- a paragraph of the library, in a cell or not
        cell = self._grid.cell if self._grid else None
        if cell is None:
            return self._document.add_paragraph()
        element = parse_xml(f"<w:p {nsdecls('w')}/>")
        cell.append(element)
        return Paragraph(element, self._document._body)  # noqa: SLF001 -- see begin_cell

    def _set_up(self) -> None:
        section = self._document.sections[0]
        section.page_width, section.page_height = Mm(210), Mm(297)
        section.left_margin = section.right_margin = Mm(16)
        section.top_margin = section.bottom_margin = Mm(16)
        styles = self._document.styles
        styles["Normal"].font.size, styles["Normal"].font.name = Pt(10), "Calibri"
        styles["Normal"].paragraph_format.space_after = Pt(3)
        for level, size in ((1, 18), (2, 14), (3, 12), (4, 10.5)):
            style = styles[f"Heading {level}"]
            style.font.size, style.font.italic = Pt(size), False
            style.font.color.rgb = RGBColor.from_string(INK)
        command = styles.add_style("Command", WD_STYLE_TYPE.PARAGRAPH)
        command.base_style = styles["Normal"]
        command.font.name, command.font.size = "Consolas", Pt(9)
        self._number_pages(section.footer.paragraphs[0])

    def _number_pages(self, line: Any) -> None:  # noqa: ANN401 -- a paragraph of the library
        for word, field in (("Page ", "PAGE"), (" of ", "NUMPAGES")):
            line.add_run(word)
            element = OxmlElement("w:fldSimple")
            element.set(qn("w:instr"), field)
            line._p.append(element)  # noqa: SLF001 -- the library has no fields


def _text(cell: Any) -> str:  # noqa: ANN401 -- an element of lxml
    return " ".join(found.text or "" for found in cell.iter(qn("w:t")))


def _shading(fill: str) -> Any:  # noqa: ANN401 -- an element of lxml
    return parse_xml(f'<w:shd {nsdecls("w")} w:val="clear" w:color="auto" w:fill="{fill}"/>')


def _undated(draft: io.BytesIO) -> bytes:
    """Return the archive with one date for all parts."""
    made = io.BytesIO()
    with zipfile.ZipFile(draft) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(
                zipfile.ZipInfo(name, _DATE), old.read(name), compress_type=zipfile.ZIP_DEFLATED
            )
    return made.getvalue()

"""Plans as PDF and as Word documents: what the page says, nothing from elsewhere, same bytes."""

import io
import re
import shutil
import signal
import subprocess
import sys
import zipfile
import zlib
from contextlib import redirect_stderr
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import docx
import pytest
from builders import AS_OF
from docx.oxml.ns import qn
from test_golden import drawn
from test_hostile import FIELDS, HOSTILE, message
from test_hostile import drawn as drawn_from

from watcher.app import paper
from watcher.app.paper import NoPdf, printed
from watcher.app.plans import document_of, render_plans
from watcher.app.sheet import Look, Sheet
from watcher.app.ticketing import attached
from watcher.cli.main import main
from watcher.errors import InputError

ALARM = Path(__file__).parents[2] / "deploy" / "examples" / "alarm-technote.txt"
NAME = "two-node-9.1"


def has_pango():
    try:
        paper.pdf("<!doctype html><title>t</title>")
    except InputError:
        return False
    return True


pango = pytest.mark.skipif(not has_pango(), reason="this machine has no Pango")


@pytest.fixture(scope="module")
def plans():
    return drawn(NAME)


@pytest.fixture(scope="module")
def page(plans):
    return render_plans(plans, "html")


@pytest.fixture(scope="module")
def short():
    """Return a page of few words: what is not about the plan needs no plan."""
    return "<!doctype html><html lang='en'><title>A plan</title><h1>Plan</h1><p>Words.</p></html>"


@pytest.fixture(scope="module")
def word(page, plans):
    return paper.docx(page, plans)


@pytest.fixture(scope="module")
def pdf(page):
    return paper.pdf(page)


class Words(HTMLParser):
    """The text of a page inside some tags; its methods are those of the parser."""

    def __init__(self, text, tags):
        super().__init__()
        self.tags, self.inside, self.found = tags, 0, []
        self.feed(text)

    def handle_starttag(self, tag, _):  # noqa: D102
        if tag in self.tags:
            self.inside += 1
            self.found.append("")

    def handle_endtag(self, tag):  # noqa: D102
        self.inside -= tag in self.tags

    def handle_data(self, data):  # noqa: D102
        if self.inside:
            self.found[-1] += data


def words(text, *tags):
    return [squeezed(found) for found in Words(text, tags).found]


def squeezed(text):
    """Return a text without what the style of a page adds: space, boxes, brackets of sources."""
    return re.sub(r"[\s\u2610\[\]]+", "", text)


def opened(data):
    return docx.Document(io.BytesIO(data))


def unpacked(data):
    """Return a PDF with its compressed streams opened."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", data, re.DOTALL)
    found = [data]
    for stream in streams:
        try:
            found.append(zlib.decompress(stream))
        except zlib.error:
            continue
    return b"\n".join(found)


# -- Word


def test_a_word_document_has_the_headings_of_the_page_in_order(page, word):
    told = [p.text for p in opened(word).paragraphs if p.style.name.startswith("Heading")]

    assert words(page, "h1", "h2", "h3", "header") == [squeezed(text) for text in told]


def test_a_word_document_has_the_commands_of_the_page_in_order(page, word):
    told = [p.text for p in opened(word).paragraphs if p.style.name == "Command"]

    assert len(told) > 20
    assert words(page, "pre") == [squeezed(text) for text in told]


def test_a_word_document_has_every_item_and_every_row_of_the_page(page, word):
    document = opened(word)
    told = squeezed("".join(found.text for found in document.element.body.iter(qn("w:t"))))
    items = [text for text in words(page, "td") if text]

    assert len(items) > 100
    assert [text for text in items if text not in told] == []
    assert len(re.findall("<table", page)) + 1 == len(document.tables)


def test_the_trust_timeline_is_a_table_with_shaded_cells(word, plans):
    (found,) = [t for t in opened(word).tables if t.rows[0].cells[0].text == "Step"]
    grounds = set(re.findall(r'w:fill="(\w+)"', found._tbl.xml))  # noqa: SLF001 -- what Word reads

    assert {"CFE8CF", "F8EDC0"} <= grounds
    assert len(plans[0].proof.lanes) + 2 == len(found.columns)


def test_columns_are_as_wide_as_their_words_and_all_together_as_the_page(word):
    for found in opened(word).tables:
        widths = [int(one.get(qn("w:w"))) for one in found._tbl.tblGrid.iter(qn("w:gridCol"))]  # noqa: SLF001 -- what Word reads
        cells = [int(one.get(qn("w:w"))) for one in found.rows[0]._tr.iter(qn("w:tcW"))]  # noqa: SLF001 -- likewise

        assert widths == cells
        assert abs(sum(widths) - 178 / 25.4 * 1440) < 10


def test_a_long_cell_gets_more_room_and_a_short_word_is_not_broken():
    sheet = Sheet()
    sheet.begin_table()
    for row in (("", "Why"), ("C-10", "a reason of many short words " * 20)):
        sheet.begin_row()
        for text in row:
            sheet.begin_cell()
            sheet.add(text, Look())
    sheet.end_table()
    (found,) = opened(sheet.saved("t", AS_OF)).tables
    short, long = (int(one.get(qn("w:w"))) for one in found._tbl.tblGrid)  # noqa: SLF001 -- what Word reads

    assert long > 3 * short
    assert short > 4 * 150  # letters of 10 points, and margins


def test_a_command_stays_with_its_label(word):
    before = [
        label for label, found in pairwise(opened(word).paragraphs)
        if found.style.name == "Command"
    ]  # fmt: skip

    assert len(before) > 20
    assert all(label.paragraph_format.keep_with_next for label in before)


def test_what_only_a_picture_shows_is_not_told_where_there_is_none(page, word):
    told = "\n".join(p.text for p in opened(word).paragraphs)

    assert "dark number and line" in page
    assert "dark number and line" not in told
    assert "steady: two or more ways" in told


def test_each_sheet_of_a_word_document_names_the_plan(word):
    title, number = opened(word).sections[0].footer.paragraphs

    assert title.text.startswith("Change plan: graz")
    assert number.text.startswith("Page ")


def test_each_step_has_a_box_to_tick(word, plans):
    steps = [p.text for p in opened(word).paragraphs if p.style.name == "Heading 4"]

    assert len(plans[0].steps) == len(steps)
    assert all(text.endswith("\u2610") for text in steps)


def test_the_same_plan_is_the_same_word_document(page, plans, word):
    assert word == paper.docx(page, plans)
    assert {(1980, 1, 1, 0, 0, 0)} == {
        part.date_time for part in zipfile.ZipFile(io.BytesIO(word)).infolist()
    }


def test_a_word_document_is_of_the_moment_of_the_plan(word, plans):
    told = opened(word).core_properties

    assert plans[0].as_of.replace(tzinfo=None, microsecond=0) == told.modified.replace(tzinfo=None)
    assert "watcher" == told.author
    assert "graz" in told.title


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_text_in_a_word_document(text):
    plans = drawn_from(message(**dict.fromkeys(FIELDS, text)), message())
    data = document_of(plans, "docx")
    parts = zipfile.ZipFile(io.BytesIO(data))
    told = [p.text for p in opened(data).paragraphs if p.style.name == "Command"]

    assert words(render_plans(plans, "html"), "pre") == [squeezed(found) for found in told]
    assert b"evil.example" not in parts.read("word/_rels/document.xml.rels")


def test_what_xml_cannot_hold_is_shown_as_a_mark():
    sheet = Sheet()
    sheet.add("a\x00\x0b\ud800\uffffb", Look())
    found = opened(sheet.saved("t\x01", AS_OF))

    assert "a\ufffd\ufffd\ufffd\ufffdb" == found.paragraphs[0].text
    assert "t\ufffd" == found.core_properties.title


# -- PDF


@pango
def test_a_pdf_has_pages_a_title_and_numbers_on_them(pdf):
    inside = unpacked(pdf)

    assert pdf.startswith(b"%PDF-")
    assert 20 < len(re.findall(rb"/Type ?/Page\b", inside)) < 80
    assert b"/Title (Change plan: graz" in inside


@pango
@pytest.mark.skipif(not shutil.which("pdftotext"), reason="there is no pdftotext")
def test_a_pdf_says_what_the_page_says(pdf, page):
    told = subprocess.run(  # noqa: S603 -- a tool of the system, and our own file
        [shutil.which("pdftotext"), "-raw", "-", "-"], input=pdf, capture_output=True, check=True
    )
    text = squeezed(re.sub(r"Change plan: graz\s+Page \d+ of \d+", "", told.stdout.decode()))
    wanted = words(page, "h1", "h2", "h3", "header") + words(page, "code")

    assert len(wanted) > 100
    assert [found for found in wanted if found not in text] == []


@pango
def test_every_picture_of_a_pdf_is_told_in_words(pdf):
    inside = unpacked(pdf)

    assert inside.count(b"/S /Figure") > 3
    assert inside.count(b"/S /Figure") == inside.count(b"/Alt (")


@pango
@pytest.mark.skipif(not shutil.which("pdftotext"), reason="there is no pdftotext")
def test_what_belongs_together_stands_on_one_sheet_of_a_pdf(pdf):
    told = subprocess.run(  # noqa: S603 -- a tool of the system, and our own file
        [shutil.which("pdftotext"), "-layout", "-", "-"], input=pdf, capture_output=True, check=True
    )
    sheets = told.stdout.decode().split("\f")
    (timeline,) = [sheet for sheet in sheets if "Trust timeline" in sheet]
    (steps,) = [sheet for sheet in sheets if "In brackets behind each sentence" in sheet]
    certificates = [
        sheet for sheet in sheets if re.search("CertValidfor7days *$", sheet, re.MULTILINE)
    ]

    assert "office: 640 phones" in timeline
    assert "Read the tomcat certificate" in steps
    assert len(certificates) > 1
    assert all(re.search("Certificate +On +State +Date", sheet) for sheet in certificates)


@pango
def test_the_same_page_is_the_same_pdf_in_another_process(short):
    assert paper.pdf(short) == printed(short)


@pango
def test_a_pdf_loads_nothing(tmp_path, short):
    sheet = tmp_path / "other.css"
    sheet.write_text("@page { size: A3 landscape }", encoding="utf-8")
    lure = f"<link rel=stylesheet href='{sheet.as_uri()}'><img src='{sheet.as_uri()}'>"

    assert b"595.2" in unpacked(paper.pdf(short.replace("<h1>", f"{lure}<h1>")))


# -- an extra that is missing


@pytest.mark.parametrize(
    ("form", "module", "told"),
    [
        ("pdf", "weasyprint", r"pip install -e '\.\[pdf\]', and Pango: apt-get install libpango"),
        ("docx", "watcher.app.word", r"from watcher's own folder: pip install -e '\.\[docx\]'"),
    ],
)
def test_without_the_extra_one_line_says_how_to_get_it(form, module, told, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, module, None)
    words = ["watcher", "plan", str(ALARM), "-o", str(tmp_path / f"plan.{form}")]
    monkeypatch.setattr(sys, "argv", words)
    heard = io.StringIO()
    with pytest.raises(SystemExit) as left, redirect_stderr(heard):
        main()
    (line,) = heard.getvalue().splitlines()

    assert 2 == left.value.code
    assert re.search(told, line)
    assert [] == list(tmp_path.iterdir())


def test_without_pango_one_line_says_how_to_get_it(monkeypatch):
    def no_pango(_):
        raise OSError("cannot load library")

    monkeypatch.setattr(paper, "import_module", no_pango)
    with pytest.raises(InputError, match="does not have") as told:
        paper.pdf("")

    assert "libpango-1.0-0" in told.value.expected


def test_the_daemon_makes_no_pdf_without_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "weasyprint", None)

    assert paper.printer(10) is None


# -- the daemon, which waits for no one


@pytest.mark.parametrize(
    ("code", "seconds", "why"),
    [
        ("import time; time.sleep(60)", 0.2, NoPdf.TOO_LONG),
        ("import os, signal; os.kill(os.getpid(), signal.SIGXCPU)", 30, NoPdf.TOO_LONG),
        ("raise SystemExit(3)", 30, NoPdf.TOO_LONG),
        ("raise SystemExit(2)", 30, NoPdf.NO_LIBRARY),
        ("raise SystemExit(1)", 30, NoPdf.FAILED),
        ("print('no PDF')", 30, NoPdf.FAILED),
    ],
)
def test_a_pdf_that_fails_or_lasts_is_told(code, seconds, why, short):
    assert why == printed(short, (sys.executable, "-c", code), seconds)


@pytest.mark.parametrize(
    ("error", "told"), [(InputError("no Pango", expected="Pango"), 2), (MemoryError(), 3)]
)
def test_the_program_tells_what_it_lacked(error, told, monkeypatch, capsys):
    def draw(_):
        raise error

    monkeypatch.setattr(paper, "pdf", draw)
    monkeypatch.setattr(paper, "bound", lambda *_: None)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"page")))

    assert told == paper.main()
    assert 1 == capsys.readouterr().err.count("\n")


@pytest.mark.parametrize(
    ("work", "told"), [("bytearray(1 << 30)", 1), ("while True: pass", -signal.SIGXCPU)]
)
def test_a_process_that_is_bound_takes_no_more(work, told):
    code = f"from watcher.app.paper import bound\nbound(1 << 29, 1)\n{work}"
    done = subprocess.run(  # noqa: S603 -- our own words
        [sys.executable, "-c", code], capture_output=True, check=False, timeout=60
    )

    assert told == done.returncode


@pango
def test_a_pdf_is_drawn_within_the_limits_of_the_daemon(page):
    assert paper.printed(page).startswith(b"%PDF-")


def test_no_pdf_is_tried_of_a_page_that_is_too_large(caplog, short):
    large = short + " " * paper.LARGEST
    done = "import sys; sys.stdout.write('%PDF-')"

    assert printed(short, (sys.executable, "-c", done)) == b"%PDF-"
    assert NoPdf.TOO_LARGE == printed(large, (sys.executable, "-c", done))
    assert f"the page has {len(large)} bytes, over {paper.LARGEST}" in caplog.text


def test_a_program_that_is_not_there_makes_no_pdf(short):
    assert NoPdf.FAILED == printed(short, ("/nonexistent/printer",))


def test_a_ticket_gets_page_and_pdf(tmp_path):
    for ending in ("html", "md", "pdf"):
        (tmp_path / f"graz.{ending}").write_bytes(b"x")

    assert ["plan.html", "plan.md", "plan.pdf"] == [one.name for one in attached(tmp_path, "graz")]

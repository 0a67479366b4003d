"""Documents say what the plan says, in every format, and nothing undefined."""

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from builders import AS_OF, CATALOGUE, alarm, cluster, inventory, plan, plans, related
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError

from watcher import planning, render
from watcher.account import inputs, marks, verdict
from watcher.model.expiry import Certainty, ExpiryState
from watcher.model.proof import TrustSpan
from watcher.rules.work import StepKind

TEMPLATES = {
    path.name: path.read_text(encoding="utf-8")
    for path in (Path(__file__).parent.parent / "templates").iterdir()
}
TOLD = [
    alarm(store="TVS"), alarm(store="tomcat-trust", certificate="sub1.der"),
    alarm(store="nonesuch"), related("DRF", "DRFBackupFailure"),
]  # fmt: skip
PLAN = plan(TOLD, cluster())
MD, HTML = render.markdown([PLAN], TEMPLATES), render.html([PLAN], TEMPLATES)
JSON = json.loads(render.as_json([PLAN]))


class Words(HTMLParser):
    """The words of a page, without its style sheet."""

    def __init__(self, text):
        super().__init__()
        self.words, self.ids, self.links = [], set(), set()
        self.feed(text)

    def handle_starttag(self, _tag, attrs):
        """Keep anchors and links inside the page."""
        for name, value in attrs:
            if name == "id":
                self.ids.add(value)
            if name == "href" and value.startswith("#"):
                self.links.add(value[1:])

    def handle_data(self, data):
        """Keep words."""
        self.words += data.split()


def squeezed(text):
    return "".join(text.split())


PAGE = Words(HTML)
TEXTS = {
    "md": squeezed(re.sub(r"\\([\\`*|<_(&])", r"\1", MD)),
    "html": "".join(PAGE.words),
}


@pytest.mark.parametrize("form", TEXTS)
def test_every_command_stands_in_the_document(form):
    for step in PLAN.steps:
        for line in step.command:
            assert squeezed(f"admin:{line.text}") in TEXTS[form]


@pytest.mark.parametrize("form", TEXTS)
def test_every_sentence_stands_in_the_document(form):
    lines = [line for s in PLAN.steps for line in (*s.do, *s.gui, *s.expect, *s.check)]
    lines += [*PLAN.warnings, *PLAN.preconditions, *PLAN.way_lines, *PLAN.cautions, *PLAN.back_out]
    lines += [line for s in PLAN.steps if s.kind == StepKind.RESTART for line in s.undo]
    texts = [line.text for line in lines]
    texts += [*PLAN.summary, *PLAN.not_known, *PLAN.not_planned, PLAN.headline, PLAN.way]
    texts += [q.text for q in PLAN.questions] + [s.title for s in PLAN.steps]

    assert [text for text in texts if squeezed(text) not in TEXTS[form]] == []


@pytest.mark.parametrize("form", TEXTS)
def test_every_source_stands_in_the_document(form):
    assert all(squeezed(source.title) in TEXTS[form] for source in PLAN.sources)


def test_the_point_of_no_return_is_marked_once():
    assert MD.count("**Point of no return.**") == 1
    assert HTML.count('class="noreturn"') == 1


def test_links_of_the_page_lead_somewhere():
    assert PAGE.links == {f"p1-step-{step.number}" for step in PLAN.steps}
    assert PAGE.links <= PAGE.ids


def test_two_plans_on_one_page_have_anchors_of_their_own():
    two = plans([alarm(), alarm(node="stranger")], cluster())
    page = Words(render.html(two, TEMPLATES))

    assert {name[:3] for name in page.links} == {"p1-", "p2-"}
    assert page.links <= page.ids


def test_a_page_loads_nothing():
    assert not re.search(r"<(script|link|img|iframe|object|embed|form)\b", HTML)
    assert not re.search(r"url\(|@import|src=", HTML)


def test_json_says_what_the_plan_says():
    (value,) = JSON["plans"]

    assert JSON["format"] == "watcher-plan/1"
    assert value["code"] == render.plan_code(PLAN)
    assert [s["number"] for s in value["steps"]] == [s.number for s in PLAN.steps]
    assert value["findings"][0]["expiry"]["day"] == "2026-11-25"
    assert value["as_of"] == "2026-11-20T12:00:00Z"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (date(2026, 1, 2), "2026-01-02"),
        (datetime(2026, 1, 2, 3, 4, tzinfo=UTC), "2026-01-02T03:04:00Z"),
        (Certainty.EXACT, "exact"),
        ((1, "a", None), [1, "a", None]),
    ],
)
def test_plain_values_are_what_json_has(value, expected):
    assert render.plain_value(value) == expected


def test_an_undefined_name_is_an_error():
    broken = {
        "change_plan.md.j2": "{% for sheet in sheets %}{{ sheet.nonesuch }}{% endfor %}{{ seal }}"
    }

    with pytest.raises(UndefinedError):
        render.markdown([PLAN], broken)


def printed(text):
    template = {"change_plan.md.j2": "{{ sheets[0].plan.headline }}\n{{ seal }}"}
    return render.markdown([replace(PLAN, headline=text)], template).rpartition("\n")[0][:-72]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a_b.c", "a_b.c"),
        ("Delete <file>.pem", "Delete \\<file>.pem"),
        ("1 < 2", "1 < 2"),
        ("*a* `b` | c", "\\*a\\* \\`b\\` \\| c"),
        ("[a](b)", "[a]\\(b)"),
        ("&lt;", "\\&lt;"),
        ("_a_", "\\_a\\_"),
    ],
)
def test_text_cannot_turn_into_markdown(text, expected):
    assert printed(text).strip() == expected


@given(st.text())
def test_evidence_is_one_line_of_ascii(raw):
    shown = render.evidence_text(raw)

    assert all(" " <= c <= "~" for c in shown)
    assert len(shown) <= render.EVIDENCE_LIMIT + 30


@pytest.mark.parametrize(
    ("raw", "expected"),
    [("a\nb", "a\\nb"), ("\u202e", "\\u202e"), ("\x1b[1m", "\\x1b[1m"), ("\u00e9", "\\xe9")],
)
def test_evidence_shows_what_cannot_be_seen(raw, expected):
    assert render.evidence_text(raw) == expected


def test_long_evidence_is_cut_and_says_so():
    assert render.evidence_text("x" * 700) == "x" * 600 + " [cut, 100 more]"


def test_a_plan_without_steps_is_a_document_too():
    refused = plan([alarm(store="nonesuch")], cluster())

    for text in (render.markdown([refused], TEMPLATES), render.html([refused], TEMPLATES)):
        assert "Not planned" in text
        assert "Back-out" not in text


(DRAWN,) = planning.plan(
    [alarm(store=store, node=node) for store in ("CallManager", "TVS") for node in ("pub", "sub1")],
    inventory(cluster(release="11.5(1)")), CATALOGUE, AS_OF,
)  # fmt: skip
WINDOW = TrustSpan(groups=("desk",), first=30, last=31, text="nobody signed it", when="TVS waits")
OUTAGE = TrustSpan(groups=("lab",), first=32, last=33, text="some are not registered")
PROVEN = replace(DRAWN, proof=replace(DRAWN.proof, windows=(WINDOW,), outages=(OUTAGE,)))
PROVEN_TEXTS = {
    "md": squeezed(re.sub(r"\\([\\`*|<_(&])", r"\1", render.markdown([PROVEN], TEMPLATES))),
    "html": "".join(Words(render.html([PROVEN], TEMPLATES)).words),
}


@pytest.mark.parametrize("form", PROVEN_TEXTS)
def test_what_was_proven_stands_in_the_document(form):
    proof = PROVEN.proof
    spans = [*proof.windows, *proof.outages]
    texts = [*proof.sentences, *(span.text for span in spans)]
    texts += [item.check for item in inputs(proof)]
    texts += [verdict(PROVEN).words, "Trust timeline", "What was proven, and what was not"]
    texts += [way.title for way in proof.ways]
    found = [mark for told in marks(PROVEN).values() for mark in told]
    texts += [mark.text for mark in found if mark.kind != "no-return"]

    assert [text for text in texts if squeezed(text) not in PROVEN_TEXTS[form]] == []


@pytest.mark.parametrize("form", PROVEN_TEXTS)
def test_each_moment_stands_in_the_timeline(form):
    assert all(squeezed(moment.title) in PROVEN_TEXTS[form] for moment in PROVEN.proof.moments)


def test_the_timeline_leads_to_the_steps():
    page = Words(render.html([PROVEN], TEMPLATES))

    assert page.links == {f"p1-step-{step.number}" for step in PROVEN.steps}
    assert page.links <= page.ids


def test_json_carries_the_proof():
    (value,) = json.loads(render.as_json([PROVEN]))["plans"]

    assert value["proof"] == render.plain_value(PROVEN.proof)
    assert value["proof"]["lanes"][0]["cells"][0]["state"] == "steady"


def test_a_plan_that_changes_no_trust_says_so_in_one_sentence():
    (calm,) = planning.plan([alarm(store="tomcat")], inventory(cluster()), CATALOGUE, AS_OF)

    for text in (render.markdown([calm], TEMPLATES), render.html([calm], TEMPLATES)):
        assert "Nothing that phones trust changes, so no phone can be left behind." in text
        assert "Trust timeline" not in text
        assert "What was proven" not in text


def test_a_withheld_plan_says_why_at_its_head():
    withheld = replace(PLAN, withheld=("no token",))

    for text in (render.markdown([withheld], TEMPLATES), render.html([withheld], TEMPLATES)):
        assert text.index("Withheld: no order") < text.index("no token") < text.index("Summary")


def test_a_plan_of_a_part_shows_both_halves():
    part = replace(PROVEN, withheld=("no token",))

    for text in (render.markdown([part], TEMPLATES), render.html([part], TEMPLATES)):
        assert text.index("Only a part is planned") < text.index("no token") < text.index("Summary")
        assert "Trust timeline" in text


def test_markdown_has_no_two_blank_lines_in_a_row():
    assert "\n\n\n" not in MD


@pytest.mark.parametrize(
    ("days", "told"), [(0, "0 days"), (1, "1 day"), (2, "2 days"), (-1, "-1 day"), (-3, "-3 days")]
)
def test_a_single_day_is_told_as_one(days, told):
    drawn = replace(PLAN, findings=(replace(PLAN.findings[0], days_left=days),))

    assert f"({told}) |" in render.markdown([drawn], TEMPLATES)
    assert f"({told})</td>" in render.html([drawn], TEMPLATES)


@pytest.mark.parametrize(
    ("state", "told"), [(ExpiryState.EXPIRED, "it ended"), (ExpiryState.EXPIRING, "it ends")]
)
def test_what_is_over_has_ended(state, told):
    first = PLAN.findings[0]
    known = replace(first.expiry, earliest=AS_OF, latest=AS_OF)
    drawn = replace(PLAN, findings=(replace(first, state=state, expiry=known),))

    for text in (render.markdown([drawn], TEMPLATES), render.html([drawn], TEMPLATES)):
        assert f"; {told} 2026-11-20 12:00 UTC." in text


def test_a_certificate_of_all_nodes_is_on_every_node():
    drawn = replace(PLAN, findings=(replace(PLAN.findings[0], multi_server=True),))

    for text in (render.markdown([drawn], TEMPLATES), render.html([drawn], TEMPLATES)):
        assert "every node (multi-server)" in text

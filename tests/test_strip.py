"""The trust timeline: every group and moment is told, in figures, patterns and words."""

import re
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.model.proof import Proof, TrustCell, TrustLane, TrustMoment, TrustState
from watcher.strip import (
    COLUMNS,
    LANES_DRAWN,
    LANES_TABLED,
    PER_STRIP,
    ROWS,
    STATES,
    Fold,
    cell_words,
    columns,
    figure,
    lanes_not_drawn,
    states,
    strips,
    swatch,
    table,
)

SVG = "{http://www.w3.org/2000/svg}"
STEADY = TrustCell(state=TrustState.STEADY, anchors=3, ways=("ITL", "TVS@a", "TVS@b"))
SINGLE = TrustCell(state=TrustState.SINGLE, anchors=1, ways=("TVS@b",))
BARE = TrustCell(state=TrustState.BARE, anchors=1, ways=("keeps no list",))
OPEN = TrustCell(state=TrustState.OPEN, anchors=1, ways=("any signer",))
OUT = TrustCell(state=TrustState.OUT, anchors=2, ways=("ITL", "TVS@a"))
WINDOW = TrustCell(state=TrustState.WINDOW, anchors=0, ways=(), why="nobody signed <it>")
LOST = TrustCell(state=TrustState.LOST, anchors=0, ways=())
CELLS = (STEADY, SINGLE, BARE, OPEN, OUT, WINDOW, LOST)


def lane(*cells, name="desk", phones=5):
    return TrustLane(groups=(name,), phones=phones, cells=cells)


def moments(count, resets=()):
    return tuple(
        TrustMoment(step=number, title=f"Do {number}", reset=number in resets)
        for number in range(1, count + 1)
    )


def proof(found, *lanes, no_return=()):
    return Proof(
        ruling="safe", resets=1, nodes=2, groups=len(lanes), combinations=8, moments=found,
        lanes=lanes, windows=(), outages=(), notes=(), offline=(), no_return=no_return,
        assumptions=(), inputs=(), unpaid=(), ways=(), sentences=(),
    )  # fmt: skip


def trees(shown, prefix=""):
    return [ET.fromstring(svg) for svg in strips(shown, prefix)]  # noqa: S314 -- drawn just now


def squares(shown):
    """Return the words of the squares, lane by lane, as the pictures show them."""
    found = [t for tree in trees(shown) for t in tree.iter(f"{SVG}text")]
    return [t.text for t in found if t.get("class").split()[0] in {"fig", "any"}]


ALL = proof(moments(6, resets=(2,)), lane(*CELLS), no_return=(1,))
LONG = proof(moments(70, resets=(30,)), lane(*([STEADY] * 71)))
BUSY = proof(moments(70), lane(*([STEADY, SINGLE] * 35), STEADY))


def test_each_state_has_a_figure():
    assert squares(ALL) == ["3", "1", "-", "any", "2", "0", "0"]


@pytest.mark.parametrize("state", TrustState)
def test_no_two_states_look_alike_without_colour(state):
    def grey(other):
        drawn = swatch(other)
        return [line for line in drawn.replace(STATES[other][0], "").split("<") if line]

    others = [other for other in TrustState if other is not state]

    assert all(grey(state) != grey(other) for other in others)


def test_only_states_that_occur_stand_in_the_legend():
    assert [state for state, _ in states(LONG)] == [TrustState.STEADY]
    assert [state for state, _ in states(ALL)] == list(TrustState)


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (STEADY, "3"), (SINGLE, "1 TVS@b"), (OPEN, "any signer"), (OUT, "2 out"),
        (WINDOW, "0 window"), (LOST, "0 lost"),
    ],
)  # fmt: skip
def test_a_cell_of_the_table_says_what_is_special(cell, words):
    assert cell_words(cell) == words


def test_step_numbers_lead_to_their_steps():
    links = [a.get("href") for tree in trees(ALL, "p1-") for a in tree.iter(f"{SVG}a")]

    assert links == [f"#p1-step-{number}" for number in range(1, 7)]


def test_a_reset_is_a_line_across_all_lanes_and_through_no_name():
    two = proof(moments(6, resets=(2,)), lane(*CELLS), lane(*CELLS, name="far"))
    (tree,) = trees(two)
    (line,) = [
        p.get("d") for p in tree.iter(f"{SVG}path")
        if p.get("stroke-width") == "3" and "V" in p.get("d")
    ]  # fmt: skip
    pieces = [(int(y), int(y) + int(long)) for y, long in re.findall(r"M\d+ (\d+)v(\d+)", line)]
    names = [int(t.get("y")) for t in tree.iter(f"{SVG}text") if t.get("class") == "lane"]
    squares = {int(r.get("y")) for r in tree.iter(f"{SVG}rect") if r.get("height") == "22"}

    assert [(y - 1, y + 23) for y in sorted(squares)] == pieces
    assert len(names) == 2
    assert not any(top < y < end for y in names for top, end in pieces)


@pytest.mark.parametrize(("cell", "patterned"), [(WINDOW, True), (LOST, True), (STEADY, False)])
def test_a_figure_on_a_pattern_has_plain_ground(cell, patterned):
    (tree,) = trees(proof(moments(1), lane(STEADY, cell)))
    drawn = [e for e in tree.iter() if e.tag in (f"{SVG}rect", f"{SVG}text")]
    before = [a for a, b in pairwise(drawn) if b.get("class", "").startswith("fig")][-1]

    assert patterned is (before.get("stroke") is None)


def test_a_point_of_no_return_has_a_red_frame():
    frames = [
        r for tree in trees(ALL) for r in tree.iter(f"{SVG}rect") if r.get("stroke") == "#b00020"
    ]

    assert len(frames) == 1


def test_who_hears_the_picture_is_told_each_change_once():
    (tree,) = trees(proof(moments(3), lane(STEADY, STEADY, SINGLE, SINGLE)))

    assert tree.find(f"{SVG}title").text == "Trust timeline, start to 3"
    assert tree.find(f"{SVG}desc").text == "desk: 5 phones: 3 at the start, 1 TVS@b after step 2."


def test_names_and_reasons_are_escaped():
    (drawn,) = strips(proof(moments(1), lane(STEADY, WINDOW, name="<b>&")))

    assert "<b>" not in drawn
    assert "&lt;b&gt;&amp;" in drawn
    assert "nobody signed &lt;it&gt;" in drawn


@given(st.integers(1, 90))
def test_no_picture_is_wider_than_a_phone_and_no_column_is_lost(count):
    shown = proof(moments(count), lane(*([STEADY, SINGLE] * count)[: count + 1]))
    drawn = trees(shown)
    found = columns(shown, COLUMNS)

    assert all(int(tree.get("width")) <= 300 for tree in drawn)
    assert len(squares(shown)) == len(found)
    assert len(drawn) == -(-len(found) // PER_STRIP)
    assert [step for column in found for step in column.steps] == list(range(1, count + 1))


def test_what_fits_is_not_folded():
    assert len(columns(ALL, COLUMNS)) == 7


def test_steps_that_change_nothing_are_folded_but_not_over_a_reset():
    found = columns(LONG, COLUMNS)

    assert [column.numbers for column in found] == ["start", "1 to 29", "30", "31 to 70"]
    assert found[1].what == "Do 1; Do 2; and 27 more"
    assert found[2].what == "All phones reset. Do 30"


def test_changes_are_never_folded():
    assert len(columns(BUSY, COLUMNS)) == 71


def test_resets_are_folded_where_a_page_would_overflow():
    shown = proof(moments(90, resets=range(1, 91, 2)), lane(*([STEADY] * 91)))

    assert len(columns(shown, ROWS, Fold.STEPS)) == 2


def test_the_table_has_a_row_for_each_change():
    drawn = table(ALL)

    assert drawn.heads == ("desk: 5 phones",)
    assert [cells for _, cells in drawn.rows] == [(cell_words(cell),) for cell in CELLS]


def test_lanes_without_room_are_told_and_the_worst_are_shown():
    calm = [lane(STEADY, STEADY, name=f"calm{n}") for n in range(LANES_DRAWN)]
    shown = proof(moments(1), *calm, lane(STEADY, WINDOW, name="bad"))

    assert table(shown).heads[-1] == "bad: 5 phones"
    assert len(table(shown).heads) == LANES_TABLED
    assert len(table(shown).rest) == LANES_DRAWN + 1 - LANES_TABLED
    assert lanes_not_drawn(shown) == ("calm11: 5 phones: at worst 3 (from the start)",)


def test_a_long_name_keeps_its_count():
    groups = ("a-long-name-of-a-site", "another-long-name-of-a-site", "third", "fourth")
    long = TrustLane(groups=groups, phones=3080, cells=(STEADY, STEADY))
    (tree,) = trees(proof(moments(1), long))
    (label,) = (t.text for t in tree.iter(f"{SVG}text") if t.get("class") == "lane")

    assert label.endswith("...: 3080 phones")
    assert table(proof(moments(1), long)).heads[0].endswith("and 1 more: 3080 phones")


def test_a_figure_is_short_enough_for_its_square():
    assert {cell.state for cell in CELLS} == set(TrustState)
    assert max(len(figure(cell)) for cell in CELLS) == 3

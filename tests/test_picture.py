"""The picture: each step once, gates and the point of no return to be seen."""

import re
from xml.etree import ElementTree as ET

import pytest
from builders import alarm, cluster, plan

from watcher.picture import COLOURS, LEGEND, WIDTH, blocks, lanes, mermaid, picture
from watcher.rules.work import StepKind

BIG = plan(
    [alarm(store=s, node=n) for s in ("tomcat", "CallManager", "TVS", "ITLRecovery")
     for n in ("pub", "sub1")],
    cluster(release="11.5(1)"),
)  # fmt: skip
SMALL = plan([alarm(store="tomcat-trust", certificate="sub1.der")])
SVG = "{http://www.w3.org/2000/svg}"


def tree(drawn, prefix=""):
    return ET.fromstring(picture(drawn, prefix))  # noqa: S314 -- drawn by ourselves just now


def squares(drawn):
    """Return the square of each step, in order."""
    return [link.find(f".//{SVG}rect") for link in tree(drawn).iter(f"{SVG}a")]


@pytest.mark.parametrize("drawn", [BIG, SMALL], ids=["big", "small"])
def test_each_step_is_one_square_with_a_link(drawn):
    links = [a.get("href") for a in tree(drawn, "p1-").iter(f"{SVG}a")]

    assert links == [f"#p1-step-{step.number}" for step in drawn.steps]


@pytest.mark.parametrize("drawn", [BIG, SMALL], ids=["big", "small"])
def test_no_two_squares_overlap_and_none_is_outside(drawn):
    root = tree(drawn)
    height = float(root.get("viewBox").split()[3])
    corners = [(float(r.get("x")), float(r.get("y"))) for r in squares(drawn)]

    assert len(corners) == len(set(corners)) == len(drawn.steps)
    assert all(0 <= x <= WIDTH - 24 and 0 <= y <= height - 24 for x, y in corners)


def test_steps_of_one_stage_stand_in_pairs():
    drawn = squares(BIG)
    first = [drawn[s.number - 1] for s in BIG.steps if s.stage == 1]

    assert len(first) > 2
    half = (len(first) + 1) // 2
    upper, lower = ([r.get("x") for r in row] for row in (first[:half], first[half:]))

    assert lower == upper[: len(lower)]
    assert len({r.get("y") for r in first}) == 2


def test_the_point_of_no_return_has_a_frame_of_its_own():
    framed = [r for r in squares(BIG) if r.get("stroke-width") == "3"]

    assert len(framed) == 1


def test_what_is_conditional_is_dashed():
    dashed = [r.get("stroke-dasharray") is not None for r in squares(BIG)]

    assert dashed == [bool(s.optional or s.only_if) for s in BIG.steps]


def test_every_kind_of_step_has_a_colour():
    assert COLOURS.keys() == {kind.value for kind in StepKind}
    assert {kind for kind, _ in LEGEND} <= COLOURS.keys()


def test_blocks_cover_the_steps_in_order():
    joined = [step for block in blocks(BIG) for step in block.steps]

    assert joined == list(BIG.steps)
    early = {"Before the window"}
    assert sum(b.minutes for b in blocks(BIG) if b.title not in early) == BIG.minutes


def test_lanes_name_every_place_once_nodes_first():
    names = lanes(BIG)

    assert len(names) == len(set(names))
    assert set(names) == {step.lane for step in BIG.steps}
    assert names[0] in {"pub", "pub, sub1"}


def test_mermaid_has_a_node_for_each_block_and_a_hexagon_for_gates():
    text = mermaid(BIG)
    drawn = blocks(BIG)
    gates = [any(s.kind == StepKind.WAIT for s in block.steps) for block in drawn]

    assert text.count(" --> ") == len(drawn) - 1
    assert [line.count("{{") == 1 for line in text.splitlines()[1 : len(drawn) + 1]] == gates


def test_mermaid_text_holds_no_mark_of_mermaids_own():
    labels = re.findall(r'"([^"]*)"', mermaid(BIG))

    assert len(labels) == len(blocks(BIG))
    assert not re.search(r"[\[\]{}()|;#&`<>]", "".join(labels).replace("<br/>", ""))


def test_an_empty_plan_has_an_empty_picture():
    empty = plan([alarm(store="nonesuch")])

    assert blocks(empty) == ()
    assert list(tree(empty).iter(f"{SVG}rect")) == []

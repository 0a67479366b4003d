"""The timeline tells what happens in any branch, and for every group that fares alike."""

from watcher.model.proof import TrustState
from watcher.model.release import Release
from watcher.proving import timeline
from watcher.trust.names import Service
from watcher.trust.prove import prove
from watcher.trust.release import profile
from watcher.trust.scenario import Action, Group, Node, Scenario, Step

NODES = tuple(
    Node(name=name, publisher=name == "pub", services=frozenset(Service)) for name in ("pub", "sub")
)
ORDER = (
    Step(number=1, text="Back up", action=Action.BACKUP),
    Step(number=2, text="Regenerate", action=Action.REGENERATE, store="CallManager", node="pub"),
    Step(number=3, text="Restart TVS", action=Action.RESTART, service=Service.TVS, node="sub"),
    Step(number=4, text="Restart TFTP", action=Action.RESTART, service=Service.TFTP, node="pub"),
    Step(number=5, text="Reset", action=Action.RESET),
)


def group(name):
    return Group(name=name, tftp=("pub",), cm_group=("sub",), held_itl="pub", count=3)


SCENARIO = Scenario(
    profile=profile(Release.parse("9.1(2)")), nodes=NODES, groups=(group("a"), group("b")),
    steps=ORDER,
)  # fmt: skip
VERDICT = prove(SCENARIO)


def test_there_is_something_to_see():
    assert VERDICT.windows
    assert {window.group for window in VERDICT.windows} == {"a", "b"}


def test_a_cell_shows_a_window_of_any_branch():
    (lane,) = timeline.lanes(SCENARIO, VERDICT)
    numbers = [moment.step for moment in timeline.moments(SCENARIO, VERDICT)]
    cells = dict(zip(numbers, lane.cells[1:], strict=True))

    for window in VERDICT.windows:
        inside = [cell for step, cell in cells.items() if window.first <= step <= window.last]

        assert inside
        assert all(cell.anchors == 0 for cell in inside)
        assert all(cell.state in (TrustState.WINDOW, TrustState.LOST) for cell in inside)


def test_where_a_window_opens_is_a_moment():
    numbers = {moment.step for moment in timeline.moments(SCENARIO, VERDICT)}

    assert {window.first for window in VERDICT.windows} <= numbers


def test_groups_that_fare_alike_share_a_lane():
    (lane,) = timeline.lanes(SCENARIO, VERDICT)

    assert (lane.groups, lane.phones) == (("a", "b"), 6)


def test_a_note_names_every_group_it_concerns():
    told = [note for note in timeline.notes(VERDICT) if note.text.startswith("I-20")]

    assert [note.groups for note in told] == [("a", "b")] * len(told)
    assert told

"""Numbers and dependencies: topological, the same on every machine, empty steps bridged."""

from graphlib import TopologicalSorter

import pytest
from builders import ground
from hypothesis import given
from hypothesis import strategies as st

from watcher.planner.fill import Filled, fill
from watcher.planner.order import arrange
from watcher.planner.sketch import Board, Sketch, Thread
from watcher.planner.terrain import EACH_NODE, PUBLISHER

BASE = ground()


def arranged(after, empty=()):
    """Arrange steps that name what comes before each; the n-th is called n."""
    sketches = [Sketch("check-services", EACH_NODE, after=tuple(a), block=str(i))
                for i, a in enumerate(after)]  # fmt: skip
    filled = [Filled(fill(s, BASE).step, i in empty) for i, s in enumerate(sketches)]
    return arrange(sketches, filled)


def blocks(steps):
    return [int(step.block) for step in steps]


def test_a_chain_keeps_its_order():
    steps = arranged([(), (0,), (1,)])

    assert [(s.number, s.depends_on, s.stage) for s in steps] == [
        (1, (), 1), (2, (1,), 2), (3, (2,), 3),
    ]  # fmt: skip


def test_what_is_free_comes_in_the_order_of_drawing():
    steps = arranged([(), (), (), (0, 1, 2)])

    assert blocks(steps) == [0, 1, 2, 3]
    assert [s.stage for s in steps] == [1, 1, 1, 2]


def test_an_empty_step_is_bridged():
    steps = arranged([(), (0,), (1,), (2,)], empty=(1, 2))

    assert [(s.block, s.depends_on) for s in steps] == [("0", ()), ("3", (1,))]


def test_all_steps_before_an_empty_one_are_waited_for():
    steps = arranged([(), (), (0, 1), (2,)], empty=(2,))

    assert steps[-1].depends_on == (1, 2)


@st.composite
def graphs(draw):
    count = draw(st.integers(1, 12))
    after = [draw(st.sets(st.integers(0, max(i - 1, 0)))) if i else set() for i in range(count)]
    return after, draw(st.sets(st.integers(0, count - 1)))


@given(graphs())
def test_numbers_follow_the_dependencies(drawn):
    after, empty = drawn

    steps = arranged(after, empty)

    assert [s.number for s in steps] == list(range(1, len(after) - len(empty) + 1))
    assert all(n < s.number for s in steps for n in s.depends_on)


@given(graphs())
def test_bridging_keeps_what_came_before(drawn):
    after, empty = drawn
    steps = arranged(after, empty)
    number = {int(s.block): s.number for s in steps}

    reach = {}
    for i in TopologicalSorter(dict(enumerate(after))).static_order():
        reach[i] = set(after[i]).union(*(reach[j] for j in after[i]))
    closed = {}
    for s in steps:
        closed[s.number] = set(s.depends_on).union(*(closed[n] for n in s.depends_on))

    assert {i: {number[j] for j in reach[i] if j in number} for i in number} == {
        i: closed[number[i]] for i in number
    }


@pytest.mark.parametrize("count", [1, 3])
def test_a_thread_waits_for_all_that_stood_beside_each_other(count):
    board = Board()
    thread = Thread(board, "Look")
    thread.beside([Sketch("check-services", PUBLISHER)] * count)

    thread.then(Sketch("backup", PUBLISHER))

    assert board.sketches[-1].after == tuple(range(count))

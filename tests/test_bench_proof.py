"""The bench of the proof in a small form: figures exist, orders are safe, growth is not steep."""

import bench_proof
import pytest


@pytest.mark.parametrize("name", bench_proof.ORDERS)
def test_every_order_of_the_bench_is_safe(name):
    """An order that is refused would measure nothing."""
    figures = bench_proof.measure(name, 6, 15, rounds=1)

    assert (figures.nodes, figures.groups) == (6, 15)
    assert figures.walked <= figures.branches
    assert figures.resets > 0


@pytest.mark.parametrize("name", bench_proof.ORDERS)
def test_twice_the_groups_are_twice_the_work_at_most(name):
    """Work is counted, not timed; a few groups more of a costly kind are allowed for."""
    few, many = (bench_proof.measure(name, 6, groups, rounds=1) for groups in (20, 40))

    assert many.resets <= 2.5 * few.resets
    assert many.walked <= few.branches


def test_groups_of_the_bench_are_all_of_their_own_kind():
    """Groups alike are walked once: sixty of one kind would be a bench of one group."""
    given = bench_proof.scenario("15 mixed, ITLRecovery apart")
    kinds = {bench_proof.kind(group) for group in given.groups}

    assert bench_proof.GROUPS == len(given.groups) == len(kinds)

"""The bench of the proof in a small form: figures exist, orders are safe, growth is not steep."""

import json
from contextlib import suppress
from dataclasses import replace
from itertools import islice

import bench_proof
import pytest
from proving import generator

from watcher.errors import InputError
from watcher.orders.reader import read
from watcher.trust.prove import prove


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


def readable(seed):
    """Yield made orders without end; one that names a service where it does not run is left out."""
    for made in generator.clusters(seed):
        with suppress(InputError):
            yield read("made.yaml", json.dumps(made))


@pytest.mark.parametrize("given", list(islice(readable("shared"), 12)))
def test_sharing_between_branches_changes_nothing(given):
    """Every branch walked by itself, nothing remembered: the same verdict, windows and history."""
    shared, alone = prove(given), prove(given, thorough=True)

    assert alone.walked == alone.combinations
    assert replace(alone, walked=shared.walked, resets=shared.resets) == shared

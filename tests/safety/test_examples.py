"""The plans drawn for the examples break no rule, with and without their inventory."""

from pathlib import Path

import pytest

from watcher.app.knowledge import load_catalogue
from watcher.app.plans import PlanOrder, draw, hear
from watcher.app.site import load_inventory
from watcher.model.alarm import Tally
from watcher.safety.check import check

EXAMPLES = Path(__file__).parents[2] / "deploy" / "examples"
CATALOGUE = load_catalogue()
PAIRS = {
    "alarm-technote.txt": "technote.yaml",
    "alarms-two-node-9.1.txt": "two-node-9.1.yaml",
    "alarms-single-node-11.5.txt": "single-node-11.5.yaml",
    "alarms-eight-node-12.5.txt": "eight-node-12.5-mixed.yaml",
    "alarms-release-15.txt": "release-15-multi-san.yaml",
}


def drawn(alarms, inventory=None):
    inputs = (str(EXAMPLES / alarms),)
    return draw(hear(PlanOrder(inputs=inputs, inventory=inventory), Tally()))


@pytest.mark.parametrize("alarms", PAIRS)
def test_an_example_with_its_inventory_is_safe(alarms):
    inventory = str(EXAMPLES / PAIRS[alarms])
    (cluster,) = load_inventory(inventory).clusters
    (plan,) = drawn(alarms, inventory)

    assert plan.cluster == cluster.name
    assert check(plan, cluster, CATALOGUE) == ()


@pytest.mark.parametrize("alarms", PAIRS)
def test_an_example_of_an_unknown_cluster_is_safe(alarms):
    (plan,) = drawn(alarms)

    assert check(plan, None, CATALOGUE) == ()

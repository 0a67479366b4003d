"""Plans for generated clusters pass the independent check, and spoiled ones do not pass unseen.

`make prove` does the same for 10,000 clusters.
"""

import os
import secrets
import time
from collections import Counter

import pytest
from builders import CATALOGUE, events
from prove import shortened
from proving.generator import alarms, document, inventory
from proving.harness import Examined, assumed, examined, names, safe_order
from proving.independent import judge
from proving.translation import faces_phones, translated

from watcher.inventory.loader import load
from watcher.planning import plan

SEED = os.environ.get("PROVE_SEED") or str(secrets.randbelow(10**6))
CLUSTERS = 300
SECONDS = 12.0
"""A busy machine examines fewer, and says how many."""


@pytest.fixture(scope="module")
def found() -> list[Examined]:
    """Return what came of the clusters of this run's seed."""
    began, made = time.process_time(), []
    for name in names(SEED, CLUSTERS):
        made.append(examined(name))
        if time.process_time() - began > SECONDS:
            break
    print(f"seed {SEED}: {len(made)} clusters")  # noqa: T201 -- shown when a test fails
    return made


def test_no_cluster_of_this_seed_is_at_fault(found):
    faults = {f'document("{one.name}")': one.faults for one in found if one.faults}

    assert not faults, f"seed {SEED}: {faults}"


def test_plans_are_issued_and_spoiled_orders_are_tried(found):
    outcomes = Counter(one.outcome for one in found)

    assert outcomes["proven"] > len(found) / 2, f"seed {SEED}: {outcomes}"
    assert sum(sum(one.spoiled.values()) for one in found) > 0, f"seed {SEED}"


def drawn(name):
    """Return the document of a name, and its plan as lines."""
    made = document(name)
    (one,) = plan(events(alarms(made)), load("generated.yaml", inventory(made)), CATALOGUE)
    return made | {"assume": assumed(one.proof)}, translated(one, made)


@pytest.mark.parametrize("name", ["c1-18", "c1-27", "c1-194"])
def test_a_plan_without_its_resets_is_refused_by_the_judge(name):
    made, lines = drawn(name)
    bare = [line for line in lines if not line.startswith("RESET")]

    assert faces_phones(lines)
    assert judge(made | {"steps": lines}).verdict == "safe"
    assert judge(made | {"steps": bare}).verdict == "refused"


def test_a_withheld_plan_is_looked_at_for_an_order_that_is_safe():
    single = document("c1-172")

    assert safe_order(single) == "rollback"


@pytest.mark.parametrize(("reason", "short"), [
    ("Step 3 (x): the key of pub is new [I-2; S2, S4]", "counter-example: I-2"),
    ("Phones of a do not come back (LOCKED_TOUCH): nobody.",
     "counter-example: phones do not come back (LOCKED_TOUCH)"),
    ("No token is at hand. Find one.", "No token is at hand."),
])  # fmt: skip
def test_reasons_are_counted_without_their_place(reason, short):
    assert short == shortened(reason)

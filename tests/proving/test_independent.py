"""The independent check agrees with the executed vectors, and the generator reaches everything."""

import itertools

import pytest
from builders import AS_OF, CATALOGUE, events, findings
from proving.generator import (
    KINDS,
    MODES,
    RELEASES,
    alarms,
    clusters,
    due,
    inventory,
    kind,
    mutations,
    plain_steps,
    rng,
)
from proving.independent import VALUES, branches, judge, named
from proving.vectors import VECTORS, document

from watcher.inventory.loader import load


def chosen(selection):
    """Return the names of the branches that a row of the table means."""
    every = [dict(zip(VALUES, one, strict=True)) for one in itertools.product(*VALUES.values())]
    wanted = {} if selection == "all" else selection
    if selection == "none":
        return set()
    return {named(one) for one in every if wanted.items() <= one.items()}


def rows(*keys):
    """Return the vectors that say something about one of these."""
    found = [row for row in VECTORS if any(key in row["expect"] for key in keys)]
    return pytest.mark.parametrize("row", found, ids=[row["name"] for row in found])


@rows("clean")
def test_a_good_procedure_breaks_nothing_and_strands_nobody(row):
    found = judge(document(row))

    assert (set(), {}) == (found.why, found.stranded)
    assert found.verdict == "safe"


@rows("broken", "unbroken")
def test_a_bad_order_breaks_what_the_table_says(row):
    found = judge(document(row))

    assert row["expect"].get("broken", set()) <= found.broken
    assert not row["expect"].get("unbroken", set()) & found.broken
    assert found.verdict == "refused"


@rows("stranded")
def test_phones_are_stranded_in_just_the_branches_of_the_table(row):
    found = judge(document(row))
    wanted = {group: chosen(where) for group, where in row["expect"]["stranded"].items()}

    assert {group: names for group, names in wanted.items() if names} == found.stranded


@rows("off")
def test_phones_that_were_off_work_in_just_the_branches_of_the_table(row):
    found = judge(document(row)).offline
    wanted = {group: chosen(where) for group, where in row["expect"]["off"].items()}

    assert wanted == {g: {name for name, ok in found[g].items() if ok} for g in wanted}


@rows("still", "only_windows", "last_window")
def test_windows_are_where_the_table_says(row):
    windows, expect = judge(document(row)).windows, row["expect"]

    assert not [group for group, _ in windows if group in expect.get("still", ())]
    assert set().union(*windows.values()) <= chosen(expect.get("only_windows", "all"))
    assert max((step for _, step in windows), default=0) <= expect.get("last_window", 99)


def test_some_vectors_have_windows():
    wanted = {row["name"] for row in VECTORS if "only_windows" in row["expect"]}

    assert wanted == {row["name"] for row in VECTORS
                      if row["name"] in wanted and judge(document(row)).windows}  # fmt: skip


def test_all_branches_are_told_although_few_are_executed():
    (row,) = [row for row in VECTORS if row["name"] == "TV-14"]
    sets = branches(document(row))

    assert len(sets) == 8
    assert chosen("all") == {named(branch) for _, alike in sets for branch in alike}


def test_an_assumption_leaves_branches_out():
    (row,) = [row for row in VECTORS if row["name"] == "TV-24"]
    found = judge(document(row) | {"assume": {"U1": "all"}})

    assert found.stranded == {}
    assert {"I-2"} <= found.broken


SOME = list(itertools.islice(clusters(1), 400))


def test_the_same_seed_gives_the_same_clusters():
    assert SOME[:20] == list(itertools.islice(clusters(1), 20))
    assert SOME[:20] != list(itertools.islice(clusters(2), 20))


def test_the_generator_reaches_every_release_mode_and_kind_of_phone():
    groups = [group for one in SOME for group in one["groups"]]

    assert set(RELEASES) == {one["cluster"]["release"] for one in SOME}
    assert set(MODES) == {one["cluster"]["mixed"] for one in SOME}
    assert set(KINDS) == {kind(group) for group in groups}
    assert set(range(1, 9)) == {len(one["cluster"]["nodes"]) for one in SOME}
    assert set(range(1, 13)) == {len(one["groups"]) for one in SOME}
    assert {(t, n) for t in (1, 2) for n in (1, 2, 3)} == {
        (len(group["tftp"]), len(group["cm_group"])) for group in groups
    }


def test_orders_of_the_generator_are_safe_and_are_refused():
    verdicts = [judge(one) for one in SOME[:150]]
    broken = set().union(*(one.broken for one in verdicts))

    assert {"safe", "refused"} == {one.verdict for one in verdicts}
    assert {"I-1", "I-2", "I-3", "I-4", "I-7", "I-8", "I-9", "I-13", "I-15"} <= broken


@pytest.mark.parametrize("number", range(0, 60, 3))
def test_an_order_means_the_same_when_its_blocks_are_spelled_out(number):
    made = SOME[number]
    whole, plain = judge(made), judge(made | {"steps": plain_steps(made)})

    assert (whole.broken, whole.stranded) == (plain.broken, plain.stranded)
    assert whole.offline == plain.offline


def test_a_spoiled_order_differs_by_a_step_or_by_two_places():
    steps = plain_steps(SOME[0])
    removed, swapped, merged = mutations(steps, rng("spoil"))

    assert len(steps) - 1 == len(removed) == len(merged)
    assert sorted(steps) == sorted(swapped)
    assert sum(line.startswith("RESET") for line in merged) + 1 == sum(
        line.startswith("RESET") for line in steps
    )


@pytest.mark.parametrize("number", range(0, 400, 8))
def test_an_inventory_loads_and_its_alarms_are_understood(number):
    made = SOME[number]
    known = load("generated.yaml", inventory(made))
    heard = events(alarms(made))
    found = findings(heard, *known.clusters, as_of=AS_OF)

    assert len(due(made)) == len(heard)
    assert {made["id"]} == {one.cluster for one in found}
    assert {store for store, _ in due(made)} == {one.store for one in found}
    assert len(made["groups"]) == len(known.clusters[0].phone_groups)


def test_every_store_that_phones_see_falls_due_somewhere():
    stores = {store for one in SOME for store, _ in due(one)}

    assert {"CallManager", "TVS", "CAPF", "ITLRecovery", "tomcat", "ipsec"} == stores
    assert stores <= set(CATALOGUE.stores)

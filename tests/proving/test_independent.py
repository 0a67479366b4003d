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
from proving.spelling import spelled
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


def told(steps, *, group, release="12.5", **cluster):
    """Return a document of two nodes with one group that differs from A."""
    row = {"release": release, "steps": steps, "groups": "A", "mixed": cluster.pop("mixed", None)}
    made = document(row)
    made["groups"][0] |= group
    made["cluster"] |= cluster
    return made


CAPF_FIRST = ["CAPF", "flush", "RESET"]
DOT1X = {"dot1x": "LSC", "lsc": 0}
SECURE = {"mode": "encrypted", "lsc": 0}
NEW_LSC = ["CAPF", "ctl_update", "flush", "RESET", "lsc_reissue A", "RESET"]


def test_radius_must_trust_the_new_issuer_before_phones_show_it():
    early = judge(told([*CAPF_FIRST, "lsc_reissue A", "RESET"], group=DOT1X))
    right = judge(told([*CAPF_FIRST, "tell RADIUS CAPF#1", "lsc_reissue A", "RESET"], group=DOT1X))

    assert {"I-1", "I-10"} == early.broken
    assert chosen("all") == early.stranded["A"]
    assert right.verdict == "safe"


def test_vpn_phones_must_know_the_next_headend_before_it_is_shown():
    vpn = {"vpn": True, "lsc": 0}
    known = ["upload_trust Phone-VPN-trust VPN#1", "RESET"]
    early = judge(told(["replace_headend VPN", *known], group=vpn))
    right = judge(told([*known, "replace_headend VPN", "RESET"], group=vpn))

    assert chosen("all") == early.stranded["A"]
    assert right.verdict == "safe"


def test_an_expired_capf_keeps_phones_down_until_they_have_new_lscs():
    idle = judge(told(["RESET"], group=SECURE, mixed="tokenless", expired=["CAPF#0"]))
    cured = judge(told(NEW_LSC, group=SECURE, mixed="tokenless", expired=["CAPF#0"]))

    assert {"I-15"} == idle.broken
    assert cured.verdict == "safe"


def test_phones_with_a_list_of_another_cluster_are_stranded_from_the_start():
    found = judge(told(["RESET"], group={"held": {"itl": "mismatch"}}))

    assert chosen("all") == found.stranded["A"]
    assert {("A", 1)} == found.barrier_failures


@pytest.mark.parametrize(("step", "invariant"), [
    ("delete TVS P", "I-14"), ("delete_trust ipsec-trust ipsec/P#0", "I-14"),
    ("delete_trust CAPF#0", "I-14"), ("rollback on", "I-8"), ("lsc_reissue A", "I-12"),
])  # fmt: skip
def test_single_steps_that_nobody_may_take(step, invariant):
    made = told(["stop CAPF P", step], group=SECURE, mixed="tokenless")

    assert invariant in judge(made).broken


def test_a_change_needs_a_backup_of_what_is_there():
    lines = ["TVS P", "bounce", "TVS S", "bounce"]
    bare = judge(told(lines, group={}, backups=[]))
    late = judge(told([lines[0], "drs_backup", *lines[1:]], group={}, backups=[]))
    early = judge(told(["drs_backup", *lines], group={}, backups=[]))

    assert [{"I-11"}, {"I-11"}, set()] == [bare.broken, late.broken, early.broken]


@pytest.mark.parametrize(("line", "plain"), [
    ("CM P,S", ["regen CallManager P", "regen CallManager S"]),
    ("ITLR", ["regen ITLRecovery P"]),
    ("CAPF", ["regen CAPF P"]),
    ("upload_signed CallManager cluster", ["upload_signed CallManager cluster"]),
    ("upload_trust CallManager-trust CAPF#0", ["upload_trust CallManager-trust CAPF#0"]),
    ("delete_trust CAPF#0", ["delete_trust CAPF#0"]),
    ("delete_trust CAPF-trust CAPF#0", ["delete_trust CAPF-trust CAPF#0"]),
    ("flush(S)", ["restart TVS S", "restart TFTP S"]),
    ("bounce(P)", ["restart TVS P", "restart TFTP P", "restart CCM P", "RESET+WAIT"]),
    ("restart TVS S, P", ["restart TVS S", "restart TVS P"]),
    ("RESET", ["RESET+WAIT"]), ("RESET A,B", ["RESET A,B"]),
    ("rollback(true)", ["rollback on"]), ("rollback off", ["rollback off"]),
    ("tell RADIUS CAPF", ["tell RADIUS CAPF"]), ("verify show itl", ["verify"]),
])  # fmt: skip
def test_short_forms_mean_the_written_out_ones(line, plain):
    assert plain == spelled([line], told([], group={}))


def test_a_line_that_is_no_step_is_an_error():
    with pytest.raises(ValueError, match="no such step: reboot"):
        judge(told(["reboot P"], group={}))


def test_an_invariant_accepted_in_writing_refuses_nothing():
    made = told(["CM P", "CM S", "bounce"], group={}, release="9.1") | {"accept": ["I-3"]}

    assert (judge(made).broken, judge(made).verdict) == ({"I-3"}, "safe")


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
    verdicts = [judge(one) for one in SOME[:90]]
    broken = set().union(*(one.broken for one in verdicts))

    assert {"safe", "refused"} == {one.verdict for one in verdicts}
    assert {"I-1", "I-2", "I-3", "I-4", "I-7", "I-8", "I-9", "I-13", "I-15"} <= broken


@pytest.mark.parametrize("number", range(0, 60, 3))
def test_an_order_means_the_same_when_its_blocks_are_spelled_out(number):
    made = SOME[number]
    whole, plain = judge(made), judge(made | {"steps": plain_steps(made)})

    assert (whole.broken, whole.stranded) == (plain.broken, plain.stranded)
    assert whole.offline == plain.offline


@pytest.mark.parametrize("number", [1, 5, 12, 23])
def test_branches_that_are_not_executed_make_no_difference(number):
    made = SOME[number] | {"groups": SOME[number]["groups"][:3]}
    every = [dict(zip(VALUES, one, strict=True)) for one in itertools.product(*VALUES.values())]
    single = [judge(made | {"assume": branch}) for branch in every]
    whole = judge(made)

    assert set().union(*(one.why for one in single)) == whole.why
    for group in made["groups"]:
        name = group["name"]
        lost = set().union(*(one.stranded.get(name, set()) for one in single))

        assert lost == whole.stranded.get(name, set())


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

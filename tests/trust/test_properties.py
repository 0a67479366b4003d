"""What holds for every order: names and neighbours do not matter, twice is the same."""

from hypothesis import given, settings
from hypothesis import strategies as st
from trust.ground import GROUPS, scenario

from watcher.orders.record import record
from watcher.trust.prove import prove

RELEASES = st.sampled_from(["9.1", "10.5(1)", "11.5", "12.5", "15"])
STEPS = st.sampled_from(
    ["CM P", "CM S", "TVS P", "TVS S", "CAPF", "ITLR", "flush", "bounce", "RESET", "auto_reset",
     "restart TVS P", "restart TFTP P", "restart CCM S", "stop TFTP P", "start TFTP P",
     "ctl_update", "ctl_localkey", "itl_localkey", "rollback on", "rollback off", "lsc_reissue",
     "drs_backup", "drs_restore"]
)  # fmt: skip
ORDERS = st.lists(STEPS, min_size=1, max_size=8).map("; ".join)
MIXED = st.sampled_from(["null", "tokenless"])
NAMES = st.lists(st.sampled_from("ABCTEJX"), min_size=1, max_size=4, unique=True)


def told(release, groups, order, mixed):
    made = scenario(release, " ".join(groups), order, mixed=mixed)
    return record(made, prove(made))


def fates(data, groups):
    """Return what a verdict says of some groups."""
    return [
        (data["stranded"].get(name), data["offline"][name], data["rescue"].get(name),
         [step["groups"][name]["accepted"] for step in data["trace"]] if len(groups) == 1 else 0)
        for name in groups
    ]  # fmt: skip


@settings(deadline=None, max_examples=40)
@given(RELEASES, NAMES, ORDERS, MIXED)
def test_proving_twice_says_the_same(release, groups, order, mixed):
    assert told(release, groups, order, mixed) == told(release, groups, order, mixed)


@settings(deadline=None, max_examples=40)
@given(RELEASES, NAMES, ORDERS, MIXED)
def test_a_neighbour_does_not_matter(release, groups, order, mixed):
    alone, beside = (told(release, names, order, mixed) for names in (groups[:1], groups))

    assert alone["stranded"] == {k: v for k, v in beside["stranded"].items() if k == groups[0]}
    assert alone["offline"] == {groups[0]: beside["offline"][groups[0]]}
    assert set(alone["broken"]) <= set(beside["broken"])


@settings(deadline=None, max_examples=40)
@given(RELEASES, NAMES, ORDERS, MIXED)
def test_a_group_that_is_off_changes_nothing_for_others(release, groups, order, mixed):
    alone, beside = (told(release, names, order, mixed) for names in (groups, [*groups, "Z"]))

    assert fates(alone, groups) == fates(beside, groups)
    assert "Z" not in beside["stranded"]


@settings(deadline=None, max_examples=40)
@given(RELEASES, st.sampled_from("ABCTEJ"), ORDERS, MIXED)
def test_a_twin_under_another_name_fares_alike(release, group, order, mixed):
    GROUPS["twin"] = GROUPS[group].replace(f"name: {group}", "name: twin")
    data = told(release, [group, "twin"], order, mixed)
    first, second = fates(data, [group, "twin"])

    assert first == second


@settings(deadline=None, max_examples=40)
@given(RELEASES, st.sampled_from("ABCTEJ"), ORDERS, MIXED)
def test_a_reset_at_the_end_never_loses_a_phone(release, group, order, mixed):
    before = told(release, [group], order, mixed)
    after = told(release, [group], f"{order}; RESET", mixed)

    assert set(after["stranded"]) <= set(before["stranded"])

"""No order of work needs fewer phone resets than the plan: searched for on small clusters.

`python tests/proving/brute.py` prints the whole table.
"""

import pytest
from proving.brute import Search, cases, cluster, compared, row

CM, TVS = [("CallManager", "pub"), ("CallManager", "sub")], [("TVS", "pub"), ("TVS", "sub")]
CAPF, RECOVERY = [("CAPF", "pub")], [("ITLRecovery", "pub")]


@pytest.mark.parametrize(("release", "mixed", "groups", "due"), [
    ("9.1", None, "A", CM), ("9.1", None, "A", TVS), ("9.1", None, "A", CAPF + CM),
    ("9.1", None, "T", CM[:1]), ("9.1", None, "B", CM[:1] + TVS[:1]), ("11.5", None, "C", CM),
    ("12.5", None, "A", RECOVERY), ("12.5", None, "AT", CM + TVS), ("15", None, "AB", CAPF + TVS),
    ("10.5(2)", "tokenless", "E", CM[:1]), ("11.5", "tokenless", "E", CM[1:]),
    ("12.5", "tokenless", "EJ", RECOVERY), ("15", "tokenless", "EJ", CAPF + CM),
    ("9.1", "etoken", "E", CM + TVS),
])  # fmt: skip
def test_no_order_has_fewer_resets_than_the_plan(release, mixed, groups, due):
    one = compared(cluster(release, mixed, groups, due), seconds=5)

    assert one.verdict == "equal", row(one)


@pytest.mark.parametrize("release", ["10.5(2)", "11.5"])
def test_the_detour_of_one_server_has_no_reset_too_many(release):
    one = compared(cluster(release, "tokenless", "E", CAPF + CM[:1], nodes=1), seconds=5)

    assert (one.verdict, one.resets) == ("equal", 2), row(one)


@pytest.mark.parametrize(("due", "resets"), [(CAPF + CM[:1], 2), (CM, 2), (CM[1:], 1)])
def test_a_lone_server_beside_the_publisher_has_no_reset_too_many(due, resets):
    made = cluster("11.5", "tokenless", "E", due)
    made["cluster"]["nodes"][0]["roles"].remove("TFTP")
    made["groups"][0]["tftp"] = ["sub"]

    one = compared(made, seconds=10)

    assert (one.verdict, one.resets) == ("equal", resets), row(one)


def test_the_search_finds_an_order_where_there_is_one():
    found = Search(cluster("9.1", None, "A", CM[:1]), 10).fewest(1)

    assert found is not None
    assert (1, 1) == (found[0], found[1].count("RESET+WAIT"))


def test_the_search_finds_none_where_there_is_none():
    assert Search(cluster("9.1", None, "A", CM), 10).fewest(1) is None


def test_the_table_holds_every_cluster_of_the_list():
    told = [(len(one["cluster"]["nodes"]), one["cluster"]["release"]) for one in cases()]

    assert {(n, r) for n in (1, 2) for r in ("9.1", "10.5(2)", "11.5", "12.5", "15")} == set(told)

"""Open questions: every combination is covered, and what nobody asked is not walked again."""

from dataclasses import replace

import pytest
from trust.ground import proved, scenario

from watcher.orders.record import record
from watcher.trust.branch import UNKNOWNS, Branch, branches, pattern
from watcher.trust.prove import prove
from watcher.trust.world import begin


def test_every_combination_of_open_questions_is_a_branch():
    found = list(branches(dict.fromkeys(UNKNOWNS)))

    assert len(found) == len(set(found)) == 2 ** len(UNKNOWNS)


def test_an_answered_question_keeps_its_answer():
    found = list(branches({"U1": "all", "U2": None}))

    assert {branch.answers["U1"] for branch in found} == {"all"}
    assert {branch.answers["U2"] for branch in found} == {"at_once", "at_restart"}


def test_the_first_branch_is_the_careful_one():
    assert next(branches(dict.fromkeys(UNKNOWNS))) == Branch()
    assert set(Branch().answers.values()) == {unknown.careful for unknown in UNKNOWNS.values()}


COVERED = [("9.1", "null", "two", 8), ("9.1", "null", "one", 4), ("10.5", "null", "two", 16),
           ("12.5", "null", "two", 8), ("12.5", "tokenless", "two", 32),
           ("11.5", "tokenless", "two", 64)]  # fmt: skip


@pytest.mark.parametrize(("release", "mixed", "nodes", "number"), COVERED)
def test_questions_that_can_matter_are_asked(release, mixed, nodes, number):
    group = "K" if nodes == "one" else "A"

    assert proved(release, group, "RESET", mixed=mixed, nodes=nodes).combinations == number


def test_u10_is_asked_where_something_is_past_its_date():
    verdict = proved("9.1", "A", "RESET", more=", expired: ['TVS/S#0']")

    assert verdict.combinations == 16


ORDERS = [
    "CM P; CM S; ctl_update; bounce", "CM P; CM S; bounce", "ITLR; ctl_update; flush; RESET",
    "CAPF; ctl_update; flush; RESET; lsc_reissue E; RESET", "TVS P,S; bounce",
]  # fmt: skip


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("release", ["10.5(1)", "11.5", "12.5"])
def test_leaving_out_what_nobody_asked_changes_no_verdict(order, release):
    given = scenario(release, "A E J", order, mixed="tokenless")
    brief, full = (record(given, prove(given, thorough=thorough)) for thorough in (False, True))

    assert brief["walked"] < full["walked"]
    assert {**brief, "walked": 0} == {**full, "walked": 0}


def test_an_assumption_halves_the_branches_and_is_named():
    verdict = proved("9.1", "B", "stop TFTP P; CM P; flush; RESET; start TFTP P; RESET",
                     top="assume: {U1: all}")  # fmt: skip

    assert verdict.combinations == 4
    assert verdict.assumed == {"U1": "all"}


def test_a_pattern_is_what_all_found_share_and_not_all_have():
    among = list(branches({"U1": None, "U2": None}))

    assert pattern(among[:2], among) == {"U1": "own"}
    assert pattern(among, among) == {}
    assert pattern([], among) == {}


def test_a_copy_of_the_cluster_goes_its_own_way():
    world = begin(scenario("12.5", "E", "RESET", mixed="tokenless"), Branch())
    twin = world.copy()
    before = (world.current("TVS", "P"), set(world.up), list(world.backups), dict(world.tftp))
    twin.renew("TVS", "P")
    twin.up.clear()
    twin.backups.clear()
    twin.tftp.clear()

    assert (world.current("TVS", "P"), world.up, world.backups, world.tftp) == before
    assert twin.current("TVS", "P") != before[0]


def test_a_scenario_is_not_changed_by_its_proof():
    given = scenario("9.1", "A B", "CM P; CM S; bounce")
    twin = replace(given)
    prove(given)

    assert given == twin

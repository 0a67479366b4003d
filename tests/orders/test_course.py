"""What is shown of a phone group is the worst over all branches, not of one that was picked."""

import pytest
from orders.desk import file_of
from trust.ground import scenario as small

from watcher.orders.course import after, courses, ways
from watcher.orders.reader import read
from watcher.orders.record import record
from watcher.orders.text import text
from watcher.trust.branch import UNKNOWNS, branches
from watcher.trust.prove import prove
from watcher.trust.walk import Memory, start

ORDERS = [
    ("9.1", "B", "stop TFTP P; CM P; TVS P; restart TVS P,S; RESET+WAIT", "null"),
    ("9.1", "A B T", "CM P; TVS P; restart TVS; flush; RESET", "null"),
    ("10.5(1)", "E J", "CM P; ctl_update; bounce", "tokenless"),
    ("12.5", "E M Z", "CAPF; ctl_update; flush; RESET; lsc_reissue E; RESET", "tokenless"),
]


def every_branch(scenario):
    """Yield each branch walked by itself, with every open question left open."""
    for branch in branches(dict.fromkeys(UNKNOWNS)):
        walk = start(scenario, branch, Memory(), scenario.groups)
        walk.go()
        yield walk


@pytest.mark.parametrize(("release", "groups", "order", "mixed"), ORDERS)
def test_each_moment_is_as_bad_as_in_the_worst_branch(release, groups, order, mixed):
    scenario = small(release, groups, order, mixed=mixed)
    fared = courses(prove(scenario))
    walks = list(every_branch(scenario))
    for place, group in enumerate(scenario.groups):
        for number in (0, *(step.number for step in scenario.steps)):
            found = [after(walk.crowds[place].history, number) for walk in walks]
            shown = after(fared[group.name].worst, number)

            assert shown.accepted == all(one.accepted for one in found)
            assert shown.registered == all(one.registered for one in found)
            assert len(ways(shown)) == (
                min(len(ways(one)) for one in found) if shown.accepted else 0
            )


@pytest.mark.parametrize(("release", "groups", "order", "mixed"), ORDERS)
def test_who_is_lost_is_who_the_verdict_says(release, groups, order, mixed):
    scenario = small(release, groups, order, mixed=mixed)
    verdict = prove(scenario)
    lost = {name for name, course in courses(verdict).items() if course.lost}

    assert lost == {stranded.group for stranded in verdict.stranded}


def test_the_branch_in_which_phones_are_lost_first_is_told():
    scenario = small(*ORDERS[0][:3])
    verdict = prove(scenario)
    told = text(scenario, verdict)

    assert [one["step"] for one in record(scenario, verdict)["since"]["B"]] == [3, 4]
    assert "Since step 3 (TVS P) one that is reset" in told
    assert "From step 3 on if U1 = own and U3 = at_once; from step 4 on if U1 = own." in told
    assert "after steps 3 to 5: B: nobody it trusts signed the ITL" in told
    assert "every combination" not in told


def test_every_combination_is_said_where_it_is_every_one():
    scenario = small("9.1", "M", "CM P; flush; RESET")
    since = record(scenario, prove(scenario))["since"]["M"]
    told = text(scenario, prove(scenario))

    assert [(one["step"], one["combinations"], one["branches"]) for one in since] == [(0, 8, {})]
    assert "In every combination of undocumented behaviour." in told


def test_words_name_what_the_file_has():
    given = file_of("CM S", "flush", "RESET", release="9.1", mixed="null")
    given = given.replace("cm_group: [S, P]}", "cm_group: [S, P], held: {itl: mismatch}}")
    given = given.replace(", mode: encrypted, dot1x: LSC", "").replace("name: P,", "name: cucm1,")
    scenario = read("x", given.replace("P]", "cucm1]").replace("[P,", "[cucm1,"))
    told = text(scenario, prove(scenario))

    assert "stranger" not in told
    assert "It holds the list of another cluster." in told
    assert "CallManager/cucm1#0 is the certificate of node cucm1" in told
    assert "Before the first step: " in told
    assert "At before" not in told

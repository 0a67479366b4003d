"""Strangers open so many cases an hour and no more; known certificates always open theirs."""

import pytest
from builders import cluster
from cases.life import DAY, GRAZ, HOUR, NOW, directory, event, node

from watcher.cases.storm import Budget, StormLimits
from watcher.model.message import Grade

LIMITS = StormLimits(claimed_per_hour=3, claimed_total=5, named_per_hour=2, named_total=9)


def budget(**values):
    return Budget(**({"standing": GRAZ.standing, "limits": LIMITS} | values))


def stranger(number):
    return event(node=f"x{number}").case


def ca(number):
    return event(store="tomcat-trust", certificate=f"Odd_CA_{number}.der").case


def allowed(at, keys, now=NOW, grade=Grade.CLAIM):
    return [at.allows(key, now, grade) for key in keys]


def test_strangers_have_a_budget_for_the_hour():
    desk = budget()

    assert allowed(desk, map(stranger, range(5))) == [True, True, True, False, False]
    assert allowed(desk, [stranger(9)], NOW + HOUR - DAY / 86400) == [False]
    assert allowed(desk, map(stranger, range(9, 12)), NOW + HOUR) == [True, True, False]


def test_and_one_in_all_that_resolved_cases_give_back():
    desk = budget(total={(GRAZ.standing(stranger(1)), Grade.CLAIM): 5})

    assert allowed(desk, [stranger(1)]) == [False]
    desk.closed(stranger(0))
    assert allowed(desk, [stranger(1), stranger(2)]) == [True, False]


def test_names_of_files_have_another():
    desk = budget()

    assert allowed(desk, map(ca, range(3))) == [True, True, False]
    assert allowed(desk, [stranger(0)]) == [True]


def test_forged_datagrams_take_nothing_from_a_proven_sender():
    desk = budget()
    allowed(desk, map(stranger, range(9)))

    assert allowed(desk, [stranger(10)], grade=Grade.ATTRIBUTED) == [True]


def test_500_certificates_of_known_nodes_are_500_cases():
    nodes = [node(f"n{number}") for number in range(100)]
    where = directory(cluster(*nodes))
    stores = ("tomcat", "CallManager", "TVS", "CAPF", "ipsec")
    keys = {event(where, node=one.name, store=store).case for one in nodes for store in stores}
    desk = budget(standing=where.standing)

    assert len(keys) == 500
    assert all(allowed(desk, keys))
    assert desk.notice(NOW + HOUR) is None


def test_one_notice_for_an_hour_says_how_much_was_held_back():
    desk = budget()
    allowed(desk, [*map(stranger, range(10)), *map(ca, range(10))])

    assert desk.notice(NOW) is None
    notice = desk.notice(NOW + HOUR)
    assert (notice.opened, notice.held) == (5, 15)
    assert str(notice) == (
        "Storm: since 2026-11-20 01:01 UTC 5 new cases were opened and 15 alarms held back "
        "(7 claimed of grade 0, 8 named of grade 0); they are in quarantine."
    )
    assert desk.notice(NOW + HOUR) is None
    assert desk.notice(NOW + 2 * HOUR) is None


@pytest.mark.parametrize("step", [-400 * DAY, 400 * DAY])
def test_a_clock_that_jumps_neither_locks_nor_loses_the_notice(step):
    desk = budget(limits=StormLimits(claimed_per_hour=1))
    allowed(desk, map(stranger, range(4)))

    assert allowed(desk, [stranger(5)], NOW + step) == [True]
    assert desk.notice(NOW + step).held == 3


def test_however_many_names_come_a_few_counters_are_kept():
    desk = budget()
    key = stranger(0)
    opened = sum(desk.allows(key, NOW) for _ in range(100_000))

    assert opened == LIMITS.claimed_per_hour
    assert len(desk._accounts) == 1  # noqa: SLF001 -- the point

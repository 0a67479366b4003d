"""A small `make crash`: everything once, in the suite."""

import asyncio

import crash
import pytest
from killing.cycles import Figures
from killing.numbered import CASES, alarm, mail, numbers_in
from killing.points import taking_in

SMALL = crash.Order(seed=20, cycles=20, times=1, acknowledged=3_000, bug_cycles=24)


@pytest.fixture(scope="module")
def figures(tmp_path_factory):
    made, _ = asyncio.run(crash.run(replaced(bugs=()), tmp_path_factory.mktemp("crash")))
    return made


def replaced(**changes):
    return crash.Order(**{name: getattr(SMALL, name) for name in SMALL.__slots__} | changes)


@pytest.mark.timeout(600)
def test_nothing_accepted_is_lost_and_nothing_doubled(figures: Figures):
    assert [] == figures.audit.faults
    assert (0, 0, 0) == (figures.audit.lost, figures.audit.doubled, figures.audit.unread)
    assert figures.acknowledged >= SMALL.acknowledged
    assert crash.LANES * CASES == figures.audit.cases


@pytest.mark.timeout(600)
def test_every_named_point_was_died_at(figures: Figures):
    assert set(taking_in()) == set(figures.points)
    assert SMALL.cycles == figures.kills.total()


@pytest.fixture(scope="module")
def hunted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bugs")

    async def hunt_all():
        return await asyncio.gather(*(crash.hunt(SMALL, bug, folder) for bug in crash.BUGS))

    return dict(zip(crash.BUGS, asyncio.run(hunt_all()), strict=True))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("bug", crash.BUGS)
def test_a_seeded_bug_is_found(bug, hunted):
    """Else the tests above could not fail."""
    assert hunted[bug]


def test_numbers_are_events_of_their_own():
    texts = {alarm(number).partition(b"number")[0] for number in range(3000)}

    assert 3000 == len(texts)
    assert [[2999], [2999]] == [numbers_in(alarm(2999)), numbers_in(mail(2999))]

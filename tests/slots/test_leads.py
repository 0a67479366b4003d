from zoneinfo import ZoneInfo

import pytest
from slots.samples import NOW, at, cluster, finding, plan, step, window

from watcher.errors import InputError
from watcher.inventory.loader import load
from watcher.inventory.schema import LeadTimes
from watcher.slots.leads import Asked, after_working_days, leads
from watcher.slots.recommend import recommend

VIENNA = ZoneInfo("Europe/Vienna")
NOTHING = Asked(signed=False, signing=0)
WEEK = ("mon", "tue", "wed", "thu", "fri")


@pytest.mark.parametrize(
    ("now", "days", "until"),
    [
        ("2026-11-23 08:00", 0, "2026-11-23 08:00"),
        ("2026-11-23 08:00", 1, "2026-11-24 08:00"),
        ("2026-11-27 08:00", 1, "2026-11-30 08:00"),
        ("2026-11-28 08:00", 1, "2026-11-30 23:00"),
        ("2026-10-23 08:00", 1, "2026-10-26 09:00"),
    ],
)
def test_working_days_keep_the_time_of_day(now, days, until):
    assert after_working_days(at(now), days, WEEK, VIENNA) == at(until)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-11-23 08:00", "2026-11-29 23:00"),
        ("2026-11-25 11:00", "2026-11-29 23:00"),
        ("2026-11-25 11:01", "2026-12-06 23:00"),
    ],
)
def test_a_cut_off_that_is_missed_waits_for_the_next(now, until):
    board = {"cut_off_day": "wed", "cut_off_time": "12:00", "days": 5}
    (lead,) = leads(LeadTimes.model_validate({"board": board}), NOTHING, at(now), VIENNA)

    assert lead.until == at(until)


def test_a_ca_takes_time_only_where_one_signs():
    times = LeadTimes.model_validate({"ca": 3})
    signed = leads(times, Asked(signed=True, signing=1440), NOW, VIENNA)

    assert leads(times, NOTHING, NOW, VIENNA) == ()
    assert [lead.until for lead in signed] == [at("2026-11-26 08:00")]


def test_the_plans_own_minutes_count_where_the_ca_is_not_known():
    steps = [step(1, "request", 1440), step(2, "upload", 60, store="tomcat")]
    site = cluster(window(WEEK, "08:00", "20:00"))
    found = recommend(plan(steps, [finding(at("2026-12-20 12:00"))]), site, NOW)

    assert (found.minutes, found.starts) == (60, at("2026-11-24 08:00"))


BOARD = "version: 1\nclusters:\n  - name: hq\n    lead_times:\n      board: {%s}\n"


@pytest.mark.parametrize("board", ["", "days: 3", "working_days: 2, days: 3", "cut_off_day: wed"])
def test_half_a_board_is_refused_with_its_place(board):
    with pytest.raises(InputError) as caught:
        load("site.yaml", BOARD % board)

    assert str(caught.value).startswith("site.yaml:5")
    assert "working_days alone" in str(caught.value)

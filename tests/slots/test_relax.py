"""What would yield a slot where none fits, and that the cheapest is named first."""

from datetime import timedelta

import pytest
from slots.samples import NOW, at, cluster, phased, simple, window

from watcher.slots.recommend import recommend

SATURDAYS = window(["sat"], "22:00", "02:00")
SEASON = [{"first": "2026-11-20", "last": "2027-01-06", "reason": "season"}]
CHRISTMAS = at("2026-12-20 12:00")


def helps(change, *windows, **site):
    found = recommend(change, cluster(*windows, **site), NOW).relaxations
    return [(one.what, one.cost) for one in found]


def test_a_blackout_of_a_season_and_a_window_too_short():
    first, *_ = helps(simple(300, CHRISTMAS), SATURDAYS, blackouts=SEASON)
    shut = "an exception from the blackout on 2026-11-29"

    assert first == (
        f"{shut}, and make the window of Sat 2026-11-28 22:00 longer by 3 h 00 min",
        14,
    )


def test_two_phases_in_two_separate_nights_of_a_blackout():
    found = helps(phased(230, 230, ends=CHRISTMAS), SATURDAYS, blackouts=SEASON)

    assert (
        "an exception from the blackout on 2026-11-28, 2026-11-29, 2026-12-05 and 2026-12-06", 32,
    ) in found  # fmt: skip


def test_an_end_today_leaves_an_hour_of_notice():
    assert helps(simple(100, at("2026-11-23 12:00")), SATURDAYS) == [
        ("an extra window of 1 h 40 min on Mon 2026-11-23 10:00", 8)
    ]


def test_an_end_in_minutes_leaves_none():
    assert helps(simple(100, at("2026-11-23 10:00")), SATURDAYS) == [
        ("an extra window of 1 h 40 min on Mon 2026-11-23 09:00", 8)
    ]


def extra(end, minutes):
    """Return the extra windows that are told so many minutes later."""
    found = recommend(
        simple(100, at(end)), cluster(SATURDAYS), NOW + timedelta(minutes=minutes)
    ).relaxations
    return [one.what for one in found]


def test_an_extra_window_does_not_follow_the_clock_in_quarters_of_an_hour():
    told = {text for minutes in (5, 20, 35, 50) for text in extra("2026-11-23 12:00", minutes)}

    assert {"an extra window of 1 h 40 min on Mon 2026-11-23 11:00"} == told


def test_an_extra_window_begins_at_a_quarter_where_the_full_hour_is_too_late():
    assert ["an extra window of 1 h 40 min on Mon 2026-11-23 10:15"] == extra("2026-11-23 11:00", 5)


def test_an_end_in_days_has_an_extra_window_at_the_usual_hour_and_not_tonight():
    found = helps(simple(300, at("2026-11-27 12:00")), SATURDAYS)

    assert found == [("an extra window of 5 h 00 min on Tue 2026-11-24 22:00", 11)]


def test_two_windows_are_made_longer_where_one_is_not_enough():
    long = window(["sat"], "22:00", "02:00"), window(["sun"], "22:00", "02:00")

    assert helps(phased(250, 250, ends=at("2026-11-30 12:00")), *long)[0] == (
        "make the windows of Sat 2026-11-28 22:00 and Sun 2026-11-29 22:00 longer by 20 min", 2,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("margin", "told"),
    [(1, "skip the margin of 1 d"), (7, "cut 1 d of the margin of 7 d")],
)
def test_of_the_margin_no_more_is_given_up_than_need_be(margin, told):
    ends = at("2026-11-30 00:00") if margin == 1 else at("2026-12-05 12:00")
    found = helps(simple(230, ends), SATURDAYS, margin_days=margin)

    assert (told, 3) in found


def test_half_of_a_pair_is_no_larger_than_need_be():
    found = helps(
        simple(100, at("2026-12-05 12:00")), SATURDAYS, margin_days=7,
        blackouts=[{"first": "2026-11-24", "last": "2026-12-31", "reason": "season"}],
    )  # fmt: skip

    assert found[0] == (
        "cut 1 d of the margin of 7 d, and an exception from the blackout on 2026-11-28", 11,
    )  # fmt: skip


def test_many_windows_are_told_by_the_first_and_the_last():
    nights = window(["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "22:00", "02:00")
    found = helps(phased(*[250] * 6, ends=CHRISTMAS), nights)

    between = "from Tue 2026-11-24 22:00 to Sun 2026-11-29 22:00"

    assert found[0] == (f"make the windows of 6 nights {between} longer by 20 min", 6)


def test_a_shorter_lead_time_is_told_by_when_work_may_begin_then():
    """The inventory counts working days, the search days of the calendar."""
    site = cluster(SATURDAYS, lead_times={"board": {"working_days": 8}})
    found = recommend(simple(100, at("2026-12-01 12:00")), site, NOW).relaxations
    begin = "shorten the lead time of the change board, so that work may begin on"

    assert f"{begin} Sat 2026-11-28 09:00" == found[-1].what
    assert found[0].what.startswith(f"{begin} Mon 2026-11-30 09:00, and an extra window")

"""A schedule in words and as a strip."""

from zoneinfo import ZoneInfo

import pytest
from slots.samples import NOW, at, cluster, phased, simple, window

from watcher.slots.recommend import recommend
from watcher.slots.text import lines, rows, strip, told

VIENNA = ZoneInfo("Europe/Vienna")
SATURDAYS = window(["sat"], "22:00", "04:00")


def test_the_length_is_that_of_all_windows():
    work = phased(240, 240, ends=at("2026-12-20 12:00"))
    found = recommend(work, cluster(SATURDAYS), NOW)
    total = sum(slot.minutes for slot in found.slots)

    assert 2 == len(found.slots)
    assert (
        f"The work takes {total // 60} h {total % 60:02d} min in 2 windows, 8 h 10 min in one."
        == lines(found)[1]
    )


def test_the_length_of_one_window_is_told_once():
    found = recommend(simple(100, at("2026-12-20 12:00")), cluster(SATURDAYS), NOW)

    assert "The work takes 1 h 40 min in one window." == lines(found)[1]


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        ("2027-10-31 00:30", "Sun 2027-10-31 02:30 CEST"),
        ("2027-10-31 01:30", "Sun 2027-10-31 02:30 CET"),
        ("2027-10-31 02:30", "Sun 2027-10-31 03:30"),
        ("2027-03-28 01:30", "Sun 2027-03-28 03:30"),
    ],
)
def test_a_time_that_clocks_show_twice_has_the_letters_of_its_zone(moment, shown):
    assert shown == told(at(moment), VIENNA)


def test_the_end_of_a_slot_has_them_too():
    site = cluster(window(["sun"], "01:00", "03:30"))
    found = recommend(simple(150, at("2027-11-06 12:00")), site, at("2027-10-30 12:00"))

    assert "Sun 2027-10-31 01:00 - 02:30 CET" == rows(found)[0][2]


def days_of(found):
    """Return the letters of the weeks, by the day of the month."""
    letters = {}
    for line in strip(found)[1:-1]:
        first = int(line[8:10])
        letters |= {first + n: letter for n, letter in enumerate(line[12::2])}
    return letters


def test_what_a_blackout_leaves_of_a_window_is_shown_on_its_day():
    """The night of Friday loses its beginning; that of Saturday is whole."""
    nights = window(["fri", "sat"], "22:00", "04:00")
    blackout = {"first": "2026-11-24", "last": "2026-11-27", "reason": "Freeze"}
    found = recommend(
        simple(330, at("2026-12-20 12:00")), cluster(nights, blackouts=[blackout]), NOW
    )
    letters = days_of(found)

    assert {24: "x", 27: "x", 28: "S"} == {day: letters[day] for day in (24, 27, 28)}
    short = recommend(
        simple(330, at("2026-12-20 12:00")),
        cluster(window(["fri"], "22:00", "04:00"), blackouts=[blackout]), NOW,
    )  # fmt: skip
    assert "=" == days_of(short)[28]

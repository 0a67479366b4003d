"""What a plan says of windows that are shorter than its work."""

import pytest
from slots.samples import at, cluster, phased, plan, step, window

from watcher.slots.advice import advice, longest_window

SATURDAYS = window(["sat"], "22:00", "04:00")
ENDS = at("2026-12-20 12:00")
LONGEST = "The longest maintenance window is 6 h 00 min:"


def said(change, **site):
    return advice(change.steps, cluster(SATURDAYS, **site))


def test_work_that_fits_needs_no_advice():
    assert said(phased(350, ends=ENDS)) == ""


def test_work_that_is_longer_is_cut_after_its_gates():
    assert said(phased(240, 240, 200, ends=ENDS)) == (
        f"{LONGEST} cut the work after a gate (steps 3, 5), and begin the next window with the "
        "checks and a backup."
    )


def test_where_a_piece_fits_nowhere_no_cut_is_advised():
    assert said(phased(240, 400, ends=ENDS)) == (
        f"{LONGEST} steps 4-5, which nothing divides, take 6 h 50 min and fit in none; "
        "ask watcher schedule what would help."
    )


def test_without_gates_the_cut_is_between_stores():
    steps = [
        step(1, "regenerate", 200, block="one", store="one"),
        step(2, "restart", 10, block="one"),
        step(3, "regenerate", 200, block="two", store="two"),
    ]

    assert "cut the work between two stores (after step 2)" in said(plan(steps, []))


def test_of_windows_in_calendars_a_plan_knows_nothing():
    assert said(phased(240, 240, ends=ENDS), calendars=["windows.ics"]) == ""


@pytest.mark.parametrize(
    ("windows", "minutes"),
    [([], None), ([SATURDAYS], 360), ([window(["sat"], "22:00", "21:30")], 1410),
     ([window(["sat"], "20:00", "00:00"), window(["sun"], "00:00", "04:00")], 480)],
)  # fmt: skip
def test_windows_that_touch_are_one(windows, minutes):
    assert longest_window(cluster(*windows)) == minutes

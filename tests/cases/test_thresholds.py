"""Each mark before the end is told once in a round; a person's word silences all but the end."""

from dataclasses import replace

import pytest
from cases.life import DAY, HOUR, NOW, case_of, event
from cases.test_states import ACKNOWLEDGED, PLANNED, QUIET, REGRESSED, RESOLVED
from hypothesis import given
from hypothesis import strategies as st

from watcher.cases.thresholds import DAYS, crossings
from watcher.model.case import Case

CASE = case_of(event())
END = CASE.end_earliest


def ending(case: Case, left) -> Case:
    return replace(case, end_earliest=NOW + left)


def told_and_silent(case, told=(), now=NOW, **options):
    found = crossings(case, told, now, **options)
    return [c.days for c in found if not c.silent], [c.days for c in found if c.silent]


@pytest.mark.parametrize("days", DAYS)
def test_a_mark_is_told_when_no_more_than_its_days_are_left(days):
    wider = [mark for mark in DAYS if mark > days]
    case = ending(CASE, days * DAY)

    assert told_and_silent(case, wider) == ([days], [])
    assert told_and_silent(case, [*wider, days]) == ([], [])
    assert told_and_silent(ending(CASE, days * DAY + HOUR), wider) == ([], [])


def test_a_case_that_opens_late_tells_the_tightest_only():
    assert told_and_silent(ending(CASE, 5 * DAY)) == ([7], [90, 60, 30, 14])


def test_marks_that_a_stop_of_ours_skipped_are_kept_silent():
    assert told_and_silent(ending(CASE, 2 * DAY), {90, 60, 30}) == ([3], [14, 7])


def test_a_wider_mark_that_settings_add_later_is_silent():
    assert told_and_silent(ending(CASE, 5 * DAY), {7}, thresholds=(10, 7)) == ([], [10])
    assert told_and_silent(ending(CASE, 5 * DAY), {7}, thresholds=(10,)) == ([], [10])


@pytest.mark.parametrize(
    ("case", "why"), [(ACKNOWLEDGED, "acknowledged by kim"), (PLANNED, "a change is planned")]
)
def test_a_case_in_hand_is_silent_and_says_why(case, why):
    found = crossings(ending(case, 5 * DAY), {90, 60, 30, 14}, NOW)

    assert [(c.days, c.silent) for c in found] == [(7, why)]


@pytest.mark.parametrize("case", [ACKNOWLEDGED, PLANNED, QUIET, REGRESSED, CASE])
def test_the_end_is_told_always(case):
    assert told_and_silent(ending(case, -HOUR), {90, 60, 30, 14, 7, 3, 1}) == ([0], [])


@pytest.mark.parametrize("field", ["expired", "revoked"])
def test_expired_and_revoked_are_the_end_whatever_the_date(field):
    assert told_and_silent(replace(CASE, **{field: True}), DAYS[:-1]) == ([0], [])


def test_a_resolved_case_passes_nothing():
    assert crossings(ending(RESOLVED, -DAY), (), NOW) == ()


def test_a_case_without_an_end_passes_nothing():
    assert crossings(replace(CASE, end_earliest=None), (), NOW) == ()


@given(
    st.lists(st.integers(0, 120 * 24), min_size=1, max_size=12).map(sorted),
    st.sampled_from([CASE, QUIET, REGRESSED]),
)
def test_looked_at_however_often_each_mark_is_told_at_most_once(hours, case):
    told, loud = set(), []
    for hour in hours:
        found = crossings(ending(case, 100 * DAY), told, NOW + hour * HOUR)
        loud += [c.days for c in found if not c.silent]
        told |= {c.days for c in found}

    assert loud == sorted(set(loud), reverse=True)
    assert told == {days for days in DAYS if 100 - hours[-1] / 24 <= days}

from dataclasses import replace
from datetime import timedelta

import pytest
from slots.samples import NOW, at, cluster, finding, phased, plan, simple, step, window

from watcher.model.expiry import ExpiryState
from watcher.model.progress import Mark
from watcher.model.slot import Outcome
from watcher.slots.fit import fit_of
from watcher.slots.phases import work_in
from watcher.slots.recommend import recommend

SATURDAYS = window(["sat"], "22:00", "04:00")


def test_the_earliest_window_is_recommended_and_the_last_but_one_is_safe():
    found = recommend(simple(120, at("2026-12-20 12:00")), cluster(SATURDAYS), NOW)

    assert found.outcome is Outcome.FOUND
    assert (found.starts, found.ends) == (at("2026-11-28 21:00"), at("2026-11-28 23:00"))
    assert found.slots[0].latest == at("2026-12-13 01:00")
    assert found.slots[0].last == at("2026-12-20 01:00")
    assert fit_of(found).due == at("2026-12-20 12:00")


def test_the_only_window_has_no_spare():
    found = recommend(simple(120, at("2026-11-30 12:00")), cluster(SATURDAYS), NOW)

    assert found.slots[0].latest == found.starts == at("2026-11-28 21:00")
    assert found.slots[0].last == at("2026-11-29 01:00")
    assert "no slot is left for a second attempt" in found.slots[0].why


def test_the_margin_is_taken_off_the_deadline():
    site = cluster(SATURDAYS, margin_days=2)
    found = recommend(simple(120, at("2026-11-30 12:00")), site, NOW)

    assert found.deadline == at("2026-11-28 12:00")
    assert found.outcome is Outcome.NONE
    assert fit_of(found).late == at("2026-11-28 23:00")


def test_a_margin_that_nobody_named_is_one_day_and_said():
    site = cluster(SATURDAYS).model_copy(update={"margin_days": None})
    found = recommend(simple(120, at("2026-12-20 12:00")), site, NOW)

    assert found.deadline == at("2026-12-19 12:00")
    assert "margin_days" in found.notes[0]


def test_a_blackout_day_closes_half_a_night():
    site = cluster(
        SATURDAYS, blackouts=[{"first": "2026-11-29", "last": "2026-11-29", "reason": "Audit"}]
    )
    found = recommend(simple(150, at("2026-12-20 12:00")), site, NOW)

    assert found.starts == at("2026-12-05 21:00")


def test_gates_cut_a_plan_that_no_window_holds():
    found = recommend(phased(240, 240, ends=at("2026-12-20 12:00")), cluster(SATURDAYS), NOW)

    assert [(s.part, s.piece, s.steps, s.minutes) for s in found.slots] == [
        (1, 1, (1, 3), 250), (1, 2, (4, 5), 250),
    ]  # fmt: skip
    assert [s.starts for s in found.slots] == [at("2026-11-28 21:00"), at("2026-12-05 21:00")]


def test_a_plan_that_fits_is_not_cut():
    found = recommend(phased(120, 120, ends=at("2026-12-20 12:00")), cluster(SATURDAYS), NOW)

    assert [s.minutes for s in found.slots] == [250]


def test_parts_are_a_day_apart():
    always = window(["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "00:00", "00:00")
    both = phased(60, 60, ends=at("2026-12-20 12:00"), parts=(1, 2))
    found = recommend(both, cluster(always), NOW)

    assert [s.part for s in found.slots] == [1, 2]
    assert found.slots[1].starts - found.slots[0].ends == timedelta(hours=24)


def test_windows_that_touch_are_one():
    site = cluster(window(["sat"], "20:00", "00:00"), window(["sun"], "00:00", "04:00"))
    found = recommend(simple(400, at("2026-12-20 12:00")), site, NOW)

    assert found.starts == at("2026-11-28 19:00")


def test_a_window_may_have_a_zone_of_its_own():
    site = cluster(window(["sat"], "22:00", "04:00", time_zone="America/New_York"))
    found = recommend(simple(60, at("2026-12-20 12:00")), site, NOW)

    assert found.starts == at("2026-11-29 03:00")


def test_an_expired_certificate_is_as_soon_as_possible():
    expired = finding(at("2026-11-18 07:00"), state=ExpiryState.EXPIRED)
    found = recommend(
        plan([step(1, "regenerate", 60, store="tomcat")], [expired]), cluster(SATURDAYS), NOW
    )

    assert found.expired == ("F1 (tomcat of cm1) serves expired since 2026-11-18",)
    assert (found.deadline, found.starts) == (None, at("2026-11-28 21:00"))
    assert (found.slots[0].latest, fit_of(found).due) == (None, found.ends)


def test_an_unknown_end_is_said_and_done_soon():
    unknown = plan([step(1, "regenerate", 60, store="tomcat")], [finding()])
    found = recommend(unknown, cluster(SATURDAYS), NOW)

    assert "not known at all" in found.unsure[0]
    assert found.starts == at("2026-11-28 21:00")


def test_an_end_that_is_only_bounded_tells_its_bounds():
    bounded = finding(at("2026-11-20 00:00"), latest=at("2026-12-30 00:00"))
    found = recommend(
        plan([step(1, "regenerate", 60, store="tomcat")], [bounded]), cluster(SATURDAYS), NOW
    )

    assert "not before 2026-11-20 00:00Z, not after 2026-12-30 00:00Z" in found.unsure[0]


def test_without_windows_only_the_last_beginning_is_known():
    found = recommend(simple(60, at("2026-12-20 12:00")), cluster(), NOW)

    assert (found.outcome, found.slots) == (Outcome.UNKNOWN, ())
    assert "by 2026-12-20 11:00Z" in found.notes[-1]


def test_a_plan_without_steps_has_nothing_to_place():
    found = recommend(plan([], [finding(at("2026-12-20 12:00"))]), None, NOW)

    assert (found.outcome, fit_of(found).due) == (Outcome.NOTHING, None)


@pytest.mark.parametrize(("days", "minutes"), [(None, 70), (2, 60)])
def test_preparation_is_done_before_the_window_where_it_has_days(days, minutes):
    times = cluster(SATURDAYS, lead_times={"preparation": days}).lead_times
    work = work_in(phased(60, ends=at("2026-12-20 12:00")).steps, prepared=bool(times.preparation))

    assert work.minutes == minutes + (10 if days else 0)


def test_every_further_window_begins_with_the_checks():
    work = work_in(phased(60, 60, ends=at("2026-12-20 12:00")).steps, prepared=False)

    assert (work.session(0, 1), work.session(1, 2), work.minutes) == (70, 70, 130)


def test_without_gates_a_plan_is_cut_between_stores():
    steps = [
        step(1, "check", 10, block="Prepare"),
        step(2, "regenerate", 30, block="one", store="one"),
        step(3, "restart", 10, block="one"),
        step(4, "regenerate", 40, block="two", store="two"),
        step(5, "verify", 5, block="Afterwards"),
    ]
    work = work_in(steps, prepared=False)

    assert [(p.steps, p.minutes, p.opening) for p in work.phases] == [
        ((1, 3), 50, 0), ((4, 5), 45, 10),
    ]  # fmt: skip


def test_steps_that_are_done_need_no_window():
    first = step(1, "regenerate", 60, store="one")
    steps = [replace(first, mark=Mark.DONE), step(2, "regenerate", 30, store="two")]

    assert work_in(steps, prepared=False).minutes == 30

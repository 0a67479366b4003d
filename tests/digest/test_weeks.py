"""When the digest of a week falls due; the years are simulated in years.py (G-13)."""

from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
from digest import years
from hypothesis import given
from hypothesis import strategies as st

from watcher.digest.weeks import Timetable, due, instant_of, missed, monday_of, period_of

VIENNA = Timetable(zone=ZoneInfo("Europe/Vienna"))


def table(zone, weekday=0, at=time(7)):
    return Timetable(zone=ZoneInfo(zone), weekday=weekday, at=at)


def test_it_falls_due_at_the_chosen_time_and_once():
    at = datetime(2026, 11, 23, 6, tzinfo=UTC)

    assert "2026-W47" == due(at - timedelta(seconds=1), VIENNA)
    assert "2026-W48" == due(at, VIENNA)
    assert due(at, VIENNA, {"2026-W48"}) is None


def test_a_month_of_sleep_brings_one_digest_that_names_the_others():
    done = {"2026-W43", "2026-W44"}

    assert "2026-W48" == due(datetime(2026, 11, 25, tzinfo=UTC), VIENNA, done)
    assert ("2026-W45", "2026-W46", "2026-W47") == missed("2026-W48", done)
    assert () == missed("2026-W48", ())


def test_of_many_missed_weeks_five_are_named():
    assert 5 == len(missed("2026-W48", {"2024-W01"}))


@pytest.mark.parametrize(
    ("zone", "monday", "weekday", "at", "due_at"),
    [
        ("Europe/Vienna", "2026-03-23", 6, "02:30", "2026-03-29T01:30"),  # a gap
        ("Europe/Vienna", "2026-10-19", 6, "02:30", "2026-10-25T00:30"),  # a fold
        ("Australia/Lord_Howe", "2026-09-28", 6, "02:15", "2026-10-03T15:45"),  # half an hour
        ("Pacific/Apia", "2011-12-26", 4, "07:00", "2011-12-30T17:00"),  # there was no such day
        ("America/St_Johns", "2026-11-23", 0, "07:00", "2026-11-23T10:30"),
    ],
)
def test_wall_times_that_are_missing_or_come_twice_mean_one_instant(
    zone, monday, weekday, at, due_at
):
    found = instant_of(date.fromisoformat(monday), table(zone, weekday, time.fromisoformat(at)))

    assert datetime.fromisoformat(f"{due_at}+00:00") == found


def test_the_turn_of_the_year_keeps_its_week():
    assert "2026-W53" == due(datetime(2027, 1, 1, tzinfo=UTC), VIENNA)
    assert "2027-W01" == due(datetime(2027, 1, 4, 6, tzinfo=UTC), VIENNA)


def test_due_within_a_tick_after_a_step_ahead():
    before = due(datetime(2026, 11, 23, 6, tzinfo=UTC), VIENNA)

    assert "2027-W48" == due(datetime(2027, 12, 1, tzinfo=UTC), VIENNA, {before})
    assert due(datetime(2026, 11, 23, 6, tzinfo=UTC), VIENNA, {before}) is None


@given(st.dates(date(1980, 1, 1), date(2099, 12, 31)))
def test_a_week_and_its_name_are_one(day):
    assert monday_of(period_of(day)) == day - timedelta(days=day.weekday())


def test_a_week_falls_due_at_the_local_time_of_its_day():
    assert datetime(2026, 11, 23, 6, tzinfo=UTC) == instant_of(monday_of("2026-W48"), VIENNA)


def test_twenty_years_in_every_zone_bring_one_digest_a_week():
    """G-13; links of the zone database are left out, and each zone has one table of times."""
    names = years.zones()

    assert len(names) > 300
    assert [] == years.run(names, seed=48, troubled_every=5)


class Forgetful(years.Daemon):
    """A daemon without a database."""

    def look(self, shown):
        """Forget what was done."""
        self.rows.clear()
        return super().look(shown)


class Late(years.Daemon):
    """A daemon that takes a time that comes twice for the second one."""

    def look(self, shown):
        """Look an hour too late in the night of the change."""
        night = datetime(2026, 10, 25, 0, tzinfo=UTC)
        early = night <= shown < night + timedelta(minutes=90)
        return None if early else super().look(shown)


def test_a_daemon_that_takes_the_second_of_two_times_is_seen():
    sundays = Timetable(zone=VIENNA.zone, weekday=6, at=time(2, 30))
    weeks, chance = years.mondays(date(2026, 1, 1), 1), Random(1)  # noqa: S311 -- a simulation

    assert years.steady(sundays, weeks, chance, Late)
    assert [] == years.steady(sundays, weeks, chance)


def test_a_daemon_that_forgets_is_seen():
    weeks, chance = years.mondays(date(2020, 1, 1), 1), Random(1)  # noqa: S311 -- a simulation

    assert years.steady(VIENNA, weeks, chance, Forgetful)
    assert [] == years.steady(VIENNA, weeks, chance)

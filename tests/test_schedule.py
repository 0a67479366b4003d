"""Ticks come, also after a failure and after the clock was set; periods never overlap."""

import time
from datetime import UTC, datetime, timedelta
from threading import Event, Semaphore

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.schedule import Every, Metronome, period_of

NOW = datetime(2026, 11, 20, 13, 30, tzinfo=UTC)
MOMENTS = st.datetimes(timezones=st.just(UTC), min_value=datetime(1971, 1, 1))  # noqa: DTZ001
LENGTHS = st.integers(min_value=1, max_value=40 * 86400).map(lambda s: timedelta(seconds=s))
LONG = 60
"""Seconds that nothing takes, however slow the machine."""


class Wall:
    """The machine's clock, which a test may set."""

    def __init__(self):
        self.offset = timedelta(0)

    def now(self):
        """Return the time on the wall."""
        return datetime.now(UTC) + self.offset  # noqa: TID251 -- this is the clock

    def monotonic_ns(self):
        """Return what never steps."""
        return time.monotonic_ns()


@pytest.fixture
def metronome():
    """Return a function that starts a metronome; it is stopped in the end."""
    started = []

    def start(ticks, clock=None):
        started.append(Metronome(ticks, clock or Wall()))
        started[-1].start()
        return started[-1]

    yield start
    for one in started:
        one.stop()


def test_the_first_tick_comes_at_once(metronome):
    ticked = Event()
    metronome({"tick": (3600, ticked.set)})

    assert ticked.wait(LONG)


def test_ticks_go_on(metronome):
    ticks = Semaphore(0)
    metronome({"tick": (0.02, ticks.release)})

    assert all(ticks.acquire(timeout=LONG) for _ in range(5))


def test_a_tick_that_fails_comes_again(metronome, caplog):
    ticks = Semaphore(0)

    def fail():
        ticks.release()
        raise RuntimeError("of the test")

    metronome({"broken": (0.02, fail)})

    assert all(ticks.acquire(timeout=LONG) for _ in range(3))
    assert "the tick broken failed" in caplog.text


def test_all_tick_at_once_when_the_clock_was_set_back(metronome):
    ticks, wall = Semaphore(0), Wall()
    metronome({"tick": (3600, ticks.release)}, wall)
    ticks.acquire(timeout=LONG)
    wall.offset = timedelta(hours=-3)

    assert ticks.acquire(timeout=LONG)


def test_a_year_that_was_skipped_is_one_tick():
    due = NOW + timedelta(days=365)

    assert Every(1).get_next_fire_time(NOW, due) == due + timedelta(seconds=1)


def test_a_steady_clock_causes_no_tick(metronome):
    ticks = Semaphore(0)
    running = metronome({"tick": (3600, ticks.release)})
    ticks.acquire(timeout=LONG)
    running.keep_time()

    assert not ticks.acquire(timeout=0.2)


def test_stopping_waits_for_a_call_that_runs(metronome):
    began, ended = Event(), Event()

    def slow():
        began.set()
        time.sleep(0.2)
        ended.set()

    running = metronome({"slow": (3600, slow)})
    began.wait(LONG)
    running.stop()

    assert ended.is_set()


def test_a_metronome_that_never_started_stops():
    Metronome({}, Wall()).stop()


@pytest.mark.parametrize(
    ("every", "expected"),
    [
        (timedelta(hours=6), "2026-11-20T12:00:00Z"),
        (timedelta(days=1), "2026-11-20T00:00:00Z"),
        (timedelta(seconds=30), "2026-11-20T13:30:00Z"),
    ],
)
def test_a_period_is_named_by_its_beginning(every, expected):
    assert period_of(every, NOW) == expected


@given(LENGTHS, MOMENTS)
def test_the_beginning_of_a_period_lies_in_it(every, moment):
    begin = datetime.fromisoformat(period_of(every, moment))

    assert begin <= moment < begin + every
    assert period_of(every, begin) == period_of(every, moment)


@given(LENGTHS, MOMENTS.filter(lambda m: m.year < 9000))
def test_the_next_period_begins_where_this_one_ends(every, moment):
    end = datetime.fromisoformat(period_of(every, moment)) + every

    assert period_of(every, end) == f"{end:%Y-%m-%dT%H:%M:%S}Z"


@pytest.mark.parametrize("seconds", [0, -1])
def test_a_period_without_length_is_refused(seconds):
    with pytest.raises(ValueError, match="has no end"):
        period_of(timedelta(seconds=seconds), NOW)

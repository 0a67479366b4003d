"""APScheduler, and only here: it ticks; the database decides what is due.

A tick says "look now". Whether there is anything to do, and for which period, stands in rows
`(job, period)` of the store, so that a tick that comes late, twice or not at all changes nothing.
"""

import logging
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from threading import Event, Thread

from apscheduler.executors.pool import ThreadPoolExecutor  # type: ignore[import-untyped]
from apscheduler.jobstores.memory import MemoryJobStore  # type: ignore[import-untyped]
from apscheduler.schedulers.background import BackgroundScheduler  # type: ignore[import-untyped]
from apscheduler.triggers.base import BaseTrigger  # type: ignore[import-untyped]

from watcher.ports import Clock

logger = logging.getLogger(__name__)

STEP_SECONDS = 2.0
"""A wall clock that moved so much more or less than the steady one was set."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LOOK_SECONDS = 1.0


def period_of(every: timedelta, now: datetime) -> str:
    """Return the name of the period of length `every` that `now` (aware) lies in.

    Periods are counted from 1970 in UTC, so that all instances and all restarts agree, and no
    daylight saving makes one twice. The name is the period's beginning.
    """
    if every <= timedelta(0):
        raise ValueError(f"a period of {every} has no end")
    begin = _EPOCH + (now - _EPOCH) // every * every
    return f"{begin:%Y-%m-%dT%H:%M:%S}Z"


class Every(BaseTrigger):  # type: ignore[misc]  # apscheduler has no types
    """Fires so many seconds after it was last looked at.

    APScheduler's own trigger lists every tick that was missed: a clock that was set ahead by a
    year, or a night of sleep, costs minutes and gigabytes before the first comes.
    """

    def __init__(self, seconds: float) -> None:
        self._interval = timedelta(seconds=seconds)

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """Return when to fire next."""
        return now if previous_fire_time is None else now + self._interval


class Metronome:
    """Calls each function every so many seconds, one at a time, beginning at once.

    A call that takes longer than its interval is not overtaken; ticks it missed count as one.
    What a function raises is logged, and it is called again at the next tick. When the wall
    clock is set, all tick at once: APScheduler alone would be silent until the old time is back.
    """

    def __init__(self, ticks: Mapping[str, tuple[float, Callable[[], None]]], clock: Clock) -> None:
        self._clock = clock
        self._drift = self._measure()
        self._stopping = Event()
        self._watch = Thread(target=self._look, name="metronome-clock", daemon=True)
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            jobstores={"default": MemoryJobStore()},
            executors={"default": ThreadPoolExecutor(1)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
            daemon=True,
        )
        for name, (seconds, call) in ticks.items():
            self._scheduler.add_job(_guarded(name, call), Every(seconds), id=name, name=name)

    def start(self) -> None:
        """Tick for the first time at once."""
        self._scheduler.start()
        self._watch.start()

    def stop(self) -> None:
        """Tick no more; wait for a call that runs."""
        self._stopping.set()
        if self._watch.is_alive():
            self._watch.join()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)

    def keep_time(self) -> None:
        """Let all tick at once if the wall clock was set since the last look."""
        drift = self._measure()
        moved, self._drift = drift - self._drift, drift
        if abs(moved) >= STEP_SECONDS:
            logger.warning("the clock was set by %+.1f s", moved)
            for job in self._scheduler.get_jobs():
                job.modify(next_run_time=self._clock.now())

    def _measure(self) -> float:
        return self._clock.now().timestamp() - self._clock.monotonic_ns() / 1e9

    def _look(self) -> None:
        while not self._stopping.wait(_LOOK_SECONDS):
            self.keep_time()


class _Machine:
    """The clocks that APScheduler itself goes by."""

    def now(self) -> datetime:
        return datetime.now(UTC)  # noqa: TID251 -- it only tells when to look, never what is due

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()


def _guarded(name: str, call: Callable[[], None]) -> Callable[[], None]:
    def tick() -> None:
        try:
            call()
        except Exception:
            logger.exception("the tick %s failed", name)

    return tick

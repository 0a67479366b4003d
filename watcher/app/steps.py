"""Jumps of the wall clock: seen by comparing it with the clock that never steps."""

import logging
from datetime import datetime, timedelta

from watcher.ports import Clock

logger = logging.getLogger(__name__)

STEP = timedelta(minutes=5)
"""A jump that is told; less is the drift that a time service mends."""


class ClockSteps:
    """Compares the two clocks whenever it is asked."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset = self._now()
        self.count = 0

    def look(self) -> None:
        """Count a jump since the last look."""
        offset = self._now()
        jump = offset - self._offset
        self._offset = offset
        if abs(jump) > STEP:
            self.count += 1
            logger.warning("the wall clock jumped by %s", jump, extra={"action": "clock_step"})

    def _now(self) -> datetime:
        """Return the wall clock's reading at the zero of the other one."""
        return self._clock.now() - timedelta(microseconds=self._clock.monotonic_ns() // 1000)

"""How late the event loop is: the stall that a receiver must not have."""

import asyncio
from collections import deque

_EVERY = 0.02
_KEPT = 3000
"""Samples of a minute."""


class LoopLag:
    """Sleeps a moment again and again, and notes how much later it woke."""

    def __init__(self) -> None:
        self._late: deque[float] = deque(maxlen=_KEPT)
        self.worst = 0.0
        """Seconds, since the start."""

    @property
    def p99(self) -> float:
        """Seconds; of the last minute."""
        late = sorted(self._late)
        return late[len(late) * 99 // 100] if late else 0.0

    async def run(self) -> None:
        """Measure until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            before = loop.time()
            await asyncio.sleep(_EVERY)
            late = loop.time() - before - _EVERY
            self._late.append(late)
            self.worst = max(self.worst, late)

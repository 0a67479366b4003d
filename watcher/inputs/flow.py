"""The way from a stream to the journal: while the journal is full, senders wait."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from typing import Protocol

from watcher.errors import JournalBroken, JournalFull
from watcher.inputs.reception import Read, Reception
from watcher.model.ledger import Reason
from watcher.ports import Batch


class Senders(Protocol):
    """Those whom TCP can ask to wait."""

    def pause(self) -> None:
        """Read no more of any of them."""

    def resume(self) -> None:
        """Read again."""


class Flow:
    """Settles what was read, in order.

    What the journal has no room for is kept and tried again as it is; since senders are paused at
    once, that is one reading, and what connections held that ended meanwhile. When the journal is
    broken nothing is tried again, and `failed` is told once.
    """

    def __init__(
        self, reception: Reception, retry: float, senders: Senders,
        failed: Callable[[BaseException], None],
    ) -> None:  # fmt: skip
        self._reception = reception
        self._retry = retry
        self._senders = senders
        self._failed = failed
        self._waiting: deque[Batch] = deque()
        self._refused: Counter[Reason] = Counter()
        self._broken = False
        self._timer: asyncio.TimerHandle | None = None

    @property
    def stuck(self) -> bool:
        """Tell whether something waits for room."""
        return bool(self._waiting)

    def settle(self, read: Read) -> None:
        """Keep and count what was read: now, or when there is room."""
        batch = self._reception.admit(read)
        if self._waiting:
            self._waiting.append(batch)
        elif not self._keep(batch):
            self._waiting.append(batch)
            self._senders.pause()
            self._try_later()

    def refuse(self, reason: Reason) -> None:
        """Count one connection that was turned away; its peer was not heard."""
        self._refused[reason] += 1
        if not self._waiting:
            self._count_refused()

    def end(self) -> int:
        """Try a last time; return how many messages are given up, uncounted."""
        if self._timer is not None:
            self._timer.cancel()
        if not self._broken and self._empty():
            self._count_refused()
        return sum(len(batch.kept) for batch in self._waiting)

    def _keep(self, batch: Batch) -> bool:
        try:
            self._reception.keep(batch)
        except JournalFull:
            return False
        except JournalBroken as error:
            self._broken = True
            self._failed(error)
            return False
        return True

    def _empty(self) -> bool:
        while self._waiting and self._keep(self._waiting[0]):
            self._waiting.popleft()
        return not self._waiting

    def _try_later(self) -> None:
        if not self._broken:
            self._timer = asyncio.get_running_loop().call_later(self._retry, self._try_again)

    def _try_again(self) -> None:
        if self._empty():
            self._senders.resume()
            self._count_refused()
        else:
            self._try_later()

    def _count_refused(self) -> None:
        if self._refused:
            refused, self._refused = self._refused, Counter()
            self.settle(Read(received=refused.total(), refused=dict(refused)))

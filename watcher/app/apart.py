"""Parts of one piece of work, of which none keeps the others waiting when it fails."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from watcher.errors import StoreUnavailable
from watcher.ports import Clock

logger = logging.getLogger(__name__)

PAUSE_NS = 2 * 60 * 10**9
"""After a fault of ours in a part, it is tried again so much later."""
SILENT_NS = 24 * 60 * 60 * 10**9
"""The same fault of a part is logged once in so long, and a new one at once."""


@dataclass(frozen=True, slots=True)
class _Fault:
    """What went wrong in a part, by the clock that nobody sets; `over`: it has been done since."""

    words: str
    told_at: int
    next_at: int
    over: bool = False


@dataclass(slots=True)
class Apart:
    """Does parts, and remembers which of them failed."""

    clock: Clock
    _faults: dict[str, _Fault] = field(default_factory=dict)

    @property
    def failing(self) -> tuple[str, ...]:
        """Return the parts that failed when they were last tried."""
        return tuple(part for part, fault in self._faults.items() if not fault.over)

    def do(self, part: str, work: Callable[[], object]) -> bool:
        """Do a part unless it rests after a fault; tell whether it did something.

        A fault is logged and ends here; a database that does not answer concerns all parts.
        """
        fault, at = self._faults.get(part), self.clock.monotonic_ns()
        if fault is not None and at < fault.next_at:
            return False
        try:
            done = bool(work())
        except StoreUnavailable:
            raise
        except Exception as error:
            words = f"{type(error).__name__}: {error}"
            is_old = fault is not None and fault.words == words and at - fault.told_at < SILENT_NS
            told_at = fault.told_at if fault is not None and is_old else at
            self._faults[part] = _Fault(words, told_at, at + PAUSE_NS)
            if not is_old:
                logger.exception("%s failed; it is tried again", part, extra={"action": "failed"})
            return False
        if fault is not None and not fault.over:
            self._faults[part] = replace(fault, over=True)
            logger.info("%s works again", part, extra={"action": "works_again"})
        return done

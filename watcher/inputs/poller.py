"""A thread that looks again and again, and the patience that it has with the journal."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from watcher.errors import TemporaryError, one_line
from watcher.inputs.reception import Read, Reception
from watcher.model.message import Position

logger = logging.getLogger(__name__)

_RETRY: Final = 1.0


class Stopped(Exception):  # noqa: N818 -- a state, named as one
    """We are to stop; what is not on the disk is taken again after the next start."""


@dataclass(slots=True)
class Status:
    """How an input is doing: seconds of the monotonic clock, and what went wrong last."""

    success: float | None = None
    failure: float | None = None
    error: str = ""
    """For people, without secrets; empty while all is well."""

    def succeed(self) -> None:
        """Note that all went well."""
        self.success = time.monotonic()
        self.error = ""

    def fail(self, error: str) -> None:
        """Note what went wrong; log it when it is new."""
        text = one_line(error)[:300]
        if text != self.error:
            logger.warning("%s", text)
        self.failure = time.monotonic()
        self.error = text


class Desk:
    """An input's way into the journal from a thread: waits as long as the journal needs."""

    def __init__(self, reception: Reception, status: Status, stop: threading.Event) -> None:
        self.name = reception.name
        self._reception = reception
        self._status = status
        self._stop = stop

    def settle(self, read: Read) -> Position:
        """Keep and count; while the journal cannot, nothing more is read."""
        while not self._stop.is_set():
            try:
                return self._reception.settle(read)
            except TemporaryError as error:
                self._status.fail(f"{self.name}: the journal takes nothing: {error}")
                self._stop.wait(_RETRY)
        raise Stopped

    def wait(self, position: Position) -> None:
        """Wait until everything up to there is on the disk."""
        done = threading.Event()
        future = self._reception.journal.durable(position)
        future.add_done_callback(lambda _: done.set())
        while not done.wait(0.05 if self._stop.is_set() else 0.5):
            if self._stop.is_set():
                raise Stopped
        future.result()


class Poller:
    """Calls `look` about every `seconds` in a thread of its own, at once while it says True."""

    def __init__(self, name: str, seconds: float, look: Callable[[], bool]) -> None:
        self.status = Status()
        self.stopping = threading.Event()
        self._name = name
        self._seconds = seconds
        self._look = look
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self, grace: float = 10) -> None:
        """End after what is being looked at."""
        self.stopping.set()
        if self._thread.ident is not None:
            self._thread.join(grace)

    def _run(self) -> None:
        while not self.stopping.is_set():
            again = False
            try:
                again = self._look()
            except Stopped:
                return
            except (OSError, TemporaryError) as error:
                self.status.fail(f"{self._name}: {error}")
            except Exception:
                # The outer edge of a thread: it must not end silently.
                logger.exception("%s: a fault of ours", self._name)
                self.status.fail(f"{self._name}: a fault of ours, see the log")
            if not again:
                self.stopping.wait(self._seconds)

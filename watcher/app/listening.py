"""Since when we listen, and how the sources were: known across restarts, or silence is forgotten.

A worker that starts anew has missed nothing: the receiver went on, or stood still for a moment.
The time of the sources begins anew only after a real gap in reception.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from watcher.app.files import SETTINGS_LIMIT, write_output
from watcher.cases.sources import Expected, SourceHealth, health
from watcher.errors import InputError
from watcher.model.status import ReceiverStatus

logger = logging.getLogger(__name__)

FILE = "listening.json"
GAP = timedelta(minutes=10)
"""A longer pause in reception is one in which sources could not be heard."""
KEPT_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What must outlive a worker."""

    since: datetime
    """Since when we listen without a gap."""
    received_at: datetime
    """When the receiver last gave a sign."""
    sources: tuple[SourceHealth, ...] = ()


_MEMORY = TypeAdapter(Memory)


class Ear:
    """Tells how the sources are; remembers it in a file."""

    def __init__(self, folder: Path, started_at: datetime) -> None:
        """Go on where the worker before left off; without its word, begin with this start."""
        self._path = folder / FILE
        found = _load(self._path)
        self._deaf = False
        self._saved: Memory | None = found
        self.since = min(found.since, started_at) if found else started_at
        self.received_at = min(found.received_at, started_at) if found else started_at
        self.known: Mapping[str, SourceHealth] = {
            one.name: one for one in (found.sources if found else ())
        }

    def attend(self, now: datetime, receiver: ReceiverStatus | None) -> None:
        """Note whether the receiver receives; begin anew after a gap.

        A receiver that was started before its last sign has run since, whoever looked.
        """
        if receiver is not None:
            at = min(receiver.written_at, now)
            stood = self._deaf or receiver.started_at - self.received_at > GAP
            if stood and at - self.received_at > GAP:
                self.since = max(min(receiver.started_at, now), self.received_at)
                if self._deaf:
                    self.since = at
                logger.warning("nothing was received from %s to %s UTC",
                               f"{self.received_at:%Y-%m-%d %H:%M}", f"{self.since:%Y-%m-%d %H:%M}",
                               extra={"action": "reception_gap"})  # fmt: skip
            self.received_at = max(min(self.received_at, now), at)
        self.since = min(self.since, now)
        self._deaf = now - self.received_at > GAP

    def judge(
        self, expected: Sequence[Expected], heard: Mapping[str, datetime], upto: datetime
    ) -> Mapping[str, SourceHealth]:
        """Return how the sources were at `upto`: up to there all that came was taken in.

        While nothing is received nobody becomes silent.
        """
        at = min(upto, self.received_at) if self._deaf else upto
        found = health(expected, heard, at, self.since, before=tuple(self.known.values()))
        self.known = {one.name: one for one in found}
        self._keep()
        return self.known

    def _keep(self) -> None:
        new = Memory(
            since=self.since, received_at=self.received_at, sources=tuple(self.known.values())
        )
        old = self._saved
        if (
            old is not None
            and timedelta(0) <= new.received_at - old.received_at < KEPT_EVERY
            and new.since == old.since
            and _states(new) == _states(old)
        ):
            return
        try:
            write_output(str(self._path), _MEMORY.dump_json(new, indent=1).decode())
        except InputError as error:
            logger.warning("what we heard cannot be kept: %s", error)
            return
        self._saved = new


def _states(memory: Memory) -> list[tuple[str, str, datetime | None]]:
    return [(one.name, one.state.value, one.steady_since) for one in memory.sources]


def _load(path: Path) -> Memory | None:
    try:
        with path.open("rb") as stream:
            return _MEMORY.validate_json(stream.read(SETTINGS_LIMIT * 8))
    except FileNotFoundError:
        return None
    except (OSError, ValidationError):
        logger.warning("%s cannot be read; the time of the sources begins anew", path)
        return None

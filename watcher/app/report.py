"""What the worker says of itself, about once a second."""

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from watcher import __version__
from watcher.app.logs import log_drops
from watcher.app.machine import resident_bytes
from watcher.app.status import write_status
from watcher.app.steps import ClockSteps
from watcher.app.worker import Progress
from watcher.errors import StoreUnavailable
from watcher.journal.reader import LocalReader
from watcher.model.ledger import Reason
from watcher.model.status import (
    CountOf,
    LettersStatus,
    QuarantineCount,
    SourceStatus,
    WorkerStatus,
)
from watcher.ports import Clock, Figures, Term, View

logger = logging.getLogger(__name__)

LEADER = "leader"
"""Name of the lease: only its holder tells anybody anything."""


@dataclass(slots=True)
class Found:
    """What falls due has found out since the start; the report shows it."""

    term: Term | None = None
    leader: str = ""
    """Who holds the newest term; `none` after it was released."""
    epoch: int = 0
    """Number of the newest term, whoever holds it."""
    sources: tuple[SourceStatus, ...] = ()
    sources_at: datetime | None = None
    """When it was last looked at who is heard; None: not yet, and nothing is known of anybody."""
    self_test_at: datetime | None = None
    self_test_problem: str = ""
    letters: tuple[LettersStatus, ...] = ()
    failing: tuple[str, ...] = ()
    """Parts of our work that failed and are tried again."""


@dataclass(slots=True)
class Reporter:
    """Writes the status file of the worker."""

    folder: Path
    journal: str
    reader: LocalReader
    view: View
    figures: Figures
    clock: Clock
    standing: Found
    steps: ClockSteps
    started_at: datetime
    damaged_rows: Callable[[], int] = lambda: 0
    """How many rows of the database were met that cannot be read."""
    _last: WorkerStatus | None = None

    def write(self, progress: Progress) -> None:
        """Write the status; a full disk must not stop the line."""
        self.steps.look()
        try:
            write_status(self.folder, self._status(progress))
        except OSError as error:
            logger.warning("the status file cannot be written: %s", error.strerror)

    def _status(self, progress: Progress) -> WorkerStatus:
        """Return how the worker is now; what the store does not tell is as it last was."""
        try:
            self._last = self.status(progress)
        except StoreUnavailable as error:
            told = self._last or WorkerStatus(
                written_at=self.clock.now(), started_at=self.started_at, pid=os.getpid(),
                version=__version__, journal=self.journal,
            )  # fmt: skip
            self._last = replace(
                told, written_at=self.clock.now(), cursor=progress.cursor,
                database_problem=progress.database_problem or str(error),
                sources=self.standing.sources,
            )  # fmt: skip
        return self._last

    def status(self, progress: Progress) -> WorkerStatus:
        """Return how the worker is now."""
        waiting = self.reader.backlog(progress.cursor)
        standing = self.standing
        return WorkerStatus(
            written_at=self.clock.now(),
            started_at=self.started_at,
            pid=os.getpid(),
            version=__version__,
            database_problem=progress.database_problem,
            journal=self.journal,
            cursor=progress.cursor,
            backlog_bytes=waiting.size,
            oldest_unread_at=waiting.oldest,
            lines=tuple(self.view.books()),
            cases=tuple(CountOf(name=k, count=v) for k, v in self.figures.case_counts().items()),
            outbox=tuple(self.figures.outbox_counts()),
            letters=standing.letters,
            failing=standing.failing,
            quarantine=tuple(
                QuarantineCount(reason=Reason(reason), count=count)
                for reason, count in self.figures.quarantine_counts().items()
            ),
            damaged_rows=self.damaged_rows(),
            batches=progress.batches,
            batch_seconds=progress.batch_seconds,
            batch_seconds_worst=progress.batch_seconds_worst,
            lease_held=standing.term is not None,
            lease_holder=standing.leader,
            lease_epoch=standing.epoch,
            self_test_at=standing.self_test_at,
            self_test_problem=standing.self_test_problem,
            sources=standing.sources,
            plans_drawn=progress.plans_drawn,
            plans_refused=progress.plans_refused,
            clock_steps=self.steps.count,
            resident_bytes=resident_bytes(),
            log_drops=log_drops(),
        )

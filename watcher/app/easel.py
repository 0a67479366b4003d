"""Plans are drawn in a process of their own: taking messages in goes on meanwhile.

A plan of many certificates takes seconds, one of a cluster that nobody has minutes; it is ended
when it takes too long, and the next change tries again.
"""

import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass

logger = logging.getLogger(__name__)

LIMIT = 300.0
"""Seconds that drawing may take."""
NICE = 10
"""How far it stands back behind the ones who receive and take in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """What came of it; no digest when nothing had changed, or it failed."""

    cluster: str
    digest: str = ""
    headline: str = ""
    steps: int = 0
    refused: bool = False
    failed: bool = False


@dataclass(slots=True)
class _Work:
    cluster: str
    process: subprocess.Popen[bytes]
    since: float


class Easel:
    """Draws one plan at a time."""

    def __init__(self, command: Sequence[str]) -> None:
        """Take the command line that draws; the cluster's name is put behind it."""
        self._command = command
        self._work: _Work | None = None

    @property
    def free(self) -> bool:
        """Tell whether nothing is being drawn."""
        return self._work is None

    def begin(self, cluster: str) -> None:
        """Begin to draw the plan of a cluster."""
        process = subprocess.Popen(  # noqa: S603 -- our own program, a name of the inventory
            [*self._command, cluster], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
        )
        self._work = _Work(cluster, process, time.monotonic())

    def look(self) -> Drawn | None:
        """Return what came of it once it is done."""
        work = self._work
        if work is None:
            return None
        if work.process.poll() is None:
            if time.monotonic() - work.since > LIMIT:
                logger.error("the plan for %s took too long; given up", work.cluster or "nobody")
                self.end()
            return None
        self._work = None
        told = work.process.communicate()[0]
        if work.process.returncode != 0:
            logger.error("the plan for %s was not drawn", work.cluster or "an unknown cluster")
            return Drawn(cluster=work.cluster, failed=True)
        return Drawn(**json.loads(told)) if told.strip() else Drawn(cluster=work.cluster)

    def end(self) -> None:
        """Give up what is being drawn."""
        if self._work is not None:
            self._work.process.kill()
            self._work.process.communicate()
            self._work = None


def tell(drawn: Drawn) -> None:
    """Say what came of it, on standard output, to whoever started us."""
    sys.stdout.write(json.dumps(asdict(drawn)))


def stand_back() -> None:
    """Let those who receive and take in go first."""
    with suppress(PermissionError):  # a sandbox may forbid what is only a courtesy
        os.nice(NICE)

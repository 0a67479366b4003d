"""Decides what is due at the ticket systems, and has each system's lane send it.

What is to be done is decided by `watcher.tickets` and stands in the outbox before anything is
sent. One thread decides, and each lane has one: all of them work only while this process leads.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from threading import Event, Lock, Thread

from watcher import crash
from watcher.app.apart import Apart
from watcher.app.errands import Desk, tell
from watcher.app.lane import Lane, take_over
from watcher.errors import StoreUnavailable
from watcher.ports import CaseQuery, Term
from watcher.tickets.advance import GONE
from watcher.tickets.due import Ground, due

logger = logging.getLogger(__name__)

CASES = 20_000
"""Cases of one cluster that decide on its change."""
EVERY = 5.0
"""Seconds between looks when nobody wakes a thread."""
END = 3.0
"""Seconds that the end waits for a call; one that takes longer is found by a search later."""
SHARE = 20
"""Deciding over thousands of cases takes a moment; it may take a twentieth of the time."""


class Loop:
    """Does one thing again and again in a thread of its own; one that ended is begun anew."""

    def __init__(self, name: str, work: Callable[[], object]) -> None:
        self._name, self._work = name, work
        self._wake, self._stopping, self._beginning = Event(), Event(), Lock()
        self._thread: Thread | None = None

    def look(self) -> None:
        """Do it soon; returns at once."""
        with self._beginning:  # two callers must not begin two threads
            ended = self._thread is None or not self._thread.is_alive()
            if ended and not self._stopping.is_set():
                self._thread = Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
        self._wake.set()

    def stop(self) -> None:
        """Do it no more; what runs goes on to its end."""
        self._stopping.set()
        self._wake.set()

    def join(self, seconds: float) -> None:
        """Wait for what runs, but not for ever."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait(EVERY)
            self._wake.clear()
            if not self._stopping.is_set():
                self._work()


@dataclass(slots=True)
class Outgoing:
    """Decides, and keeps the lanes going."""

    desk: Desk
    lanes: tuple[Lane, ...] = field(init=False)
    _apart: dict[str, Apart] = field(default_factory=dict)
    """Faults of ours by thread."""
    _deciding: Loop = field(init=False)
    _sending: tuple[Loop, ...] = field(init=False)
    _decide_at: int = 0
    _kept: bool = False
    """Errands of systems that left the settings rest."""

    def __post_init__(self) -> None:
        """Build a lane for each system; no thread runs yet."""
        self.lanes = tuple(Lane(self.desk, name, one) for name, one in self.desk.systems.items())
        self._deciding = self._loop("deciding on tickets", self._decide)
        self._sending = tuple(
            self._loop(f"sending tickets to {lane.name}", lane.turn) for lane in self.lanes
        )

    def _loop(self, part: str, work: Callable[[], object]) -> Loop:
        self._apart[part] = Apart(self.desk.clock)
        return Loop(part, partial(self._do, part, work))

    def _do(self, part: str, work: Callable[[], object]) -> None:
        try:
            self._apart[part].do(part, work)
        except StoreUnavailable as error:
            logger.warning("the database does not answer: %s", error)

    @property
    def failing(self) -> tuple[str, ...]:
        """Return the parts that failed when they were last tried."""
        return tuple(part for apart in self._apart.values() for part in apart.failing)

    def look(self) -> None:
        """Look soon; returns at once. What falls due calls this."""
        if self.lanes:
            for loop in (self._deciding, *self._sending):
                loop.look()

    def stop(self) -> None:
        """Send no more; wait for calls that run, but not for ever."""
        loops, until = (self._deciding, *self._sending), time.monotonic() + END
        self.desk.stopping.set()
        for loop in loops:
            loop.stop()
        for loop in loops:
            loop.join(max(0.0, until - time.monotonic()))

    # -- deciding

    def _decide(self) -> None:
        if self.decide():
            for loop in self._sending:
                loop.look()

    def decide(self) -> bool:
        """Write down what is due, when we lead; tell whether anything is new."""
        term, clock = self.desk.term(), self.desk.clock
        began = clock.monotonic_ns()
        if term is None or began < self._decide_at:
            return False
        if not self._kept:
            self._let_rest(term)
        outbox = self.desk.outbox
        clusters = dict.fromkeys((*self.desk.open_clusters(), *outbox.open_clusters()))
        new = [self._decide_on(cluster) for cluster in clusters if cluster]
        now = clock.monotonic_ns()
        self._decide_at = now + SHARE * (now - began)
        return any(new)

    def _let_rest(self, term: Term) -> None:
        """Let rest what was due at systems that left the settings, and wake that of those back."""
        desk = self.desk
        for errand in desk.outbox.sending():
            if errand.system not in desk.systems:
                take_over(desk, errand, term, searches=True)
        desk.outbox.keep(desk.systems, GONE, desk.clock.now())
        self._kept = True

    def _decide_on(self, cluster: str) -> bool:
        outbox = self.desk.outbox
        with self.desk.deciding:
            found = due(self._ground(cluster), self.desk.rules)
            if not (found.changes or found.add or found.overtaken):
                return False
            crash.point("outgoing-before-note")
            outbox.note(found.changes, found.add, found.overtaken)
        crash.point("outgoing-noted")
        for errand in found.add:
            tell(errand, "is due")
        return bool(found.add)

    def _ground(self, cluster: str) -> Ground:
        desk = self.desk
        filed, drawn = desk.outbox.newest(cluster), desk.outbox.drawn(cluster)
        rows = desk.view.list_cases(CaseQuery(cluster=cluster, limit=CASES))
        return Ground(
            now=desk.clock.now(), cluster=cluster, cases=[row.case for row in rows],
            draft=drawn.draft if drawn else None, drawn_at=drawn.drawn_at if drawn else None,
            change=filed.change if filed else None, tickets=filed.tickets if filed else (),
            errands=filed.errands if filed else (),
        )  # fmt: skip

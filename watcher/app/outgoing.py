"""Sends what is due to the ticket systems: one thread, under the leader's lease, outside of
transactions.

What is to be done is decided by `watcher.tickets` and stands in the outbox before anything is
sent; what came of it is written down after. Whatever ends the process between the two leaves an
errand that is marked as being sent, and the next leader searches for it.
"""  # noqa: D205 -- one sentence

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import Event, Thread

from watcher import crash
from watcher.app.errands import Desk, Try, tell
from watcher.app.report import LEADER
from watcher.errors import Refused, StoreUnavailable, TryLater, Unclear
from watcher.model.ticket import (
    ErrandState,
    TicketRef,
)
from watcher.ports import CaseQuery, Term, TicketSystem
from watcher.tickets.advance import (
    CLOSED,
    GONE,
    Answer,
    Circuit,
    Outcome,
    circuit_after,
    interrupted,
)
from watcher.tickets.due import Ground, due

logger = logging.getLogger(__name__)

HOUR = timedelta(hours=1)
AT_ONCE = 50
"""Errands of one system that are tried before it is looked anew what is due."""
CASES = 20_000
"""Cases of one cluster that decide on its change."""
EVERY = 5.0
"""Seconds between looks when nobody wakes the thread."""
SLICE = 20 * 10**9
"""Nanoseconds that one system has in a turn, and the call that it began then: others wait so long.

A system that answers late would hold up all others with hundreds of calls.
"""
END = 3.0
"""Seconds that the end waits for a call; one that takes longer is found by a search later."""

SHARE = 20
"""Deciding over thousands of cases takes a moment; it may take a twentieth of the time."""
FOLLOW, FOLLOWED = timedelta(hours=1), 500
"""How often a ticket is looked at that nothing is to be done to, and how many of them."""


@dataclass(slots=True)
class Outgoing:
    """Decides and sends, when it leads."""

    desk: Desk
    _circuits: dict[str, Circuit] = field(default_factory=dict)
    _seen: dict[tuple[str, str], datetime] = field(default_factory=dict)
    """When each open ticket was last looked at."""
    _decide_at: int = 0
    _kept: bool = False
    """Errands of systems that left the settings rest."""
    _wake: Event = field(default_factory=Event)
    _stopping: Event = field(default_factory=Event)
    _thread: Thread | None = None

    # -- the thread

    def start(self) -> None:
        """Begin to look and send in a thread of its own; one that ended is begun anew."""
        if self._thread is None or not self._thread.is_alive():
            self._thread = Thread(target=self._run, name="outgoing", daemon=True)
            self._thread.start()

    def look(self) -> None:
        """Look soon; returns at once. What falls due calls this."""
        if self.desk.systems:
            self.start()
            self._wake.set()

    def stop(self) -> None:
        """Send no more; wait for a call that runs, but not for ever."""
        self._stopping.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(END)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait(EVERY)
            self._wake.clear()
            try:
                self.turn()
            except StoreUnavailable as error:
                logger.warning("the database does not answer: %s", error)
            except Exception:
                logger.exception("sending failed")

    # -- one turn

    def turn(self) -> int:
        """Decide what is due and try all of it that may be tried; return how many calls led on."""
        term = self.term()
        if term is None:
            return 0
        self._find_interrupted(term)
        if not self._kept:
            self.desk.outbox.keep(self.desk.systems, GONE, self.desk.clock.now())
            self._kept = True
        began = self.desk.clock.monotonic_ns()
        if began >= self._decide_at:
            self._decide()
            now = self.desk.clock.monotonic_ns()
            self._decide_at = now + SHARE * (now - began)
        return sum(self._send(name, system) for name, system in self.desk.systems.items())

    def term(self) -> Term | None:
        """Return the term in which we lead; the database is asked, for another may lead since."""
        term = self.desk.standing.term
        if self._stopping.is_set() or term is None or not self.desk.lease.holds(LEADER, term):
            return None
        return term

    def _find_interrupted(self, term: Term) -> None:
        """Take over what was being sent when a process ended: this thread sends nothing now."""
        for errand in self.desk.outbox.sending():
            if errand.epoch <= term.epoch:
                system = self.desk.systems.get(errand.system)
                limits = self.desk.limits.at(searches=system is None or system.searches)
                moved = interrupted(errand, self.desk.clock.now(), limits)
                moved = replace(moved, epoch=term.epoch)
                if self.desk.outbox.move(moved, ErrandState.SENDING):
                    tell(moved, f"is {moved.state}")

    def _decide(self) -> None:
        outbox = self.desk.outbox
        clusters = dict.fromkeys((*self.desk.open_clusters(), *outbox.open_clusters()))
        for cluster in filter(None, clusters):
            found = due(self._ground(cluster), self.desk.rules)
            if found.changes or found.add or found.overtaken:
                crash.point("outgoing-before-note")
                outbox.note(found.changes, found.add, found.overtaken)
                crash.point("outgoing-noted")
                for errand in found.add:
                    tell(errand, "is due")

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

    # -- one system

    def _send(self, name: str, system: TicketSystem) -> int:
        led_on, outbox, now = 0, self.desk.outbox, self.desk.clock.now()
        left = self.desk.limits.hourly - outbox.sent_since(name, now - HOUR)
        until = self.desk.clock.monotonic_ns() + SLICE
        for errand in outbox.due(name, now, AT_ONCE):
            if self._is_over(until):
                break
            term = self.term()
            if term is None or not self._circuit(name).allows(self.desk.clock.now()):
                break
            # A search for what is unknown costs nothing of the hour's budget.
            if left > 0 or errand.state is ErrandState.UNKNOWN:
                one = Try(self.desk, system, errand, term, self.term, self.heard)
                led_on += one.run()
                left -= one.begun
        self._follow(name, system, until)
        return led_on

    def _is_over(self, until: int) -> bool:
        """Tell whether a system had its time; the next turn, with its next, comes at once."""
        over = self.desk.clock.monotonic_ns() >= until
        if over:
            self._wake.set()
        return over

    def _follow(self, name: str, system: TicketSystem, until: int) -> None:
        """Look now and then whether people closed a ticket; a moment later is early enough."""
        now, outbox = self.desk.clock.now(), self.desk.outbox
        for ticket in outbox.open_tickets(name, FOLLOWED):
            at = self._seen.setdefault((ticket.change, name), now)
            if now - at < FOLLOW or not self._circuit(name).allows(now) or self.term() is None:
                continue
            if self._is_over(until):
                return
            self._seen[ticket.change, name] = now
            found = self._asked(name, system, ticket.change)
            if found is None:
                return
            seen = next((one for one in found if one.id == ticket.ref.id), None)
            if seen is not None and seen.closed:
                outbox.see(replace(ticket, ref=seen, closed_at=now))
                logger.info("ticket %s at %s was closed by people", ticket.change, name,
                            extra={"action": "ticket"})  # fmt: skip

    def _asked(self, name: str, system: TicketSystem, key: str) -> Sequence[TicketRef] | None:
        """Return what a system finds, None if it cannot say; a search that is refused shuts us out.

        How it answered is heard as that of an errand is: a wrong password is not tried on and on.
        """
        outcome, told, seconds = Outcome.ABSENT, "", None
        found: Sequence[TicketRef] | None = None
        try:
            found = system.find(key)
        except TryLater as error:
            outcome, told, seconds = Outcome.LATER, str(error), error.seconds
        except Unclear as error:
            outcome, told = Outcome.UNCLEAR, str(error)
        except Refused as error:
            outcome, told = Outcome.SHUT, str(error)
        if found is None:
            logger.info("%s cannot be asked for %s: %s", name, key, told)
        at = self.desk.clock.now()
        self.heard(name, Answer(outcome=outcome, at=at, told=told, seconds=seconds))
        return found

    def _circuit(self, name: str) -> Circuit:
        return self._circuits.get(name, CLOSED)

    def heard(self, system: str, answer: Answer) -> None:
        """Note how a system answered."""
        before = self._circuit(system)
        after = self._circuits[system] = circuit_after(before, answer)
        if after.until is not None and (before.until is None):
            logger.warning("%s rests until %s: %s", system, f"{after.until:%H:%M:%S}", answer.told,
                           extra={"action": "ticket_system"})  # fmt: skip

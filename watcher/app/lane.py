"""What is due at one ticket system is sent, one after the other, under the leader's lease.

Each system has a lane of its own, and each lane a thread, so that a system that is slow, rests or
hangs holds up no other. What is to be done stands in the outbox before anything is sent; what came
of it is written down after. Whatever ends the process between the two leaves an errand that is
marked as being sent, and the next leader's lane searches for it.
"""

import logging
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from watcher.app.errands import GONE, Desk, Try, found_at, of_one, outcome_of, seen_at, tell
from watcher.errors import Refused, TryLater, Unclear
from watcher.model.ticket import Errand, ErrandState, Ticket, TicketRef
from watcher.ports import Term, TicketSystem
from watcher.tickets.advance import (
    CLOSED,
    Answer,
    Circuit,
    Outcome,
    circuit_after,
    interrupted,
)

logger = logging.getLogger(__name__)

HOUR = timedelta(hours=1)
AT_ONCE = 50
"""Errands that are tried before it is looked anew what is due."""
FOLLOW, FOLLOWED = timedelta(hours=1), 500
"""How often a ticket is looked at that nothing is to be done to, and how many of them."""
MISSED = timedelta(days=1)
"""A ticket that is gone for so long counts as closed by people."""


@dataclass(slots=True)
class Lane:
    """The way to one ticket system."""

    desk: Desk
    name: str
    system: TicketSystem
    _circuit: Circuit = CLOSED
    _seen: dict[str, datetime] = field(default_factory=dict)
    """When each ticket was last looked at, by its change."""
    _gone: dict[str, datetime] = field(default_factory=dict)
    """Since when tickets are gone, or not ours."""

    def turn(self) -> int:
        """Try all that is due and may be tried; return how many calls led on."""
        term = self.desk.term()
        if term is None:
            return 0
        self._find_interrupted(term)
        led_on, outbox, now = 0, self.desk.outbox, self.desk.clock.now()
        left = self.desk.limits.hourly - outbox.sent_since(self.name, now - HOUR)
        for errand in outbox.due(self.name, now, AT_ONCE):
            term = self.desk.term()
            if term is None or not self._circuit.allows(self.desk.clock.now()):
                break
            # A search for what is unknown costs nothing of the hour's budget.
            if left > 0 or errand.state is ErrandState.UNKNOWN:
                one = Try(self.desk, self.system, errand, term, self._heard)
                led_on += one.run()
                left -= one.begun
        self._follow()
        return led_on

    def _find_interrupted(self, term: Term) -> None:
        """Take over what was being sent when a process ended: this lane sends nothing now."""
        for errand in self.desk.outbox.sending():
            if errand.system == self.name:
                take_over(self.desk, errand, term, searches=self.system.searches)

    def _follow(self) -> None:
        """Look now and then whether people closed or opened a ticket; a moment later will do."""
        now, outbox = self.desk.clock.now(), self.desk.outbox
        for ticket in outbox.to_follow(self.name, FOLLOWED):
            at = self._seen.setdefault(ticket.change, now)
            if now - at < FOLLOW or not self._circuit.allows(now) or self.desk.term() is None:
                continue
            self._seen[ticket.change] = now
            seen = self._asked(ticket)
            if seen is None:
                return
            if seen.closed != ticket.ref.closed:
                outbox.see(replace(ticket, ref=seen, closed_at=now if seen.closed else None))
                told = "closed or taken away" if seen.closed else "opened again"
                logger.warning("ticket %s at %s was %s by people", ticket.change, self.name, told,
                               extra={"action": "ticket"})  # fmt: skip

    def _asked(self, ticket: Ticket) -> TicketRef | None:
        """Return a ticket as it is now, as closed if it is gone for long; None: nobody can say.

        How the system answered is heard as of an errand: a wrong password is not tried on and on.
        """
        system, ref, key = self.system, ticket.ref, ticket.change
        outcome, told, seconds = Outcome.ABSENT, GONE, None
        try:
            found = found_at(system, key)
            seen = of_one(system, lambda: seen_at(system, ref, key, found))
            if seen is not None:
                self._gone.pop(key, None)
                return seen
            if self._is_gone(key):
                return replace(ref, closed=True)
        except (TryLater, Unclear, Refused) as error:
            told = str(error)
            outcome, seconds = outcome_of(error)
            if outcome in (Outcome.BARRED, Outcome.REFUSED):  # of this ticket alone: reading works
                outcome = Outcome.ABSENT
        finally:
            at = self.desk.clock.now()
            self._heard(Answer(outcome=outcome, at=at, told=told, seconds=seconds))
        logger.info("%s cannot be asked for %s: %s", self.name, key, told)
        return None

    def _is_gone(self, key: str) -> bool:
        """Tell whether a ticket was gone at each look for a day: a right may come back."""
        now = self.desk.clock.now()
        return now - self._gone.setdefault(key, now) >= MISSED

    def _heard(self, answer: Answer) -> None:
        """Note how the system answered."""
        before = self._circuit
        self._circuit = after = circuit_after(before, answer)
        if after.until is not None and before.until is None:
            logger.warning("%s rests until %s: %s", self.name, f"{after.until:%H:%M:%S}",
                           answer.told, extra={"action": "ticket_system"})  # fmt: skip


def take_over(desk: Desk, errand: Errand, term: Term, *, searches: bool) -> None:
    """Write down how an errand goes on that nobody sends any more, unless a later term has it."""
    if errand.epoch > term.epoch:
        return
    moved = interrupted(errand, desk.clock.now(), desk.limits.at(searches=searches))
    moved = replace(moved, epoch=term.epoch)
    if desk.outbox.move(moved, ErrandState.SENDING):
        tell(moved, f"is {moved.state}")

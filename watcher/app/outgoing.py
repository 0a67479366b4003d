"""Sends what is due to the ticket systems: one thread, under the leader's lease, outside of
transactions.

What is to be done is decided by `watcher.tickets` and stands in the outbox before anything is
sent; what came of it is written down after. Whatever ends the process between the two leaves an
errand that is marked as being sent, and the next leader searches for it.
"""  # noqa: D205 -- one sentence

import logging
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import Event, Thread

from watcher import crash
from watcher.app.report import LEADER, Found
from watcher.errors import Refused, ShutOut, StoreUnavailable, TryLater, Unclear
from watcher.model.ticket import (
    Attachment,
    Change,
    Draft,
    Errand,
    ErrandKind,
    ErrandState,
    Ticket,
    TicketRef,
)
from watcher.ports import CaseQuery, Clock, Filed, Lease, Outbox, Term, TicketSystem, View
from watcher.tickets.advance import (
    CLOSED,
    DEFAULT,
    GONE,
    Answer,
    Circuit,
    Limits,
    Outcome,
    advance,
    begin,
    circuit_after,
    interrupted,
)
from watcher.tickets.due import DueRules, Ground, addressed, due

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

Attach = Callable[[str], Sequence[Attachment]]
"""Returns the documents of a cluster's newest plan."""


def nothing_attached(_: str) -> Sequence[Attachment]:
    """Attach nothing."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What sending works with."""

    outbox: Outbox
    view: View
    lease: Lease
    clock: Clock
    standing: Found
    """Who leads, as the worker last heard."""
    systems: Mapping[str, TicketSystem]
    rules: DueRules
    open_clusters: Callable[[], Sequence[str]]
    limits: Limits = DEFAULT
    attach: Attach = nothing_attached
    chance: Callable[[], float] = random.random
    """Spreads tries; no secret hangs on it."""


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
                moved = interrupted(errand, self.desk.clock.now(), self.desk.limits)
                self.move(replace(moved, epoch=term.epoch), ErrandState.SENDING)

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
                    _tell(errand, "is due")

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
                one = _Try(self, system, errand, term)
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
            try:
                found = system.find(ticket.change)
            except (TryLater, Unclear, Refused) as error:
                logger.info("%s cannot be asked for %s: %s", name, ticket.change, error)
                return
            seen = next((one for one in found if one.id == ticket.ref.id), None)
            if seen is not None and seen.closed:
                outbox.see(replace(ticket, ref=seen, closed_at=now))
                logger.info("ticket %s at %s was closed by people", ticket.change, name,
                            extra={"action": "ticket"})  # fmt: skip

    def _circuit(self, name: str) -> Circuit:
        return self._circuits.get(name, CLOSED)

    def heard(self, system: str, answer: Answer) -> None:
        """Note how a system answered."""
        before = self._circuit(system)
        after = self._circuits[system] = circuit_after(before, answer)
        if after.until is not None and (before.until is None):
            logger.warning("%s rests until %s: %s", system, f"{after.until:%H:%M:%S}", answer.told,
                           extra={"action": "ticket_system"})  # fmt: skip

    def move(self, errand: Errand, before: ErrandState, ticket: Ticket | None = None) -> bool:
        """Write down how far an errand is; tell whether it was ours to write."""
        moved = self.desk.outbox.move(errand, before, ticket)
        if moved and errand.state is not before:
            _tell(errand, f"is {errand.state}")
        return moved


@dataclass(slots=True)
class _Try:
    """One errand at one system, in one term."""

    outgoing: Outgoing
    system: TicketSystem
    errand: Errand
    term: Term
    absent: bool = False
    """A search found that it is not there."""
    begun: int = 0
    """How many calls were made that change something."""

    def run(self) -> bool:
        """Search, and send what is not there; tell whether it is done."""
        after = self.searched()
        if after is None or after.state is not ErrandState.NEW or not self.absent:
            return after is not None and after.state is ErrandState.DONE
        waits = after.next_at > self.outgoing.desk.clock.now()
        return not waits and self.sent(after)

    def searched(self) -> Errand | None:
        """Look whether it is done, or the ticket was closed; return the errand after that."""
        errand = self.errand
        if crash.seeded("no-find-before-create") and errand.kind is ErrandKind.CREATE:
            answer = self._answer(Outcome.ABSENT)
        else:
            answer = self._asked(self._search)
        self.outgoing.heard(errand.system, answer)
        self.absent = answer.outcome is Outcome.ABSENT
        if self.absent and errand.state is ErrandState.NEW:
            return errand
        after = advance(errand, answer, self._limits())
        crash.point("outgoing-searched")
        return after if self._write(after, errand.state, answer) else None

    def _search(self) -> Answer:
        """Return whether it is there; a ticket that people closed or took away is left alone."""
        errand, system = self.errand, self.system
        try:
            found = system.find(errand.change)
        except Refused as error:  # it is asked the same for every key: no fault of this one
            raise ShutOut(str(error)) from error
        if errand.kind is ErrandKind.CREATE:
            return self._made(found)
        ours = errand.ticket
        seen = next((one for one in found if ours is not None and one.id == ours.id), None)
        if ours is None:
            return self._answer(Outcome.LEFT, told="there is no ticket")
        if self._arrived(seen or ours, sure=seen is not None):
            return self._answer(Outcome.FOUND, seen or ours)
        # Our own closing may have come half way; only a reopening goes on where people closed.
        ends = errand.kind is ErrandKind.CLOSE and errand.sent_at is not None
        if seen is not None and seen.closed and errand.kind is not ErrandKind.REOPEN and not ends:
            return self._answer(Outcome.LEFT, seen, "people closed the ticket")
        return self._answer(Outcome.ABSENT, seen)

    def _made(self, found: Sequence[TicketRef]) -> Answer:
        """Return whether the ticket is there; a closed one that we never made is not this one."""
        ticket = next((one for one in found if not one.closed), next(iter(found), None))
        if ticket is None:
            return self._answer(Outcome.ABSENT)
        if ticket.closed and self.errand.sent_at is None:
            return self._answer(Outcome.LEFT, ticket, "a closed ticket has this key")
        return self._answer(Outcome.FOUND, ticket)

    def _arrived(self, ticket: TicketRef, *, sure: bool) -> bool:
        """Tell whether an errand was done before; an update does no harm twice, so it is sent."""
        errand, has = self.errand, self.system.has
        match errand.kind:
            case ErrandKind.UPDATE:
                if errand.sent_at is None or " again " in errand.what:
                    return False
                filed = self.outgoing.desk.outbox.filed(errand.change)
                return filed is not None and has(ticket, addressed(filed.change).mark)
            case ErrandKind.CLOSE:
                return has(ticket, errand.signed) and (ticket.closed or not sure)
            case ErrandKind.REOPEN:
                return has(ticket, errand.signed) and not ticket.closed
            case _:
                return has(ticket, errand.signed)

    def sent(self, errand: Errand) -> bool:
        """Send it; what is written before and after is what a search later goes by."""
        outgoing = self.outgoing
        filed = outgoing.desk.outbox.filed(errand.change)
        if filed is None:
            return False
        now = outgoing.desk.clock.now()
        shows = errand.kind in (ErrandKind.CREATE, ErrandKind.UPDATE)
        sending = begin(errand, self.term.epoch, now)
        if shows:
            draft = addressed(filed.change)
            sending = replace(sending, version=draft.version, digest=draft.shows)
        crash.point("outgoing-before-sending")
        if not outgoing.move(sending, ErrandState.NEW):
            return False
        crash.point("outgoing-sending")
        self.begun += 1
        term = outgoing.term()
        if term is None or term.epoch != self.term.epoch:
            answer = self._answer(Outcome.LATER, told="another leads; it was not sent")
            return self._write(advance(sending, answer), ErrandState.SENDING, answer) and False
        answer = self._asked(lambda: self._sent(sending, filed))
        crash.point("outgoing-sent")
        outgoing.heard(errand.system, answer)
        after = advance(sending, answer, self._limits())
        self._write(after, ErrandState.SENDING, answer)
        crash.point("outgoing-done")
        return after.state is ErrandState.DONE

    def _sent(self, errand: Errand, filed: Filed) -> Answer:
        system, ours = self.system, errand.ticket
        match errand.kind:
            case ErrandKind.CREATE:
                return self._whole(system.create(self._draft(filed.change)))
            case _ if ours is None:
                raise Refused("there is no ticket")
            case ErrandKind.UPDATE:
                return self._whole(system.update(ours, self._draft(filed.change)))
            case ErrandKind.COMMENT:
                system.comment(ours, errand.signed, errand.text)
                return self._answer(Outcome.DONE, ours)
            case ErrandKind.CLOSE:
                return self._answer(Outcome.DONE, system.close(ours, errand.signed, errand.text))
            case ErrandKind.REOPEN:
                return self._answer(Outcome.DONE, system.reopen(ours, errand.signed, errand.text))

    def _whole(self, ticket: TicketRef) -> Answer:
        """Return that a ticket is there, and what it had to do without."""
        told = "; ".join(self.system.left_out)
        return self._answer(Outcome.DONE, ticket, told=f"left out: {told}" if told else "")

    def _draft(self, change: Change) -> Draft:
        attached = tuple(self.outgoing.desk.attach(change.cluster))
        return replace(addressed(change), attachments=attached)

    def _asked(self, call: Callable[[], Answer]) -> Answer:
        """Return what came of a call; an error that no back-end may raise leaves it unclear."""
        try:
            return call()
        except TryLater as error:
            return self._answer(Outcome.LATER, told=str(error), seconds=error.seconds)
        except Unclear as error:
            return self._answer(Outcome.UNCLEAR, told=str(error))
        except ShutOut as error:
            return self._answer(Outcome.SHUT, told=str(error))
        except Refused as error:
            return self._answer(Outcome.REFUSED, told=str(error))
        except StoreUnavailable:
            raise
        except Exception as error:
            logger.exception("%s failed", self.errand.system)
            return self._answer(Outcome.UNCLEAR, told=f"a fault of ours: {type(error).__name__}")

    def _limits(self) -> Limits:
        return self.outgoing.desk.limits.at(searches=self.system.searches)

    def _answer(
        self, outcome: Outcome, ticket: TicketRef | None = None, told: str = "",
        seconds: float | None = None,
    ) -> Answer:  # fmt: skip
        desk = self.outgoing.desk
        return Answer(outcome=outcome, at=desk.clock.now(), ticket=ticket, told=told,
                      seconds=seconds, chance=desk.chance())  # fmt: skip

    def _write(self, after: Errand, before: ErrandState, answer: Answer) -> bool:
        ours = replace(after, epoch=max(after.epoch, self.term.epoch))
        ticket = None
        if after.state is ErrandState.DONE and answer.ticket is not None:
            ticket = _ticket(after, answer.ticket, self._known_closed(), answer.at)
        return self.outgoing.move(ours, before, ticket)

    def _known_closed(self) -> datetime | None:
        """Return since when the ticket is known to be closed."""
        filed = self.outgoing.desk.outbox.filed(self.errand.change)
        tickets: Iterator[Ticket] = iter(filed.tickets if filed else ())
        found = (one for one in tickets if one.system == self.errand.system)
        return next((one.closed_at for one in found), None)


def _ticket(errand: Errand, ref: TicketRef, closed_at: datetime | None, now: datetime) -> Ticket:
    return Ticket(
        change=errand.change, system=errand.system, ref=ref,
        closed_at=(closed_at or now) if ref.closed else None,
    )  # fmt: skip


def _tell(errand: Errand, what: str) -> None:
    level = logging.ERROR if errand.state is ErrandState.DEAD else logging.INFO
    told = f" ({errand.told})" if errand.told else ""
    logger.log(level, "ticket %s at %s: %s %s%s", errand.change, errand.system, errand.kind, what,
               told, extra={"action": "ticket"})  # fmt: skip

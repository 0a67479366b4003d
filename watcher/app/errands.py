"""One errand at one ticket system: search, send what is not there, write down what came of it.

What is written before and after each call is what a search goes by later, whatever ends the
process between the two.
"""

import logging
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Event, RLock
from typing import TypeVar

from watcher import crash
from watcher.app.report import LEADER, Found
from watcher.errors import NotLoggedIn, Refused, ShutOut, StoreUnavailable, TryLater, Unclear
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
from watcher.ports import Clock, Filed, Lease, Outbox, Term, TicketSystem, View
from watcher.tickets.advance import DEFAULT, SHOW, Answer, Limits, Outcome, advance, begin
from watcher.tickets.due import DueRules, addressed

logger = logging.getLogger(__name__)

GONE = "the ticket is gone, or does not carry our key any more"
T = TypeVar("T")
Attach = Callable[[str], Sequence[Attachment]]
"""Returns the documents of a cluster's newest plan."""


class Barred(Refused):
    """One ticket is shut to us, or gone, though the system lets us in."""


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
    stopping: Event = field(default_factory=Event)
    """Nothing more is begun."""
    deciding: RLock = field(default_factory=RLock)
    """Held while it is decided what is due, and while an errand moves on: what is decided of one
    cluster is about the errands as they then are."""

    def term(self) -> Term | None:
        """Return the term in which we lead; the database is asked, for another may lead since."""
        term = self.standing.term
        if self.stopping.is_set() or term is None or not self.lease.holds(LEADER, term):
            return None
        return term


@dataclass(slots=True)
class Try:
    """One errand at one system, in one term."""

    desk: Desk
    system: TicketSystem
    errand: Errand
    term: Term
    heard: Callable[[Answer], None]
    """Is told how the system answered."""
    absent: bool = False
    """A search found that it is not there."""
    begun: int = 0
    """How many calls were made that change something."""

    def run(self) -> bool:
        """Search, and send what is not there; tell whether it is done."""
        after = self.searched()
        if after is None or after.state is not ErrandState.NEW or not self.absent:
            return after is not None and after.state is ErrandState.DONE
        waits = after.next_at > self.desk.clock.now()
        return not waits and self.sent(after)

    def searched(self) -> Errand | None:
        """Look whether it is done, or the ticket was closed; return the errand after that."""
        errand = self.errand
        if crash.seeded("no-find-before-create") and errand.kind is ErrandKind.CREATE:
            answer = self._answer(Outcome.ABSENT)
        else:
            answer = self._asked(self._search)
        self.heard(answer)
        self.absent = answer.outcome is Outcome.ABSENT
        if self.absent and errand.state is ErrandState.NEW:
            return errand
        after = advance(errand, answer, self._limits())
        crash.point("outgoing-searched")
        return after if self._write(after, errand.state, answer) else None

    def _search(self) -> Answer:
        """Return whether it is there; a ticket that people closed or took away is left alone."""
        errand, system = self.errand, self.system
        found = found_at(system, errand.change)
        if errand.kind is ErrandKind.CREATE:
            return self._made(found)
        if errand.ticket is None:
            return self._answer(Outcome.LEFT, told="there is no ticket")
        if errand.kind is ErrandKind.CLOSE and not self._is_over():
            return self._answer(Outcome.LEFT, told="the change goes on")
        ours = errand.ticket
        return of_one(system, lambda: self._seen(seen_at(system, ours, errand.change, found)))

    def _is_over(self) -> bool:
        filed = self.desk.outbox.filed(self.errand.change)
        return filed is not None and filed.change.ended_at is not None

    def _seen(self, seen: TicketRef | None) -> Answer:
        """Return whether it was done to a ticket that is there and ours; to another nothing is."""
        errand = self.errand
        if seen is None:
            last = errand.refusals + 1 >= self._limits().bars
            if errand.kind is ErrandKind.REOPEN or not last:  # after a reopening, another change
                raise Barred(GONE)
            ours = errand.ticket
            return self._answer(Outcome.LEFT, ours and replace(ours, closed=True), GONE)
        if self._arrived(seen):
            return self._answer(Outcome.FOUND, seen)
        # Our own closing may have come half way; only a reopening goes on where people closed.
        ends = errand.kind is ErrandKind.CLOSE and errand.sent_at is not None
        if seen.closed and errand.kind is not ErrandKind.REOPEN and not ends:
            return self._answer(Outcome.LEFT, seen, "people closed the ticket")
        return self._answer(Outcome.ABSENT, seen)

    def _made(self, found: Sequence[TicketRef]) -> Answer:
        """Return whether the ticket is there; a closed one that we never made is not this one.

        Of a change that was over before its ticket was made nobody wants one any more.
        """
        ticket = next((one for one in found if not one.closed), next(iter(found), None))
        if ticket is None:
            if self._is_over():
                return self._answer(Outcome.LEFT, told="the change was over before it was made")
            return self._answer(Outcome.ABSENT)
        if ticket.closed and self.errand.sent_at is None:
            return self._answer(Outcome.LEFT, ticket, "a closed ticket has this key")
        return self._answer(Outcome.FOUND, ticket)

    def _arrived(self, ticket: TicketRef) -> bool:
        """Tell whether an errand was done before; an update does no harm twice, so it is sent."""
        errand, has = self.errand, self.system.has
        match errand.kind:
            case ErrandKind.UPDATE:
                if errand.sent_at is None or " again " in errand.what:
                    return False
                filed = self.desk.outbox.filed(errand.change)
                return filed is not None and has(ticket, addressed(filed.change).mark)
            case ErrandKind.CLOSE:
                return has(ticket, errand.signed) and ticket.closed
            case ErrandKind.REOPEN:
                return has(ticket, errand.signed) and not ticket.closed
            case _:
                return has(ticket, errand.signed)

    def sent(self, errand: Errand) -> bool:
        """Send it; what is written before and after is what a search later goes by."""
        with self.desk.deciding:
            filed = self.desk.outbox.filed(errand.change)
            if filed is None:
                return False
            if errand.kind is ErrandKind.CLOSE and filed.change.ended_at is None:
                return False  # it went on since we looked; the next search says so
            sending = begin(errand, self.term.epoch, self.desk.clock.now())
            if errand.kind in SHOW:
                draft = addressed(filed.change)
                shows = self._shown(errand, draft.shows)
                sending = replace(sending, version=draft.version, digest=shows)
            crash.point("outgoing-before-sending")
            if not self.move(sending, ErrandState.NEW):
                return False
        crash.point("outgoing-sending")
        self.begun += 1
        term = self.desk.term()
        if term is None or term.epoch != self.term.epoch:
            answer = self._answer(Outcome.LATER, told="another leads; it was not sent")
            return self._write(advance(sending, answer), ErrandState.SENDING, answer) and False
        answer = self._asked(lambda: self._sent(sending, filed))
        crash.point("outgoing-sent")
        self.heard(answer)
        after = advance(sending, answer, self._limits())
        self._write(after, ErrandState.SENDING, answer)
        crash.point("outgoing-done")
        return after.state is ErrandState.DONE

    def _shown(self, errand: Errand, digest: str) -> str:
        """Return what the ticket shows after this; nothing where that may be what was sent before.

        Who keeps what comes twice by its name takes the first, and where nobody can look, nobody
        knows which one arrived.
        """
        sent = errand.kind is ErrandKind.CREATE and errand.sent_at is not None
        return "" if sent and errand.digest != digest and not self.system.searches else digest

    def _sent(self, errand: Errand, filed: Filed) -> Answer:
        system, ours = self.system, errand.ticket
        if errand.kind is ErrandKind.CREATE:
            return self._whole(system.create(self._draft(filed.change)))
        if ours is None:
            raise Refused("there is no ticket")
        return of_one(system, lambda: self._changed(errand, ours, filed))

    def _changed(self, errand: Errand, ours: TicketRef, filed: Filed) -> Answer:
        system = self.system
        match errand.kind:
            case ErrandKind.UPDATE:
                return self._updated(errand, ours, self._draft(filed.change))
            case ErrandKind.COMMENT:
                system.comment(ours, errand.signed, errand.text)
                return self._answer(Outcome.DONE, ours)
            case ErrandKind.CLOSE:
                return self._answer(Outcome.DONE, system.close(ours, errand.signed, errand.text))
            case _:
                return self._answer(Outcome.DONE, system.reopen(ours, errand.signed, errand.text))

    def _updated(self, errand: Errand, ours: TicketRef, draft: Draft) -> Answer:
        """Bring a ticket up to date; what alone does not arrive is left out at the last try."""
        try:
            return self._whole(self.system.update(ours, draft))
        except Unclear as error:
            if not error.left_out or errand.unclear + 1 < self._limits().unclear:
                raise
            return self._answer(Outcome.DONE, ours, f"left out: {'; '.join(error.left_out)}")

    def _whole(self, ticket: TicketRef) -> Answer:
        """Return that a ticket is there, and what it had to do without."""
        told = "; ".join(self.system.left_out)
        return self._answer(Outcome.DONE, ticket, told=f"left out: {told}" if told else "")

    def _draft(self, change: Change) -> Draft:
        attached = tuple(self.desk.attach(change.cluster))
        return replace(addressed(change), attachments=attached)

    def _asked(self, call: Callable[[], Answer]) -> Answer:
        """Return what came of a call; an error that no back-end may raise leaves it unclear."""
        try:
            return call()
        except (TryLater, Unclear, Refused) as error:
            outcome, seconds = outcome_of(error)
            return self._answer(outcome, told=str(error), seconds=seconds)
        except StoreUnavailable:
            raise
        except Exception as error:
            logger.exception("%s failed", self.errand.system)
            return self._answer(Outcome.UNCLEAR, told=f"a fault of ours: {type(error).__name__}")

    def _limits(self) -> Limits:
        return self.desk.limits.at(searches=self.system.searches)

    def _answer(
        self, outcome: Outcome, ticket: TicketRef | None = None, told: str = "",
        seconds: float | None = None,
    ) -> Answer:  # fmt: skip
        desk = self.desk
        return Answer(outcome=outcome, at=desk.clock.now(), ticket=ticket, told=told,
                      seconds=seconds, chance=desk.chance())  # fmt: skip

    def _write(self, after: Errand, before: ErrandState, answer: Answer) -> bool:
        ours = replace(after, epoch=max(after.epoch, self.term.epoch))
        ticket = None
        if after.state is ErrandState.DONE and answer.ticket is not None:
            ticket = _ticket(after, answer.ticket, self._known_closed(), answer.at)
        return self.move(ours, before, ticket)

    def move(self, errand: Errand, before: ErrandState, ticket: Ticket | None = None) -> bool:
        """Write down how far an errand is; tell whether it was ours to write."""
        with self.desk.deciding:
            moved = self.desk.outbox.move(errand, before, ticket)
        if moved and errand.state is not before:
            tell(errand, f"is {errand.state}")
        return moved

    def _known_closed(self) -> datetime | None:
        """Return since when the ticket is known to be closed."""
        filed = self.desk.outbox.filed(self.errand.change)
        tickets: Iterator[Ticket] = iter(filed.tickets if filed else ())
        found = (one for one in tickets if one.system == self.errand.system)
        return next((one.closed_at for one in found), None)


def outcome_of(error: TryLater | Unclear | Refused) -> tuple[Outcome, float | None]:
    """Return what a back-end's error means, and after how many seconds it wants to be asked."""
    match error:
        case TryLater():
            return Outcome.LATER, error.seconds
        case Unclear():
            return Outcome.UNCLEAR, None
        case ShutOut():
            return Outcome.SHUT, None
        case Barred():
            return Outcome.BARRED, None
        case _:
            return Outcome.REFUSED, None


def found_at(system: TicketSystem, key: str) -> Sequence[TicketRef]:
    """Return what a search finds; one that is refused is asked the same for every key."""
    try:
        return system.find(key)
    except Refused as error:
        raise error if isinstance(error, ShutOut) else ShutOut(str(error)) from error


def seen_at(
    system: TicketSystem, ticket: TicketRef, key: str, found: Sequence[TicketRef]
) -> TicketRef | None:
    """Return a ticket as it is now, also where no search shows it; None: gone, or not ours."""
    seen = next((one for one in found if one.id == ticket.id), None)
    return seen or system.look(ticket, key)


def of_one(system: TicketSystem, call: Callable[[], T]) -> T:
    """Call about one ticket; where a search let us in just now, a no is `Barred`."""
    try:
        return call()
    except NotLoggedIn:
        raise
    except ShutOut as error:
        if not system.searches:
            raise
        raise Barred(str(error)) from error


def _ticket(errand: Errand, ref: TicketRef, closed_at: datetime | None, now: datetime) -> Ticket:
    return Ticket(
        change=errand.change, system=errand.system, ref=ref,
        closed_at=(closed_at or now) if ref.closed else None,
    )  # fmt: skip


def tell(errand: Errand, what: str) -> None:
    """Log what became of an errand."""
    level = logging.ERROR if errand.state is ErrandState.DEAD else logging.INFO
    told = f" ({errand.told})" if errand.told else ""
    logger.log(level, "ticket %s at %s: %s %s%s", errand.change, errand.system, errand.kind, what,
               told, extra={"action": "ticket"})  # fmt: skip

"""Drafts, changes and an outbox in memory; a ticket system with the faults of a bad day."""

import heapq
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random

from app.desk import StillClock
from store import samples

from watcher.app.errands import Desk
from watcher.app.outgoing import Outgoing
from watcher.app.report import Found
from watcher.errors import Refused, TryLater, Unclear
from watcher.model.case import CaseState
from watcher.model.ticket import ErrandKind, ErrandState, TicketRef
from watcher.ports import Drawn, Filed, Term
from watcher.tickets.advance import Limits
from watcher.tickets.due import DueRules

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECOND, MINUTE, HOUR, DAY = (timedelta(seconds=one) for one in (1, 60, 3600, 86400))
ONE = DueRules(systems=("scripted",))
FREE = Limits(hourly=10**6)


class Memory:
    """The outbox without a database: the same promises, by the same keys."""

    def __init__(self):
        self.kept, self.tickets, self.errands, self.drafts = {}, {}, {}, {}

    def open_clusters(self):
        """Return nothing: tests fill the outbox themselves."""
        return ()

    def newest(self, cluster):
        """Return the newest change of a cluster."""
        keys = [one.key for one in self.kept.values() if one.cluster == cluster]
        return self.filed(keys[-1]) if keys else None

    def filed(self, key):
        """Return a change with all that belongs to it."""
        return Filed(
            change=self.kept[key],
            tickets=[one for (change, _), one in self.tickets.items() if change == key],
            errands=[one for one in self.errands.values() if one.change == key],
        )

    def drawn(self, cluster):
        """Return the draft of a cluster."""
        return self.drafts.get(cluster)

    def note(self, changes, add, moved):
        """Insert by key and by mark."""
        self.kept |= {one.key: one for one in changes}
        known = {(one.change, one.system, one.mark) for one in self.errands.values()}
        for one in add:
            if (one.change, one.system, one.mark) not in known:
                self.errands[len(self.errands) + 1] = replace(one, id=len(self.errands) + 1)
        for one in moved:
            _ = self.move(one, ErrandState.NEW) or self.move(one, ErrandState.DEAD)

    def due(self, system, now, limit):
        """Return what may be tried."""
        states = (ErrandState.UNKNOWN, ErrandState.NEW)
        found = [
            one for one in self.errands.values()
            if one.system == system and one.state in states and one.next_at <= now
        ]  # fmt: skip
        first = heapq.nsmallest(limit, found, key=lambda one: (states.index(one.state),
                                                               one.next_at, one.id))  # fmt: skip
        return [self._with_ticket(one) for one in first]

    def _with_ticket(self, one):
        ticket = self.tickets.get((one.change, one.system))
        return replace(one, ticket=ticket.ref if ticket else None)

    def sending(self):
        """Return what is being sent."""
        return [one for one in self.errands.values() if one.state is ErrandState.SENDING]

    def keep(self, systems, told, now):
        """Let rest, and wake."""
        for one in list(self.errands.values()):
            kept, done = one.system in systems, one.state is ErrandState.DONE
            if not kept and not done and one.state is not ErrandState.SENDING:
                self.errands[one.id] = replace(one, state=ErrandState.DONE, told=told)
            elif kept and done and one.told == told:
                self.errands[one.id] = replace(one, state=ErrandState.NEW, told="", next_at=now,
                                               added_at=now)  # fmt: skip

    def dead(self):
        """Return what was given up."""
        return [one for one in self.errands.values() if one.state is ErrandState.DEAD]

    def move(self, errand, before, ticket=None):
        """Compare, then write."""
        there = self.errands[errand.id]
        if there.state is not before or there.epoch > errand.epoch:
            return False
        self.errands[errand.id] = errand
        if ticket is not None:
            self.tickets[ticket.change, ticket.system] = ticket
        return True

    def to_follow(self, system, limit):
        """Return open tickets, and all of changes that go on."""
        found = [one for one in self.tickets.values() if one.system == system]
        goes_on = {key for key, change in self.kept.items() if change.ended_at is None}
        return [one for one in found if not one.ref.closed or one.change in goes_on][:limit]

    def see(self, ticket):
        """Write a ticket down."""
        self.tickets[ticket.change, ticket.system] = ticket

    def sent_since(self, system, since):
        """Count what was sent."""
        times = (one.sent_at for one in self.errands.values() if one.system == system)
        return sum(at is not None and at > since for at in times)

    def states(self):
        """Return how many errands are in each state."""
        return Counter(one.state for one in self.errands.values())


@dataclass
class Scripted:
    """A ticket system on a clock of ours: it fails by chance, is slow, and its search lags."""

    clock: StillClock
    chance: Random
    faults: bool = True
    lag: float = 120.0
    name: str = "scripted"
    searches: bool = True
    reopens: bool = True
    left_out: tuple = ()
    tickets: dict = field(default_factory=dict)
    """By id: key, title, when it can be found, closed, comments with when they can be read."""
    calls: Counter = field(default_factory=Counter)

    def _answer(self, effect):
        """Do it or not, answer or not: the mix of G-10."""
        roll = self.chance.random() if self.faults else 1.0
        if roll < 0.20:
            raise TryLater("503")
        if roll < 0.25:
            raise TryLater("429", self.chance.choice([1, 30, 90]))
        if roll < 0.30:
            raise Unclear("200 with a page of HTML")
        if roll < 0.40:  # it timed out, and the server works on for up to 30 s
            self.clock.pass_by(30 * SECOND)
            done = effect(self.chance.uniform(0, 30)) if self.chance.random() < 0.5 else None
            raise Unclear(f"timed out ({done is not None})")
        done = effect(0.0)
        if roll < 0.50:
            raise Unclear("the answer was lost")
        return done

    def _later(self, seconds):
        lag = self.chance.uniform(0, self.lag) if self.faults else 0
        return self.clock.now() + timedelta(seconds=seconds + lag)

    def find(self, key):
        """Return what the index shows by now."""
        self.calls["find"] += 1
        now = self.clock.now()
        return self._answer(lambda _: [
            TicketRef(id=id_, number=id_, url="", closed=one["closed"])
            for id_, one in self.tickets.items() if one["key"] == key and one["seen"] <= now
        ])  # fmt: skip

    def look(self, ticket, key):
        """Return the ticket by its id, which knows no lag."""
        self.calls["look"] += 1

        def effect(_):
            one = self.tickets.get(ticket.id)
            if one is None or one["key"] != key:
                return None
            return TicketRef(id=ticket.id, number=ticket.id, url="", closed=one["closed"])

        return self._answer(effect)

    def create(self, draft):
        """Make a ticket, perhaps some time later."""
        self.calls["create"] += 1

        def effect(seconds):
            id_ = f"CHG{len(self.tickets) + 1:05}"
            self.tickets[id_] = {"key": draft.key, "version": draft.version, "closed": False,
                                 "mark": draft.mark, "seen": self._later(seconds),
                                 "comments": {}}  # fmt: skip
            return TicketRef(id=id_, number=id_, url="")

        return self._answer(effect)

    def _change(self, ticket, values, mark=None, text=""):
        def effect(seconds):
            one = self.tickets[ticket.id]
            one |= values
            if mark is not None:
                one["comments"].setdefault(mark, []).append((self._later(seconds), text))
            return TicketRef(id=ticket.id, number=ticket.id, url="", closed=one["closed"])

        return self._answer(effect)

    def update(self, ticket, draft):
        """Set the version."""
        self.calls["update"] += 1
        return self._change(ticket, {"version": draft.version, "mark": draft.mark})

    def has(self, ticket, mark):
        """Tell whether the version is shown, or a comment can be read."""
        now = self.clock.now()

        def effect(_):
            one = self.tickets[ticket.id]
            return mark == one["mark"] or any(at <= now for at, _ in one["comments"].get(mark, ()))

        return self._answer(effect)

    def comment(self, ticket, mark, text):
        """Add a comment."""
        self.calls["comment"] += 1
        self._change(ticket, {}, mark, text)

    def close(self, ticket, mark, text):
        """Close with a comment."""
        return self._change(ticket, {"closed": True}, mark, text)

    def reopen(self, ticket, mark, text):
        """Open again with a comment."""
        return self._change(ticket, {"closed": False}, mark, text)


class Refusing(Scripted):
    """A system that says no to everything that changes something."""

    def _change(self, *_):
        raise Refused("403")

    def create(self, _):
        """Refuse."""
        raise Refused("403: no project")


class Always:
    """A lease that is held."""

    def __init__(self, epoch=1):
        self.epoch = epoch

    def holds(self, _, term):
        """Tell whether the term is the newest."""
        return term.epoch == self.epoch


def chance(seed):
    """Return chance that can be repeated."""
    return Random(seed)  # noqa: S311 -- no secret hangs on it


def term(epoch=1):
    return Term(holder="a", epoch=epoch, until=NOW + HOUR)


class NoCases:
    """A view on no case at all."""

    def list_cases(self, _):
        """Return none."""
        return ()


def outgoing(clock, memory, system, **changes):
    """Return what sends from an outbox to one system, as the leader."""
    given = {
        "outbox": memory, "view": NoCases(), "lease": Always(), "clock": clock,
        "standing": Found(term=term()), "systems": {system.name: system}, "rules": ONE,
        "open_clusters": tuple, "limits": FREE, "chance": Random(7).random,  # noqa: S311 -- chance that can be repeated
    }  # fmt: skip
    return Outgoing(Desk(**(given | changes)))


def filled(count, **changes):
    """Return an outbox with so many changes, each with the errand to create its ticket."""
    memory = Memory()
    ours = [samples.change(n, key=f"watcher-graz-{n}", cluster=f"c{n}") for n in range(count)]
    memory.note(ours, [samples.errand(n, system="scripted", next_at=NOW, added_at=NOW, **changes)
                       for n in range(count)], [])  # fmt: skip
    return memory


def turn(sender):
    """Decide, and let each lane send what may be sent; return how many calls led on."""
    sender.decide()
    return sum(lane.turn() for lane in sender.lanes)


def run(sender, clock, until, step=20 * SECOND):
    """Turn until a time, or until nothing waits."""
    while clock.now() < until:
        turn(sender)
        states = sender.desk.outbox.states()
        if not states.keys() - {ErrandState.DONE, ErrandState.DEAD}:
            return
        clock.pass_by(step)


def case(owner="sub1", state=CaseState.ALARMED, **changes):
    return samples.case(samples.key(owner), **(
        {"state": state, "opened_at": NOW, "state_since": NOW} | changes))  # fmt: skip


def drawn(at=NOW, **changes):
    return Drawn(draft=samples.draft(**changes), drawn_at=at)


def with_ticket(clock, **changes):
    """Return an outbox whose one ticket is made, and its system."""
    memory, system = filled(1), Scripted(clock, chance(9), faults=False)
    sender = outgoing(clock, memory, system, **changes)
    turn(sender)
    return memory, system, sender


def comment(clock, what="p1", number=0):
    return samples.errand(number, ErrandKind.COMMENT, what, system="scripted", next_at=clock.now(),
                          added_at=clock.now(), text="news")  # fmt: skip

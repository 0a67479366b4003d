"""What people do to a ticket is seen: it is closed, moved, merged, taken away, or locked."""

from dataclasses import replace

import pytest
from app.desk import StillClock
from tickets.desk import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    Scripted,
    chance,
    comment,
    filled,
    outgoing,
    run,
    turn,
    with_ticket,
)

from watcher.app.errands import GONE
from watcher.errors import NotLoggedIn, ShutOut
from watcher.model.ticket import ErrandKind, ErrandState


@pytest.fixture
def clock():
    """Return a clock that the tests move."""
    return StillClock(NOW)


def test_a_ticket_that_people_closed_is_left_alone(clock):
    memory, system, sender = with_ticket(clock)
    system.tickets["CHG00001"]["closed"] = True
    memory.note([], [comment(clock)], [])
    turn(sender)
    ticket = memory.tickets["watcher-graz-0", "scripted"]

    assert (ErrandState.DONE, "people closed the ticket") == (
        memory.errands[2].state,
        memory.errands[2].told,
    )
    assert {} == system.tickets["CHG00001"]["comments"]
    assert (True, clock.now()) == (ticket.ref.closed, ticket.closed_at)


def test_people_closing_a_ticket_is_seen_within_an_hour(clock):
    memory, system, sender = with_ticket(clock)
    system.tickets["CHG00001"]["closed"] = True
    clock.pass_by(HOUR + MINUTE)
    turn(sender)
    calls = system.calls["find"]
    turn(sender)

    assert memory.tickets["watcher-graz-0", "scripted"].ref.closed
    assert calls == system.calls["find"]


def test_a_fresh_ticket_that_the_index_does_not_show_yet_is_not_taken_for_gone(clock):
    memory, system, sender = with_ticket(clock)
    system.tickets["CHG00001"]["seen"] = clock.now() + 2 * MINUTE
    memory.note([], [comment(clock)], [])
    turn(sender)

    assert ["[watcher-graz-0 p1]"] == list(system.tickets["CHG00001"]["comments"])


def moved(system):
    """Let people move a ticket to where no search of ours looks."""
    system.find = lambda _: ()


@pytest.mark.parametrize("closed", [False, True])
def test_a_ticket_that_people_moved_is_followed(clock, closed):
    memory, system, sender = with_ticket(clock)
    moved(system)
    system.tickets["CHG00001"]["closed"] = closed
    memory.note([], [comment(clock)], [])
    turn(sender)

    assert ErrandState.DONE is memory.errands[2].state
    assert closed == memory.tickets["watcher-graz-0", "scripted"].ref.closed
    assert closed == (not system.tickets["CHG00001"]["comments"])


def test_people_closing_a_ticket_that_they_moved_is_seen_within_an_hour(clock):
    memory, system, sender = with_ticket(clock)
    moved(system)
    system.tickets["CHG00001"]["closed"] = True
    clock.pass_by(HOUR + MINUTE)
    turn(sender)

    assert memory.tickets["watcher-graz-0", "scripted"].ref.closed


def taken_away(system):
    """Let people delete the ticket."""
    del system.tickets["CHG00001"]


def reused(system):
    """Let the number be that of somebody else's ticket: another instance, or one merged into."""
    system.tickets["CHG00001"] |= {"key": "HR-1", "mark": "", "comments": {}}


@pytest.mark.parametrize("happened", [taken_away, reused])
@pytest.mark.parametrize("kind", [ErrandKind.COMMENT, ErrandKind.UPDATE, ErrandKind.CLOSE])
def test_nothing_is_done_to_a_ticket_that_is_not_ours(clock, happened, kind):
    memory, system, sender = with_ticket(clock)
    happened(system)
    before = dict(system.tickets)
    over = [replace(one, ended_at=NOW) for one in memory.kept.values()]
    memory.note(over, [replace(comment(clock), kind=kind)], [])
    run(sender, clock, clock.now() + 2 * DAY, step=HOUR)
    ticket = memory.tickets["watcher-graz-0", "scripted"]

    assert (ErrandState.DONE, GONE) == (memory.errands[2].state, memory.errands[2].told)
    assert (True, True) == (ticket.ref.closed, ticket.closed_at is not None)
    assert before == system.tickets
    assert not system.calls["update"] + system.calls["comment"]


@pytest.mark.parametrize("happened", [taken_away, reused])
def test_a_ticket_that_is_not_ours_any_more_is_not_opened_again(clock, happened):
    """The errand dies, so that another change is made."""
    memory, system, sender = with_ticket(clock)
    happened(system)
    memory.note([], [replace(comment(clock), kind=ErrandKind.REOPEN)], [])
    run(sender, clock, clock.now() + 2 * DAY, step=HOUR)

    assert (ErrandState.DEAD, GONE) == (memory.errands[2].state, memory.errands[2].told)


@pytest.mark.parametrize("happened", [taken_away, reused])
def test_a_ticket_that_was_taken_away_counts_as_closed_after_a_day(clock, happened):
    memory, system, sender = with_ticket(clock)
    happened(system)
    closed = []
    for _ in range(27):
        clock.pass_by(HOUR + MINUTE)
        turn(sender)
        closed.append(memory.tickets["watcher-graz-0", "scripted"].ref.closed)

    assert (False, True) == (closed[20], closed[-1])


@pytest.mark.parametrize("hours", [2, 50])
def test_a_ticket_that_was_out_of_sight_goes_on_when_it_is_back(clock, hours):
    """A right to read is taken away and given back: nobody tells that from a deletion."""
    memory, system, sender = with_ticket(clock)
    hidden, system.tickets = system.tickets, {}
    memory.note([], [comment(clock)], [])
    for _ in range(hours):
        clock.pass_by(HOUR)
        turn(sender)
    system.tickets = hidden
    for _ in range(3):
        clock.pass_by(HOUR + MINUTE)
        turn(sender)

    assert not memory.tickets["watcher-graz-0", "scripted"].ref.closed
    assert (hours < 24) == ("[watcher-graz-0 p1]" in system.tickets["CHG00001"]["comments"])


def test_a_ticket_that_people_opened_again_is_open(clock):
    memory, system, sender = with_ticket(clock)
    closed = []
    for is_closed in (True, False):
        system.tickets["CHG00001"]["closed"] = is_closed
        clock.pass_by(HOUR + MINUTE)
        turn(sender)
        closed.append(memory.tickets["watcher-graz-0", "scripted"].closed_at is not None)

    assert [True, False] == closed


def test_a_change_that_goes_on_is_not_closed(clock):
    """The closing waited for a system that was away, and an alarm came again."""
    memory, system, sender = with_ticket(clock)
    memory.note([], [replace(comment(clock), kind=ErrandKind.CLOSE)], [])
    turn(sender)

    assert (ErrandState.DONE, "the change goes on") == (
        memory.errands[2].state, memory.errands[2].told,
    )  # fmt: skip
    assert not system.tickets["CHG00001"]["closed"]
    assert not memory.tickets["watcher-graz-0", "scripted"].ref.closed


class Dropped(Scripted):
    """A system at which the change goes on while it is looked at whether it is closed."""

    def find(self, key):
        """Let an alarm come again after this."""
        found = super().find(key)
        self.memory.kept[key] = replace(self.memory.kept[key], ended_at=None)
        return found


def test_a_change_that_goes_on_while_it_is_looked_at_is_not_closed(clock):
    memory, system = filled(1), Dropped(clock, chance(9), faults=False)
    system.memory = memory
    sender = outgoing(clock, memory, system)
    turn(sender)
    over = [replace(one, ended_at=NOW) for one in memory.kept.values()]
    memory.note(over, [replace(comment(clock), kind=ErrandKind.CLOSE)], [])
    for _ in range(2):
        turn(sender)

    assert "the change goes on" == memory.errands[2].told
    assert not system.tickets["CHG00001"]["closed"]


class Locked(Scripted):
    """A system at which one ticket is locked for us."""

    def comment(self, ticket, mark, text):
        """Refuse it at that one."""
        if ticket.id == "CHG00001":
            raise ShutOut("403 Forbidden")
        super().comment(ticket, mark, text)


def test_who_may_not_touch_one_ticket_does_the_others(clock):
    memory, system = filled(5), Locked(clock, chance(7), faults=False)
    sender = outgoing(clock, memory, system)
    turn(sender)
    memory.note([], [comment(clock, number=n) for n in range(5)], [])
    run(sender, clock, clock.now() + 20 * HOUR, step=10 * MINUTE)
    soon = memory.states()
    run(sender, clock, clock.now() + 8 * HOUR, step=10 * MINUTE)

    assert {ErrandState.DONE: 9, ErrandState.NEW: 1} == soon
    assert {ErrandState.DONE: 9, ErrandState.DEAD: 1} == memory.states()


class Walled(Scripted):
    """A system that shows one ticket to nobody."""

    error = ShutOut("403 Forbidden")

    def find(self, key):
        """Leave it out."""
        return () if key == "watcher-graz-0" else super().find(key)

    def look(self, ticket, key):
        """Refuse it."""
        if ticket.id == "CHG00001":
            self.calls["refused"] += 1
            raise self.error
        return super().look(ticket, key)


def walled(clock):
    """Return five tickets, the first of which nobody shows us, and a comment on each."""
    memory, system = filled(5), Walled(clock, chance(7), faults=False)
    sender = outgoing(clock, memory, system)
    turn(sender)
    memory.note([], [comment(clock, number=n) for n in range(5)], [])
    return memory, system, sender


def test_one_ticket_that_we_may_not_see_shuts_no_system(clock):
    memory, _, sender = walled(clock)
    turn(sender)
    clock.pass_by(HOUR + MINUTE)
    turn(sender)

    assert {ErrandState.DONE: 9, ErrandState.NEW: 1} == memory.states()


def test_a_log_in_that_failed_is_none_of_the_ticket(clock):
    memory, system, sender = walled(clock)
    system.error = NotLoggedIn("401 Unauthorized")
    run(sender, clock, clock.now() + 24 * HOUR, step=MINUTE)

    assert ErrandState.NEW in memory.states()
    assert ErrandState.DEAD not in memory.states()
    assert system.calls["refused"] < 60


class ReadOnly(Scripted):
    """A system that lets us look, and for some hours nothing else."""

    until = NOW + 5 * HOUR

    def _change(self, *arguments):
        if NOW < self.clock.now() < self.until:
            raise ShutOut("403 read-only")
        return super()._change(*arguments)


def test_a_right_that_is_missing_for_hours_kills_nothing(clock):
    memory, system = filled(3), ReadOnly(clock, chance(7), faults=False)
    sender = outgoing(clock, memory, system)
    turn(sender)
    clock.pass_by(MINUTE)
    memory.note([], [comment(clock, number=n) for n in range(3)], [])
    run(sender, clock, NOW + 7 * HOUR, step=MINUTE)

    assert {ErrandState.DONE: 6} == memory.states()

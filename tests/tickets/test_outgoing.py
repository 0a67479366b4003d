"""What is due goes out once, whatever the ticket system does, and whoever leads."""

from dataclasses import replace
from itertools import pairwise
from random import Random

import pytest
from app.desk import StillClock
from store import samples
from tickets.desk import (
    DAY,
    FREE,
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    Always,
    Memory,
    Refusing,
    Scripted,
    case,
    comment,
    drawn,
    filled,
    outgoing,
    run,
    term,
    turn,
    with_ticket,
)

from watcher import crash
from watcher.app.report import Found
from watcher.errors import Refused, ShutOut, TryLater, Unclear
from watcher.model.ticket import ErrandKind, ErrandState
from watcher.ports import CaseRow
from watcher.tickets.advance import Limits
from watcher.tickets.due import addressed

NEW, SENDING, UNKNOWN, DONE, DEAD = ErrandState


@pytest.fixture
def clock():
    """Return a clock that the tests move."""
    return StillClock(NOW)


def chance(seed):
    return Random(seed)  # noqa: S311 -- chance that can be repeated


def keys_of(system):
    return sorted(one["key"] for one in system.tickets.values())


def test_1000_keys_through_a_bad_day_make_1000_tickets(clock):
    """The mix of G-10; after the system is well again nothing is unknown for long."""
    memory, system = filled(1000), Scripted(clock, chance(1))
    sender = outgoing(clock, memory, system)
    run(sender, clock, NOW + 6 * HOUR)
    system.faults = False
    for number in range(1000):  # a second thing for each: comments under faults as well
        memory.note([], [comment(clock, number=number)], [])
    system.faults, bad_until = True, clock.now() + HOUR
    run(sender, clock, bad_until)
    system.faults, recovered = False, clock.now()
    waits = set(memory.states()) - {DONE}
    run(sender, clock, recovered + 15 * MINUTE)

    assert UNKNOWN in waits
    assert {DONE: 2000} == memory.states()
    assert [f"watcher-graz-{n}" for n in sorted(map(str, range(1000)))] == keys_of(system)
    assert {1} == {
        len(texts) for one in system.tickets.values() for texts in one["comments"].values()
    }


def test_without_a_search_before_each_create_there_are_doubles(clock, monkeypatch):
    """The seeded bug: the test above can fail."""
    monkeypatch.setattr(crash, "_BUG", "no-find-before-create")
    memory, system = filled(200), Scripted(clock, chance(1))
    run(outgoing(clock, memory, system), clock, NOW + 12 * HOUR)

    assert len(set(keys_of(system))) < len(keys_of(system))


def test_a_restored_backup_finds_the_tickets_that_were_made_after_it(clock):
    system = Scripted(clock, chance(2), faults=False)
    run(outgoing(clock, filled(20), system), clock, NOW + HOUR)
    again = filled(20)
    run(outgoing(clock, again, system), clock, NOW + 2 * HOUR)

    assert 20 == len(system.tickets) == system.calls["create"] == again.states()[DONE]


def test_a_closed_ticket_that_we_never_made_is_left_alone(clock):
    system = Scripted(clock, chance(2), faults=False)
    run(outgoing(clock, filled(1), system), clock, NOW + HOUR)
    system.tickets["CHG00001"]["closed"] = True
    again = filled(1)
    run(outgoing(clock, again, system), clock, NOW + 2 * HOUR)
    made, ticket = again.errands[1], again.tickets["watcher-graz-0", "scripted"]

    assert (DONE, "a closed ticket has this key") == (made.state, made.told)
    assert (True, made.next_at, None) == (ticket.ref.closed, ticket.closed_at, made.sent_at)


@pytest.mark.parametrize("lost", [False, True])
def test_what_a_ticket_shows_is_known_only_where_it_was_told(clock, lost):
    memory, system = filled(1), Scripted(clock, chance(2), faults=False)
    if lost:
        system.create(samples.draft(key="watcher-graz-0", version=1))
    run(outgoing(clock, memory, system), clock, NOW + HOUR)
    shows = addressed(memory.kept["watcher-graz-0"]).shows

    assert ("" if lost else shows) == memory.errands[1].digest


def update(clock, what, **changes):
    return samples.errand(0, ErrandKind.UPDATE, what, system="scripted", next_at=clock.now(),
                          added_at=clock.now(), **changes)  # fmt: skip


def test_an_update_is_sent_whatever_the_ticket_seems_to_hold(clock):
    """A message can hold what looks like a mark; an update that comes twice does no harm."""
    memory, system, sender = with_ticket(clock)
    system.has = lambda *_: True
    memory.note([], [update(clock, "v2")], [])
    turn(sender)

    assert (DONE, 1) == (memory.errands[2].state, system.calls["update"])


@pytest.mark.parametrize(("what", "sent"), [("v2", 0), ("v1 again 1", 1)])
def test_an_update_that_ended_unclear_is_looked_for_unless_it_brings_documents(clock, what, sent):
    memory, system, sender = with_ticket(clock)
    memory.note([], [update(clock, what, state=UNKNOWN, sent_at=NOW, unclear=1)], [])
    turn(sender)

    assert (DONE, sent) == (memory.errands[2].state, system.calls["update"])


def over(memory):
    """Return its changes as ended."""
    return [replace(one, ended_at=NOW) for one in memory.kept.values()]


def test_a_closing_that_came_half_way_is_ended(clock):
    """The ticket is closed and its comment is missing: it was ours, not people's."""
    memory, system, sender = with_ticket(clock)
    closing = samples.errand(0, ErrandKind.CLOSE, "p1 closed", system="scripted", text="done",
                             next_at=NOW, added_at=NOW, state=UNKNOWN, sent_at=NOW)  # fmt: skip
    system.tickets["CHG00001"]["closed"] = True
    memory.note(over(memory), [closing], [])
    turn(sender)

    assert DONE is memory.errands[2].state
    assert [closing.signed] == list(system.tickets["CHG00001"]["comments"])


def test_a_closing_whose_comment_alone_is_there_is_ended(clock):
    memory, system, sender = with_ticket(clock)
    closing = samples.errand(0, ErrandKind.CLOSE, "p1 closed", system="scripted", text="done",
                             next_at=NOW, added_at=NOW, state=UNKNOWN, sent_at=NOW)  # fmt: skip
    system.tickets["CHG00001"]["comments"][closing.signed] = [(NOW, "done")]
    memory.note(over(memory), [closing], [])
    turn(sender)

    assert DONE is memory.errands[2].state
    assert system.tickets["CHG00001"]["closed"]


def test_only_the_leader_sends(clock):
    memory, system = filled(5), Scripted(clock, chance(3), faults=False)
    turn(outgoing(clock, memory, system, standing=Found()))
    turn(outgoing(clock, memory, system, lease=Always(epoch=2)))

    assert {NEW: 5} == memory.states()
    assert not system.calls


class Lost:
    """A lease that another takes right before the first thing is sent."""

    def __init__(self, left):
        self.left = left

    def holds(self, *_):
        """Count down."""
        self.left -= 1
        return self.left >= 0


@pytest.mark.parametrize("left", range(5))
def test_who_loses_the_lease_before_sending_sends_nothing(clock, left):
    memory, system = filled(1), Scripted(clock, chance(3), faults=False)
    turn(outgoing(clock, memory, system, lease=Lost(left)))

    assert (left > 3) == bool(system.calls["create"])
    assert (DONE if left > 3 else NEW) == memory.errands[1].state


def test_what_a_dead_leader_was_sending_is_searched_for_after_the_quiet_time(clock):
    memory, system = filled(1), Scripted(clock, chance(4), faults=False)
    memory.errands[1] = replace(memory.errands[1], state=SENDING, epoch=1, sent_at=NOW)
    sender = outgoing(clock, memory, system, lease=Always(2), standing=Found(term=term(2)))
    turn(sender)
    calls = dict(system.calls)
    run(sender, clock, NOW + FREE.quiet + MINUTE)

    assert {} == calls
    assert {DONE: 1} == memory.states()
    assert 2 == memory.errands[1].epoch


def test_an_hour_has_a_budget_and_all_500_come_at_last(clock):
    memory, system = filled(500), Scripted(clock, chance(5), faults=False)
    sender = outgoing(clock, memory, system, limits=Limits(hourly=100))
    made = []
    for _ in range(6):
        run(sender, clock, clock.now() + HOUR, step=30 * SECOND)
        made.append(len(system.tickets))

    assert 100 <= made[0] <= 101
    assert all(b - a <= 101 for a, b in pairwise(made))
    assert 500 == made[-1] == memory.states()[DONE]
    assert system.calls["find"] < 2000


def test_a_system_that_is_down_is_not_hammered(clock, monkeypatch):
    memory, down = filled(300), Scripted(clock, chance(6))
    monkeypatch.setattr(down, "_answer", _down)
    run(outgoing(clock, memory, down), clock, NOW + HOUR, step=5 * SECOND)

    assert {NEW: 300} == memory.states()
    assert down.calls["find"] < 80


def _down(_):
    raise TryLater("connection refused")


def test_what_a_ticket_had_to_do_without_is_told(clock):
    without = ("plan.pdf: too large",)
    memory, system = filled(1), Scripted(clock, chance(7), faults=False, left_out=without)
    run(outgoing(clock, memory, system), clock, NOW + MINUTE)

    assert {DONE: 1} == memory.states()
    assert "left out: plan.pdf: too large" == memory.errands[1].told


def test_refusals_end_and_are_told(clock, caplog):
    memory, system = filled(1), Refusing(clock, chance(7), faults=False)
    run(outgoing(clock, memory, system), clock, NOW + 2 * HOUR)

    assert (DEAD, "403: no project") == (memory.errands[1].state, memory.errands[1].told)
    assert "ERROR" in {record.levelname for record in caplog.records}


class Expired(Scripted):
    """A system whose password has run out until some time."""

    until = NOW + 20 * MINUTE

    def find(self, key):
        """Refuse, or search."""
        if self.clock.now() < self.until:
            self.calls["refused"] += 1
            raise ShutOut("401 Unauthorized")
        return super().find(key)


@pytest.mark.parametrize("unknown", [0, 50])
def test_a_password_that_ran_out_costs_no_errand_and_few_log_ins(clock, unknown):
    memory, system = filled(100), Expired(clock, chance(7), faults=False)
    for number in range(1, unknown + 1):
        memory.errands[number] = replace(memory.errands[number], state=UNKNOWN, unclear=1)
    run(outgoing(clock, memory, system), clock, NOW + 2 * HOUR)

    assert {DONE: 100} == memory.states()
    assert system.calls["refused"] <= 3


@pytest.mark.parametrize("error", [ShutOut("401 Unauthorized"), Refused("404"), TryLater("503")])
def test_a_system_that_lets_us_not_look_at_tickets_is_not_hammered(clock, monkeypatch, error):
    memory, system = filled(100), Scripted(clock, chance(7), faults=False)
    sender = outgoing(clock, memory, system)
    run(sender, clock, NOW + HOUR)
    turn(sender)
    tried = []

    def refused(key):
        tried.append(key)
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(system, "find", refused)
        run_on(sender, clock, 4 * HOUR)
    few = 130 if isinstance(error, TryLater) else 7

    assert 0 < len(tried) <= few
    system.tickets["CHG00001"]["closed"] = True
    run_on(sender, clock, 3 * HOUR)
    assert memory.tickets["watcher-graz-0", "scripted"].ref.closed


def run_on(sender, clock, length):
    """Turn for so long, though nothing waits."""
    until = clock.now() + length
    while clock.now() < until:
        turn(sender)
        clock.pass_by(5 * SECOND)


def test_a_search_that_is_refused_is_no_fault_of_the_errand(clock, monkeypatch):
    memory, system = filled(10), Scripted(clock, chance(7), faults=False)
    monkeypatch.setattr(system, "find", lambda _: _refused("404"))
    run(outgoing(clock, memory, system), clock, NOW + DAY, step=MINUTE)

    assert {NEW: 10} == memory.states()


def _refused(told):
    raise Refused(told)


def test_an_error_of_a_back_end_that_it_may_not_raise_leaves_the_end_unclear(clock):
    memory, system = filled(1), Scripted(clock, chance(8), faults=False)
    system.create = lambda _: 1 / 0
    turn(outgoing(clock, memory, system))

    assert UNKNOWN is memory.errands[1].state
    assert "ZeroDivisionError" in memory.errands[1].told


class Storeless(Scripted):
    """A system that shows what it is told, and has no room for documents."""

    def update(self, ticket, draft):
        """Bring all but the document."""
        super().update(ticket, draft)
        raise Unclear("500", left_out=("plan.html: 500",))


def test_an_update_that_lacks_a_document_alone_is_done_at_the_last_try(clock):
    memory, system = filled(1), Storeless(clock, chance(2), faults=False)
    sender = outgoing(clock, memory, system)
    turn(sender)
    memory.note([], [update(clock, "v1 again 1")], [])
    run(sender, clock, NOW + 30 * DAY, step=HOUR)

    assert (DONE, "left out: plan.html: 500") == (memory.errands[2].state, memory.errands[2].told)
    assert FREE.unclear == system.calls["update"]


class Blind(Scripted):
    """A system that does what it is asked, never says so, and finds nothing."""

    def find(self, _):
        """Find nothing."""
        return ()

    def create(self, draft):
        """Make a ticket, and lose the answer."""
        super().create(draft)
        raise Unclear("the answer was lost")


@pytest.mark.parametrize(("searches", "most"), [(True, FREE.unclear), (False, FREE.blind)])
def test_what_is_never_found_is_not_sent_for_ever(clock, searches, most):
    memory, system = filled(1), Blind(clock, chance(7), faults=False, searches=searches)
    run(outgoing(clock, memory, system), clock, NOW + 30 * DAY, step=10 * MINUTE)

    assert (DEAD, most) == (memory.errands[1].state, system.calls["create"])
    assert "a person must look" in memory.errands[1].told


def test_no_ticket_is_made_of_a_change_that_is_over(clock):
    memory, system = filled(1), Scripted(clock, chance(9), faults=False)
    memory.note([replace(one, ended_at=NOW) for one in memory.kept.values()], [], [])
    turn(outgoing(clock, memory, system))

    assert (DONE, 0) == (memory.errands[1].state, system.calls["create"])
    assert "over before" in memory.errands[1].told


@pytest.mark.parametrize(("searches", "knows"), [(False, False), (True, True)])
def test_what_a_ticket_shows_is_not_known_when_the_plan_changed_between_two_tries(
    clock, searches, knows
):
    """Who keeps events by their name takes the first, which may have arrived."""
    memory, system = filled(1), Scripted(clock, chance(2), faults=False, searches=searches)
    create = system.create
    system.create = lambda _: (_ for _ in ()).throw(Unclear("the answer was lost"))
    sender = outgoing(clock, memory, system)
    turn(sender)
    memory.errands[1] = replace(memory.errands[1], attempts=0)  # as after `retry`
    change = memory.kept["watcher-graz-0"]
    memory.kept["watcher-graz-0"] = replace(change, version=2)
    system.create = create
    run(sender, clock, NOW + HOUR)
    shows = addressed(memory.kept["watcher-graz-0"]).shows

    assert DONE is memory.errands[1].state
    assert (shows if knows else "") == memory.errands[1].digest


class Cases:
    """A view on the cases that a test gives."""

    def __init__(self, *cases):
        self.cases = list(cases)

    def list_cases(self, query):
        """Return those of the cluster."""
        return [CaseRow(id=n, case=one) for n, one in enumerate(self.cases)
                if one.key.cluster == query.cluster]  # fmt: skip


def test_a_case_and_its_plan_become_one_ticket_in_each_system(clock):
    memory = Memory()
    memory.drafts["graz"] = drawn()
    one, two = (Scripted(clock, chance(n), faults=False, name=f"s{n}") for n in (1, 2))
    sender = outgoing(
        clock, memory, one, systems={"s1": one, "s2": two}, view=Cases(case()),
        rules=replace(outgoing(clock, memory, one).desk.rules, systems=("s1", "s2")),
        open_clusters=lambda: ("graz",),
    )  # fmt: skip
    for _ in range(3):
        turn(sender)
        clock.pass_by(MINUTE)

    assert ["watcher-graz-1"] == keys_of(one) == keys_of(two)
    assert {DONE: 2} == memory.states()

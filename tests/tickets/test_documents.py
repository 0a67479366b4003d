"""A ticket whose making nobody confirmed gets its documents all the same."""

from dataclasses import replace

import pytest
from app.desk import StillClock
from senders.fakes import Fault, Script
from senders.systems import SEARCHED
from tickets.desk import HOUR, MINUTE, NOW, ONE, Memory, case, drawn, outgoing, run, turn
from tickets.test_outgoing import Cases

from watcher.app.outgoing import Outgoing
from watcher.model.ticket import Attachment, ErrandKind, ErrandState

PLAN = Attachment(name="plan.html", media_type="text/html", data=b"<p>plan</p>")
APART = [kind for kind in SEARCHED if kind.attaches_apart]
EACH = pytest.mark.parametrize("kind", APART, ids=lambda kind: kind.name)


def is_create(asked):
    return asked.method == "POST" and asked.path.endswith(("/issue", "/normal", "/change_request"))


def began(kind, **changes):
    """Return what sends one case's change to a fake system, and all it works with."""
    system, fake = kind.pair(**changes)
    clock, memory = StillClock(NOW), Memory()
    memory.drafts["graz"] = drawn()
    sender = outgoing(
        clock, memory, system, view=Cases(case()), open_clusters=lambda: ("graz",),
        rules=replace(ONE, systems=(system.name,)), attach=lambda _: (PLAN,),
    )  # fmt: skip
    return sender, clock, memory, fake


def settled(sender, clock, until):
    """Turn until a time, however little there seems to be to do."""
    while clock.now() < until:
        turn(sender)
        clock.pass_by(MINUTE)


@EACH
def test_an_answer_that_was_lost_loses_no_document(kind):
    sender, clock, memory, fake = began(kind, script=Script([Fault.LOST], only=is_create))
    settled(sender, clock, NOW + HOUR)
    kinds = [one.kind for one in memory.errands.values()]

    assert [ErrandKind.CREATE, ErrandKind.UPDATE] == kinds
    assert {ErrandState.DONE: 2} == memory.states()
    assert {"plan-v1-m1.html"} == set(fake.files[1])
    assert 1 == len(fake.tickets)


@EACH
def test_a_process_that_ended_before_it_attached_loses_no_document(kind):
    sender, clock, memory, fake = began(kind)
    system = next(iter(sender.desk.systems.values()))
    turn(Outgoing(replace(sender.desk, attach=lambda _: ())))
    (create,) = memory.errands.values()
    memory.errands[1] = replace(create, state=ErrandState.SENDING)
    memory.tickets.clear()
    settled(sender, clock, NOW + HOUR)

    assert {ErrandState.DONE: 2} == memory.states()
    assert {"plan-v1-m1.html"} == set(fake.files[1])
    assert 1 == len(system.find(create.change))


@EACH
def test_a_ticket_that_was_made_and_answered_is_not_touched_again(kind):
    sender, clock, memory, fake = began(kind)
    run(sender, clock, NOW + HOUR)
    settled(sender, clock, clock.now() + MINUTE)

    assert [ErrandKind.CREATE] == [one.kind for one in memory.errands.values()]
    assert {"plan-v1-m1.html"} == set(fake.files[1])

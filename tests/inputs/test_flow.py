"""What cannot be written waits, in order, and senders with it."""

import asyncio

import pytest
from inputs.stream_desk import MemoryJournal, StandingClock, until

from watcher.errors import JournalBroken, JournalFull
from watcher.inputs.flow import Flow
from watcher.inputs.reception import Hit, Read, Reception
from watcher.model.ledger import Reason
from watcher.model.message import Grade, Origin, Way

ORIGIN = Origin(way=Way.TCP, input="syslog", peer="p", grade=Grade.RETURN_PATH)


class Senders:
    """Notes what it is told."""

    def __init__(self):
        self.told = []

    def pause(self):
        """Note it."""
        self.told.append("pause")

    def resume(self):
        """Note it."""
        self.told.append("resume")


def read(number):
    return Read(received=1, hits=[Hit(ORIGIN, b"%d" % number)])


@pytest.fixture
async def desk():
    """Return a flow, its journal, its senders and the failures that it told."""
    journal, senders, failures = MemoryJournal(), Senders(), []
    reception = Reception("syslog", journal, StandingClock())
    return Flow(reception, 0.01, senders, failures.append), journal, senders, failures


async def test_while_there_is_room_nobody_waits(desk):
    flow, journal, senders, _ = desk
    flow.settle(read(1))
    flow.refuse(Reason.HANDSHAKE)

    assert (journal.data, journal.refused) == ([b"1"], {Reason.HANDSHAKE: 1})
    assert senders.told == []


async def test_all_that_waited_is_settled_in_order_and_once(desk):
    flow, journal, senders, _ = desk
    journal.fault = JournalFull("full")
    for number in range(3):
        flow.settle(read(number))
        flow.refuse(Reason.HANDSHAKE)
    await until(lambda: journal.asked > 3)

    assert (flow.stuck, senders.told, journal.received) == (True, ["pause"], 0)

    journal.fault = None
    flow.settle(read(3))
    await until(lambda: not flow.stuck)

    assert senders.told == ["pause", "resume"]
    assert (journal.data, journal.refused) == ([b"0", b"1", b"2", b"3"], {Reason.HANDSHAKE: 3})


async def test_room_for_some_is_used(desk):
    flow, journal, senders, _ = desk
    journal.fault = JournalFull("full")
    flow.settle(read(1))
    flow.settle(read(2))
    journal.settle, settle = _once(journal), journal.settle
    await until(lambda: journal.received == 1)
    journal.settle, journal.fault = settle, None
    await until(lambda: not flow.stuck)

    assert journal.data == [b"1", b"2"]
    assert senders.told == ["pause", "resume"]


def _once(journal):
    def settle(batch):
        if journal.batches:
            raise JournalFull("full again")
        journal.batches.append(batch)

    return settle


async def test_a_broken_journal_is_told_once_and_never_asked_again(desk):
    flow, journal, senders, failures = desk
    journal.fault = JournalBroken("no disk")
    flow.settle(read(1))
    flow.settle(read(2))
    flow.refuse(Reason.HANDSHAKE)
    await asyncio.sleep(0.05)

    assert (journal.asked, failures) == (1, [journal.fault])
    assert senders.told == ["pause"]
    assert flow.end() == 2


async def test_a_journal_that_breaks_while_it_is_full_is_told_too(desk):
    flow, journal, senders, failures = desk
    journal.fault = JournalFull("full")
    flow.settle(read(1))
    journal.fault = JournalBroken("no disk")
    await until(lambda: failures)

    assert flow.stuck
    assert senders.told == ["pause"]


async def test_at_the_end_it_tries_once_more(desk):
    flow, journal, _, _ = desk
    journal.fault = JournalFull("full")
    flow.settle(read(1))
    flow.refuse(Reason.TOO_SLOW)
    journal.fault = None

    assert flow.end() == 0
    assert (journal.data, journal.refused) == ([b"1"], {Reason.TOO_SLOW: 1})


async def test_what_finds_no_room_at_the_end_is_told(desk):
    flow, journal, _, _ = desk
    journal.fault = JournalFull("full")
    flow.settle(read(1))
    flow.settle(read(2))

    assert flow.end() == 2
    await asyncio.sleep(0.03)

    assert journal.asked == 2

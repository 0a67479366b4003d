"""The desk stamps, asks the budget, and hands over all or nothing."""

import pytest
from inputs.stream_desk import MemoryJournal, StandingClock

from watcher.errors import JournalFull
from watcher.inputs.reception import Hit, Read, Reception
from watcher.model.ledger import Reason
from watcher.model.message import Grade, Origin, RawMessage, Way

ORIGIN = Origin(way=Way.TCP, input="syslog", peer="p", grade=Grade.RETURN_PATH)


class EveryOther:
    """Admits every other message."""

    def __init__(self):
        self.asked = []

    def admit(self, peer, data, monotonic_ns):
        """Note who asks."""
        self.asked.append((peer, data, monotonic_ns))
        return len(self.asked) % 2 == 1


def desk(admission=None):
    journal = MemoryJournal()
    return Reception("syslog", journal, StandingClock(), admission), journal


def test_a_hit_becomes_a_message_with_the_time_it_came():
    reception, journal = desk()
    reception.settle(Read(received=1, hits=[Hit(ORIGIN, b"x", True, Reason.OCTET_COUNT)]))  # noqa: FBT003

    assert journal.kept == [
        RawMessage(
            origin=ORIGIN, received_at=StandingClock().now(), monotonic_ns=5, data=b"x",
            cut=True, fault=Reason.OCTET_COUNT,
        )
    ]  # fmt: skip


def test_counts_are_handed_over_as_they_are():
    reception, journal = desk()
    reception.settle(Read(received=5, noise=4, refused={Reason.TOO_SLOW: 1}, heard={"p": 5}))
    batch = journal.batches[0]

    assert (batch.input, batch.received, batch.noise) == ("syslog", 5, 4)
    assert (batch.refused, batch.heard, batch.kept) == ({Reason.TOO_SLOW: 1}, {"p": 5}, ())


def test_what_the_budget_does_not_allow_is_refused_and_counted():
    admission = EveryOther()
    reception, journal = desk(admission)
    hits = [Hit(ORIGIN, b"%d" % n) for n in range(5)]
    reception.settle(Read(received=6, hits=hits, refused={Reason.RATE: 1}))

    assert journal.data == [b"0", b"2", b"4"]
    assert journal.refused == {Reason.RATE: 3}
    assert admission.asked[0] == ("p", b"0", 5)


def test_a_second_try_does_not_ask_the_budget_again():
    admission = EveryOther()
    reception, journal = desk(admission)
    batch = reception.admit(Read(received=2, hits=[Hit(ORIGIN, b"1"), Hit(ORIGIN, b"2")]))
    journal.fault = JournalFull("full")
    with pytest.raises(JournalFull):
        reception.keep(batch)
    journal.fault = None
    reception.keep(batch)

    assert (journal.data, journal.refused, len(admission.asked)) == ([b"1"], {Reason.RATE: 1}, 2)


def test_who_is_turned_away_is_counted():
    reception, journal = desk()
    reception.refuse(Reason.TOO_LARGE, "p")

    assert (journal.refused, journal.heard) == ({Reason.TOO_LARGE: 1}, {"p": 1})

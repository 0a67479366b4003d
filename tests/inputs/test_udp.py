"""UDP: every datagram is counted once, hits are kept as they came, nothing stops the thread."""

import random
import socket
import sys
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs.udp_desk import ALARM, MARK, NOISE, MemoryJournal, listening, need_ipv6, until

from watcher.errors import JournalBroken, JournalFull
from watcher.inputs import datagrams
from watcher.inputs.udp import OTHERS, Patience, Peers, UdpOptions, bind, dropped, widen
from watcher.model.ledger import Place, Reason
from watcher.model.message import Grade, Way
from watcher.wire.prefilter import Prefilter

LINUX = sys.platform == "linux"


@pytest.fixture(params=["many", "single"], autouse=True)
def way_of_reading(request, monkeypatch):
    """Run each test with the batch call, and with what is used where it is missing."""
    if request.param == "single":
        monkeypatch.setattr("watcher.inputs.udp.reader", datagrams.SingleReader)
    return request.param


def sender(to, host="127.0.0.1"):
    """Return a socket that is connected to an input."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_DGRAM)
    made.bind((host, 0))
    made.connect(to.address[:2] if to.address[0] != "::" else (host, to.address[1]))
    return made


def send(to, *messages, host="127.0.0.1"):
    with sender(to, host) as sock:
        for message in messages:
            sock.send(message)


def test_reads_batches_where_the_system_can():
    with bind("127.0.0.1", 0) as sock:
        made = datagrams.reader(sock, kept=100, batch=4)

    assert datagrams.ManyReader is type(made) or not LINUX


def test_keeps_an_alarm_as_it_came():
    with listening() as (input_, journal, _):
        send(input_, ALARM + b"1\xff\0\n")
        until(lambda: journal.received)

    (message,) = journal.kept
    assert ALARM + b"1\xff\0\n" == message.data
    assert (Way.UDP, "udp", "127.0.0.1", Grade.CLAIM) == (
        message.origin.way, message.origin.input, message.origin.peer, message.origin.grade,
    )  # fmt: skip
    assert not message.cut


def test_counts_noise_and_keeps_none_of_it():
    with listening() as (input_, journal, _):
        send(input_, *[NOISE + b"%d" % i for i in range(100)])
        until(lambda: journal.received == 100)

    assert (100, []) == (journal.noise, journal.kept)
    assert {"127.0.0.1": 100} == journal.heard


def test_a_datagram_is_one_message_whatever_is_in_it():
    with listening() as (input_, journal, _):
        send(input_, ALARM + b"1\n" + ALARM + b"2\n")
        until(lambda: journal.received)

    assert [ALARM + b"1\n" + ALARM + b"2\n"] == [message.data for message in journal.kept]


def test_what_an_earlier_datagram_left_in_a_slot_is_not_read_again():
    with listening(slots=1) as (input_, journal, _):
        for message in (ALARM + b"x" * 99, b"", b"short", ALARM[:40], MARK[:-1], MARK):
            before = journal.received
            send(input_, message)
            until(lambda before=before: journal.received > before)

    assert [ALARM + b"x" * 99, MARK] == [message.data for message in journal.kept]


@pytest.mark.parametrize("length", [16_383, 16_384, 16_385, 65_507])
def test_keeps_16_kib_and_says_when_it_was_cut(length):
    with listening() as (input_, journal, _):
        send(input_, ALARM.ljust(length, b"x"))
        until(lambda: journal.received)

    (message,) = journal.kept
    assert (min(length, 16_384), length > 16_384) == (len(message.data), message.cut)


@pytest.mark.parametrize(
    ("listen", "from_", "peer"),
    [
        ("127.0.0.1", "127.0.0.9", "127.0.0.9"),
        ("::1", "::1", "::1"),
        ("", "::1", "::1"),
        ("", "127.0.0.9", "127.0.0.9"),
    ],
)
def test_tells_peers_by_their_address(listen, from_, peer):
    if listen != "127.0.0.1":
        need_ipv6()
    with listening(listen) as (input_, journal, _):
        send(input_, ALARM, host=from_)
        until(lambda: journal.received)

    assert [peer] == [message.origin.peer for message in journal.kept]
    assert {peer: 1} == journal.heard


def test_counts_each_peer_apart():
    hosts = [f"127.0.0.{i}" for i in range(1, 9)]
    with listening() as (input_, journal, _):
        for count, host in enumerate(hosts, 1):
            send(input_, *[NOISE] * count, host=host)
        until(lambda: journal.received == 36)

    assert {host: count for count, host in enumerate(hosts, 1)} == journal.heard


def test_a_burst_of_10000_is_counted_to_the_last():
    with listening() as (input_, journal, _), sender(input_) as sock:
        wanted = {i for i in range(10_000) if i % 100 == 0}
        for i in range(10_000):
            sock.send((ALARM if i in wanted else NOISE) + b"%d" % i)
        until(lambda: journal.received + input_.figures().dropped >= 10_000)
        figures = input_.figures()

    kept = {int(message.data[len(ALARM) :]) for message in journal.kept}
    assert 10_000 == journal.received + figures.dropped
    assert (0, len(kept)) == (journal.books.difference, len(journal.kept))
    # So large a buffer holds all of it; what an ordinary user gets may not.
    assert figures.granted < 8 << 20 or (0, wanted) == (figures.dropped, kept)


def test_what_the_kernel_dropped_is_told_apart_from_the_books():
    with bind("127.0.0.1", 0) as sock, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        for _ in range(500):
            out.sendto(NOISE, sock.getsockname())
        made = datagrams.reader(sock, kept=1000, batch=512)
        read = len(made.draw().lengths)

        assert 500 == read + dropped(sock)


@given(messages=st.lists(st.binary(max_size=300) | st.just(ALARM), max_size=40))
@settings(max_examples=15)
def test_no_bytes_stop_it(messages):
    with listening() as (input_, journal, errors):
        send(input_, *messages)
        until(lambda: journal.received == len(messages))

    assert [] == errors
    assert [m for m in messages if MARK in m] == [message.data for message in journal.kept]
    assert 0 == journal.books.difference


@pytest.mark.parametrize("marks", [(MARK,), (b"abc", b"abd"), (b"abc", b"bcd", b"aab")])
@given(text=st.text("abcd%UC_ERT-", max_size=40).map(str.encode), at=st.integers(0, 9))
def test_searching_finds_what_finding_finds(marks, text, at):
    prefilter = Prefilter(marks)
    found = prefilter.find(text, at, len(text)) >= 0

    assert found == (prefilter.search(text, at, len(text)) is not None)


def test_datagrams_of_all_sizes_are_each_read_whole():
    chance = random.Random(7)  # noqa: S311 -- repeatable, not secret
    sizes = [chance.choice((0, 1, 200, 2000, 16_384, 40_000, 65_507)) for _ in range(300)]
    with listening(slots=2, nap=0.001) as (input_, journal, _), sender(input_) as sock:
        for at, size in enumerate(sizes):
            sock.send(chance.randbytes(size))
            if at % 2 == 0:
                until(lambda at=at: journal.received == at + 1)
        until(lambda: journal.received == 300)

    assert (0, 300) == (journal.books.difference, journal.noise)


def test_waits_for_a_full_journal_and_loses_nothing():
    journal = MemoryJournal()
    journal.fault = JournalFull("no room")
    with listening(journal=journal, patience=Patience(seconds=60, retry=0.01)) as (input_, _, _):
        send(input_, NOISE, ALARM + b"1", NOISE, ALARM + b"2")
        until(lambda: input_.figures().waiting == 2)
        journal.fault = None
        until(lambda: journal.received == 4)

    assert [ALARM + b"1", ALARM + b"2"] == [message.data for message in journal.kept]
    assert ({"127.0.0.1": 4}, 0) == (journal.heard, journal.books.difference)


@pytest.mark.parametrize("patience", [Patience(seconds=0.05, retry=0.01), Patience(waiting=1)])
def test_refuses_by_name_when_patience_is_used_up(patience):
    journal = MemoryJournal()
    journal.fault = JournalFull("no room")
    with listening(journal=journal, patience=patience) as (input_, _, _):
        send(input_, ALARM, NOISE, ALARM)
        until(lambda: journal.received == 3)

    refused = journal.books.counts["udp", Place.REFUSED, Reason.JOURNAL_FULL]
    assert (2, [], 0) == (refused, journal.kept, journal.books.difference)


def test_refuses_what_waits_when_it_is_stopped():
    journal = MemoryJournal()
    journal.fault = JournalFull("no room")
    with listening(journal=journal, patience=Patience(seconds=60)) as (input_, _, errors):
        send(input_, ALARM)
        until(lambda: input_.figures().waiting)

    assert (1, 0, []) == (journal.books.total(Place.REFUSED), journal.books.difference, errors)


def test_ends_and_tells_when_the_journal_is_broken():
    journal = MemoryJournal()
    journal.fault = JournalBroken("cannot sync")
    with listening(journal=journal) as (input_, _, errors):
        send(input_, ALARM)
        until(lambda: errors and not input_.alive)

    assert [journal.fault] == errors
    assert [] == journal.batches


def test_ends_and_tells_when_looking_for_marks_fails():
    class Broken:
        def search(self, buffer, start, end):
            raise ValueError(start, end, len(buffer))

    with listening(marks=Broken()) as (input_, _, errors):
        send(input_, b"x")
        until(lambda: errors)

    assert ValueError is type(errors[0])


def test_takes_what_the_kernel_holds_before_it_ends():
    with listening(nap=0.2) as (input_, journal, _), sender(input_) as sock:
        sock.send(NOISE)
        until(lambda: journal.received)
        for _ in range(100):
            sock.send(NOISE)
        begun = time.monotonic()
        input_.stop()

    assert 101 == journal.received
    assert time.monotonic() - begun < 5


def test_ends_at_once_when_nothing_comes():
    with listening() as (input_, _, errors):
        until(lambda: input_.alive)
        input_.stop()

        assert (False, []) == (input_.alive, errors)


def test_may_be_stopped_before_it_was_started_and_twice():
    with listening() as (input_, _, _):
        input_.stop()
        input_.stop()

    assert not input_.alive


def test_does_nothing_while_nothing_comes():
    looks = []

    def quiet():
        before = len(looks)
        time.sleep(0.1)
        return before == len(looks)

    with listening() as (input_, journal, _):
        draw = input_._reader.draw  # noqa: SLF001 -- nothing else tells that it looked
        input_._reader.draw = lambda: looks.append(1) or draw()  # noqa: SLF001
        send(input_, NOISE)
        until(lambda: journal.received and looks)

        until(quiet)


def test_tells_how_much_of_8_mib_it_got():
    with listening() as (input_, _, _), bind("127.0.0.1", 0) as plain:
        got, before = input_.figures().granted, widen(plain, 0)

    assert before <= got <= 8 << 20


def test_keeps_more_of_each_datagram_in_no_more_memory():
    with listening(kept=65_535) as (input_, journal, _):
        send(input_, *[ALARM.ljust(65_507, b"x")] * 2)
        until(lambda: journal.received == 2)

        assert [(65_507, False)] * 2 == [(len(m.data), m.cut) for m in journal.kept]
        assert len(input_._reader.buffer) < 3 << 20  # noqa: SLF001


def test_leaves_a_buffer_that_is_large_enough():
    with bind("127.0.0.1", 0) as sock:
        granted = widen(sock, 100_000)

        assert granted == widen(sock, 1000)


def test_an_address_that_is_taken_is_an_error():
    with bind("127.0.0.1", 0) as sock, pytest.raises(OSError, match="in use"):
        bind("127.0.0.1", sock.getsockname()[1])


def told(options, *senders):
    peers = Peers("udp", str, options)
    return peers, [dict(peers.heard(batch)) for batch in senders]


def test_forged_addresses_do_not_fill_memory():
    peers, heard = told(UdpOptions(peers=2), "abc", "aabbccdd")

    assert [{"a": 1, "b": 1, OTHERS: 1}, {"a": 2, "b": 2, OTHERS: 4}] == heard
    assert "d" == peers.origin("d").peer


def test_who_was_heard_before_a_flood_is_still_heard_in_it():
    peers, _ = told(UdpOptions(peers=2, turn=0), "a", "bc")

    assert {"a": 1, "b": 1} == peers.heard("ab")


def test_a_disk_that_hangs_does_not_hold_up_the_end():
    class Hanging(MemoryJournal):
        def settle(self, batch):
            entered.set()
            released.wait(60)
            return super().settle(batch)

    entered, released = threading.Event(), threading.Event()
    with listening(journal=Hanging(), drain=0.05) as (input_, journal, errors):
        send(input_, ALARM)
        until(entered.is_set)
        input_.stop()
        stopped_first = input_.alive
        released.set()
        until(lambda: not input_.alive)

    assert (True, [], 1) == (stopped_first, errors, journal.received)

"""What every journal promises; each test runs over all of them."""

import threading
from collections import defaultdict
from datetime import timedelta

import pytest
from journal.desk import (
    BEGINNING,
    batch,
    counted,
    data_of,
    message,
    read_all,
)

from watcher.model.ledger import Books, Place, Reason
from watcher.model.message import Grade, Origin, Way
from watcher.ports import Counted, Kept


def settled(journal, *batches):
    """Settle, and wait until all of it is durable."""
    position = [journal.settle(each) for each in batches][-1]
    journal.durable(position).result(timeout=30)
    return position


def books_of(entries):
    books = Books()
    for entry in entries:
        for line in entry.counts.lines if isinstance(entry, Counted) else ():
            books.add(line.input, line.place, line.count, line.reason)
    return books


MESSAGES = [
    message(b""),
    message(b"\x00\xff\xf1WJ\x01 a magic inside"),
    message(b"a" * 300_000, cut=True),
    message(b"counted 99999 octets", fault=Reason.OCTET_COUNT),
    message(received_at=BEGINNING.replace(year=1969), monotonic_ns=2**62),
    message(
        origin=Origin(
            way=Way.TLS, input="tls", peer="näme \udc80 \x00", grade=Grade.ATTRIBUTED,
            bound=("cm-pub", "cm-sub"),
        )
    ),
]  # fmt: skip


def test_a_message_comes_back_as_it_was(pair):
    journal, reader = pair
    settled(journal, batch(*MESSAGES))
    found = [entry.message for entry in read_all(reader) if isinstance(entry, Kept)]

    assert MESSAGES == found


def test_positions_go_up_and_reading_goes_on_behind_each(pair):
    journal, reader = pair
    settled(journal, batch(message(1), message(2)), batch(message(3)))
    journal.close()
    entries = read_all(reader)
    positions = [entry.position for entry in entries]

    assert sorted(set(positions)) == positions
    for number, entry in enumerate(entries, start=1):
        assert entries[number:] == read_all(reader, after=entry.position)


def test_a_limit_is_kept(pair):
    journal, reader = pair
    settled(journal, batch(*map(message, range(10))))

    assert [3, 3] == [len(reader.read(0, 3)), len(reader.read(reader.read(0, 3)[-1].position, 3))]


def test_settle_tells_where_it_ended(pair):
    journal, reader = pair
    position = settled(journal, batch(message(1)), batch(message(2)))
    settled(journal, batch(message(3)))

    assert [b"%UC_CERT number 3."] == data_of(read_all(reader, after=position))


def test_every_kept_message_is_counted_in_the_entry_behind_it(pair):
    journal, reader = pair
    settled(journal, batch(message(1), noise=4), batch(noise=2), batch(message(2)))
    journal.close()
    entries = read_all(reader)

    assert 2 == counted(entries)
    assert isinstance(entries[-1], Counted)


def test_the_books_say_what_the_inputs_said(pair):
    journal, reader = pair
    settled(
        journal,
        batch(message(1), noise=4),
        batch(received=3, refused={Reason.RATE: 2, Reason.TOO_LARGE: 1}),
        batch(message(2), input_="mail", received=9),
    )
    journal.close()

    assert {
        ("tcp", Place.RECEIVED, Reason.NONE): 8,
        ("tcp", Place.NOISE, Reason.NONE): 4,
        ("tcp", Place.REFUSED, Reason.RATE): 2,
        ("tcp", Place.REFUSED, Reason.TOO_LARGE): 1,
        ("mail", Place.RECEIVED, Reason.NONE): 9,
    } == books_of(read_all(reader)).counts


def test_who_was_heard_is_told_with_the_last_time(pair, clock):
    journal, reader = pair
    journal.settle(batch(noise=3, heard={"192.0.2.7": 2, "192.0.2.8": 1}))
    clock.at += timedelta(milliseconds=300)
    settled(journal, batch(noise=1, heard={"192.0.2.7": 1}))
    journal.close()
    heard = defaultdict(list)
    for entry in read_all(reader):
        for key, value in entry.counts.heard.items():
            heard[key].append(value)

    assert {
        ("tcp", "192.0.2.7"): [(3, clock.at)],
        ("tcp", "192.0.2.8"): [(1, BEGINNING)],
    } == heard


def test_a_journal_without_messages_tells_nothing(pair):
    journal, reader = pair
    settled(journal, batch())
    journal.close()

    assert [] == read_all(reader)


def test_what_was_forgotten_hides_nothing_behind_it(pair):
    journal, reader = pair
    position = settled(journal, batch(message(1)))
    reader.forget(position)
    settled(journal, batch(message(2)))

    assert [b"%UC_CERT number 2."] == data_of(read_all(reader, after=position))


def test_settling_a_second_time_after_closing_changes_nothing(pair):
    journal, reader = pair
    settled(journal, batch(message(1)))
    journal.close()
    journal.close()

    assert [b"%UC_CERT number 1."] == data_of(read_all(reader))


@pytest.mark.parametrize("threads", [4])
def test_threads_settle_at_once_and_each_keeps_its_order(pair, threads):
    journal, reader = pair

    def settle_many(name):
        origin = Origin(way=Way.UDP, input=name, peer=name, grade=Grade.CLAIM)
        for start in range(0, 900, 3):
            numbers = range(start, start + 3)
            kept = [message(number, origin) for number in numbers]
            journal.settle(batch(*kept, noise=1, input_=name, heard={name: 4}))

    runs = [threading.Thread(target=settle_many, args=(f"udp-{n}",)) for n in range(threads)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    settled(journal, batch())
    journal.close()
    entries = read_all(reader)
    by_input = defaultdict(list)
    for entry in entries:
        if isinstance(entry, Kept):
            by_input[entry.message.origin.input].append(entry.message.data)

    assert {f"udp-{n}" for n in range(threads)} == set(by_input)
    assert [[message(n).data for n in range(900)]] * threads == list(by_input.values())
    assert 900 * threads == counted(entries)
    assert 1200 * threads == books_of(entries).total(Place.RECEIVED)

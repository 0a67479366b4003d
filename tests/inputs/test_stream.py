"""Syslog over real TCP connections: what arrives, who is turned away, and when senders wait."""

import asyncio
import logging
import os
import random
import socket

import pytest
from inputs.stream_desk import (
    ALARM,
    MARKS,
    NOISE,
    MemoryJournal,
    StandingClock,
    connect,
    ended,
    listening,
    send,
    until,
)

from watcher.errors import JournalBroken, JournalFull
from watcher.inputs.reception import Reception
from watcher.inputs.stream import StreamInput
from watcher.model.ledger import Reason
from watcher.model.message import Grade, Origin, Way


def counted(*frames):
    return b"".join(b"%d %s" % (len(frame), frame) for frame in frames)


def lines(*frames):
    return b"".join(frame + b"\n" for frame in frames)


# -- what arrives


@pytest.mark.parametrize("wrap", [counted, lines])
async def test_both_framings_arrive(wrap):
    async with listening() as (stream, journal):
        await send(stream, wrap(NOISE, ALARM, NOISE, ALARM))
        await until(lambda: journal.received == 4)

    assert (journal.data, journal.noise) == ([ALARM, ALARM], 2)
    assert journal.refused == {}


async def test_a_plain_connection_has_a_return_path_and_binds_nobody():
    async with listening() as (stream, journal):
        await send(stream, lines(ALARM))
        await until(lambda: journal.kept)

    assert journal.kept[0].origin == Origin(
        way=Way.TCP, input="syslog", peer="127.0.0.1", grade=Grade.RETURN_PATH
    )


async def test_a_peer_is_heard_by_its_noise_too():
    async with listening() as (stream, journal):
        await send(stream, lines(*[NOISE] * 7, ALARM), source="127.0.0.9")
        await send(stream, lines(NOISE))
        await until(lambda: journal.received == 9)

    assert journal.heard == {"127.0.0.9": 8, "127.0.0.1": 1}


async def test_an_address_of_ipv4_is_written_as_such_on_a_socket_for_both():
    if not socket.has_dualstack_ipv6():
        pytest.skip("no socket for both IPv4 and IPv6 here")
    reception, journal = None, MemoryJournal()
    reception = Reception("syslog", journal, StandingClock())
    stream = StreamInput(reception, MARKS)
    sock = socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    await stream.start([sock])
    _, writer = await asyncio.open_connection("127.0.0.1", stream.addresses[0][1])
    writer.write(lines(ALARM))
    await until(lambda: journal.kept)
    writer.close()
    await stream.stop()

    assert journal.heard == {"127.0.0.1": 1}


async def test_frames_in_single_bytes_arrive_whole():
    async with listening() as (stream, journal):
        _, writer = await connect(stream)
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in counted(ALARM, NOISE, ALARM):
            writer.write(bytes([byte]))
            await asyncio.sleep(0)
        await until(lambda: journal.received == 3)

    assert journal.data == [ALARM, ALARM]


async def test_the_last_line_needs_no_end():
    async with listening() as (stream, journal):
        await send(stream, ALARM)
        await until(lambda: journal.kept)

    assert [(message.data, message.cut) for message in journal.kept] == [(ALARM, False)]


async def test_of_a_long_frame_the_beginning_is_kept():
    async with listening(message=2000) as (stream, journal):
        await send(stream, lines(ALARM + b"z" * 100_000, ALARM))
        await until(lambda: journal.received == 2)

    assert [(len(message.data), message.cut) for message in journal.kept] == [
        (2000, True), (len(ALARM), False),
    ]  # fmt: skip


async def test_random_bytes_upset_nothing():
    noise = random.Random(4)  # noqa: S311 -- the same bytes each time
    async with listening() as (stream, journal):
        for _ in range(20):
            await send(stream, noise.randbytes(50_000))
        await send(stream, lines(ALARM))
        await until(lambda: ALARM in journal.data and stream.connections == 0)

    assert journal.refused == {}


# -- a count that lies


@pytest.mark.parametrize("lie", [b"0 ", b"064 ", b"-64 ", b"70000 ", b"64", b"", b"1" * 5000])
async def test_a_lie_is_quarantined_once_and_ends_the_connection(lie):
    async with listening() as (stream, journal):
        reader, writer = await connect(stream)
        other = await connect(stream)
        writer.write(counted(ALARM) + lie + b"x" * 63 + counted(ALARM))
        await ended(reader)
        writer.close()
        other[1].write(counted(ALARM))
        await until(lambda: len(journal.kept) == 3)

    assert [message.fault for message in journal.kept] == [None, Reason.OCTET_COUNT, None]
    assert journal.kept[1].data.startswith(lie[:1000] + b"x"[: lie != b"1" * 5000])
    assert journal.received == 3


async def test_a_count_beyond_the_end_of_the_stream_is_a_lie():
    async with listening() as (stream, journal):
        await send(stream, b"900 " + ALARM)
        await until(lambda: journal.kept)

    assert [(m.data, m.fault) for m in journal.kept] == [(b"900 " + ALARM, Reason.OCTET_COUNT)]


# -- limits


async def test_a_peer_has_so_many_connections_and_no_more():
    async with listening(per_peer=3) as (stream, journal):
        writers = [(await connect(stream))[1] for _ in range(3)]
        await ended((await connect(stream))[0])
        writers[0].close()
        await until(lambda: stream.connections == 2)
        await send(stream, lines(ALARM))
        await until(lambda: journal.kept)

    assert journal.refused == {Reason.TOO_MANY_CONNECTIONS: 1}
    assert journal.heard == {"127.0.0.1": 1}


async def test_there_are_so_many_connections_in_all():
    async with listening(connections=4) as (stream, journal):
        for n in range(1, 5):
            await connect(stream, source=f"127.0.0.{n}")
        await until(lambda: stream.connections == 4)
        await ended((await connect(stream, source="127.0.0.9"))[0])

    assert journal.refused == {Reason.TOO_MANY_CONNECTIONS: 1}


async def test_known_peers_keep_places():
    known = frozenset({"127.0.0.9"})
    async with listening(connections=4, reserved=2, known=known) as (stream, journal):
        for n in range(1, 7):
            await connect(stream, source=f"127.0.0.{n}")
        await until(lambda: journal.refused)
        _, writer = await connect(stream, source="127.0.0.9")
        writer.write(lines(ALARM))
        await until(lambda: journal.kept)

    assert journal.refused == {Reason.TOO_MANY_CONNECTIONS: 4}
    assert journal.kept[0].origin.peer == "127.0.0.9"


async def test_a_frame_that_does_not_end_ends_the_connection():
    async with listening(frame_seconds=0.1) as (stream, journal):
        slow = await connect(stream)
        slow[1].write(ALARM[:-1])
        idle = await connect(stream)
        idle[1].write(lines(ALARM))
        await ended(slow[0])
        await asyncio.sleep(0.3)
        idle[1].write(lines(ALARM))
        await until(lambda: len(journal.kept) == 3)

    assert sorted((message.data, message.cut) for message in journal.kept) == [
        (ALARM[:-1], True), (ALARM, False), (ALARM, False),
    ]  # fmt: skip
    assert journal.refused == {Reason.TOO_SLOW: 1}


async def test_an_endless_line_is_counted_once_and_ends_in_time():
    async with listening(frame_seconds=0.1, message=2000) as (stream, journal):
        reader, writer = await connect(stream)
        end = asyncio.create_task(ended(reader))
        while not end.done():
            writer.write(b"z" * 10_000)
            await asyncio.sleep(0.01)

    assert (journal.received, journal.refused) == (2, {Reason.TOO_SLOW: 1})


async def test_a_sender_whose_frames_end_may_send_for_ever():
    async with listening(frame_seconds=0.6) as (stream, journal):
        _, writer = await connect(stream)
        for _ in range(20):  # always an unfinished frame, never the same
            writer.write(ALARM[:30])
            await asyncio.sleep(0.05)
            writer.write(ALARM[30:] + b"\n" + ALARM[:9] + b"\n")
        await until(lambda: journal.received == 40)

    assert journal.refused == {}


async def test_who_is_turned_away_is_logged_once_for_a_reason(caplog):
    async with listening(connections=1) as (stream, journal):
        await connect(stream)
        await until(lambda: stream.connections == 1)
        for _ in range(5):
            await ended((await connect(stream))[0])

    assert journal.refused == {Reason.TOO_MANY_CONNECTIONS: 5}
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "connection of 127.0.0.1 ended: too-many-connections" in caplog.text


async def test_the_log_of_refusals_is_bounded(caplog):
    async with listening(connections=0) as (stream, journal):
        for n in range(1, 251):
            await ended((await connect(stream, source=f"127.0.1.{n}"))[0])

    assert journal.refused == {Reason.TOO_MANY_CONNECTIONS: 250}
    assert len(caplog.records) == 200


# -- many, and greedy ones


async def test_three_hundred_senders_at_once_lose_nothing():
    async with listening() as (stream, journal):
        await asyncio.gather(
            *(send(stream, lines(NOISE, ALARM), source=f"127.0.0.{n % 20 + 1}") for n in range(300))
        )
        await until(lambda: journal.received == 600)

    assert (len(journal.kept), journal.noise, journal.refused) == (300, 300, {})


async def test_a_greedy_sender_starves_nobody():
    async with listening() as (stream, journal):
        _, greedy = await connect(stream)
        flood = asyncio.create_task(_flood(greedy))
        await until(lambda: journal.received > 10_000)
        await asyncio.wait_for(send(stream, lines(ALARM)), 10)
        await until(lambda: journal.kept, seconds=10)
        flood.cancel()

    assert journal.data == [ALARM]


async def _flood(writer):
    block = lines(NOISE) * 2000
    while True:
        writer.write(block)
        await writer.drain()


# -- the journal has no room


async def test_senders_wait_while_the_journal_is_full():
    journal = MemoryJournal()
    async with listening(journal=journal) as (stream, _):
        _, writer = await connect(stream)
        journal.fault = JournalFull("full")
        flood = asyncio.create_task(_numbered(writer, 20_000))
        await until(lambda: journal.asked > 5)

        assert not flood.done()  # TCP itself holds the sender
        assert journal.received == 0

        journal.fault = None
        await flood
        await until(lambda: journal.received == 20_000)

    assert journal.data == [b"<%d>%s" % (n, ALARM * 9) for n in range(20_000)]


async def _numbered(writer, count):
    for number in range(count):
        writer.write(b"<%d>%s\n" % (number, ALARM * 9))
        await writer.drain()


async def test_who_comes_or_goes_while_the_journal_is_full_loses_nothing():
    journal = MemoryJournal()
    async with listening(journal=journal, per_peer=2) as (stream, _):
        first, second = [await connect(stream) for _ in range(2)]
        journal.fault = JournalFull("full")
        first[1].write(lines(ALARM + b"1"))
        await until(lambda: journal.asked > 2)
        await ended((await connect(stream))[0])
        first[1].close()
        second[1].write(lines(ALARM + b"2"))
        second[1].close()
        journal.fault = None
        await until(lambda: stream.connections == 0)
        await send(stream, lines(ALARM + b"3"))
        await until(lambda: len(journal.kept) == 3)

    assert journal.data == [ALARM + b"1", ALARM + b"2", ALARM + b"3"]
    assert journal.refused == {Reason.TOO_MANY_CONNECTIONS: 1}


async def test_a_new_sender_waits_with_the_others():
    journal = MemoryJournal()
    async with listening(journal=journal, retry_seconds=0.2) as (stream, _):
        await send(stream, lines(NOISE))
        journal.fault = JournalFull("full")
        await send(stream, lines(ALARM))
        await until(lambda: journal.asked == 2)
        await send(stream, lines(ALARM))
        await asyncio.sleep(0.05)

        assert stream.buffers.readings == 2

        journal.fault = None
        await until(lambda: len(journal.kept) == 2)


async def test_waiting_for_us_is_no_slowness_of_the_sender():
    journal = MemoryJournal()
    async with listening(journal=journal, frame_seconds=1.2) as (stream, _):
        _, writer = await connect(stream)
        journal.fault = JournalFull("full")
        writer.write(lines(ALARM) + ALARM[:10])
        await asyncio.sleep(1.4)
        journal.fault = None
        await until(lambda: journal.kept)
        await asyncio.sleep(0.4)
        writer.write(ALARM[10:] + b"\n")
        await until(lambda: len(journal.kept) == 2)

    assert journal.refused == {}


class Counting:
    """Admits all, and counts how often it was asked."""

    def __init__(self):
        self.asked = 0

    def admit(self, peer, data, monotonic_ns):  # noqa: ARG002, D102 -- the protocol's
        self.asked += 1
        return self.asked != 2


async def test_the_budget_is_asked_once_however_often_the_journal_is():
    journal, admission = MemoryJournal(), Counting()
    async with listening(journal=journal, admission=admission) as (stream, _):
        journal.fault = JournalFull("full")
        await send(stream, lines(ALARM, ALARM, ALARM))
        await until(lambda: journal.asked > 5)
        journal.fault = None
        await until(lambda: journal.kept)

    assert (admission.asked, len(journal.kept), journal.refused) == (3, 2, {Reason.RATE: 1})


async def test_a_broken_journal_closes_the_door_and_is_told_once():
    journal = MemoryJournal()
    async with listening(journal=journal) as (stream, _):
        where = stream.addresses[0]
        writers = [(await connect(stream))[1] for _ in range(2)]
        journal.fault = JournalBroken("no disk")
        for writer in writers:
            writer.write(lines(ALARM))
        await until(lambda: stream.failures)
        await asyncio.sleep(0.1)
        with pytest.raises(OSError, match="onnect"):
            await asyncio.open_connection(*where)

    assert [str(failure) for failure in stream.failures] == ["no disk"]
    assert (journal.asked, journal.received) == (1, 0)


# -- the end


async def test_what_is_on_its_way_at_the_end_is_taken():
    async with listening() as (stream, journal):
        _, writer = await connect(stream)
        writer.write(lines(*[ALARM] * 1000) + ALARM[:-1])
        await writer.drain()
        await stream.stop()

    assert journal.data == [*[ALARM] * 1000, ALARM[:-1]]
    assert journal.kept[-1].cut


async def test_the_end_waits_for_no_greedy_sender():
    async with listening(drain_seconds=0.2) as (stream, journal):
        _, writer = await connect(stream)
        flood = asyncio.create_task(_flood(writer))
        await until(lambda: journal.received)
        await asyncio.wait_for(stream.stop(), 10)
        flood.cancel()

    assert journal.refused == {}


async def test_what_the_journal_never_took_is_told_at_the_end(caplog):
    journal = MemoryJournal()
    async with listening(journal=journal) as (stream, _):
        journal.fault = JournalFull("full")
        await send(stream, lines(ALARM, NOISE, ALARM))
        await until(lambda: journal.asked)

    assert "the journal had no room for 2 messages" in caplog.text


async def test_it_listens_on_sockets_that_it_is_given():
    stream = StreamInput(Reception("syslog", MemoryJournal(), StandingClock()), MARKS)
    given = socket.create_server(("127.0.0.1", 0))
    where = given.getsockname()
    await stream.start([given.dup()])

    assert stream.addresses == [where]

    await stream.stop()

    assert stream.addresses == []
    given.close()


async def test_a_connection_costs_little():
    async with listening(per_peer=1000) as (stream, journal):
        before = _resident()
        writers = [(await connect(stream))[1] for _ in range(400)]
        for writer in writers:
            writer.write(ALARM)
        await until(lambda: stream.buffers.readings >= 400)
        cost = (_resident() - before) / 400
        for writer in writers:
            writer.close()
        await until(lambda: journal.received == 400)

    assert cost < 40_000  # of which most is the client's, in the same process


def _resident():
    with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123 -- no disk
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGESIZE")

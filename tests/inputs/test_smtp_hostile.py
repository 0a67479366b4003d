"""What a hostile, broken or slow peer can do: little, and nothing to others."""

import asyncio
import contextlib
import logging
import random
import time
import tracemalloc
from ipaddress import ip_network

import pytest
from inputs.mailroom import MAIL, OURS, Client, listening, tls_pair, until

from watcher.inputs.smtp import SmtpLimits
from watcher.model.ledger import Reason
from watcher.model.message import Grade

MIB = 1024 * 1024
HONEST = (ip_network("127.0.0.1/32"),)


async def flood(client, size):
    """Send letters without a line end until the peer has enough; return how many."""
    block, sent = b"x" * 65536, 0
    try:
        while sent < size:
            client.send(block)
            await client.writer.drain()
            sent += len(block)
    except ConnectionError:
        pass
    return sent


@pytest.mark.parametrize("inside_a_mail", [True, False])
async def test_an_endless_line_takes_no_memory(inside_a_mail):
    """Probe 1: 300 MB in 1.3 seconds without the cap."""
    async with listening() as (smtp, journal):
        client = await Client.connect(smtp)
        await client.greet()
        if inside_a_mail:
            await client.say("DATA")
        tracemalloc.start()
        sent = await flood(client, 100 * MIB)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        await until(lambda: not smtp.sessions)

    assert 4 * MIB > peak
    assert 100 * MIB > sent
    assert [Reason.TOO_LARGE if inside_a_mail else Reason.PROTOCOL] == list(journal.refused)


@pytest.mark.parametrize("line", [b"x" * 998 + b"\r\n", b"\r\n", b"x", b"..\r\n"])
async def test_a_mail_that_is_too_large_is_the_senders_fault(line):
    limits = SmtpLimits(mail_size=10_000)
    async with listening(limits=limits) as (smtp, journal):
        client = await Client.connect(smtp)
        await client.greet()
        reply = await client.mail(line * (20_000 // len(line)) + b"\r\n")
        after = await client.say("NOOP")

    assert "552 5.3.4" == reply[:9]
    assert "250 OK" == after[0]
    assert {Reason.TOO_LARGE: 1} == journal.refused
    assert [] == journal.kept


async def test_a_mail_as_large_as_may_be_is_kept():
    raw = b"x" * (256 * 1024 - 2) + b"\r\n"
    async with listening() as (smtp, journal):
        client = await Client.connect(smtp)
        await client.greet()
        await client.mail(raw)

    assert [raw] == journal.data


async def test_an_announced_size_is_refused_at_once():
    async with listening() as (smtp, journal):
        client = await Client.connect(smtp)
        await client.reply()
        replies = await client.say("EHLO x", "MAIL FROM:<a@b.example> BODY=8BITMIME SIZE=262145")

    assert "552" == replies[1][:3]
    assert {Reason.TOO_LARGE: 1} == journal.refused


@pytest.mark.parametrize(
    "raw", [b"A: b\r\n" * 201 + b"\r\nx\r\n", b"A: " + b"b" * 65536 + b"\r\n\r\nx\r\n"]
)
async def test_a_mail_with_too_much_header_is_kept_unread(raw):
    async with listening() as (smtp, journal):
        client = await Client.connect(smtp)
        await client.greet()
        reply = await client.mail(raw)

    assert "250 2.0.0 kept" == reply
    assert [(raw, Reason.MAIL_LIMITS)] == [(m.data, m.fault) for m in journal.kept]


@pytest.mark.parametrize(
    "line", [b"NOOP\r\n", b"\r\n", b"\n", b"HELP x\r\n", b"RSET\r\n", b"EHLO x\r\n"]
)
async def test_commands_are_counted(line):
    """Probe 3: 2,000 NOOPs were taken."""
    async with listening() as (smtp, journal):
        client = await Client.connect(smtp)
        client.send(line * 2000)

        assert await client.ended()
        await until(lambda: not smtp.sessions)

    assert {Reason.PROTOCOL: 1} == journal.refused


async def test_recipients_are_counted():
    async with listening() as (smtp, _):
        client = await Client.connect(smtp)
        await client.reply()
        await client.say("EHLO x", "MAIL FROM:<a@b.example>")
        replies = await client.say(*[f"RCPT TO:<{OURS}>"] * 21)

    assert ["250"] * 20 + ["452"] == [reply[:3] for reply in replies]


async def test_a_peer_has_ten_sessions_and_not_more():
    async with listening() as (smtp, journal):
        clients = [await Client.connect(smtp, "127.0.0.2") for _ in range(11)]
        replies = [await client.reply() for client in clients]
        other = await Client.connect(smtp, "127.0.0.3")

        assert "220" == (await other.reply())[:3]

    assert ["220"] * 10 + ["421"] == [reply[:3] for reply in replies]
    assert {Reason.TOO_MANY_CONNECTIONS: 1} == journal.refused


async def test_there_are_fifty_sessions_and_ten_of_them_for_whom_we_know():
    async with listening(allowed=HONEST) as (smtp, _):
        strangers = [
            await Client.connect(smtp, f"127.0.1.{1 + number // 10}") for number in range(50)
        ]
        replies = [(await client.reply())[:3] for client in strangers]
        known = [(await (await Client.connect(smtp)).reply())[:3] for _ in range(10)]
        refused = await (await Client.connect(smtp, "127.0.0.9")).reply()

        assert 50 == smtp.sessions
    assert ["220"] * 40 + ["421"] * 10 == replies
    assert ["220"] * 10 == known
    assert "421" == refused[:3]


async def test_who_does_nothing_gives_way_when_all_places_are_taken():
    async with listening(limits=SmtpLimits(sessions=2, patience=0.05)) as (smtp, _):
        idle, working = await Client.connect(smtp), await Client.connect(smtp)
        await idle.reply()
        await working.greet()
        await working.say("DATA")
        await asyncio.sleep(0.06)
        new = await Client.connect(smtp)
        replies = [await new.reply(), await idle.reply()]

    assert ["220", "421"] == [reply[:3] for reply in replies]


SLOW = [
    SmtpLimits(session_seconds=0.2, idle_seconds=60),
    SmtpLimits(idle_seconds=0.2),
    SmtpLimits(data_rate_from=0.2),
]


@pytest.mark.parametrize("limits", SLOW)
async def test_who_is_slow_is_told_to_come_again(limits):
    in_a_mail = limits is SLOW[2]
    async with listening(limits=limits) as (smtp, journal):
        client = await Client.connect(smtp)
        await client.greet()
        if in_a_mail:
            await client.say("DATA")
            client.send(b"Subject: slow\r\n")
        reply = await client.reply()

        assert "421 4.4.2" == reply[:9]
        await until(lambda: not smtp.sessions)
    assert {Reason.TOO_SLOW: 1} == journal.refused


async def test_a_slow_handshake_is_over_in_time():
    server, _ = tls_pair()
    async with listening(tls=server, limits=SmtpLimits(idle_seconds=0.2)) as (smtp, journal):
        client = await Client.connect(smtp)
        await client.reply()
        await client.say("EHLO x", "STARTTLS")

        assert await client.ended()
        await until(lambda: not smtp.sessions)
    assert {Reason.TOO_SLOW: 1} == journal.refused


async def test_who_does_not_read_is_over_in_time():
    async with listening(limits=SmtpLimits(idle_seconds=0.2)) as (smtp, _):
        client = await Client.connect(smtp)
        client.writer.transport.pause_reading()
        client.send(b"HELP\r\n" * 90)

        await until(lambda: not smtp.sessions)


async def test_a_mail_that_breaks_off_is_counted_and_not_kept():
    async with listening() as (smtp, journal):
        client = await Client.connect(smtp)
        await client.greet()
        await client.say("DATA")
        client.send(MAIL)
        await until(lambda: any(session.busy for session in smtp._sessions))  # noqa: SLF001
        client.close()
        await until(lambda: not smtp.sessions)

    assert [] == journal.kept
    assert {Reason.PROTOCOL: 1} == journal.refused
    assert 0 == journal.difference


SMUGGLED = b"MAIL FROM:<evil@b.example>\r\nRCPT TO:<" + OURS.encode() + b">\r\nDATA\r\nsmuggled\r\n"
ENDS = [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r\n.\r", b"\r.\r", b"\r.\r\n", b"\r\n\x00.\r\n"]


@pytest.mark.parametrize("end", ENDS)
async def test_a_mail_cannot_carry_another(end):
    """CVE-2024-27305, CVE-2023-51764 and kin: what a relay sees as one mail is one here."""
    async with listening(allowed=HONEST) as (smtp, journal):
        client = await Client.connect(smtp)
        await client.greet()
        await client.mail(b"Subject: x\r\n\r\nhonest" + end + SMUGGLED)

    assert 1 == len(journal.kept)
    assert b"smuggled" in journal.data[0]
    marked = b"\x00" not in end
    assert (Grade.CLAIM if marked else Grade.RETURN_PATH) == journal.kept[0].origin.grade
    assert marked == smtp.marked


@pytest.mark.parametrize(
    "path",
    [
        "(" * 400, "<" + "(" * 400 + ">", '<"' + "\\" * 100 + ">", "<a@b.example", "a@b.example>",
        "<a b@c.example>", "<[]>", "<<a@b.example>>", "<a@b@c>", "<@a:@b:c@d>", "\udcff", "<\x00>",
        "<a@b.example>x", "<a@b.example> =", "<a@b.example> SIZE=x", "<a@b.example> SIZE=",
    ],
)  # fmt: skip
async def test_a_broken_address_is_the_senders_fault(path):
    async with listening() as (smtp, _):
        client = await Client.connect(smtp)
        await client.reply()
        await client.say("EHLO x")
        client.send(f"MAIL FROM:{path}\r\n".encode("utf-8", "surrogateescape"))
        reply = await client.reply()

    assert reply[:1] in "25"


WORDS = [
    b"EHLO x", b"HELO", b"MAIL FROM:<a@b.example>", b"MAIL FROM:", b"RCPT", b"DATA", b"DATA x",
    b"RCPT TO:<alerts@watcher.example>", b".", b"RSET", b"NOOP", b"VRFY \xff\xfe", b"EXPN a",
    b"HELP DATA", b"AUTH PLAIN =", b"AUTH", b"STARTTLS", b"STARTTLS x", b"BDAT 5 LAST", b"..",
    b"x" * 600, b"\xff\xfe\x00", b"MAIL FROM:<\xff@b.example> SMTPUTF8 BODY=9BIT", b"QUIT x",
    b"", b"*", b"\r",
]  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_is_said_no_error_of_ours_comes_of_it(seed, caplog):
    chance = random.Random(seed)  # noqa: S311 -- the same sessions each time
    server, _ = tls_pair()
    async with listening(tls=server, limits=SmtpLimits(idle_seconds=0.2)) as (smtp, journal):
        for number in range(50):
            client = await Client.connect(smtp, f"127.0.0.{2 + number // 10}")
            lines = [chance.choice(WORDS) for _ in range(chance.randrange(40))]
            client.send(b"\r\n".join(lines) + b"\r\n.\r\nQUIT\r\nQUIT\r\n")
        await until(lambda: not smtp.sessions)

    assert [] == [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert 0 == journal.difference


async def honest_mails(smtp, count):
    """Send mails from an honest peer; return how long each took, 421 and another try included."""
    times = []
    for _ in range(count):
        begin, reply = time.monotonic(), ""
        while reply != "250 2.0.0 kept":
            client = await Client.connect(smtp)
            await client.greet()
            reply = await client.mail(MAIL)
            client.close()
        times.append(time.monotonic() - begin)
    return sorted(times)


async def trickle(smtp, number, over):
    """Come back again and again, and send a letter now and then."""
    while not over.is_set():
        client = await Client.connect(smtp, f"127.0.2.{1 + number // 10}")
        with contextlib.suppress(ConnectionError):
            while not client.reader.at_eof() and not over.is_set():
                client.send(b"x")
                await asyncio.sleep(1)
        client.close()


@pytest.mark.parametrize("allowed", [HONEST, ()])
async def test_five_hundred_slow_peers_do_not_delay_an_honest_one(allowed):
    limits, over = SmtpLimits(patience=1), asyncio.Event()
    async with listening(limits=limits, allowed=allowed) as (smtp, journal):
        alone = await honest_mails(smtp, 50)
        slow = [asyncio.create_task(trickle(smtp, number, over)) for number in range(500)]
        await until(lambda: smtp.sessions >= (50 - 10 * bool(allowed)))
        await asyncio.sleep(limits.patience)
        times = await honest_mails(smtp, 100)
        over.set()
        await asyncio.gather(*slow)

    assert 150 == len(journal.kept)
    assert max(5, 20 * alone[-1]) > times[98]


async def test_every_slow_peer_is_gone_in_time():
    async with listening(limits=SmtpLimits(session_seconds=1)) as (smtp, journal):
        slow = [await Client.connect(smtp, f"127.0.2.{1 + number // 10}") for number in range(500)]
        begin = time.monotonic()
        await until(lambda: not smtp.sessions)
        seconds = time.monotonic() - begin
        ended = [await client.ended() for client in slow]

    assert 1 + 5 > seconds
    assert all(ended)
    assert 500 == sum(journal.refused.values())
    assert {Reason.TOO_MANY_CONNECTIONS, Reason.TOO_SLOW} == set(journal.refused)

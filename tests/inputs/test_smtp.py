"""What an honest sender sees: mails kept to the byte, and 250 only for what is on the disk."""

import asyncio
import smtplib
import socket
from ipaddress import ip_network

import pytest
from inputs.mailroom import MAIL, OURS, Client, MemoryJournal, listening, reception, until

from watcher.errors import JournalBroken, JournalFull
from watcher.inputs.smtp import SmtpInput, SmtpLimits, SmtpOptions
from watcher.model.ledger import Reason
from watcher.model.message import Grade, Way

LOOPBACK = (ip_network("127.0.0.0/8"),)


async def sent(smtp, raw=MAIL, recipient=OURS):
    client = await Client.connect(smtp)
    await client.greet(recipient)
    reply = await client.mail(raw)
    await client.say("QUIT")
    client.close()
    return reply


async def test_a_mail_is_kept_as_it_was_sent():
    async with listening(allowed=LOOPBACK) as (smtp, journal):
        reply = await sent(smtp)

    assert "250 2.0.0 kept" == reply
    assert [MAIL] == journal.data
    origin = journal.kept[0].origin
    assert (Way.SMTP, "mail", "127.0.0.1", Grade.RETURN_PATH) == (
        origin.way, origin.input, origin.peer, origin.grade,
    )  # fmt: skip
    assert 0 == journal.difference


async def test_the_standard_library_can_send():
    async with listening() as (smtp, journal):
        await asyncio.to_thread(sent_by_smtplib, smtp.addresses[0])

    assert [MAIL] == journal.data


def sent_by_smtplib(address):
    with smtplib.SMTP(*address, timeout=60) as client:
        client.sendmail("a@cucm.example", [OURS], MAIL, ["BODY=8BITMIME"])


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        (b"..\r\n", b".\r\n"),
        (b".a\r\n..b\r\nc.\r\n", b"a\r\n.b\r\nc.\r\n"),
        (b"", b""),
        (b"\r\n", b"\r\n"),
        (
            b"Subject: \xff\x00\xc3\xa4\r\n\r\n\r\n\r\n",
            b"Subject: \xff\x00\xc3\xa4\r\n\r\n\r\n\r\n",
        ),
        (b"x" * 5000 + b"\r\n", b"x" * 5000 + b"\r\n"),
    ],
)
async def test_dots_are_taken_off_and_nothing_else_is_touched(raw, kept):
    async with listening() as (smtp, journal):
        reply = await sent(smtp, raw)

    assert "250 2.0.0 kept" == reply
    assert [kept] == journal.data


async def test_several_mails_come_in_one_session():
    async with listening() as (smtp, journal):
        client = await Client.connect(smtp)
        await client.greet()
        first = await client.mail(b"one\r\n")
        await client.say("MAIL FROM:<>", f"RCPT TO:<{OURS.upper()}>")
        second = await client.mail(b"two\r\n")

    assert ["250 2.0.0 kept"] * 2 == [first, second]
    assert [b"one\r\n", b"two\r\n"] == journal.data


async def test_commands_may_be_pipelined_even_past_a_mail():
    async with listening() as (smtp, journal):
        client = await Client.connect(smtp)
        await client.greet()
        client.send(b"DATA\r\n" + MAIL + b".\r\nNOOP\r\nQUIT\r\n")
        replies = [(await client.reply())[:3] for _ in range(4)]

    assert ["354", "250", "250", "221"] == replies
    assert [MAIL] == journal.data


async def test_every_extension_that_is_offered_works():
    async with listening() as (smtp, _):
        client = await Client.connect(smtp)
        await client.reply()
        offered = await client.say("EHLO test")
        replies = await client.say(
            "MAIL FROM:<jürgen@cucm.example> SIZE=100 BODY=8BITMIME SMTPUTF8", f"RCPT TO:<{OURS}>"
        )

    assert ["SIZE 262144", "8BITMIME", "SMTPUTF8", "PIPELINING", "HELP"] == [
        line[4:] for line in offered[0].splitlines()[1:]
    ]
    assert ["250", "250"] == [reply[:3] for reply in replies]


async def test_mail_from_elsewhere_is_a_claim_whatever_it_says():
    async with listening(allowed=(ip_network("10.0.0.0/8"),)) as (smtp, journal):
        await sent(smtp, b"From: root@10.0.0.1\r\nReceived: from 10.0.0.1\r\n\r\nx\r\n")

    assert [Grade.CLAIM] == [message.origin.grade for message in journal.kept]


async def test_nobody_else_is_served_if_so_told():
    async with listening(allowed=(ip_network("10.0.0.0/8"),), refuse_others=True) as (
        smtp,
        journal,
    ):
        client = await Client.connect(smtp)
        reply = await client.reply()

    assert "554" == reply[:3]
    assert {Reason.PEER_NOT_ALLOWED: 1} == journal.refused


@pytest.mark.parametrize(
    ("recipient", "reply"),
    [
        (OURS, "250"),
        ("Alerts@WATCHER.example", "250"),
        ("anybody@alarms.example", "250"),
        ("other@watcher.example", "550"),
        ("alerts@watcher.example@evil.example", "550"),
        ("alerts%watcher.example@evil.example", "550"),
        ("@alarms.example:x@evil.example", "550"),
        ("postmaster", "550"),
        ("x@sub.alarms.example", "550"),
    ],
)
async def test_nothing_is_relayed(recipient, reply):
    async with listening(SmtpOptions(recipients=(OURS, "@alarms.example"))) as (smtp, _):
        client = await Client.connect(smtp)
        await client.reply()
        replies = await client.say("EHLO x", "MAIL FROM:<a@b.example>", f"RCPT TO:<{recipient}>")

    assert reply == replies[-1][:3]


async def test_a_refused_recipient_is_counted_once_for_a_mail():
    async with listening() as (smtp, journal):
        client = await Client.connect(smtp)
        await client.reply()
        wrong = ["RCPT TO:<a@b.example>"] * 3
        await client.say("EHLO x", "MAIL FROM:<a@b.example>", *wrong, "RSET")
        await client.say("MAIL FROM:<a@b.example>", *wrong, "DATA")

    assert {Reason.RECIPIENT: 2} == journal.refused
    assert 0 == journal.difference


async def test_250_waits_for_the_disk():
    async with listening() as (smtp, journal):
        journal.hold = True
        client = await Client.connect(smtp)
        await client.greet()
        reply = asyncio.create_task(client.mail(MAIL))
        await until(lambda: journal.held)
        early = reply.done()
        journal.held[0].set_result(None)

        assert not early
        assert "250 2.0.0 kept" == await reply


async def test_a_peer_that_goes_does_not_cancel_what_the_journal_promised():
    async with listening() as (smtp, journal):
        journal.hold = True
        client = await Client.connect(smtp)
        await client.greet()
        client.send(b"DATA\r\n" + MAIL + b".\r\n")
        await until(lambda: journal.held)
        client.close()
        await until(lambda: not smtp.sessions)

        assert not journal.held[0].cancelled()


@pytest.mark.parametrize(
    ("fault", "reply", "reason"),
    [
        (JournalFull("3 bytes left in /secret/path"), "452 4.3.1", Reason.JOURNAL_FULL),
        (JournalBroken("EIO in /secret/path"), "451 4.3.0", Reason.JOURNAL_BROKEN),
    ],
)
async def test_a_fault_of_ours_is_temporary_and_tells_nothing(fault, reply, reason):
    async with listening() as (smtp, journal):
        journal.fault = fault
        answer = await sent(smtp)
        journal.fault = None
        again = await sent(smtp)

    assert reply == answer[:9]
    assert "secret" not in answer
    assert "250 2.0.0 kept" == again
    assert {reason: 1} == journal.refused


@pytest.mark.parametrize("error", [RuntimeError("secret"), MemoryError("secret"), KeyError("x")])
async def test_an_error_of_ours_never_reaches_the_wire(error):
    async with listening() as (smtp, journal):
        journal.fault = error
        answer = await sent(smtp)

    assert "451 4.3.0 try again later" == answer


async def test_a_disk_that_fails_is_451():
    async with listening() as (smtp, journal):
        journal.disk_fault = JournalBroken("fsync: EIO")

        assert "451 4.3.0 try again later" == await sent(smtp)


async def test_a_disk_that_takes_too_long_is_451():
    limits = SmtpLimits(durable_seconds=0.05)
    async with listening(limits=limits) as (smtp, journal):
        journal.hold = True

        assert "451 4.3.0 try again later" == await sent(smtp)
        assert not journal.held[0].cancelled()


OWN = [
    b"Message-ID: <1234@watch.example>\r\n\r\nx\r\n",
    b"Subject: x\r\nmessage-id:\r\n <1234@WATCH.example>\r\n\r\nx\r\n",
    b"X-Watcher: watch.example\r\n\r\nx\r\n",
]
FOREIGN = [
    b"Message-ID: <1234@watch.example.com>\r\n\r\nx\r\n",
    b"Message-ID: <watch.example@cucm.example>\r\n\r\nx\r\n",
    b"Subject: Message-ID: <1@watch.example>\r\n\r\nMessage-ID: <1@watch.example>\r\n",
]


@pytest.mark.parametrize("raw", OWN)
async def test_our_own_mail_is_dropped_and_counted(raw):
    async with listening(own_domain="watch.example") as (smtp, journal):
        reply = await sent(smtp, raw)

    assert "250 2.0.0 kept" == reply
    assert [] == journal.kept
    assert {Reason.OWN_MAIL: 1} == journal.refused


@pytest.mark.parametrize("raw", FOREIGN)
async def test_mail_of_others_is_not_taken_for_ours(raw):
    async with listening(own_domain="watch.example") as (smtp, journal):
        await sent(smtp, raw)

    assert [raw] == journal.data


async def test_it_listens_on_sockets_that_were_handed_over():
    journal = MemoryJournal()
    smtp = SmtpInput(reception(journal), SmtpOptions(recipients=(OURS,)))
    ready = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    await smtp.start(sockets=ready)
    client = await Client.connect(smtp)
    await client.greet()
    reply = await client.mail(MAIL)
    await Client.close_all()
    await smtp.stop(grace=0)

    assert "250 2.0.0 kept" == reply
    assert 2 == len(ready)


async def test_a_stop_lets_a_mail_end():
    async with listening() as (smtp, journal):
        idle, busy = await Client.connect(smtp), await Client.connect(smtp)
        await idle.reply()
        await busy.greet()
        await busy.say("DATA")
        stopping = asyncio.create_task(smtp.stop(grace=60))
        farewell = await idle.reply()
        busy.send(MAIL + b".\r\n")
        replies = [await busy.reply(), await busy.reply()]
        await stopping

    assert "421" == farewell[:3]
    assert ["250 2.0.0 kept", "421 4.3.2 going down, try again later"] == replies
    assert [MAIL] == journal.data


async def test_a_stop_does_not_wait_for_ever():
    async with listening() as (smtp, journal):
        client = await Client.connect(smtp)
        await client.greet()
        await client.say("DATA")
        await smtp.stop(grace=0.05)
        reply = await client.reply()

    assert "421" == reply[:3]
    assert [] == journal.data
    assert 0 == smtp.sessions

"""STARTTLS and log-in: nothing sent in the clear is trusted, nothing secret comes out."""

import asyncio
import base64
import logging

import pytest
from inputs.mailroom import MAIL, OURS, Client, listening, tls_pair, until
from inputs.test_secret import pbkdf2, scrypt

from watcher.inputs.secret import PasswordHash
from watcher.inputs.smtp import SmtpInput, SmtpLimits, SmtpOptions
from watcher.model.ledger import Reason
from watcher.model.message import Grade

SERVER, TRUSTING = tls_pair()
USERS = {
    "relay": PasswordHash.parse(scrypt("hunter2")),
    "jürgen": PasswordHash.parse(pbkdf2("pass wörd")),
}


def plain(user, password):
    return base64.b64encode(f"\0{user}\0{password}".encode()).decode()


def b64(text):
    return base64.b64encode(text.encode()).decode()


async def secured(smtp):
    client = await Client.connect(smtp)
    await client.reply()
    await client.secure(TRUSTING)
    return client


async def test_a_mail_comes_inside_tls():
    async with listening(tls=SERVER) as (smtp, journal):
        client = await secured(smtp)
        offered = await client.say("EHLO test", "MAIL FROM:<a@b.example>", f"RCPT TO:<{OURS}>")
        reply = await client.mail(MAIL)

    assert "250 2.0.0 kept" == reply
    assert "STARTTLS" not in offered[0]
    assert "AUTH" not in offered[0]
    assert [MAIL] == journal.data


async def test_commands_sent_before_the_handshake_are_not_executed_in_it():
    """CVE-2011-0411 and CVE-2024-34083."""
    async with listening(tls=SERVER) as (smtp, journal):
        client = await Client.connect(smtp)
        await client.reply()
        await client.say("EHLO test")
        planted = f"EHLO evil\r\nMAIL FROM:<evil@b.example>\r\nRCPT TO:<{OURS}>\r\nDATA\r\n"
        client.send(b"STARTTLS\r\n" + planted.encode())
        await client.reply()
        await client.writer.start_tls(TRUSTING, server_hostname="watcher.example")
        replies = await client.say("NOOP", "RCPT TO:<alerts@watcher.example>", "QUIT")

    assert ["250", "503", "221"] == [reply[:3] for reply in replies]
    assert [] == journal.kept


async def test_what_was_said_before_the_handshake_is_forgotten():
    async with listening(tls=SERVER) as (smtp, _):
        client = await Client.connect(smtp)
        await client.reply()
        await client.say("EHLO test", "MAIL FROM:<a@b.example>", f"RCPT TO:<{OURS}>")
        await client.secure(TRUSTING)
        replies = await client.say("DATA", "EHLO test", "DATA")

    assert ["503", "250", "503"] == [reply[:3] for reply in replies]


async def test_nothing_is_taken_in_the_clear_where_tls_is_required():
    async with listening(tls=SERVER, require_starttls=True) as (smtp, journal):
        client = await Client.connect(smtp)
        await client.reply()
        replies = await client.say("EHLO t", "MAIL FROM:<a@b.example>", f"RCPT TO:<{OURS}>", "DATA")
        await client.secure(TRUSTING)
        await client.say("EHLO test", "MAIL FROM:<a@b.example>", f"RCPT TO:<{OURS}>")
        reply = await client.mail(MAIL)

    assert ["250", "530", "530", "530"] == [reply[:3] for reply in replies]
    assert "250 2.0.0 kept" == reply
    assert [MAIL] == journal.data


def test_tls_cannot_be_required_without_a_certificate():
    options = SmtpOptions(recipients=(OURS,), require_starttls=True)

    with pytest.raises(ValueError, match="needs a TLS context"):
        SmtpInput(None, options)


@pytest.mark.parametrize("rubbish", [b"\x16\x03\x01\x02\x00garbage", b"EHLO in the clear\r\n", b""])
async def test_a_failed_handshake_is_counted_and_over(rubbish):
    async with listening(tls=SERVER) as (smtp, journal):
        client = await Client.connect(smtp)
        await client.reply()
        await client.say("EHLO test", "STARTTLS")
        client.send(rubbish)
        client.writer.write_eof()

        assert await client.ended()
        await until(lambda: not smtp.sessions)

    assert {Reason.HANDSHAKE: 1} == journal.refused


async def test_a_peer_that_is_gone_in_the_handshake_leaves_nothing():
    async with listening(tls=SERVER) as (smtp, _):
        client = await Client.connect(smtp)
        await client.reply()
        await client.say("EHLO test", "STARTTLS")
        client.close()
        await until(lambda: not smtp.sessions)


async def test_new_sessions_use_a_new_certificate_and_old_ones_live():
    other, trusting_other = tls_pair()
    async with listening(tls=SERVER) as (smtp, _):
        old = await secured(smtp)
        smtp.reload(other)
        new = await Client.connect(smtp)
        await new.reply()
        await new.secure(trusting_other)
        replies = [*await old.say("NOOP"), *await new.say("NOOP")]

    assert ["250 OK", "250 OK"] == replies


async def test_mail_of_an_authenticated_relay_is_attributed():
    async with listening(tls=SERVER, users=USERS) as (smtp, journal):
        client = await secured(smtp)
        offered = await client.say("EHLO test", f"AUTH PLAIN {plain('relay', 'hunter2')}")
        await client.say("MAIL FROM:<a@b.example>", f"RCPT TO:<{OURS}>")
        await client.mail(MAIL)

    assert "AUTH LOGIN PLAIN" in offered[0]
    assert "235" == offered[1][:3]
    assert [Grade.ATTRIBUTED] == [message.origin.grade for message in journal.kept]


async def test_a_name_and_a_password_may_come_one_by_one():
    async with listening(tls=SERVER, users=USERS) as (smtp, _):
        client = await secured(smtp)
        replies = await client.say("EHLO test", "AUTH LOGIN", b64("jürgen"), b64("pass wörd"))

    assert "235" == replies[-1][:3]


@pytest.mark.parametrize(
    ("user", "password"),
    [("relay", "wrong"), ("relay", ""), ("nobody", "hunter2"), ("", ""), ("relay", "pass wörd")],
)
async def test_a_wrong_log_in_is_refused_and_counted(user, password):
    async with listening(tls=SERVER, users=USERS) as (smtp, journal):
        client = await secured(smtp)
        replies = await client.say("EHLO test", f"AUTH PLAIN {plain(user, password)}")
        await client.say("MAIL FROM:<a@b.example>", f"RCPT TO:<{OURS}>")
        await client.mail(MAIL)

    assert "535" == replies[-1][:3]
    assert [Grade.CLAIM] == [message.origin.grade for message in journal.kept]
    assert {Reason.AUTHENTICATION: 1} == journal.refused


async def test_no_password_is_taken_in_the_clear():
    async with listening(tls=SERVER, users=USERS) as (smtp, _):
        client = await Client.connect(smtp)
        await client.reply()
        replies = await client.say("EHLO test", f"AUTH PLAIN {plain('relay', 'hunter2')}")

    assert "AUTH" not in replies[0]
    assert "538" == replies[1][:3]


async def test_guessing_ends_the_session_and_then_the_tries():
    limits = SmtpLimits(failed_logins=2, failed_logins_per_peer=3)
    async with listening(tls=SERVER, users=USERS, limits=limits) as (smtp, _):
        first, second = await secured(smtp), await secured(smtp)
        wrong = f"AUTH PLAIN {plain('relay', 'wrong')}"
        await first.say("EHLO test", wrong)
        farewell = await first.say(wrong)
        right = f"AUTH PLAIN {plain('relay', 'hunter2')}"
        replies = await second.say("EHLO test", wrong, right)

    assert "421" == farewell[0][:3]
    assert ["250", "535", "421"] == [reply[:3] for reply in replies]


@pytest.mark.parametrize(
    "answer", ["*", "%%%", "x" * 3000, b64("no zero"), plain("a", "b") + " more"]
)
async def test_a_broken_log_in_is_the_senders_fault(answer):
    async with listening(tls=SERVER, users=USERS) as (smtp, _):
        client = await secured(smtp)
        replies = await client.say("EHLO test", "AUTH PLAIN", answer)
        after = await client.say("NOOP")

    assert "5" == replies[-1][0]
    assert "250 OK" == after[0]


async def test_passwords_are_in_no_log(caplog):
    caplog.set_level(logging.DEBUG)
    async with listening(tls=SERVER, users=USERS) as (smtp, _):
        client = await secured(smtp)
        await client.say("EHLO test", f"AUTH PLAIN {plain('relay', 'canary-one')}")
        await client.say("AUTH LOGIN", b64("relay"), b64("canary-two"))
        await client.say("MAIL FROM:<canary-three@b.example>")
    text = caplog.text

    assert "canary" not in text
    assert b64("canary-two") not in text
    assert plain("relay", "canary-one") not in text


async def test_a_log_in_does_not_hold_up_others():
    slow = PasswordHash.parse(scrypt("hunter2", 2**15))
    async with listening(tls=SERVER, users={"relay": slow}) as (smtp, _):
        guessing, honest = await secured(smtp), await secured(smtp)
        await guessing.say("EHLO test")
        guess = asyncio.create_task(guessing.say(f"AUTH PLAIN {plain('relay', 'wrong')}"))
        await asyncio.sleep(0.01)
        await honest.say("NOOP")
        early = guess.done()
        await guess

    assert not early

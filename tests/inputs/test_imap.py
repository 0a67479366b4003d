"""Mail is fetched from a mailbox, and marked there only when it is on our disk."""

import asyncio
import contextlib
import logging

import pytest
from inputs.imapserver import ImapServer
from inputs.mailroom import MAIL, MemoryJournal, reception, tls_pair, until

from watcher.errors import JournalBroken, JournalFull
from watcher.inputs.imap import ImapInput, ImapOptions, ImapSecurity
from watcher.inputs.secret import Secret
from watcher.model.ledger import Reason
from watcher.model.message import Grade, Way

SEEN = {"\\Seen"}


@contextlib.asynccontextmanager
async def fetching(server, **options):
    """Fetch from a server until the block ends."""
    journal = MemoryJournal()
    if "token" not in options:
        options.setdefault("password", Secret("hunter2"))
    told = {
        "host": "127.0.0.1", "port": server.port, "user": "alerts", "timeout": 20,
        "security": ImapSecurity.NONE, "first_retry": 0.01, "last_retry": 0.1, **options,
    }  # fmt: skip
    imap = ImapInput(reception(journal, "mailbox"), ImapOptions(**told))
    imap.start()
    try:
        yield imap, journal
    finally:
        await asyncio.to_thread(imap.stop, 30)


async def test_a_mail_is_kept_and_then_marked():
    async with ImapServer() as server:
        await server.deliver(MAIL)
        async with fetching(server) as (_, journal):
            await until(lambda: server.flags() == [SEEN])
    origin = journal.kept[0].origin

    assert [MAIL] == journal.data
    assert (Way.IMAP, Grade.RETURN_PATH) == (origin.way, origin.grade)
    assert "alerts@127.0.0.1/INBOX" == origin.peer
    assert 0 == journal.difference


@pytest.mark.parametrize("idle", [True, False])
async def test_new_mail_comes_while_it_waits(idle):
    async with ImapServer(idle=idle) as server:
        pause = 60 if idle else 0.05
        async with fetching(server, poll_seconds=pause) as (imap, journal):
            await until(lambda: imap.status.success)
            await until(lambda: server.count("IDLE") or not idle)
            await server.deliver(MAIL)
            await until(lambda: server.flags() == [SEEN])

    assert [MAIL] == journal.data


async def test_it_looks_again_even_if_the_server_tells_nothing():
    async with ImapServer() as server, fetching(server, poll_seconds=0.05) as (_, journal):
        await until(lambda: server.count("IDLE") > 1)
        await server.deliver(MAIL)
        await until(lambda: journal.kept)


@pytest.mark.parametrize("cut", ["UID STORE", "UID FETCH", "UID SEARCH", "SELECT", "LOGIN", "IDLE"])
async def test_a_connection_that_breaks_anywhere_loses_nothing(cut):
    async with ImapServer() as server:
        mails = [MAIL + b"%d\r\n" % number for number in range(25)]
        for mail in mails:
            await server.deliver(mail)
        server.cut = cut
        async with fetching(server) as (_, journal):
            await until(lambda: server.flags() == [SEEN] * 25 and not server.cut)

    assert set(mails) == set(journal.data)
    assert 25 + 10 * (cut == "UID STORE") == len(journal.data)


async def test_a_mail_comes_again_if_we_end_before_it_is_on_the_disk():
    async with ImapServer() as server:
        await server.deliver(MAIL)
        async with fetching(server) as (_, journal):
            journal.hold = True
            await until(lambda: journal.held)
        before = server.flags()
        async with fetching(server) as (_, journal):
            await until(lambda: journal.kept)
            await until(lambda: server.flags() == [SEEN])

    assert [set()] == before


@pytest.mark.parametrize("fault", [JournalFull("full"), JournalBroken("broken")])
async def test_it_waits_for_a_journal_that_takes_nothing(fault):
    async with ImapServer() as server, fetching(server) as (imap, journal):
        journal.fault = fault
        await server.deliver(MAIL)
        await until(lambda: "journal" in imap.status.error)
        before = server.flags()
        journal.fault = None
        await until(lambda: server.flags() == [SEEN])

    assert [set()] == before
    assert [MAIL] == journal.data


async def test_a_disk_that_fails_marks_nothing():
    async with ImapServer() as server:
        await server.deliver(MAIL)
        async with fetching(server) as (imap, journal):
            journal.disk_fault = JournalBroken("EIO")
            await until(lambda: "EIO" in imap.status.error or server.flags() == [SEEN])
            journal.disk_fault = None
            await until(lambda: server.flags() == [SEEN])

    assert set(journal.data) == {MAIL}


async def test_a_mail_that_is_too_large_is_counted_and_does_not_come_again():
    async with ImapServer() as server:
        await server.deliver(b"x" * (256 * 1024 + 1))
        await server.deliver(b"x" * (256 * 1024))
        async with fetching(server) as (_, journal):
            await until(lambda: all(server.flags()))

    assert [{"\\Seen", "\\Flagged"}, SEEN] == server.flags()
    assert {Reason.TOO_LARGE: 1} == journal.refused
    assert [256 * 1024] == [len(data) for data in journal.data]


async def test_our_own_mail_and_a_header_without_end_are_told_apart():
    async with ImapServer() as server:
        await server.deliver(b"Message-ID: <1@watch.example>\r\n\r\nx\r\n")
        await server.deliver(b"A: b\r\n" * 201 + b"\r\nx\r\n")
        async with fetching(server, own_domain="watch.example") as (_, journal):
            await until(lambda: server.flags() == [SEEN, SEEN])

    assert {Reason.OWN_MAIL: 1} == journal.refused
    assert [Reason.MAIL_LIMITS] == [message.fault for message in journal.kept]


async def test_mails_are_moved_if_so_told():
    async with ImapServer() as server:
        await server.deliver(MAIL)
        async with fetching(server, move_to="done"):
            await until(lambda: server.folders["done"])

    assert [] == server.folders["INBOX"]
    assert [SEEN] == server.flags("done")


async def test_a_server_that_keeps_no_flags_sends_a_mail_once():
    async with ImapServer() as server:
        server.keeps_flags = False
        await server.deliver(MAIL)
        async with fetching(server, poll_seconds=0.02) as (_, journal):
            await until(lambda: server.count("UID SEARCH") > 5)

    assert [MAIL] == journal.data


async def test_it_connects_again_and_again():
    async with ImapServer() as server, fetching(server) as (_, journal):
        for number in range(1, 4):
            await until(lambda: server.count("IDLE") >= number)  # noqa: B023 -- used at once
            server.drop()
            await server.deliver(MAIL + b"%d" % number)
        await until(lambda: server.flags() == [SEEN] * 3)

    assert 3 == len(journal.data)
    assert 4 == server.count("LOGIN")


async def test_it_waits_longer_each_time_it_fails():
    async with ImapServer() as server:
        server.password = "other"  # noqa: S105 -- of nobody
        async with fetching(server, first_retry=0.05, last_retry=60) as (imap, _):
            await until(lambda: imap.status.error)
            await asyncio.sleep(1)

    assert 7 > server.count("LOGIN")


async def test_tls_is_verified():
    server_side, trusting = tls_pair("127.0.0.1")
    _, stranger = tls_pair("127.0.0.1")
    async with ImapServer(server_side) as server:
        await server.deliver(MAIL)
        secure = {"security": ImapSecurity.TLS}
        for context in (stranger, None):
            async with fetching(server, tls=context, **secure) as (imap, journal):
                await until(lambda: "CERTIFICATE_VERIFY_FAILED" in imap.status.error)
                assert [] == server.commands
        async with fetching(server, tls=trusting, **secure) as (_, journal):
            await until(lambda: server.flags() == [SEEN])

    assert [MAIL] == journal.data


async def test_a_fresh_token_is_asked_for_at_each_log_in():
    tokens = iter(["old", "new"])
    async with ImapServer() as server:
        server.token = "new"  # noqa: S105 -- of nobody
        await server.deliver(MAIL)
        async with fetching(server, token=lambda: Secret(next(tokens))) as (_, journal):
            await until(lambda: server.flags() == [SEEN])

    assert [MAIL] == journal.data


async def test_a_password_may_hold_any_letter():
    async with ImapServer() as server:
        server.password = "pass wörd"  # noqa: S105 -- of nobody
        await server.deliver(MAIL)
        async with fetching(server, password=Secret("pass wörd")):
            await until(lambda: server.flags() == [SEEN])


def no_token():
    raise RuntimeError("canary-token")


@pytest.mark.parametrize(
    "secret",
    [
        {"password": Secret("canary-word")},
        {"password": Secret("canary-wörd")},
        {"token": lambda: Secret("canary-token")},
        {"token": no_token},
    ],
)
async def test_secrets_are_in_no_log_and_no_status(secret, caplog):
    caplog.set_level(logging.DEBUG)
    async with ImapServer() as server:
        server.quote = "you said LOGIN alerts canary-word"
        async with fetching(server, **secret) as (imap, _):
            await until(lambda: imap.status.error)
            told = imap.status.error + repr(imap._options)  # noqa: SLF001 -- what a traceback shows

    assert "canary" not in told
    assert "canary" not in caplog.text


@pytest.mark.parametrize("both", [{}, {"password": Secret("x"), "token": no_token}])
def test_one_of_password_and_token_is_wanted(both):
    with pytest.raises(ValueError, match="want a password or a token"):
        ImapOptions(host="mail.example", user="alerts", **both)

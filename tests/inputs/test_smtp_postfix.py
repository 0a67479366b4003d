"""A real postfix relays to us, as a site's relay would; skipped where there is none."""

import asyncio
import contextlib
import shutil
import smtplib
import socket
import subprocess
import tempfile
from ipaddress import ip_network
from pathlib import Path

import pytest
from inputs.mailroom import OURS, MemoryJournal, listening, tls_pair, until
from ports import free_port
from real.parts import need, postfix

from watcher.errors import JournalBroken, JournalFull
from watcher.model.message import Grade

MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
mail_owner = postfix
daemon_directory = /usr/lib/postfix/sbin
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
myhostname = relay.example
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
relayhost = [127.0.0.1]:{port}
smtp_tls_security_level = {tls}
disable_dns_lookups = yes
queue_run_delay = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 2s
smtp_destination_concurrency_limit = 5
destination_concurrency_failed_cohort_limit = 0
alias_maps =
"""
MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""
ODD = (
    b"From: root@cucm.example\r\nSubject: odd\r\n\r\n.\r\n..two\r\n.three\r\n\r\n"
    + b"long " * 150 + b"\r\n\xc3\xa4\xff 8 bit\r\n"
)  # fmt: skip


@pytest.fixture
def folder():
    """Return a folder that another user may enter, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as name:
        made = Path(name)
        made.chmod(0o755)
        yield made


@contextlib.asynccontextmanager
async def relaying(folder, target, tls="none"):
    """Run postfix with queue and configuration of its own; yield where it takes mail."""
    program, port = need(postfix(), "postfix"), free_port()
    for name in ("queue", "data", "etc"):
        (folder / name).mkdir()
    shutil.chown(folder / "data", "postfix")
    (folder / "etc/main.cf").write_text(MAIN.format(folder=folder, port=target, tls=tls))
    (folder / "etc/master.cf").write_text(MASTER.format(port=port))
    with (folder / "said").open("wb") as said:
        running = program.start(["-c", folder / "etc", "start-fg"], stdout=said, stderr=said)
    try:
        await until(lambda: answers(port))
        yield "127.0.0.1", port
    finally:
        program.start(["-c", folder / "etc", "stop"], stderr=subprocess.DEVNULL).wait(60)
        running.wait(60)


def answers(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 5) as sock:
        return sock.recv(3) == b"220"
    return False


def hand_over(address, mails):
    with smtplib.SMTP(*address, timeout=60) as client:
        for mail in mails:
            client.sendmail("root@cucm.example", [OURS], mail, ["BODY=8BITMIME"])


def body(message):
    return message.data.partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize("tls", ["none", "encrypt"])
async def test_a_relay_hands_a_mail_over(folder, tls):
    context = tls_pair()[0] if tls == "encrypt" else None
    allowed = (ip_network("127.0.0.1/32"),)
    async with (
        listening(tls=context, require_starttls=bool(context), allowed=allowed) as (smtp, journal),
        relaying(folder, smtp.addresses[0][1], tls) as relay,
    ):
        await asyncio.to_thread(hand_over, relay, [ODD])
        await until(lambda: journal.kept)

    assert [ODD.partition(b"\r\n\r\n")[2]] == [body(message) for message in journal.kept]
    assert Grade.RETURN_PATH == journal.kept[0].origin.grade


@pytest.mark.parametrize("fault", [JournalFull("full"), JournalBroken("broken"), ValueError("x")])
async def test_a_relay_keeps_what_we_cannot_take_and_comes_again(folder, fault):
    journal = MemoryJournal()
    journal.fault = fault
    async with (
        listening(journal=journal) as (smtp, _),
        relaying(folder, smtp.addresses[0][1]) as relay,
    ):
        await asyncio.to_thread(hand_over, relay, [ODD])
        await until(lambda: b"status=deferred" in (folder / "log").read_bytes())
        journal.fault = None
        await until(lambda: journal.kept)

    assert 1 == len(journal.kept)
    assert b"status=bounced" not in (folder / "log").read_bytes()


async def test_a_relay_hands_over_many_mails(folder):
    mails = [b"Subject: %d\r\n\r\n%d\r\n" % (number, number) for number in range(200)]
    async with (
        listening() as (smtp, journal),
        relaying(folder, smtp.addresses[0][1]) as relay,
    ):
        await asyncio.to_thread(hand_over, relay, mails)
        await until(lambda: len(journal.kept) >= len(mails))

    assert {b"%d\r\n" % number for number in range(200)} == {body(m) for m in journal.kept}
    assert 200 == len(journal.kept)

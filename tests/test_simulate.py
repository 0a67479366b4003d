"""`watcher simulate` against small listeners: what it says was sent is what arrived."""

import asyncio
import contextlib
import json
import socket
import ssl
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import trustme
from aiosmtpd.smtp import SMTP
from ports import free_port

from watcher.app.players import (
    Scheme,
    SmtpSender,
    StreamSender,
    Target,
    UdpSender,
    target_of,
    tls_wrap,
)
from watcher.app.simulate import Rehearsal, rehearse
from watcher.errors import InputError
from watcher.traffic.programme import Programme
from watcher.wire.archive import Reader

NOW = datetime(2026, 11, 20, 1, tzinfo=UTC)
MAIL = b"Subject: x\r\n\r\nbody\r\n"


def target(scheme, port):
    return Target(scheme=scheme, host="127.0.0.1", port=port)


@pytest.fixture
def datagrams():
    """Return a socket that takes datagrams, and a function that returns all that came."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(0.2)

        def arrived():
            found = []
            with contextlib.suppress(TimeoutError):
                while True:
                    found.append(sock.recvfrom(65535))
            return found

        yield sock.getsockname()[1], arrived


@pytest.fixture
def stream():
    """Return a function that listens (with TLS or not): its port, and all bytes that came."""
    threads, found = [], {}

    def listen(context=None):
        listening = socket.create_server(("127.0.0.1", 0))
        listening.settimeout(20)
        thread = threading.Thread(target=_accept, args=(listening, context, found))
        thread.start()
        threads.append(thread)
        return listening.getsockname()[1]

    def arrived():
        for thread in threads:
            thread.join()
        return found

    return listen, arrived


def _accept(listening, context, found):
    """Take two connections and keep what each brings, by the address it comes from."""
    with listening, ThreadPoolExecutor(2) as pool:
        for _ in range(2):
            sock, (address, _) = listening.accept()
            pool.submit(_take, sock, context, found.setdefault(address, bytearray()))


def _take(sock, context, found):
    with context.wrap_socket(sock, server_side=True) if context else sock as peer:
        while data := peer.recv(65536):
            found += data
        if context:
            peer.unwrap()


class Mailbox:
    """Keeps mails; refuses as a test tells it to."""

    def __init__(self, *replies):
        self.mails = []
        self.replies = list(replies)

    async def handle_DATA(self, server, session, envelope):  # noqa: N802, ARG002 -- aiosmtpd's
        """Answer the next mail."""
        reply = self.replies.pop(0) if self.replies else "250 kept"
        if reply.startswith("250"):
            self.mails.append(envelope.content)
        return reply


@contextlib.asynccontextmanager
async def mail_server(box):
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(box, hostname="localhost"), "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def send_mails(port, count, sessions=2):
    sender = SmtpSender(target(Scheme.SMTP, port), "watcher@localhost", sessions)
    for number in range(count):
        sender.send(b"X-Number: %d\r\n" % number + MAIL, 0)
    sender.close()
    return sender.sent


def test_datagrams_arrive_as_they_are_from_the_address_of_their_source(datagrams):
    port, arrived = datagrams
    sender = UdpSender(target(Scheme.UDP, port))
    for source in range(3):
        sender.send(b"from %d" % source, source)
    sender.close()

    assert [(data, address) for data, (address, _) in arrived()] == [
        (b"from 0", "127.0.1.1"),
        (b"from 1", "127.0.1.2"),
        (b"from 2", "127.0.1.3"),
    ]


def test_datagrams_that_nobody_takes_are_counted_and_end_nothing():
    sender = UdpSender(target(Scheme.UDP, free_port(socket.SOCK_DGRAM)))
    for _ in range(50):
        sender.send(b"x", 0)
    sender.close()

    assert sender.sent.messages == 50
    assert sender.sent.refused > 0


@pytest.mark.parametrize(
    ("scheme", "expected"),
    [(Scheme.TCP, b"5 first13 second\nline  "), (Scheme.TCP_LF, b"first\nsecond line  \n")],
)
def test_streams_are_framed(stream, scheme, expected):
    listen, arrived = stream
    sender = StreamSender(target(scheme, listen()))
    for source in range(2):
        sender.send(b"first", source)
        sender.send(b"second\nline  ", source)
    sender.close()

    assert arrived() == {"127.0.1.1": expected, "127.0.1.2": expected}


def test_tls_with_a_certificate_of_ours(stream, tmp_path):
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.issue_cert("node.example.test").private_key_and_cert_chain_pem.write_to_path(
        tmp_path / "ours.pem"
    )
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    listen, arrived = stream
    to = target(Scheme.TLS, listen(context))
    sender = StreamSender(to, tls_wrap(to, str(tmp_path / "ca.pem"), str(tmp_path / "ours.pem")))
    for source in range(2):
        sender.send(b"hello", source)
    sender.close()

    assert arrived() == {"127.0.1.1": b"5 hello", "127.0.1.2": b"5 hello"}


def test_a_broken_connection_is_counted_and_opened_anew():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        sender = StreamSender(target(Scheme.TCP, listening.getsockname()[1]))
        sender.send(b"x", 0)
        sender.flush()
        peer, _ = listening.accept()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        peer.close()
        while not sender.sent.broken:
            sender.send(b"x", 0)
            sender.flush()
        sender.send(b"y", 0)
        sender.flush()
        with listening.accept()[0] as peer:
            again = peer.recv(100)
        sender.close()

    assert again == b"1 y"


async def test_every_mail_is_sent_once_and_acknowledged():
    box = Mailbox()
    async with mail_server(box) as port:
        sent = await asyncio.to_thread(send_mails, port, 70)

    assert (sent.messages, sent.acknowledged, sent.refused) == (70, 70, 0)
    assert len({mail.split(b"\r\n")[0] for mail in box.mails}) == 70


async def test_a_mail_that_is_refused_for_a_while_is_tried_again():
    box = Mailbox("451 not now", "452 no room")
    async with mail_server(box) as port:
        sent = await asyncio.to_thread(send_mails, port, 1)

    assert (sent.acknowledged, sent.broken, len(box.mails)) == (1, 2, 1)


async def test_a_mail_that_is_refused_for_good_is_not_tried_again():
    box = Mailbox("554 never")
    async with mail_server(box) as port:
        sent = await asyncio.to_thread(send_mails, port, 1)

    assert (sent.acknowledged, sent.refused, box.mails) == (0, 1, [])


async def test_a_rehearsal_reports_what_arrived(datagrams):
    port, arrived = datagrams
    box = Mailbox()
    async with mail_server(box) as smtp:
        order = Rehearsal(
            programme=Programme(seed=3, start=NOW, noise=0.5, again=0.1),
            targets=(target(Scheme.UDP, port), target(Scheme.SMTP, smtp)),
            nodes=2, rate=0, limit=300,
        )  # fmt: skip
        outcome = await asyncio.to_thread(rehearse, order, lambda _: None)
    udp, mail = outcome.ways

    assert (len(arrived()), len(box.mails)) == (udp.messages, mail.acknowledged)
    assert udp.messages + mail.messages == outcome.messages == 300


async def test_without_a_mail_target_no_mail_is_played(datagrams):
    port, _ = datagrams
    order = Rehearsal(
        programme=Programme(seed=3, start=NOW), targets=(target(Scheme.UDP, port),), nodes=2, rate=0
    )
    outcome = await asyncio.to_thread(rehearse, order, lambda _: None)

    assert "mail" not in outcome.forms


async def test_without_a_syslog_target_only_mail_is_played():
    box = Mailbox()
    async with mail_server(box) as smtp:
        order = Rehearsal(
            programme=Programme(seed=3, start=NOW, noise=0.5),
            targets=(target(Scheme.SMTP, smtp),), nodes=2, rate=0, limit=100,
        )  # fmt: skip
        outcome = await asyncio.to_thread(rehearse, order, lambda _: None)

    assert outcome.forms == {"mail": len(box.mails)}


def test_the_rate_is_kept(datagrams):
    port, _ = datagrams
    order = Rehearsal(
        programme=Programme(seed=3, start=NOW), targets=(target(Scheme.UDP, port),),
        nodes=2, rate=200, limit=100,
    )  # fmt: skip

    assert rehearse(order, lambda _: None).seconds >= 0.45


def test_the_story_is_played_at_its_speed(datagrams):
    port, _ = datagrams
    order = Rehearsal(
        programme=Programme(seed=3, start=NOW), targets=(target(Scheme.UDP, port),),
        nodes=2, speed=3600.0 * 24 * 2,
    )  # fmt: skip
    outcome = rehearse(order, lambda _: None)

    assert 0.4 <= outcome.seconds < 60


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("udp:127.0.0.1:514", "udp:127.0.0.1:514"),
        ("tcp-lf:localhost:601", "tcp-lf:localhost:601"),
        ("smtp:[::1]:25", "smtp:[::1]:25"),
    ],
)
def test_a_target_is_read(text, expected):
    assert str(target_of(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "", "udp", "udp:127.0.0.1", "udp::514", "http:127.0.0.1:80", "udp:127.0.0.1:0",
        "udp:127.0.0.1:65536", "udp:192.0.2.1:514", "udp:example.com:514", "udp:0.0.0.0:514",
        "udp:[2001:db8::1]:514", "udp:127.0.0.1.example.com:514", "UDP:127.0.0.1:514",
    ],
)  # fmt: skip
def test_a_target_that_is_none_or_far_away_is_refused(text):
    with pytest.raises(InputError):
        target_of(text)


def test_a_far_target_is_allowed_when_asked_for():
    assert target_of("udp:192.0.2.1:514", allow_remote=True).host == "192.0.2.1"


@pytest.mark.parametrize("scheme", ["tcp", "tls", "smtp"])
def test_where_nobody_listens_is_told_in_one_line(scheme):
    port = free_port()
    done = simulate("--to", f"{scheme}:127.0.0.1:{port}", "--nodes", "1")

    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert f"{scheme}:127.0.0.1:{port}: connection refused" in done.stderr


def simulate(*arguments):
    return subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, "-m", "watcher", "simulate", *arguments],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ((), "nowhere to send to"),
        (("--to", "udp:192.0.2.1:514"), "is another machine"),
        (("--to", "udp:127.0.0.1:9", "--rate", "fast"), "is no rate"),
        (("--to", "udp:127.0.0.1:9", "--forms", "fax"), "'fax' is not a valid Form"),
        (("--to", "udp:127.0.0.1:9", "--start", "soon"), "is no time"),
        (("--to", "udp:127.0.0.1:9", "--forms", "mail"), "no form fits the targets"),
        (("--to", "udp:127.0.0.1:9", "--noise", "1"), "a share of noise of 1.0"),
        (("--to", "udp:127.0.0.1:9", "--nodes", "0"), "0 nodes cannot be played"),
        (("--to", "udp:127.0.0.1:9", "-i", "absent.yaml"), "absent.yaml: no such file"),
        (("--write", "/absent/x.log"), "/absent/x.log: no such file"),
    ],
)  # fmt: skip
def test_a_bad_order_is_told_in_one_line(arguments, problem):
    done = simulate(*arguments)

    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert problem in done.stderr


def test_a_written_archive_is_what_the_report_says(tmp_path):
    name = str(tmp_path / "played.log")
    done = simulate("--write", name, "--nodes", "2", "--noise", "0.5", "--json")
    report = json.loads(done.stdout)
    with open(name, "rb") as stream:  # noqa: PTH123 -- as it was written
        lines = stream.read().split(b"\n")[:-1]

    assert len(lines) == report["messages"]
    assert len([line for line in lines if b"%UC_CERT-" in line]) == report["certificate_alarms"]


def test_written_mails_are_read_as_a_mailbox(tmp_path):
    path = tmp_path / "played.mbox"
    report = json.loads(simulate("--write", str(path), "--nodes", "2", "--json").stdout)
    reader = Reader()
    found = [*reader.receive_data(path.read_bytes()), *reader.close()]

    assert report["forms"] == {"mail": report["messages"]}
    assert len(found) == report["certificate_alarms"]


def test_who_plays_can_be_written_down_and_played_again(tmp_path):
    name, first, second = (str(tmp_path / n) for n in ("site.yaml", "first.log", "second.log"))
    common = ("--start", "2026-11-20", "--seed", "5")
    simulate("--nodes", "3", "--write-inventory", name, "--write", first, *common)
    simulate("--inventory", name, "--write", second, *common)

    assert (tmp_path / "first.log").read_bytes() == (tmp_path / "second.log").read_bytes() != b""

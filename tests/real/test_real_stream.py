"""Real senders over TCP and TLS: each message comes exactly once, as the sender wrote it."""

import re
import ssl
from asyncio import to_thread
from contextlib import asynccontextmanager

import pytest
import trustme
from inputs.udp_desk import MemoryJournal, StandingClock, until
from real import parts
from real.relay import forwarding, numbers, write_lines

from watcher.inputs.reception import Reception
from watcher.inputs.stream import StreamInput
from watcher.inputs.tls import Client, Tls
from watcher.model.message import Grade, Way
from watcher.wire.prefilter import Prefilter

COUNT = 2000
LINES = Prefilter((b"UC_CERT",))
LOGGEN = Prefilter((b"seq: ",))
FRAMINGS = ["octet-counted", "traditional"]


@pytest.fixture
def lines(tmp_path):
    return write_lines(tmp_path / "lines.log", COUNT)


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@asynccontextmanager
async def listening(marks=LINES, tls=None):
    """Yield an open input and its journal."""
    journal = MemoryJournal()
    input_ = StreamInput(Reception("stream", journal, StandingClock()), marks, tls=tls)
    await input_.start(address=("127.0.0.1", 0))
    try:
        yield input_, journal
    finally:
        await input_.stop()


def check(journal):
    """Each number came once, nothing else came, and no frame kept its end."""
    data = [message.data for message in journal.kept]

    assert list(range(COUNT)) == sorted(numbers(data))
    assert not [text for text in data if text.endswith(b"\n")]
    assert (COUNT, 0, 0) == (journal.received, journal.noise, journal.books.difference)


async def until_all(journal):
    await to_thread(until, lambda: journal.received >= COUNT)


def server(authority, folder, **options):
    """Return what our listener shows, and write what a sender needs."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("watcher.example", "127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_OPTIONAL
    sender = authority.issue_cert("relay.example")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    sender.private_key_pem.write_to_path(folder / "key.pem")
    sender.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    return Tls(context, **options)


@pytest.mark.parametrize("form", ["--rfc3164", "--rfc5424"])
@pytest.mark.parametrize("framing", [[], ["--octet-count"]], ids=["lines", "counted"])
async def test_logger(lines, form, framing):
    logger = parts.need(parts.logger(), "logger of util-linux")
    async with listening() as (input_, journal):
        host, port = input_.addresses[0]
        where = ["--server", host, "--port", port, "--tcp"]
        await to_thread(logger.run, [*where, form, *framing, "--file", lines])
        await until_all(journal)

    check(journal)


@pytest.mark.usefixtures("lines")
@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("template", ["RSYSLOG_SyslogProtocol23Format", "with-lf"])
async def test_rsyslog(tmp_path, framing, template):
    rsyslog = parts.need(parts.rsyslog(), "rsyslogd")
    how = f'protocol="tcp" TCP_Framing="{framing}" template="{template}"'
    async with listening() as (input_, journal):
        with forwarding(rsyslog, tmp_path, input_.addresses[0][1], how):
            await until_all(journal)

    if (framing, template) == ("traditional", "with-lf"):
        # Its template ends each line and its framing ends it again: the empty ones are noise.
        assert list(range(COUNT)) == sorted(numbers(m.data for m in journal.kept))
        assert 0 == journal.books.difference
    else:
        check(journal)
    assert {(Way.TCP, Grade.RETURN_PATH)} == {(m.origin.way, m.origin.grade) for m in journal.kept}


@pytest.mark.usefixtures("lines")
@pytest.mark.parametrize("driver", ["ossl", "gtls"])
async def test_rsyslog_over_tls_with_a_certificate(tmp_path, authority, driver):
    rsyslog = parts.need(parts.rsyslog(), "rsyslogd")
    if driver not in parts.rsyslog_drivers(rsyslog):
        parts.need(None, f"rsyslog's driver {driver}")
    tls = server(authority, tmp_path, clients=(Client(node="cucm1", san="relay.example"),))
    settings = (
        f'defaultNetstreamDriverCAFile="{tmp_path}/ca.pem"'
        f' defaultNetstreamDriverCertFile="{tmp_path}/cert.pem"'
        f' defaultNetstreamDriverKeyFile="{tmp_path}/key.pem"'
    )
    how = (
        f'protocol="tcp" TCP_Framing="octet-counted" StreamDriver="{driver}" StreamDriverMode="1"'
        ' StreamDriverAuthMode="x509/name" StreamDriverPermittedPeers="watcher.example"'
    )
    async with listening(tls=tls) as (input_, journal):
        with forwarding(rsyslog, tmp_path, input_.addresses[0][1], how, settings):
            await until_all(journal)

    check(journal)
    assert {(Way.TLS, Grade.ATTRIBUTED, ("cucm1",))} == {
        (m.origin.way, m.origin.grade, m.origin.bound) for m in journal.kept
    }


async def run_loggen(input_, *arguments):
    loggen = parts.need(parts.loggen(), "loggen of syslog-ng")
    await to_thread(
        loggen.run, ["--number", COUNT, *arguments, *input_.addresses[0]]
    )  # fmt: skip


async def test_loggen_with_lines_of_ours(lines):
    async with listening() as (input_, journal):
        await run_loggen(input_, "--inet", "--stream", "--read-file", lines, "--dont-parse")
        await until_all(journal)

    check(journal)


async def test_loggen_over_tls(lines, tmp_path, authority):
    tls = server(authority, tmp_path, anonymous=True)
    async with listening(tls=tls) as (input_, journal):
        await run_loggen(input_, "--use-ssl", "--read-file", lines, "--dont-parse")
        await until_all(journal)

    check(journal)


@pytest.mark.parametrize("secret", [False, True], ids=["tcp", "tls"])
async def test_loggen_with_its_own_counted_frames(tmp_path, authority, secret):
    tls = server(authority, tmp_path, anonymous=True) if secret else None
    async with listening(LOGGEN, tls) as (input_, journal):
        how = ["--use-ssl"] if secret else ["--inet", "--stream"]
        await run_loggen(input_, *how, "--syslog-proto", "--size", "300")
        await until_all(journal)

    seen = [re.search(rb"seq: ([0-9]{10}), .*PAD", m.data) for m in journal.kept]
    assert list(range(COUNT)) == sorted(int(match[1]) for match in seen)
    assert 0 == journal.books.difference

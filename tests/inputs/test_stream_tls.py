"""Syslog over real TLS: whose certificate speaks for which node, and who gets nowhere."""

import asyncio
import os
import re
import socket
import ssl

import pytest
from inputs.certificates import (
    BOUND_TO_NOBODY,
    GOOD,
    NODE,
    OTHER,
    OURS,
    addresses,
    client_context,
    dns,
    issue,
    not_believed,
    server_context,
)
from inputs.stream_desk import ALARM, NOISE, MemoryJournal, connect, ended, listening, send, until

from watcher.errors import JournalFull
from watcher.inputs.tls import Client, Tls
from watcher.model.ledger import Reason
from watcher.model.message import Grade, Origin, Way

CLIENTS = (
    Client(node="CM1", san=NODE),
    Client(node="CM3", san="10.0.0.3"),
    Client(node="CM1-second", san="cm1-alias.test"),
)
LINES = b"%s\n%s\n" % (NOISE, ALARM)
UNBELIEVED = not_believed()


def required():
    return Tls(server_context(), CLIENTS)


def origin(*nodes, grade=Grade.ATTRIBUTED):
    return Origin(way=Way.TLS, input="syslog", peer="127.0.0.1", grade=grade, bound=nodes)


# -- who speaks for whom


@pytest.mark.parametrize(
    ("pair", "nodes"),
    [
        (GOOD, ("CM1", "CM1-second")),
        (issue(*dns("CM1.Test")), ("CM1",)),
        (issue(*dns("x.test", "cm1-alias.test")), ("CM1-second",)),
    ],
)
async def test_a_name_binds_a_connection_to_its_node(tmp_path, pair, nodes):
    async with listening(tls=required()) as (stream, journal):
        await send(stream, LINES, context=client_context(tmp_path, pair))
        await until(lambda: journal.received == 2)

    assert journal.data == [ALARM]
    assert journal.kept[0].origin == origin(*nodes)


@pytest.mark.parametrize("write", [str, str.lower, lambda text: text.replace(":", "")])
async def test_a_fingerprint_binds_one_certificate(tmp_path, write):
    pair, twin = issue(), issue()
    tls = Tls(server_context(), (Client(node="CM7", fingerprint=write(pair.fingerprint)),))
    async with listening(tls=tls) as (stream, journal):
        await send(stream, LINES, context=client_context(tmp_path, pair))
        await until(lambda: journal.received == 2)
        await _refused(stream, client_context(tmp_path, twin))
        await until(lambda: journal.refused)

    assert journal.kept[0].origin == origin("CM7")
    assert journal.refused == {Reason.CLIENT_CERTIFICATE: 1}


async def test_an_address_in_a_certificate_binds_too(tmp_path):
    pair = issue(*addresses("10.0.0.4", "10.0.0.3"))
    async with listening(tls=required()) as (stream, journal):
        await send(stream, LINES, context=client_context(tmp_path, pair))
        await until(lambda: journal.kept)

    assert journal.kept[0].origin == origin("CM3")


@pytest.mark.parametrize("name", BOUND_TO_NOBODY)
async def test_a_signature_of_our_ca_alone_opens_no_door(tmp_path, name, caplog):
    pair = issue(*BOUND_TO_NOBODY[name], cn=NODE)
    async with listening(tls=required()) as (stream, journal):
        await _refused(stream, client_context(tmp_path, pair))
        await until(lambda: journal.refused)

    assert (journal.refused, journal.kept) == ({Reason.CLIENT_CERTIFICATE: 1}, [])
    assert len(caplog.records) == 1
    assert re.search("bound to no node, SHA-256 [0-9a-f]{64}", caplog.text)


@pytest.mark.parametrize("name", UNBELIEVED)
async def test_a_certificate_that_is_not_believed_opens_no_door(tmp_path, name, caplog):
    async with listening(tls=required()) as (stream, journal):
        await _refused(stream, client_context(tmp_path, UNBELIEVED[name]))
        await until(lambda: journal.refused)

    assert (journal.refused, journal.kept) == ({Reason.CLIENT_CERTIFICATE: 1}, [])
    assert len(caplog.records) == 1
    assert journal.heard == {}


async def test_without_a_certificate_nobody_comes_in(tmp_path):
    async with listening(tls=required()) as (stream, journal):
        await _refused(stream, client_context(tmp_path))
        await until(lambda: journal.refused)

    assert (journal.refused, journal.kept) == ({Reason.CLIENT_CERTIFICATE: 1}, [])


async def _refused(stream, context):
    """Connect and send; the refusal may come before or after the client believes to be in."""
    try:
        reader, writer = await connect(stream, context=context)
    except (ssl.SSLError, OSError):
        return
    writer.write(LINES)
    await ended(reader)


@pytest.mark.parametrize("clients", [ssl.CERT_NONE, ssl.CERT_OPTIONAL])
async def test_if_told_so_anybody_may_send_and_is_bound_to_nothing(tmp_path, clients):
    tls = Tls(server_context(clients=clients), CLIENTS, anonymous=True)
    async with listening(tls=tls) as (stream, journal):
        await send(stream, LINES, context=client_context(tmp_path))
        await until(lambda: journal.received == 2)

    assert journal.kept[0].origin == origin(grade=Grade.RETURN_PATH)


@pytest.mark.parametrize(
    ("pair", "expected"),
    [
        (GOOD, origin("CM1", "CM1-second")),
        (issue(*dns("cm9.test")), origin(grade=Grade.RETURN_PATH)),
    ],
)
async def test_if_certificates_are_optional_a_bound_one_still_counts(tmp_path, pair, expected):
    tls = Tls(server_context(clients=ssl.CERT_OPTIONAL), CLIENTS, anonymous=True)
    async with listening(tls=tls) as (stream, journal):
        await send(stream, LINES, context=client_context(tmp_path, pair))
        await until(lambda: journal.kept)

    assert journal.kept[0].origin == expected


# -- handshakes


async def test_plain_text_to_a_tls_port_is_refused():
    async with listening(tls=required()) as (stream, journal):
        reader, writer = await connect(stream)
        writer.write(LINES)
        await ended(reader)
        await until(lambda: journal.refused)

    assert (journal.refused, journal.heard) == ({Reason.HANDSHAKE: 1}, {})


async def test_tls_to_a_plain_port_is_noise(tmp_path):
    async with listening() as (stream, journal):
        with pytest.raises((ssl.SSLError, OSError)):
            await asyncio.wait_for(connect(stream, context=client_context(tmp_path)), 0.5)
        await until(lambda: stream.connections == 0)

    assert journal.kept == []


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
async def test_old_versions_are_refused(tmp_path, version):
    old = server_context()
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = ssl.TLSVersion.TLSv1
    context = client_context(tmp_path, GOOD)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    async with listening(tls=Tls(old, CLIENTS)) as (stream, journal):
        await _refused(stream, context)
        await until(lambda: journal.refused)

    assert journal.refused == {Reason.HANDSHAKE: 1}


async def test_tls_1_2_is_welcome(tmp_path):
    context = client_context(tmp_path, GOOD)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    async with listening(tls=required()) as (stream, journal):
        await send(stream, LINES, context=context)
        await until(lambda: journal.kept)

    assert journal.kept[0].origin.grade == Grade.ATTRIBUTED


async def test_a_handshake_that_takes_too_long_is_ended():
    async with listening(tls=required(), handshake_seconds=0.1) as (stream, journal):
        reader, writer = await connect(stream)
        writer.write(b"\x16\x03\x01")
        await asyncio.wait_for(ended(reader), 20)

    assert journal.refused == {Reason.TOO_SLOW: 1}


async def test_who_leaves_during_the_handshake_is_counted():
    async with listening(tls=required()) as (stream, journal):
        await send(stream, b"\x16\x03\x01")
        await until(lambda: journal.refused)

    assert journal.refused == {Reason.HANDSHAKE: 1}


async def test_a_client_that_does_not_believe_us_is_counted(tmp_path):
    async with listening(tls=required()) as (stream, journal):
        with pytest.raises(ssl.SSLCertVerificationError):
            await connect(stream, context=client_context(tmp_path, GOOD, OTHER))
        await until(lambda: journal.refused)

    assert journal.refused == {Reason.HANDSHAKE: 1}


# -- sessions


async def test_much_arrives_whole_whatever_the_records(tmp_path):
    async with listening(tls=required()) as (stream, journal):
        _, writer = await connect(stream, context=client_context(tmp_path, GOOD))
        data = b"".join(b"<%d>%s\n" % (n, ALARM * (n % 300)) for n in range(1000))
        for at in range(0, len(data), 33_333):
            writer.write(data[at : at + 33_333])
        await until(lambda: journal.received == 1000)

    assert journal.data == [
        (b"<%d>%s" % (n, ALARM * (n % 300)))[:16_384] for n in range(1000) if n % 300
    ]


async def test_a_session_that_ends_properly_ends_its_last_line(tmp_path):
    async with listening(tls=required()) as (stream, journal):
        await send(stream, ALARM, context=client_context(tmp_path, GOOD))
        await until(lambda: journal.kept)

    assert [(message.data, message.cut) for message in journal.kept] == [(ALARM, False)]


async def test_a_session_that_somebody_cut_may_have_lost_the_end_of_a_line(tmp_path):
    async with listening(tls=required()) as (stream, journal):
        _, writer = await connect(stream, context=client_context(tmp_path, GOOD))
        writer.write(b"5 hello200 " + ALARM)
        await until(lambda: journal.received == 1)
        writer.get_extra_info("socket").shutdown(socket.SHUT_WR)
        await until(lambda: journal.kept)

    assert [(message.data, message.cut, message.fault) for message in journal.kept] == [
        (ALARM, True, None)
    ]


async def test_bytes_that_are_no_record_end_a_session(tmp_path):
    async with listening(tls=required()) as (stream, journal):
        reader, writer = await connect(stream, context=client_context(tmp_path, GOOD))
        writer.write(b"%s\n%s" % (ALARM, ALARM[:50]))
        await until(lambda: journal.kept)
        os.write(writer.get_extra_info("socket").fileno(), b"garbage" * 100)
        await ended(reader)

    assert [(message.data, message.cut) for message in journal.kept] == [
        (ALARM, False), (ALARM[:50], True),
    ]  # fmt: skip
    assert journal.refused == {Reason.PROTOCOL: 1}


async def test_new_sessions_use_a_new_certificate_and_old_ones_live(tmp_path):
    context, newer = client_context(tmp_path, GOOD), OURS.issue_cert("watcher.test")
    async with listening(tls=required()) as (stream, journal):
        _, old = await connect(stream, context=context)
        stream.use(Tls(server_context(server=newer), (Client(node="CM2", san=NODE),)))
        _, new = await connect(stream, context=context)
        for writer in (old, new):
            writer.write(LINES)
            await until(lambda: journal.received % 2 == 0)
        await until(lambda: len(journal.kept) == 2)

        assert _shown(old) != _shown(new)

    assert {message.origin.bound for message in journal.kept} == {("CM1", "CM1-second"), ("CM2",)}


def _shown(writer):
    return writer.get_extra_info("ssl_object").getpeercert(binary_form=True)


async def test_senders_over_tls_wait_too(tmp_path):
    journal = MemoryJournal()
    async with listening(tls=required(), journal=journal) as (stream, _):
        _, writer = await connect(stream, context=client_context(tmp_path, GOOD))
        journal.fault = JournalFull("full")
        writer.write(b"".join(b"<%d>%s\n" % (n, ALARM) for n in range(10_000)))
        await until(lambda: journal.asked > 5)

        assert stream.buffers.readings < 10

        journal.fault = None
        await until(lambda: journal.received == 10_000)

    assert journal.data == [b"<%d>%s" % (n, ALARM) for n in range(10_000)]


async def test_so_many_sessions_and_no_more(tmp_path):
    context = client_context(tmp_path, GOOD)
    async with listening(tls=required(), connections=2) as (stream, journal):
        for _ in range(2):
            await connect(stream, context=context)
        with pytest.raises((ssl.SSLError, OSError)):
            await connect(stream, context=context)
        await until(lambda: journal.refused)

    assert journal.refused == {Reason.TOO_MANY_CONNECTIONS: 1}


async def test_random_bytes_never_finish_a_handshake():
    async with listening(tls=required()) as (stream, journal):
        for size in (1, 5, 100, 20_000):
            reader, writer = await connect(stream)
            writer.write(b"\x16\x03\x01\x40\x00" + bytes(range(256)) * size)
            writer.write_eof()
            await ended(reader)
        await until(lambda: journal.refused == {Reason.HANDSHAKE: 4})

"""TLS without sockets: bytes in, bytes out, and what a certificate binds."""

import ssl
from contextlib import suppress

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st
from inputs.certificates import GOOD, NODE, dns, issue, server_context

from watcher.inputs.tls import Client, Session, Tls, detail_of, reason_of
from watcher.model.ledger import Reason

DER = GOOD.certificate.public_bytes(Encoding.DER)
CONTEXT = server_context(clients=ssl.CERT_NONE)


def test_old_versions_are_forbidden_whatever_the_context_said():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED

    assert Tls(context).context.minimum_version == ssl.TLSVersion.TLSv1_2


def test_a_context_for_newer_versions_only_stays_so():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3

    assert Tls(context).context.minimum_version == ssl.TLSVersion.TLSv1_3


@pytest.mark.parametrize(
    ("client", "nodes"),
    [
        (Client(node="A", san=NODE), ("A",)),
        (Client(node="A", san=NODE.upper()), ("A",)),
        (Client(node="A", fingerprint=GOOD.fingerprint), ("A",)),
        (Client(node="A", fingerprint=GOOD.fingerprint[:-1]), ()),
        (Client(node="A", san="*"), ()),
        (Client(node="A"), ()),
    ],
)
def test_a_client_is_found_by_a_whole_name_or_fingerprint(client, nodes):
    assert Tls(CONTEXT, (client,)).nodes(DER) == nodes


def test_a_wildcard_matches_not_even_itself():
    wild = issue(*dns("*.test")).certificate.public_bytes(Encoding.DER)

    assert Tls(CONTEXT, (Client(node="A", san="*.test"),)).nodes(wild) == ()


@given(st.lists(st.tuples(st.integers(0, len(DER) - 1), st.integers(0, 255)), min_size=1))
def test_a_damaged_certificate_binds_nobody_that_it_does_not_name(changes):
    damaged = bytearray(DER)
    for place, value in changes:
        damaged[place] = value
    nodes = Tls(CONTEXT, (Client(node="A", san="cm2.test"),)).nodes(bytes(damaged))

    assert nodes == (("A",) if b"cm2.test" in damaged else ())


@given(st.binary(max_size=300))
def test_bytes_that_are_no_certificate_bind_nobody(data):
    assert Tls(CONTEXT, (Client(node="A", san=NODE),)).nodes(data) == ()


def client():
    """Return a client's end that believes anybody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    return context.wrap_bio(incoming, outgoing), incoming, outgoing


def talk(session, ours, incoming, outgoing, *, step=1 << 20):
    """Let both ends finish the handshake; the client's bytes come in pieces of `step`."""
    for _ in range(10):
        with suppress(ssl.SSLWantReadError):
            ours.do_handshake()
        data = outgoing.read()
        for at in range(0, len(data), step):
            session.receive(memoryview(data)[at : at + step])
            incoming.write(session.outgoing())


@pytest.mark.parametrize("step", [1, 7, 1 << 20])
def test_what_is_written_at_one_end_is_read_at_the_other(step):
    session, (ours, incoming, outgoing) = Session(CONTEXT), client()
    talk(session, ours, incoming, outgoing, step=step)
    ours.write(b"x" * 40_000)
    session.receive(memoryview(outgoing.read()))
    view = memoryview(bytearray(30_000))

    assert session.established
    assert [session.read_into(view) for _ in range(3)] == [30_000, 10_000, 0]
    assert not session.closed


def test_the_end_that_a_peer_declares_is_seen():
    session, (ours, incoming, outgoing) = Session(CONTEXT), client()
    talk(session, ours, incoming, outgoing)
    ours.write(b"last")
    with pytest.raises(ssl.SSLWantReadError):
        ours.unwrap()
    session.receive(memoryview(outgoing.read()))

    assert session.read_into(memoryview(bytearray(100))) == 4
    assert session.closed


def test_our_end_is_declared():
    session, (ours, incoming, outgoing) = Session(CONTEXT), client()
    talk(session, ours, incoming, outgoing)
    session.close()
    incoming.write(session.outgoing())

    assert ours.read() == b""


def test_no_tls_is_a_failed_handshake():
    with pytest.raises(ssl.SSLError) as failed:
        Session(CONTEXT).receive(memoryview(b"<189>5: h: hello\n"))

    assert reason_of(failed.value) == Reason.HANDSHAKE
    assert detail_of(failed.value).isprintable()

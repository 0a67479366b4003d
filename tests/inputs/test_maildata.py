"""Where a mail ends, and what is in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.inputs.maildata import MailDecoder, header_of, is_own

PIECES = st.lists(
    st.sampled_from([b"\r\n", b".", b"\r", b"\n", b"..", b"a", b"\r\n..", b"\x00", b"\xff"])
)


def decoded(pieces, limit=1000):
    decoder = MailDecoder(limit)
    rest = b""
    for piece in pieces:
        rest += piece if decoder.done else decoder.receive_data(piece)
    return decoder, rest


def stuffed(mail):
    """Return what RFC 5321 section 4.5.2 makes of a mail whose lines all end."""
    return (b"\r\n" + mail).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\n"


@given(PIECES, st.binary(max_size=6))
def test_a_mail_that_was_sent_by_the_rules_comes_out_as_it_was(pieces, behind):
    mail = b"".join(pieces) + b"\r\n"
    decoder, rest = decoded([stuffed(mail) + behind])

    assert decoder.done
    assert mail == decoder.data
    assert behind == rest


@given(PIECES, st.lists(st.integers(min_value=1, max_value=9)), st.integers(0, 40))
def test_where_the_bytes_are_cut_plays_no_part(pieces, sizes, limit):
    raw = stuffed(b"".join(pieces) + b"\r\n") + b"NOOP\r\n"
    cut, at = [], 0
    for size in sizes:
        cut.append(raw[at : at + size])
        at += size
    one, rest = decoded([raw], limit)
    other, other_rest = decoded([*cut, raw[at:]], limit)

    assert (one.data, one.too_large, one.bare, rest) == (
        other.data, other.too_large, other.bare, other_rest,
    )  # fmt: skip


@given(st.binary(max_size=50), st.integers(0, 40))
def test_a_mail_is_too_large_exactly_beyond_the_limit(mail, limit):
    raw = mail.replace(b".", b"") + b"\r\n"
    decoder, _ = decoded([bytes([byte]) for byte in raw + b".\r\n"], limit)

    assert (len(raw) > limit) == decoder.too_large
    assert (b"" if len(raw) > limit else raw) == decoder.data


def test_a_mail_without_end_is_not_held():
    decoder = MailDecoder(1000)
    for _ in range(1000):
        decoder.receive_data(b"x" * 1000)

    assert 10 > len(decoder._held)  # noqa: SLF001 -- what it holds is the point
    assert 1_000_000 == decoder.received


@pytest.mark.parametrize(
    "end", [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r.\r\n", b"\r\n\x00.\r\n"]
)
def test_nothing_else_ends_a_mail(end):
    decoder, rest = decoded([b"one" + end + b"MAIL FROM:<x>\r\n.\r\n"])

    assert b"" == rest
    assert decoder.data.startswith(b"one")
    assert decoder.data.endswith(b"MAIL FROM:<x>\r\n")
    assert decoder.bare or b"\x00" in end


def test_an_honest_mail_is_not_marked():
    decoder, _ = decoded([b"a\r\n\r\nb\r\n.\r\n"])

    assert not decoder.bare


@pytest.mark.parametrize(
    ("mail", "header"),
    [
        (b"A: b\r\nC: d\r\n\r\nE: f\r\n", b"A: b\r\nC: d"),
        (b"A: b\n\nE: f\n", b"A: b"),
        (b"\r\nA: b\r\n", b""),
        (b"A: b\r\n", b"A: b\r\n"),
        (b"", b""),
    ],
)
def test_the_header_ends_at_the_first_blank_line(mail, header):
    assert header == header_of(mail)


def test_no_mail_is_ours_without_a_domain():
    assert not is_own(b"Message-ID: <1@>\r\nX-Watcher: \r\n", "")

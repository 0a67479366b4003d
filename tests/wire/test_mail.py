"""Mails: the hostile ones are in the majority here."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.wire.mail import read_mail, text_of_page

NESTED = b"".join(
    b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(2000)
)


@pytest.mark.parametrize(
    ("raw", "broken"),
    [
        (NESTED, "nested"),
        (b"Content-Type: message/rfc822\n\n" * 1000, "nested"),
        (b"A: b\n\n" + b"x" * 300_000, "256 KiB"),
        (b"A: " + b"x" * 70_000 + b"\n\ny", "header"),
        (b"Content-Type: multipart/x; boundary=b\n\n" + b"--b\n\nx\n" * 80, "50 parts"),
    ],
)  # fmt: skip
def test_limits_hold_and_are_told(raw, broken):
    mail = read_mail(raw)

    assert mail.broken is not None
    assert broken in mail.broken


@pytest.mark.parametrize(
    "raw",
    [
        b"From: " + b"(" * 1000 + b"\n\nx",
        b"Message-ID: <[]>\n\nx",
        b"Content-Type: text/plain" + b"; a*0=b" * 9000 + b"\n\nx",
        b"Content-Type: text/plain; charset=idna\n\nx",
    ],
)
def test_headers_that_end_other_parsers_do_no_harm(raw):
    assert read_mail(raw).plain == ("x",)


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<p>a&nbsp;:&#32;b<br>c</p>", "\na : b\nc\n"),
        ("<style>x</style><script>y</script>z<!-- q -->", "z"),
        ("a < b &#" + "9" * 5000 + ";", None),
        ("<script>never closed", ""),
    ],
)
def test_a_page_is_read_as_it_is_seen(page, text):
    assert text is None or text_of_page(page) == text


@given(st.binary(max_size=400))
def test_any_bytes_are_a_mail(raw):
    mail = read_mail(b"Content-Type: multipart/x; boundary=a\n\n--a\n" + raw)

    assert len(mail.plain) + len(mail.html) <= 50

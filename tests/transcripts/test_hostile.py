"""Any bytes are read without an exception, in time that grows with their length."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watcher.errors import InputError
from watcher.inventory.loader import load
from watcher.transcripts.gather import Options, gather
from watcher.transcripts.importer import Request, import_pastes
from watcher.transcripts.reading import read_paste
from watcher.transcripts.split import split

FRAGMENTS = st.sampled_from(
    [
        "admin:show ctl\n",
        "admin:show itl\n",
        "admin:show cert own tomcat/tomcat.pem\n",
        "admin:show cert own tomcat\n",
        "admin:show cert trust a.pem\n",
        "show cert list own\n",
        "show cert list trust\n",
        "show network cluster\n",
        "utils service list\n",
        "show version active\n",
        "CTL Record #:1\n",
        "3 SUBJECTNAME 5 CN=a\n",
        "This etoken was used to sign the CTL file.\n",
        "Length of CTL file: 12\n",
        "192.0.2.1 a.b a Publisher callmanager DBPub authenticated\n",
        "Cisco Tftp[STARTED]\n",
        "Primary Node =true\n",
        "tomcat/tomcat.pem: Certificate Signed by x\n",
        "tomcat-trust/a.pem: x\n",
        "To: Mon May 19 14:46:34 UTC 2014\n",
        "Serial Number: 12E7\n",
        "Serial Number: 0123456789012345678901234567\n",
        "Subject Name: CN=a-ms.b\n",
        "Issuer Name: CN=2026-11-20\n",
        "paramname paramvalue\n",
        "ClusterSecurityMode 1\n",
        "Active Master Version: 12.5.1.1-1\n",
        "Active Master Version: 15\n",
        "-----BEGIN CERTIFICATE-----\n",
        "AAAA\n",
        "-----END CERTIFICATE-----\n",
        "\r",
        "\x1b[1m",
    ]
)
PASTES = st.lists(FRAGMENTS | st.text(max_size=20), max_size=25).map("".join)


@given(st.binary(max_size=400))
def test_any_bytes_are_read(raw):
    paste = read_paste("x", raw.decode("utf-8", errors="replace"))

    assert paste.name == "x"


@given(PASTES)
def test_every_line_is_in_one_block(paste):
    numbers = [line.number for block in split(paste) for line in block.lines]

    assert len(numbers) == len(set(numbers))


@settings(max_examples=300)
@given(PASTES)
def test_what_is_imported_is_an_inventory(paste):
    try:
        result = import_pastes([("x", paste)], Request(node="n1"))
    except InputError as error:
        assert "no output of a known command" in str(error)  # noqa: PT017 -- the only refusal
        return

    assert load("y", result.text).clusters[0].name == "cluster"


LONG = 200_000


@pytest.mark.parametrize(
    "paste",
    [
        "\x1b[" + "0" * LONG,
        "\x1b[" * (LONG // 2),
        "\x1b]" + "x" * LONG,
        "\r" * LONG,
        " " * LONG + "x",
        "admin:" * (LONG // 6),
        "admin:show ctl\n" * (LONG // 15),
        "admin:show ctl\n3 SUBJECTNAME 5 CN=a\n" + "CN=a\n" * (LONG // 5),
        "-----BEGIN CERTIFICATE-----\n" * (LONG // 28),
        "-----BEGIN CERTIFICATE-----\n" + "A" * LONG,
        "admin:show cert own x\n" + "-----BEGIN CERTIFICATE-----\n" * (LONG // 28),
        "admin:show cert own x\nSerial Number: " + "9" * LONG,
        "utils service list\n" + "[" * LONG,
        "utils service list\n" + "a[STARTED]\n" * (LONG // 11),
        "show network cluster\n" + "authenticated\n" * (LONG // 14),
        "show cert list own\n" + "a/" * (LONG // 2),
        "show cert list own\n" + "a/b.pem: x\n" * (LONG // 11),
        "Publisher " * (LONG // 10),
        "To: " + " " * LONG + "\n",
        "```" * (LONG // 3),
    ],
    ids=range(20),
)
def test_time_grows_with_length_only(paste):
    begin = time.perf_counter()
    read_paste("x", paste)

    assert time.perf_counter() - begin < 5


@pytest.mark.parametrize(
    "line",
    [
        "tomcat-trust/{}.pem: x\n",
        "192.0.2.1 a Subscriber {} DBSub\n",
        "192.0.2.{} a Subscriber callmanager DBSub authenticated\n",
        "admin:show cert trust {}.pem\nTo: x\n",
        "admin:show cert own a/{}.pem\nTo: x\n",
    ],
    ids=range(5),
)
def test_the_time_of_an_import_grows_with_length_only(line):
    paste = "show cert list trust\na-trust/b.pem: x\n" + "show network cluster\n"
    paste += "".join(line.format(number) for number in range(5000))
    begin = time.perf_counter()
    gather((read_paste("x", paste),), Options(cluster="c", node="n1"))

    assert time.perf_counter() - begin < 5

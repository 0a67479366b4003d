"""The reader of any stream: any bytes, any block size, bounded memory."""

import base64
import gzip
import tracemalloc

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from watcher.errors import InputError
from watcher.model.alarm import Envelope, Truncation, Unreadable
from watcher.wire.archive import PACKED, Reader
from watcher.wire.mailbox import ATTACHED

RECORD = (
    "{seq}: n1.lab: Mar 05 2024 05:00:00.433 UTC : %UC_CERT-0-CertExpired: %[Message=Certificate "
    "expiration Notification. Certificate name:a.der Unit:tomcat Type:own-cert Expiration:Mon]"
    "[AppID=x][ClusterID=][NodeID=n1]: text"
)
PIECES = st.sampled_from(
    [
        b"%UC_CERT-0-CertExpired: %[Message=", b"Certificate name:", b" Unit:", b" Type:",
        b"][AppID=", b"][NodeID=x]:", b"MatchedEvent : ", b"At Fri Sep 05 02:00:56 CEST 2014 on ",
        b"SeverityMatch : Alert", b"Sep 05 2014 00:00:06.433 UTC : ", b"<189>1 ", b"864: h.x:",
        b"#012", b"\n", b"\r\n", b" ", b"[", b"]", b"%61", b"AppID : y NodeID : z", b"\x00\xff",
        b"From a\n", b"From: a\nTo: b\n", b"Content-Type: multipart/x; boundary=b\n\n--b\n",
        b"Mar  5 06:00:01 n local7 2 : ", b"[part=1.1/2]", b"60 <189>",
        b"[AlertName=x][AlertDetail=",
    ]
)  # fmt: skip


def read(*blocks: bytes):
    reader = Reader()
    found = [item for block in blocks for item in reader.receive_data(block)]
    found += reader.close()
    return found, reader.noise


@given(st.lists(PIECES | st.binary(max_size=20), max_size=60).map(b"".join))
def test_any_bytes_are_read_without_an_error(data):
    assume(not data.startswith(tuple(PACKED)))
    found, noise = read(data)

    assert noise <= data.count(b"\n") + 1
    assert all(isinstance(item, Unreadable) or item.record.raw for item in found)


@given(
    st.lists(PIECES, max_size=60).map(b"".join),
    st.lists(st.integers(1, 400), min_size=1, max_size=5),
)
def test_where_a_block_ends_changes_nothing(data, sizes):
    blocks = []
    rest = data
    while rest:
        size = sizes[len(blocks) % len(sizes)]
        blocks.append(rest[:size])
        rest = rest[size:]

    assert read(data) == read(*blocks)


def test_a_record_in_parts_is_joined():
    first = RECORD.format(seq=16).replace("%[Message", "%[part=16.1/2][Message")
    second = RECORD.format(seq=17).replace("%[Message", "%[part=16.2/2][Message")

    found, _ = read(f"{first}\n{second}\n".encode())

    assert [item.record.seqnum for item in found] == [16]
    assert found[0].record.text == "texttext"
    assert found[0].record.truncation == ()


PART = "<188>{}: n1.lab: Mar 05 2024 05:00:00.7 UTC : %UC_CERT-0-CertExpired: %[part=16.{}/2]"
START = PART.format(16, 1) + "[Message=Certificate name:a.der Unit:CallMan"
END = "ager Type:own-cert Expiration:Mon Mar 04 09:15:][AppID=x][ClusterID=][NodeID=n1]: text"
BETWEEN = RECORD.format(seq=99)


@pytest.mark.parametrize("end", ["", "]: ", "]:", "]"])
@pytest.mark.parametrize("glue", ["", ": "])
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_value_cut_between_two_parts_is_whole_again(end, glue, order):
    parts = [START + end, PART.format(17, 2) + glue + END]

    found, _ = read(f"{parts[order[0]]}\n{BETWEEN}\n{parts[order[1]]}\n".encode())
    whole = found[-1].record

    assert whole.tag("Message") == (
        "Certificate name:a.der Unit:CallManager Type:own-cert Expiration:Mon Mar 04 09:15:"
    )
    assert (whole.seqnum, whole.tag("NodeID"), whole.text) == (16, "n1", "text")
    assert whole.truncation == ()


@pytest.mark.parametrize("part", [START, START + "]: ", PART.format(17, 2) + END])
def test_a_part_alone_is_always_cut(part):
    found, _ = read(part.encode())

    assert found[0].record.truncation[-1] is Truncation.PART


def test_counted_messages_without_line_ends_are_read():
    records = [f"<189>{RECORD.format(seq=number)}é".encode() for number in range(500)]
    data = b"".join(b"%d %s" % (len(record), record) for record in records)

    found, noise = read(data[:10_000], data[10_000:])

    assert [item.record.seqnum for item in found] == list(range(500))
    assert {item.record.text for item in found} == {"texté"}
    assert noise == 0


@pytest.mark.parametrize("count", [20, 300, 99_999])
def test_a_wrong_count_is_not_believed(count):
    record = f"{count} <189>" + RECORD.format(seq=1)

    found, _ = read(f"{record}\n{record}\n".encode())

    assert [item.record.text for item in found] == ["text", "text"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_a_byte_order_mark_tells_the_encoding(encoding):
    data = "\n".join(RECORD.format(seq=number) for number in range(300)).encode(encoding)

    found, _ = read(data[:5001], data[5001:])

    assert [item.record.seqnum for item in found] == list(range(300))


def test_a_packed_file_is_refused():
    with pytest.raises(InputError, match="gzip"):
        read(gzip.compress(RECORD.encode()))


def test_a_token_in_small_letters_is_one():
    found, _ = read(RECORD.format(seq=1).replace("UC_CERT", "uc_cert").encode())

    assert found[0].record.appname == "uc_cert"


def test_a_lost_part_is_told():
    found, _ = read(RECORD.format(seq=16).replace("%[M", "%[part=16.1/3][M").encode())

    assert found[0].record.truncation == (Truncation.PART,)


def test_an_endless_line_is_cut_and_costs_no_memory():
    reader = Reader()
    start = RECORD.format(seq=1).removesuffix("text").encode()
    tracemalloc.start()
    found = list(reader.receive_data(start))
    for _ in range(300):
        found += reader.receive_data(b"x" * 65_536)
    found += reader.receive_data(b"\n" + RECORD.format(seq=2).encode())
    found += reader.close()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert [item.record.seqnum for item in found] == [1, 2]
    assert found[0].record.truncation == (Truncation.RECORD,)
    assert peak < 4 << 20


def test_a_mail_beyond_every_limit_is_counted_once():
    bomb = b"Subject: x\nFrom: y\nContent-Type: multipart/mixed; boundary=b\n\n"
    for _ in range(30):
        bomb += b"--b\nContent-Type: multipart/mixed; boundary=b\n\n"

    found, noise = read(bomb + b"%UC_CERT-0-CertExpired: %[Message=x]: y")

    assert len(found) + noise == 1


def test_an_mbox_is_cut_at_its_borders_even_when_a_mail_is_too_large():
    mail = b"From a@b Tue\nFrom: x\nTo: y\n\n"
    record = RECORD.format(seq=5).encode()

    found, noise = read(mail + b"z" * 400_000 + b"\n\n" + mail + record + b"\n")

    assert [item.record.seqnum for item in found] == [5]
    assert found[0].record.envelope[:2] == (Envelope.MBOX, Envelope.MAIL)
    assert noise == 1


def test_an_attachment_that_is_not_read_is_told():
    mail = b"From: a\nTo: b\nContent-Type: application/octet-stream\n"
    mail += b"Content-Transfer-Encoding: base64\n\n" + base64.encodebytes(
        RECORD.format(seq=1).encode()
    )

    (found,), noise = read(mail)

    assert (found.reason, noise) == (ATTACHED, 0)

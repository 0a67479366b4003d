"""What a message says: headers, tags, bodies, dates, mails; up to cases and plans."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from zlib import crc32

from builders import CATALOGUE, cluster, inventory, node
from fuzzing.streams import pieces_of

from watcher import pipeline, planning
from watcher.cases.identity import Directory
from watcher.cases.merge import open_or_merge
from watcher.errors import InputError
from watcher.expiry import resolve
from watcher.intake import DETAIL_LIMIT, read_message
from watcher.model.alarm import CertificateAlarm, CiscoLogRecord, Tally, Unreadable
from watcher.model.expiry import Certainty
from watcher.model.ledger import Reason
from watcher.model.message import Grade, MessageId, Origin, Position, RawMessage, Way
from watcher.parsers import certificate
from watcher.wire.ciscolog import RECORD_LIMIT, decode
from watcher.wire.mail import DEPTH_LIMIT, PART_LIMIT, read_mail, text_of_page
from watcher.wire.runon import records_of
from watcher.wire.tags import split

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SITE = inventory(
    cluster(
        node("pub", aliases=("cm.example.test",)),
        node("sub1", addresses=("192.0.2.11",)),
        cluster_ids=("GRZ",),
    )
)
DIRECTORY = Directory(SITE, CATALOGUE)
NODES = frozenset({"", "pub", "sub1"})
ID = MessageId(journal="fuzz", position=Position(1))
HEAD = "864: cm.example.test: Nov 20 2026 01:00:06.544 UTC :  "
TAIL = "[AppID=Cisco Certificate Monitor][ClusterID=][NodeID=pub]: text"
ALERT_MAIL = (
    b"From: rtmt@pub.example.test\r\nTo: watch@example.test\r\nSubject: [RTMT-ALERT-pub] x\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n\r\n"
)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")


def _record(text: str) -> CiscoLogRecord | None:
    found = decode(text)
    if isinstance(found, Unreadable):
        assert found.raw == text[:RECORD_LIMIT]
        assert found.reason
        return None
    if not isinstance(found, CiscoLogRecord):
        return None
    assert text.startswith(found.raw)
    assert len(found.raw) <= RECORD_LIMIT
    assert all((found.appname, found.msgname, found.severity is not None))
    assert found.event_time is None or found.event_time.utcoffset() == timedelta(0)
    return found


def header_3164(data: bytes) -> None:
    """Read all before the token, as RFC 3164, relays and files write it."""
    _record(_text(data))


def header_5424(data: bytes) -> None:
    """Read the same behind the beginning of an RFC 5424 header."""
    _record("<189>1 " + _text(data))


def tags(data: bytes) -> None:
    """Read what follows the token."""
    text = _text(data)
    listed = split(text)
    assert sum(len(value) for _, value in listed.tags) <= 2 * len(text)
    assert len(listed.text) <= len(text)
    whole = _record(HEAD + "%UC_CERT-4-X: " + text)
    assert whole is None or whole.originator is None or whole.originator.strip()


def run_on(data: bytes) -> None:
    """Cut records apart that somebody put on one line."""
    text = _text(data)
    pieces = [p.raw if isinstance(p, Unreadable) else p for p in records_of(text)]
    assert all(piece in text for piece in pieces)
    assert sum(map(len, pieces)) <= len(text) + 512, "a piece is told twice"


def alarm_body(data: bytes) -> None:
    """Read the body of a certificate alarm, cut or not, up to what is made of it."""
    text = HEAD + "%UC_CERT-2-CertValidfor7days: %[Message=" + _text(data)
    for whole in (text, text + "]" + TAIL):
        record = _record(whole)
        alarm = certificate.parse(record, CATALOGUE.alarms) if record else None
        if alarm is None:
            continue
        for told in (alarm.certificate, alarm.store, alarm.reported_type, alarm.node):
            assert told is None or told in whole, "it says what nobody said"
        _coherent(alarm.expiry)


# -- dates


def _coherent(expiry) -> None:
    ends = (expiry.earliest, expiry.latest)
    assert all(end is None or end.utcoffset() == timedelta(0) for end in ends)
    assert None in ends or expiry.earliest <= expiry.latest
    if expiry.certainty in (Certainty.EXACT, Certainty.INFERRED):
        assert (expiry.day is None, expiry.question) == (False, None)
    if expiry.certainty is Certainty.AMBIGUOUS:
        assert expiry.question
    if expiry.certainty is Certainty.BOUNDED:
        assert expiry.day is None
        assert ends != (None, None)
    assert sum(candidate.chosen for candidate in expiry.candidates) == (
        expiry.day is not None and bool(expiry.candidates)
    )


KINDS = (None, *(CATALOGUE.alarms.kind_of(n) for n in sorted(CATALOGUE.alarms.certificate)))
EVENTS = (
    None,
    NOW,
    datetime(2024, 2, 29, tzinfo=UTC),
    datetime.min.replace(tzinfo=UTC),
    datetime.max.replace(tzinfo=UTC),
    datetime(1, 1, 2, tzinfo=UTC),
    datetime(9999, 12, 30, tzinfo=UTC),
    datetime(1999, 12, 31, 23, 59, 59, tzinfo=UTC),
)
SLACKS = (timedelta(0), timedelta(hours=14))


def expiry(data: bytes) -> None:
    """Resolve what is left of an end date; the first two bytes choose alarm and time."""
    how, when, text = (*data[:2], 0, 0)[0], (*data[1:2], 0)[0], _text(data[2:])
    kind, event = KINDS[how % len(KINDS)], EVENTS[when % len(EVENTS)]
    found, _ = resolve(text, event, kind, slack=SLACKS[when // 128])
    assert found.text == text
    _coherent(found)


# -- messages


def message(data: bytes) -> None:
    """Read a whole message as the daemon does, with an inventory, and into cases."""
    chance = crc32(data)
    bound = (("pub",), ())[chance & 1]
    origin = Origin(way=Way.TLS, input="tls", peer="192.0.2.7", grade=Grade.CLAIM, bound=bound)
    raw = RawMessage(origin=origin, received_at=NOW, monotonic_ns=1, data=data)
    reading = read_message(ID, raw, DIRECTORY)
    assert len(reading.detail) <= DETAIL_LIMIT
    assert bool(reading.detail) == (reading.reason is not Reason.NONE)
    cases = {}
    for event in reading.events:
        assert any(mark in data for mark in CATALOGUE.alarms.marks) or b"\0" in data or b"=" in data
        assert event.case.claimed or event.case.owner in NODES
        assert event.case.claimed or event.case.cluster in ("", "graz")
        advance = open_or_merge(cases.get(event.case), event, NOW)
        cases[event.case] = advance.case
    assert all(reporter == reporter.lower() for reporter in reading.reporters)


def plan(data: bytes) -> None:
    """Draw a plan for the alarms of any input, and have it checked."""
    with suppress(InputError):
        events = list(pipeline.read([data], CATALOGUE.alarms, Tally()))
        planning.plan(list(planning.planned(events)), SITE, CATALOGUE, None)


def archive(data: bytes) -> None:
    """Read any input of `watcher parse`: lines, counted lines, a mail, an mbox, UTF-16."""
    whole = read([data])
    assert read(list(pieces_of(data))) == whole, "the result depends on the blocks"


def read(chunks: Sequence[bytes]):
    """Return what an input says, and how much of it is noise; the books must balance."""
    tally = Tally()
    try:
        events = list(pipeline.read(chunks, CATALOGUE.alarms, tally))
    except InputError as error:
        return str(error)
    assert tally.read == (
        tally.certificate_alarms + tally.uc_alarms + tally.noise + tally.unreadable
    )
    for event in events:
        if isinstance(event, CertificateAlarm):
            _coherent(event.expiry)
    return events, tally.noise


def rtmt_mail(data: bytes) -> None:
    """Read the body of an alert mail, its headers intact."""
    archive(ALERT_MAIL + data)


def mime(data: bytes) -> None:
    """Read a mail of any shape: the front end's limits hold, and nothing grows."""
    mail = read_mail(b"MIME-Version: 1.0\r\n" + data)
    texts = (*mail.plain, *mail.html, *mail.attached)
    assert len(texts) <= PART_LIMIT
    # A byte that is no UTF-8 becomes `\xNN`; an entity at most two characters.
    assert sum(map(len, texts)) <= (DEPTH_LIMIT + 1) * 4 * (len(data) + 32)
    page = text_of_page(_text(data))
    assert len(page) <= 8 * (len(data) + 8)

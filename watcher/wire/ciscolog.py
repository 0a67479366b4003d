"""One CiscoLog record out of one piece of text, whatever headers stand in front of it.

The header must reach from the first character to the token, and the token is the first one:
a record that only quotes another never takes its place.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pyparsing import ParseException

from watcher.model.alarm import CiscoLogRecord, Envelope, Severity, Truncation, Unreadable
from watcher.wire.grammar import FOREIGN_TOKEN, HEADER, TOKEN, fields, known_fields
from watcher.wire.tags import split
from watcher.wire.timestamp import MILLISECOND_DIGITS, event_time

RECORD_LIMIT = 16 * 1024
"""Characters kept of one record; a CiscoLog record has at most 805 octets (page 6-6)."""

OUR_TOKEN = re.compile(r"% ?(?:UC|CCM|uc|ccm)_|^(?:UC|CCM)_", re.MULTILINE)
_ALERT_ALONE = re.compile(r"%?\[\s?AlertName\s?=")
ALERT_MSGNAME = "RTMT_ALERT"


Fields = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Noise:
    """Text that is no record of a UC server."""


NOISE = Noise()


def decode(text: str, outer: tuple[Envelope, ...] = ()) -> CiscoLogRecord | Unreadable | Noise:
    """Read one record; `outer` says what it was taken out of."""
    kept = text[:RECORD_LIMIT]
    try:
        header = {"": ""} if kept.startswith(("UC_", "CCM_")) else fields(HEADER, kept)
        start = len(header[""] or "")
        token = known_fields(TOKEN, _before_tags(kept, start))
    except ParseException:
        return _refused(kept)
    listed = split(kept[start + len(token[""] or "") :])
    lost = not listed.closed or len(text) > RECORD_LIMIT
    return CiscoLogRecord(
        appname=token["appname"] or "",
        severity=Severity(int(token["severity"] or 0)),
        msgname=token["msgname"] or "",
        tags=listed.tags,
        text=listed.text,
        raw=kept,
        seqnum=_number(header, "seqnum"),
        host=header.get("host"),
        accuracy=header.get("accuracy"),
        event_time=event_time(header),
        event_time_text=header.get("time"),
        event_fraction_text=_fraction(header),
        pri=_number(header, "pri"),
        envelope=(*outer, *_envelopes(header)),
        truncation=(Truncation.RECORD,) if lost else (),
    )


def _before_tags(text: str, start: int) -> str:
    """Return the text from the token on, up to the tags behind it; the token holds no bracket."""
    bracket = text.find("[", start)
    return text[start : bracket + 1] if bracket >= 0 else text[start:]


def alert_without_token(text: str) -> CiscoLogRecord | None:
    """Read an RTMT alert whose token a relay took away: it starts with `%[AlertName=`."""
    if _ALERT_ALONE.match(text) is None:
        return None
    listed = split(text[:RECORD_LIMIT])
    return CiscoLogRecord(
        appname="",
        severity=None,
        msgname=ALERT_MSGNAME,
        tags=listed.tags,
        text=listed.text,
        raw=text[:RECORD_LIMIT],
        truncation=() if listed.closed else (Truncation.RECORD,),
    )


def _refused(text: str) -> Unreadable | Noise:
    ours, foreign = OUR_TOKEN.search(text), FOREIGN_TOKEN.search(text)
    if ours is None or (foreign is not None and foreign.start() < ours.start()):
        return NOISE
    cause = "what stands in front of the token is no CiscoLog header"
    if ours.start() == 0:
        cause = "the token is not complete"
    return Unreadable(raw=text, reason=cause)


def _number(header: Fields, name: str) -> int | None:
    text = header.get(name)
    return int(text) if text else None


def _fraction(header: Fields) -> str | None:
    text = header.get("fraction")
    return text if text and len(text) != MILLISECOND_DIGITS else None


def _envelopes(header: Fields) -> tuple[Envelope, ...]:
    met = []
    if header.get("rfc5424"):
        met.append(Envelope.RFC5424)
    elif header.get("pri") or header.get("relay"):
        met.append(Envelope.RFC3164)
    if header.get("local"):
        met.append(Envelope.CISCOSYSLOG)
    return (*met, Envelope.CISCOLOG)

"""One CiscoLog record out of one piece of text, whatever headers stand in front of it.

The header must reach from the first character to the token, and the token is the first one:
a record that only quotes another never takes its place.
"""

import re
from dataclasses import dataclass

from pyparsing import ParseException, ParseResults

from watcher.model.alarm import CiscoLogRecord, Envelope, Severity, Truncation, Unreadable
from watcher.wire.grammar import FOREIGN_TOKEN, HEADER, TOKEN, text_of
from watcher.wire.tags import split
from watcher.wire.timestamp import MILLISECOND_DIGITS, event_time

RECORD_LIMIT = 16 * 1024
"""Characters kept of one record; a CiscoLog record has at most 805 octets (page 6-6)."""

OUR_TOKEN = re.compile(r"% ?(?:UC|CCM)_|^(?:UC|CCM)_", re.MULTILINE)
_ALERT_ALONE = re.compile(r"%?\[\s?AlertName\s?=")
ALERT_MSGNAME = "RTMT_ALERT"


@dataclass(frozen=True, slots=True)
class Noise:
    """Text that is no record of a UC server."""


NOISE = Noise()


def decode(text: str, outer: tuple[Envelope, ...] = ()) -> CiscoLogRecord | Unreadable | Noise:
    """Read one record; `outer` says what it was taken out of."""
    kept = text[:RECORD_LIMIT]
    try:
        header, start = _header(kept)
        token = TOKEN.parse_string(kept[start:])
    except ParseException:
        return _refused(kept)
    listed = split(kept[start + len(token[0]) :])
    lost = not listed.closed or len(text) > RECORD_LIMIT
    return CiscoLogRecord(
        appname=text_of(token, "appname") or "",
        severity=Severity(int(token["severity"])),
        msgname=text_of(token, "msgname") or "",
        tags=listed.tags,
        text=listed.text,
        raw=kept,
        seqnum=_number(header, "seqnum"),
        host=text_of(header, "host"),
        accuracy=text_of(header, "accuracy"),
        event_time=event_time(header.as_dict()),
        event_time_text=text_of(header, "time"),
        event_fraction_text=_fraction(header),
        pri=_number(header, "pri"),
        envelope=(*outer, *_envelopes(header)),
        truncation=(Truncation.RECORD,) if lost else (),
    )


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


def _header(text: str) -> tuple[ParseResults, int]:
    if text.startswith(("UC_", "CCM_")):
        return ParseResults([]), 0
    header = HEADER.parse_string(text)
    return header, sum(len(part) for part in header)


def _refused(text: str) -> Unreadable | Noise:
    ours, foreign = OUR_TOKEN.search(text), FOREIGN_TOKEN.search(text)
    if ours is None or (foreign is not None and foreign.start() < ours.start()):
        return NOISE
    cause = "what stands in front of the token is no CiscoLog header"
    if ours.start() == 0:
        cause = "the token is not complete"
    return Unreadable(raw=text, reason=cause)


def _number(header: ParseResults, name: str) -> int | None:
    text = text_of(header, name)
    return int(text) if text else None


def _fraction(header: ParseResults) -> str | None:
    text = text_of(header, "fraction")
    return text if text and len(text) != MILLISECOND_DIGITS else None


def _envelopes(header: ParseResults) -> tuple[Envelope, ...]:
    met = []
    if text_of(header, "rfc5424"):
        met.append(Envelope.RFC5424)
    elif text_of(header, "pri") or text_of(header, "relay"):
        met.append(Envelope.RFC3164)
    if text_of(header, "local"):
        met.append(Envelope.CISCOSYSLOG)
    return (*met, Envelope.CISCOLOG)

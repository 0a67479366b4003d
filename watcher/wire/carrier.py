"""From one piece of text to the records in it: run-on lines, alerts around records, parts.

What a record quotes becomes a record of its own with the quoting alert beside it; it never
changes the record that quotes it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from watcher.model.alarm import CiscoLogRecord, Envelope, RtmtAlert, Truncation, Unreadable
from watcher.wire.ciscolog import OUR_TOKEN, RECORD_LIMIT, Noise, alert_without_token, decode
from watcher.wire.rtmt import matched_events, read_alert, unfold
from watcher.wire.runon import records_of
from watcher.wire.tags import split

_ALERT_TEXT = re.compile(r"\s{0,8}(?:At\s+[A-Z][a-z]{2}\s|SeverityMatch\s?:|MatchedEvent\s?:)")
_PART = re.compile(
    r"(?P<first>\d{1,18})\.(?P<number>\d{1,3})/(?P<total>\d{1,3})(?=\]|\s*$)", re.ASCII
)
_PART_TAG = re.compile(r"(?:% ?)?\[\s{0,4}part\s{0,4}=[^\]]{0,64}\](?::[ \t])?")
_PART_END = re.compile(r"\]\s{0,4}:\s{0,8}$|\]$")
_PARTS_LIMIT = 64
_NAMED_TAIL = re.compile(r"AppID : ")
SYSLOG_AGENT = "Cisco Syslog Agent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """A record and the alert that carried it, if one did."""

    record: CiscoLogRecord
    alert: RtmtAlert | None = None


Found = Carried | Unreadable


def open_text(text: str, *, context: str = "", outer: tuple[Envelope, ...] = ()) -> Iterator[Found]:
    """Yield the records of one piece of text; nothing when it is noise.

    `context` is the text before it, where the head of an RTMT alert may stand.
    """
    if _NAMED_TAIL.search(text) and not OUR_TOKEN.search(text):
        yield from _alert_alone(text, outer)
    elif _ALERT_TEXT.match(text):
        yield from _quoted(text, context, (*outer, Envelope.RTMT_MAIL))
    else:
        for piece in records_of(text.strip("\x00")):
            if isinstance(piece, Unreadable):
                yield piece
            else:
                yield from _opened(piece, outer)


def _alert_alone(text: str, outer: tuple[Envelope, ...]) -> Iterator[Found]:
    tags = split(text[:RECORD_LIMIT]).tags
    # The Syslog Agent's tail is the frame around records, which are read by themselves.
    if dict(tags).get("NodeID") and dict(tags).get("AppID") != SYSLOG_AGENT:
        record = CiscoLogRecord(
            appname="", severity=None, msgname="", tags=tags, text=text[:RECORD_LIMIT],
            raw=text[:RECORD_LIMIT], envelope=(*outer, Envelope.RTMT_MAIL),
        )  # fmt: skip
        yield Carried(record=record, alert=read_alert(text))


def _quoted(text: str, context: str, outer: tuple[Envelope, ...]) -> Iterator[Found]:
    context = " ".join(context.split())
    head = context[max(0, context.rfind(", the following") - 512) :]
    for event in matched_events(text):
        found = decode(event, outer)
        if isinstance(found, CiscoLogRecord):
            own = read_alert(text, event=found.event_time)
            alert = own or read_alert(head, event=found.event_time)
            yield Carried(record=found, alert=alert)
        elif isinstance(found, Unreadable):
            yield found


def _opened(text: str, outer: tuple[Envelope, ...]) -> Iterator[Found]:
    found: CiscoLogRecord | Unreadable | Noise = alert_without_token(text) or decode(text, outer)
    if isinstance(found, Noise):
        return
    if isinstance(found, Unreadable):
        yield found
        return
    name, detail = found.tag("AlertName"), found.tag("AlertDetail")
    if name is None or detail is None or not _raises_alerts(found):
        yield Carried(record=found)
        return
    yield from _from_alert(found, name, unfold(detail))


def _raises_alerts(record: CiscoLogRecord) -> bool:
    return record.appname == "" or "RTMT" in record.appname.upper()


def _from_alert(record: CiscoLogRecord, name: str, detail: str) -> Iterator[Found]:
    collector = (record.tag("NodeID") or "").strip() or None
    outer = (*record.envelope[:-1], Envelope.RTMT_ALERT)
    inner: list[Found] = []
    for event in matched_events(detail):
        found = decode(event, outer)
        if isinstance(found, CiscoLogRecord):
            alert = read_alert(detail, event=found.event_time, name=name, collector=collector)
            inner.append(Carried(record=found, alert=alert))
        elif isinstance(found, Unreadable):
            inner.append(found)
    if record.appname or not inner:
        event_time = record.event_time
        alert = read_alert(detail, event=event_time, name=name, collector=collector)
        yield Carried(record=record, alert=alert)
    yield from inner


class PartJoiner:
    """Joins records that were sent in parts: tag `[part=16.1/3]` is first SEQNUM, part, total.

    At most 64 unfinished records are held; the oldest is given out as incomplete.
    """

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, ...], dict[int, Carried]] = {}

    def receive(self, carried: Carried) -> Iterator[Carried]:
        """Give out `carried`, or the whole record when its last part has come."""
        record = carried.record
        tag = record.tag("part")
        part = _PART.match((tag or "").strip())
        if tag is None or part is None or not 1 <= int(part["number"]) <= int(part["total"]):
            yield carried
            return
        key = (record.host or "", record.appname, record.msgname, part["first"], part["total"])
        parts = self._waiting.setdefault(key, {})
        parts[int(part["number"])] = carried
        if len(parts) == int(part["total"]):
            yield _joined(self._waiting.pop(key), complete=True)
        elif len(self._waiting) > _PARTS_LIMIT:
            yield _joined(self._waiting.pop(next(iter(self._waiting))), complete=False)

    def close(self) -> Iterator[Carried]:
        """Give out what never became whole, marked so."""
        for parts in self._waiting.values():
            yield _joined(parts, complete=False)
        self._waiting.clear()


def _joined(parts: dict[int, Carried], *, complete: bool) -> Carried:
    ordered = [parts[number].record for number in sorted(parts)]
    alert = parts[min(parts)].alert
    if complete and not all(_is_whole(record) for record in ordered):
        mended = _mended(ordered)
        if mended is not None:
            return Carried(record=mended, alert=alert)
    return Carried(record=_merged(ordered, complete=complete), alert=alert)


def _is_whole(record: CiscoLogRecord) -> bool:
    part = (record.tag("part") or "").strip()
    return bool(record.tag("NodeID")) and _PART.fullmatch(part) is not None


def _merged(ordered: list[CiscoLogRecord], *, complete: bool) -> CiscoLogRecord:
    tags = {name: value for record in reversed(ordered) for name, value in record.tags}
    tags.pop("part", None)
    lost = () if complete else (Truncation.PART,)
    return replace(
        ordered[0],
        tags=tuple(tags.items()),
        text="".join(record.text for record in ordered),
        raw="\n".join(record.raw for record in ordered),
        truncation=(*ordered[-1].truncation, *lost),
    )


def _mended(ordered: list[CiscoLogRecord]) -> CiscoLogRecord | None:
    """Read parts that were cut inside a value, as one text; None when that makes no record."""
    first = ordered[0].raw
    start = _PART_TAG.search(first)
    if start is None:
        return None
    text = first[: start.start()] + "%" + first[start.end() :]
    for record in ordered[1:]:
        tag = _PART_TAG.search(record.raw)
        rest = record.raw[tag.end() :] if tag else ""
        text = _PART_END.sub("]" if rest.startswith("[") else "", text) + rest
    whole = decode(text)
    if not isinstance(whole, CiscoLogRecord):
        return None
    raw = "\n".join(record.raw for record in ordered)
    return replace(whole, raw=raw, envelope=ordered[0].envelope)

"""Which lines around a hit belong to one record: broken after the host, wrapped by a mail.

Lines are joined only while the record is visibly unfinished, and never across a line that
begins a record of its own.
"""

import re
from dataclasses import dataclass

from watcher.wire.ciscolog import RECORD_LIMIT

CONTEXT = 8 * 1024
"""Bytes before a record in which the head of its alert may stand."""

LINE_LIMIT = RECORD_LIMIT + 1
"""Bytes kept of one line: one more than a record may have shows that it was longer."""

JOINED_LINES = 12
_LINES_BACK = 5

_TOKEN = re.compile(
    rb"(?:UC|CCM|uc|ccm)_[A-Za-z0-9_ -]{1,200}?-[0-7]- ?[A-Za-z0-9_.-]{1,128} {0,2}:[ \t]*"
)
_LIST = re.compile(rb"(?:% ?)?\[")
_LIST_END = re.compile(rb"Node ?ID\s{0,4}=[^\[\]]{0,512}\]\s{0,4}:[ \t]*")
_NEW_RECORD = re.compile(
    rb"\s*$|<\d|: |\d{1,18}: |At [A-Z]|\s{0,8}(?:SeverityMatch|MatchedEvent|App ?ID :)|From |```"
    rb"|[A-Z][a-z]{2} {1,2}\d{1,2} (?:\d{4} )?\d{2}:\d{2}:\d{2}(?!:)|\d{4}-\d{2}-\d{2}[T ]"
)
_WHOLE_HEADER = re.compile(
    rb"\s{0,8}(?:<\d|[A-Z][a-z]{2} {1,2}\d{1,2} \d{2}:\d{2}:\d{2} \S{1,255} [A-Za-z]\w{1,15}"
    rb" [0-7] )"
)
_QUOTE = re.compile(rb"\s{0,8}MatchedEvent\s?:")
_TIME_FIRST = re.compile(
    rb"[*.~]?[A-Z][a-z]{2} {1,2}\d{1,2} (?:\d{4} )?\d{1,2}:\d{2}:\d{2}(?:[. ]|$)"
)
_HEAD_AT_END = re.compile(
    rb"(?:[A-Z][a-z]{2} {1,2}\d{1,2} \d{2}:\d{2}:\d{2} [^\s:]{1,255} [A-Za-z]\w{1,15} [0-7] "
    rb"[^\s:\[\]%]{0,32}: |<\d{1,3}>)?\d{1,18}:(?: [A-Za-z0-9._-]{1,255}:)?[ \t\r]*$"
)
_ALERT_TAIL = b"AppID : "
_ALERT_END = re.compile(rb"\s*$|The al(?:arm|ert) is generated|```")


@dataclass(frozen=True, slots=True)
class Region:
    """The lines of one record: `buffer[begin:end]`, joined, and the text before them."""

    begin: int
    end: int
    text: str
    context: str


def find_region(buffer: bytes, place: tuple[int, int, int, int], *, final: bool) -> Region | None:
    """Return the lines of the record at a hit, or None when more bytes must come first.

    `place` is (first byte that is free, start and end of the line with the hit, end of the
    whole lines). At the end of the input (`final`) nothing is waited for.
    """
    floor, start, end, _ = place
    line = _line(buffer, start, end)
    if _ALERT_TAIL in line and _TOKEN.search(line) is None:
        found = _alert_lines(buffer, place, final=final)
        begin, prefix = (found[0], b"") if found else (start, b"")
        taken = (_joined(buffer, begin, found[1], b"\n"), found[1]) if found else None
    else:
        begin, prefix = _beginning(buffer, floor, start, line)
        taken = _forward(buffer, begin, place, final=final)
    if taken is None:
        return None
    text, stop = taken
    return Region(
        begin, stop, _decoded(prefix + text), _decoded(buffer[max(0, begin - CONTEXT) : begin])
    )


def _beginning(buffer: bytes, floor: int, start: int, line: bytes) -> tuple[int, bytes]:
    """Return where the record begins, and the part of it that stands on a line not its own."""
    if _WHOLE_HEADER.match(line) or _QUOTE.match(line):
        return start, b""
    at = start
    for _ in range(_LINES_BACK):
        before = buffer.rfind(b"\n", 0, max(at - 1, 0)) + 1
        if before < max(floor, start - CONTEXT) or before == at:
            break
        earlier = buffer[before:at]
        if _TOKEN.search(earlier[:LINE_LIMIT]) or not earlier.strip():
            break
        if _QUOTE.match(earlier):
            return before, b""
        at = before
    return _broken_after_host(buffer, floor, start, line)


def _broken_after_host(buffer: bytes, floor: int, start: int, line: bytes) -> tuple[int, bytes]:
    if start == 0 or _TIME_FIRST.match(line) is None:
        return start, b""
    before = buffer.rfind(b"\n", 0, start - 1) + 1
    head = _HEAD_AT_END.search(buffer[max(before, start - 640) : start - 1])
    if head is None:
        return start, b""
    if before >= floor and head.end() - head.start() == start - 1 - before:
        return before, b""
    return start, head[0].rstrip() + b" "


def _forward(
    buffer: bytes, begin: int, place: tuple[int, int, int, int], *, final: bool
) -> tuple[bytes, int] | None:
    _, _, end, last = place
    text = _joined(buffer, begin, end, b" ")
    for _ in range(JOINED_LINES):
        if not _unfinished(text) or len(text) > RECORD_LIMIT:
            break
        if end >= last:
            return (text, end) if final else None
        following = _next_line(buffer, end, last)
        line = _line(buffer, end, following)
        if _NEW_RECORD.match(line) or _TOKEN.search(line):
            break
        text += b" " + line.strip()
        end = following
    return text, end


def _unfinished(text: bytes) -> bool:
    token = _TOKEN.search(text)
    if token is None:
        return False
    rest = text[token.end() :]
    if not rest.strip():
        return True
    if _LIST.match(rest) is None:
        return False
    closed = _LIST_END.search(rest)
    return closed is None or closed.end() == len(rest)


def _alert_lines(
    buffer: bytes, place: tuple[int, int, int, int], *, final: bool
) -> tuple[int, int] | None:
    """Return the lines of an alert that quotes no record: `Name : ... AppID : ... NodeID : ...`."""
    floor, start, end, last = place
    for _ in range(JOINED_LINES):
        if end >= last:
            if final:
                break
            return None
        following = _next_line(buffer, end, last)
        line = _line(buffer, end, following)
        if _TOKEN.search(line) or not line.strip():
            break
        end = following
        if _ALERT_END.match(line):
            break
    return _alert_beginning(buffer, max(floor, start - CONTEXT), start), end


def _alert_beginning(buffer: bytes, floor: int, start: int) -> int:
    for _ in range(JOINED_LINES):
        before = buffer.rfind(b"\n", 0, max(start - 1, 0)) + 1
        line = _line(buffer, before, start)
        if before < floor or before == start or b" : " not in line:
            break
        if _NEW_RECORD.match(line) or _TOKEN.search(line):
            break
        start = before
    return start


def _next_line(buffer: bytes, start: int, last: int) -> int:
    end = buffer.find(b"\n", start, last)
    return last if end < 0 else end + 1


def _line(buffer: bytes, start: int, end: int) -> bytes:
    return buffer[start : min(end, start + LINE_LIMIT)]


def _joined(buffer: bytes, begin: int, end: int, glue: bytes) -> bytes:
    lines = buffer[begin:end].split(b"\n")
    if len(lines) == 1 or (len(lines) == 2 and not lines[1]):  # noqa: PLR2004 -- one line, ended
        return lines[0].rstrip(b"\r")[:LINE_LIMIT]
    return glue.join(line.strip()[:LINE_LIMIT] for line in lines if line.strip())


def _decoded(raw: bytes) -> str:
    # Bytes that are no UTF-8 stay visible as \xNN instead of being lost or crashing a document.
    return raw.decode("utf-8", "backslashreplace")

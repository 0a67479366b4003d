"""Records that a relay or an editor put on one line, cut apart again.

A record ends where its tag list has an end and, after the text behind it, a whole header with a
token begins. In any other place such a header is a quotation. Where neither can be told, nobody
guesses: a record that took its neighbour's end would name the wrong node.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pyparsing import ParseException

from watcher.model.alarm import Unreadable
from watcher.wire.ciscolog import RECORD_LIMIT
from watcher.wire.grammar import HEADER, TOKEN, fields

_TOKENS = re.compile(r"% ?(?:UC|CCM)_", re.IGNORECASE)
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_TIME = (
    r"[*.~]?" + _MONTH + r" {1,2}\d{1,2}(?: \d{4})? \d{1,2}:\d{2}:\d{2}(?: [AP]M)?(?:\.\d{1,9})?"
    r"(?: [AP]M)?(?:[ \t]{1,3}[A-Za-z+-][A-Za-z0-9_/:+-]{0,31}?)?[ \t]{0,3}:[ \t]{0,3}"
)  # fmt: skip
_NUMBERED = (
    r"\d{1,18}:[ \t]{1,3}(?::[ \t]{1,3}|[A-Za-z0-9._-]{1,255}(?::[ \t]{0,3}|[ \t]{1,3}))?" + _TIME
)
_LOCAL = (
    _MONTH + r" {1,2}\d{1,2} \d{2}:\d{2}:\d{2} [^\s:]{1,255} [A-Za-z][A-Za-z0-9]{1,15} [0-7] "
    r"[^\s:\[\]%]{0,32}:[ \t]{1,3}"
)
_BEGINNING = re.compile(
    r"(?P<whole><\d{1,3}>[^%<\[\]]{1,600}|" + _LOCAL + r"[^%<\[\]]{1,400}|" + _NUMBERED + r")"
    r"(?=% ?(?:UC|CCM)_)|(?P<part>" + _TIME + r")(?=% ?(?:UC|CCM)_)",
    re.IGNORECASE | re.ASCII,
)
_FIRST_LOCAL = re.compile(_LOCAL, re.ASCII)
_HANGING = re.compile(r"\s" + _LOCAL + r"\d{1,18}:\s[^%\[\]]{0,300}$", re.ASCII)
_LIST = re.compile(r"(?:% ?)?\[")
_ALERT = re.compile(r"(?:% ?)?\[\s{0,4}AlertName\s{0,4}=")
_NODE = re.compile(r"\[\s{0,4}(?:UNKNOWN_PARAM[A-Z]{4}:)?Node ?ID\s{0,4}(?:=|%61)", re.IGNORECASE)
_END = re.compile(r"\]\s{0,4}:")
_LOOSE_NODE = re.compile(r"(?<![A-Za-z_])Node ?ID\s{0,2}[:=]\s{0,2}[A-Za-z0-9]", re.IGNORECASE)
_QUOTED = re.compile(r"MatchedEvent\s?:\s{0,8}$")
_ALERT_END = re.compile(r"\]\s{0,4}:\s{0,4}RTMT Alert")
_BLANK = " \t\r\n\x00"

UNSURE = "two records stand on one line and where the first ends cannot be told"
TOO_MANY = "the line is too long: the records at its end were not read"


@dataclass(frozen=True, slots=True)
class _Head:
    """Where a header begins, where its record's tag list begins, and whether it is whole."""

    start: int
    body: int
    whole: bool = True


def records_of(text: str) -> Iterator[str | Unreadable]:
    """Yield the text of each record of a line; time grows with the length of the line."""
    pieces: list[str | Unreadable] = [text]
    if len(_TOKENS.findall(text)) > 1:
        pieces = _pieces(text)
    last = pieces[-1]
    if isinstance(last, str) and _FIRST_LOCAL.match(last):
        # The header of a record whose rest stands on the next line.
        hanging = _HANGING.search(last, max(0, len(last) - 700))
        pieces[-1] = last[: hanging.start()].rstrip(_BLANK) if hanging else last
    yield from pieces
    if len(pieces) > 1 and len(text) > RECORD_LIMIT:
        yield Unreadable(raw=text[-512:], reason=TOO_MANY)


def _pieces(text: str) -> list[str | Unreadable]:
    first = _head(text, 0)
    if first is None:
        return [text]
    starts, unsure = _starts(text, first)
    pieces: list[str | Unreadable] = []
    for number, head in enumerate(starts):
        end = starts[number + 1].start if number + 1 < len(starts) else len(text)
        if number and _has_two_ends(text, head, end):
            # A value of the record before may have faked the end, with all that followed it.
            before = starts[number - 1].start
            pieces[-1] = Unreadable(raw=text[before:end], reason=UNSURE)
        else:
            pieces.append(text[head.start : end].rstrip(_BLANK) if end < len(text) else
                          text[head.start :])  # fmt: skip
    if unsure:
        pieces[-1] = Unreadable(raw=text[starts[-1].start :], reason=UNSURE)
    return pieces


def _starts(text: str, first: _Head) -> tuple[list[_Head], bool]:
    """Return where records begin, and whether the last of them is a riddle."""
    starts, closing = [first], _closing(text, first.body)
    heads = list(_heads(text, first.body))
    for number, head in enumerate(heads):
        end = heads[number + 1].start if number + 1 < len(heads) else len(text)
        verdict = _verdict(text, closing, head, end, alert=_is_alert(text, starts[-1]))
        if verdict is None:
            return starts, True
        if verdict:
            starts.append(head)
            closing = _closing(text, head.body)
    return starts, False


def _heads(text: str, at: int) -> Iterator[_Head]:
    for found in _BEGINNING.finditer(text, at):
        if _QUOTED.search(text, max(at, found.start() - 32), found.start()):
            continue
        head = _head(text, found.start(), whole=found["whole"] is not None)
        if head is not None:
            yield head


def _head(text: str, start: int, *, whole: bool = True) -> _Head | None:
    window = text[start : start + 1024]
    try:
        token = len(fields(HEADER, window)[""] or "")
        end = len(fields(TOKEN, window[token:])[""] or "")
    except ParseException:
        return None
    return _Head(start, start + token + end, whole)


def _verdict(text: str, closing: int | None, head: _Head, end: int, *, alert: bool) -> bool | None:
    """Tell whether the record ends before `head`; None when it may be or not."""
    if closing is not None and closing <= head.start:
        return True if head.whole else None
    if not head.whole or (alert and closing is not None):
        return False
    # A quotation has its own end and then that of the record around it.
    return False if len(_NODE.findall(text, head.start, end)) > 1 else None


def _closing(text: str, body: int) -> int | None:
    """Return where the tag list that begins at `body` has its first end, if it has one."""
    if _LIST.match(text, body) is None:
        found = _LOOSE_NODE.search(text, body)
    elif _ALERT.match(text, body):
        found = _ALERT_END.search(text, body)
    else:
        node = _NODE.search(text, body)
        found = _END.search(text, node.end()) if node else None
    return found.end() if found else None


def _is_alert(text: str, head: _Head) -> bool:
    return _ALERT.match(text, head.body) is not None


def _has_two_ends(text: str, head: _Head, end: int) -> bool:
    if _LIST.match(text, head.body) is None or _is_alert(text, head):
        return False
    return len(_NODE.findall(text, head.body, end)) > 1

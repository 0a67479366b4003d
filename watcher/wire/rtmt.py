"""The text of an RTMT alert: its head, and every record that it quotes.

The same text comes as a mail, inside a CiscoLog record `RTMT_ALERT` with `#012` for each line
end, and in the old form `RTMT-ERROR-ALERT`. Sender and subject play no part.
"""

import re
from datetime import datetime

from pyparsing import ParseException, ParserElement

from watcher.model.alarm import RtmtAlert
from watcher.wire.grammar import ALERT_FOOT, ALERT_HEAD, fields
from watcher.wire.timestamp import alert_time

_NEWLINE = re.compile(r"# ?012")
_HEAD = re.compile(r"(?<![A-Za-z0-9])At\s")
_FOOT = re.compile(r"The (?:alarm|alert) is generated on")
_MATCHED = re.compile(
    r"(?:(?:^|\n)\s{0,8}|(?<=generated:)\s{0,8}|SeverityMatch\s?:\s{0,4}[A-Za-z]{1,16}\s{1,8})"
    r"(?:SeverityMatch\s?:\s{0,4}[A-Za-z]{1,16}\s{1,8})?MatchedEvent\s?:\s{0,8}"
)
_FRAME = re.compile(
    r"(?:^|\n|\s{1,4})(?:SeverityMatch\s?[:-]|MatchedEvent\s?:|(?:\n\s{0,8})?AppID : )"
)
_SEVERITY = re.compile(r"SeverityMatch\s?[:-]\s{0,4}(?P<word>[A-Za-z]{1,16})")


def unfold(text: str) -> str:
    """Turn `#012` (and `# 012`, as a relay mangles it) back into line ends."""
    return _NEWLINE.sub("\n", text)


def matched_events(text: str) -> tuple[str, ...]:
    """Return the text of each quoted record; a quote counts only at the start of a line."""
    starts = [found.end() for found in _MATCHED.finditer(text)]
    quoted = []
    for start, limit in zip(starts, [*starts, len(text)][1:], strict=True):
        frame = _FRAME.search(text, start, limit)
        quoted.append(text[start : frame.start() if frame else limit].strip())
    return tuple(quoted)


def read_alert(
    text: str,
    *,
    event: datetime | None = None,
    name: str | None = None,
    collector: str | None = None,
) -> RtmtAlert | None:
    """Return what an alert says of itself, or None when the text has neither head nor name.

    `event` is the time of a record inside; it tells the offset of the alert's clock.
    """
    found = _first(ALERT_HEAD, _HEAD, text) or _first(ALERT_FOOT, _FOOT, text)
    if found is None and name is None:
        return None
    time_text = found["time"] if found else None
    return RtmtAlert(
        name=name or (found.get("name") if found else None),
        node=found["node"] if found else None,
        time=alert_time(time_text, event),
        time_text=time_text,
        collector=collector,
        severity_matches=tuple(match["word"] for match in _SEVERITY.finditer(text)),
    )


def _first(
    grammar: ParserElement, mark: re.Pattern[str], text: str
) -> dict[str, str | None] | None:
    # The grammar is anchored; it is tried at the first few places that can start it.
    for place, _ in zip(mark.finditer(text), range(4), strict=False):
        try:
            return fields(grammar, text[place.start() : place.start() + 1024])
        except ParseException:
            continue
    return None

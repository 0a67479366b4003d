"""Syslog as it runs over TCP: `MSG-LEN SP SYSLOG-MSG`, one after the other.

A count that is wrong (a relay changed the message, an editor the file) is not believed: then the
line is read as if it had none.

Source: RFC 6587 section 3.4.1 (octet counting).
"""

import re
from collections.abc import Iterator

from watcher.wire.carrier import Found
from watcher.wire.lines import LineReader

COUNT = re.compile(rb"(?P<octets>[1-9][0-9]{1,4}) (?=<[0-9]{1,3}>)")
_AFTER = 12
"""Bytes behind a message that show whether its count was right."""
_LONGEST = 99_999 + 6 + _AFTER


class CountedReader:
    """Reads counted messages; `noise` counts the lines that hold nothing of ours."""

    def __init__(self, marks: re.Pattern[bytes]) -> None:
        self._lines = LineReader(marks)
        self._waiting = b""

    @property
    def noise(self) -> int:
        """How many lines so far held nothing of ours."""
        return self._lines.noise

    def receive_data(self, data: bytes) -> Iterator[Found]:
        """Take the next bytes and yield the records that became whole."""
        yield from self._lines.receive_data(self._uncounted(data, final=False))

    def close(self) -> Iterator[Found]:
        """Yield what is left."""
        yield from self._lines.receive_data(self._uncounted(b"", final=True))
        yield from self._lines.close()

    def _uncounted(self, data: bytes, *, final: bool) -> bytes:
        data, at, lines = self._waiting + data, 0, []
        while at < len(data) and (final or len(data) - at >= _LONGEST):
            begin, end = _message(data, at)
            lines.append(
                data[begin:end] if data[end - 1 : end] == b"\n" else data[begin:end] + b"\n"
            )
            at = end
        self._waiting = data[at:]
        return b"".join(lines)


def _message(data: bytes, at: int) -> tuple[int, int]:
    """Return begin and end of the message at `at`: by its count if that leads to another one."""
    count = COUNT.match(data, at)
    begin = count.end() if count else at
    if count:
        end = begin + int(count["octets"])
        if data[end : end + 1] == b"\n":
            return begin, end + 1
        if end == len(data) or COUNT.match(data, end):
            return begin, end
    newline = data.find(b"\n", begin, at + _LONGEST)
    return begin, newline + 1 if newline >= 0 else min(len(data), at + _LONGEST)

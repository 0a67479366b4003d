"""The end of a mail on the wire, exactly; bytes in, one mail out, no socket.

Only CR LF `.` CR LF ends a mail (RFC 5321 section 4.1.1.4). Servers that took other line ends for
it can be made to see two mails where the relay before them saw one (CVE-2023-51764 and kin).
"""

import re

_END = b"\r\n.\r\n"
_BLANK_LINE = re.compile(rb"\r?\n\r?\n|\A\r?\n")
_HEADER_READ = 64 * 1024
_OWN = re.compile(
    rb"^(?:message-id[ \t]*:[ \t]*(?:\r?\n[ \t]+)?<[^<>@\r\n]{0,512}@|x-watcher[ \t]*:[ \t]*)"
    rb"([^<>\s]{1,255})",
    re.IGNORECASE | re.MULTILINE,
)


class MailDecoder:
    """Takes what follows DATA until the mail is whole; holds not more than `limit` bytes.

    What is beyond the limit is dropped while the end is looked for. Where the bytes are cut plays
    no part in the result.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        # The CR LF of the command line counts as the line end before the first line.
        self._held = bytearray(b"\r\n")
        self._data = b""
        self.received = 0
        """Bytes so far, also those that were dropped."""
        self.too_large = False
        self.done = False

    def receive_data(self, data: bytes) -> bytes:
        """Take the next bytes; return those behind the end of the mail."""
        self.received += len(data)
        at = max(0, len(self._held) - len(_END) + 1)
        self._held += data
        end = self._held.find(_END, at)
        if end < 0:
            self._shorten(len(_END) - 1)
            return b""
        self.done = True
        rest = bytes(self._held[end + len(_END) :])
        del self._held[end + 2 :]
        self._shorten(0)
        if not self.too_large:
            self._data = bytes(self._held).replace(b"\r\n.", b"\r\n")[2:]
        self._held.clear()
        return rest

    def _shorten(self, spare: int) -> None:
        if len(self._held) > self._limit + 2 + spare:
            self.too_large = True
        if self.too_large:
            del self._held[: -len(_END) + 1]

    @property
    def data(self) -> bytes:
        """The mail as it was sent, less the dots of section 4.5.2; empty if it was too large."""
        return self._data

    @property
    def bare(self) -> bool:
        """It holds a CR or LF that is no line end: no honest relay sends such a mail."""
        rest = self._data.replace(b"\r\n", b"")
        return b"\r" in rest or b"\n" in rest


def header_of(mail: bytes) -> bytes:
    """Return what stands above the first blank line."""
    border = _BLANK_LINE.search(mail)
    return mail[: border.start()] if border else mail


def header_is_over(header: bytes, size: int, lines: int) -> bool:
    """Tell whether a header is larger or has more lines than is allowed."""
    return len(header) > size or header.count(b"\n") >= lines


def is_own(header: bytes, domain: str) -> bool:
    """Tell whether the mail names our domain as its maker: in Message-ID or X-Watcher."""
    wanted = domain.lower().encode()
    found = _OWN.finditer(header[:_HEADER_READ])
    return bool(wanted) and any(m[1].lower() == wanted for m in found)

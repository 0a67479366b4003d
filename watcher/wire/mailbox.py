"""Mails, one or an mbox of them, as records.

Of each mail at most 256 KiB are held. An mbox is cut at `From ` lines (RFC 4155) whatever the
mails in it claim.
"""

import re
from collections.abc import Iterator

from watcher.model.alarm import Envelope, Unreadable
from watcher.wire.carrier import Found
from watcher.wire.ciscolog import OUR_TOKEN
from watcher.wire.lines import LineReader
from watcher.wire.mail import MAIL_LIMIT, Mail, read_mail

_BORDER = b"\nFrom "
_QUOTED = re.compile(r"^(?:> ?){1,8}", re.MULTILINE)
_SHOWN = 2048
ATTACHED = "messages stand in an attachment that is no text: save it and read the file"


class MailReader:
    """Reads mails; `noise` counts the mails that hold nothing of ours."""

    def __init__(self, marks: re.Pattern[bytes], *, mbox: bool) -> None:
        self._marks = marks
        self._mbox = mbox
        self._outer = (Envelope.MBOX, Envelope.MAIL) if mbox else (Envelope.MAIL,)
        self._mail = bytearray(b"\n" if mbox else b"")
        self.noise = 0

    def receive_data(self, data: bytes) -> Iterator[Found]:
        """Take the next bytes and yield the records of the mails that became whole."""
        # A border may lie across two blocks: search again from the bytes before it.
        at = max(0, len(self._mail) - len(_BORDER))
        self._mail += data
        if self._mbox:
            while (border := self._mail.find(_BORDER, max(at, 1))) >= 0:
                whole = bytes(self._mail[:border])
                del self._mail[:border]
                at = 1
                yield from self._opened(whole)
        self._shorten()

    def close(self) -> Iterator[Found]:
        """Yield the records of the last mail."""
        yield from self._opened(bytes(self._mail))
        self._mail.clear()

    def _shorten(self) -> None:
        # What is beyond the limit is dropped, but the end stays: it may be half a border.
        surplus = len(self._mail) - MAIL_LIMIT - 64
        if surplus > 0:
            end = len(self._mail) - len(_BORDER)
            del self._mail[end - surplus : end]

    def _opened(self, raw: bytes) -> Iterator[Found]:
        if self._mbox:
            raw = raw.removeprefix(b"\n").partition(b"\n")[2].replace(b"\n>From ", b"\nFrom ")
        mail = read_mail(raw)
        empty = True
        for found in self._read(mail):
            empty = False
            yield found
        cause = mail.broken if self._marks.search(raw) else None
        if any(OUR_TOKEN.search(part) for part in mail.attached):
            cause = cause or ATTACHED
        if empty and cause is not None:
            yield Unreadable(raw=raw[:_SHOWN].decode("utf-8", "backslashreplace"), reason=cause)
        elif empty:
            self.noise += 1

    def _read(self, mail: Mail) -> Iterator[Found]:
        # A forwarded alert is quoted with `>`.
        plain = [_QUOTED.sub("", part).encode() for part in mail.plain]
        pages = [part.encode() for part in mail.html]
        # The same text usually comes twice, plain and as a page: the plain one is enough.
        chosen = plain if any(map(self._marks.search, plain)) else pages
        for part in chosen:
            lines = LineReader(self._marks, self._outer)
            yield from lines.receive_data(part)
            yield from lines.close()

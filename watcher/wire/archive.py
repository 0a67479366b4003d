"""Reads a stream of any size, from one message to an archive of a million lines.

Bytes go in (`receive_data`), records come out. Which kind of input it is (lines, one mail, an
mbox) shows in its first bytes; where a block ends plays no part in the result.
"""

import codecs
import re
from collections.abc import Iterator

from watcher.errors import InputError
from watcher.wire.carrier import Carried, Found, PartJoiner
from watcher.wire.counted import COUNT, CountedReader
from watcher.wire.lines import LineReader
from watcher.wire.mailbox import MailReader

ANY_RECORD = rb"%[ ]?(?:UC|CCM|uc|ccm)_|CCM_[A-Z]|AlertName[ ]?=|AppID : "
"""What every record of a UC server holds, as a pattern."""

_DETECT = 4096
_FIELD_NAME = re.compile(rb"([!-9;-~]{1,76}):[ \t]?")
_MAIL_FIELDS = frozenset(
    b"from to cc date subject sender received return-path delivered-to message-id mime-version"
    b" content-type content-transfer-encoding x-original-to dkim-signature".split()
)
_UTF8_BOM = b"\xef\xbb\xbf"
_UTF16_BOMS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
PACKED = {b"\x1f\x8b": "gzip", b"\xfd7zXZ": "xz", b"PK\x03\x04": "zip"}
"""How packed files begin; nothing is unpacked here."""


class Reader:
    """Reads one input; `marks` is a bytes pattern that a record must hold to be looked at."""

    def __init__(self, marks: bytes = ANY_RECORD) -> None:
        self._marks = re.compile(marks)
        self._head = bytearray()
        self._input: LineReader | MailReader | CountedReader | None = None
        self._utf16: codecs.IncrementalDecoder | None = None
        self._parts = PartJoiner()

    @property
    def noise(self) -> int:
        """How many lines (of mails: mails) so far held nothing of ours."""
        return self._input.noise if self._input else 0

    def receive_data(self, data: bytes) -> Iterator[Found]:
        """Take the next bytes and yield the records that became whole.

        Raises InputError for a packed file, of which nothing can be read.
        """
        if self._utf16 is not None:
            data = self._utf16.decode(data).encode()
        if self._input is not None:
            yield from self._whole(self._input.receive_data(data))
            return
        self._head += data
        if len(self._head) >= _DETECT:
            yield from self._begin()

    def close(self) -> Iterator[Found]:
        """Yield what is left; no more bytes will come."""
        if self._input is None:
            yield from self._begin()
        if self._input is not None:
            yield from self._whole(self._input.close())
        yield from self._parts.close()

    def _begin(self) -> Iterator[Found]:
        data = bytes(self._head).removeprefix(_UTF8_BOM)
        self._head.clear()
        for magic, name in PACKED.items():
            if data.startswith(magic):
                raise InputError(f"is packed ({name})", expected="text: unpack it first")
        if data.startswith(_UTF16_BOMS):
            # Windows tools save text so; the mark itself tells the order of the bytes.
            self._utf16 = codecs.getincrementaldecoder("utf-16")("replace")
            data = self._utf16.decode(data).encode()
        start = data[:_DETECT]
        mbox = start.startswith(b"From ") and is_mail(start.partition(b"\n")[2])
        if mbox or is_mail(start):
            self._input = MailReader(self._marks, mbox=mbox)
        elif COUNT.match(start):
            self._input = CountedReader(self._marks)
        else:
            self._input = LineReader(self._marks)
        yield from self._whole(self._input.receive_data(data))

    def _whole(self, found: Iterator[Found]) -> Iterator[Found]:
        for item in found:
            if isinstance(item, Carried):
                yield from self._parts.receive(item)
            else:
                yield item


def is_mail(data: bytes) -> bool:
    """Tell whether `data` begins with at least two header fields that mails have."""
    known = 0
    for line in data.split(b"\n")[:40]:
        if known and line[:1] in (b" ", b"\t"):
            continue
        field = _FIELD_NAME.match(line)
        if field is None:
            break
        name = field[1].lower()
        known += name in _MAIL_FIELDS
        if not known and not name.startswith((b"x-", b"arc-")):
            break
    return known >= 2  # noqa: PLR2004 -- one may be chance

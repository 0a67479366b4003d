"""Hostile shapes: names of texts that made some parser somewhere slow, at any length.

Each is a beginning and a part that is repeated; `{n}` in a part is its number, so that names and
boundaries can differ. Every target gets every shape: what is a flood of boundaries to the mail
reader is a run of odd words to a framer, and must not cost it more than its length either.
"""

from collections.abc import Callable
from dataclasses import dataclass

from builders import message

RECORD = message().encode()
HEAD = RECORD.partition(b"%UC_")[0]
EVENT = b"Mar  5 06:00:01 sub1 local7 2 : " + RECORD.partition(b">")[2]
ALERT = (
    b"At Tue Mar 05 06:00:42 CET 2024 on node 192.0.2.1, the following SyslogSeverityMatchFound "
    b"events generated:"
)
MULTIPART = b"Content-Type: multipart/mixed; boundary=b\n\n"
QUOTED = b"Content-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\n"
BASE64 = b"Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n"
PAGE = b"Content-Type: text/html\n\n"


@dataclass(frozen=True)
class Shape:
    """A text of any length; `part` makes its n-th piece."""

    name: str
    begin: bytes
    part: Callable[[int], bytes]

    def of(self, size: int) -> bytes:
        """Return so many bytes of it."""
        made, length, number = [self.begin], len(self.begin), 0
        while length < size:
            piece = self.part(number)
            made.append(piece)
            length += len(piece)
            number += 1
        return b"".join(made)[:size]


def _same(part: bytes) -> Callable[[int], bytes]:
    return lambda _: part


def _numbered(part: str) -> Callable[[int], bytes]:
    return lambda number: part.replace("{n}", str(number)).encode()


RUNS = {
    "letters": b"a", "capitals": b"A", "zeros": b"0", "nines": b"9", "blanks": b" ", "tabs": b"\t",
    "line feeds": b"\n", "carriage returns": b"\r", "line ends": b"\r\n", "NULs": b"\0",
    "bytes that are no text": b"\xff", "percent signs": b"%", "opening brackets": b"[",
    "closing brackets": b"]", "opening parentheses": b"(", "braces": b"{", "colons": b":",
    "equal signs": b"=", "commas": b",", "hyphens": b"-", "dots": b".", "less-than": b"<",
    "greater-than": b">", "quotes": b'"', "apostrophes": b"'",
    "backslashes": b"\\", "ampersands": b"&", "semicolons": b";", "hashes": b"#",
    "question marks": b"?", "combining marks": b"\xcc\x81", "bidi marks": b"\xe2\x80\xae",
    "byte order marks": b"\xef\xbb\xbf", "escapes": b"\x1b[",
}  # fmt: skip
"""Name of a run, and what is repeated from the first byte on."""

REPEATS = {
    "empty groups": (b"%", b"[]"),
    "turned brackets": (b"%[a=", b"]["),
    "open groups": (b"%", b"[a="),
    "closed groups": (b"%", b"[a=b]"),
    "groups without value": (b"%", b"[a]"),
    "token beginnings": (b"", b"%UC_"),
    "token halves": (b"", b"%UC_CERT-"),
    "tokens": (b"", b"%UC_CERT-4-CertX: "),
    "words in a token": (HEAD + b"%UC_A", b" a"),
    "parts of a token": (HEAD + b"%UC_", b"A-4-"),
    "foreign tokens": (b"", b"%SYS-5-X"),
    "empty fields": (b"", b": "),
    "sequence numbers": (b"", b"1: "),
    "priorities": (b"", b"<189>"),
    "headers": (b"", HEAD),
    "relay times": (b"", b"Mar  5 06:00:01 "),
    "words of a relay": (b"<189>Mar  5 06:00:01 ", b"a "),
    "dates with a zone": (b"", b"Mar 05 2024 05:00:00 UTC : "),
    "structured data": (b"<1>1 2024-01-01T00:00:00Z a b c d ", b"[a "),
    "structured elements": (b"<1>1 2024-01-01T00:00:00Z a b c d ", b'[a b="c"]'),
    "quotes in structured data": (b"<1>1 2024-01-01T00:00:00Z a b c d [a", b' b="'),
    "escapes in structured data": (b'<1>1 2024-01-01T00:00:00Z a b c d [a b="', b'\\"'),
    "tails": (b"%", b"[AppID=x][ClusterID=][NodeID=y]"),
    "node tags": (HEAD + b"%UC_CERT-4-X: %", b"[NodeID=y]"),
    "loose tails": (HEAD + b"%UC_CERT-4-X: ", b"App ID:x "),
    "messages in tags": (HEAD + b"%UC_CERT-4-X: %", b"[Message="),
    "alert names": (b"%", b"[AlertName=a][AlertDetail="),
    "unknown parameters": (b"%[", b"UNKNOWN_PARAMNAME:"),
    "decimal codes": (b"%[a", b"%61"),
    "parts": (HEAD + b"%UC_CERT-4-X: %", b"[part=1.1/2]"),
    "certificate names": (b"", b"Certificate name:"),
    "stores": (b"Certificate name:", b" Unit:tomcat"),
    "stores and types": (b"Certificate name:", b" Unit:a Type:"),
    "ends of validity": (b"Certificate name:a Unit:b Type:c", b" Expiration:"),
    "weekdays": (b"\0\0", b"Mon "),
    "days": (b"\1\1", b"Mon Jan 01 00:00:00:000 UTC "),
    "blanks in a date": (b"\2\1Mon ", b" "),
    "digits of a time": (b"\3\1Mon Jan 01 ", b"00:"),
    "alert heads": (b"", b"At Fri Sep 05 "),
    "whole alert heads": (b"", ALERT),
    "alert feet": (b"", b"The alarm is generated on "),
    "matched events": (ALERT, b"\nMatchedEvent : "),
    "severity matches": (ALERT, b"\nSeverityMatch : Critical"),
    "records in an alert": (ALERT, b"\nMatchedEvent : " + EVENT),
    "alerts in alerts": (HEAD + b"%UC_RTMT-2-RTMT_ALERT: %", b"[AlertName=a][AlertDetail=" + ALERT),
    "folded line ends": (HEAD + b"%UC_RTMT-2-RTMT_ALERT: %[AlertName=a][AlertDetail=", b"#012"),
    "agents": (b"", b"AppID : Cisco Syslog Agent\n"),
    "records on one line": (b"", RECORD),
    "records in a value": (HEAD + b"%UC_CERT-4-X: %[Message=", RECORD),
    "records in lines": (b"", RECORD + b"\n"),
    "records broken after the host": (b"", RECORD.replace(b"test: ", b"test:\n", 1) + b"\n"),
    "unfinished records": (b"", HEAD + b"%UC_CERT-4-X: %[a=b\n"),
    "frames of one byte": (b"", b"1 x"),
    "frames": (b"", b"7 <14>abc"),
    "frames with a mark": (b"", b"9 %UC_CERT-"),
    "counts without a frame": (b"", b"65535 "),
    "header fields": (b"", b"X-A: b\n"),
    "content types": (b"", b"Content-Type: text/plain\n"),
    "folded fields": (b"Content-Type: text/plain", b"\n ;"),
    "parameters": (b"Content-Type: text/plain", b"; boundary=a"),
    "blanks before a parameter": (b"Content-Type: a;", b" \t"),
    "boundaries": (MULTIPART, b"--b\n"),
    "boundary beginnings": (MULTIPART, b"\n--b x"),
    "parts of a mail": (MULTIPART, b"--b\n\na\n"),
    "mails in mails": (b"", b"Content-Type: message/rfc822\n\n"),
    "encoded words": (b"Subject: ", b"=?utf-8?q?=5B?= "),
    "quoted-printable": (QUOTED, b"=3D"),
    "soft line ends": (QUOTED, b"=\n"),
    "base64": (BASE64, b"QUJD"),
    "base64 of nothing": (BASE64, b"=?"),
    "open elements": (PAGE, b"<a "),
    "comments": (PAGE, b"<!--"),
    "scripts": (PAGE, b"<script>"),
    "entities": (PAGE, b"&#9"),
    "named entities": (PAGE, b"&amp;"),
    "mailbox borders": (b"From a@b\nFrom: a\nTo: b\n\n", b"\nFrom "),
    "quoted mails": (b"From: a\nTo: b\n\n", b"> > "),
    "ends of a mail": (b"", b"\r\n.\r\n"),
    "almost ends of a mail": (b"", b"\r\n.\r"),
    "sequences": (b"", b"- "),
    "maps in a line": (b"", b"{a: "),
    "keys in a line": (b"a: ", b"b: "),
    "complex keys": (b"", b"? "),
    "anchors": (b"", b"&a "),
    "prompts": (b"", b"admin:show ctl\n"),
    "certificate begins": (b"", b"-----BEGIN CERTIFICATE-----\n"),
    "lists of services": (b"utils service list\n", b"a[STARTED]\n"),
    "magic of the journal": (b"", b"\xf1WJ\x01"),
    "halves of a head": (b"", b"\xf1WJ\x01\x01\x08\0\0\0"),
}
"""Name, how it begins, what is repeated."""

NUMBERED = {
    "keys": "k{n}: v\n",
    "deep keys": "{n}:\n" + " ",
    "items": "- a{n}\n",
    "distinct groups": "[a{n}=b]",
    "distinct nodes": "1: n{n}: Mar 05 2024 05:00:00 UTC : %UC_CERT-4-X: %[NodeID=n{n}]: t\n",
    "nested multiparts": "Content-Type: multipart/x; boundary=b{n}\n\n--b{n}\n",
    "trusted certificates": "tomcat-trust/a{n}.pem: x\n",
    "distinct parts": "<1>1: h: %UC_CERT-4-X: %[part={n}.1/2][AppID=a][ClusterID=][NodeID=b]: t\n",
    "settings": "WATCHER_A{n}=b\n",
}

SHAPES: tuple[Shape, ...] = (
    *(Shape(name, b"", _same(run)) for name, run in RUNS.items()),
    *(Shape(name, begin, _same(part)) for name, (begin, part) in REPEATS.items()),
    *(Shape(name, b"", _numbered(part)) for name, part in NUMBERED.items()),
)

"""The text of a mail, read within hard limits.

Python's own `email` package is not used: nested parts end it with RecursionError, some 21-byte
headers with IndexError, and 64 KiB of parameters hold it for seconds. Only two header fields
matter here, nothing is unpacked, and no part is entered deeper than ten levels.

Source: RFC 5322 section 2.1, RFC 2045 sections 5 and 6, RFC 2046 section 5.1.
"""

import binascii
import html
import re
from contextlib import suppress
from dataclasses import dataclass

MAIL_LIMIT = 256 * 1024
HEADER_LIMIT = 64 * 1024
DEPTH_LIMIT = 10
PART_LIMIT = 50

_FIELD = re.compile(
    rb"^(content-type|content-transfer-encoding)[ \t]*:", re.IGNORECASE | re.MULTILINE
)
_FOLD = re.compile(rb"\r?\n[ \t]+")
_BLANK_LINE = re.compile(rb"\r?\n\r?\n|\A\r?\n")
_PARAMETER = re.compile(
    rb';[ \t]*(boundary|charset)[ \t]*=[ \t]*(?:"([^"\r\n]{1,200})"|([^\s;"]{1,200}))',
    re.IGNORECASE,
)
_CHARSETS = re.compile(
    r"(?:utf-?8|us-ascii|ascii|iso-8859-\d{1,2}|windows-125\d|cp125\d|latin1)", re.IGNORECASE
)
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")
_DROPPED = re.compile(r"<!--|<(?:script|style|head)\b", re.IGNORECASE)
_DROPPED_END = {
    "<!--": re.compile("-->"),
    "<script": re.compile("</script[ \t]{0,8}>", re.IGNORECASE),
    "<style": re.compile("</style[ \t]{0,8}>", re.IGNORECASE),
    "<head": re.compile("</head[ \t]{0,8}>", re.IGNORECASE),
}
_LINE_TAG = re.compile(
    r"</?(?:br|p|div|tr|li|pre|h[1-6]|table|ul|ol|blockquote)\b[^<>]*>", re.IGNORECASE
)
_TAG = re.compile(r"<[^<>]*>")
_SPACE = re.compile(r"[ \t\r\n\f\xa0]+")


@dataclass(frozen=True, slots=True)
class Mail:
    """The text parts of a mail (plain before HTML) and the limit it broke, if it did."""

    plain: tuple[str, ...]
    html: tuple[str, ...]
    broken: str | None = None
    attached: tuple[str, ...] = ()
    """What stands in parts that are no text: looked at, never read."""


@dataclass(frozen=True, slots=True)
class _Header:
    media_type: bytes
    encoding: bytes
    boundary: bytes | None
    charset: str


def read_mail(raw: bytes) -> Mail:
    """Read the text parts of one mail; whatever the bytes are, it returns."""
    plain: list[str] = []
    pages: list[str] = []
    attached: list[str] = []
    broken = f"mail larger than {MAIL_LIMIT >> 10} KiB" if len(raw) > MAIL_LIMIT else None
    waiting = [(raw[:MAIL_LIMIT], 0)]
    for _ in range(PART_LIMIT + 1):
        if not waiting:
            return Mail(tuple(plain), tuple(pages), broken, tuple(attached))
        part, depth = waiting.pop()
        head, body = _split(part)
        if len(head) > HEADER_LIMIT:
            broken = f"header larger than {HEADER_LIMIT >> 10} KiB"
            continue
        header = _header(head)
        inner = _inner(header, body)
        if inner and depth >= DEPTH_LIMIT:
            broken = f"parts nested deeper than {DEPTH_LIMIT}"
        elif inner:
            waiting += [(piece, depth + 1) for piece in reversed(inner[: PART_LIMIT + 1])]
        elif header.media_type == b"text/html":
            pages.append(text_of_page(_text(header, body)))
        else:
            texts = plain if header.media_type[:5] in (b"text/", b"") else attached
            texts.append(_text(header, body))
    return Mail(tuple(plain), tuple(pages), f"more than {PART_LIMIT} parts")


def _split(part: bytes) -> tuple[bytes, bytes]:
    border = _BLANK_LINE.search(part)
    return (part[: border.start()], part[border.end() :]) if border else (part, b"")


def _header(head: bytes) -> _Header:
    unfolded = _FOLD.sub(b" ", head)
    fields: dict[bytes, bytes] = {}
    for found in _FIELD.finditer(unfolded):
        end = unfolded.find(b"\n", found.end())
        value = unfolded[found.end() : end if end >= 0 else len(unfolded)]
        fields.setdefault(found[1].lower(), value.strip())
    content = fields.get(b"content-type", b"")
    # The first 8 KiB of a field are plenty; what follows is an attack.
    parameters = {m[1].lower(): m[2] or m[3] for m in _PARAMETER.finditer(content[:8192])}
    return _Header(
        media_type=content.split(b";", 1)[0].strip().lower(),
        encoding=fields.get(b"content-transfer-encoding", b"").lower(),
        boundary=parameters.get(b"boundary"),
        charset=parameters.get(b"charset", b"").decode("ascii", "replace"),
    )


def _inner(header: _Header, body: bytes) -> list[bytes]:
    if header.media_type == b"message/rfc822":
        return [body]
    if not header.media_type.startswith(b"multipart/") or header.boundary is None:
        return []
    # A delimiter stands at the start of a line; the piece before the first is a preamble.
    delimiter = rb"\n--" + re.escape(header.boundary) + rb"(?=--|[ \t]*\r?\n|[ \t]*$)"
    pieces = re.split(delimiter, b"\n" + body)[1:]
    return [piece.split(b"\n", 1)[1] for piece in pieces if b"\n" in piece and piece[:2] != b"--"]


def _text(header: _Header, body: bytes) -> str:
    if header.encoding == b"quoted-printable":
        body = binascii.a2b_qp(body)
    elif header.encoding == b"base64":
        letters = _NOT_BASE64.sub(b"", body)
        letters = letters[: len(letters) - (len(letters) % 4 == 1)]
        body = binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))
    known = _CHARSETS.fullmatch(header.charset)
    try:
        return body.decode(header.charset if known else "utf-8", "backslashreplace")
    except LookupError:
        return body.decode("utf-8", "backslashreplace")


def text_of_page(page: str) -> str:
    """Return what a reader of an HTML page would see, line by line."""
    text = _SPACE.sub(" ", "".join(_shown(page)))
    text = _TAG.sub("", _LINE_TAG.sub("\n", text))
    with suppress(ValueError):  # a character number of thousands of digits
        text = html.unescape(text)
    return "\n".join(line.replace("\xa0", " ").strip() for line in text.split("\n"))


def _shown(page: str) -> list[str]:
    shown = []
    at = 0
    while (hidden := _DROPPED.search(page, at)) is not None:
        shown.append(page[at : hidden.start()])
        end = _DROPPED_END[hidden[0].lower()].search(page, hidden.end())
        if end is None:
            return shown
        at = end.end()
    shown.append(page[at:])
    return shown

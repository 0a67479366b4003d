"""What the framers and the mail decoder should say, written a second time and differently.

Each oracle looks at the whole stream at once, so it holds no state that a cut could upset. It is
slow and simple on purpose, and shares nothing with the code under test but the limits.
"""

import re
from dataclasses import dataclass, field

FAULT_LIMIT = 1024
MSG_LEN_LIMIT = 65_535
MOST_DIGITS = 20
TRAILERS = b"\r\n\0"


@dataclass
class Books:
    """What came of a stream: frames, and where they went."""

    limit: int
    marks: tuple[bytes, ...]
    received: int = 0
    noise: int = 0
    hits: list[tuple[bytes, bool]] = field(default_factory=list)
    fault: bytes | None = None

    def frame(self, data: bytes, *, cut: bool = False) -> None:
        """Enter a frame whose end is known."""
        cut = cut or len(data) > self.limit
        kept = data[: self.limit]
        self.received += 1
        if not any(mark in kept for mark in self.marks):
            self.noise += 1
        else:
            self.hits.append((kept if cut else kept.rstrip(TRAILERS), cut))

    def lie(self, data: bytes) -> None:
        """Enter bytes where a count should stand."""
        self.received += 1
        self.fault = data[:FAULT_LIMIT]


def framed(stream: bytes, limit: int, marks: tuple[bytes, ...], *, lost: bool) -> Books:
    """Return the books of a whole stream, its end included."""
    books = Books(limit, marks)
    digits = len(stream) - len(stream.lstrip(b"0123456789"))
    counted = digits > MOST_DIGITS or (digits and stream[digits : digits + 1] == b" ")
    (_counted if counted else _lines)(stream, books, lost=lost)
    return books


def _lines(stream: bytes, books: Books, *, lost: bool) -> None:
    *whole, rest = stream.replace(b"\0", b"\n").split(b"\n")
    for line in whole:
        books.frame(line)
    if rest:
        books.frame(rest, cut=lost)


def _counted(stream: bytes, books: Books, *, lost: bool) -> None:
    at = 0
    while at < len(stream):
        digits, blank, _ = stream[at : at + 6].partition(b" ")
        well_formed = re.fullmatch(rb"[1-9][0-9]{0,4}", digits) is not None
        end = at + len(digits) + 1 + (int(digits) if well_formed else 0)
        if well_formed and blank and int(digits) <= MSG_LEN_LIMIT and end <= len(stream):
            books.frame(stream[at + len(digits) + 1 : end])
            at = end
            continue
        unfinished = well_formed and (
            int(digits) <= MSG_LEN_LIMIT if blank else at + len(digits) == len(stream)
        )
        if unfinished and lost:
            books.frame(stream[at + len(digits) + 1 if blank else at :], cut=True)
        else:
            books.lie(stream[at:])
        return


@dataclass(frozen=True)
class Delivered:
    """A mail on the wire and what stood behind it; `mail` is empty when it was too large."""

    done: bool
    mail: bytes = b""
    rest: bytes = b""
    too_large: bool = False


def delivered(stream: bytes, limit: int) -> Delivered:
    """Return the mail that RFC 5321 section 4.1.1.4 sees in a stream behind DATA."""
    body, end, rest = (b"\r\n" + stream).partition(b"\r\n.\r\n")
    if not end:
        return Delivered(done=False)
    lines = (body + b"\r\n").split(b"\r\n")[1:]
    if len(b"\r\n".join(lines)) > limit:
        return Delivered(done=True, rest=rest, too_large=True)
    mail = b"\r\n".join(line.removeprefix(b".") for line in lines)
    return Delivered(done=True, mail=mail, rest=rest)

"""What arrives: raw bytes with where they came from, before anything has read them."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import NewType

from watcher.model.ledger import Reason

Position = NewType("Position", int)
"""Place of an entry in a journal; later entries have larger ones, and none is used twice."""


class Way(StrEnum):
    """How a message came in."""

    UDP = "udp"
    TCP = "tcp"
    TLS = "tls"
    SMTP = "smtp"
    FILE = "file"
    IMAP = "imap"


class Grade(IntEnum):
    """How far the sender of a message is known; higher is better.

    A record quoted inside another (an RTMT alert) has one grade less than its carrier and never
    more than RETURN_PATH.
    """

    CLAIM = 0
    """UDP, or mail from outside the allow-list: anybody may have sent it."""
    RETURN_PATH = 1
    """Plain TCP, a file, a mailbox, or mail from an allowed address."""
    ATTRIBUTED = 2
    """TLS with a client certificate bound to the node; mail of an authenticated relay."""
    FACT = 3
    """Read off the certificate itself, or confirmed by an operator on the node."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Who handed a message over: by name of the input, by address, and how far that is known.

    `peer` is an address, a file name or a mailbox. `bound` names the inventory nodes that the
    connection may speak for; empty means that nothing binds it.
    """

    way: Way
    input: str
    peer: str
    grade: Grade
    bound: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RawMessage:
    """One datagram, frame, mail or line as it arrived.

    `received_at` is aware UTC, `monotonic_ns` the reading of the clock that never steps. `cut`
    says that only the beginning was kept; `fault` that the input itself found it broken, so that
    it goes to quarantine unread.
    """

    origin: Origin
    received_at: datetime
    monotonic_ns: int
    data: bytes
    cut: bool = False
    fault: Reason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageId:
    """Name of a message everywhere behind the journal: which journal, and where in it."""

    journal: str
    position: Position

    def __str__(self) -> str:
        """Print the form that people copy: `main-1a2b3c`."""
        return f"{self.journal}-{self.position:x}"

"""The books: every byte sequence that reached an input ends in exactly one counted place.

received = case + duplicate + evidence + noise + self-test + quarantined + refused
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Place(StrEnum):
    """Where a message ended; `received` is the other side of the books."""

    RECEIVED = "received"
    CASE = "case"
    """It told something new about a certificate."""
    DUPLICATE = "duplicate"
    """All it says was known: the same event by another way, or sent twice."""
    EVIDENCE = "evidence"
    """Another alarm that a plan must know of (backup failed, TVS restarted)."""
    NOISE = "noise"
    SELF_TEST = "self-test"
    """Our own synthetic alarm, or our own mail come back."""
    QUARANTINED = "quarantined"
    REFUSED = "refused"


class Reason(StrEnum):
    """Why a message was refused or quarantined; the list is closed."""

    NONE = ""
    # refused at the door
    RATE = "rate"
    JOURNAL_FULL = "journal-full"
    JOURNAL_BROKEN = "journal-broken"
    TOO_MANY_CONNECTIONS = "too-many-connections"
    TOO_LARGE = "too-large"
    TOO_SLOW = "too-slow"
    PEER_NOT_ALLOWED = "peer-not-allowed"
    HANDSHAKE = "handshake"
    CLIENT_CERTIFICATE = "client-certificate"
    AUTHENTICATION = "authentication"
    RECIPIENT = "recipient"
    PROTOCOL = "protocol"
    OWN_MAIL = "own-mail"
    # kept, but not believed or not understood
    OCTET_COUNT = "octet-count"
    UNREADABLE = "unreadable"
    NO_RECORD = "no-record"
    NOT_BOUND = "node-not-bound-to-peer"
    MAIL_LIMITS = "mail-limits"
    POISON = "poison"
    DAMAGED = "damaged"
    STORM = "storm"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the books."""

    input: str
    place: Place
    reason: Reason
    count: int


@dataclass(slots=True)
class Books:
    """Counts by input, place and reason."""

    counts: dict[tuple[str, Place, Reason], int] = field(default_factory=dict)

    def add(self, input_: str, place: Place, count: int = 1, reason: Reason = Reason.NONE) -> None:
        """Add to one line."""
        if count:
            key = (input_, place, reason)
            self.counts[key] = self.counts.get(key, 0) + count

    def lines(self) -> tuple[Line, ...]:
        """Return all lines, in order."""
        return tuple(Line(*key, count) for key, count in sorted(self.counts.items()))

    def total(self, place: Place) -> int:
        """Return how many messages ended in a place."""
        return sum(count for (_, at, _), count in self.counts.items() if at is place)

    @property
    def difference(self) -> int:
        """Received less the sum of all places; 0 when the books balance."""
        return sum(
            count if place is Place.RECEIVED else -count
            for (_, place, _), count in self.counts.items()
        )


def books(lines: Iterable[Line]) -> Books:
    """Return the books with these lines."""
    made = Books()
    for line in lines:
        made.add(line.input, line.place, line.count, line.reason)
    return made


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What an input counted since it last did, apart from the messages it kept.

    `heard` says of each peer how many of its messages came, noise included, and when the last.
    """

    lines: tuple[Line, ...]
    heard: Mapping[tuple[str, str], tuple[int, datetime]] = field(default_factory=dict)
    """(input, peer) -> (messages, when the last came)."""

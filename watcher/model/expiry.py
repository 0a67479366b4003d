"""What is known of a certificate's notAfter when only an alarm speaks of it."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class Certainty(StrEnum):
    """How far a date can be trusted; see docs/expiry.md."""

    EXACT = "exact"
    """The text carried day, month and year, or a certificate was read."""
    INFERRED = "inferred"
    """Exactly one year fits weekday, alarm name and event time."""
    AMBIGUOUS = "ambiguous"
    """More than one date fits; a person must look."""
    BOUNDED = "bounded"
    """No date survived, but the alarm's name and time bound it."""
    UNKNOWN = "unknown"
    """Nothing survived that would bound it."""


class ExpiryState(StrEnum):
    """Whether the certificate has expired, at the moment of the event."""

    EXPIRED = "expired"
    EXPIRING = "expiring"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One date that the text may mean, and why it was taken or left."""

    day: date
    chosen: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiry:
    """A notAfter with its certainty; `day` is a calendar date in the node's own zone.

    `earliest` and `latest` are aware UTC instants between which the real notAfter lies.
    """

    text: str | None
    day: date | None
    certainty: Certainty
    candidates: tuple[Candidate, ...] = ()
    time_text: str | None = None
    zone_text: str | None = None
    earliest: datetime | None = None
    latest: datetime | None = None
    reason: str = ""
    question: str | None = None
    complete: bool = False

"""A change ticket: what is drafted, what a ticket system answered, and how far we are with it.

A change is one cluster's plan from the first open case to the last closed one. Its key is made by
us and travels in the ticket, so that a ticket whose creation ended unclear is found again.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from watcher.model.slot import Fit, Outcome

DIGITS = 6
"""Hexadecimal digits in a mark: what a lost time left in a ticket is not taken for ours of now."""


def mark(key: str, what: str, digest: str = "") -> str:
    """Return the words that name an errand in the ticket itself: `[watcher-graz-1 v3 0fa2c1]`."""
    return f"[{key} {what} {digest}]" if digest else f"[{key} {what}]"


def unmarked(text: str) -> str:
    """Return text that cannot be read as a mark, whoever wrote it: a space breaks it up."""
    return re.sub(r"\[(?=watcher-)", "[ ", text, flags=re.IGNORECASE)


def digest_of(*parts: object, digits: int = DIGITS) -> str:
    """Return a short digest of values whose text tells them apart."""
    return sha256("\n".join(map(str, parts)).encode("utf-8", "replace")).hexdigest()[:digits]


class ErrandKind(StrEnum):
    """What is to be done at a ticket system."""

    CREATE = "create"
    UPDATE = "update"
    COMMENT = "comment"
    REOPEN = "reopen"
    CLOSE = "close"


class ErrandState(StrEnum):
    """How far an errand is; from `unknown` only a search leads on."""

    NEW = "new"
    SENDING = "sending"
    UNKNOWN = "unknown"
    """It was sent, and nobody knows whether it arrived."""
    DONE = "done"
    DEAD = "dead"
    """Given up: refused for good, or unclear too often; a person must look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A document of the plan."""

    name: str
    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Everything a ticket says, as plain text; each back-end encodes it for its own fields.

    `key` is `watcher-CLUSTER-INSTALLATION-NUMBER`, `version` goes up with each material change,
    `material` is the digest of what counts as one. Lines of `implementation` are steps in order.
    """

    key: str
    version: int
    material: str
    cluster: str
    title: str
    description: str
    risk: str
    impact: str
    implementation: str
    back_out: str
    test: str
    starts: datetime | None
    ends: datetime | None
    due: datetime | None
    items: tuple[str, ...]
    """Configuration items: the nodes that are worked on."""
    decides: tuple[str, ...] = ()
    """What `material` is the digest of, a line each; a comment tells which of them changed."""
    attachments: tuple[Attachment, ...] = ()
    fit: Fit | None = None
    """How the plan fits the cluster's windows; None: not reckoned."""

    @property
    def is_timed(self) -> bool:
        """Tell whether times were looked for; else those that stand in a ticket are people's."""
        return self.fit is not None and self.fit.outcome is not Outcome.UNKNOWN

    @property
    def mark(self) -> str:
        """Name this version in the ticket."""
        return mark(self.key, f"v{self.version}", self.material[:DIGITS])

    @property
    def shows(self) -> str:
        """Return a digest of all that must be brought to the ticket when it changes.

        The way out where no slot fits is not: it names a day, and so another one each day.
        """
        fit = (self.fit.outcome, *self.fit.slots[1:]) if self.fit else ()
        times = (self.starts, self.ends, self.due)
        return digest_of(self.version, self.material, *times, *fit, digits=16)


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketRef:
    """A ticket as its system names it; `closed` when people closed or cancelled it."""

    id: str
    number: str
    url: str
    closed: bool = False
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One cluster's change, from its first open case to the last closed one.

    `version` goes up with each material change and each reopening, `progress` when what people
    did to its cases changes; `standing` is that, a line for each case. `round` goes up each time
    the change goes on after it had ended; it began at `round_at`.
    """

    key: str
    cluster: str
    number: int
    version: int
    progress: int
    round: int
    standing: tuple[str, ...]
    opened_at: datetime
    round_at: datetime
    ended_at: datetime | None
    draft: Draft


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """The one ticket of a change at one system, as it was last seen."""

    change: str
    system: str
    ref: TicketRef
    closed_at: datetime | None = None
    """When it was first seen closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """One thing to do at one back-end for one change; a row of the outbox.

    `mark` names it once and for all; in the ticket itself it stands `signed`, so that a search
    tells whether it arrived. `epoch` is the leader's term in which it was last sent. `attempts`
    counts answers that did not lead on, `refusals` those that were a no.
    """

    id: int
    change: str
    system: str
    kind: ErrandKind
    version: int
    mark: str
    state: ErrandState
    attempts: int
    next_at: datetime
    sent_at: datetime | None
    epoch: int
    ticket: TicketRef | None
    told: str
    """What the ticket system last answered, for people; not more than 300 characters."""
    added_at: datetime
    text: str = ""
    """What a comment says behind its mark."""
    refusals: int = 0
    unclear: int = 0
    """How often it was sent without a clear answer."""
    digest: str = ""
    """Of what a create or update shows, or a comment is about; empty: nobody knows."""

    @property
    def what(self) -> str:
        """Return what the mark says behind the change's key."""
        return self.mark[len(self.change) + 2 : -1]

    @property
    def signed(self) -> str:
        """Return the mark of a comment as it stands in the ticket."""
        return mark(self.change, self.what, self.digest)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxCount:
    """How many errands of one system are in one state; `oldest` is when one of them was added."""

    system: str
    state: ErrandState
    count: int
    oldest: datetime | None = None

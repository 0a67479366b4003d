"""A change ticket: what is drafted, what a ticket system answered, and how far we are with it.

A change is one cluster's plan from the first open case to the last closed one. Its key is made by
us and travels in the ticket, so that a ticket whose creation ended unclear is found again.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from watcher.model.slot import Fit


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
    """The ticket system refuses it for good; a person must look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A document of the plan."""

    name: str
    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Everything a ticket says, as plain text; each back-end encodes it for its own fields.

    `key` is `watcher-CLUSTER-NUMBER`, `version` goes up with each material change, `material` is
    the digest of what counts as one. Lines of `implementation` are steps in order.
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

    `mark` names it in the ticket itself (`[watcher-graz-1 v3]`), so that a search tells whether
    it arrived. `epoch` is the leader's term in which it was last sent. `attempts` counts answers
    that did not lead on, `refusals` those that were a no.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxCount:
    """How many errands of one system are in one state; `oldest` is when one of them was added."""

    system: str
    state: ErrandState
    count: int
    oldest: datetime | None = None

"""A change ticket: what is drafted, what a ticket system answered, and how far we are with it.

A change is one cluster's plan from the first open case to the last closed one. Its key is made by
us and travels in the ticket, so that a ticket whose creation ended unclear is found again.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


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
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketRef:
    """A ticket as its system names it; `closed` when people closed or cancelled it."""

    id: str
    number: str
    url: str
    closed: bool = False
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """One thing to do at one back-end for one change; a row of the outbox.

    `mark` names it in the ticket itself (`[watcher-graz-1 v3]`), so that a search tells whether
    it arrived. `epoch` is the leader's term in which it was last sent.
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

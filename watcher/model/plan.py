"""A change plan as a typed tree; documents are drawn from it and never read back into it.

A command line in here was put together from the catalogue and the inventory alone. Text that
came from a message is only in `Evidence.raw` and in `Quoted` values.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from watcher.model.expiry import Expiry, ExpiryState
from watcher.model.progress import Continuation, Mark
from watcher.model.proof import Proof


@dataclass(frozen=True, slots=True, kw_only=True)
class Cite:
    """Where a sentence comes from: source ids, releases it holds for, how surely it was read."""

    sources: tuple[str, ...]
    releases: str
    confidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One sentence of the plan with its source; `only_if` names conditions that are unknown."""

    text: str
    cite: Cite | None = None
    only_if: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandLine:
    """One CLI line for one prompt; `tentative` when no source shows it word for word."""

    text: str
    cite: Cite
    dialog: tuple[str, ...] = ()
    tentative: bool = False
    only_if: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The bytes of one message, shown as they came, escaped and cut."""

    id: str
    raw: str
    received_as: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One certificate that needs action.

    `node`, `owner` and `file` are names of the inventory when `in_inventory`, else what the
    message said, and then they never reach a command. `store_cut` says that the alarm ends inside
    the store's name, so that it may be a trust store; `about` is what the alarm tells when it is
    not about an end date. A `multi_server` certificate is one for all nodes, whichever reported it.
    """

    id: str
    cluster: str | None
    store: str
    store_known: bool
    store_cut: bool = False
    about: str = ""
    revoked: bool = False
    multi_server: bool = False
    trust: bool
    file: str | None
    file_in_inventory: bool
    node: str | None
    node_in_inventory: bool
    owner: str | None
    owner_in_inventory: bool
    reporters: tuple[str, ...]
    mnemonics: tuple[str, ...]
    expiry: Expiry
    state: ExpiryState
    days_left: int | None
    event_time: datetime | None
    evidence: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing one person does at one place.

    `node` is a name of the inventory or None, `where` the words for it ("each subscriber").
    `kind`, `store`, `service`, `node` are for the safety check; `key` names the step template,
    `block` the part of the work it belongs to, `lane` its row in the picture. `alternative` marks
    the less likely of two branches that are both drawn; its minutes do not count. `mark` says what
    became of a step that somebody reported, with the reason given.
    """

    number: int
    key: str
    kind: str
    title: str
    node: str | None
    where: str
    block: str
    lane: str
    store: str | None = None
    service: str | None = None
    part: int = 1
    stage: int = 0
    do: tuple[Line, ...] = ()
    command: tuple[CommandLine, ...] = ()
    gui: tuple[Line, ...] = ()
    expect: tuple[Line, ...] = ()
    check: tuple[Line, ...] = ()
    undo: tuple[Line, ...] = ()
    minutes: int = 0
    noticed_by: str = ""
    rules: tuple[str, ...] = ()
    depends_on: tuple[int, ...] = ()
    only_if: tuple[str, ...] = ()
    optional: bool = False
    alternative: bool = False
    note: str | None = None
    cite: Cite | None = None
    mark: Mark | None = None
    mark_reason: str = ""


def minutes(steps: Iterable[Step]) -> int:
    """Return the minutes of steps done one after the other, as far as they surely are."""
    return sum(step.minutes for step in steps if not (step.optional or step.alternative))


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenQuestion:
    """What the plan does not know, why it matters, and how to find out."""

    id: str
    text: str
    why: str
    command: tuple[CommandLine, ...]
    look: str | None
    reading: str
    inventory_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """A contradiction between sources, and what this plan did about it."""

    id: str
    question: str
    sides: tuple[Line, ...]
    default: str
    alternative: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact:
    """What a store's expiry breaks, for the board and for the engineer."""

    store: str
    title: str
    affected: str
    lines: tuple[Line, ...]
    used_by: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceEntry:
    """One source that the plan cites."""

    id: str
    title: str
    url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePlan:
    """Everything a change board and an engineer need, in the order they read it."""

    cluster: str | None
    release: str | None
    as_of: datetime | None
    headline: str
    summary: tuple[str, ...]
    way: str
    way_lines: tuple[Line, ...]
    findings: tuple[Finding, ...]
    evidence: tuple[Evidence, ...]
    impacts: tuple[Impact, ...]
    warnings: tuple[Line, ...]
    questions: tuple[OpenQuestion, ...]
    preconditions: tuple[Line, ...]
    steps: tuple[Step, ...]
    minutes: int
    point_of_no_return: int | None
    back_out: tuple[Line, ...]
    disagreements: tuple[Disagreement, ...]
    cautions: tuple[Line, ...]
    sources: tuple[SourceEntry, ...]
    not_known: tuple[str, ...]
    withheld: tuple[str, ...] = ()
    not_planned: tuple[str, ...] = ()
    proof: Proof | None = None
    continuation: Continuation | None = None

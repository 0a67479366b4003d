"""What a pack may say of a certificate store: impact, restarts, procedure, parties, examples."""

from enum import StrEnum
from typing import Annotated

from pydantic import (
    Field,
    StrictBool,
    StrictInt,
    StringConstraints,
)

from watcher.model.release import ReleaseRange
from watcher.rules.alarms import KnownFile
from watcher.rules.terms import Cited, Closed, Condition, Id, Releases, ReleaseText, Statement, Text


class StoreKind(StrEnum):
    """What a store holds."""

    SERVICE = "service"
    TRUST = "trust"
    PHONE = "phone"


class Renewal(StrEnum):
    """What one does to a certificate of the store when it expires."""

    REGENERATE = "regenerate"
    DELETE_ONLY = "delete-only"
    ROTATE_KEY = "rotate-key"
    REISSUE = "reissue"
    NONE = "none"


class Scope(StrEnum):
    """How many certificates of a store a cluster has."""

    NODE = "node"
    PUBLISHER = "publisher"
    CLUSTER = "cluster"


class Answer(StrEnum):
    """Yes, no, or it depends (the text says on what)."""

    YES = "yes"
    NO = "no"
    DEPENDS = "depends"


class PhoneReset(StrEnum):
    """What a renewal does to phones by itself."""

    AUTOMATIC = "automatic"
    MANUAL = "manual"
    POSSIBLE = "possible"
    NONE = "none"


class Role(StrEnum):
    """Which part a store plays in what phones trust; the planner and the safety check use it."""

    FILE_SIGNER = "file-signer"
    """Its key signs configuration files, and up to 11.5 the ITL."""
    VERIFIER = "verifier"
    """Vouches for certificates that phones do not know."""
    LSC_ISSUER = "lsc-issuer"
    """Signs the phones' LSCs."""
    RECOVERY_SIGNER = "recovery-signer"
    """Signs ITL and tokenless CTL from 12.0."""


class ScopeStatement(Cited):
    """How many certificates there are."""

    value: Scope
    text: Text | None = None


class RenewalStatement(Cited):
    """What is done to an expired certificate of the store."""

    value: Renewal
    text: Text | None = None


class AnswerStatement(Cited):
    """Whether the certificate is listed in a trust list."""

    value: Answer
    text: Text | None = None


class ResetStatement(Cited):
    """Whether a renewal resets phones."""

    value: PhoneReset
    text: Text | None = None


class Copy(Cited):
    """A trust store into which a renewed certificate is put by the system."""

    store: Id
    text: Text | None = None


class On(StrEnum):
    """On which nodes a service is restarted; always publisher first."""

    CHANGED = "changed"
    """Nodes whose certificate changed and which run the service."""
    EVERY = "every"
    """Every node that runs the service."""
    PUBLISHER = "publisher"
    SUBSCRIBERS = "subscribers"


class Need(StrEnum):
    """How firmly the sources ask for a restart."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    """Only some sources list it; shown, and done when in doubt."""
    AUTOMATIC = "automatic"
    """The service restarts by itself; the step is a check."""


class Restart(Cited):
    """One row of the restart table of a store; rows are in the order of work."""

    service: Id
    on: On
    need: Need = Need.REQUIRED
    text: Text | None = Field(default=None, description="Why, or what differs.")
    contradiction: Id | None = None


class Phase(StrEnum):
    """The building blocks of a store's procedure; the planner knows how to draw each."""

    STEP = "step"
    """One step template, on the nodes named by `on`."""
    RENEW = "renew"
    """Regenerate, CSR flow, key rotation or deletion, publisher first."""
    RESTARTS = "restarts"
    """The store's restart table."""
    UPDATE_CTL = "update-ctl"
    RESET_PHONES = "reset-phones"
    """Canary phone, then reset, then wait for registrations: a barrier."""
    TELL = "tell"
    """One step for each external party."""


class ProcedureItem(Closed):
    """One phase of a store's procedure, in order."""

    phase: Phase
    step: Id | None = Field(default=None, description="Template, for phase `step`.")
    on: On = On.PUBLISHER
    when: tuple[Condition, ...] = ()
    releases: Releases = ReleaseRange()


class Party(Cited):
    """Somebody outside the cluster who must get the new certificate, or be told."""

    party: Text
    text: Text = Field(description="What they must do, as an order.")
    when: tuple[Condition, ...] = ()


class Caution(Statement):
    """A warning, with the bug or notice it comes from."""

    bug: Id | None = None


class Example(Closed):
    """What the rule must yield for a release; every example runs as a test."""

    release: ReleaseText
    given: tuple[Condition, ...] = Field(
        default=(), description="Conditions that hold; all others do not."
    )
    renewal: Renewal | None = None
    scope: Scope | None = None
    in_itl: Answer | None = None
    in_ctl: Answer | None = None
    resets_phones: PhoneReset | None = None
    copies_to: tuple[Id, ...] | None = None
    restarts: tuple[tuple[Id, On], ...] | None = Field(
        default=None, description="Required restarts, in order."
    )
    also_offered: tuple[tuple[Id, On], ...] | None = Field(
        default=None, description="Optional and automatic restarts, in order."
    )
    impact_mentions: tuple[Text, ...] = ()
    tells: tuple[Text, ...] | None = None


class Store(Closed):
    """Everything known about one certificate store."""

    title: Text
    kind: StoreKind
    releases: Releases = Field(default=ReleaseRange(), description="Where the store exists.")
    file: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]+\.pem$")] | None = None
    cli_unit: Id | None = Field(
        default=None, description="The word that CLI commands take for this store."
    )
    trust_of: Id | None = Field(default=None, description="Of a trust store: the service store.")
    trust_store: Id | None = Field(
        default=None, description="Of a service store: where the CA chain of a signed one goes."
    )
    role: Role | None = None
    phone_facing: StrictBool = Field(
        default=False, description="A renewal changes what phones must trust: a barrier follows."
    )
    keep_own_copies: StrictBool = Field(
        default=False,
        description=(
            "A node's own copy in this store is in use as long as the node exists; it is never "
            "deleted, only replaced by renewal."
        ),
    )
    position: StrictInt = Field(description="Place in the order of stores; lower goes first.")
    renewal: Annotated[tuple[RenewalStatement, ...], Field(min_length=1)]
    scope: Annotated[tuple[ScopeStatement, ...], Field(min_length=1)]
    used_by: tuple[Statement, ...]
    impact: Annotated[tuple[Statement, ...], Field(min_length=1)] = Field(
        description="What breaks when it has expired, in the words an on-call engineer needs."
    )
    copies_to: tuple[Copy, ...] = ()
    in_itl: Annotated[tuple[AnswerStatement, ...], Field(min_length=1)]
    in_ctl: Annotated[tuple[AnswerStatement, ...], Field(min_length=1)]
    resets_phones: Annotated[tuple[ResetStatement, ...], Field(min_length=1)]
    restarts: tuple[Restart, ...] = ()
    procedure: tuple[ProcedureItem, ...] = ()
    cautions: tuple[Caution, ...] = ()
    tell: tuple[Party, ...] = ()
    checks_before: tuple[Id, ...] = Field(default=(), description="Step templates.")
    checks_after: tuple[Id, ...] = Field(default=(), description="Step templates.")
    known_files: tuple[KnownFile, ...] = ()
    contradictions: tuple[Id, ...] = ()
    examples: tuple[Example, ...] = ()

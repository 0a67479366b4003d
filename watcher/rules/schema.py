"""The shape of a rule pack: what a person may write in `rules/*.yaml`.

Every statement says for which releases it holds, where it was read and how surely. The JSON
Schema in `rules/schema/pack.json` is generated from these classes (`make schema`).
"""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StrictBool,
    StrictInt,
    StringConstraints,
    WithJsonSchema,
)

from watcher.errors import InputError
from watcher.model.release import Release, ReleaseRange


class Closed(BaseModel):
    """Base of everything a person writes: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


def _range(value: Any) -> Any:  # noqa: ANN401 -- pydantic hands over whatever the file holds
    if isinstance(value, ReleaseRange):
        return value
    if not isinstance(value, str):
        raise ValueError(f'{value!r} is not a release range (write it in quotes: ">=12.0")')  # noqa: TRY004
    try:
        return ReleaseRange.parse(value)
    except InputError as error:
        raise ValueError(str(error)) from error


def _release(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, Release):
        return value
    if not isinstance(value, str):
        raise ValueError(f'{value!r} is not text (write the release in quotes: "{value}")')  # noqa: TRY004
    try:
        return Release.parse(value)
    except InputError as error:
        raise ValueError(str(error)) from error


def _printable(value: str) -> str:
    # A pack is read by people and copied into documents; controls and bidi marks have no place.
    if not value.isprintable():
        raise ValueError(
            "the text holds a control or invisible character (expected one line that shows as is)"
        )
    return value


_AS_TEXT = PlainSerializer(str, return_type=str)
Releases = Annotated[
    ReleaseRange, BeforeValidator(_range), _AS_TEXT,
    WithJsonSchema({"type": "string", "examples": ["all", ">=12.0", ">=10.0 <=11.5"]}),
]  # fmt: skip
ReleaseText = Annotated[
    Release, BeforeValidator(_release), _AS_TEXT,
    WithJsonSchema({"type": "string", "examples": ["9.1(2)", "12.5(1)SU3", "14SU2", "15"]}),
]  # fmt: skip
Text = Annotated[
    str, StringConstraints(min_length=1, max_length=1000, strip_whitespace=True),
    AfterValidator(_printable),
]  # fmt: skip
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Minutes = Annotated[StrictInt, Field(ge=0, le=1440)]


class Confidence(StrEnum):
    """How surely a statement was read in its source."""

    SEEN = "seen"
    """Read verbatim in the source."""
    PARAPHRASED = "paraphrased"
    """The source supports it; wording combined or partial."""
    OWN = "own"
    """Own knowledge or inference; to be verified before it drives a step."""


class Condition(StrEnum):
    """What a statement may depend on; each is true, false or unknown for a cluster."""

    MIXED = "mixed"
    NON_SECURE = "non-secure"
    TOKENLESS = "tokenless"
    ETOKEN = "etoken"
    LSC = "lsc"
    DOT1X = "dot1x"
    VPN = "vpn"
    SSO = "sso"
    SIP_OAUTH = "sip-oauth"
    EXPRESSWAY = "expressway"
    EMCC = "emcc"
    CCX = "ccx"
    UNITY_CONNECTION = "unity-connection"
    IM_PRESENCE = "im-presence"
    EMERGENCY_RESPONDER = "emergency-responder"
    IPSEC_POLICIES = "ipsec-policies"
    SECURE_TRUNKS = "secure-trunks"
    FIPS = "fips"
    SELF_SIGNED = "self-signed"
    CA_SIGNED = "ca-signed"
    MULTI_SERVER = "multi-server"
    REUSED = "reused"
    SINGLE_NODE = "single-node"
    MULTI_NODE = "multi-node"


class Cited(Closed):
    """A piece of knowledge with its range, its sources and how surely it was read."""

    releases: Releases = Field(default=ReleaseRange(), description="Where it holds.")
    source: Annotated[tuple[Id, ...], Field(min_length=1)] = Field(
        description="Ids of the sources, the best first."
    )
    confidence: Confidence
    when: tuple[Condition, ...] = Field(
        default=(), description="Holds only where all of these hold."
    )


class Statement(Cited):
    """One sentence."""

    text: Text


class Source(Closed):
    """A document that statements refer to."""

    title: Text
    url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s]+$")] | None = None
    note: Text | None = None


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


class KnownFile(Cited):
    """A certificate file that is found in many clusters under this name."""

    pattern: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.*-]{3,64}$")] = Field(
        description="File name without extension; `*` stands for anything."
    )
    text: Text


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


class RunsOn(StrEnum):
    """Which nodes can run a service."""

    ALL = "all"
    PUBLISHER = "publisher"
    CALL_PROCESSING = "call-processing"
    TFTP = "tftp"
    CTI = "cti"
    IM_PRESENCE = "im-presence"


class ServiceCommand(Cited):
    """How a service is restarted on the CLI; its confidence decides how it is shown."""

    text: Text


class Service(Closed):
    """A service that one can restart."""

    name: Text = Field(description="Exactly as `utils service list` prints it.")
    releases: Releases = ReleaseRange()
    runs_on: RunsOn
    restart: tuple[ServiceCommand, ...] = ()
    stop: tuple[ServiceCommand, ...] = ()
    start: tuple[ServiceCommand, ...] = ()
    gui: Text | None = Field(default=None, description="Path in the web interface.")
    minutes: Minutes
    noticed_by: Text
    source: Annotated[tuple[Id, ...], Field(min_length=1)]
    confidence: Confidence


class StepKind(StrEnum):
    """What a step is, for the safety check and for the picture; not for prose."""

    FIND_OUT = "find-out"
    CHECK = "check"
    RECORD = "record"
    SAVE = "save"
    BACKUP = "backup"
    VERIFY_BACKUP = "verify-backup"
    PARAMETER = "parameter"
    REQUEST = "request"
    UPLOAD_CHAIN = "upload-chain"
    UPLOAD = "upload"
    REGENERATE = "regenerate"
    DELETE = "delete"
    RESTART = "restart"
    STOP = "stop"
    START = "start"
    CTL_UPDATE = "ctl-update"
    LOCALKEY = "localkey"
    CANARY = "canary"
    RESET = "reset"
    WAIT = "wait"
    REISSUE = "reissue"
    TELL = "tell"
    VERIFY = "verify"


class CommandLine(Cited):
    """One CLI line; placeholders: {unit} {file} {trust_file} {service}. Nothing else varies."""

    text: Text
    dialog: tuple[Text, ...] = Field(default=(), description="What it asks and what to answer.")


class StepTemplate(Closed):
    """A step of a plan: what to do, what to see, how to check, how to undo.

    In `title` and texts: {store} {file} {service} {node}. Texts with `releases` or `when` that
    do not hold are left out.
    """

    kind: StepKind
    title: Text
    do: tuple[Statement, ...] = ()
    command: tuple[CommandLine, ...] = ()
    gui: tuple[Statement, ...] = Field(default=(), description="Path in the web interface.")
    expect: tuple[Statement, ...] = ()
    check: tuple[Statement, ...] = ()
    undo: tuple[Statement, ...] = ()
    minutes: Minutes
    noticed_by: Text
    rules: tuple[Id, ...] = Field(default=(), description="Safety rules this step serves.")


class SafetyRule(Cited):
    """An order rule or precondition (O1 to O22, P1 to P13, S1 to S11)."""

    text: Text
    hard: Releases | None = Field(
        default=None, description="Releases where breaking it refuses the plan."
    )


class Side(Closed):
    """One side of a contradiction."""

    text: Text
    source: Annotated[tuple[Id, ...], Field(min_length=1)]


class Contradiction(Closed):
    """Where Cisco's own documents disagree: what we do, what else one could do, and why."""

    question: Text
    sides: Annotated[tuple[Side, ...], Field(min_length=2)]
    default: Text
    alternative: Text
    why: Text
    releases: Releases = ReleaseRange()


class Question(Closed):
    """Something the plan would like to know, and the command or page that tells."""

    text: Text
    why: Text
    command: tuple[CommandLine, ...] = ()
    look: Text | None = Field(default=None, description="Where to look instead of a command.")
    reading: Text = Field(description="How to read the answer.")
    inventory_key: Text = Field(description="Where the answer goes in the inventory.")


class Way(Closed):
    """A way through the change for what phones trust: when it is taken and what it costs."""

    title: Text
    reason: tuple[Statement, ...] = Field(description="Why this way, for the change board.")
    cost: tuple[Statement, ...] = ()


class Direction(StrEnum):
    """What an alarm's name says about the date."""

    PAST = "past"
    FUTURE = "future"
    BOTH = "both"
    NONE = "none"


class CertificateAlarmKind(Cited):
    """A mnemonic of the Certificate Monitor and what it says about notAfter."""

    severities: tuple[StrictInt, ...]
    meaning: Text
    direction: Direction
    earliest_days: StrictInt | None = Field(
        default=None, description="notAfter is at least this many days after the event."
    )
    latest_days: StrictInt | None = Field(
        default=None, description="notAfter is at most this many days after the event."
    )


class Weight(StrEnum):
    """What a related alarm means for a change."""

    STOP = "stop"
    WARNING = "warning"
    SHOWS_EFFECT = "shows-effect"


class RelatedAlarm(Cited):
    """An alarm that is evidence for a plan, though not about a certificate's date."""

    appname: Text | None = None
    msgname: Text
    topic: Id
    weight: Weight
    text: Text = Field(description="The sentence the plan prints.")


class Alarms(Closed):
    """The alarm catalogue."""

    appnames: tuple[Id, ...] = Field(description="Tokens of the Certificate Monitor.")
    certificate: dict[Id, CertificateAlarmKind]
    related: tuple[RelatedAlarm, ...] = ()
    ca_files: tuple[KnownFile, ...] = Field(
        default=(), description="Trust copies whose file name is a CA's, not a host's."
    )
    default_cluster_ids: tuple[Id, ...] = Field(
        default=(), description="ClusterID values that identify nothing."
    )


class Pack(Closed):
    """One YAML file of built-in rules; it may hold any of these parts."""

    version: Annotated[StrictInt, Field(ge=1, le=1)]
    title: Text
    sources: dict[Id, Source] = {}
    services: dict[Id, Service] = {}
    stores: dict[Id, Store] = {}
    steps: dict[Id, StepTemplate] = {}
    safety: dict[Id, SafetyRule] = {}
    contradictions: dict[Id, Contradiction] = {}
    questions: dict[Id, Question] = {}
    ways: dict[Id, Way] = {}
    alarms: Alarms | None = None

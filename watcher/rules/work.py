"""What a pack may say of work: services, steps, commands, safety rules, questions, ways."""

from enum import StrEnum
from typing import Annotated

from pydantic import (
    Field,
)

from watcher.model.release import ReleaseRange
from watcher.rules.terms import Cited, Closed, Confidence, Id, Minutes, Releases, Statement, Text


class RunsOn(StrEnum):
    """Which nodes can run a service."""

    ALL = "all"
    CUCM = "cucm"
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
    process: Id | None = Field(
        default=None,
        description="Its name in the trust model: it keeps in memory what phones are shown.",
    )
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
    stores: tuple[Id, ...] = Field(
        default=(), description="Shown only in plans that work on all of these."
    )


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

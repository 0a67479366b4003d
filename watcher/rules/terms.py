"""The words every rule is written in: releases, conditions, statements with their source."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
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

"""The words that settings are written in: lengths of time, sizes, addresses, secrets.

A time or size is text with its unit, because a bare number leaves the reader guessing.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum
from ipaddress import ip_address, ip_network
from typing import Annotated, Any, Self, TypeVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    StrictInt,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from watcher.rules.document import Path
from watcher.rules.terms import Closed, Text

Fault = tuple[Path, str, str]
"""Where, what is wrong, what would be right."""

_UNITS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}
_BYTES = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_DURATION = re.compile(r"(0|[1-9][0-9]{0,6})(ms|s|m|h|d)", re.ASCII)
_SIZE = re.compile(r"(0|[1-9][0-9]{0,6})(B|KiB|MiB|GiB)", re.ASCII)

Item = TypeVar("Item")


def _refused(value: object, problem: str, expected: str) -> PydanticCustomError:
    """Return the error for one value; braces are doubled, because the text is a template yet."""
    shown = str(value).lower() if isinstance(value, bool) else str(value)
    text = f"{shown[:60]!r} {problem} (expected {expected})"
    escaped = text.replace("{", "{{").replace("}", "}}")
    return PydanticCustomError("setting", "{text}", {"text": escaped})


def _duration(value: Any) -> Any:  # noqa: ANN401 -- pydantic hands over whatever the file holds
    if isinstance(value, timedelta):
        return value
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise _refused(value, "is not a length of time", "a number with its unit: 50ms, 30s, 6h")
    return int(match[1]) * _UNITS[match[2]]


def read_duration(text: str) -> timedelta | None:
    """Return a length of time such as `3d`; None when the text is none."""
    match = _DURATION.fullmatch(text)
    return int(match[1]) * _UNITS[match[2]] if match else None


def duration_text(value: timedelta) -> str:
    """Print a length of time in the largest unit that divides it."""
    for unit, length in reversed(_UNITS.items()):
        if not value % length:
            return f"{value // length}{unit}"
    return f"{value / _UNITS['s']}s"


def _size(value: Any) -> Any:  # noqa: ANN401 -- likewise
    if isinstance(value, int) and not isinstance(value, bool):
        return value  # a default, or one that was read already
    match = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise _refused(value, "is not a size", "a number with its unit: 512B, 16KiB, 8MiB, 2GiB")
    return int(match[1]) * _BYTES[match[2]]


def size_text(value: int) -> str:
    """Print a number of bytes in the largest unit that divides it."""
    unit = next(unit for unit, length in reversed(_BYTES.items()) if not value % length)
    return f"{value // _BYTES[unit]}{unit}"


def lasting(least: str, most: str) -> AfterValidator:
    """Return the check that a length of time lies between two, both allowed."""
    return AfterValidator(_between(_duration(least), _duration(most), duration_text))


def holding(least: str, most: str) -> AfterValidator:
    """Return the check that a size lies between two, both allowed."""
    return AfterValidator(_between(_size(least), _size(most), size_text))


def _between(least: Any, most: Any, text: Callable[[Any], str]) -> Callable[[Any], Any]:  # noqa: ANN401
    def checked(value: Any) -> Any:  # noqa: ANN401 -- a time or a size
        if value < least:
            raise _refused(text(value), "is too small", f"at least {text(least)}")
        if value > most:
            raise _refused(text(value), "is too large", f"at most {text(most)}")
        return value

    return checked


Duration = Annotated[
    timedelta, BeforeValidator(_duration), PlainSerializer(duration_text, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^{_DURATION.pattern}$", "examples": ["30s"]}),
]  # fmt: skip
Size = Annotated[
    int, BeforeValidator(_size), PlainSerializer(size_text, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^{_SIZE.pattern}$", "examples": ["16KiB"]}),
]  # fmt: skip
Number = Annotated[StrictInt, Field(ge=1, le=1_000_000_000)]


def _address(value: str) -> str:
    try:
        return str(ip_address(value))
    except ValueError as error:
        raise _refused(value, "is not an IP address", "one such as 127.0.0.1 or ::1") from error


def _network(value: str) -> str:
    try:
        return str(ip_network(value))
    except ValueError as error:
        example = "one such as 192.0.2.0/24, without bits behind the prefix"
        raise _refused(value, "is not a network", example) from error


def _mailbox(value: str) -> str:
    if not re.fullmatch(r"[^@\s<>]{0,64}@[^@\s<>]{1,190}", value):
        example = "one such as watcher@example.com, or @example.com for all of a domain"
        raise _refused(value, "is not a mail address", example)
    return value


_PERSON = r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]{0,188}[A-Za-z0-9])?$"


def _person(value: str) -> str:
    if not re.fullmatch(_PERSON, value):
        raise _refused(value, "is not a mail address", "name@host, such as noc@example.com")
    return value


def _fingerprint(value: str) -> str:
    plain = value.replace(":", "").lower()
    if not re.fullmatch(r"[0-9a-f]{64}", plain, re.ASCII):
        raise _refused(
            value, "is not a SHA-256 fingerprint", "64 hexadecimal digits, colons or not"
        )
    return plain


Address = Annotated[str, AfterValidator(_address)]
Network = Annotated[str, AfterValidator(_network)]
Mailbox = Annotated[str, AfterValidator(_mailbox)]
Person = Annotated[
    str, AfterValidator(_person), WithJsonSchema({"type": "string", "pattern": _PERSON}),
]  # fmt: skip
"""Somebody who gets mail from us, or gives it a sender."""
Fingerprint = Annotated[str, AfterValidator(_fingerprint)]
Port = Annotated[StrictInt, Field(ge=0, le=65535)]
"""0 takes any free port; for tests."""
FilePath = Text
"""From the settings file's folder where relative."""
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
"""Name of an input, a journal or a socket; metrics carry it as a label."""
EnvironmentName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$")]
CredentialName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]


def _listed(value: Any) -> Any:  # noqa: ANN401 -- likewise
    if value is None:
        return ()
    return value if isinstance(value, list | tuple) else [value]


Many = Annotated[tuple[Item, ...], BeforeValidator(_listed), Field(max_length=16)]
"""One block, a list of blocks, or null for none."""


class SecretSource(Closed):
    """Where a secret stands; it never stands in the settings file itself."""

    file: FilePath | None = Field(default=None, description="A file that only we may read.")
    credential: CredentialName | None = Field(
        default=None, description="Name of a systemd credential (LoadCredential=)."
    )
    environment: EnvironmentName | None = Field(
        default=None, description="Name of an environment variable."
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(way is not None for way in (self.file, self.credential, self.environment)) != 1:
            raise ValueError(_SECRET)
        return self


_SECRET = (
    "a secret stands elsewhere (expected {file: PATH}, {credential: NAME} or {environment: NAME})"  # noqa: S105 -- words about secrets
)


def _not_inline(value: Any) -> Any:  # noqa: ANN401 -- likewise
    # The value itself must not come back in the error: it may be a password.
    if not isinstance(value, dict | SecretSource):
        raise PydanticCustomError("secret", _SECRET.replace("{", "{{").replace("}", "}}"))
    return value


Secret = Annotated[SecretSource, BeforeValidator(_not_inline)]


class PrivateFile(Closed):
    """A file that a library opens itself, such as a key: a path, or a systemd credential."""

    file: FilePath | None = Field(default=None, description="A path.")
    credential: CredentialName | None = Field(
        default=None, description="Name of a systemd credential (LoadCredential=)."
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.file is None) == (self.credential is None):
            raise ValueError("a file (expected a path, or {credential: NAME})")
        return self


def _path(value: Any) -> Any:  # noqa: ANN401 -- likewise
    if isinstance(value, str):
        return {"file": value}
    if isinstance(value, bool | int | float):
        raise _refused(value, "is not a path", "a path, or {credential: NAME}")
    return value


KeptFile = Annotated[PrivateFile, BeforeValidator(_path)]


class LogLevel(StrEnum):
    """How much is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    """How a line of the log looks; `auto`: console on a terminal, journald under systemd, JSON."""

    AUTO = "auto"
    JSON = "json"
    CONSOLE = "console"
    JOURNALD = "journald"


class MailboxSecurity(StrEnum):
    """How the connection to a mailbox is protected."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"
    """In the clear; only on loopback."""

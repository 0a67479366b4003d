"""The output of one command in a paste, and what could not be read in it."""

from dataclasses import dataclass
from enum import StrEnum

from watcher.transcripts.text import PastedLine


class Kind(StrEnum):
    """Which command wrote a block."""

    CTL = "show ctl"
    ITL = "show itl"
    CERT_LIST = "show cert list"
    CERT = "show cert"
    SERVICES = "utils service list"
    NETWORK = "show network cluster"
    VERSION = "show version"
    PARAMETER = "run sql"
    PEM = "PEM certificate"
    OTHER = "other"
    """A command that says nothing an inventory holds, or text of no known command."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Consecutive lines that one command wrote; `command` is None when only its output is there."""

    kind: Kind
    command: str | None
    lines: tuple[PastedLine, ...]
    first_line: int
    last_line: int

    @property
    def words(self) -> tuple[str, ...]:
        """Return the words of the command line."""
        return tuple(self.command.split()) if self.command else ()

    @property
    def title(self) -> str:
        """Name the block for a report; a command line is cut, it is untrusted text."""
        if self.command is None:
            return f"{self.kind} (no command line)" if self.kind is not Kind.OTHER else "text"
        return self.command[:80]


@dataclass(frozen=True, slots=True)
class Unread:
    """One line, or one thing of a block, that could not be used, and why."""

    line: int
    text: str
    why: str

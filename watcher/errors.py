"""One error tree: each error says where, what is wrong and what was expected.

Rooms raise these; only the command line turns one into an exit status (2: your input).
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Location:
    """A place in something a person wrote: file, then line and column counted from 1."""

    file: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        """Print as `file:line:column`, leaving out what is not known."""
        parts = [self.file]
        if self.line is not None:
            parts.append(str(self.line))
            if self.column is not None:
                parts.append(str(self.column))
        return ":".join(parts)


class WatcherError(Exception):
    """Something went wrong that a person can act on."""


class InputError(WatcherError):
    """What the user gave cannot be used.

    `problem` says what is wrong, `expected` what would be right. The text is one line
    without control characters, because it may quote a hostile file.
    """

    def __init__(
        self, problem: str, *, where: Location | None = None, expected: str | None = None
    ) -> None:
        self.problem = problem
        self.where = where
        self.expected = expected
        text = f"{where}: {problem}" if where else problem
        if expected:
            text = f"{text} (expected {expected})"
        super().__init__(one_line(text))


def extra(name: str) -> str:
    """Return how an extra is got: `watcher` on the public index is another program."""
    return f"from watcher's own folder: pip install -e '.[{name}]'"


def one_line(text: str) -> str:
    """Return `text` on one line of printable characters; everything else becomes an escape."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class TemporaryError(WatcherError):
    """A fault of ours that may pass; the sender keeps what it has and tries again.

    Its text is for our log, never for the wire.
    """


class JournalFull(TemporaryError):  # noqa: N818 -- a state, named as one
    """No room is left for what comes in, or less than the reserve."""


class JournalBroken(TemporaryError):  # noqa: N818 -- likewise
    """Writing or syncing failed; nothing may be accepted until a restart."""


class StoreUnavailable(TemporaryError):  # noqa: N818 -- likewise
    """The database did not answer in time; what became of a commit is unknown."""


class TryLater(TemporaryError):  # noqa: N818 -- likewise
    """A system we send to is busy and surely did nothing; `seconds` as it asked for, or None."""

    def __init__(self, text: str, seconds: float | None = None) -> None:
        self.seconds = seconds
        super().__init__(text)


class Unclear(TemporaryError):  # noqa: N818 -- likewise
    """A system we sent to may or may not have done it; only a search tells.

    `left_out` names what alone is missing from a ticket that is there and right.
    """

    def __init__(self, text: str, left_out: Sequence[str] = ()) -> None:
        self.left_out = left_out
        super().__init__(text)


class Refused(WatcherError):  # noqa: N818 -- likewise
    """A system we send to refuses what is sent, for good: a wrong field, or project."""


class ShutOut(Refused):
    """A system we send to refuses us, whatever is sent: the log-in, a right, or a search.

    A person must mend it there or in the settings; nothing was done.
    """


class NotLoggedIn(ShutOut):
    """A system we send to does not take our log-in: it says nothing of what is sent."""

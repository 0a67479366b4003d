"""What a system answered, read without trusting it; and the texts that carry our key."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NoReturn

from watcher.errors import TryLater, one_line
from watcher.model.ticket import Draft

Value = None | bool | int | float | str | Sequence["Value"] | Mapping[str, "Value"]
"""What JSON holds."""
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_CUT = "\n(cut here; `watcher tickets show KEY --full` has all of it)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A status, headers with small names, and the JSON if there was any."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    value: Value = None

    def text(self, *path: str) -> str:
        """Return a text of the answer on one line, empty if there is none."""
        return text_at(self.value, *path)

    def rows(self, *path: str) -> Sequence[Value]:
        """Return a list of the answer, empty if there is none."""
        return rows_at(self.value, *path)


def parsed(data: bytes) -> Value:
    """Read JSON strictly: no key twice, no NaN, nothing deeper than Python reads."""
    try:
        found: Value = json.loads(
            data.decode(), object_pairs_hook=_once, parse_constant=_no_constant
        )
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"line {error.lineno}, column {error.colno}") from error
    return found


def _once(pairs: list[tuple[str, Value]]) -> dict[str, Value]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key stands there twice")
    return made


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def at(value: Value, *path: str) -> Value:
    """Return what stands under names in objects; None if nothing does."""
    for name in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value


def text_at(value: Value, *path: str) -> str:
    """Return a text or number under names, on one line; empty if there is none."""
    found = at(value, *path)
    if isinstance(found, bool) or not isinstance(found, str | int):
        return ""
    return printable(str(found))


def rows_at(value: Value, *path: str) -> Sequence[Value]:
    """Return a list under names; empty if there is none."""
    found = at(value, *path)
    return found if isinstance(found, list) else ()


def list_of(answer: Answer, name: str) -> Sequence[Value]:
    """Return the rows of an answer; one without the list says nothing, so it is asked later."""
    if not isinstance(at(answer.value, name), list):
        raise TryLater(f"the answer holds no {name}")
    return answer.rows(name)


def ours_among(
    rows: Sequence[Value], ours: Callable[[Value], bool], asked: Callable[[Value], bool], name: str
) -> Sequence[Value]:
    """Return which rows are ours of what a search answers.

    A row that the query may well find, such as of a key that differs in case alone, is just not
    ours. Rows that nobody asked for, and nothing else, say that the query was not understood.
    """
    found = [row for row in rows if ours(row)]
    if not found and not all(asked(row) for row in rows):
        raise TryLater(
            f"{name} answers a search for our key with tickets of others:"
            " its field cannot be searched, or not be read"
        )
    return found


def printable(text: str) -> str:
    """Return a text on one line of printable characters, without space around it."""
    return one_line(" ".join(text.split()))


def tag_of(text: str) -> str:
    """Return a text as one word of ASCII that can stand in any query, label and header.

    A text that is such a word already, as keys of most clusters are, stays as it is; of others
    the digest keeps apart what would look alike.
    """
    if _WORD.fullmatch(text):
        return text
    digest = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    word = re.sub(r"[^A-Za-z0-9._-]+", "_", text).strip("_.-")[:80]
    return f"{word or 'watcher'}-{digest}"


def marked(mark: str, text: str) -> str:
    """Return a comment that begins with its mark."""
    return text if text.startswith(mark) else f"{mark} {text}"


def limited(text: str, limit: int) -> str:
    """Return a text cut to what a field holds, and say that it was cut.

    It is cut at the end of a line, but for a line that would take half of the room or more with it.
    """
    if len(text) <= limit:
        return text
    room = text[: limit - len(_CUT)]
    lines = room.rpartition("\n")[0]
    return (lines if len(lines) * 2 > len(room) else room) + _CUT


def whole(draft: Draft) -> str:
    """Return all that a draft says as one text, for systems with one field; its mark is first.

    A field that is too small loses the end: the way back stands before the steps, and the checks
    of the test, which stand at the steps too, behind them.
    """
    parts = (
        (draft.description, ""), ("\n".join(draft.items), "Configuration items"),
        (draft.risk, "Risk"), (draft.impact, "Impact"), (draft.back_out, "Back-out plan"),
        (draft.implementation, "Implementation plan"), (draft.test, "Test plan"),
    )  # fmt: skip
    shown = (f"{name.upper()}\n{text}" if name else text for text, name in parts if text)
    return "\n\n".join((draft.mark, *shown))

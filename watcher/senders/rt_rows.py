"""What a ticket of Request Tracker 5 holds, as it is read, compared and written."""

import base64
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from watcher.errors import TryLater
from watcher.model.ticket import Attachment, Draft
from watcher.senders.answers import Value, printable, rows_at, tag_of, text_at
from watcher.senders.documents import versioned

UNPLANNED: Final = " no time"
"""Behind the mark of a version that is said without a planned time."""
_TIMES: Final = ("Starts", "Due")
_UNSET: Final = "1970-01-01"
_MARK: Final = re.compile(r"\[[A-Za-z0-9][A-Za-z0-9 ._-]{0,150}\]")


def ticket_id(row: Value) -> int:
    """Return the number of a ticket; a merged one answers with that of the one it went into."""
    id_ = text_at(row, "id")
    if not id_.isdigit():
        raise TryLater("the answer holds a ticket without a number")
    return int(id_)


def values_of(row: Value, name: str) -> Sequence[str]:
    """Return what a custom field of a ticket holds."""
    fields = rows_at(row, "CustomFields")
    return [
        text_at({"value": value}, "value")
        for one in fields if text_at(one, "name") == name
        for value in rows_at(one, "values")
    ]  # fmt: skip


def says(rows: Sequence[Value], before: Value, draft: Draft) -> bool:
    """Tell whether a draft's version is the last that was said, with a planned time.

    The text that a ticket is made with bears no mark of its own; its documents came with it.
    """
    of_ours = re.compile(re.escape(f"[{draft.key} v") + r"\d+(?: [0-9a-f]+)?\]" + f"({UNPLANNED})?")
    subjects = (text_at(row, "Subject") for row in rows)
    said = [one for one in subjects if of_ours.fullmatch(one)]
    if said:
        return said[-1] == draft.mark
    known = {text_at(row, "Filename") for row in rows}
    came = any(one.name in known for one in versioned(draft))
    return came and kept_of(before, _TIMES[0]) != ""


def files_of(documents: Sequence[Attachment]) -> list[dict[str, str]]:
    """Return documents as a call holds them."""
    return [
        {
            "FileName": one.name,
            "FileType": one.media_type,
            "FileContent": base64.b64encode(one.data).decode(),
        }
        for one in documents
    ]


def subject_of(mark: str) -> str:
    """Return a mark as a subject: one line of ASCII, because it becomes a header of a mail."""
    return mark if _MARK.fullmatch(mark) else f"[{tag_of(mark)}]"


def lost_of(row: Value, fields: Mapping[str, object]) -> Sequence[str]:
    """Return which fields of a ticket are not as they are to be."""
    return [name for name, value in fields.items() if kept_of(row, name) != told_of(name, value)]


def kept_of(row: Value, name: str) -> str:
    """Return a field as RT shows it, in the form in which it is written."""
    text = text_at(row, name)
    if name in _TIMES:
        return "" if text.startswith(_UNSET) else text.replace("T", " ").removesuffix("Z")
    return told_of(name, text)


def told_of(name: str, value: object) -> str:
    """Return a field as it is compared: RT knows no case in a status."""
    return str(value).lower() if name == "Status" else printable(str(value))


def time_of(at: datetime | None) -> str:
    """Return a time as RT reads it, in UTC; empty unsets it.

    One with T and Z is dropped without a word (5.0.3).
    """
    return "" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"

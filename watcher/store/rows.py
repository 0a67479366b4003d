"""Nouns to rows and back, one pair of functions for each; those of cases are in caserows.

`..._to_row` makes every value fit its column; `..._from_row` believes nothing and raises BadRow.
"""

from hashlib import sha256
from typing import Any

from sqlalchemy import Row

from watcher.model.ledger import Line, Place, Reason
from watcher.model.message import Grade, MessageId, Origin, Position, Way
from watcher.ports import EvidenceRow, Heard, StoredMessage, StoredPlan
from watcher.store.drafts import draft_from_text, draft_to_text
from watcher.store.reading import (
    BadRow,
    flag,
    instant,
    level,
    maybe_instant,
    member,
    names,
    number,
    words,
)
from watcher.store.values import DETAIL, INPUT, KEY, NAME, names_to_text, text, unique_key

Values = dict[str, Any]
REMOVED = "the bytes were removed by retention"


def message_to_row(message: StoredMessage) -> Values:
    """Return the row of a message, with size and SHA-256 of its bytes."""
    origin = message.origin
    return {
        "journal": text(message.id.journal, INPUT),
        "position": message.id.position,
        "way": origin.way.value,
        "input": text(origin.input, INPUT),
        "peer": text(origin.peer, NAME),
        "grade": int(origin.grade),
        "bound": names_to_text(origin.bound),
        "received_at": message.received_at,
        "sha256": sha256(message.data).hexdigest(),
        "size": len(message.data),
        "data": message.data,
        "cut": message.cut,
        "place": message.place.value,
        "reason": message.reason.value,
        "detail": text(message.detail, DETAIL),
    }


def message_from_row(row: Row[Any]) -> StoredMessage:
    """Read a message; its bytes must be those that were stored, or removed."""
    removed = row.data is None
    data = b"" if removed else bytes(row.data)
    if not removed and sha256(data).hexdigest() != row.sha256:
        raise BadRow("the bytes are not those that were stored")
    return StoredMessage(
        id=message_id(row),
        origin=Origin(
            way=member(Way, row.way), input=words(row.input), peer=words(row.peer),
            grade=level(Grade, row.grade), bound=names(row.bound),
        ),
        received_at=instant(row.received_at),
        data=data,
        cut=flag(row.cut),
        place=member(Place, row.place),
        reason=member(Reason, row.reason),
        detail=words(row.detail) or (REMOVED if removed else ""),
    )  # fmt: skip


def message_id(row: Row[Any]) -> MessageId:
    """Read the name of a message."""
    return MessageId(journal=words(row.journal), position=Position(number(row.position)))


def evidence_to_row(row: EvidenceRow) -> Values:
    """Return the row of an alarm that is evidence."""
    return {
        "key": unique_key(row.key),
        "journal": text(row.message.journal, INPUT),
        "position": row.message.position,
        "topic": text(row.topic, 64),
        "cluster": text(row.cluster, NAME),
        "reporter": text(row.reporter, NAME),
        "event_time": row.event_time,
        "received_at": row.received_at,
        "raw": text(row.raw),
    }


def evidence_from_row(row: Row[Any]) -> EvidenceRow:
    """Read an alarm that is evidence."""
    return EvidenceRow(
        key=words(row.key),
        message=message_id(row),
        topic=words(row.topic),
        cluster=words(row.cluster),
        reporter=words(row.reporter),
        event_time=maybe_instant(row.event_time),
        received_at=instant(row.received_at),
        raw=words(row.raw),
    )


def line_to_row(line: Line) -> Values:
    """Return the row of one line of the books."""
    return {
        "input": text(line.input, INPUT), "place": line.place.value, "reason": line.reason.value,
        "total": line.count,
    }  # fmt: skip


def line_from_row(row: Row[Any]) -> Line:
    """Read one line of the books."""
    place, reason = member(Place, row.place), member(Reason, row.reason)
    return Line(words(row.input), place, reason, number(row.total))


def heard_to_row(heard: Heard) -> Values:
    """Return the row of a source that was heard."""
    return {
        "source": text(heard.source, NAME + 8), "input": text(heard.input, INPUT),
        "total": heard.count, "last": heard.last,
    }  # fmt: skip


def heard_from_row(row: Row[Any]) -> Heard:
    """Read a source that was heard."""
    return Heard(
        source=words(row.source), input=words(row.input), count=number(row.total),
        last=instant(row.last),
    )  # fmt: skip


def plan_to_row(plan: StoredPlan) -> Values:
    """Return the row of a plan."""
    return {
        "cluster": text(plan.cluster, NAME),
        "digest": text(plan.digest, KEY),
        "drawn_at": plan.drawn_at,
        "headline": text(plan.headline),
        "steps": plan.steps,
        "refused": plan.refused,
        "document": text(plan.document),
        "markdown": text(plan.markdown),
        "draft": None if plan.draft is None else draft_to_text(plan.draft),
    }


def plan_from_row(row: Row[Any]) -> StoredPlan:
    """Read a plan."""
    return StoredPlan(
        cluster=words(row.cluster),
        digest=words(row.digest),
        drawn_at=instant(row.drawn_at),
        headline=words(row.headline),
        steps=number(row.steps),
        refused=flag(row.refused),
        document=words(row.document),
        markdown=words(row.markdown),
        draft=None if row.draft is None else draft_from_text(row.draft),
    )

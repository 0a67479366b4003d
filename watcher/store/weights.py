"""What may go, and in which order: each step removes some rows in one transaction."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, delete, func, select, update

from watcher.model.ledger import Place
from watcher.store.tables import case, event, evidence, heard, message, plan, run

REPEATS = (Place.DUPLICATE.value, Place.SELF_TEST.value, Place.NOISE.value)
ROW_BYTES = 400
"""What a row costs beside its content, roughly, with its share of the indexes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """How long and how much is kept; days count from when a message was received."""

    repeat_days: int = 30
    """Raw messages that told nothing new."""
    case_days: int = 180
    """Bytes of messages that told something new; the events keep their records for good."""
    quarantine_days: int = 90
    quarantine_rows: int = 20_000
    evidence_days: int = 180
    """Other alarms that plans refer to, and their messages."""
    plans: int = 20
    """Of each cluster, the newest; and those that a case is tied to."""
    heard_days: int = 400
    heard_rows: int = 20_000
    """Sources, so that forged addresses do not fill the table."""
    run_days: int = 400
    bytes: int = 4 * 1024**3
    """The whole database; beyond it messages go before their time, repeats first."""
    chunk: int = 1000
    """Rows of one transaction."""


class Gone(NamedTuple):
    """What one transaction removed."""

    rows: int
    size: int = 0


class Step(NamedTuple):
    """Rows that go together: what they are called, and how up to so many are removed."""

    name: str
    remove: Callable[[Connection, int], Gone]


def by_time(keep: Keep, now: datetime) -> Iterator[Step]:
    """Yield what is past its time or over its number."""

    def before(days: int) -> datetime:
        return now - timedelta(days=days)

    at = message.c.received_at
    yield Step("repeats", _messages(_placed(*REPEATS), at < before(keep.repeat_days)))
    seen = _placed(Place.EVIDENCE.value)
    yield Step("evidence messages", _messages(seen, at < before(keep.evidence_days)))
    old = select(evidence.c.id).where(evidence.c.received_at < before(keep.evidence_days))
    yield Step("evidence", _rows(evidence, old))
    yield Step("bytes", _bytes(at < before(keep.case_days)))
    quarantined = _placed(Place.QUARANTINED.value)
    yield Step("quarantine", _messages(quarantined, at < before(keep.quarantine_days)))
    surplus = select(message.c.id).where(quarantined).order_by(at.desc(), message.c.id.desc())
    yield Step("quarantine", _rows(message, surplus.offset(keep.quarantine_rows)))
    yield Step("plans", _rows(plan, _old_plans(keep.plans)))
    yield Step("heard", _where(heard.c.last < before(keep.heard_days)))
    surplus = select(heard.c.last).order_by(heard.c.last.desc()).offset(keep.heard_rows).limit(1)
    yield Step("heard", _where(heard.c.last <= surplus.scalar_subquery()))
    yield Step("runs", _where(run.c.at < before(keep.run_days)))


def by_weight() -> Iterator[Step]:
    """Yield what goes when the quota is exceeded, the least telling first."""
    yield Step("repeats", _messages(_placed(*REPEATS)))
    yield Step("evidence messages", _messages(_placed(Place.EVIDENCE.value)))
    yield Step("quarantine", _messages(_placed(Place.QUARANTINED.value)))
    yield Step("bytes", _bytes())


def content(connection: Connection) -> int:
    """Return about how many bytes the rows hold; a server's files do not shrink with them."""
    held = message.c.size * message.c.data.is_not(None).cast(message.c.size.type)
    contents = (
        (message, held),
        (event, func.length(event.c.raw)),
        (evidence, func.length(evidence.c.raw)),
        (plan, func.length(plan.c.document) + func.length(plan.c.markdown)),
        (case, func.length(case.c.reporters) + func.length(case.c.spots)),
    )
    total = 0
    for table, size in contents:
        rows, whole = connection.execute(
            select(func.count(), func.coalesce(func.sum(size), 0)).select_from(table)
        ).one()
        total += rows * ROW_BYTES + int(whole)
    return total


def _placed(*places: str) -> ColumnElement[bool]:
    """Choose messages whose bytes are there; the index knows no others."""
    return and_(message.c.place.in_(places), message.c.data.is_not(None))


def _messages(*where: ColumnElement[bool]) -> Callable[[Connection, int], Gone]:
    """Remove messages, oldest first."""
    chosen = select(message.c.id, message.c.size).where(*where).order_by(message.c.received_at)

    def remove(connection: Connection, limit: int) -> Gone:
        found = connection.execute(chosen.limit(limit)).all()
        connection.execute(delete(message).where(message.c.id.in_([row.id for row in found])))
        return Gone(len(found), sum(row.size + ROW_BYTES for row in found))

    return remove


def _bytes(*where: ColumnElement[bool]) -> Callable[[Connection, int], Gone]:
    """Remove the bytes of messages that opened or changed a case, oldest first."""
    told = _placed(Place.CASE.value)
    chosen = select(message.c.id, message.c.size).where(told, *where)
    ordered = chosen.order_by(message.c.received_at)

    def remove(connection: Connection, limit: int) -> Gone:
        found = connection.execute(ordered.limit(limit)).all()
        same = message.c.id.in_([row.id for row in found])
        connection.execute(update(message).where(same).values(data=None))
        return Gone(len(found), sum(row.size for row in found))

    return remove


def _rows(table: Table, chosen: Select[Any]) -> Callable[[Connection, int], Gone]:
    def remove(connection: Connection, limit: int) -> Gone:
        ids = connection.execute(chosen.limit(limit)).scalars().all()
        connection.execute(delete(table).where(table.c.id.in_(ids)))
        return Gone(len(ids))

    return remove


def _where(condition: ColumnElement[bool]) -> Callable[[Connection, int], Gone]:
    """Remove all at once: these tables are small."""
    table = condition.left.table

    def remove(connection: Connection, _: int) -> Gone:
        return Gone(connection.execute(delete(table).where(condition)).rowcount)

    return remove


def _old_plans(newest: int) -> Select[Any]:
    rank = func.row_number().over(partition_by=plan.c.cluster, order_by=plan.c.id.desc())
    ranked = select(plan.c.id, plan.c.digest, rank.label("rank")).subquery()
    tied = select(case.c.planned_digest).where(case.c.planned_digest != "")
    return select(ranked.c.id).where(ranked.c.rank > newest, ranked.c.digest.not_in(tied))

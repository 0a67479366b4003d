"""What the store shows; each call reads one state, and a damaged row hides no other."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select

from watcher.model.case import Act, CaseEvent, CaseKey, Crossing, Transition
from watcher.model.ledger import Line, Place
from watcher.model.message import MessageId, Position
from watcher.ports import (
    CaseQuery,
    CaseRow,
    EvidenceRow,
    Heard,
    StoredMessage,
    StoredPlan,
)
from watcher.store import caserows, rows
from watcher.store.connection import Database
from watcher.store.fetch import Damage, Fetcher
from watcher.store.reading import number, words
from watcher.store.tables import (
    act,
    case,
    crossing,
    cursor,
    event,
    evidence,
    heard,
    ledger,
    message,
    plan,
    transition,
)
from watcher.store.values import INPUT, NAME, case_digest, chunks, text

SEAL = "sha256:"
SHORTEST = 4
"""Digits of a digest that a person must give."""
MOST = 1000
"""Certificates of one case, each with its reporter and kind; twenty nodes have a tenth of that."""


class SqlView:
    """What the store shows; changes nothing."""

    def __init__(self, database: Database, damage: Damage) -> None:
        self._database = database
        self._damage = damage

    def list_cases(self, query: CaseQuery) -> Sequence[CaseRow]:
        """Return cases, most urgent first: open ones by their earliest end, then closed ones."""
        newest = select(func.max(plan.c.id).label("id")).group_by(plan.c.cluster).subquery()
        joined = case.outerjoin(
            plan, and_(plan.c.cluster == case.c.cluster, plan.c.id.in_(select(newest.c.id)))
        )
        statement = select(case, plan.c.digest.label("plan_digest")).select_from(joined)
        ordered = _chosen(statement, query).order_by(case.c.closed, case.c.urgent_at, case.c.id)
        with self._fetching() as fetch:
            return fetch.all(ordered.limit(query.limit), case, _case_row)

    def history(self, key: CaseKey) -> Sequence[Transition | Crossing | Act]:
        """Return what became of a case, oldest first."""
        digest = case_digest(key)
        found: list[Transition | Crossing | Act] = []
        with self._fetching() as fetch:
            found += fetch.all(
                _of_case(act, digest), act, lambda row: caserows.act_from_row(row, key)
            )
            found += fetch.all(
                _of_case(transition, digest),
                transition,
                lambda row: caserows.transition_from_row(row, key),
            )
            found += fetch.all(
                _of_case(crossing, digest),
                crossing,
                lambda row: caserows.crossing_from_row(row, key),
            )
        return sorted(found, key=lambda one: one.at)

    def events_of(self, keys: Collection[CaseKey], newest: int) -> Sequence[CaseEvent]:
        """Return the newest events of each case, reporter, certificate and kind, oldest first.

        Of a case with very many, those that are proven best and came last: anybody can name any
        file in any number.
        """
        found: list[CaseEvent] = []
        with self._fetching() as fetch:
            for chunk in chunks(map(case_digest, keys)):
                ranks = _newest(chunk, newest).subquery()
                wanted = select(event).join(
                    ranks, and_(ranks.c.id == event.c.id, ranks.c.rank <= MOST * newest)
                )
                found += fetch.all(wanted.order_by(event.c.id), event, caserows.event_from_row)
        return sorted(found, key=lambda one: one.received_at)

    def evidence_of(self, cluster: str, since: datetime) -> Sequence[EvidenceRow]:
        """Return evidence for a cluster's plan: what came since then, oldest first."""
        statement = select(evidence).where(
            evidence.c.cluster == text(cluster, NAME), evidence.c.received_at >= since
        )
        ordered = statement.order_by(evidence.c.received_at, evidence.c.id)
        with self._fetching() as fetch:
            return fetch.all(ordered, evidence, rows.evidence_from_row)

    def message(self, id_: MessageId) -> StoredMessage | None:
        """Return a message by its name."""
        with self._fetching() as fetch:
            return fetch.first(_in_message(message, id_), message, rows.message_from_row)

    def events_in(self, id_: MessageId) -> Sequence[CaseEvent]:
        """Return the events that a message brought."""
        statement = _in_message(event, id_).order_by(event.c.id)
        with self._fetching() as fetch:
            return fetch.all(statement, event, caserows.event_from_row)

    def quarantine(self, after: MessageId | None, limit: int) -> Sequence[StoredMessage]:
        """Return quarantined messages, oldest first, behind `after`.

        When `after` was removed by retention, all older ones were too: then from the beginning.
        """
        held = message.c.data.is_not(None)
        statement = select(message).where(message.c.place == Place.QUARANTINED.value, held)
        with self._fetching() as fetch:
            if after is not None and self._is_kept(fetch, after):
                statement = statement.where(_behind(after))
            ordered = statement.order_by(message.c.received_at, message.c.id).limit(limit)
            return fetch.all(ordered, message, rows.message_from_row)

    def books(self) -> Sequence[Line]:
        """Return the books as far as journals have been taken in."""
        with self._fetching() as fetch:
            lines = fetch.all(select(ledger), ledger, rows.line_from_row)
        return sorted(lines, key=lambda line: (line.input, line.place, line.reason))

    def cursors(self) -> Mapping[str, Position]:
        """Return up to where each journal has been taken in."""
        with self._fetching() as fetch:
            return dict(fetch.all(select(cursor), cursor, _cursor_from_row))

    def heard(self) -> Sequence[Heard]:
        """Return who was heard, and when last."""
        with self._fetching() as fetch:
            found = fetch.all(select(heard), heard, rows.heard_from_row)
        return sorted(found, key=lambda one: (one.source, one.input))

    def newest_plan(self, cluster: str) -> StoredPlan | None:
        """Return the newest plan of a cluster."""
        statement = select(plan).where(plan.c.cluster == text(cluster, NAME))
        with self._fetching() as fetch:
            newest = statement.order_by(plan.c.id.desc()).limit(1)
            return fetch.first(newest, plan, rows.plan_from_row)

    def plan(self, digest: str) -> StoredPlan | None:
        """Return a plan by its digest or an unambiguous beginning of it, as people write it."""
        wanted = "".join(digest.split()).replace("-", "").lower().removeprefix(SEAL)
        if len(wanted) < SHORTEST:
            return None
        begins = or_(*(plan.c.digest.startswith(f"{kind}{wanted}", autoescape=True)
                       for kind in (SEAL, "")))  # fmt: skip
        with self._fetching() as fetch:
            found = fetch.connection.execute(select(plan.c.digest).where(begins).distinct()).all()
            if len(found) != 1:
                return None
            same = select(plan).where(plan.c.digest == found[0].digest)
            return fetch.first(same.order_by(plan.c.id.desc()).limit(1), plan, rows.plan_from_row)

    def _is_kept(self, fetch: Fetcher, id_: MessageId) -> bool:
        named = _in_message(message, id_).with_only_columns(message.c.id)
        return fetch.connection.execute(named).first() is not None

    @contextmanager
    def _fetching(self) -> Iterator[Fetcher]:
        with self._database.reading() as connection:
            yield Fetcher(connection, self._damage)


def _chosen(statement: Select[Any], query: CaseQuery) -> Select[Any]:
    if query.cluster is not None:
        statement = statement.where(case.c.cluster == text(query.cluster, NAME))
    if query.states is not None:
        statement = statement.where(case.c.state.in_([str(state) for state in query.states]))
    if query.id is not None:
        statement = statement.where(case.c.id == query.id)
    if query.keys is not None:
        statement = statement.where(case.c.case_key.in_([case_digest(key) for key in query.keys]))
    return statement


def _newest(digests: Collection[str], newest: int) -> Select[Any]:
    """Choose the newest events of each certificate in these cases, with their rank in the case."""
    last = (event.c.received_at.desc(), event.c.id.desc())
    whose = (event.c.reporter, event.c.spot, event.c.trust, event.c.about)
    place = func.row_number().over(partition_by=(event.c.case_key, *whose), order_by=last)
    shown = (event.c.id, event.c.case_key, event.c.grade, event.c.received_at)
    places = select(*shown, place.label("place")).where(event.c.case_key.in_(digests)).subquery()
    best = (places.c.grade.desc(), places.c.received_at.desc(), places.c.id.desc())
    rank = func.row_number().over(partition_by=places.c.case_key, order_by=best)
    return select(places.c.id, rank.label("rank")).where(places.c.place <= newest)


def _case_row(row: Row[Any]) -> CaseRow:
    digest = "" if row.plan_digest is None else words(row.plan_digest)
    return CaseRow(id=number(row.id), case=caserows.case_from_row(row), plan_digest=digest)


def _of_case(table: Any, digest: str) -> Select[Any]:  # noqa: ANN401 -- any table with a case_key
    return select(table).where(table.c.case_key == digest).order_by(table.c.id)


def _behind(id_: MessageId) -> ColumnElement[bool]:
    at, number_ = (
        _in_message(message, id_).with_only_columns(column).scalar_subquery()
        for column in (message.c.received_at, message.c.id)
    )
    same = and_(message.c.received_at == at, message.c.id > number_)
    return or_(message.c.received_at > at, same)


def _in_message(table: Any, id_: MessageId) -> Select[Any]:  # noqa: ANN401 -- likewise
    return select(table).where(
        table.c.journal == text(id_.journal, INPUT), table.c.position == id_.position
    )


def _cursor_from_row(row: Row[Any]) -> tuple[str, Position]:
    return words(row.journal), Position(number(row.position))

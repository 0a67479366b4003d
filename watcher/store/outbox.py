"""Changes, their tickets, and the outbox of errands (D-05).

Nothing is inserted twice: a change is unique by its key, a ticket by change and system, an errand
by change, system and mark. An errand is moved only from the state that it was read in, and never
when a later term of the leader has sent it: a leader that slept writes over nothing.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from secrets import token_hex
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, case, func, or_, select, update

from watcher.model.ticket import (
    Change,
    Errand,
    ErrandKind,
    ErrandState,
    Ticket,
    TicketRef,
)
from watcher.ports import Drawn, Filed
from watcher.store import bulk, tables
from watcher.store.connection import Database
from watcher.store.drafts import draft_from_text, draft_to_text
from watcher.store.fetch import Damage, Fetcher
from watcher.store.reading import flag, instant, maybe_instant, member, names, number, words
from watcher.store.rows import Values
from watcher.store.values import DETAIL, INPUT, KEY, NAME, names_to_text, text

installation = tables.installation
_WORD = 3
"""Bytes: two sites that share a ticket system and a cluster's name have one word in 16 million."""
change, ticket, errand, plan = tables.change, tables.ticket, tables.errand, tables.plan


class SqlOutbox:
    """Changes and what is to be done for them; safe to use from any thread."""

    def __init__(self, database: Database, damage: Damage) -> None:
        self._database = database
        self._damage = damage

    @contextmanager
    def _reading(self) -> Iterator[Fetcher]:
        with self._database.reading() as connection:
            yield Fetcher(connection, self._damage)

    # -- what is there

    def open_clusters(self) -> Collection[str]:
        """Return the clusters whose newest change has not ended."""
        newest = select(func.max(change.c.number)).where(change.c.cluster == _other.c.cluster)
        statement = select(_other.c.cluster).where(
            _other.c.ended_at.is_(None), _other.c.number == newest.scalar_subquery()
        )
        with self._database.reading() as connection:
            return list(connection.execute(statement).scalars())

    def installation(self) -> str:
        """Return the word that tells this database's tickets from others', made once."""
        with self._database.writing() as connection:
            bulk.add(connection, installation, [{"id": 1, "word": token_hex(_WORD)}])
            found: str = connection.execute(select(installation.c.word)).scalar_one()
        return found

    def newest(self, cluster: str) -> Filed | None:
        """Return the newest change of a cluster."""
        chosen = select(change).where(change.c.cluster == text(cluster, NAME))
        return self._first(chosen.order_by(change.c.number.desc()).limit(1))

    def filed(self, key: str) -> Filed | None:
        """Return a change by its key."""
        return self._first(select(change).where(change.c.key == text(key, KEY)))

    def recent(self, limit: int) -> Sequence[Filed]:
        """Return changes, the newest first."""
        statement = select(change).order_by(change.c.id.desc()).limit(limit)
        with self._reading() as fetch:
            found = fetch.all(statement, change, _change_from_row)
            return [_with_all(fetch, one) for one in found]

    def _first(self, statement: Select[Any]) -> Filed | None:
        with self._reading() as fetch:
            found = fetch.first(statement, change, _change_from_row)
            return None if found is None else _with_all(fetch, found)

    def drawn(self, cluster: str) -> Drawn | None:
        """Return the draft of the newest plan of a cluster."""
        statement = select(plan.c.id, plan.c.draft, plan.c.drawn_at)
        chosen = statement.where(plan.c.cluster == text(cluster, NAME))
        with self._reading() as fetch:
            return fetch.first(chosen.order_by(plan.c.id.desc()).limit(1), plan, _drawn)

    def due(self, system: str, now: datetime, limit: int) -> Sequence[Errand]:
        """Return what may be tried now: first what is unknown, then what is new, oldest first."""
        waits = errand.c.state.in_((ErrandState.UNKNOWN.value, ErrandState.NEW.value))
        unknown_first = case((errand.c.state == ErrandState.UNKNOWN.value, 0), else_=1)
        return self._errands(
            and_(errand.c.system == text(system, INPUT), waits, errand.c.next_at <= now),
            (unknown_first, errand.c.next_at, errand.c.id), limit,
        )  # fmt: skip

    def sending(self) -> Sequence[Errand]:
        """Return what is marked as being sent."""
        return self._errands(errand.c.state == ErrandState.SENDING.value, (errand.c.id,), None)

    def dead(self) -> Sequence[Errand]:
        """Return what was given up."""
        return self._errands(errand.c.state == ErrandState.DEAD.value, (errand.c.id,), None)

    def _errands(self, where: Any, order: Any, limit: int | None) -> Sequence[Errand]:  # noqa: ANN401 -- clauses
        statement = _with_ticket().where(where).order_by(*order).limit(limit)
        with self._reading() as fetch:
            return fetch.all(statement, errand, _errand_from_row)

    def to_follow(self, system: str, limit: int) -> Sequence[Ticket]:
        """Return the tickets of each cluster's newest change: open ones, all while it goes on."""
        newest = select(func.max(change.c.id)).group_by(change.c.cluster)
        statement = select(ticket).join(change, change.c.key == ticket.c.change_key).where(
            ticket.c.system == text(system, INPUT), change.c.id.in_(newest),
            or_(ticket.c.closed.is_(False), change.c.ended_at.is_(None)),
        )  # fmt: skip
        with self._reading() as fetch:
            chosen = statement.order_by(ticket.c.id.desc()).limit(limit)
            return fetch.all(chosen, ticket, _ticket_from_row)

    def sent_since(self, system: str, since: datetime) -> int:
        """Return how many errands were last sent after `since`."""
        sent = errand.c.system == text(system, INPUT), errand.c.sent_at > since
        with self._database.reading() as connection:
            return connection.execute(select(func.count()).where(*sent)).scalar() or 0

    # -- what is written

    def note(
        self, changes: Sequence[Change], add: Sequence[Errand], moved: Sequence[Errand]
    ) -> None:
        """Write changes down, add errands unless their mark is there, move unsent ones."""
        with self._database.writing() as connection:
            bulk.replace(connection, change, [_change_to_row(one) for one in changes], ("key",))
            bulk.add(connection, errand, [_errand_to_row(one) for one in add])
            for one in moved:
                if not _move(connection, one, ErrandState.NEW):
                    _move(connection, one, ErrandState.DEAD)

    def see(self, seen: Ticket) -> None:
        """Write down how a ticket was found."""
        with self._database.writing() as connection:
            bulk.replace(connection, ticket, [_ticket_to_row(seen)], ("change_key", "system"))

    def keep(self, systems: Collection[str], told: str, now: datetime) -> None:
        """Let what is not done at other systems rest as done, with `told`; wake what rested so."""
        kept, done = errand.c.system.in_(list(systems)), ErrandState.DONE.value
        open_ = errand.c.state.in_([one.value for one in _RESTS])
        rested = and_(kept, errand.c.state == done, errand.c.told == told)
        wake = {
            "state": ErrandState.NEW.value, "told": "", "next_at": now, "added_at": now,
            "attempts": 0, "refusals": 0, "unclear": 0,
        }  # fmt: skip
        with self._database.writing() as connection:
            connection.execute(update(errand).where(~kept, open_).values(state=done, told=told))
            connection.execute(update(errand).where(rested).values(**wake))

    def move(self, moved: Errand, before: ErrandState, ticket_: Ticket | None = None) -> bool:
        """Write an errand down that was `before` until now; tell whether it was."""
        with self._database.writing() as connection:
            if not _move(connection, moved, before):
                return False
            if ticket_ is not None:
                row = _ticket_to_row(ticket_)
                bulk.replace(connection, ticket, [row], ("change_key", "system"))
        return True


_other = change.alias("other")
_RESTS = (ErrandState.NEW, ErrandState.UNKNOWN, ErrandState.DEAD)


def _with_all(fetch: Fetcher, found: Change) -> Filed:
    tickets = select(ticket).where(ticket.c.change_key == found.key).order_by(ticket.c.system)
    errands = _with_ticket().where(errand.c.change_key == found.key).order_by(errand.c.id)
    return Filed(
        change=found,
        tickets=fetch.all(tickets, ticket, _ticket_from_row),
        errands=fetch.all(errands, errand, _errand_from_row),
    )


def _with_ticket() -> Select[Any]:
    columns = (ticket.c[name].label(f"its_{name}") for name in _REF)
    same = and_(ticket.c.change_key == errand.c.change_key, ticket.c.system == errand.c.system)
    return select(errand, *columns).select_from(errand.outerjoin(ticket, same))


_REF = ("ref", "number", "url", "title", "closed")


def _move(connection: Connection, moved: Errand, before: ErrandState) -> bool:
    values = _errand_to_row(moved)
    for fixed in ("change_key", "system", "kind", "mark", "added_at"):
        values.pop(fixed)
    if before is ErrandState.DEAD:
        values["added_at"] = moved.added_at  # a person lets it begin anew
    same = errand.c.id == moved.id, errand.c.state == before.value, errand.c.epoch <= moved.epoch
    done = connection.execute(update(errand).where(*same).values(**values))
    return done.rowcount == 1


def _change_to_row(one: Change) -> Values:
    return {
        "key": text(one.key, KEY), "cluster": text(one.cluster, NAME), "number": one.number,
        "version": one.version, "progress": one.progress, "round": one.round,
        "standing": names_to_text(one.standing), "opened_at": one.opened_at,
        "round_at": one.round_at, "ended_at": one.ended_at, "draft": draft_to_text(one.draft),
    }  # fmt: skip


def _change_from_row(row: Row[Any]) -> Change:
    return Change(
        key=words(row.key), cluster=words(row.cluster), number=number(row.number),
        version=number(row.version), progress=number(row.progress), round=number(row.round),
        standing=names(row.standing), opened_at=instant(row.opened_at),
        round_at=instant(row.round_at), ended_at=maybe_instant(row.ended_at),
        draft=draft_from_text(row.draft),
    )  # fmt: skip


def _ticket_to_row(one: Ticket) -> Values:
    return {
        "change_key": text(one.change, KEY), "system": text(one.system, INPUT),
        "ref": text(one.ref.id, NAME), "number": text(one.ref.number, NAME),
        "url": text(one.ref.url), "title": text(one.ref.title), "closed": one.ref.closed,
        "closed_at": one.closed_at,
    }  # fmt: skip


def _ticket_from_row(row: Row[Any]) -> Ticket:
    ref = TicketRef(
        id=words(row.ref), number=words(row.number), url=words(row.url), title=words(row.title),
        closed=flag(row.closed),
    )  # fmt: skip
    return Ticket(
        change=words(row.change_key), system=words(row.system), ref=ref,
        closed_at=maybe_instant(row.closed_at),
    )  # fmt: skip


def _errand_to_row(one: Errand) -> Values:
    return {
        "change_key": text(one.change, KEY), "system": text(one.system, INPUT),
        "kind": one.kind.value, "version": one.version, "mark": text(one.mark, NAME),
        "text": text(one.text), "state": one.state.value, "attempts": one.attempts,
        "refusals": one.refusals, "unclear": one.unclear, "digest": one.digest,
        "added_at": one.added_at, "next_at": one.next_at,
        "sent_at": one.sent_at, "epoch": one.epoch, "told": text(one.told, DETAIL),
    }  # fmt: skip


def _errand_from_row(row: Row[Any]) -> Errand:
    ref = None
    if row.its_ref is not None:
        ref = TicketRef(
            id=words(row.its_ref), number=words(row.its_number), url=words(row.its_url),
            title=words(row.its_title), closed=flag(row.its_closed),
        )  # fmt: skip
    return Errand(
        id=number(row.id), change=words(row.change_key), system=words(row.system),
        kind=member(ErrandKind, row.kind), version=number(row.version), mark=words(row.mark),
        state=member(ErrandState, row.state), attempts=number(row.attempts),
        next_at=instant(row.next_at), sent_at=maybe_instant(row.sent_at), epoch=number(row.epoch),
        ticket=ref, told=words(row.told), added_at=instant(row.added_at), text=words(row.text),
        refusals=number(row.refusals), unclear=number(row.unclear), digest=words(row.digest),
    )  # fmt: skip


def _drawn(row: Row[Any]) -> Drawn | None:
    if row.draft is None:
        return None
    return Drawn(draft=draft_from_text(row.draft), drawn_at=instant(row.drawn_at))

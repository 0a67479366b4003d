"""What is counted rather than listed: figures for status, metrics and ticks."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import and_, func, or_, select

from watcher.model.case import CaseKey, Crossing
from watcher.model.ledger import Place
from watcher.model.ticket import ErrandState, OutboxCount
from watcher.ports import Term
from watcher.store.caserows import crossing_from_row, key_from_row
from watcher.store.connection import Database
from watcher.store.fetch import Damage, Fetcher
from watcher.store.reading import instant, maybe_instant
from watcher.store.tables import act, case, change, crossing, errand, lease, message, run
from watcher.store.values import INPUT, case_digest, chunks, text

REPLAY = "replay"
"""Job under which a person's replay that changed something is noted among the runs."""

_NUMBER = func.count().label("number")


class SqlFigures:
    """Counts in one statement each."""

    def __init__(self, database: Database, damage: Damage) -> None:
        self._database = database
        self._damage = damage

    def case_counts(self) -> Mapping[str, int]:
        """Return how many cases there are, by state."""
        statement = select(case.c.state, _NUMBER).group_by(case.c.state)
        with self._database.reading() as connection:
            return {row.state: row.number for row in connection.execute(statement)}

    def quarantine_counts(self) -> Mapping[str, int]:
        """Return how many messages lie in quarantine, by reason."""
        # The index holds only messages whose bytes are there; those in quarantine always are.
        lies_there = and_(message.c.place == Place.QUARANTINED.value, message.c.data.is_not(None))
        statement = select(message.c.reason, _NUMBER).where(lies_there)
        with self._database.reading() as connection:
            found = connection.execute(statement.group_by(message.c.reason))
            return {row.reason: row.number for row in found}

    def outbox_counts(self) -> Sequence[OutboxCount]:
        """Return how many errands there are of each ticket system and state.

        Of a change that is over, what was given up counts only where it was to say so.
        """
        oldest = func.min(errand.c.added_at).label("oldest")
        wanted = or_(
            errand.c.state != ErrandState.DEAD.value, change.c.ended_at.is_(None),
            errand.c.added_at >= change.c.ended_at,
        )  # fmt: skip
        joined = errand.join(change, change.c.key == errand.c.change_key)
        statement = select(errand.c.system, errand.c.state, _NUMBER, oldest).select_from(joined)
        statement = statement.where(wanted)
        with self._database.reading() as connection:
            rows = connection.execute(statement.group_by(errand.c.system, errand.c.state)).all()
        found = (
            OutboxCount(system=row.system, state=ErrandState(row.state), count=row.number,
                        oldest=maybe_instant(row.oldest))
            for row in rows if row.state in set(ErrandState)
        )  # fmt: skip
        return sorted(found, key=lambda one: (one.system, one.state))

    def open_clusters(self) -> Collection[str]:
        """Return the clusters with a case that is not resolved."""
        statement = select(case.c.cluster).where(case.c.closed.is_(False)).distinct()
        with self._database.reading() as connection:
            return [cluster for (cluster,) in connection.execute(statement)]

    def told(self, rounds: Mapping[CaseKey, int]) -> Mapping[CaseKey, Collection[int]]:
        """Return the thresholds that each case has crossed in its round."""
        names = {case_digest(key): key for key in rounds}
        found: dict[CaseKey, set[int]] = {key: set() for key in rounds}
        columns = crossing.c.case_key, crossing.c.round, crossing.c.days
        with self._database.reading() as connection:
            for chunk in chunks(names):
                statement = select(*columns).where(crossing.c.case_key.in_(chunk))
                for digest, round_, days in connection.execute(statement):
                    if round_ == rounds[names[digest]]:
                        found[names[digest]].add(days)
        return found

    def crossings(self, after: int, limit: int) -> Sequence[tuple[int, Crossing]]:
        """Return crossings, also silent ones, oldest first, with their numbers behind `after`."""
        joined = crossing.join(case, case.c.case_key == crossing.c.case_key)
        names = case.c.cluster, case.c.owner, case.c.store, case.c.identity, case.c.claimed
        statement = select(crossing, *names).select_from(joined)
        later = statement.where(crossing.c.id > after).order_by(crossing.c.id)
        with self._database.reading() as connection:
            # One that cannot be read must not keep notices of the others from being sent.
            return Fetcher(connection, self._damage).all(
                later.limit(limit), crossing,
                lambda row: (row.id, crossing_from_row(row, key_from_row(row))),
            )  # fmt: skip

    def latest_crossing(self) -> int:
        """Return the number of the newest crossing, told or not; 0: there is none."""
        with self._database.reading() as connection:
            return connection.execute(select(func.max(crossing.c.id))).scalar() or 0

    def latest_act(self) -> int:
        """Return a number that goes up with each act of a person; 0: there was none."""
        replays = select(func.count()).where(run.c.job == REPLAY)
        with self._database.reading() as connection:
            acts = connection.execute(select(func.max(act.c.id))).scalar() or 0
            return acts + (connection.execute(replays).scalar() or 0)

    def term(self, name: str) -> Term | None:
        """Return the newest term of a lease, whoever holds it; no holder: it was released."""
        columns = lease.c.holder, lease.c.epoch, lease.c.until
        with self._database.reading() as connection:
            statement = select(*columns).where(lease.c.name == text(name, INPUT))
            row = connection.execute(statement).first()
        if row is None:
            return None
        return Term(holder=row.holder, epoch=row.epoch, until=instant(row.until))

"""Who leads, and what was done for which period: the database decides (D-11, D-12).

Whose clock says that a lease ran out? With PostgreSQL the server's, because instances on two
machines may disagree by more than a lease. With SQLite there is one machine, and its clock is the
`now` that is given. A lease that ends later than any could (the clock was set back) has run out.

At most one holder: every change is a serial transaction, a new term has a higher epoch, and a
holder that slept through its end takes a new term instead of prolonging the old one.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from watcher.ports import Run, Term, Work
from watcher.store.connection import Database
from watcher.store.fetch import Damage, Fetcher
from watcher.store.reading import instant, maybe_instant
from watcher.store.tables import lease, run
from watcher.store.values import INPUT, NAME, text

SLACK = 2
"""A lease that ends later than this many times its length was given by a clock since set back."""


_PAST = datetime(1970, 1, 1, tzinfo=UTC)


class SqlLease:
    """At most one holder at a time. `holder` must be unique to a process, not to a machine."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, name: str, holder: str, now: datetime, seconds: int) -> Term | None:
        """Take or prolong the lease; None while another holds it."""
        name, holder = text(name, INPUT), text(holder, NAME)
        with self._database.writing() as connection:
            now = _clock(connection, now)
            row = connection.execute(select(lease).where(lease.c.name == name)).first()
            runs = row is not None and _runs(instant(row.until), now, seconds)
            if row is not None and runs and row.holder != holder:
                return None
            epoch = 1 if row is None else row.epoch + (not runs)
            term = Term(holder=holder, epoch=epoch, until=now + timedelta(seconds=seconds))
            values = {"holder": holder, "epoch": epoch, "until": term.until}
            if row is None:
                connection.execute(insert(lease).values(name=name, **values))
            else:
                connection.execute(update(lease).where(lease.c.name == name).values(**values))
        return term

    def holds(self, name: str, term: Term) -> bool:
        """Tell whether the term is still the newest; asked before every send.

        With PostgreSQL it also must not have run out. Raises StoreUnavailable when nobody can tell:
        then do not send.
        """
        with self._database.reading() as connection:
            statement = select(lease.c.holder, lease.c.epoch, lease.c.until).where(
                lease.c.name == text(name, INPUT)
            )
            row = connection.execute(statement).first()
            if row is None or (row.holder, row.epoch) != (text(term.holder, NAME), term.epoch):
                return False
            until = instant(row.until)
            return _clock(connection, until) <= until

    def release(self, name: str, term: Term) -> None:
        """Let another have it at once; nothing happens when another has it already."""
        mine = (
            lease.c.name == text(name, INPUT),
            lease.c.holder == text(term.holder, NAME),
            lease.c.epoch == term.epoch,
        )
        with self._database.writing() as connection:
            connection.execute(update(lease).where(*mine).values(holder="", until=_PAST))


def _clock(connection: Connection, given: datetime) -> datetime:
    """Return the server's time; `given` where there is no server."""
    if connection.dialect.name == "sqlite":
        return given
    return instant(connection.execute(select(func.clock_timestamp())).scalar_one())


def _runs(until: datetime, now: datetime, seconds: int) -> bool:
    return now < until <= now + timedelta(seconds=SLACK * seconds)


class SqlRuns:
    """Which scheduled work was done for which period."""

    def __init__(self, database: Database, damage: Damage) -> None:
        self._database = database
        self._damage = damage

    def claim(self, job: str, period: str, at: datetime) -> bool:
        """Insert the run unless it is there; tell whether it is ours to do."""
        values = {"job": text(job, INPUT), "period": text(period, INPUT), "at": at}
        with self._database.writing() as connection:
            dialect = sqlite if self._database.is_sqlite else postgresql
            statement = dialect.insert(run).values(**values).on_conflict_do_nothing()
            counted = statement.execution_options(preserve_rowcount=True)
            return connection.execute(counted).rowcount == 1

    def finish(self, job: str, period: str, at: datetime, result: str) -> None:
        """State how it ended."""
        same = run.c.job == text(job, INPUT), run.c.period == text(period, INPUT)
        with self._database.writing() as connection:
            connection.execute(update(run).where(*same).values(finished_at=at, result=text(result)))

    def last(self, job: str, result: str | None = None) -> Run | None:
        """Return the run that ended last; of those that ended with `result` if given."""
        ended = [run.c.job == text(job, INPUT), run.c.finished_at.is_not(None)]
        if result is not None:
            ended.append(run.c.result == text(result))
        statement = select(run.c.finished_at, run.c.result).where(*ended)
        with self._database.reading() as connection:
            newest = statement.order_by(run.c.finished_at.desc(), run.c.period.desc()).limit(1)
            row = connection.execute(newest).first()
        if row is None:
            return None
        return Run(finished_at=instant(row.finished_at), result=row.result or "")

    def note(self, job: str, period: str, result: str) -> None:
        """State how far an unfinished run is."""
        same = run.c.job == text(job, INPUT), run.c.period == text(period, INPUT)
        with self._database.writing() as connection:
            open_ = run.c.finished_at.is_(None)
            connection.execute(update(run).where(*same, open_).values(result=text(result)))

    def work(self, job: str, limit: int) -> Sequence[Work]:
        """Return the newest runs of a job and all that are unfinished, the newest period first."""
        mine = select(run).where(run.c.job == text(job, INPUT)).order_by(run.c.period.desc())
        with self._database.reading() as connection:
            fetch = Fetcher(connection, self._damage)
            newest = fetch.all(mine.limit(limit), run, _work)
            if not newest:
                return newest
            older = mine.where(run.c.period < newest[-1].period, run.c.finished_at.is_(None))
            return [*newest, *fetch.all(older, run, _work)]


def _work(row: Row[Any]) -> Work:
    return Work(
        period=row.period, at=instant(row.at), result=row.result or "",
        finished_at=maybe_instant(row.finished_at),
    )  # fmt: skip

"""Digests and notices: which are due, what becomes of each, and a thread that carries them.

A run `(digest:LIST, week)` in the database is what makes a digest one. It is claimed first, then
the letter is drawn and written down with its recipients, then each try is written down before it
is made and after. So a process that ends anywhere loses nothing, and the next leader goes on:
with the same letter, to those recipients that have it not. Only the leader sends, and asks the
database whether it still leads right before.
"""

import logging
import queue
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from threading import Thread
from typing import Protocol

from watcher.app.apart import Apart
from watcher.app.letters import CLAIMED, DIGEST, NOTICE, Mailing, letters, mailings, people
from watcher.app.posting import Carriers, Desk, Seen, lacks_plans, open_cases, state_of
from watcher.app.report import LEADER, Found
from watcher.digest.mail import Body, letter
from watcher.digest.sending import (
    QUIET,
    Consignment,
    aged,
    answered,
    begun,
    from_text,
    ready,
    to_text,
)
from watcher.digest.weeks import due, missed
from watcher.errors import StoreUnavailable
from watcher.model.case import Crossing
from watcher.model.digest import Answer, Delivery, Parcel
from watcher.ports import Clock, Lease, Runs, Term, Work
from watcher.settings.digest import NoticeList

logger = logging.getLogger(__name__)

RUNS = 60
"""Runs of a list that are looked at: more than a year of weeks."""
CROSSINGS = 1_000
"""Crossings that one notice takes in."""
DRAWING_NS = 10 * 60 * 10**9
"""A digest waits for plans that are not drawn yet, and no longer than this."""
NOTHING = "nothing was due, and that is not sent"
LATE = "it could not be drawn before the next was due"
END = 3.0
"""Seconds that the end waits for a mail on its way; what then is unclear goes out again."""


class Kept(Seen, Protocol):
    """A store as far as digests work with it."""

    @property
    def runs(self) -> Runs:
        """Return which work was done for which period."""

    @property
    def lease(self) -> Lease:
        """Return who leads."""


@dataclass(frozen=True, slots=True)
class _Trip:
    """A letter on its way, and where it is written down."""

    job: str
    period: str
    consignment: Consignment
    to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Week:
    """A week that a digest is drawn of, and those of the list that have one."""

    period: str
    others: Sequence[str]


@dataclass(slots=True)
class _OneLook:
    """The runs as one look sees them: those of a job are read once, and anew after a write."""

    runs: Runs
    _read: dict[str, Sequence[Work]] = field(default_factory=dict)

    def work(self, job: str) -> Sequence[Work]:
        if job not in self._read:
            self._read[job] = self.runs.work(job, RUNS)
        return self._read[job]

    def claim(self, job: str, period: str, at: datetime) -> bool:
        self._read.pop(job, None)
        return self.runs.claim(job, period, at)

    def note(self, job: str, period: str, result: str) -> None:
        self._read.pop(job, None)
        self.runs.note(job, period, result)

    def finish(self, job: str, period: str, at: datetime, result: str) -> None:
        self._read.pop(job, None)
        self.runs.finish(job, period, at, result)


@dataclass(slots=True)
class Digests:
    """Everything that we send by ourselves; called from the worker's thread."""

    desk: Desk
    store: Kept
    clock: Clock
    standing: Found
    carriers: Carriers
    _seen: dict[str, int] = field(default_factory=dict)
    """Up to which crossing each list was looked at."""
    _back: "queue.SimpleQueue[tuple[_Trip, Mapping[str, tuple[Answer, str]]]]" = field(
        default_factory=queue.SimpleQueue
    )
    _away: Thread | None = None
    _waits: tuple[str, int] | None = None
    """Which week's digests wait for plans, and since when, by the clock that nobody sets."""
    _apart: Apart = field(init=False)

    def __post_init__(self) -> None:
        """Begin without a fault."""
        self._apart = Apart(self.clock)

    def look(self) -> None:
        """Write down what came back, claim what is due, send what waits.

        A fault of ours in here must not stop the line that takes alarms in.
        """
        self._apart.do("digests", self._look)

    def _look(self) -> None:
        self._settle()
        if not self._wanted or not self._leads():
            self.standing.letters = ()
            return
        now, runs = self.clock.now(), _OneLook(self.store.runs)
        if self.standing.sources_at is not None:  # a page right after the start knew nobody
            for one in self.desk.settings.digest.lists:
                week = partial(self._look_at_week, runs, one.name, now)
                self._apart.do(f"digest of list {one.name}", week)
        for notices in self.desk.settings.notifications.lists:
            marks = partial(self._look_at_marks, runs, notices, now)
            self._apart.do(f"notice to list {notices.name}", marks)
        if self._away is None or not self._away.is_alive():
            self._send_one(runs, now)
        if self.standing.sources_at is not None:
            self._apart.do("counting of letters", partial(self._count, runs, now))

    def _count(self, runs: _OneLook, now: datetime) -> None:
        self.standing.letters = letters(mailings(self.desk.settings), runs.work, now)

    def stop(self) -> None:
        """Wait a moment for a mail on its way."""
        if self._away is not None:
            self._away.join(END)
        try:
            self._settle()
        except StoreUnavailable as error:
            logger.warning("the database does not answer: %s", error)

    @property
    def failing(self) -> tuple[str, ...]:
        """Return the parts that failed when they were last tried."""
        return self._apart.failing

    @property
    def _wanted(self) -> bool:
        settings = self.desk.settings
        return bool(settings.digest.lists or settings.notifications.lists)

    def _leads(self) -> bool:
        term = self.standing.term
        return term is not None and self.store.lease.holds(LEADER, term)

    # -- the week

    def _look_at_week(self, runs: _OneLook, name: str, now: datetime) -> None:
        job = f"{DIGEST}{name}"
        works = runs.work(job)
        period = due(now, self.desk.timetable, {work.period for work in works})
        if period is not None and self._has_plans(period) and runs.claim(job, period, now):
            self._draw(runs, name, _Week(period, _made(works, period, now)), now)
            works = runs.work(job)
        for work in works:
            if not _abandoned(work, now):
                continue
            if work.period == works[0].period:
                self._draw(runs, name, _Week(work.period, _made(works, work.period, now)), now)
            else:
                runs.finish(job, work.period, now, LATE)

    def _has_plans(self, period: str) -> bool:
        """Tell whether there is a plan for all that is open, or it was waited for long enough.

        The first digest of all falls due at the first cases, a moment before their plans. Each
        week waits anew, and all its lists at once.
        """
        if not lacks_plans(self.store.view, self.desk.inventory):
            self._waits = None
            return True
        at = self.clock.monotonic_ns()
        if self._waits is None or self._waits[0] != period:
            self._waits = period, at
        return at - self._waits[1] >= DRAWING_NS

    def _draw(self, runs: _OneLook, name: str, week: _Week, now: datetime) -> None:
        """Draw the digest of a week that is ours, and write its letter down."""
        job, desk = f"{DIGEST}{name}", self.desk
        state = state_of(self.store, self.standing.sources, desk.inventory, now)
        state = replace(state, missed=missed(week.period, week.others))
        page = desk.page(name, state, week.period, now)
        if page.quiet and not desk.settings.digest.quiet:
            runs.finish(job, week.period, now, NOTHING)
            return
        to = next(one.to for one in desk.settings.digest.lists if one.name == name)
        runs.note(job, week.period, _first_text(desk.digest(page, now), to, now))
        logger.info("digest %s of %s: %s", week.period, name, page.state,
                    extra={"action": "digest"})  # fmt: skip

    # -- marks

    def _look_at_marks(self, runs: _OneLook, one: NoticeList, now: datetime) -> None:
        job = f"{NOTICE}{one.name}"
        works = runs.work(job)
        if not works:
            # What was passed before anybody asked to be told is told to nobody.
            first = self.store.figures.latest_crossing()
            if runs.claim(job, _number(first), now):
                runs.finish(job, _number(first), now, "notices begin here")
            return
        after = max(int(works[0].period), self._seen.get(one.name, 0))
        found = self.store.figures.crossings(after, CROSSINGS)
        if found:
            upto = found[-1][0]
            body = self._body(one, [crossing for _, crossing in found], now)
            if body is not None and runs.claim(job, _number(upto), now):
                self._tell(runs, one, (upto, body), now)
            self._seen[one.name] = upto
        for work, before in zip(works, [*works[1:], None], strict=True):
            if _abandoned(work, now):
                after = int(before.period) if before else 0
                self._tell_again(runs, one, range(after, int(work.period) + 1), now)

    def _body(self, one: NoticeList, crossings: Sequence[Crossing], at: datetime) -> Body | None:
        cases = open_cases(self.store.view, [crossing.case for crossing in crossings])
        return self.desk.notice(one, crossings, cases, at)

    def _tell_again(
        self, runs: _OneLook, one: NoticeList, marks: range, now: datetime
    ) -> None:  # fmt: skip
        """Draw a notice anew that was claimed, and nothing came of it."""
        found, upto = self.store.figures.crossings(marks[0], CROSSINGS), marks[-1]
        body = self._body(one, [crossing for n, crossing in found if n <= upto], now)
        if body is None:
            runs.finish(f"{NOTICE}{one.name}", _number(upto), now, "nothing to tell any more")
        else:
            self._tell(runs, one, (upto, body), now)

    def _tell(
        self, runs: _OneLook, one: NoticeList, told: tuple[int, Body], now: datetime
    ) -> None:  # fmt: skip
        upto, body = told
        envelope = self.desk.envelope(one.name, one.to, f"notice.{upto}", now)
        data = letter(envelope, body)
        runs.note(f"{NOTICE}{one.name}", _number(upto), _first_text(data, people(one), now))
        logger.info("notice to %s: %s", one.name, body.subject, extra={"action": "notice"})

    # -- carrying

    def _send_one(self, runs: _OneLook, now: datetime) -> None:
        """Send the first letter that waits for its next try; the oldest week goes first."""
        for one in mailings(self.desk.settings):
            if self._apart.do(f"sending {one.job}", partial(self._send_of, runs, one, now)):
                return

    def _send_of(self, runs: _OneLook, mailing: Mailing, now: datetime) -> bool:
        for work in reversed(runs.work(mailing.job)):
            found = from_text(work.result) if work.finished_at is None else None
            if found is None:
                continue
            one = aged(found, now)
            if one.over:
                self._finish(mailing.job, work.period, one, now)
            elif ready(one, now):
                self._begin(mailing, work.period, one)
                return True
        return False

    def _begin(self, mailing: Mailing, period: str, one: Consignment) -> None:
        term = self.standing.term
        if term is None:
            return
        now = self.clock.now()
        to = ready(one, now)
        trip = _Trip(mailing.job, period, begun(one, to, now, term.epoch), to)
        self.store.runs.note(mailing.job, period, to_text(trip.consignment))
        self._away = Thread(target=self._carry, args=(mailing.name, trip, term), daemon=True)
        self._away.start()

    def _carry(self, name: str, trip: _Trip, term: Term) -> None:
        """Send; runs in a thread of its own, because a relay may take its time."""
        try:
            if self.store.lease.holds(LEADER, term):
                answers = self.carriers.carry(name, trip.consignment.letter, trip.to)
            else:
                answers = dict.fromkeys(trip.to, (Answer.LATER, "another leads now"))
        except StoreUnavailable:
            answers = dict.fromkeys(trip.to, (Answer.LATER, "the database did not answer"))
        except Exception as error:
            logger.exception("a letter could not be carried")
            answers = dict.fromkeys(trip.to, (Answer.UNCLEAR, type(error).__name__))
        self._back.put((trip, answers))

    def _settle(self) -> None:
        """Write down what recipients answered."""
        while self._back.qsize():
            trip, answers = self._back.get()
            now = self.clock.now()
            one = answered(trip.consignment, answers, now)
            try:
                if not self._is_ours(trip):
                    continue
                if one.over:
                    self._finish(trip.job, trip.period, one, now)
                else:
                    self.store.runs.note(trip.job, trip.period, to_text(one))
            except StoreUnavailable:
                self._back.put((trip, answers))
                raise
            for to, (answer, told) in answers.items():
                if answer is not Answer.TAKEN:
                    logger.warning("%s %s to %s: %s (%s)", trip.job, trip.period, to, answer, told,
                                   extra={"action": "undelivered"})  # fmt: skip

    def _is_ours(self, trip: _Trip) -> bool:
        """Tell whether no later term has sent the letter meanwhile."""
        works = self.store.runs.work(trip.job, RUNS)
        now = next((from_text(work.result) for work in works if work.period == trip.period), None)
        return now is None or now.epoch <= trip.consignment.epoch

    def _finish(self, job: str, period: str, one: Consignment, now: datetime) -> None:
        self.store.runs.finish(job, period, now, to_text(one))
        lost = [p for p in one.parcels if p.state is not Delivery.DONE]
        level = logging.ERROR if lost else logging.INFO
        words = "; ".join(f"{p.to}: {p.state} ({p.told})" for p in lost)
        logger.log(level, "%s %s: %s%s", job, period, one.result, f"; {words}" if words else "",
                   extra={"action": "delivered"})  # fmt: skip


def _first_text(data: bytes, to: Sequence[str], now: datetime) -> str:
    """Return how a letter is written down that nobody was sent yet."""
    parcels = tuple(Parcel(to=one) for one in to)
    return to_text(Consignment(begun_at=now, letter=data, parcels=parcels))


def _made(works: Sequence[Work], week: str, now: datetime) -> list[str]:
    """Return the other weeks of which there was a digest."""
    others = (one for one in works if one.period != week)
    return [one.period for one in others if one.result != LATE and not _abandoned(one, now)]


def _abandoned(work: Work, now: datetime) -> bool:
    """Tell whether a run was claimed and no letter came of it, or one that cannot be read.

    A clock set back waits for nobody.
    """
    if work.finished_at is not None or from_text(work.result) is not None:
        return False
    age = now - work.at
    return age >= CLAIMED or age < -QUIET


def _number(crossing: int) -> str:
    return f"{crossing:019d}"

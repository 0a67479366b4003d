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
from datetime import datetime, timedelta
from threading import Thread
from typing import Protocol

from watcher.app.posting import CHAT, Carriers, Desk, Seen, lacks_plans, open_cases, state_of
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

DIGEST, NOTICE = "digest:", "notify:"
RUNS = 60
"""Runs of a list that are looked at: more than a year of weeks."""
CLAIMED = timedelta(minutes=2)
"""A claim of another process without a letter is taken over after so long."""
CROSSINGS = 1_000
"""Crossings that one notice takes in."""
DRAWING_NS = 10 * 60 * 10**9
"""A digest waits for plans that are not drawn yet, and no longer than this."""
NOTHING = "nothing was due, and that is not sent"
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
    _waits_since: int | None = None
    """Since when digests wait for plans, by the clock that nobody sets."""

    def look(self) -> None:
        """Write down what came back, claim what is due, send what waits.

        A fault of ours in here must not stop the line that takes alarms in.
        """
        try:
            self._look()
        except StoreUnavailable:
            raise
        except Exception:
            logger.exception("digests failed", extra={"action": "digest_failed"})

    def _look(self) -> None:
        self._settle()
        if not self._wanted or not self._leads():
            return
        now = self.clock.now()
        if self.standing.sources_at is not None:  # a page right after the start knew nobody
            for one in self.desk.settings.digest.lists:
                self._look_at_week(one.name, now)
        for notices in self.desk.settings.notifications.lists:
            self._look_at_marks(notices, now)
        if self._away is None or not self._away.is_alive():
            self._send_one(now)

    def stop(self) -> None:
        """Wait a moment for a mail on its way."""
        if self._away is not None:
            self._away.join(END)
        try:
            self._settle()
        except StoreUnavailable as error:
            logger.warning("the database does not answer: %s", error)

    @property
    def _wanted(self) -> bool:
        settings = self.desk.settings
        return bool(settings.digest.lists or settings.notifications.lists)

    def _leads(self) -> bool:
        term = self.standing.term
        return term is not None and self.store.lease.holds(LEADER, term)

    # -- the week

    def _look_at_week(self, name: str, now: datetime) -> None:
        job, runs = f"{DIGEST}{name}", self.store.runs
        works = runs.work(job, RUNS)
        period = due(now, self.desk.timetable, {work.period for work in works})
        if period is not None and self._has_plans() and runs.claim(job, period, now):
            self._draw(name, period, [work.period for work in works], now)
        for work in works:
            if _abandoned(work, now):
                others = [one.period for one in works if one.period != work.period]
                self._draw(name, work.period, others, now)

    def _has_plans(self) -> bool:
        """Tell whether there is a plan for all that is open, or it was waited for long enough.

        The first digest of all falls due at the first cases, a moment before their plans.
        """
        if not lacks_plans(self.store.view, self.desk.inventory):
            self._waits_since = None
            return True
        at = self.clock.monotonic_ns()
        self._waits_since = at if self._waits_since is None else self._waits_since
        return at - self._waits_since >= DRAWING_NS

    def _draw(self, name: str, period: str, done: Sequence[str], now: datetime) -> None:
        """Draw the digest of a week that is ours, and write its letter down."""
        job, desk = f"{DIGEST}{name}", self.desk
        state = state_of(self.store, self.standing.sources, desk.inventory, now)
        page = desk.page(name, replace(state, missed=missed(period, done)), period, now)
        if page.quiet and not desk.settings.digest.quiet:
            self.store.runs.finish(job, period, now, NOTHING)
            return
        to = next(one.to for one in desk.settings.digest.lists if one.name == name)
        self._write_down(job, period, desk.digest(page, now), to, now)
        logger.info("digest %s of %s: %s", period, name, page.state, extra={"action": "digest"})

    def _write_down(
        self, job: str, period: str, data: bytes, to: Sequence[str], now: datetime
    ) -> None:  # fmt: skip
        made = Consignment(begun_at=now, letter=data, parcels=tuple(Parcel(to=one) for one in to))
        self.store.runs.note(job, period, to_text(made))

    # -- marks

    def _look_at_marks(self, one: NoticeList, now: datetime) -> None:
        job, runs = f"{NOTICE}{one.name}", self.store.runs
        works = runs.work(job, RUNS)
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
                self._tell(one, upto, body, now)
            self._seen[one.name] = upto
        for work, before in zip(works, [*works[1:], None], strict=True):
            if _abandoned(work, now):
                self._tell_again(one, int(before.period) if before else 0, int(work.period), now)

    def _body(self, one: NoticeList, crossings: Sequence[Crossing], at: datetime) -> Body | None:
        cases = open_cases(self.store.view, [crossing.case for crossing in crossings])
        return self.desk.notice(one, crossings, cases, at)

    def _tell_again(self, one: NoticeList, after: int, upto: int, now: datetime) -> None:
        """Draw a notice anew that was claimed, and nothing came of it."""
        found = self.store.figures.crossings(after, CROSSINGS)
        body = self._body(one, [crossing for n, crossing in found if n <= upto], now)
        if body is None:
            self.store.runs.finish(
                f"{NOTICE}{one.name}", _number(upto), now, "nothing to tell any more"
            )
        else:
            self._tell(one, upto, body, now)

    def _tell(self, one: NoticeList, upto: int, body: Body, now: datetime) -> None:
        to = (*one.to, *(f"{CHAT}{n}" for n in range(len(one.chat))))
        envelope = self.desk.envelope(one.name, one.to, f"notice.{upto}", now)
        self._write_down(f"{NOTICE}{one.name}", _number(upto), letter(envelope, body), to, now)
        logger.info("notice to %s: %s", one.name, body.subject, extra={"action": "notice"})

    # -- carrying

    def _jobs(self) -> Sequence[tuple[str, str]]:
        settings = self.desk.settings
        return [
            *((f"{NOTICE}{one.name}", one.name) for one in settings.notifications.lists),
            *((f"{DIGEST}{one.name}", one.name) for one in settings.digest.lists),
        ]

    def _send_one(self, now: datetime) -> None:
        """Send the first letter that waits for its next try; the oldest week goes first."""
        for job, name in self._jobs():
            for work in reversed(self.store.runs.work(job, RUNS)):
                found = from_text(work.result) if work.finished_at is None else None
                if found is None:
                    continue
                one = aged(found, now)
                if one.over:
                    self._finish(job, work.period, one, now)
                elif ready(one, now):
                    self._begin(name, job, work.period, one)
                    return

    def _begin(self, name: str, job: str, period: str, one: Consignment) -> None:
        term = self.standing.term
        if term is None:
            return
        now = self.clock.now()
        to = ready(one, now)
        trip = _Trip(job, period, begun(one, to, now, term.epoch), to)
        self.store.runs.note(job, period, to_text(trip.consignment))
        self._away = Thread(target=self._carry, args=(name, trip, term), daemon=True)
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


def _abandoned(work: Work, now: datetime) -> bool:
    """Tell whether a run was claimed and nothing came of it; a clock set back waits for nobody."""
    if work.finished_at is not None or work.result:
        return False
    age = now - work.at
    return age >= CLAIMED or age < -QUIET


def _number(crossing: int) -> str:
    return f"{crossing:019d}"

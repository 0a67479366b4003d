"""A thousand changes through every back-end under the fault mix of G-10: a thousand tickets.

The outbox's own machine (watcher.tickets.advance) leads, on the fake servers' clock. A driver
without its search and its quiet time makes doubles under the same mix: the test can fail.
"""

import heapq
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from senders.fakes import Fault, Script, ServerClock
from senders.systems import KINDS, SEARCHED, draft

from watcher.errors import Refused, TryLater, Unclear
from watcher.model.ticket import Errand, ErrandKind, ErrandState
from watcher.tickets.advance import Answer, Limits, Outcome, advance, begin

KEYS = 1000
LAG = 120.0
MIX = {
    Fault.ERROR_500: 0.05, Fault.ERROR_500_DONE: 0.05, Fault.ERROR_502: 0.05,
    Fault.BUSY_503_WAIT: 0.05, Fault.TIMEOUT_BEFORE: 0.03, Fault.TIMEOUT_DONE: 0.03,
    Fault.LATE_WORK: 0.04, Fault.LOST: 0.10, Fault.BUSY_429: 0.02, Fault.BUSY_429_WAIT: 0.03,
    Fault.HTML: 0.05,
}  # fmt: skip
"""5xx 20 %, time-outs 10 % (some of them work that ends later), lost 10 %, 429 5 %, HTML 5 %."""
START = datetime(2026, 11, 23, 21, 0, tzinfo=UTC)
ENDS = {TryLater: Outcome.LATER, Unclear: Outcome.UNCLEAR, Refused: Outcome.REFUSED}


class Driver:
    """Leads errands to their ends, each call at its time on the servers' clock.

    With documents, a ticket that was found, and whose making nobody confirmed, gets an update, as
    the outbox does.
    """

    def __init__(self, system, clock, limits):
        self.system, self.clock, self.limits = system, clock, limits
        self.drafted = plain

    def run(self, keys):
        """Return the errands once all are done, with the seconds at which each was.

        Of a key that an update followed, it is the update.
        """
        waits = [(0.0, key, errand_of(key)) for key in keys]
        done = {}
        while waits:
            at, key, errand = heapq.heappop(waits)
            self.clock.move(max(0.0, at - self.clock.seconds))
            errand = self.followed(self.step(key, errand))
            if errand.state in (ErrandState.DONE, ErrandState.DEAD):
                done[key] = (errand, self.clock.seconds)
            else:
                heapq.heappush(waits, (self.seconds(errand.next_at), key, errand))
        return done

    def followed(self, errand):
        """Return the update that follows a create of which nobody knows what the ticket shows."""
        sure = errand.state is not ErrandState.DONE or errand.digest
        if self.drafted is plain or sure or errand.kind is ErrandKind.UPDATE:
            return errand
        again = errand_of(errand.change, ErrandKind.UPDATE, "v1 again 1")
        return replace(again, ticket=errand.ticket, next_at=self.now())

    def step(self, key, errand):
        """Search, and where nothing is there and nothing can come any more, send."""
        after = advance(errand, self.call(lambda: self.search(errand)), self.limits)
        if after.state is not ErrandState.NEW or after.next_at > self.now():
            return after
        sent = replace(begin(after, 1, self.now()), digest="what it shows")
        answer = self.call(lambda: self.answer(Outcome.DONE, self.sent(key, errand)))
        return advance(sent, answer, self.limits)

    def sent(self, key, errand):
        """Make the ticket, or bring it up to date."""
        if errand.kind is ErrandKind.CREATE:
            return self.system.create(self.drafted(key))
        return self.system.update(errand.ticket, self.drafted(key))

    def search(self, errand):
        """Return what a search says; an update does no harm twice, and is not looked for."""
        found = self.system.find(errand.change)
        there = found and errand.kind is ErrandKind.CREATE
        return self.answer(Outcome.FOUND if there else Outcome.ABSENT, *found[:1])

    def call(self, work):
        """Return the answer that came of a call, however it ended."""
        try:
            return work()
        except (TryLater, Unclear, Refused) as error:
            seconds = getattr(error, "seconds", None)
            return replace(self.answer(ENDS[type(error)]), told=str(error), seconds=seconds)

    def answer(self, outcome, ticket=None):
        """Return an answer at this instant."""
        return Answer(outcome=outcome, at=self.now(), ticket=ticket)

    def now(self):
        """Return the servers' time."""
        return START + timedelta(seconds=self.clock.seconds)

    def seconds(self, at):
        """Return a time as the servers count."""
        return (at - START).total_seconds()


def plain(key):
    return draft(key, attachments=())


def errand_of(key, kind=ErrandKind.CREATE, what="v1"):
    return Errand(
        id=0, change=key, system="x", kind=kind, version=1, mark=f"[{key} {what}]",
        state=ErrandState.NEW, attempts=0, next_at=START, sent_at=None, epoch=0, ticket=None,
        told="", added_at=START,
    )  # fmt: skip


def bench(kind, limits):
    clock = ServerClock()
    script = Script(weights=dict(MIX), seed=5)
    system, fake = kind.pair(clock=clock, script=script, lag=LAG if kind.searches else 0.0)
    return Driver(system, clock, limits.at(searches=system.searches)), fake


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_thousand_keys_make_a_thousand_tickets_with_their_documents(kind):
    driver, fake = bench(kind, Limits())
    driver.drafted = draft
    keys = [f"watcher-graz-{number}" for number in range(KEYS)]

    done = driver.run(keys)
    fake.clock.move(600)

    # A few updates come seven times to an unclear end, which calls a person; no create does.
    dead = [one for one, _ in done.values() if one.state is ErrandState.DEAD]

    assert fake.keys() == dict.fromkeys(keys, 1)
    assert {one.kind for one in dead} <= {ErrandKind.UPDATE}
    assert len(dead) < KEYS / 100
    tried = len(fake.asked)
    assert tried > KEYS * 1.5  # the mix was really there
    if kind.searches:
        kept = [{name: len(one) for name, one in files.items()} for files in fake.files.values()]
        assert kept == [{"plan-v1-ab12.html": 1}] * KEYS


@pytest.mark.parametrize("kind", SEARCHED, ids=lambda kind: kind.name)
def test_who_does_not_wait_makes_doubles(kind):
    hasty = Limits(client=timedelta(0), server=timedelta(0), index=timedelta(0), slack=timedelta(0))
    driver, fake = bench(kind, hasty)
    keys = [f"watcher-graz-{number}" for number in range(100)]

    driver.run(keys)
    fake.clock.move(600)

    assert sum(fake.keys().values()) > len(keys)


@pytest.mark.parametrize("kind", SEARCHED, ids=lambda kind: kind.name)
def test_what_is_unknown_is_known_a_quarter_of_an_hour_after_recovery(kind):
    driver, fake = bench(kind, Limits())
    fake.script = Script([Fault.TIMEOUT_DONE] * 40 + [Fault.ERROR_502] * 80)
    keys = [f"watcher-graz-{number}" for number in range(40)]
    well = []
    fake.script.only = lambda _: well.append(fake.clock.seconds) or True

    done = driver.run(keys)

    recovered = well[-1]
    assert all(errand.state is ErrandState.DONE for errand, _ in done.values())
    assert max(at for _, at in done.values()) - recovered <= 15 * 60
    assert fake.keys() == dict.fromkeys(keys, 1)

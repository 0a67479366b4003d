"""At most one leader in an epoch, and each period's work is claimed once."""

import threading
import time
from datetime import timedelta

import pytest
from store import samples

from watcher.store.engine import open_existing

NOW = samples.NOW
RACES = 200


@pytest.fixture
def other(store, url):  # noqa: ARG001 -- the first has made the tables
    """Open the same database as a second instance."""
    other = open_existing(url)
    yield other
    other.close()


def expired(store):
    """Let a lease run out: on SQLite by the clock that is given, else by waiting a second."""
    if store.database.is_sqlite:
        return NOW + timedelta(seconds=2)
    time.sleep(1.1)
    return NOW


def test_the_first_takes_the_lease_and_prolongs_it(store):
    first = store.lease.take("leader", "a", NOW, 30)
    second = store.lease.take("leader", "a", NOW + timedelta(seconds=10), 30)

    assert (first.holder, first.epoch, second.epoch) == ("a", 1, 1)
    assert second.until > first.until
    assert store.lease.holds("leader", first)


def test_another_waits_until_the_lease_runs_out(store, other):
    term = store.lease.take("leader", "a", NOW, 1)

    assert other.lease.take("leader", "b", NOW, 1) is None
    taken = other.lease.take("leader", "b", expired(store), 1)
    assert (taken.holder, taken.epoch) == ("b", 2)
    assert not store.lease.holds("leader", term)
    assert other.lease.holds("leader", taken)


def test_a_leader_that_slept_is_fenced_even_against_itself(store):
    """It may not prolong what ran out: what it sends under the old epoch is refused."""
    old = store.lease.take("leader", "a", NOW, 1)
    new = store.lease.take("leader", "a", expired(store), 30)

    assert new.epoch == 2
    assert not store.lease.holds("leader", old)


def test_a_released_lease_is_free_at_once(store, other):
    term = store.lease.take("leader", "a", NOW, 600)
    store.lease.release("leader", term)

    assert not store.lease.holds("leader", term)
    assert other.lease.take("leader", "b", NOW, 600).epoch == 2


def test_nobody_releases_what_another_holds(store, other):
    old = store.lease.take("leader", "a", NOW, 1)
    new = other.lease.take("leader", "b", expired(store), 600)
    store.lease.release("leader", old)

    assert other.lease.holds("leader", new)


def test_a_lease_from_a_clock_since_set_back_has_run_out(store):
    if not store.database.is_sqlite:
        pytest.skip("the server's clock decides, not the one that is given")
    store.lease.take("leader", "a", NOW + timedelta(days=365), 30)

    assert store.lease.take("leader", "b", NOW, 30).epoch == 2


def test_a_wrong_clock_takes_nothing_from_a_server(store, other):
    if store.database.is_sqlite:
        pytest.skip("there is no server")
    store.lease.take("leader", "a", NOW, 600)

    assert other.lease.take("leader", "b", NOW + timedelta(days=365), 600) is None


def race(*runners):
    """Run all at the same moment; return what each returned."""
    barrier, results = threading.Barrier(len(runners)), [None] * len(runners)

    def run(number):
        barrier.wait()
        results[number] = runners[number]()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(runners))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_200_races_never_give_two_leaders_in_one_epoch(store, other):
    leaders = {}
    for _ in range(RACES):
        terms = race(
            lambda: store.lease.take("leader", "a", NOW, 600),
            lambda: other.lease.take("leader", "b", NOW, 600),
        )
        (term,) = [term for term in terms if term is not None]
        leaders.setdefault(term.epoch, set()).add(term.holder)
        store.lease.release("leader", term)

    assert sorted(leaders) == list(range(1, RACES + 1))
    assert {len(holders) for holders in leaders.values()} == {1}


def test_a_period_is_claimed_once(store, other):
    def claims(one, period):
        return lambda: one.runs.claim("digest", period, NOW)

    claimed = [race(claims(store, period), claims(other, period)) for period in map(str, range(50))]

    assert {tuple(sorted(pair)) for pair in claimed} == {(False, True)}


def test_a_finished_run_stays_claimed(store):
    assert store.runs.claim("digest", "2026-W48", NOW)
    store.runs.finish("digest", "2026-W48", NOW, "sent")

    assert not store.runs.claim("digest", "2026-W48", NOW)
    assert store.runs.claim("digest", "2026-W49", NOW)


def test_anybody_can_read_who_leads(store, other):
    before = other.figures.term("leader")
    term = store.lease.take("leader", "a", NOW, 30)
    during = other.figures.term("leader")
    store.lease.release("leader", term)
    after = other.figures.term("leader")

    assert before is None
    assert (("a", 1), ("", 1)) == ((during.holder, during.epoch), (after.holder, after.epoch))


def test_the_run_that_ended_last_is_known(store):
    for hour, result in enumerate(("seen", "not seen")):
        at = NOW + timedelta(hours=hour)
        store.runs.claim("job", str(at), at)
        store.runs.finish("job", str(at), at, result)
    store.runs.claim("job", "unfinished", NOW)

    assert "not seen" == store.runs.last("job").result
    assert store.runs.last("job", "seen").finished_at == NOW
    assert store.runs.last("another") is None

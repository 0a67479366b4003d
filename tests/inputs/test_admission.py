"""A storm is cut to its budget; what was never said before is kept all the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.inputs.admission import Budget, Seen, TokenBuckets, shape

SECOND = 1_000_000_000
SMALL = Budget(source_rate=10, source_depth=20, rate=50, depth=60, sources=4, sample=10)


def alarm(number=5121, *, host="cm1", time="Mar 05 2024 05:00:00.7", node="cm1", end="Apr 02"):
    head = f"<188>{number}: {host}: {time} UTC :  %UC_CERT-4-CertValidLessThanMonth: "
    return f"{head}%[Message=name:x.der Expiration:Tue {end} 09:15:][NodeID={node}]: x".encode()


def admitted(buckets, count, *, at, peer="10.0.0.1", data=None):
    """Return how many of so many messages are kept; without `data` all are repeats."""
    return sum(buckets.admit(peer, data or alarm(n), at) for n in range(count))


# -- the budget


def test_a_source_may_bring_its_depth_at_once():
    buckets = TokenBuckets(SMALL)

    assert admitted(buckets, 20, at=0) == 20


def test_beyond_it_one_of_so_many_repeats_is_kept():
    buckets = TokenBuckets(SMALL)
    admitted(buckets, 20, at=0)
    first_beyond = admitted(buckets, 1, at=0)

    assert first_beyond == 1  # only now it is remembered
    assert admitted(buckets, 100, at=0) == 10


def test_the_budget_comes_back_with_time():
    buckets = TokenBuckets(SMALL)
    admitted(buckets, 21, at=0)

    assert admitted(buckets, 9, at=SECOND // 2) == 5
    assert admitted(buckets, 20, at=100 * SECOND) == 20


def test_a_silence_saves_no_more_than_the_depth():
    buckets = TokenBuckets(Budget(source_rate=10, source_depth=20, sample=10**9))
    admitted(buckets, 50, at=0)

    assert admitted(buckets, 50, at=100 * SECOND) == 20


def test_a_silence_of_all_saves_no_more_than_the_depth_of_all():
    buckets = TokenBuckets(Budget(rate=10, depth=20, sample=10**9))
    admitted(buckets, 50, at=0)

    assert admitted(buckets, 50, at=100 * SECOND) == 20


def test_one_source_never_takes_the_budget_of_another():
    buckets = TokenBuckets(SMALL)
    admitted(buckets, 1000, at=0)

    assert admitted(buckets, 20, at=0, peer="10.0.0.2") == 20


def test_all_sources_share_a_budget():
    buckets = TokenBuckets(SMALL)
    kept = [admitted(buckets, 20, at=0, peer=f"10.0.0.{n}") for n in range(4)]

    assert kept == [20, 20, 20, 2]  # beyond it: one that is new, and the tenth as a sample


def test_what_was_refused_takes_nothing_from_the_others():
    buckets = TokenBuckets(SMALL)
    admitted(buckets, 500, at=0)

    assert sum(admitted(buckets, 20, at=0, peer=f"10.0.0.{n}") for n in (2, 3)) == 40


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, SECOND)), max_size=200))
def test_never_more_than_the_budget_is_kept_of_repeats(steps):
    buckets, now, kept = TokenBuckets(SMALL), 0, 0
    for peer, pause in steps:
        now += pause // 20
        kept += buckets.admit(str(peer), b"% always the same", now)

    # 10 peers are new once each, and one of ten beyond the budget is a sample.
    assert kept <= 60 + now * 50 // SECOND + 10 + len(steps) // 10


@pytest.mark.parametrize("field", ["source_rate", "source_depth", "rate", "depth"])
def test_a_budget_of_nothing_is_refused(field):
    with pytest.raises(ValueError, match="lets nothing in"):
        TokenBuckets(Budget(**{field: 0}))


# -- sources


def test_forged_sources_share_one_budget_and_little_memory():
    buckets = TokenBuckets(Budget(rate=10**6, depth=10**6, sources=100, source_depth=10))
    kept = sum(admitted(buckets, 1, at=0, peer=f"p{n}", data=b"%") for n in range(10_000))

    assert buckets.sources <= 101
    assert kept == 10_000  # each is new once
    assert sum(admitted(buckets, 1, at=0, peer=f"p{n}", data=b"%") for n in range(10_000)) < 300


def test_sources_that_fell_silent_make_room():
    buckets = TokenBuckets(SMALL)
    for second in range(10):
        for n in range(4):
            admitted(buckets, 1, at=second * 10 * SECOND, peer=f"{second}.{n}")

    assert buckets.sources <= 5
    assert [admitted(buckets, 20, at=200 * SECOND, peer=peer) for peer in ("a", "b")] == [20, 20]


# -- what is new


def test_what_was_never_said_is_kept_in_a_storm():
    buckets = TokenBuckets(SMALL)
    admitted(buckets, 500, at=0)

    assert all(buckets.admit("10.0.0.1", alarm(9, node=f"cm{n}"), 0) for n in range(500))
    assert buckets.admit("10.0.0.1", alarm(9, end="Apr 03"), 0)
    assert not buckets.admit("10.0.0.1", alarm(10, end="Apr 03"), 0)


def test_the_same_from_another_source_is_new():
    buckets = TokenBuckets(Budget(source_depth=1, depth=1))
    admitted(buckets, 200, at=0)

    assert buckets.admit("10.0.0.2", alarm(), 0)


@pytest.mark.parametrize(
    ("one", "again"),
    [
        (alarm(1), alarm(2)),
        (alarm(time="Mar 05 2024 05:00:00.7"), alarm(time="Mar 06 2025 15:10:59.123")),
        (alarm(time="Mar 5 2024 05:00:00 AM.484"), alarm(time="Mar 5 2024 05:00:00 AM.1")),
        (b"<1>1 2024-03-05T05:00:00.1Z cm1 - %UC_", b"<2>1 2024-03-06T05:00:00.12Z cm1 - %UC_"),
    ],
)
def test_what_differs_each_time_the_same_is_said_is_left_out(one, again):
    assert shape(one) == shape(again)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (alarm(host="cm1"), alarm(host="cm2")),
        (alarm(node="cm1"), alarm(node="cm2")),
        (alarm(end="Apr 02"), alarm(end="Apr 03")),
        (b"no token 1", b"no token 2"),
        (b"x" * 200 + b" 1 %UC_", b"x" * 200 + b" 2 %UC_"),
    ],
)
def test_what_is_another_fact_is_left_in(one, other):
    assert shape(one) != shape(other)


@given(st.lists(st.integers(0, 50), max_size=300))
def test_only_old_ones_are_forgotten(keys):
    seen, limit = Seen(20), 10
    for number, key in enumerate(keys):
        recent = set(keys[max(0, number - limit) : number])

        assert not (seen.is_new(key) and key in recent)
        assert len(seen) <= 20


def test_what_comes_again_and_again_is_never_forgotten():
    seen = Seen(20)
    seen.is_new(-1)

    assert not any(seen.is_new(-1) for key in range(200) if seen.is_new(key))


def test_each_is_new_once():
    seen = Seen(1000)

    assert [seen.is_new(key) for key in (1, 2, 1, 2, 3)] == [True, True, False, False, True]

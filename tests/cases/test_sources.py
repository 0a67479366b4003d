"""Healthy, silent, unknown: who is missing is noticed in time, and nobody before."""

from datetime import timedelta

import pytest
from builders import cluster, inventory, node
from cases.life import DAY, HOUR, NOW
from hypothesis import given
from hypothesis import strategies as st

from watcher.cases.sources import (
    NIGHTLY,
    SourceState,
    expected_nodes,
    expected_stage,
    health,
)

SITE = inventory(
    cluster(
        node("PUB", aliases=("pub.example.test",), addresses=("192.0.2.10", "2001:db8::10")),
        node("sub1"),
    ),
    cluster(node("imp"), name="linz"),
)
NODES = expected_nodes(SITE)
STAGES = ("udp", "tls", "smtp", "journal", "worker", "store", "scheduler", "planner", "self-test")
SECOND = timedelta(seconds=1)
LONG_AGO = NOW - 99 * DAY


def state(heard, now=NOW, since=LONG_AGO, expected=NODES):
    return {one.name: one.state for one in health(expected, heard, now, since)}


def test_every_node_is_expected_under_all_its_names():
    assert [(one.name, one.cluster) for one in NODES] == [
        ("pub", "graz"), ("sub1", "graz"), ("imp", "linz")
    ]  # fmt: skip
    assert "peer:2001:db8::10" in NODES[0].signs
    assert expected_nodes(None) == ()


def test_only_some_nodes_may_be_expected():
    assert [one.name for one in expected_nodes(SITE, only=["Pub"])] == ["pub"]


@pytest.mark.parametrize(
    "sign",
    [
        "peer:192.0.2.10", "peer:::ffff:192.0.2.10", "peer:2001:DB8:0::10", "node:pub",
        "node:PUB.example.test", "peer:pub.example.test",
    ],
)  # fmt: skip
def test_any_sign_of_a_node_counts_noise_included(sign):
    assert state({sign: NOW - HOUR})["pub"] is SourceState.HEALTHY


@pytest.mark.parametrize("sign", ["node:pub2", "peer:192.0.2.1", "stage:pub", "pub", "peer:", ""])
def test_other_signs_do_not(sign):
    assert state({sign: NOW - HOUR})["pub"] is SourceState.SILENT


def test_silence_is_noticed_at_the_interval_and_a_tenth():
    due = NOW + NIGHTLY * 1.1
    heard = {"node:pub": NOW}

    assert state(heard, due)["pub"] is SourceState.HEALTHY
    assert state(heard, due + SECOND)["pub"] is SourceState.SILENT


@pytest.mark.parametrize("last", [None, NOW - 30 * DAY])
def test_who_was_not_heard_since_we_began_is_unknown_and_then_silent(last):
    heard = {"node:pub": last} if last else {}
    due = NOW + NIGHTLY * 1.1

    assert state(heard, NOW, since=NOW)["pub"] is SourceState.UNKNOWN
    assert state(heard, due, since=NOW)["pub"] is SourceState.UNKNOWN
    assert state(heard, due + SECOND, since=NOW)["pub"] is SourceState.SILENT


def test_the_latest_of_several_signs_counts_and_when_silence_begins_is_said():
    heard = {"node:pub": NOW - 9 * DAY, "peer:192.0.2.10": NOW, "peer:::ffff:192.0.2.10": LONG_AGO}
    (pub,) = health(NODES[:1], heard, NOW, LONG_AGO)

    assert (pub.last, pub.due) == (NOW, NOW + NIGHTLY * 1.1)


@pytest.mark.parametrize("stopped", STAGES)
def test_each_stage_that_stops_is_noticed_in_time(stopped):
    expected = [expected_stage(name, 5 * HOUR) for name in STAGES]
    heard = {f"stage:{name}": NOW - (6 if name == stopped else 5) * HOUR for name in STAGES}
    found = state(heard, expected=expected)

    assert [name for name, how in found.items() if how is SourceState.SILENT] == [stopped]


def test_steadiness_begins_anew_after_a_silence_that_we_saw():
    healthy = health(NODES[:1], {"node:pub": NOW}, NOW, LONG_AGO)
    end = NOW + 2 * DAY
    silent = health(NODES[:1], {"node:pub": NOW}, end, LONG_AGO, healthy)
    back = health(NODES[:1], {"node:pub": end}, end + HOUR, LONG_AGO, silent)
    still = health(NODES[:1], {"node:pub": end}, end + DAY, LONG_AGO, back)

    assert [one.steady_since for (one,) in (healthy, silent, back, still)] == [
        LONG_AGO, None, end + HOUR, end + HOUR
    ]  # fmt: skip


def test_who_was_only_not_heard_yet_is_steady_from_the_beginning():
    unknown = health(NODES[:1], {}, NOW, NOW - HOUR)
    (pub,) = health(NODES[:1], {"node:pub": NOW}, NOW, NOW - HOUR, unknown)

    assert pub.steady_since == NOW - HOUR


@given(
    st.integers(1, 10_000), st.integers(0, 20_000), st.integers(0, 20_000), st.none() | st.just(1)
)
def test_silent_is_who_was_missing_for_longer_than_we_can_bear(interval, ago, since, ever):
    (stage,) = [expected_stage("x", interval * SECOND)]
    heard = {"stage:x": NOW - ago * SECOND} if ever else {}
    (found,) = health([stage], heard, NOW, NOW - since * SECOND)
    missing = min(ago, since) if ever else since

    assert (found.state is SourceState.SILENT) == (missing * SECOND > stage.patience)
    assert (found.state is SourceState.HEALTHY) == (
        ever is not None and ago * SECOND <= stage.patience
    )

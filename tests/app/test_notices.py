"""Notices of a daemon: each mark is told once, of what is still open, whatever ends."""

from dataclasses import replace
from datetime import timedelta

import pytest
from app.desk import StillClock
from app.posts import NOTICES, PEOPLE, Killed, Mortals, Relay, daemon, ids, keep, looks
from digest.town import DAY, NOW, case

from watcher.app import posting
from watcher.app.digests import CLAIMED, RUNS
from watcher.inputs.secret import Secret
from watcher.model.case import CaseState, Crossing
from watcher.model.digest import Answer
from watcher.settings.schema import Settings


@pytest.fixture
def clock():
    return StillClock(NOW)


@pytest.fixture
def relay():
    return Relay()


def cross(store, one, *days, silent="", at=NOW):
    marks = [Crossing(case=one.key, days=day, at=at, silent=silent) for day in days]
    with store.transaction() as unit:
        unit.add_crossings(marks, {one.key: one.round})


def test_marks_passed_at_once_are_one_notice_and_told_once(store, clock, relay):
    one, other = case("cm1", days=6), case("cm2", days=0.5)
    digests = daemon(store, clock, relay, NOTICES)
    looks(digests)
    keep(store, one, other)
    cross(store, one, 7)
    cross(store, other, 1)
    for _ in range(3):
        looks(digests)
        clock.pass_by(timedelta(hours=1))
        digests.standing.term = store.lease.take("leader", "first", clock.now(), 30)

    assert list(PEOPLE) == [to for to, _ in relay.letters]
    assert b"Subject: Certificates: 2 with 7 days left or less\r\n" in relay.letters[0][1]


def test_notices_that_wait_are_all_sent_however_many_they_are(store, clock, relay):
    cases = [case(f"cm{number}", days=6) for number in range(RUNS + 5)]
    keep(store, *cases)
    relay.says = dict.fromkeys(PEOPLE, (Answer.LATER, "450"))
    digests = daemon(store, clock, relay, NOTICES)
    looks(digests)
    for one in cases:
        cross(store, one, 7)
        digests.look()
    relay.says = {}
    for _ in range(2 * RUNS):
        clock.pass_by(timedelta(hours=3))
        digests.standing.term = store.lease.take("leader", "first", clock.now(), 30)
        looks(digests, 1)

    assert RUNS + 5 == len(set(ids(relay)))


def test_what_was_passed_before_anybody_listened_is_told_to_nobody(store, clock, relay):
    one = case("cm1", days=6)
    keep(store, one)
    cross(store, one, 7)
    digests = daemon(store, clock, relay, NOTICES)
    looks(digests)
    cross(store, one, 1)
    looks(digests)

    assert 2 == len(relay.letters)
    assert b"1 with 1 day left or less" in relay.letters[0][1]


def test_silent_and_unchosen_marks_are_not_told(store, clock, relay):
    one = case("cm1", days=6)
    digests = daemon(store, clock, relay, NOTICES)
    looks(digests)
    keep(store, one)
    cross(store, one, 30, silent="acknowledged by x")
    cross(store, one, 14, at=NOW + DAY)
    looks(digests)

    assert [] == relay.letters


def test_a_case_that_was_resolved_meanwhile_is_told_to_nobody(store, clock, relay):
    one, other = case("cm1", days=6), case("cm2", days=6)
    digests = daemon(store, clock, relay, NOTICES)
    looks(digests)
    keep(store, replace(one, state=CaseState.RESOLVED, resolved_at=NOW), other)
    cross(store, one, 7)
    looks(digests)
    none = len(relay.letters)
    cross(store, other, 7)
    looks(digests)

    assert (0, 2) == (none, len(relay.letters))
    assert b"tomcat of cm2" in relay.letters[0][1]
    assert b"tomcat of cm1" not in relay.letters[0][1]


def test_a_case_far_down_the_list_is_told_all_the_same(store, clock, relay, monkeypatch):
    monkeypatch.setattr(posting, "CASES", 1)
    late = case("cm9", days=29)
    digests = daemon(store, clock, relay, NOTICES)
    looks(digests)
    keep(store, case("cm1", days=1), case("cm2", days=2), late)
    cross(store, late, 30)
    looks(digests)

    assert 2 == len(relay.letters)
    assert b"tomcat of cm9" in relay.letters[0][1]


def test_a_notice_claimed_by_a_process_that_died_is_sent_by_the_next(store, clock, relay):
    one = case("cm1", days=6)
    digests = daemon(store, clock, relay, NOTICES)
    looks(digests)
    keep(store, one)
    cross(store, one, 7)
    digests.store = Mortals(store, 1, after=True)
    with pytest.raises(Killed):
        looks(digests)
    clock.pass_by(CLAIMED)
    looks(daemon(store, clock, relay, NOTICES))

    assert 2 == len(relay.letters)


def test_a_chat_is_a_recipient_like_others(store, clock, relay, monkeypatch):
    heard = []

    def chat(url, subject, text):
        heard.append((url, subject, text))
        return Answer.TAKEN, "taken"

    monkeypatch.setenv("CHAT", "json://chat.example")
    source_ = {"environment": "CHAT"}
    settings = Settings(notifications={"lists": [{"name": "duty", "chat": [source_], "days": [7]}]})
    digests = daemon(store, clock, relay, settings)
    digests.carriers = replace(
        digests.carriers, chats={"duty": (Secret("json://chat.example"),)}, chat=chat
    )
    looks(digests)
    one = case("cm1", days=6)
    keep(store, one)
    cross(store, one, 7)
    looks(digests)

    assert [("json://chat.example", "Certificates: 1 with 7 days left or less")] == [
        told[:2] for told in heard
    ]
    assert "tomcat of cm1" in heard[0][2]

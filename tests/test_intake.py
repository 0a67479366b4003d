"""From a message to its place in the books, through a real store."""

from datetime import timedelta

import pytest
from app.desk import (
    NOW,
    NUMBERED,
    books_of,
    made_empty,
    places,
    raw,
    reading,
    reasons,
    store_in,
    take_in,
)
from builders import CATALOGUE, message
from hypothesis import given, settings
from hypothesis import strategies as st
from killing.numbered import NOISE, alarm, inventory, mail

from watcher.app.replay import Replayer
from watcher.cases.identity import Directory
from watcher.cases.selftest import synthetic_alarm
from watcher.cases.storm import Budget, StormLimits
from watcher.intake import counted, damaged, poisoned
from watcher.inventory.loader import load
from watcher.model.ledger import Books, Counts, Line, Place, Reason
from watcher.model.message import Grade, MessageId, Position, Way
from watcher.ports import CaseQuery, Counted, Damaged

NONCE = "0123456789abcdef"
SELF_TEST = synthetic_alarm(NONCE, NOW, CATALOGUE.alarms)
BACKUP = (
    b"<187>12: cm1: Nov 20 2026 02:10:06.544 UTC :  %UC_DRF-3-DRFBackupFailure: "
    b"%[Reason=local][AppID=Cisco DRF][ClusterID=][NodeID=cm1]: text"
)
BROKEN = b"Feb 10 23:21:05 n sshd[1]: user said %UC_CERT-2-CertValidfor7days: %[Message=x]"
TOKEN = b"somebody wrote UC_CERT into a line of his own"
STRANGER = message(node="stranger", host="stranger").encode()
TWO = mail(1).partition(b"AppID : Cisco Syslog")[0] + b"\r\n".join(
    [b"SeverityMatch : Critical", *mail(2).splitlines()[6:]]
)


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    return made_empty(tmp_path_factory.mktemp("empty"))


@pytest.fixture
def store(tmp_path, empty):
    made = store_in(tmp_path, empty)
    yield made
    made.close()


def cases(store):
    return [row.case for row in store.view.list_cases(CaseQuery())]


def quarantined(store):
    return [(one.reason, one.detail) for one in store.view.quarantine(None, 10)]


PLACES = {
    "new": (alarm(1), Place.CASE, Reason.NONE),
    "mail": (mail(1), Place.CASE, Reason.NONE),
    "evidence": (BACKUP, Place.EVIDENCE, Reason.NONE),
    "self-test": (SELF_TEST, Place.SELF_TEST, Reason.NONE),
    "noise": (NOISE, Place.NOISE, Reason.NONE),
    "empty": (b"", Place.NOISE, Reason.NONE),
    "broken": (BROKEN, Place.QUARANTINED, Reason.UNREADABLE),
    "token alone": (TOKEN, Place.QUARANTINED, Reason.NO_RECORD),
}


@pytest.mark.parametrize(("data", "place", "reason"), PLACES.values(), ids=PLACES)
def test_every_message_has_one_place(store, data, place, reason):
    take_in(store, raw(data))

    assert {Line("udp", place, reason, 1), Line("udp", Place.RECEIVED, Reason.NONE, 1)} == set(
        store.view.books()
    )


def test_noise_and_our_own_tests_are_counted_and_not_kept(store):
    folded = take_in(store, raw(NOISE), raw(SELF_TEST))

    assert (NONCE,) == folded.nonces
    assert [None, None] == [
        store.view.message(MessageId(journal="main", position=Position(n))) for n in (1, 2)
    ]
    assert [] == cases(store)


@pytest.mark.parametrize("together", [True, False])
def test_the_same_event_three_ways_is_one_case(store, together):
    ways = [raw(alarm(1)), raw(alarm(1), Way.TCP), raw(mail(1), Way.SMTP)]
    for batch in [ways] if together else [[one] for one in ways]:
        take_in(store, *batch)

    (case,) = cases(store)
    assert (1, 2) == (case.occurrences, case.copies)
    assert {Way.UDP, Way.TCP, Way.SMTP} == set(case.ways)
    assert {Place.CASE: 1, Place.DUPLICATE: 2} == places(store)


@pytest.mark.parametrize(
    ("data", "way", "grade"),
    [
        (alarm(1), Way.UDP, Grade.CLAIM),
        (alarm(1), Way.TCP, Grade.RETURN_PATH),
        (alarm(1), Way.TLS, Grade.ATTRIBUTED),
        (mail(1), Way.TLS, Grade.RETURN_PATH),
        (mail(1), Way.SMTP, Grade.CLAIM),
        (mail(1), Way.UDP, Grade.CLAIM),
    ],
)
def test_what_is_quoted_loses_a_grade(store, data, way, grade):
    take_in(store, raw(data, way))

    assert [grade] == [case.grade for case in cases(store)]


def test_a_bound_connection_speaks_for_its_own_nodes_only(store):
    ours, another = alarm(0), alarm(1)
    take_in(store, raw(ours, Way.TLS, bound=("cm1",)), raw(another, Way.TLS, bound=("cm1",)))

    assert [(Reason.NOT_BOUND, "it speaks for cm2")] == quarantined(store)
    assert ["cm1"] == [case.key.owner for case in cases(store)]


def test_what_cannot_be_read_says_why(store):
    take_in(store, raw(BROKEN))

    ((reason, detail),) = quarantined(store)
    assert Reason.UNREADABLE is reason
    assert 0 < len(detail) <= 300


def test_what_the_input_found_broken_is_not_read(store):
    take_in(store, raw(alarm(1), fault=Reason.OCTET_COUNT))

    assert [] == cases(store)
    assert {Reason.OCTET_COUNT: 1} == reasons(store)


def test_a_part_that_cannot_be_read_does_not_hide_the_other(store):
    take_in(store, raw(alarm(1) + b"\n" + BROKEN))

    assert 1 == len(cases(store))
    assert {Reason.UNREADABLE: 1} == reasons(store)


def test_two_alarms_in_one_mail_are_two_cases_and_one_message(store):
    take_in(store, raw(TWO, Way.SMTP))

    assert ["cm2", "cm3"] == sorted(case.key.owner for case in cases(store))
    assert {Place.CASE: 1} == places(store)


def test_a_mail_with_one_new_alarm_is_no_duplicate(store):
    take_in(store, raw(mail(1), Way.SMTP), raw(TWO, Way.SMTP))

    assert {Place.CASE: 2} == places(store)


def test_evidence_comes_once(store):
    take_in(store, raw(BACKUP), raw(BACKUP, Way.TCP))

    (row,) = store.view.evidence_of("numbered", NOW)
    assert ("backup-failed", "cm1") == (row.topic, row.reporter)
    assert {Place.EVIDENCE: 1, Place.DUPLICATE: 1} == places(store)


def test_the_nodes_of_a_message_were_heard(store):
    take_in(store, raw(alarm(0)), raw(alarm(8)), raw(BACKUP))

    assert [("node:cm1", "udp", 3)] == [(r.source, r.input, r.count) for r in store.view.heard()]


def narrow():
    """Return a budget for one stranger's case."""
    return Budget(standing=NUMBERED.standing, limits=StormLimits(claimed_per_hour=1))


def test_a_storm_of_strangers_is_held_back_and_kept(store):
    storm = [raw(message(node=f"n{n}", host=f"n{n}").encode()) for n in range(3)]
    take_in(store, *storm, raw(alarm(1)), budget=narrow())

    assert {"n0", "cm2"} == {case.key.owner for case in cases(store)}
    assert {Reason.STORM: 2} == reasons(store)
    assert {Place.CASE: 2, Place.QUARANTINED: 2} == places(store)


def test_what_was_held_back_finds_its_case_once_the_inventory_knows_the_node(store):
    storm = [raw(message(node=f"n{n}", host=f"n{n}").encode()) for n in range(3)]
    take_in(store, *storm, budget=narrow())
    more = inventory() + "".join(f"      - {{name: n{n}}}\n" for n in range(3))
    fixed = Directory(load("inventory.yaml", more), CATALOGUE)
    replayer = Replayer(
        store=store, view=store.view, directory=fixed, limits=StormLimits(claimed_per_hour=0)
    )
    first, second = list(replayer.replay((), NOW)), list(replayer.replay((), NOW))

    assert [Place.CASE, Place.CASE] == [one.place for one in first]
    assert [] == second
    assert 3 == len(cases(store))
    assert 0 == books_of(store).difference
    assert {Place.CASE: 3} == places(store)


def test_a_message_that_is_read_again_to_no_avail_stays(store):
    take_in(store, raw(BROKEN), raw(TOKEN))
    replayer = Replayer(store=store, view=store.view, directory=NUMBERED, limits=StormLimits())
    again = list(replayer.replay((), NOW))

    assert [False, False] == [one.changed for one in again]
    assert {Reason.UNREADABLE: 1, Reason.NO_RECORD: 1} == reasons(store)


def test_poison_is_told_in_few_words():
    made = poisoned(MessageId(journal="main", position=Position(1)), raw(alarm(1)), "x" * 999)

    assert (Reason.POISON, 300, ()) == (made.reason, len(made.detail), made.events)


def test_what_the_inputs_counted_goes_into_the_books():
    lines = (Line("udp", Place.RECEIVED, Reason.NONE, 5), Line("udp", Place.NOISE, Reason.NONE, 5))
    counts = Counts(lines=lines, heard={("udp", "192.0.2.1"): (5, NOW)})
    books = Books()

    (heard,) = counted([Counted(position=Position(9), counts=counts, kept=0)], books)

    assert ("peer:192.0.2.1", 5, NOW) == (heard.source, heard.count, heard.last)
    assert set(lines) == set(books.lines())


@pytest.mark.parametrize(("size", "cut"), [(4, False), (5, True)])
def test_a_damaged_stretch_is_kept_as_far_as_it_was(size, cut):
    entry = Damaged(position=Position(9), data=b"\0abc", size=size)

    row = damaged(MessageId(journal="main", position=Position(9)), entry, NOW)

    assert (b"\0abc", cut, Reason.DAMAGED) == (row.data, row.cut, row.reason)


MESSAGES = st.one_of(
    st.integers(0, 30).map(alarm),
    st.integers(0, 30).map(mail),
    st.sampled_from([NOISE, b"", BROKEN, TOKEN, SELF_TEST, BACKUP, STRANGER, TWO]),
    st.integers(0, 9).map(lambda n: message(node=f"n{n}", host=f"n{n}").encode()),
    st.binary(max_size=60),
    st.tuples(st.integers(0, 30).map(alarm), st.integers(0, 250)).map(lambda it: it[0][: it[1]]),
)
ARRIVED = st.builds(
    raw, MESSAGES, st.sampled_from(Way), bound=st.sampled_from([(), (), ("cm1",), ("nobody",)]),
    fault=st.sampled_from([None, None, None, Reason.OCTET_COUNT]),
    received_at=st.integers(0, 10**6).map(lambda s: NOW + timedelta(seconds=s)),
)  # fmt: skip


@settings(max_examples=40)
@given(st.lists(st.lists(ARRIVED, max_size=8), max_size=5))
def test_the_books_balance_whatever_comes(tmp_path_factory, empty, batches):
    store = store_in(tmp_path_factory.mktemp("books"), empty)
    try:
        budget = narrow()
        for batch in batches:
            take_in(store, *batch, budget=budget)
        told, kept = books_of(store), sum(store.figures.quarantine_counts().values())
        found = cases(store)
        keys = {e.key for one in found for e in store.view.events_of({one.key}, 10_000)}
    finally:
        store.close()

    assert 0 == told.difference
    assert sum(map(len, batches)) == told.total(Place.RECEIVED)
    assert kept == told.total(Place.QUARANTINED)
    assert len(keys) == sum(one.occurrences for one in found)


@settings(max_examples=20)
@given(st.lists(ARRIVED, max_size=12), st.randoms(use_true_random=False))
def test_the_order_of_arrival_changes_no_case(tmp_path_factory, empty, arrived, chance):
    folder = tmp_path_factory.mktemp("order")
    found = []
    for _ in range(2):
        store = store_in(folder, empty)
        try:
            take_in(store, *arrived)
            found.append({(one.key, one.occurrences, one.end_earliest, one.grade)
                          for one in cases(store)})  # fmt: skip
        finally:
            store.close()
        chance.shuffle(arrived)

    assert found[0] == found[1]


def test_reading_a_message_again_says_the_same():
    assert reading(raw(mail(7)), number=7) == reading(raw(mail(7)), number=7)

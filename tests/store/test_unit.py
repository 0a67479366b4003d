"""One transaction: all or nothing, and everything in it may come twice."""

import threading
from contextlib import suppress
from dataclasses import replace

import pytest
import sqlalchemy as sa
from store import samples

from watcher.model.case import CaseState, Crossing, Transition
from watcher.model.ledger import Line, Place, Reason
from watcher.ports import CaseQuery, Heard


def everything(unit):
    """Write one of each, as a batch does."""
    case = samples.case()
    unit.keep([samples.message()])
    unit.add_events([samples.event()])  # before its case: looked at only at the commit
    unit.save([case])
    unit.add_evidence([samples.evidence()])
    unit.add_crossings([Crossing(case=case.key, days=30, at=samples.NOW)], {case.key: 1})
    unit.count([Line("udp", Place.CASE, Reason.NONE, 1)])
    unit.hear([Heard(source="peer:192.0.2.1", input="udp", count=1, last=samples.NOW)])
    unit.add_plan(samples.plan())
    unit.move_cursor("main", samples.Position(10))


def seen(store):
    """Return all that a view shows."""
    view, key = store.view, samples.key()
    return (
        view.list_cases(CaseQuery()), view.events_of([key], 10), view.history(key),
        view.evidence_of("graz", samples.NOW), view.message(samples.message_id()), view.books(),
        view.heard(), view.newest_plan("graz"), view.cursors(),
    )  # fmt: skip


def test_all_of_a_transaction_is_kept(store):
    with store.transaction() as unit:
        everything(unit)
    cases, events, history, evidence, message, books, heard, plan, cursors = seen(store)

    assert [(row.id, row.case, row.plan_digest) for row in cases] == [
        (1, samples.case(), plan.digest)
    ]
    assert events == [samples.event()]
    assert history == [Crossing(case=samples.key(), days=30, at=samples.NOW)]
    assert evidence == [samples.evidence()]
    assert message == samples.message()
    assert books == [Line("udp", Place.CASE, Reason.NONE, 1)]
    assert heard == [Heard(source="peer:192.0.2.1", input="udp", count=1, last=samples.NOW)]
    assert plan == samples.plan()
    assert cursors == {"main": 10}


def test_nothing_of_a_transaction_that_raises_is_kept(store):
    nothing = seen(store)

    with suppress(KeyError), store.transaction() as unit:
        everything(unit)
        raise KeyError
    assert seen(store) == nothing


def test_a_batch_that_is_taken_in_again_changes_only_what_adds_up(store):
    with store.transaction() as unit:
        everything(unit)
    cases, events, history, evidence, message, _, _, plan, cursors = seen(store)
    with store.transaction() as unit:
        everything(unit)

    assert seen(store)[:5] == (cases, events, history, evidence, message)
    assert seen(store)[5] == [Line("udp", Place.CASE, Reason.NONE, 2)]
    assert seen(store)[7:] == (plan, cursors)


def test_an_event_that_is_known_keeps_what_it_said_first(store):
    with store.transaction() as unit:
        unit.save([samples.case()])
        unit.add_events([samples.event(), samples.event(raw="another")])
        unit.add_events([samples.event(raw="a third")])

    assert store.view.events_of([samples.key()], 10) == [samples.event()]


def test_a_replayed_message_gets_its_new_place(store):
    placed = samples.message(place=Place.QUARANTINED, reason=Reason.UNREADABLE, detail="cut")
    with store.transaction() as unit:
        unit.keep([placed])
    with store.transaction() as unit:
        unit.keep([samples.message(place=Place.CASE)])

    assert store.view.message(placed.id) == samples.message()
    assert store.view.quarantine(None, 10) == []


def test_keys_are_known_with_their_case(store):
    many = [samples.event(f"e{number}") for number in range(1203)]
    with store.transaction() as unit:
        unit.save([samples.case()])
        unit.add_events(many)
        unit.add_evidence([samples.evidence("v1")])
        known = unit.known([*(one.key for one in many), "v1", "unknown"])

    assert known == {one.key: samples.key() for one in many} | {"v1": None}


def test_a_long_key_is_known_by_itself_alone(store):
    long, other = "k" * 5000, "k" * 5001
    with store.transaction() as unit:
        unit.save([samples.case()])
        unit.add_events([samples.event(long)])

        assert unit.known([long, other]) == {long: samples.key()}


def test_cases_keep_their_number(store):
    """Numbers are for people: they begin at 1, have no gaps, and stay."""
    keys = [samples.key(f"sub{number}") for number in range(5)]
    for upto in (1, 3, 5, 5):
        with store.transaction() as unit:
            unit.save([samples.case(one) for one in keys[:upto]])
    numbers = {row.case.key: row.id for row in store.view.list_cases(CaseQuery())}

    assert numbers == {key: number for number, key in enumerate(keys, start=1)}


def test_a_saved_case_replaces_all_it_was(store):
    before = samples.case(acknowledged_by="ann", resolved_at=samples.NOW)
    after = replace(samples.case(), state=CaseState.QUIET, round=2, occurrences=9)
    for case in (before, after):
        with store.transaction() as unit:
            unit.save([case])
    with store.transaction() as unit:
        assert unit.cases([case.key]) == {case.key: after}


def test_a_threshold_is_crossed_once_in_a_round(store):
    key = samples.key()
    crossing = Crossing(case=key, days=30, at=samples.NOW)
    again = replace(crossing, at=samples.NOW + samples.DAY)
    with store.transaction() as unit:
        unit.save([samples.case()])
        unit.add_crossings([crossing], {key: 1})
        unit.add_crossings([again, replace(crossing, days=7)], {key: 1})
        unit.add_crossings([again], {key: 2})

    assert store.view.history(key) == [crossing, replace(crossing, days=7), again]


def test_a_history_is_in_order_of_time(store):
    key = samples.key()
    late = samples.act(at=samples.NOW + samples.DAY)
    opened = Transition(
        case=key, at=samples.NOW, before=None, after=CaseState.ALARMED, reason="first"
    )
    with store.transaction() as unit:
        unit.save([samples.case()])
        unit.add_act(late)
        unit.add_transitions([opened])

    assert store.view.history(key) == [opened, late]


def test_the_books_add_up(store):
    lines = [Line("udp", Place.CASE, Reason.NONE, 3), Line("udp", Place.REFUSED, Reason.RATE, 1)]
    for _ in range(2):
        with store.transaction() as unit:
            unit.count(lines)

    assert store.view.books() == [
        Line("udp", Place.CASE, Reason.NONE, 6), Line("udp", Place.REFUSED, Reason.RATE, 2)
    ]  # fmt: skip


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_later_time_of_a_source_wins(store, order):
    times = [samples.NOW, samples.NOW + samples.DAY]
    with store.transaction() as unit:
        for number in order:
            source = Heard(source="node:sub1", input="udp", count=2, last=times[number])
            unit.hear([source])

    assert store.view.heard() == [
        Heard(source="node:sub1", input="udp", count=4, last=samples.NOW + samples.DAY)
    ]


def test_a_plan_is_new_unless_it_is_the_newest(store):
    first, second = samples.plan("sha256:aaaa"), samples.plan("sha256:bbbb")
    with store.transaction() as unit:
        added = [unit.add_plan(one) for one in (first, first, second, first)]

    assert added == [True, False, True, True]
    assert store.view.newest_plan("graz").digest == "sha256:aaaa"


def test_a_history_without_its_case_is_refused(store):
    with pytest.raises(sa.exc.IntegrityError), store.transaction() as unit:
        unit.add_act(samples.act())


def test_concurrent_transactions_lose_no_update(store):
    """Reading, then writing, from four threads: each sees what the one before committed."""

    def raise_by_25():
        for _ in range(25):
            with store.transaction() as unit:
                unit.move_cursor("main", samples.Position(unit.cursor("main") + 1))

    threads = [threading.Thread(target=raise_by_25) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert store.view.cursors() == {"main": 100}

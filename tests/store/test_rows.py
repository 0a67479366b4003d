"""What goes in comes out: for any noun, through the database itself."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from store import samples

from watcher.model.case import Crossing, Transition
from watcher.model.ledger import Line, Place, Reason
from watcher.ports import CaseQuery, Heard

NUMBERS = itertools.count()
through_the_database = settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@through_the_database
@given(message=samples.messages)
def test_a_message_comes_back(shared_store, message):
    with shared_store.transaction() as unit:
        unit.keep([message])

    assert shared_store.view.message(message.id) == message


@through_the_database
@given(event=samples.events, case=samples.cases)
def test_a_case_and_its_event_come_back(shared_store, event, case):
    case = replace(case, key=event.case)
    with shared_store.transaction() as unit:
        assume(event.key not in unit.known([event.key]))
        unit.save([case])
        unit.add_events([event])

        assert unit.known([event.key]) == {event.key: event.case}
        assert unit.cases([case.key]) == {case.key: case}
    assert event in shared_store.view.events_of([event.case], newest=1000)
    assert event in shared_store.view.events_in(event.message)
    listed = shared_store.view.list_cases(CaseQuery(cluster=case.key.cluster, limit=100_000))
    assert case in [row.case for row in listed]


@through_the_database
@given(act=samples.acts, at=samples.instants, text=samples.clean, days=st.integers(-9, 4000))
def test_a_history_comes_back(shared_store, act, at, text, days):
    act = replace(act, case=replace(act.case, identity=f"file-{next(NUMBERS)}"))
    case = samples.case(act.case)
    changed = Transition(case=case.key, at=at, before=None, after=case.state, reason=text)
    crossed = Crossing(case=case.key, days=days, at=at, silent=text)
    with shared_store.transaction() as unit:
        unit.save([case])
        unit.add_transitions([changed])
        unit.add_act(act)
        unit.add_crossings([crossed], {case.key: days + 10})
    history = shared_store.view.history(case.key)

    assert set(history) == {changed, act, crossed}
    assert [one.at for one in history] == sorted(one.at for one in history)


@through_the_database
@given(row=samples.evidence_rows)
def test_evidence_comes_back(shared_store, row):
    with shared_store.transaction() as unit:
        assume(row.key not in unit.known([row.key]))
        unit.add_evidence([row])

        assert unit.known([row.key]) == {row.key: None}
    assert row in shared_store.view.evidence_of(row.cluster, row.received_at)


@through_the_database
@given(plan=samples.plans)
def test_a_plan_comes_back(shared_store, plan):
    with shared_store.transaction() as unit:
        assume(unit.add_plan(plan))

    assert shared_store.view.newest_plan(plan.cluster) == plan
    assert shared_store.view.plan(plan.digest) == plan


@through_the_database
@given(
    line=st.builds(Line, samples.clean, st.sampled_from(Place), st.sampled_from(Reason),
                   st.integers(1, 2**40)),
    last=samples.instants,
)  # fmt: skip
def test_lines_and_sources_come_back(shared_store, line, last):
    source = Heard(source=f"peer:{line.input}", input=line.input, count=line.count, last=last)
    with shared_store.transaction() as unit:
        unit.count([line])
        unit.hear([source])

    assert (line.input, line.place, line.reason) in {
        (one.input, one.place, one.reason) for one in shared_store.view.books()
    }
    assert (source.source, source.input) in {
        (one.source, one.input) for one in shared_store.view.heard()
    }


HOSTILE = st.text(max_size=400) | st.just("\0") | st.just("\ud800x\0") | st.just("é" * 3000)


@through_the_database
@given(hostile=HOSTILE)
def test_hostile_text_is_stored_as_far_as_it_can_be(shared_store, hostile):
    """NUL, half surrogates and endless names come back as something; nothing raises."""
    hostile = f"{next(NUMBERS)}{hostile}"
    case = samples.case(samples.key(hostile, hostile, identity=hostile), contradiction=hostile)
    name = f"hostile-{hostile}"
    event = samples.event(name, case.key, reporter=hostile, msgname=hostile, raw=hostile)
    message = samples.message(7, detail=hostile, id=samples.message_id(7, hostile[:8] + "#"))
    origin = replace(message.origin, peer=hostile, input=hostile, bound=(hostile,))
    with shared_store.transaction() as unit:
        unit.keep([replace(message, origin=origin)])
        unit.save([case])
        unit.add_events([event])
        unit.hear([Heard(source=hostile, input=hostile, count=1, last=samples.NOW)])

        assert set(unit.known([name])) == {name}
        assert unit.cases([case.key])[case.key].key == case.key
    assert shared_store.view.message(message.id) is not None
    (seen,) = shared_store.view.list_cases(CaseQuery(cluster=hostile))
    assert shared_store.view.events_of([seen.case.key], newest=9) != []


def test_a_naive_time_is_refused(store):
    naive = samples.NOW.replace(tzinfo=None)

    with pytest.raises(Exception, match="naive"), store.transaction() as unit:
        unit.keep([samples.message(received_at=naive)])

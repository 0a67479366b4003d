"""What the store shows."""

import pytest
from store import samples

from watcher.model.case import CaseState
from watcher.model.ledger import Place, Reason
from watcher.model.message import Grade
from watcher.ports import CaseQuery

DAY, NOW = samples.DAY, samples.NOW


def saved(store, *cases):
    with store.transaction() as unit:
        unit.save(cases)


def owners(store, **query):
    return [row.case.key.owner for row in store.view.list_cases(CaseQuery(**query))]


def test_the_most_urgent_case_comes_first(store):
    saved(
        store,
        samples.case(samples.key("later"), end_earliest=NOW + 9 * DAY),
        samples.case(samples.key("soon"), end_earliest=NOW + DAY),
        samples.case(samples.key("unknown"), end_earliest=None, end_latest=None, end_day=None),
        samples.case(samples.key("revoked"), end_earliest=NOW + 300 * DAY, revoked=True),
        samples.case(samples.key("expired"), end_earliest=NOW - DAY, expired=True),
        samples.case(samples.key("done"), end_earliest=NOW - DAY, state=CaseState.RESOLVED),
        samples.case(samples.key("confirmed"), confirmed_end=NOW + 2 * DAY),
    )

    assert owners(store) == [
        "expired", "unknown", "revoked", "soon", "confirmed", "later", "done"
    ]  # fmt: skip


def test_cases_are_chosen(store):
    saved(
        store,
        samples.case(samples.key("a"), state=CaseState.QUIET),
        samples.case(samples.key("b")),
        samples.case(samples.key("c", cluster="linz")),
    )

    assert owners(store, cluster="graz") == ["a", "b"]
    assert owners(store, states={CaseState.QUIET, CaseState.PLANNED}) == ["a"]
    assert owners(store, id=3) == ["c"]
    assert owners(store, keys={samples.key("b"), samples.key("never")}) == ["b"]
    assert owners(store, limit=2) == ["a", "b"]
    assert owners(store, states=()) == []


def test_a_case_comes_with_the_newest_plan_of_its_cluster(store):
    saved(store, samples.case(samples.key("a")), samples.case(samples.key("c", cluster="linz")))
    with store.transaction() as unit:
        for digest in ("sha256:aaaa", "sha256:bbbb"):
            unit.add_plan(samples.plan(digest))
    digests = {row.case.key.cluster: row.plan_digest for row in store.view.list_cases(CaseQuery())}

    assert digests == {"graz": "sha256:bbbb", "linz": ""}


def test_the_newest_events_of_each_reporter_are_shown_oldest_first(store):
    saved(store, samples.case())
    events = [
        samples.event(f"{reporter}{day}", reporter=reporter, received_at=NOW + day * DAY)
        for day in (2, 0, 1)
        for reporter in ("pub", "sub1")
    ]
    with store.transaction() as unit:
        unit.add_events(events)
    shown = store.view.events_of([samples.key(), samples.key("unheard")], newest=2)

    assert [event.key for event in shown] == ["pub1", "sub11", "pub2", "sub12"]


def test_each_certificate_of_a_case_keeps_its_newest_event(store):
    spots = ("tomcat-trust/pub", "CallManager-trust/pub", "tomcat-trust/pub-2", "")
    saved(store, samples.case())
    events = [
        samples.event(f"{reporter} {spot} {day}", reporter=reporter, spot=spot, trust=True,
                      received_at=NOW + day * DAY)
        for day in (1, 0) for reporter in ("pub", "sub1") for spot in spots
    ]  # fmt: skip
    with store.transaction() as unit:
        unit.add_events(events)
    shown = store.view.events_of([samples.key()], newest=1)

    assert sorted(event.key for event in shown) == sorted(e.key for e in events if "1" == e.key[-1])


def test_invented_files_push_out_no_event_that_is_proven_or_newer(store, monkeypatch):
    monkeypatch.setattr("watcher.store.view.MOST", 3)
    saved(store, samples.case())
    proven = samples.event("proven", grade=Grade.ATTRIBUTED, received_at=NOW - 9 * DAY)
    flood = [samples.event(f"{n}", spot=f"tomcat-trust/{n}") for n in range(9)]
    true = samples.event("true", spot="tomcat-trust/pub", received_at=NOW + DAY)
    with store.transaction() as unit:
        unit.add_events([proven, *flood, true])
    shown = [event.key for event in store.view.events_of([samples.key()], newest=1)]

    assert ["proven", "8", "true"] == shown


def test_evidence_is_of_one_cluster_and_not_older_than_asked(store):
    with store.transaction() as unit:
        unit.add_evidence(
            [
                samples.evidence("old", received_at=NOW - DAY),
                samples.evidence("new", received_at=NOW + DAY),
                samples.evidence("on the dot"),
                samples.evidence("other", cluster="linz"),
            ]
        )

    assert [row.key for row in store.view.evidence_of("graz", NOW)] == ["on the dot", "new"]


def test_the_quarantine_is_read_page_by_page(store):
    order = [5, 1, 4, 2, 3]
    held = [
        samples.message(position, place=Place.QUARANTINED, reason=Reason.UNREADABLE,
                        received_at=NOW + at * DAY)
        for at, position in enumerate(order)
    ]  # fmt: skip
    with store.transaction() as unit:
        unit.keep([*held, samples.message(9)])
    pages, after = [], None
    while page := store.view.quarantine(after, 2):
        pages.append([one.id.position for one in page])
        after = page[-1].id

    assert pages == [[5, 1], [4, 2], [3]]


def test_the_quarantine_goes_on_behind_a_message_that_was_let_out(store):
    held = [samples.message(at, place=Place.QUARANTINED) for at in (1, 2, 3)]
    with store.transaction() as unit:
        unit.keep(held)
    with store.transaction() as unit:
        unit.keep([samples.message(2, place=Place.CASE)])

    assert store.view.quarantine(samples.message_id(2), 10) == [held[2]]
    assert store.view.quarantine(samples.message_id(77), 10) == [held[0], held[2]]


@pytest.fixture
def plans(store):
    with store.transaction() as unit:
        for digest in ("abcd12", "abcd34", "ffff00", "abcd12"):
            unit.add_plan(samples.plan(f"sha256:{digest}"))
    return store


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("sha256:abcd12", "sha256:abcd12"),
        ("abcd34", "sha256:abcd34"),
        ("ffff", "sha256:ffff00"),
        ("FFFF-00", "sha256:ffff00"),
        ("FF FF", "sha256:ffff00"),
    ],
)
def test_a_plan_is_found_by_what_people_write(plans, asked, found):
    assert plans.view.plan(asked).digest == found


@pytest.mark.parametrize("asked", ["abcd", "", "sha256:", "f", "eeee", "%%%%", "____", "0000"])
def test_no_plan_is_found_by_an_ambiguous_or_unknown_beginning(plans, asked):
    assert plans.view.plan(asked) is None


def test_nothing_is_shown_of_what_is_not_there(store):
    assert store.view.message(samples.message_id()) is None
    assert store.view.newest_plan("graz") is None
    assert store.view.events_in(samples.message_id()) == []
    assert store.view.history(samples.key()) == []
    assert store.view.events_of([], 5) == []


def test_a_view_sees_nothing_uncommitted(store):
    with store.transaction() as unit:
        unit.save([samples.case()])

        assert owners(store) == []
    assert owners(store) == ["sub1"]

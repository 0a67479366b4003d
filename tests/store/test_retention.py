"""The database stays bounded; findings stay whole."""

from pathlib import Path

import pytest
from store import samples

from watcher.model.ledger import Place
from watcher.ports import CaseQuery, Heard
from watcher.store.rows import REMOVED
from watcher.store.weights import Keep

DAY, NOW = samples.DAY, samples.NOW
LARGE = 10 * 1024**3


def kept(store, *messages):
    with store.transaction() as unit:
        unit.keep(messages)


def left(store, positions):
    found = [store.view.message(samples.message_id(at)) for at in positions]
    return [one.id.position for one in found if one is not None]


def by_age(place):
    """Return messages 1..4, received that many times ten days ago."""
    return [
        samples.message(at, place=place, received_at=NOW - at * 10 * DAY) for at in range(1, 5)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("place", "keep", "name"),
    [
        (Place.DUPLICATE, Keep(repeat_days=25), "repeats"),
        (Place.EVIDENCE, Keep(evidence_days=25), "evidence messages"),
        (Place.QUARANTINED, Keep(quarantine_days=25), "quarantine"),
        (Place.QUARANTINED, Keep(quarantine_rows=2), "quarantine"),
    ],
)
def test_old_messages_go(store, place, keep, name):
    kept(store, *by_age(place), samples.message(5, received_at=NOW - 900 * DAY, place=Place.CASE))
    swept = store.retention(keep).sweep(NOW)

    assert swept.removed.pop(name) == 2
    assert left(store, range(1, 6)) == [1, 2, 5]


def test_a_message_of_a_case_loses_its_bytes_and_stays(store):
    kept(store, *by_age(Place.CASE))
    swept = store.retention(Keep(case_days=25)).sweep(NOW)
    old = store.view.message(samples.message_id(4))

    assert swept.removed == {"bytes": 2}
    assert (old.data, old.detail) == (b"", REMOVED)
    assert store.view.message(samples.message_id(1)).data == samples.message().data
    assert store.damaged_rows() == []
    assert store.retention(Keep(case_days=25)).sweep(NOW).removed == {}


def test_cases_events_and_histories_stay_for_good(store):
    with store.transaction() as unit:
        unit.save([samples.case()])
        unit.add_events([samples.event()])
        unit.add_act(samples.act())
        unit.keep([samples.message()])
    nothing = Keep(repeat_days=0, case_days=0, quarantine_days=0, plans=0, bytes=0)
    store.retention(nothing).sweep(NOW + 9999 * DAY)

    assert [row.case for row in store.view.list_cases(CaseQuery())] == [samples.case()]
    assert store.view.events_of([samples.key()], 9) == [samples.event()]
    assert store.view.history(samples.key()) == [samples.act()]


def test_the_newest_plans_and_those_of_a_case_stay(store):
    digests = [f"sha256:{number:064x}" for number in range(1, 7)]
    with store.transaction() as unit:
        unit.save([samples.case(planned_digest=digests[0])])
        for digest in digests:
            unit.add_plan(samples.plan(digest))
        unit.add_plan(samples.plan(digests[0], cluster="linz"))
    store.retention(Keep(plans=2)).sweep(NOW)

    assert [one for one in digests if store.view.plan(one)] == [digests[0], *digests[4:]]
    assert store.view.newest_plan("linz") is not None


def test_sources_are_bounded_in_age_and_number(store):
    with store.transaction() as unit:
        unit.hear(
            [
                Heard(source=f"peer:{at}", input="udp", count=1, last=NOW - at * DAY)
                for at in range(10)
            ]
        )
    removed = store.retention(Keep(heard_days=7, heard_rows=3)).sweep(NOW).removed

    assert removed == {"heard": 7}
    assert [one.source for one in store.view.heard()] == ["peer:0", "peer:1", "peer:2"]


def test_old_evidence_and_runs_go(store):
    with store.transaction() as unit:
        unit.add_evidence([samples.evidence("a"), samples.evidence("b", received_at=NOW - 9 * DAY)])
    store.runs.claim("digest", "2026-W01", NOW - 999 * DAY)
    store.retention(Keep(evidence_days=7)).sweep(NOW)

    assert [row.key for row in store.view.evidence_of("graz", NOW - 99 * DAY)] == ["a"]
    assert store.runs.claim("digest", "2026-W01", NOW)


def storm(store, rows=3000):
    """Fill the database: repeats, quarantine, and cases among them; 2 kB each."""
    places = (Place.DUPLICATE, Place.CASE, Place.QUARANTINED)
    for start in range(0, rows, 500):
        kept(
            store,
            *(
                samples.message(at, place=places[at % 3], data=bytes(2000), received_at=NOW)
                for at in range(start, start + 500)
            ),
        )


def test_the_quota_takes_repeats_first(store):
    storm(store)
    retention = store.retention(Keep(bytes=LARGE))
    full = retention.size()
    swept = store.retention(Keep(bytes=full - 1_000_000, chunk=100)).sweep(NOW)

    assert set(swept.removed) == {"repeats"}
    assert swept.size <= full - 1_000_000 + 100_000
    assert not swept.over


def test_the_quota_takes_the_bytes_of_cases_last(store):
    storm(store)
    swept = store.retention(Keep(bytes=1)).sweep(NOW)

    assert list(swept.removed) == ["repeats", "quarantine", "bytes"]
    assert swept.over
    assert len(left(store, range(1, 3000, 3))) == 1000


def test_a_sweep_ends_in_time_and_says_that_there_is_more(store):
    storm(store, rows=1500)
    swept = store.retention(Keep(bytes=1, chunk=10)).sweep(NOW, seconds=0)

    assert swept.more
    assert sum(swept.removed.values()) <= 20


def test_what_is_freed_goes_back_to_the_file_system(store):
    if not store.database.is_sqlite:
        pytest.skip("a server keeps its files")
    storm(store, rows=6000)
    file = Path(store.database.url.database)
    before = file.stat().st_size
    store.retention(Keep(bytes=1)).sweep(NOW)

    assert file.stat().st_size < before - 1900 * 4096
    assert Path(f"{file}-wal").stat().st_size == 0

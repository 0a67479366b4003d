"""A row that a flipped bit or a hand has spoilt is skipped and shown; the rest runs."""

import random

import pytest
import sqlalchemy as sa
from store import samples

from watcher.model.case import Crossing, Transition
from watcher.model.ledger import Line, Place, Reason
from watcher.ports import CaseQuery, Heard
from watcher.store import tables

NOW = samples.NOW


def spoil(store, table, column, value, key=1):
    """Write a value past all conversions, as a hand with a shell does."""
    names = store.database.engine.dialect.identifier_preparer
    table = getattr(tables, table)
    first = next(iter(table.primary_key.columns)).name
    statement = (
        f"UPDATE {names.quote(table.name)} SET {names.quote(column)} = {value} "  # noqa: S608 -- ours
        f"WHERE {names.quote(first)} = {key}"
    )
    with store.database.writing() as connection:
        connection.exec_driver_sql(statement)


def damaged(store):
    return [(row.table, row.key) for row in store.damaged_rows()]


@pytest.fixture
def filled(store):
    """Open a store with two rows of each kind."""
    first, second = samples.key("a"), samples.key("b")
    with store.transaction() as unit:
        unit.save([samples.case(first), samples.case(second)])
        unit.add_events([samples.event("e1", first), samples.event("e2", first)])
        unit.keep(
            [
                samples.message(1, place=Place.QUARANTINED),
                samples.message(2, place=Place.QUARANTINED),
            ]
        )
        unit.add_evidence([samples.evidence("v1"), samples.evidence("v2")])
        unit.add_act(samples.act(first))
        unit.add_transitions(
            [Transition(case=first, at=NOW, before=None, after=samples.case().state, reason="x")]
        )
        unit.count([Line("a", Place.CASE, Reason.NONE, 1), Line("b", Place.CASE, Reason.NONE, 1)])
        unit.hear([Heard(source=name, input="udp", count=1, last=NOW) for name in "ab"])
    return store


SPOILT = [
    ("case", "state", "'paused'"),
    ("case", "owner", "'elsewhere'"),
    ("case", "ways", "'carrier pigeon'"),
    ("case", "reporters", "'[1'"),
    ("case", "reporters", "'[1]'"),
    ("case", "reporters", "'{}'"),
    ("case", "spots", "'{}'"),
    ("case", "severity", "11"),
    ("event", "grade", "9"),
    ("event", "envelope", "'paper'"),
    ("event", "case_key", '(SELECT case_key FROM "case" WHERE id = 2)'),
    ("message", "sha256", "'0'"),
    ("message", "way", "''"),
    ("evidence", "received_at", "'infinity'"),
    ("act", "kind", "'guess'"),
    ("transition", "after", "''"),
    ("ledger", "place", "'nowhere'"),
    ("heard", "last", "'infinity'"),
]  # fmt: skip
NO_TEXT = [
    ("case", "owner", "CAST(x'ff' AS TEXT)"),
    ("case", "opened_at", "'yesterday'"),
    ("case", "end_day", "'2026-02-30'"),
    ("case", "claimed", "7"),
    ("case", "occurrences", "'many'"),
    ("event", "raw", "x'00'"),
    ("event", "received_at", "5"),
    ("message", "data", "x'00'"),
    ("evidence", "raw", "CAST(x'80' AS TEXT)"),
    ("heard", "total", "'x'"),
]
"""Values that only SQLite takes: it looks at no types."""


def shown(store):
    """Return how many rows of each table are shown."""
    view, key = store.view, samples.key("a")
    history = view.history(key)
    return {
        "case": len(view.list_cases(CaseQuery())),
        "event": len(view.events_of([key, samples.key("b")], 9)),
        "message": len(view.quarantine(None, 9)),
        "evidence": len(view.evidence_of("graz", NOW)),
        "act": sum(hasattr(one, "kind") for one in history),
        "transition": sum(hasattr(one, "before") for one in history),
        "ledger": len(view.books()),
        "heard": len(view.heard()),
    }


@pytest.mark.parametrize(("table", "column", "value"), SPOILT + NO_TEXT)
def test_a_spoilt_row_is_skipped_and_shown(filled, table, column, value):
    if not filled.database.is_sqlite and (table, column, value) in NO_TEXT:
        pytest.skip("PostgreSQL refuses such a value")
    before = shown(filled)
    spoil(filled, table, column, value, key="'a'" if table in {"ledger", "heard"} else 1)

    assert shown(filled) == before | {table: before[table] - 1}
    assert [name for name, _ in damaged(filled)] == [table]


def test_a_run_that_cannot_be_read_hides_no_other(filled):
    for period in ("2026-W47", "2026-W48"):
        filled.runs.claim("digest:voice", period, NOW)
    statement = "UPDATE run SET at = 'infinity' WHERE period = '2026-W48'"
    with filled.database.writing() as connection:
        connection.exec_driver_sql(statement)

    assert ["2026-W47"] == [one.period for one in filled.runs.work("digest:voice", 9)]
    assert ["run"] == [table for table, _ in damaged(filled)]


@pytest.mark.parametrize(("table", "column", "value"), [
    ("crossing", "at", "'infinity'"), ("case", "owner", "'elsewhere'"),
])  # fmt: skip
def test_a_mark_that_cannot_be_read_hides_no_other(filled, table, column, value):
    passed = [Crossing(case=samples.key(name), days=30, at=NOW) for name in "ab"]
    with filled.transaction() as unit:
        unit.add_crossings(passed, {mark.case: 1 for mark in passed})
    spoil(filled, table, column, value)

    assert filled.figures.crossings(0, 9) == [(2, passed[1])]
    assert damaged(filled) == [("crossing", "1")]


def test_a_spoilt_row_is_logged_once(filled, caplog):
    spoil(filled, "case", "severity", "11")
    shown(filled)
    shown(filled)

    assert [one.action for one in caplog.records] == ["damaged_row"]
    assert "row 1 of table case" in caplog.text


def test_a_unit_goes_on_without_a_spoilt_case(filled):
    """What was known of it is opened anew; its number stays."""
    spoil(filled, "case", "state", "'paused'")
    keys = [samples.key("a"), samples.key("b")]
    with filled.transaction() as unit:
        assert set(unit.cases(keys)) == {samples.key("b")}
        unit.save([samples.case(samples.key("a"))])
    rows = filled.view.list_cases(CaseQuery())

    assert {row.case.key.owner: row.id for row in rows} == {"a": 1, "b": 2}


def test_flipped_bits_in_1000_rows_hide_no_sound_row(store):
    """A bit of one column of every other event is flipped, whatever it held."""
    if not store.database.is_sqlite:
        pytest.skip("PostgreSQL types its columns; the spoilt values above are what it takes")
    chance = random.Random(23)  # noqa: S311 -- a seed, to repeat it
    events = [samples.event(f"{at:04}", reporter=f"n{at}") for at in range(2000)]
    with store.transaction() as unit:
        unit.save([samples.case()])
        unit.add_events(events)
    columns = [column.name for column in tables.event.columns if column.name not in REFERENCES]
    with store.database.writing() as connection:
        flipped = [_flip(connection, number, columns, chance) for number in range(1, 2000, 2)]
    sound = {event.key for event in events[1::2]}
    seen = store.view.events_of([samples.key()], newest=9)

    assert sum(flipped) > 900
    assert sound <= {event.key for event in seen}
    assert len({event.key for event in seen} - sound) + len(damaged(store)) >= 900
    assert len(damaged(store)) > 100


REFERENCES = {"id", "case_key"}
"""Columns that the database itself guards."""


def _flip(connection, number, columns, chance):
    """Flip a bit of one column; tell whether the database took it."""
    column = chance.choice(columns)
    [value] = connection.exec_driver_sql(
        f'SELECT CAST("{column}" AS BLOB) FROM event WHERE id = {number}'  # noqa: S608 -- names of ours
    ).one()
    if not value:
        return False
    spoilt = bytearray(value)
    spoilt[chance.randrange(len(spoilt))] ^= 1 << chance.randrange(8)
    kind = connection.exec_driver_sql(
        f'SELECT typeof("{column}") FROM event WHERE id = {number}'  # noqa: S608 -- likewise
    ).scalar_one()
    try:
        connection.exec_driver_sql(
            f'UPDATE event SET "{column}" = CAST(? AS {kind}) WHERE id = {number}',  # noqa: S608
            (bytes(spoilt),),
        )
    except sa.exc.IntegrityError:
        return False
    return True

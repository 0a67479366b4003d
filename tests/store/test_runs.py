"""How far an unfinished run is, and which crossings came since, on both databases."""

from datetime import timedelta

from store import samples

from watcher.model.case import Crossing

NOW = samples.NOW


def test_what_is_noted_is_read_back_until_it_is_finished(store):
    runs = store.runs
    runs.claim("digest:voice", "2026-W48", NOW)
    runs.note("digest:voice", "2026-W48", "halfway")
    (open_,) = runs.work("digest:voice", 9)
    runs.finish("digest:voice", "2026-W48", NOW + timedelta(hours=1), "done")
    runs.note("digest:voice", "2026-W48", "too late")
    (closed,) = runs.work("digest:voice", 9)

    assert (open_.at, open_.finished_at, open_.result) == (NOW, None, "halfway")
    assert (closed.finished_at, closed.result) == (NOW + timedelta(hours=1), "done")


def test_the_newest_periods_come_first_then_what_is_unfinished_and_no_other_job(store):
    weeks = ("2026-W48", "2027-W01", "2026-W09", "2026-W11", "2026-W10")
    for period in weeks:
        store.runs.claim("digest:voice", period, NOW)
    for period in ("2026-W48", "2026-W10"):
        store.runs.finish("digest:voice", period, NOW, "done")
    store.runs.claim("digest:other", "2028-W01", NOW)
    found = [one.period for one in store.runs.work("digest:voice", 2)]

    assert ["2027-W01", "2026-W48", "2026-W11", "2026-W09"] == found
    assert [] == list(store.runs.work("digest:nobody", 2))


def test_crossings_come_with_their_cases_behind_a_number(store):
    case = samples.case()
    marks = [
        Crossing(case=case.key, days=days, at=NOW, silent=silent)
        for days, silent in ((30, "a tighter one"), (7, ""))
    ]
    none = store.figures.latest_crossing()
    with store.transaction() as unit:
        unit.save([case])
        unit.add_crossings(marks, {case.key: 1})
    found = store.figures.crossings(0, 10)

    assert none == 0
    assert marks == [one for _, one in found]
    assert store.figures.latest_crossing() == found[-1][0]
    assert [marks[1]] == [one for _, one in store.figures.crossings(found[0][0], 10)]
    assert found[:1] == list(store.figures.crossings(0, 1))

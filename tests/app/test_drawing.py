"""When a plan is drawn, by whom, and what it says of how far its alarms are proven."""

import json
import sys
import time
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from sqlite3 import connect

import pytest
from app.desk import NOW, raw, take_in
from builders import AS_OF, CATALOGUE, cluster, events, inventory, message
from killing import numbered

from watcher import planning, seal
from watcher.app.drawing import EXCUSE, Dirty, Draughtsman, Overdue
from watcher.app.easel import LIMIT, Drawn, Easel
from watcher.app.paper import NoPdf
from watcher.app.ticketing import attached
from watcher.app.views import perform
from watcher.cases.identity import Directory
from watcher.inventory.loader import load
from watcher.model.case import Act, ActKind, CaseState
from watcher.model.message import Grade, Way
from watcher.model.slot import Fit, Outcome
from watcher.ports import CaseQuery
from watcher.slots.calendar_file import read_calendar

ONE, BOTH = frozenset({"graz"}), frozenset({"graz", "wien"})
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
PATIENCE = 60


@pytest.fixture
def dirty():
    return Dirty(settle_seconds=2, patience_seconds=20)


def test_a_plan_is_due_a_moment_after_the_change(dirty):
    dirty.note(ONE, 10)

    assert [None, None, "graz"] == [dirty.due(at, idle=True) for at in (10, 11.9, 12)]


def test_while_alarms_keep_coming_a_plan_waits_longer_but_not_for_ever(dirty):
    dirty.note(ONE, 10)
    for at in range(11, 40):
        dirty.note(ONE, at)

    assert [None, None, "graz"] == [dirty.due(at, idle=False) for at in (12, 29, 30)]


def test_what_is_drawn_is_due_again_only_after_another_change(dirty):
    dirty.note(BOTH, 10)
    dirty.done(dirty.due(12, idle=True))
    rest = dirty.due(12, idle=True)
    dirty.done(rest)
    dirty.note(frozenset({rest}), 13)

    assert [None, rest] == [dirty.due(at, idle=True) for at in (14, 15)]


def test_a_change_hurries_what_waits_to_be_tried_again(dirty):
    dirty.note(ONE, 100)
    dirty.note(ONE, 10)

    assert "graz" == dirty.due(12, idle=True)


def looked(easel):
    """Wait until something came of it."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = easel.look()
        if found is not None:
            return found
        time.sleep(0.01)
    raise AssertionError("nothing came of it")


def easel_of(code):
    return Easel([sys.executable, "-c", code])


def test_the_easel_is_taken_until_somebody_looked():
    easel = easel_of('print(\'{"cluster": "graz", "digest": "sha256:ab", "steps": 4}\')')
    easel.begin("graz")
    taken = easel.free
    drawn = looked(easel)

    assert (False, True) == (taken, easel.free)
    assert Drawn(cluster="graz", digest="sha256:ab", steps=4) == drawn
    assert easel.look() is None


@pytest.mark.parametrize(("code", "failed"), [("", False), ("raise SystemExit(3)", True)])
def test_what_came_to_nothing_is_told_from_what_failed(code, failed):
    easel = easel_of(code)
    easel.begin("graz")

    assert Drawn(cluster="graz", failed=failed) == looked(easel)


def test_what_takes_too_long_is_given_up(monkeypatch):
    easel = easel_of("import time; time.sleep(600)")
    easel.begin("graz")
    monkeypatch.setattr("watcher.app.easel.LIMIT", 0)
    deadline = time.monotonic() + PATIENCE
    while not easel.free and time.monotonic() < deadline:
        easel.look()

    assert easel.free
    assert 60 <= LIMIT


def test_the_end_takes_the_drawing_along():
    easel = easel_of("import time; time.sleep(600)")
    easel.begin("graz")
    easel.end()

    assert easel.free


@pytest.fixture
def draughtsman(store, tmp_path):
    return Draughtsman(
        store=store, view=store.view, catalogue=CATALOGUE,
        inventory=load("inventory.yaml", numbered.inventory()), folder=tmp_path / "plans",
    )  # fmt: skip


def test_a_plan_is_drawn_once(store, draughtsman):
    take_in(store, raw(numbered.alarm(1)))
    first, second = draughtsman.draw("numbered", NOW), draughtsman.draw("numbered", NOW)

    assert first == store.view.newest_plan("numbered")
    assert second is None
    assert [True, True] == [seal.verify(t).intact for t in (first.document, first.markdown)]
    assert seal.code(first.digest) == json.loads(first.document)["plans"][0]["code"]
    assert {"numbered.md", "numbered.html"} == {f.name for f in draughtsman.folder.iterdir()}


def test_a_pdf_lies_beside_the_page_and_is_made_once(store, draughtsman):
    made = []
    drawing = replace(draughtsman, printer=lambda page: made.append(page) or b"%PDF-")
    take_in(store, raw(numbered.alarm(1)))
    drawing.draw("numbered", NOW)
    drawing.draw("numbered", NOW)
    page = drawing.page("numbered")

    assert [page.with_suffix(".html").read_text(encoding="utf-8")] == made
    assert b"%PDF-" == page.with_suffix(".pdf").read_bytes()


def test_a_pdf_that_fails_leaves_none_of_an_older_plan(store, draughtsman):
    drawing = replace(draughtsman, printer=lambda _: NoPdf.FAILED)
    take_in(store, raw(numbered.alarm(1)))
    old = drawing.page("numbered").with_suffix(".pdf")
    old.parent.mkdir(parents=True)
    old.write_bytes(b"%PDF-1")
    stored = drawing.draw("numbered", NOW)

    assert stored is not None
    assert not old.exists()


def test_the_reader_is_told_of_a_pdf_that_could_not_be_made_and_it_is_tried_once(
    store, draughtsman
):
    tried = []
    drawing = replace(draughtsman, printer=lambda page: tried.append(page) or NoPdf.TOO_LARGE)
    take_in(store, raw(numbered.alarm(1)))
    drawing.draw("numbered", NOW)
    drawing.draw("numbered", NOW)
    told = drawing.page("numbered").with_suffix(EXCUSE)

    assert 1 == len(tried)
    assert "PDF of this plan: its page is too large" in told.read_text(encoding="utf-8")
    assert "plan.no-pdf.txt" in [one.name for one in attached(drawing.folder, "numbered")]


def test_a_pdf_is_made_once_its_library_is_there(store, draughtsman):
    take_in(store, raw(numbered.alarm(1)))
    replace(draughtsman, printer=lambda _: NoPdf.NO_LIBRARY).draw("numbered", NOW)
    told = draughtsman.page("numbered").with_suffix(EXCUSE).read_text(encoding="utf-8")
    replace(draughtsman, printer=lambda _: b"%PDF-").draw("numbered", NOW)

    assert "apt-get install libpango" in told
    assert {"numbered.md", "numbered.html", "numbered.pdf"} == {
        file.name for file in draughtsman.folder.iterdir()
    }


def test_a_pdf_of_a_changed_plan_takes_the_excuse_away(store, draughtsman):
    take_in(store, raw(numbered.alarm(1)))
    replace(draughtsman, printer=lambda _: NoPdf.TOO_LONG).draw("numbered", NOW)
    take_in(store, raw(numbered.alarm(2)))
    replace(draughtsman, printer=lambda _: b"%PDF-").draw("numbered", NOW)

    assert {"numbered.md", "numbered.html", "numbered.pdf"} == {
        file.name for file in draughtsman.folder.iterdir()
    }


def test_a_page_that_was_lost_is_written_anew(store, draughtsman):
    take_in(store, raw(numbered.alarm(1)))
    draughtsman.draw("numbered", NOW)
    draughtsman.page("numbered").unlink()
    draughtsman.draw("numbered", NOW)

    assert draughtsman.page("numbered").exists()


def test_no_case_no_plan(draughtsman):
    assert draughtsman.draw("numbered", NOW) is None
    assert not draughtsman.folder.exists()


@pytest.mark.parametrize(("way", "word"), [(Way.UDP, "Unverified (grade 0)"), (Way.TLS, "Grade 2")])
def test_a_plan_says_how_far_its_alarms_are_proven(store, draughtsman, way, word):
    take_in(store, raw(numbered.alarm(1), way))

    assert word in draughtsman.draw("numbered", NOW).markdown


SHARED = """    certificates:
      - {store: tomcat, file: tomcat.pem, multi_server: true, reused_for: CallManager}
"""
COPIES = [
    {"certificate": file, "store": store, "node": reporter}
    for file, store in (("cm1.der", "tomcat-trust"), ("cm1.der", "CallManager-trust"))
    for reporter in ("cm2", "cm3")
]  # fmt: skip


def drawn_from(store, folder, *alarms, text=SHARED):
    """Take alarms in and draw the plan of their cluster."""
    known = load("inventory.yaml", numbered.inventory() + text)
    drawing = Draughtsman(
        store=store, view=store.view, catalogue=CATALOGUE, inventory=known, folder=folder
    )
    for one in alarms:
        hear(drawing, **one)
    return drawing, drawing.draw("numbered", NOW)


def hear(drawing, at=NOW, **fields):
    """Take in one more alarm."""
    where = Directory(drawing.inventory, CATALOGUE)
    take_in(drawing.store, raw(message(**fields).encode(), received_at=at), directory=where)


@pytest.mark.parametrize("order", [COPIES, COPIES[::-1]])
def test_no_copy_of_a_certificate_takes_the_place_of_another(store, tmp_path, order):
    _, stored = drawn_from(store, tmp_path, {"node": "cm1"}, *order)
    (plan,) = json.loads(stored.document)["plans"]
    copies = {one["store"]: set(one["reporters"]) for one in plan["findings"] if one["trust"]}

    assert 1 == len(store.view.list_cases(CaseQuery()))
    assert {"tomcat-trust": {"cm2", "cm3"}, "CallManager-trust": {"cm2", "cm3"}} == copies
    assert 5 == len(plan["evidence"])


def test_what_was_heard_before_a_case_was_resolved_is_not_drawn_again(store, tmp_path):
    drawing, _ = drawn_from(store, tmp_path, {"node": "cm1"}, *COPIES)
    (row,) = store.view.list_cases(CaseQuery())
    deed = Act(kind=ActKind.RESOLVE, case=row.case.key, at=NOW + HOUR, who="ann", why="seen",
               not_after=NOW + 900 * 24 * HOUR)  # fmt: skip
    perform(store, row.case.key, deed)
    hear(drawing, NOW + 24 * HOUR, **COPIES[0], time="Nov 21 2026 01:00:00.000")
    (plan,) = json.loads(drawing.draw("numbered", NOW + 24 * HOUR).document)["plans"]

    assert [("tomcat-trust", ["cm2"])] == [(f["store"], f["reporters"]) for f in plan["findings"]]


def test_a_plan_s_table_says_what_is_revoked(store, tmp_path):
    revoked = {"node": "cm1", "mnemonic": "CertificateRevoked", "expiry": ""}
    _, stored = drawn_from(store, tmp_path, revoked)
    (row,) = [line for line in stored.markdown.splitlines() if line.startswith("| F1 ")]

    assert "| revoked |" in row
    assert "<td>revoked</td>" in (tmp_path / "numbered.html").read_text(encoding="utf-8")


def tie(store):
    """Tie the one case to the newest plan."""
    (row,) = store.view.list_cases(CaseQuery())
    digest = store.view.newest_plan("numbered").digest
    deed = Act(kind=ActKind.PLAN, case=row.case.key, at=NOW, who="ann", why="CHG 1",
               until=NOW + 24 * HOUR, digest=digest)  # fmt: skip
    perform(store, row.case.key, deed)


def case_in(store):
    (row,) = store.view.list_cases(CaseQuery())
    return row.case


REPEATED = {"node": "cm1", "time": "Nov 20 2026 05:00:00.000", "seq": "9"}


@pytest.mark.parametrize("forget", [False, True])
def test_a_repeated_alarm_sets_no_planned_case_free(store, tmp_path, forget):
    drawing, first = drawn_from(store, tmp_path, {"node": "cm1"})
    tie(store)
    if forget:  # as a release before tickets stored it
        with closing(connect(next(tmp_path.glob("*.db")))) as file, file:
            file.execute("UPDATE plan SET draft = NULL")
    hear(drawing, **REPEATED)
    second = drawing.draw("numbered", NOW)

    assert first.digest != second.digest
    assert (CaseState.PLANNED, first.digest) == (
        case_in(store).state,
        case_in(store).planned_digest,
    )


def test_another_decision_sets_a_planned_case_free(store, tmp_path):
    drawing, _ = drawn_from(store, tmp_path, {"node": "cm1"})
    tie(store)
    hear(drawing, **COPIES[0])
    drawing.draw("numbered", NOW)

    assert CaseState.ALARMED is case_in(store).state


def test_the_best_proof_of_a_finding_counts():
    text = message()
    (plan,) = planning.plan(events(text), inventory(cluster()), CATALOGUE, AS_OF)
    (proof,) = plan.evidence

    graded = {
        grade: planning.graded(plan, {proof.raw: grade}).findings[0].notes[0] for grade in Grade
    }
    unknown = planning.graded(plan, {}).findings[0].notes[0]

    assert planning.GRADES == graded
    assert planning.GRADES[Grade.CLAIM] == unknown


WINDOWS = "    change_schedule: [{days: [sat, sun], start: '22:00', end: '04:00'}]\n"


def with_windows(draughtsman):
    known = load("inventory.yaml", numbered.inventory() + WINDOWS)
    return replace(draughtsman, inventory=known)


def test_a_draft_is_planned_for_a_window(store, draughtsman):
    take_in(store, raw(numbered.alarm(1)))
    draft = with_windows(draughtsman).draw("numbered", NOW).draft

    assert "2026-11-21 22:00" == f"{draft.starts:%Y-%m-%d %H:%M}"
    assert draft.starts < draft.ends < draft.due
    assert str(draft.due.date()) in draft.title


def test_a_draft_keeps_off_the_days_of_the_sites_calendars(store, draughtsman):
    take_in(store, raw(numbered.alarm(1)))
    feast = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20261121\nEND:VEVENT\nEND:VCALENDAR"
    known = {"numbered": (read_calendar("feast.ics", feast),)}
    draft = replace(with_windows(draughtsman), calendars=known).draw("numbered", NOW).draft

    assert "2026-11-22 22:00" == f"{draft.starts:%Y-%m-%d %H:%M}"


def overdue_of(store, text=WINDOWS):
    known = load("inventory.yaml", numbered.inventory() + text)
    return Overdue(store.outbox, known)


def test_a_cluster_that_is_gone_from_the_inventory_is_not_overdue(store, draughtsman):
    take_in(store, raw(numbered.alarm(1)))
    over = with_windows(draughtsman).draw("numbered", NOW).draft.fit.found_at + 24 * HOUR
    other = load("inventory.yaml", numbered.inventory().replace("name: numbered", "name: other"))
    known = {"numbered"}

    assert known == overdue_of(store).among(known, over)
    assert not Overdue(store.outbox, other).among(known, over)
    assert not Overdue(store.outbox, None).among(known, over)


def test_after_its_slot_a_plan_is_overdue_until_it_is_drawn_anew(store, draughtsman):
    take_in(store, raw(numbered.alarm(1)))
    drawing, overdue = with_windows(draughtsman), overdue_of(store)
    first = drawing.draw("numbered", NOW).draft
    over = first.fit.found_at + 24 * HOUR
    found = [overdue.among({"numbered", "graz"}, at) for at in (NOW, over - SECOND, over, over)]
    same = drawing.draw("numbered", over)
    second = store.outbox.drawn("numbered").draft

    assert [frozenset(), frozenset(), frozenset({"numbered"}), frozenset()] == found
    assert (None, first.material) == (same, second.material)
    assert not overdue_of(store).among({"numbered"}, over)


@pytest.mark.parametrize(
    ("starts", "ends", "hours"),
    [(None, None, 24), (2, 5, 5), (30, 33, 24), (23, 26, 26), (23.5, 26.5, 26.5), (2, 50, 50)],
)
def test_a_fit_holds_until_its_last_window_is_over_or_for_a_day(starts, ends, hours):
    fit = Fit(
        outcome=Outcome.FOUND, zone="UTC", found_at=NOW, minutes=60,
        starts=None if starts is None else NOW + starts * HOUR,
        ends=None if ends is None else NOW + ends * HOUR,
    )  # fmt: skip

    until = NOW + hours * HOUR

    assert [True, False] == [fit.holds(at) for at in (until - SECOND, until)]


def test_a_change_that_has_begun_keeps_its_windows_to_the_end_of_the_last(store, draughtsman):
    take_in(store, raw(numbered.alarm(1)))
    drawing, overdue = with_windows(draughtsman), overdue_of(store)
    fit = drawing.draw("numbered", NOW).draft.fit
    starts, length = fit.starts, fit.ends - fit.starts
    days = (starts, starts + 96 * HOUR)
    fit = replace(fit, ends=days[1] + length, sessions=tuple((d, d + length) for d in days))
    keep(store, fit)
    between = starts + 48 * HOUR
    found = [overdue.among({"numbered"}, at) for at in (between, fit.ends)]
    drawing.draw("numbered", between)
    kept = store.outbox.drawn("numbered").draft.fit
    drawing.draw("numbered", fit.ends)

    assert [frozenset(), frozenset({"numbered"})] == found
    assert kept == fit
    assert store.outbox.drawn("numbered").draft.fit != fit


def keep(store, fit):
    """Store the newest plan with another fit."""
    newest = store.view.newest_plan("numbered")
    with store.transaction() as unit:
        unit.add_plan(replace(newest, draft=replace(newest.draft, fit=fit)))


LEAD = "    lead_times: {preparation: 5}\n"


def test_a_lead_time_runs_from_the_first_drawing_on(store, draughtsman):
    take_in(store, raw(numbered.alarm(1)))
    known = load("inventory.yaml", numbered.inventory() + WINDOWS + LEAD)
    drawing = replace(draughtsman, inventory=known)
    first = drawing.draw("numbered", NOW).draft
    drawing.draw("numbered", NOW + 96 * HOUR)

    assert first.starts == store.outbox.drawn("numbered").draft.starts


def test_another_plan_has_lead_times_of_its_own(store, draughtsman):
    take_in(store, raw(numbered.alarm(1)))
    known = load("inventory.yaml", numbered.inventory() + WINDOWS + LEAD)
    drawing, later = replace(draughtsman, inventory=known), NOW + 96 * HOUR
    drawing.draw("numbered", NOW)
    take_in(store, raw(numbered.alarm(2)))

    assert later == drawing.draw("numbered", later).draft.fit.asked_at


def test_without_windows_a_draft_has_no_times(store, draughtsman):
    take_in(store, raw(numbered.alarm(1)))
    draft = draughtsman.draw("numbered", NOW).draft

    assert (None, None, None) == (draft.starts, draft.ends, draft.due)


def test_a_fault_of_the_scheduler_does_not_stop_the_draft(store, draughtsman, monkeypatch, caplog):
    def failing(*_):
        raise ZeroDivisionError

    monkeypatch.setattr("watcher.app.drawing.recommend", failing)
    take_in(store, raw(numbered.alarm(1)))
    draft = with_windows(draughtsman).draw("numbered", NOW).draft

    assert draft.starts is None
    assert "no time was found for the plan of numbered" in caplog.text

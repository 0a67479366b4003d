"""The calendar of a digest: events move with what they stand for, and are withdrawn with it."""

from datetime import timedelta

from digest.test_page import ZONE, page
from digest.town import DAY, NOW, case, cluster, fit, in_windows, known
from icalendar import Calendar

from watcher.digest.calendar import MOST, calendar
from watcher.digest.gather import Audience, State, page_of
from watcher.inventory.schema import Inventory
from watcher.model.case import CaseState
from watcher.slots.calendar_file import read_calendar


def test_events_keep_their_names_from_week_to_week():
    def uids(now):
        events = Calendar.from_ical(calendar(page(now=now), "d.example", now)).events
        return {str(event["uid"]) for event in events}

    first, second = uids(NOW), uids(NOW + timedelta(days=1))

    assert first == second
    assert {"case-3@d.example", "case-5@d.example"} <= first
    assert any(uid.startswith("window-") for uid in first)


def events_of(made, now=NOW):
    return {str(e["uid"]): e for e in Calendar.from_ical(calendar(made, "d", now)).events}


def test_a_window_that_moves_is_one_event_with_a_higher_sequence():
    state = State(cases=known(case(days=50)), inventory=Inventory(version=1, clusters=(cluster(),)))
    weeks = (("2026-W53", NOW + 35 * DAY), ("2027-W01", NOW + 42 * DAY))
    first, then = (
        events_of(page_of(Audience(name="x"), state, week, at, ZONE), at) for week, at in weeks
    )
    (uid,) = [uid for uid in first if uid.startswith("window-")]

    assert first[uid]["dtstart"].dt + 7 * DAY == then[uid]["dtstart"].dt
    assert first[uid]["sequence"] + 1 == then[uid]["sequence"]


def test_a_page_of_another_week_does_not_outrun_those_of_the_weeks_before_it():
    state = State(cases=known(case(days=500)))
    early = events_of(page_of(Audience(name="x"), state, "2027-W22", NOW + 190 * DAY, ZONE), NOW)
    weeks = [events_of(page(state), NOW + days * DAY)["case-1@d"]["sequence"] for days in range(8)]

    assert weeks[0] == early["case-1@d"]["sequence"]
    assert [weeks[0]] * 7 + [weeks[0] + 1] == weeks


def test_each_window_of_a_change_is_an_event_and_none_is_read_back_as_a_window():
    fits = {"graz": in_windows(5.6, 7.6, 12.6)}
    inventory = Inventory(version=1, clusters=(cluster(),))
    made = page(State(cases=known(case()), inventory=inventory, fits=fits))
    slots = {uid: e for uid, e in events_of(made).items() if uid.startswith("window-")}
    ours = read_calendar("digest.ics", calendar(made, "d", NOW).decode())

    assert [(a, b) for a, b in fits["graz"].slots] == [
        (e["dtstart"].dt, e["dtend"].dt) for e in slots.values()
    ]
    assert ["", "-2", "-3"] == [uid[len("window-") + 12 : -len("@d")] for uid in slots]
    assert "Recommended slot, window 3 of 3" in str(list(slots.values())[2]["summary"])
    assert not any(event.window for event in ours.events)


def test_of_a_large_site_the_slots_stand_in_the_calendar_before_the_ends():
    cases = [case(f"n{n}", days=500 - n) for n in range(2 * MOST)]
    gone = case("gone", days=9, state=CaseState.RESOLVED, resolved_at=NOW - DAY)
    inventory = Inventory(version=1, clusters=(cluster(),))
    found = [*events_of(page(State(cases=known(*cases, gone), inventory=inventory)))]

    assert MOST == len(found)
    assert found[0].startswith("window-")
    assert [f"case-{2 * MOST + 1}@d", f"case-{2 * MOST}@d"] == found[1:3]


def test_what_is_resolved_is_withdrawn_from_the_calendar():
    done = case(
        days=9, state=CaseState.RESOLVED, resolved_at=NOW - DAY, confirmed_end=NOW + 900 * DAY
    )
    inventory = Inventory(version=1, clusters=(cluster(),))
    alone = events_of(page(State(cases=known(done), inventory=inventory)))
    open_ = events_of(page(State(cases=known(done, case("cm2")), inventory=inventory)))

    assert {"CANCELLED"} == {event["status"] for event in alone.values()}
    assert 2 == len(alone)
    assert "CANCELLED" == open_["case-1@d"]["status"]
    assert 2 == sum("status" not in event for event in open_.values())


def test_the_way_out_of_a_plan_that_fits_nowhere_is_not_cut():
    why = "of 9 windows none fits: " + "the shortest part is too long; " * 20
    site = Inventory(version=1, clusters=(cluster(),))
    made = page(State(cases=known(case()), inventory=site, fits={"graz": fit(why=why)}))
    (told,) = [str(e["description"]) for e in events_of(made).values()
               if str(e["uid"]).startswith("window-")]  # fmt: skip

    assert "cheapest way out: an extra window of 11 hours: Thu 2026-11-26 20:00" in told

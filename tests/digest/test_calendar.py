"""The calendar of a digest: events move with what they stand for, and are withdrawn with it."""

from datetime import timedelta

from digest.test_page import ZONE, page
from digest.town import DAY, NOW, case, cluster, known
from icalendar import Calendar

from watcher.digest.calendar import calendar
from watcher.digest.gather import Audience, State, page_of
from watcher.inventory.schema import Inventory
from watcher.model.case import CaseState


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
    first = events_of(page_of(Audience(name="x"), state, "2026-W53", NOW + 35 * DAY, ZONE))
    then = events_of(page_of(Audience(name="x"), state, "2027-W01", NOW + 42 * DAY, ZONE))
    (uid,) = [uid for uid in first if uid.startswith("window-")]

    assert first[uid]["dtstart"].dt + 7 * DAY == then[uid]["dtstart"].dt
    assert first[uid]["sequence"] + 1 == then[uid]["sequence"]


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

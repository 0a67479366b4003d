"""Whether a plan fits its windows decides what is due, and stands on the page."""

from dataclasses import replace
from datetime import timedelta

import pytest
from digest.test_page import TEMPLATES, page, sections
from digest.town import DAY, NOW, case, cluster, fit, fitting, in_windows, known, source
from icalendar import Calendar

from watcher.digest import page as pages
from watcher.digest.calendar import calendar
from watcher.digest.gather import State
from watcher.inventory.schema import Inventory
from watcher.model.digest import Section
from watcher.model.slot import Outcome
from watcher.slots.calendar_file import read_calendar

SATURDAY = 5 + 15 / 24
"""Days until the next window opens: Saturday, 22:00 in Vienna."""


def town(*cases, fits=None):
    """Return a site of one cluster with a window each Saturday."""
    return State(
        cases=known(*cases), sources=(source("cm1"),),
        inventory=Inventory(version=1, clusters=(cluster(),)),
        fits={"graz": fits} if fits else {},
    )  # fmt: skip


def test_a_plan_that_fits_no_window_is_due_and_stands_in_the_subject():
    made = page(town(case(days=7), case("cm2", days=300), fits=fit()))
    text, html = pages.text(made, TEMPLATES), pages.html(made, TEMPLATES)

    assert {Section.PRESSING: [1], Section.OPEN: [2]} == sections(made)
    assert made.subject.startswith("1 plan fits no window, 1 due before the next feasible window")
    for form in (text, html):
        assert "FITS NO WINDOW; it takes 10 h 53 min in one window" in form
        assert "cheapest way out: an extra window of 11 hours: Thu 2026-11-26 20:00" in form


def test_without_any_slot_every_known_end_is_due():
    made = page(town(case(days=7), case("cm2", days=300), fits=fit(late=None, relief="")))

    assert {Section.PRESSING: [1, 2]} == sections(made)
    assert "none that was tried helps" in pages.text(made, TEMPLATES)


@pytest.mark.parametrize(
    ("days", "fits", "section"),
    [
        (6.0, fitting(SATURDAY), Section.PRESSING),  # it ends while the work is done
        (6.5, fitting(SATURDAY, spare=0), Section.LAST_WINDOW),
        (12.0, fitting(SATURDAY, spare=0, deadline=NOW + 11 * DAY), Section.LAST_WINDOW),
        (14.0, fitting(SATURDAY), Section.WORSE),  # not due; it passed a mark
        (14.0, fitting(SATURDAY + 7, spare=0, deadline=NOW + 13 * DAY), Section.LAST_WINDOW),
        (12.0, fitting(SATURDAY, spare=0.1), Section.WORSE),  # again in the same long window
        (7.0, in_windows(SATURDAY, SATURDAY + 7), Section.WORSE),  # the first part is its
        (5.8, in_windows(SATURDAY, SATURDAY + 7), Section.PRESSING),
        (12.9, fit(), Section.PRESSING),  # 12 days and the margin of one
        (13.1, fit(), Section.WORSE),
        (30.0, fit(outcome=Outcome.UNKNOWN), Section.WORSE),
    ],
)
def test_what_is_due_is_judged_by_the_slot_of_the_plan(days, fits, section):
    assert {section: [1]} == sections(page(town(case(days=days), fits=fits)))


@pytest.mark.parametrize(
    ("minutes", "section"),
    [(10, Section.PRESSING), (29, Section.PRESSING), (31, Section.LAST_WINDOW)],
)
def test_an_end_just_after_a_window_opens_leaves_no_window(minutes, section):
    made = page(town(case(days=SATURDAY + minutes / 1440)))

    assert {section: [1]} == sections(made)


@pytest.mark.parametrize(
    ("fits", "words"),
    [
        (fit(found_at=NOW - 3 * DAY), "last reckoned for Fri 2026-11-20 07:00 CET: that counts no"),
        (fit(found_at=NOW + 3 * DAY), "last reckoned for Thu 2026-11-26 07:00 CET: that counts no"),
        (fitting(-1), "its slot of Sun 2026-11-22 07:00 CET has passed"),
    ],
)
def test_what_was_reckoned_too_long_ago_is_not_believed_and_that_is_said(fits, words):
    made = page(town(case(days=7), fits=fits))

    assert {Section.LAST_WINDOW: [1]} == sections(made)
    assert words in pages.text(made, TEMPLATES)
    assert words in pages.html(made, TEMPLATES)
    assert not made.clusters[0].misfit
    assert not made.clusters[0].slots


@pytest.mark.parametrize(
    ("spare", "words"),
    [(0, "; no second attempt before"), (7, "; latest safe start Sat 2026-12-05 22:00 CET")],
)
def test_a_slot_that_was_found_is_told_with_its_latest_safe_start(spare, words):
    made = page(town(case(days=100), fits=fitting(SATURDAY, spare)))

    assert (
        "takes 10 h 53 min in one window; fits Sat 2026-11-28 22:00 CET to Sun 2026-11-29 09:00 CET"
        f"{words}"
    ) in pages.text(made, TEMPLATES)


BEGUN = "Mon 2026-11-23 04:36 CET to Mon 2026-11-23 15:36 CET"
NO_SECOND = "no second attempt before the deadline"
WINDOWS = (
    "window 1 of 2: Sun 2026-11-22 23:00 CET to Mon 2026-11-23 04:00 CET",
    "window 2 of 2: Tue 2026-11-24 23:00 CET to Wed 2026-11-25 04:00 CET",
)


@pytest.mark.parametrize(
    ("fits", "told"),
    [
        (
            fitting(-0.1),
            (f"takes 10 h 53 min in one window; fits {BEGUN}; has begun; {NO_SECOND}",),
        ),
        (
            in_windows(-1 / 3, 2 - 1 / 3),
            (f"takes 10 h 00 min in 2 windows; window 1 of 2 has begun; {NO_SECOND}", *WINDOWS),
        ),
    ],
)
def test_a_change_that_has_begun_is_believed_to_its_end_and_each_window_is_told(fits, told):
    fits = replace(fits, latest=fits.starts, found_at=NOW - 5 * DAY)
    made = page(town(case(days=100), fits=fits))

    assert told == made.clusters[0].fits
    assert told[-1] in pages.text(made, TEMPLATES)


def test_the_calendar_holds_the_recommended_slot_else_the_next_window():
    def windows(made):
        events = Calendar.from_ical(calendar(made, "d.example", NOW)).events
        return [
            (str(e["summary"]), e["dtstart"].dt)
            for e in events
            if "WINDOW" in str(e["uid"]).upper()
        ]

    found = windows(page(town(case(days=100), fits=fitting(SATURDAY + 7))))
    misfit = windows(page(town(case(days=7), fits=fit())))

    assert [("Recommended slot: graz, plan 57F8-4B15-5054", NOW + (SATURDAY + 7) * DAY)] == found
    assert [("Next window: graz", NOW + timedelta(days=SATURDAY))] == misfit


HOLIDAY = """\
BEGIN:VCALENDAR
BEGIN:VEVENT
UID:a@example.com
DTSTART;VALUE=DATE:20261128
DTEND;VALUE=DATE:20261130
SUMMARY:Move of the office
END:VEVENT
BEGIN:VEVENT
UID:b@example.com
CATEGORIES:WINDOW
DTSTART:20261202T200000Z
DTEND:20261202T230000Z
SUMMARY:Extra window
END:VEVENT
END:VCALENDAR
"""


def test_calendars_of_the_inventory_block_and_open_windows():
    known_ = read_calendar("holiday.ics", HOLIDAY.replace("\n", "\r\n"))
    made = page(replace(town(case(days=50)), calendars={"graz": (known_,)}))

    assert "next window: Wed 2026-12-02 21:00 CET to Thu 2026-12-03 00:00 CET" in pages.text(
        made, TEMPLATES
    )


def test_a_calendar_that_comes_to_too_much_leaves_no_window_known():
    one = HOLIDAY[HOLIDAY.index("BEGIN:VEVENT\nUID:b") : HOLIDAY.index("END:VCALENDAR")]
    daily = [
        one.replace("T200000Z", f"T20{minute:02d}00Z\nRRULE:FREQ=DAILY", 1).replace(
            "UID:b", f"UID:{minute}"
        )
        for minute in range(60)
    ]
    text = "".join(["BEGIN:VCALENDAR\n", *daily, "END:VCALENDAR\n"])
    known_ = read_calendar("endless.ics", text.replace("\n", "\r\n"))
    made = page(replace(town(case(days=50)), calendars={"graz": (known_,)}))

    assert made.clusters[0].window is None
    for form in (pages.text(made, TEMPLATES), pages.html(made, TEMPLATES)):
        assert "known: " in form
        assert "the events come too often" in form

"""RFC 5545 in and out; dateutil is the oracle for rules and for time zones."""

import io
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from dateutil.tz import tzical
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from slots.samples import NOW, at, cluster, date, phased, simple, window

from watcher.errors import InputError
from watcher.slots.calendar import read_as, stretches
from watcher.slots.calendar_file import read_calendar
from watcher.slots.calendar_out import time_zone, to_ics
from watcher.slots.recommend import recommend
from watcher.slots.zones import minute_after, moment_of

OFTEN_NONE = [HealthCheck.filter_too_much, HealthCheck.too_slow]
"""Random sites often have no slot at all; the machine may be busy."""
VIENNA = ZoneInfo("Europe/Vienna")
SATURDAYS = window(["sat"], "22:00", "04:00")
FIRST, LAST = minute_after(NOW), minute_after(NOW + timedelta(days=400))


def file_of(*lines, before=()):
    inner = [*before, "BEGIN:VEVENT", "UID:one@x", *lines, "END:VEVENT"]
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", *inner, "END:VCALENDAR", ""])


def closed(*lines, before=(), zone=VIENNA, last=LAST):
    calendar = read_calendar("c.ics", file_of(*lines, before=before))
    opened, blackouts = stretches([calendar], zone, FIRST, last)
    found = sorted([*opened, *(stretch for stretch, _ in blackouts)])
    return [(moment_of(start), moment_of(end)) for start, end in found]


@pytest.mark.parametrize(
    ("lines", "spans"),
    [
        (["DTSTART;VALUE=DATE:20261224"], [("2026-12-23 23:00", "2026-12-24 23:00")]),
        (["DTSTART;VALUE=DATE:20261224", "DTEND;VALUE=DATE:20261227"],
         [("2026-12-23 23:00", "2026-12-26 23:00")]),
        (["DTSTART:20261205T220000Z", "DURATION:PT2H"], [("2026-12-05 22:00", "2026-12-06 00:00")]),
        (["DTSTART:20261205T220000", "DTEND:20261206T020000"],
         [("2026-12-05 21:00", "2026-12-06 01:00")]),
        (["DTSTART;TZID=America/New_York:20261205T220000", "DURATION:PT1H"],
         [("2026-12-06 03:00", "2026-12-06 04:00")]),
        (["DTSTART;TZID=Europe/Vienna:20270327T220000", "DTEND;TZID=Europe/Vienna:20270328T040000"],
         [("2027-03-27 21:00", "2027-03-28 02:00")]),
        (["DTSTART;TZID=Europe/Vienna:20270327T220000", "DURATION:PT6H"],
         [("2027-03-27 21:00", "2027-03-28 03:00")]),
        (["DTSTART;TZID=Europe/Vienna:20270328T023000", "DURATION:PT1H"],
         [("2027-03-28 01:30", "2027-03-28 02:30")]),
        (["DTSTART:20261205T220000Z", "DURATION:PT1H", "RRULE:FREQ=WEEKLY;COUNT=3",
          "EXDATE:20261212T220000Z", "RDATE:20261213T100000Z"],
         [("2026-12-05 22:00", "2026-12-05 23:00"), ("2026-12-13 10:00", "2026-12-13 11:00"),
          ("2026-12-19 22:00", "2026-12-19 23:00")]),
        (["DTSTART:20261205T220000Z", "DURATION:PT1H", "RDATE;VALUE=PERIOD:20261213T100000Z/PT2H"],
         [("2026-12-05 22:00", "2026-12-05 23:00"), ("2026-12-13 10:00", "2026-12-13 12:00")]),
        (["DTSTART:20261205T220000Z", "DURATION:PT1H", "STATUS:CANCELLED"], []),
        (["DTSTART:20261205T220000Z", "DURATION:PT1H", "TRANSP:TRANSPARENT"],
         [("2026-12-05 22:00", "2026-12-05 23:00")]),
        (["DTSTART:20261205T220000Z"], []),
        (["DTSTART;TZID=America/New_York:20261205T220000", "DTEND:20261206T050000Z"],
         [("2026-12-06 03:00", "2026-12-06 05:00")]),
        (["DTSTART;TZID=Europe/Vienna:20261205T220000",
          "DTEND;TZID=America/New_York:20261205T200000", "RRULE:FREQ=WEEKLY;COUNT=2"],
         [("2026-12-05 21:00", "2026-12-06 01:00"), ("2026-12-12 21:00", "2026-12-13 01:00")]),
    ],
)  # fmt: skip
def test_events_are_stretches(lines, spans):
    assert closed(*lines) == [(at(start), at(end)) for start, end in spans]


def test_an_occurrence_that_was_moved_is_where_it_was_moved_to():
    moved = ["BEGIN:VEVENT", "UID:one@x", "RECURRENCE-ID:20261212T220000Z",
             "DTSTART:20261214T220000Z", "DURATION:PT1H", "END:VEVENT"]  # fmt: skip
    rule = ["DTSTART:20261205T220000Z", "DURATION:PT1H", "RRULE:FREQ=WEEKLY;COUNT=2"]

    assert [start for start, _ in closed(*rule, before=moved)] == [
        at("2026-12-05 22:00"), at("2026-12-14 22:00"),
    ]  # fmt: skip


@pytest.mark.parametrize("category", ["WINDOW", "maintenance", "Red,Window"])
def test_a_category_makes_an_event_a_window(category):
    text = file_of(
        "DTSTART;TZID=Europe/Vienna:20261205T220000", "DURATION:PT6H", f"CATEGORIES:{category}",
        "RRULE:FREQ=MONTHLY;BYDAY=1SA",
    )  # fmt: skip
    found = recommend(
        simple(60, at("2027-06-01 12:00")), cluster(), NOW, [read_calendar("c.ics", text)]
    )

    assert found.starts == at("2026-12-05 21:00")
    assert found.slots[0].last == at("2027-05-02 01:00")


def test_what_was_read_as_what_is_told():
    night = ("DTSTART:20261205T220000Z", "DURATION:PT6H")
    opens = [*("BEGIN:VEVENT", *night, "SUMMARY:Night", "CATEGORIES:Maintenance"), "END:VEVENT"]
    text = file_of(*night, "SUMMARY:Wartungsfenster", "CATEGORIES:Wartung", before=opens)
    found = recommend(
        simple(60, at("2027-06-01 12:00")), cluster(SATURDAYS), NOW, [read_calendar("c.ics", text)]
    )

    events = "1 event blocks changes (Wartungsfenster); 1 event opens a window (Night)"

    assert found.notes == (
        f"c.ics: {events}. The category Wartung blocks: only WINDOW and MAINTENANCE open a window.",
    )


@pytest.mark.parametrize(
    ("names", "told"),
    [([], "no event blocks changes"), (["A", "B"], "2 events block changes (A, B)"),
     ([*"ABABCDE"], "7 events block changes (A, B, C and 2 more)")],
)  # fmt: skip
def test_of_many_events_some_are_named(names, told):
    events = "".join(f"BEGIN:VEVENT\nDTSTART:20261205\nSUMMARY:{n}\nEND:VEVENT\n" for n in names)
    text = f"BEGIN:VCALENDAR\n{events}END:VCALENDAR\n"

    assert read_as(read_calendar("c.ics", text)) == f"c.ics: {told}; no event opens a window."


def test_a_holiday_closes_a_window():
    text = file_of("DTSTART;VALUE=DATE:20261128", "SUMMARY:Feast\\, all day")
    found = recommend(
        simple(300, at("2026-12-01 12:00")), cluster(SATURDAYS), NOW,
        [read_calendar("c.ics", text)],
    )  # fmt: skip

    assert found.slots == ()
    assert [one.why for one in found.excluded] == ["blackout: Feast, all day"]
    assert "an exception from the blackout on 2026-11-28" in {r.what for r in found.relaxations}


DAILY = "DTSTART:20261205T220000Z"
ZONE = ["BEGIN:VTIMEZONE", "TZID:Ours", "BEGIN:STANDARD", "DTSTART:20260101T000000",
        "TZOFFSETFROM:+0100", "TZOFFSETTO:+0100", "END:STANDARD", "END:VTIMEZONE"]  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "line", "problem"),
    [
        ([DAILY, "RRULE:FREQ=SECONDLY"], 6, "FREQ=SECONDLY"),
        ([DAILY, "RRULE:FREQ=DAILY;BYHOUR=1,2"], 6, "BYHOUR"),
        ([DAILY, "RRULE:FREQ=DAILY;INTERVAL=0"], 6, "out of range"),
        ([DAILY, "RRULE:FREQ=DAILY;COUNT=999999"], 6, "out of range"),
        ([DAILY, "RRULE:FREQ=DAILY", "RRULE:FREQ=DAILY"], 3, "several rules"),
        (["SUMMARY:none"], 3, "no beginning"),
        (["DTSTART:20269905T220000Z"], 5, "cannot be read"),
        (["DTSTART:99991231T220000Z"], 5, "the year 9999"),
        (["DTSTART;TZID=Nowhere:20261205T220000"], 5, "no time zone 'Nowhere'"),
        ([DAILY, "DTEND:20261205T210000Z"], 6, "before it begins"),
        ([DAILY, "DURATION:P9999D"], 6, "no length"),
        (["nonsense"], 5, "no content line"),
        ([DAILY, "END:VALARM"], 6, "ends nothing"),
        ([DAILY, "BEGIN:VALARM"], 7, "ends nothing"),
        ([DAILY, *["BEGIN:X"] * 20], 11, "too deep"),
        ([DAILY, "RDATE:" + ",".join(["20261205T220000Z"] * 6000)], 6, "6000 dates"),
    ],
)
def test_a_hostile_file_is_refused_with_its_place(lines, line, problem):
    with pytest.raises(InputError) as caught:
        read_calendar("c.ics", file_of(*lines))

    assert (str(caught.value.where), problem in str(caught.value)) == (f"c.ics:{line}", True)
    assert caught.value.expected


@pytest.mark.parametrize("text", ["", "hello", "BEGIN:VEVENT\nEND:VEVENT\n", "BEGIN:VCALENDAR\n"])
def test_what_is_no_calendar_is_refused(text):
    with pytest.raises(InputError) as caught:
        read_calendar("c.ics", text)

    assert caught.value.where.file == "c.ics"


def test_rules_that_come_too_often_are_refused():
    rule = "BEGIN:VEVENT\nDTSTART:19700101T000000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=190000\n"
    text = "BEGIN:VCALENDAR\n" + (rule + "END:VEVENT\n") * 900 + "END:VCALENDAR\n"

    with pytest.raises(InputError, match="too often"):
        stretches([read_calendar("c.ics", text)], VIENNA, FIRST, LAST)


@given(st.text(max_size=200), st.integers(0, 300))
@settings(max_examples=150, deadline=None, suppress_health_check=OFTEN_NONE)
def test_rubbish_in_a_calendar_is_refused_and_never_crashes(rubbish, place):
    whole = file_of("DTSTART;TZID=Ours:20261205T220000", "RRULE:FREQ=DAILY;COUNT=3", before=ZONE)
    text = whole[:place] + rubbish + whole[place:]
    try:
        calendar = read_calendar("c.ics", text)
    except InputError:
        return
    stretches([calendar], VIENNA, FIRST, LAST)


NUMBERS = st.lists(st.integers(1, 12), min_size=1, max_size=3, unique=True)
MONTH_DAYS = st.lists(st.integers(-31, 31).filter(bool), min_size=1, max_size=3, unique=True)
WEEKDAYS = st.lists(st.sampled_from(["MO", "TU", "SA", "SU"]), min_size=1, max_size=3, unique=True)
ORDERED = st.lists(st.sampled_from(["1MO", "-1SU", "2TU", "3FR"]), min_size=1, unique=True)


@st.composite
def rules(draw):
    frequency = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    days = ORDERED if frequency in {"MONTHLY", "YEARLY"} else WEEKDAYS
    parts = {
        "INTERVAL": draw(st.none() | st.integers(1, 5)),
        "COUNT": draw(st.none() | st.integers(1, 60)),
        "BYMONTH": draw(st.none() | NUMBERS),
        "BYMONTHDAY": draw(st.none() | MONTH_DAYS) if frequency != "WEEKLY" else None,
        "BYDAY": draw(st.none() | days),
        "WKST": draw(st.none() | st.sampled_from(["MO", "SU"])),
    }
    told = {key: value for key, value in parts.items() if value is not None}
    texts = {k: ",".join(map(str, v)) if isinstance(v, list) else v for k, v in told.items()}
    return ";".join([f"FREQ={frequency}", *(f"{key}={value}" for key, value in texts.items())])


@given(rules(), st.dates(date(2025, 1, 1), date(2027, 3, 1)))
@settings(max_examples=100, deadline=None, suppress_health_check=OFTEN_NONE)
def test_rules_are_expanded_as_dateutil_does(rule, first):
    start = datetime.combine(first, datetime.min.time()).replace(hour=12)
    expected = rrulestr(rule, dtstart=start).between(
        (NOW + timedelta(minutes=-30)).replace(tzinfo=None), moment_of(LAST).replace(tzinfo=None)
    )
    found = closed(f"DTSTART:{start:%Y%m%dT%H%M%S}Z", "DURATION:PT30M", f"RRULE:{rule}")

    assert [start.replace(tzinfo=None) for start, _ in found] == expected


ZONES = st.sampled_from(
    ["Europe/Vienna", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC",
     "Africa/Casablanca", "America/Santiago", "Europe/Dublin"]
)  # fmt: skip


TWICE = window(["sun"], "01:30", "05:00")
"""In New York the end of October's last summer night: its first half hour comes twice."""


@given(ZONES, st.integers(2, 300), st.integers(1, 380), st.sampled_from([SATURDAYS, TWICE]),
       st.just(NOW))  # fmt: skip
@example("America/New_York", 120, 180, TWICE, at("2026-10-31 08:00"))
@settings(max_examples=50, deadline=None, suppress_health_check=OFTEN_NONE)
def test_slots_come_back_from_their_own_calendar(zone, minutes, days, weekly, now):
    site = cluster(weekly, time_zone=zone)
    found = recommend(simple(minutes, now + timedelta(days=days)), site, now)
    assume(found.slots)
    # A reader that does not know the zone has to go by what the file says of it.
    text = to_ics([found], 7).replace(f"TZID:{zone}", "TZID:Strange")
    read = read_calendar("own.ics", text.replace(f"TZID={zone}", "TZID=Strange"))
    _, blackouts = stretches([read], VIENNA, minute_after(now), LAST)

    assert [(moment_of(a), moment_of(b)) for (a, b), _ in blackouts] == [
        (slot.starts, slot.ends) for slot in found.slots
    ]
    assert text.count("BEGIN:VTIMEZONE") == (0 if zone == "UTC" else 1)


WEEKLY_NIGHT = ("DTSTART;TZID=Europe/Vienna:20261205T220000",
                "DTEND;TZID=Europe/Vienna:20261206T040000", "RRULE:FREQ=WEEKLY")  # fmt: skip


@pytest.mark.parametrize(
    ("category", "ends"), [("WINDOW", "2027-03-28 02:00"), ("OTHER", "2027-03-28 03:00")]
)
def test_in_the_night_of_a_clock_change_the_safer_end_counts(category, ends):
    found = closed(*WEEKLY_NIGHT, f"CATEGORIES:{category}")

    assert dict(found)[at("2027-03-27 21:00")] == at(ends)


def test_an_event_whose_end_alone_has_a_zone_is_refused():
    text = file_of("DTSTART:20261205T220000", "DTEND:20261206T040000Z")
    with pytest.raises(InputError, match="has a zone") as caught:
        read_calendar("c.ics", text)

    assert str(caught.value.where) == "c.ics:6"


def test_an_event_keeps_its_name_and_counts_up():
    found = recommend(phased(240, 240, ends=at("2026-12-20 12:00")), cluster(SATURDAYS), NOW)
    first, second = to_ics([found], 7), to_ics([found], 8)

    assert [line for line in first.splitlines() if line.startswith("UID")] == [
        "UID:watcher-hq-1-1@watcher.invalid", "UID:watcher-hq-1-2@watcher.invalid",
    ]  # fmt: skip
    assert first.count("SEQUENCE:7") == 2
    assert first.replace("SEQUENCE:7", "SEQUENCE:8") == second


@pytest.mark.parametrize("name", ["Europe/Vienna", "America/New_York", "America/Santiago"])
def test_a_time_zone_is_written_as_another_program_reads_it(name):
    text = time_zone(name, NOW, NOW + timedelta(days=30)).to_ical().decode()
    zone = tzical(io.StringIO(f"BEGIN:VCALENDAR\n{text}END:VCALENDAR\n")).get()
    hours = [NOW.replace(tzinfo=None) + timedelta(hours=n) for n in range(24 * 380)]
    known = ZoneInfo(name)
    sure = [h for h in hours if h.replace(tzinfo=known, fold=0).utcoffset()
            == h.replace(tzinfo=known, fold=1).utcoffset()]  # fmt: skip

    assert [h for h in sure if h.replace(tzinfo=zone).utcoffset()
            != h.replace(tzinfo=known).utcoffset()] == []  # fmt: skip

"""Cut dates: every case of docs/expiry.md, and that the truth is never lost."""

import time
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.app.knowledge import load_catalogue
from watcher.expiry import LONGEST_EXPIRED, resolve
from watcher.model.expiry import Certainty, ExpiryState
from watcher.rules.alarms import Direction

KINDS = load_catalogue().alarms.certificate
EXPIRED, EXPIRING, UNKNOWN = ExpiryState.EXPIRED, ExpiryState.EXPIRING, ExpiryState.UNKNOWN


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def days(expiry):
    return [candidate.day.isoformat() for candidate in expiry.candidates]


@pytest.mark.parametrize(
    ("text", "event", "kind", "day", "state"),
    [
        ("Mon May 19 14:46:", "2014-09-05", "CertValidfor7days", "2014-05-19", EXPIRED),
        ("Sun Mar 26 12:30:59:000 CES", "2019-06-19", "CertExpired", "2017-03-26", EXPIRED),
        ("Sun Mar 26 12:30:57:000 CEST ", "2019-06-19", "CertExpired", "2017-03-26", EXPIRED),
        ("Tue Apr 02 09:15:", "2024-03-05", "CertValidLessThanMonth", "2024-04-02", EXPIRING),
        ("Thu Jun 20 11:02:", "2024-06-14", "CertValidfor7days", "2024-06-20", EXPIRING),
        ("Sat Jun 15 23:59:", "2024-06-14T23:00", "CertValidLessthanADay", "2024-06-15", EXPIRING),
        ("Wed Jan 01 00:10", "2024-12-20", "CertValidLessThanMonth", "2025-01-01", EXPIRING),
        ("Tue Dec 31 23:50", "2025-01-02", "CertExpired", "2024-12-31", EXPIRED),
        ("Thu Feb 29 10:00", "2024-03-05", "CertExpired", "2024-02-29", EXPIRED),
        ("Mon Feb 29 10:00", "2022-09-05", "CertExpired", "2016-02-29", EXPIRED),
        ("Wed Jan 08 10:", "2019-06-19", "CertExpired", "2014-01-08", EXPIRED),
        ("Wed Jan 08 10:", "2019-06-19", "CertValidfor7days", "2014-01-08", EXPIRED),
        ("Sat Feb 29 10:00", "2023-03-05", "CertExpired", "2020-02-29", EXPIRED),
        ("Mon May 19", "2014-09-05", "CertExpired", "2014-05-19", EXPIRED),
        ("Mon May 5 14:46", "2014-09-05", "CertExpired", "2014-05-05", EXPIRED),
        ("Mon May 19 14:46:00:000 CEST 201", "2014-09-05", "Unheard", "2014-05-19", EXPIRED),
    ],
)
def test_one_year_fits(text, event, kind, day, state):
    expiry, actual = resolve(text, at(event), KINDS.get(kind))

    assert expiry.certainty is Certainty.INFERRED
    assert (str(expiry.day), actual) == (day, state)
    assert [str(found.day) for found in expiry.candidates if found.chosen] == [day]


def test_the_example_of_the_field_lists_what_it_left_and_why():
    expiry, _ = resolve("Mon May 19 14:46:", at("2014-09-05"), KINDS["CertValidfor7days"])

    assert days(expiry) == ["2008-05-19", "2014-05-19", "2025-05-19"]
    assert [found.reason for found in expiry.candidates] == [
        "2300 days before the event: five years before the event or longer",
        "109 days before the event",
        "3909 days after the event: later than the alarm's name allows",
    ]


@pytest.mark.parametrize(
    ("text", "event", "kind", "question"),
    [
        ("Mon May 19 14:46:", "2014-09-05", None, "2014-05-19, 2008-05-19 or 2025-05-19?"),
        ("Mon May 19", "2014-09-05", "CertValidLessThanMonth", "or 2025-05-19?"),
        ("Mon May 1", "2014-09-05", "CertExpired", "2014-05-19, 2014-05-12"),
        ("Mon May", "2014-09-05", "CertExpired", "or another"),
        ("Mon May 19", None, "CertExpired", "In which year"),
    ],
)
def test_what_stays_open_becomes_a_question(text, event, kind, question):
    expiry, _ = resolve(text, at(event) if event else None, KINDS.get(kind))

    assert expiry.certainty is Certainty.AMBIGUOUS
    assert expiry.day is None
    assert question in (expiry.question or "")


def test_a_cut_day_keeps_all_days_that_it_may_have_been():
    expiry, _ = resolve("Mon May 1", at("2014-09-05"), KINDS["CertExpired"])

    assert {found.day.day // 10 for found in expiry.candidates} == {1}
    assert {found.day.weekday() for found in expiry.candidates} == {0}


@pytest.mark.parametrize("text", [None, "", "M", "Mon", "Mon ", "???", "Xyz Abc 12", "\x00"])
def test_without_a_date_the_name_still_bounds_it(text):
    expiry, state = resolve(text, at("2014-09-05"), KINDS["CertExpired"])

    assert (expiry.certainty, state) == (Certainty.BOUNDED, EXPIRED)
    assert (expiry.earliest, expiry.latest) == (None, at("2014-09-05"))


@pytest.mark.parametrize(
    ("kind", "event"), [("Unheard", "2014-09-05"), (None, None), ("CertificateRevoked", None)]
)
def test_nothing_known_is_said(kind, event):
    expiry, state = resolve("M", at(event) if event else None, KINDS.get(kind))

    assert (expiry.certainty, state) == (Certainty.UNKNOWN, UNKNOWN)


def test_both_sides_without_a_date_leave_the_state_open():
    assert resolve(None, at("2014-09-05"), KINDS["CertValidfor7days"])[1] is UNKNOWN


@pytest.mark.parametrize(
    ("text", "certainty"),
    [
        ("Mon May 19 14:46:00:000 CEST 2014", Certainty.EXACT),
        ("Tue May 19 14:46:00:000 CEST 2014", Certainty.AMBIGUOUS),
        ("Mon May 18 14:46:00:000 CEST 2026", Certainty.AMBIGUOUS),
    ],
)
def test_a_full_date_is_kept_even_when_something_contradicts_it(text, certainty):
    expiry, state = resolve(text, at("2014-09-05"), KINDS["CertExpired"])

    assert (expiry.certainty, state) == (certainty, EXPIRED)
    assert expiry.day is not None
    assert expiry.complete


def test_a_date_that_does_not_exist_is_no_date():
    expiry, _ = resolve("Fri Feb 30 14:46:00:000 UTC 2014", at("2014-09-05"), None)

    assert (expiry.certainty, expiry.day) == (Certainty.UNKNOWN, None)


@pytest.mark.parametrize(
    ("kind", "state"), [("CertExpired", EXPIRED), ("CertValidLessThanMonth", EXPIRING),
                        ("CertValidfor7days", UNKNOWN)],
)  # fmt: skip
def test_on_the_day_itself_the_name_decides(kind, state):
    expiry, actual = resolve("Fri Sep 05 14:00", at("2014-09-05T12:00"), KINDS[kind])

    assert str(expiry.day) == "2014-09-05"
    assert actual is state


def test_a_day_spans_every_zone():
    expiry, _ = resolve("Fri Sep 05", at("2014-09-20"), KINDS["CertExpired"])

    assert (expiry.earliest, expiry.latest) == (None, at("2014-09-06T14:00"))


def test_a_name_that_looks_ahead_bounds_both_sides():
    expiry, _ = resolve("Fri Sep 05", at("2014-08-20"), KINDS["CertValidLessThanMonth"])

    assert (expiry.earliest, expiry.latest) == (at("2014-09-04T10:00"), at("2014-09-06T14:00"))


def test_two_very_old_dates_are_a_question():
    expiry, state = resolve("Sun Mar 15 10:", at("2026-03-14"), KINDS["CertExpired"])

    assert (expiry.certainty, str(expiry.day), state) == (
        Certainty.AMBIGUOUS, "2020-03-15", EXPIRED,
    )  # fmt: skip
    assert expiry.question == "Is the certificate's final date 2020-03-15 or 2015-03-15?"
    assert all(found.reason for found in expiry.candidates)
    assert expiry.earliest is None


def test_what_the_name_excludes_stays_listed_with_the_reason():
    expiry, _ = resolve("Wed Jan 08 10:", at("2019-06-19"), KINDS["CertExpired"])

    assert days(expiry) == ["2014-01-08", "2020-01-08", "2025-01-08", "2031-01-08"]
    assert [found.reason.partition(": ")[2] for found in expiry.candidates] == [
        "", *["later than the alarm's name allows"] * 3,
    ]  # fmt: skip


def test_an_event_time_of_unknown_zone_widens_what_the_name_allows():
    text, event, kind = "Sat Jun 15 23:59", at("2024-06-14T10:00"), KINDS["CertValidLessthanADay"]
    sharp, _ = resolve(text, event, kind)
    wide, state = resolve(text, event, kind, slack=timedelta(hours=14))

    assert (wide.certainty, wide.day) == (Certainty.INFERRED, date(2024, 6, 15))
    assert wide.latest == sharp.latest + timedelta(hours=14)
    assert state is EXPIRING


ENDS = st.dates(date(2000, 1, 1), date(2040, 12, 31))
CLOCKS = st.times()


@given(ENDS, CLOCKS, st.sampled_from(sorted(KINDS)), st.floats(0, 1), st.integers(0, 40))
def test_a_cut_never_loses_the_true_date(end, clock, name, share, length):
    kind = KINDS[name]
    exact = datetime.combine(end, clock, UTC)
    # Of two ends five years apart the near one is meant, so the last days of the five years
    # are left out where an alarm looks both ways.
    first, last = {
        Direction.PAST: (-LONGEST_EXPIRED.days + 1, 0),
        Direction.BOTH: (-LONGEST_EXPIRED.days + 10, kind.latest_days),
        Direction.FUTURE: (kind.earliest_days or 0, kind.latest_days or 365),
        Direction.NONE: (-3000, 3000),
    }[kind.direction]
    event = exact - timedelta(days=first + share * (last - first))
    text = f"{exact:%a %b %d %H:%M:%S}:000 CEST {exact:%Y}"[:length]

    expiry, state = resolve(text, event, kind)

    assert not expiry.candidates or end in {found.day for found in expiry.candidates}
    assert state in {UNKNOWN, EXPIRED if exact <= event else EXPIRING} or (
        abs(exact - event) < timedelta(hours=15)
    )
    assert expiry.earliest is None or expiry.earliest <= exact
    assert expiry.latest is None or exact <= expiry.latest


@given(ENDS, CLOCKS, st.sampled_from(sorted(KINDS)), st.floats(0, 1), st.integers(0, 40))
def test_no_bound_excludes_the_truth_however_old(end, clock, name, share, length):
    kind = KINDS[name]
    first, last = {
        Direction.PAST: (-9 * 365, 0),
        Direction.BOTH: (-9 * 365, kind.latest_days or 0),
        Direction.FUTURE: (kind.earliest_days or 0, kind.latest_days or 365),
        Direction.NONE: (-9000, 9000),
    }[kind.direction]
    exact = datetime.combine(end, clock, UTC)
    event = exact - timedelta(days=first + share * (last - first))

    expiry, _ = resolve(f"{exact:%a %b %d %H:%M:%S}:000 CEST {exact:%Y}"[:length], event, kind)

    assert expiry.earliest is None or expiry.earliest <= exact
    if expiry.certainty is not Certainty.INFERRED:
        assert expiry.latest is None or exact <= expiry.latest


@given(st.text(max_size=40), st.datetimes(timezones=st.just(UTC)), st.sampled_from([*KINDS, ""]))
def test_no_text_and_no_time_raises(text, event, name):
    expiry, _ = resolve(text, event, KINDS.get(name))

    assert expiry.reason


@pytest.mark.parametrize("text", ["Wed Nov 25 14:05:", "Wed Nov 25 14:05:00:000 UTC 2026", ""])
@pytest.mark.parametrize("event", [at("0001-01-01"), at("9980-01-01"), at("9999-12-31T23:59")])
@pytest.mark.parametrize("name", [*KINDS, ""])
def test_a_forged_time_at_the_edge_of_the_calendar_counts_as_none(text, event, name):
    kind = KINDS.get(name)
    slack = timedelta(hours=14)

    assert resolve(text, event, kind, slack=slack) == resolve(text, None, kind)


@pytest.mark.parametrize(
    "begin", ["Wed", "Wed Nov", "Wed Nov 2", "Wed Nov 25 14:05:", "Wed Nov 2 CET"]
)
@pytest.mark.parametrize("end", ["", "x", "2026", "]"])
def test_blanks_without_end_take_no_time(begin, end):
    # Once they were shared out between the optional parts in every way: hours of one message.
    start = time.process_time()
    resolve(begin + " " * 16_000 + end, at("2026-11-20"), KINDS["CertExpired"])

    assert time.process_time() - start < 1


def test_a_blank_behind_a_day_makes_it_whole():
    expiry, _ = resolve("Wed Nov 2 CET", at("2022-11-01"), KINDS["CertValidfor7days"])

    assert days(expiry)[-1][-2:] == "02"

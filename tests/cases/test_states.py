"""What moves a case from state to state, and what cannot."""

from dataclasses import replace

import pytest
from cases.life import COPY_OF, DAY, HOUR, NOW, case_of, deed, event, heard, later
from cases.test_merge import EXPIRED, POOL, REGENERATED, SOON, YEARS_ON

from watcher.cases.merge import open_or_merge
from watcher.cases.states import Listening, TickOptions, act, plan_changed, tick
from watcher.cases.table import ACTS, OPEN, TABLE, TRANSITIONS, Cause, possible
from watcher.errors import InputError
from watcher.model.case import ActKind, CaseState

ALARMED = case_of(event())
ACKNOWLEDGE = {"kind": ActKind.ACKNOWLEDGE, "until": NOW + 2 * DAY}
PLAN = {"kind": ActKind.PLAN, "until": NOW + DAY, "digest": "d1"}
RESOLVE = {"kind": ActKind.RESOLVE, "not_after": YEARS_ON}
DEEDS = {
    ActKind.ACKNOWLEDGE: ACKNOWLEDGE,
    ActKind.RELEASE: {"kind": ActKind.RELEASE},
    ActKind.PLAN: PLAN,
    ActKind.CONFIRM: {"kind": ActKind.CONFIRM, "not_after": SOON},
    ActKind.RESOLVE: RESOLVE,
}
QUIET_AT = NOW + TickOptions().quiet_after
ACKNOWLEDGED, PLANNED, RESOLVED = (
    act(ALARMED, deed(**fields)).case for fields in (ACKNOWLEDGE, PLAN, RESOLVE)
)
QUIET = tick(ALARMED, QUIET_AT, heard(QUIET_AT, "pub")).case
REGRESSED = open_or_merge(RESOLVED, later(event(), DAY), NOW + DAY).case
STATES = {case.state: case for case in (ALARMED, ACKNOWLEDGED, PLANNED, QUIET, RESOLVED, REGRESSED)}


def test_every_state_was_reached_by_its_own_way():
    assert set(STATES) == set(CaseState)


@pytest.mark.parametrize("state", CaseState)
@pytest.mark.parametrize("kind", ActKind)
def test_people_can_do_what_the_table_says_and_nothing_else(state, kind):
    case, what = STATES[state], deed(**DEEDS[kind], at=NOW)
    if kind in possible(state):
        after = act(case, what).case

        assert after.state is TRANSITIONS[state, ACTS[kind]]
        return
    with pytest.raises(InputError) as refused:
        act(case, what)

    assert str(refused.value) == (
        f"the case is {state}: it takes no {kind} (expected {', '.join(possible(state))})"
    )


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        (ACKNOWLEDGE | {"until": None}, "acknowledge: no time is given"),
        (ACKNOWLEDGE | {"until": NOW}, "acknowledge: 2026-11-20 01:01 UTC is over"),
        (ACKNOWLEDGE | {"who": " "}, "acknowledge without who"),
        (ACKNOWLEDGE | {"why": ""}, "acknowledge without why"),
        (ACKNOWLEDGE | {"why": "x" * 1001}, "acknowledge without why"),
        (PLAN | {"digest": ""}, "the plan has no digest"),
        (PLAN | {"until": NOW - DAY}, "plan: 2026-11-19 01:01 UTC is over"),
        ({"kind": ActKind.CONFIRM}, "no end date is given"),
        ({"kind": ActKind.RESOLVE}, "no end date is given"),
        (RESOLVE | {"not_after": NOW - DAY}, "resolve: 2026-11-19 01:01 UTC is over"),
        (RESOLVE | {"not_after": NOW + 5 * DAY}, "2026-11-25 01:01 UTC is not later than the old"),
    ],
)
def test_what_is_missing_is_said(fields, problem):
    with pytest.raises(InputError) as refused:
        act(ALARMED, deed(**fields))

    assert problem in str(refused.value)
    assert refused.value.expected


def test_a_reason_may_be_long():
    assert act(ALARMED, deed(**ACKNOWLEDGE | {"why": "x" * 1000})).case.acknowledged_why


def test_each_move_is_told_with_its_reason():
    (told,) = act(ALARMED, deed(**ACKNOWLEDGE)).transitions

    assert (told.before, told.after, told.at) == (CaseState.ALARMED, CaseState.ACKNOWLEDGED, NOW)
    assert told.reason == "Acknowledge by kim: ticket 7"


def test_an_acknowledgement_says_who_why_and_until_when():
    case = ACKNOWLEDGED

    assert (case.acknowledged_by, case.acknowledged_why) == ("kim", "ticket 7")
    assert case.acknowledged_until == NOW + 2 * DAY


def test_alarms_are_counted_under_an_acknowledgement():
    advance = open_or_merge(ACKNOWLEDGED, later(event(), DAY), NOW + DAY)

    assert (advance.case.state, advance.case.occurrences) == (CaseState.ACKNOWLEDGED, 2)


def test_an_acknowledgement_runs_out_to_the_second():
    end = NOW + 2 * DAY

    assert tick(ACKNOWLEDGED, end - HOUR / 3600, heard(end)).case is ACKNOWLEDGED
    after = tick(ACKNOWLEDGED, end, heard(end)).case
    assert (after.state, after.acknowledged_by) == (CaseState.ALARMED, "")
    assert after.acknowledged_until is None


# -- plans


def test_another_plan_voids_a_planned_change_alone():
    advance = plan_changed(PLANNED, NOW)

    assert (advance.case.state, advance.case.planned_digest) == (CaseState.ALARMED, "")
    assert plan_changed(ACKNOWLEDGED, NOW).case is ACKNOWLEDGED


def test_alarms_after_the_change_take_the_case_back():
    over = NOW + DAY + TickOptions().change_time
    during = open_or_merge(PLANNED, later(event(), DAY), NOW + DAY).case
    after = open_or_merge(during, later(event(), 2 * DAY), NOW + 2 * DAY).case

    assert tick(during, over + HOUR, heard(over, "pub")).case.state is CaseState.PLANNED
    assert tick(after, over + 12 * HOUR, heard(over, "pub")).case.state is CaseState.ALARMED


def test_silence_after_the_change_is_quiet_and_not_before():
    late = replace(PLANNED, planned_for=NOW + 10 * DAY)

    assert tick(PLANNED, QUIET_AT, heard(QUIET_AT, "pub")).case.state is CaseState.QUIET
    assert tick(late, QUIET_AT, heard(QUIET_AT, "pub")).case is late


# -- silence is never recovery


@pytest.mark.parametrize("state", [CaseState.ALARMED, CaseState.REGRESSED])
def test_a_case_is_quiet_when_its_reporter_is_heard_and_says_nothing(state):
    case = replace(STATES[state], heard_at=NOW)

    assert tick(case, QUIET_AT - HOUR, heard(QUIET_AT, "pub")).case is case
    assert tick(case, QUIET_AT, heard(QUIET_AT, "pub")).case.state is CaseState.QUIET


@pytest.mark.parametrize(
    "listening",
    [
        Listening(since=NOW - DAY),
        heard(QUIET_AT, "sub1"),
        heard(QUIET_AT, "pub", since=NOW + HOUR),
        replace(heard(QUIET_AT, "pub"), since=NOW + HOUR),
    ],
    ids=["nobody heard", "only another", "silent in between", "we were deaf"],
)
def test_silence_that_may_be_deafness_is_not_quiet(listening):
    assert tick(ALARMED, QUIET_AT, listening).case is ALARMED


@pytest.mark.parametrize("weeks", [1, 10, 500])
def test_no_length_of_silence_resolves(weeks):
    end = NOW + weeks * 7 * DAY

    assert tick(QUIET, end, heard(end, "pub")).case is QUIET


def test_an_alarm_wakes_a_quiet_case():
    assert open_or_merge(QUIET, later(event(), 4 * DAY), QUIET_AT).case.state is CaseState.ALARMED


def test_without_times_the_receipt_wakes_it():
    case = tick(case_of(replace(event(), event_time=None)), QUIET_AT, heard(QUIET_AT, "pub")).case
    again, more = (replace(event(), event_time=None, received_at=NOW + n * HOUR) for n in (0, 1))

    assert open_or_merge(case, again, QUIET_AT).case.state is CaseState.QUIET
    assert open_or_merge(case, more, QUIET_AT).case.state is CaseState.ALARMED


def test_a_forged_time_in_the_future_does_not_keep_it_asleep():
    forged = open_or_merge(ALARMED, later(event(), HOUR, event_time=YEARS_ON), NOW + HOUR).case
    end = QUIET_AT + HOUR
    quiet = tick(forged, end, heard(end, "pub")).case

    assert quiet.state is CaseState.QUIET
    assert open_or_merge(quiet, later(event(), 4 * DAY), end).case.state is CaseState.ALARMED


@pytest.mark.parametrize(
    "one",
    [
        later(event(), -DAY),
        later(event(), DAY, event_time=event().event_time),
        later(event(**REGENERATED), 4 * DAY),
    ],
    ids=["old", "no later", "renewal"],
)
def test_an_old_alarm_or_a_renewal_does_not(one):
    assert open_or_merge(QUIET, one, QUIET_AT).case.state is CaseState.QUIET


# -- after the resolution


def test_a_resolution_is_a_fact():
    assert (RESOLVED.confirmed_end, RESOLVED.end_earliest) == (YEARS_ON, YEARS_ON)
    assert (RESOLVED.resolved_at, RESOLVED.expired) == (NOW, False)


def test_an_alarm_after_the_resolution_regresses():
    advance = open_or_merge(RESOLVED, later(event(), DAY), NOW + DAY)

    assert (advance.case.state, advance.case.round) == (CaseState.REGRESSED, 2)
    assert advance.case.end_day == event().end_day
    assert "It is known to end on 2031-11-24" in advance.case.contradiction
    assert advance.material


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("received", [NOW - DAY, NOW + DAY, NOW + 500 * DAY])
def test_a_delayed_or_replayed_alarm_does_not(known, received):
    one = replace(event(), received_at=received)
    after = open_or_merge(RESOLVED, one, NOW + DAY, known=known).case

    assert (after.state, after.round) == (CaseState.RESOLVED, 1)
    assert after.occurrences + after.copies == 2
    assert after.end_earliest == YEARS_ON


def test_without_a_time_of_its_own_the_receipt_counts():
    one = replace(event(), event_time=None)

    assert open_or_merge(RESOLVED, one, NOW).case.state is CaseState.RESOLVED
    late = replace(one, received_at=NOW + HOUR)
    assert open_or_merge(RESOLVED, late, NOW).case.state is CaseState.REGRESSED


def test_a_renewal_does_not_regress():
    one = later(event(**REGENERATED), DAY)

    assert open_or_merge(RESOLVED, one, NOW + DAY).case.state is CaseState.RESOLVED


def test_an_old_copy_regresses_without_a_contradiction():
    after = open_or_merge(RESOLVED, later(event(**COPY_OF), DAY), NOW + DAY).case

    assert (after.state, after.contradiction, after.trust_only) == (CaseState.REGRESSED, "", True)


def test_the_new_certificate_s_own_alarm_is_no_regression():
    years = YEARS_ON - NOW - 5 * DAY
    end = {"end_day": YEARS_ON.date(), "end_latest": YEARS_ON + DAY}
    advance = open_or_merge(RESOLVED, later(event(), years, **end), NOW + years)

    assert (advance.case.state, advance.case.round) == (CaseState.ALARMED, 2)
    assert (advance.case.contradiction, advance.case.end_earliest) == ("", YEARS_ON)


def test_an_expired_alarm_of_the_new_certificate_after_its_end_counts():
    years = YEARS_ON - NOW + DAY
    end = {"end_day": YEARS_ON.date(), "end_latest": YEARS_ON}
    after = open_or_merge(RESOLVED, later(event(**EXPIRED), years, **end), NOW + years).case

    assert (after.state, after.expired) == (CaseState.ALARMED, True)


def test_a_deleted_copy_needs_no_new_certificate():
    case = act(case_of(event(**COPY_OF)), deed(ActKind.RESOLVE)).case

    assert (case.state, case.confirmed_end) == (CaseState.RESOLVED, None)
    after = open_or_merge(case, later(event(**COPY_OF), DAY), NOW + DAY).case
    assert after.state is CaseState.REGRESSED


def test_what_has_no_end_is_resolved_without_one():
    backup = case_of(event(mnemonic="ITLRecoveryCertBackup", store="ITLRecovery"))

    assert act(backup, deed(ActKind.RESOLVE)).case.state is CaseState.RESOLVED


def test_the_end_of_the_new_certificate_can_be_corrected():
    end = YEARS_ON - 365 * DAY
    after = act(RESOLVED, deed(ActKind.RESOLVE, not_after=end)).case

    assert (after.state, after.confirmed_end) == (CaseState.RESOLVED, end)


@pytest.mark.parametrize("state", OPEN)
def test_no_alarm_closes_a_case(state):
    case = STATES[state]

    assert all(open_or_merge(case, one, NOW).case.state in OPEN for one in POOL)


def test_the_table_has_one_line_for_each_pair():
    pairs = [(before, row.cause) for row in TABLE for before in row.before or (None,)]

    assert len(pairs) == len(set(pairs)) == len(TRANSITIONS)
    assert {row.cause for row in TABLE} == set(Cause)

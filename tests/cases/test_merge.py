"""Merging only raises urgency, in whatever order and number events come."""

import random
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from cases.life import (
    COPY_OF,
    DAY,
    HOUR,
    NOW,
    case_of,
    deed,
    event,
    facts_of,
    later,
    stamped,
    urgency_alone,
    urgency_of,
)
from hypothesis import given
from hypothesis import strategies as st

from watcher.cases.merge import MSGNAMES_LIMIT, REPORTERS_LIMIT, SPOTS_LIMIT, open_or_merge
from watcher.cases.states import act
from watcher.cases.urgency import soonest
from watcher.model.case import ActKind, CaseState
from watcher.model.expiry import Certainty, ExpiryState
from watcher.model.message import Grade, Way

SOON = datetime(2026, 11, 25, 14, 5, tzinfo=UTC)
YEARS_ON = datetime(2031, 11, 24, 14, 5, tzinfo=UTC)
REGENERATED = {"mnemonic": "TomcatCertRegen"}
EXPIRED = {"mnemonic": "CertExpired", "severity": "0", "expiry": "Wed Nov 18 14:05:"}


def test_the_first_alarm_opens_a_case():
    advance = open_or_merge(None, event(), NOW)

    assert advance.material
    assert advance.case.state is CaseState.ALARMED
    assert [(t.before, t.after) for t in advance.transitions] == [(None, CaseState.ALARMED)]
    assert (advance.case.occurrences, advance.case.end_day) == (1, date(2026, 11, 25))


def test_a_repeat_is_counted_and_changes_nothing_of_weight():
    case = case_of(event())
    advance = open_or_merge(case, later(event(), DAY), NOW + DAY)

    assert (advance.material, advance.transitions, advance.why) == (False, (), "")
    assert advance.case == replace(
        case, occurrences=2, heard_at=NOW + DAY, last_event=case.last_event + DAY
    )


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"reporter": "sub1"}, "another reporter, another copy"),
        ({"spot": "tomcat-trust/pub"}, "another copy"),
        ({"msgname": "CertExpired"}, "another kind of alarm"),
        ({"end_day": date(2026, 11, 24)}, "another day, an earlier end"),
        ({"end_earliest": SOON - 9 * DAY}, "an earlier end"),
        ({"certainty": Certainty.EXACT}, "a surer date"),
        ({"grade": Grade.ATTRIBUTED}, "another grade"),
        ({"state": ExpiryState.EXPIRED}, "it has expired"),
        ({"about": "revocation"}, "it is revoked"),
    ],
)
def test_what_a_plan_shows_is_material(values, why):
    advance = open_or_merge(case_of(event()), later(event(), DAY, **values), NOW)

    assert (advance.material, advance.why) == (True, why)


def test_a_copy_is_no_occurrence_but_its_grade_counts():
    case = case_of(event())
    again = open_or_merge(case, event(grade=Grade.ATTRIBUTED, way=Way.TLS), NOW, known=True)

    assert (again.case.occurrences, again.case.copies) == (1, 1)
    assert (again.case.grade, again.case.ways) == (Grade.ATTRIBUTED, (Way.TLS, Way.UDP))


FORGED = (
    {"expiry": "Wed Nov 24 14:05:00:000 UTC 2032", "mnemonic": "CertExpiryApproaching"},
    {"expiry": "", "mnemonic": "CertExpiryApproaching", "severity": "6"},
    {"mnemonic": "CertificateRevokationStatusByOCSP", "severity": "7"},
    REGENERATED,
)


@pytest.mark.parametrize("fields", FORGED)
@pytest.mark.parametrize("first", [True, False])
def test_no_message_makes_a_case_less_urgent(fields, first):
    forged = event(grade=Grade.ATTRIBUTED, way=Way.TLS, **fields)
    case = case_of(*((forged, event()) if first else (event(), forged)))

    assert urgency_of(case) <= urgency_alone(event())
    assert case.end_day == date(2026, 11, 25)
    assert case.state is CaseState.ALARMED


def test_a_forged_early_date_is_shown_with_the_forger_s_grade():
    true = event(grade=Grade.ATTRIBUTED, way=Way.TLS)
    case = case_of(true, event(expiry="Sat Nov 21 14:05:"))

    assert (case.end_day, case.grade) == (date(2026, 11, 21), Grade.CLAIM)


def test_what_only_copies_say_is_marked_so():
    assert case_of(event(**COPY_OF)).trust_only
    assert not case_of(event(**COPY_OF), event()).trust_only


@pytest.mark.parametrize(
    "copy", [{"store": "CallManager-trust"}, {"certificate": "pub-2.der"}, {"node": "pub"}]
)
def test_a_copy_elsewhere_is_material_though_the_end_is_a_fact(copy):
    known = replace(case_of(event(**COPY_OF)), confirmed_end=NOW + 5 * DAY)
    first = open_or_merge(known, event(**COPY_OF | copy), NOW)
    again = open_or_merge(first.case, later(event(**COPY_OF | copy), DAY), NOW)

    assert (True, False) == (first.material, again.material)
    assert "another copy" in first.why


def test_places_in_a_case_have_an_end():
    names = [f"tomcat-trust/{number:04}" for number in range(300)]
    case = case_of(*(later(event(**COPY_OF), DAY, key=name, spot=name) for name in names))

    assert tuple(f"sub1 {name}" for name in names[:SPOTS_LIMIT]) == case.spots


def test_a_renewal_only_annotates():
    case = case_of(event(), event(**REGENERATED))

    assert case.msgnames == ("CertValidfor7days", "TomcatCertRegen")
    assert (case.end_day, case.expired) == (date(2026, 11, 25), False)


def test_where_no_date_survived_and_it_may_have_ended_it_ended_with_the_event():
    assert soonest(event(expiry="")) == event().event_time


def test_names_in_a_case_have_an_end():
    names = [f"{number:04}" for number in range(300)]
    events = [later(event(), DAY, key=n, reporter=f"r{n}", msgname=f"m{n}") for n in names]
    case = case_of(*events)

    assert case.reporters == tuple(f"r{n}" for n in names[:REPORTERS_LIMIT])
    assert case.msgnames == tuple(f"m{n}" for n in names[:MSGNAMES_LIMIT])
    assert facts_of(case) == facts_of(case_of(*reversed(events)))


# -- properties: any order, any subset, any number

MNEMONICS = ("CertExpired", "CertValidLessthanADay", "CertValidfor7days", "CertValidLessThanMonth",
             "CertValidityOver30Days", "CertExpiryApproaching", "CertificateRevoked",
             "TomcatCertRegen", "CRLChanged", "Invented")  # fmt: skip
ENDS = ("Wed Nov 25 14:05:", "Wed Nov 25", "Fri Nov 20 01:00:", "Tue Dec 15 09:", "Nov", "",
        "Wed Nov 18 14:05:", "Thu May 21 14:46:", "Mon Nov 24 14:05:00:000 UTC 2031",
        "garbage")  # fmt: skip
GRADES = tuple((way, grade) for way in (Way.UDP, Way.TLS) for grade in Grade)


def pool():
    """Return events of one certificate: every alarm with every end, at several times."""
    made = []
    for number, (mnemonic, end) in enumerate((m, e) for m in MNEMONICS for e in ENDS):
        way, grade = GRADES[number % len(GRADES)]
        at = NOW + DAY * (number % 7 - 3)
        copy = COPY_OF if number % 5 == 0 and mnemonic != "TomcatCertRegen" else {}
        fields = {"mnemonic": mnemonic, "expiry": end, "time": stamped(at)} | copy
        made.append(event(at=at + DAY / 9, way=way, grade=grade, **fields))
    made += [replace(one, key=one.key[::-1], event_time=None) for one in made[::4]]
    made += [later(one, DAY, event_time=YEARS_ON) for one in made[::9]]
    return made


POOL = pool()


def sets():
    """Return one to six of these events; the same may come again."""
    return st.lists(st.sampled_from(POOL), min_size=1, max_size=6)


def test_the_pool_is_of_one_case():
    assert len({one.case for one in POOL}) == 1
    assert len({one.key for one in POOL}) == len(POOL)


@given(sets(), st.randoms())
def test_order_and_duplicates_do_not_count(some, luck):
    shuffled = luck.sample(some + some[:2], len(some) + len(some[:2]))
    case, other = case_of(*some), case_of(*shuffled)

    assert facts_of(case) == facts_of(other)
    assert case.occurrences == other.occurrences == len({one.key for one in some})
    assert case.occurrences + case.copies == len(some)


@given(
    st.lists(st.sampled_from(POOL), min_size=1, max_size=5), st.sampled_from(POOL), st.booleans()
)
def test_one_more_event_never_makes_it_less_urgent(some, more, known):
    case = case_of(*some)
    after = open_or_merge(case, more, NOW, known=known).case

    assert urgency_of(after) <= urgency_of(case)
    assert case.end_day is None or after.end_day <= case.end_day


def test_of_50_000_sets_none_is_less_urgent_than_the_truth_or_better_than_its_source():
    luck = random.Random(20261120)  # noqa: S311 -- a set that can be drawn again
    alone = {one.key: urgency_alone(one) for one in POOL}
    for _ in range(50_000):
        some = luck.choices(POOL, k=luck.randint(1, 4))
        case = case_of(*some)

        assert all(urgency_of(case) <= alone[one.key] for one in some)
        assert case.grade <= min(max(one.grade for one in some), Grade.ATTRIBUTED)


# -- beside facts

CONFIRM = {"kind": ActKind.CONFIRM, "not_after": SOON}


def test_a_fact_replaces_all_claims():
    case = case_of(event(expiry="Sat Nov 21 14:05:"))
    after = act(case, deed(**CONFIRM)).case

    assert (after.end_earliest, after.end_latest, after.end_day) == (SOON, SOON, SOON.date())
    assert (after.grade, after.certainty) == (Grade.FACT, Certainty.EXACT)
    assert "alarms of grade 0 say 2026-11-21" in after.contradiction


def test_a_fact_that_agrees_contradicts_nothing():
    assert act(case_of(event()), deed(**CONFIRM)).case.contradiction == ""


def test_a_fact_that_is_stated_again_is_meant():
    case = act(case_of(event(expiry="Sat Nov 21 14:05:")), deed(**CONFIRM)).case

    assert act(case, deed(**CONFIRM)).case.contradiction == ""


@given(sets(), st.randoms())
def test_no_claim_moves_a_fact(some, luck):
    case = act(case_of(event()), deed(**CONFIRM)).case
    after = one_after_another(case, some)

    assert after.end_earliest == after.end_latest == after.confirmed_end == SOON
    assert after.grade is Grade.FACT
    assert facts_of(after) == facts_of(one_after_another(case, luck.sample(some, len(some))))


def one_after_another(case, some):
    for one in some:
        case = open_or_merge(case, one, NOW).case
    return case


def test_a_claim_against_a_fact_is_a_contradiction_and_says_no_more_than_we_know():
    case = act(case_of(event()), deed(**CONFIRM)).case
    advance = open_or_merge(case, event(**EXPIRED), NOW)

    assert advance.case.contradiction == (
        "It is known to end on 2026-11-25 14:05 UTC; an alarm of grade 0 says that it has expired."
    )
    assert advance.why == "another kind of alarm, a contradiction"
    assert not advance.case.expired


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"expiry": ""}, "the end is another"),
        ({"expiry": "Sat Nov 21 14:05:"}, "the end is 2026-11-21"),
    ],
)
def test_what_a_claim_says_against_a_fact_is_a_date_or_nothing(fields, said):
    case = act(case_of(event()), deed(ActKind.CONFIRM, not_after=YEARS_ON)).case
    case = replace(case, contradiction="")

    assert said in open_or_merge(case, event(**fields), NOW).case.contradiction


def test_revocation_counts_whatever_end_is_known():
    case = act(case_of(event()), deed(**CONFIRM)).case
    after = open_or_merge(case, event(mnemonic="CertificateRevoked"), NOW).case

    assert (after.revoked, after.end_earliest) == (True, SOON)
    assert open_or_merge(after, later(event(), DAY), NOW).case.revoked


def test_an_old_copy_says_nothing_against_a_fact():
    case = act(case_of(event()), deed(**CONFIRM)).case
    after = open_or_merge(case, event(**COPY_OF | EXPIRED), NOW).case

    assert (after.contradiction, after.trust_only) == ("", False)


def test_of_a_case_of_copies_a_copy_does_say_so():
    case = act(case_of(event(**COPY_OF)), deed(**CONFIRM)).case
    after = open_or_merge(case, event(**COPY_OF | EXPIRED), NOW).case

    assert "it has expired" in after.contradiction
    assert after.trust_only
    assert not open_or_merge(after, event(), NOW).case.trust_only


@pytest.mark.parametrize(("hours", "against"), [(-24, False), (-24.01, True)])
def test_ends_within_the_slack_are_one(hours, against):
    low, high = event().end_latest, event().end_earliest or soonest(event())
    late = act(case_of(event()), deed(ActKind.CONFIRM, not_after=low - hours * HOUR)).case
    early = act(case_of(event()), deed(ActKind.CONFIRM, not_after=high + hours * HOUR)).case

    assert bool(late.contradiction) == bool(early.contradiction) == against
    assert bool(
        open_or_merge(replace(late, contradiction=""), event(), NOW).case.contradiction
    ) == (against)


def test_without_a_day_a_contradiction_names_the_bound():
    case = case_of(event(expiry="", mnemonic="CertExpired"))

    assert (
        "alarms of grade 0 say 2026-11-20 01:00 UTC"
        in act(case, deed(**CONFIRM)).case.contradiction
    )


@pytest.mark.parametrize(("ago", "expired"), [(DAY / 86400, True), (0 * DAY, True), (-DAY, False)])
def test_a_confirmed_end_that_is_over_is_expired(ago, expired):
    case = act(case_of(event()), deed(ActKind.CONFIRM, not_after=NOW - ago)).case

    assert case.expired is expired


def test_a_time_in_the_future_is_believed_for_a_day():
    case = case_of(event(), later(event(), DAY, event_time=YEARS_ON))

    assert case.last_event == NOW + 2 * DAY

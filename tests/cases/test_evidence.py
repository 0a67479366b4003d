"""What the inventory lists is evidence: it ends a case, confirms its end, or contradicts it."""

from datetime import UTC, date, datetime

import pytest
from builders import certificate
from cases.life import COPY_OF, DAY, HOUR, NOW, case_of, directory, event, later
from cases.test_merge import SOON, YEARS_ON
from cases.test_states import RESOLVED

from watcher.cases.evidence import evidence_from_inventory
from watcher.cases.merge import open_or_merge
from watcher.cases.thresholds import days_left
from watcher.model.case import CaseState
from watcher.model.message import Grade

CASE = case_of(event())
AFTER, BEFORE = NOW + HOUR, NOW - DAY


def seen(case, *listed, read_at=AFTER, now=NOW + DAY):
    return evidence_from_inventory(case, directory(certificates=listed), now, read_at)


def own(end, **values):
    return certificate(not_after=end, **values)


def copy(end):
    return certificate("tomcat-trust", "sub1", file="pub.pem", owner="pub", not_after=end)


def test_a_later_end_that_was_read_after_the_last_alarm_resolves():
    advance = seen(CASE, own(YEARS_ON))

    assert (advance.case.state, advance.case.resolved_at) == (CaseState.RESOLVED, AFTER)
    assert (advance.case.confirmed_end, advance.case.grade) == (YEARS_ON, Grade.FACT)
    assert "2031-11-24" in advance.transitions[0].reason


def test_a_later_end_that_alarms_came_after_is_a_contradiction():
    advance = seen(CASE, own(YEARS_ON), read_at=BEFORE)

    assert (advance.case.state, advance.transitions) == (CaseState.ALARMED, ())
    assert advance.case.contradiction.startswith("Inventory: It is stated to end on 2031-11-24")
    assert seen(advance.case, own(YEARS_ON), read_at=BEFORE) is None


def test_a_listing_of_the_very_moment_of_the_last_alarm_is_none_after_it():
    assert seen(CASE, own(YEARS_ON), read_at=CASE.heard_at).case.state is CaseState.ALARMED


def test_an_end_within_the_slack_is_confirmed():
    advance = seen(CASE, own(SOON))

    assert (advance.case.state, advance.case.confirmed_end) == (CaseState.ALARMED, SOON)
    assert (advance.case.contradiction, advance.material) == ("", True)
    assert seen(advance.case, own(SOON)) is None


def test_a_confirmed_case_is_resolved_by_a_later_listing():
    confirmed = seen(CASE, own(SOON)).case

    assert seen(confirmed, own(YEARS_ON)).case.state is CaseState.RESOLVED


@pytest.mark.parametrize(
    "listed",
    [
        (),
        (certificate(),),
        (own(YEARS_ON, store="CallManager"),),
        (own(YEARS_ON, at="sub1"),),
        (certificate(not_after=YEARS_ON), certificate()),
    ],
    ids=["nothing", "no date", "another store", "another node", "one without a date"],
)
def test_what_is_not_listed_says_nothing(listed):
    assert seen(CASE, *listed) is None


def test_a_later_end_that_is_over_does_not_resolve():
    assert seen(CASE, own(NOW + 20 * DAY), now=NOW + 30 * DAY).case.state is CaseState.ALARMED


def test_an_earlier_end_is_a_contradiction():
    assert "2026-10-21" in seen(CASE, own(NOW - 30 * DAY)).case.contradiction


def test_an_old_copy_keeps_the_case_open():
    assert seen(CASE, own(YEARS_ON), copy(SOON)).case.state is CaseState.ALARMED
    assert seen(CASE, own(YEARS_ON), copy(YEARS_ON)).case.state is CaseState.RESOLVED


def test_of_a_case_of_copies_the_copies_count():
    case = case_of(event(**COPY_OF))

    assert seen(case, own(YEARS_ON)) is None
    assert seen(case, copy(YEARS_ON)).case.state is CaseState.RESOLVED


def test_a_certificate_of_the_whole_cluster_is_that_of_each_node():
    assert seen(CASE, own(YEARS_ON, at=None)).case.state is CaseState.RESOLVED


def test_the_copy_of_a_ca_is_found_by_its_file():
    fields = {"certificate": "Old_Root_CA.der", "store": "tomcat-trust"}
    listed = certificate("tomcat-trust", file="Old_Root_CA.pem", not_after=YEARS_ON)

    assert seen(case_of(event(**fields)), listed).case.state is CaseState.RESOLVED


def test_a_resolved_case_needs_no_evidence():
    assert seen(RESOLVED, own(YEARS_ON)) is None


def test_the_same_listing_does_not_resolve_again_what_regressed():
    regressed = open_or_merge(seen(CASE, own(YEARS_ON)).case, later(event(), 2 * DAY), NOW).case

    assert regressed.state is CaseState.REGRESSED
    assert seen(regressed, own(YEARS_ON)).case.state is CaseState.REGRESSED


def test_a_case_without_any_end_is_left_alone():
    assert seen(case_of(event(mnemonic="CertificateRevoked", expiry="")), own(YEARS_ON)) is None


REVOKED = case_of(event(mnemonic="CertificateRevoked", expiry=""))


def test_of_what_is_revoked_the_end_is_listed_though_none_was_heard():
    after = seen(REVOKED, own(YEARS_ON), read_at=BEFORE).case

    assert (after.confirmed_end, after.revoked, after.expired) == (YEARS_ON, True, False)
    assert (days_left(after, NOW), after.contradiction) == (0.0, "")
    assert seen(after, own(YEARS_ON), read_at=BEFORE) is None


def test_an_end_that_nobody_heard_of_is_not_taken_over_otherwise():
    renewed = case_of(event(mnemonic="TomcatCertRegen", store="", expiry=""))

    assert seen(renewed, own(YEARS_ON), read_at=BEFORE) is None
    assert seen(REVOKED, own(YEARS_ON), read_at=AFTER) is None


def test_the_day_of_a_listed_end_is_that_of_the_cluster():
    end = datetime(2026, 11, 25, 23, 59, 59, tzinfo=UTC)
    case = case_of(event(expiry="Thu Nov 26 00:59:"))
    where = directory(certificates=(own(end),), time_zone="Europe/Vienna")
    after = evidence_from_inventory(case, where, NOW + DAY, AFTER).case

    assert (after.end_day, after.confirmed_end) == (date(2026, 11, 26), end)

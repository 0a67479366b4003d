"""Repeats fold into one certificate, owners are linked, and nothing lowers the urgency."""

from datetime import UTC, date, datetime
from itertools import permutations

import pytest
from builders import AS_OF, alarm, certificate, cluster, findings, node, plan, related
from hypothesis import given
from hypothesis import strategies as st

from watcher.model.expiry import Certainty, ExpiryState
from watcher.planner.findings import plain, severe_topics

EXPIRED = {"mnemonic": "CertExpired", "severity": "0", "expiry": "Wed Nov 18 09:14:41:000 CET 2026"}
DATELESS = {"expiry": "We"}


def shape(found):
    """Return what a finding says, without the order in which messages came."""
    return [
        (f.id, f.store, f.node, f.file, f.owner, sorted(f.reporters), f.expiry.day, f.state)
        for f in found
    ]


def test_repeats_of_one_alarm_are_one_finding():
    found = findings([alarm(seq="1"), alarm(seq="2"), alarm(seq="3")])

    assert len(found) == 1
    assert found[0].evidence == ("E1", "E2", "E3")


def test_the_same_bytes_are_shown_once():
    drawn = plan([alarm(), alarm()])

    assert [item.id for item in drawn.evidence] == ["E1"]


def test_names_of_one_node_are_one_certificate():
    site = cluster(node("pub", aliases=("pub.example.test",), addresses=("192.0.2.1",)))

    found = findings(
        [alarm(node="pub"), alarm(node="PUB.example.test"), alarm(node="192.0.2.1")], site
    )

    assert [f.node for f in found] == ["pub"]


def test_a_worse_alarm_outweighs_a_later_milder_one():
    milder = alarm(time="Nov 20 2026 05:00:00.000")

    (found,) = findings([alarm(**EXPIRED), milder])

    assert found.state is ExpiryState.EXPIRED
    assert found.mnemonics == ("CertExpired", "CertValidfor7days")


def test_a_better_date_outweighs_a_lost_one():
    (found,) = findings([alarm(**DATELESS), alarm(seq="2")])

    assert found.expiry.day == date(2026, 11, 25)


FIELDS = [
    {},
    {"seq": "2"},
    EXPIRED,
    DATELESS,
    {"store": "tomcat-trust", "certificate": "pub.der", "node": "sub1"},
    {"store": "tomcat-trust", "certificate": "pub.der", "node": "pub"} | EXPIRED,
    {"store": "CallManager", "node": "sub1"},
    {"store": "nonesuch", "node": "sub1"},
]
ALARMS = [alarm(**fields) for fields in FIELDS]
SITE = cluster()


@pytest.mark.parametrize("some", list(permutations(range(4))))
def test_no_order_of_repeats_changes_the_finding(some):
    assert shape(findings([ALARMS[i] for i in some], SITE)) == shape(findings(ALARMS[:4], SITE))


@given(
    order=st.permutations(range(len(ALARMS))), again=st.lists(st.sampled_from(range(len(ALARMS))))
)
def test_neither_order_nor_repetition_changes_the_findings(order, again):
    shuffled = [ALARMS[i] for i in [*order, *again]]

    assert shape(findings(shuffled, SITE)) == shape(findings(ALARMS, SITE))


URGENCY = [ExpiryState.EXPIRED, ExpiryState.EXPIRING, ExpiryState.UNKNOWN]


@given(st.sets(st.sampled_from(range(4)), min_size=1), st.integers(0, 3))
def test_no_further_message_makes_a_finding_less_urgent(some, extra):
    (before,) = findings([ALARMS[i] for i in some])
    (after,) = findings([ALARMS[i] for i in [*some, extra]])

    assert URGENCY.index(after.state) <= URGENCY.index(before.state)


def test_the_most_urgent_finding_comes_first():
    found = findings([alarm(store="TVS"), alarm(store="ipsec", **EXPIRED)])

    assert [(f.id, f.store) for f in found] == [("F1", "ipsec"), ("F2", "TVS")]


def test_days_left_are_counted_to_the_moment_asked_for():
    (found,) = findings([alarm()], as_of=AS_OF)

    assert found.days_left == 5


def test_a_trust_copy_belongs_to_the_node_its_file_is_named_after():
    (found,) = findings([alarm(store="tomcat-trust", certificate="SUB1.der", node="pub")], SITE)

    assert (found.trust, found.owner, found.owner_in_inventory) == (True, "sub1", True)
    assert found.reporters == ("pub",)


def test_the_inventory_knows_the_owner_better_than_the_file_name():
    listed = certificate("tomcat-trust", "pub", file="old-name.pem", owner="sub1")
    site = cluster(certificates=(listed,))

    (found,) = findings([alarm(store="tomcat-trust", certificate="old-name.der")], site)

    assert (found.owner, found.file, found.file_in_inventory) == ("sub1", "old-name.pem", True)


def test_a_copy_on_several_nodes_is_one_finding():
    told = [alarm(store="tomcat-trust", certificate="sub1.der", node=n) for n in ("pub", "sub1")]

    (found,) = findings(told, SITE)

    assert found.reporters == ("pub", "sub1")


def test_a_date_of_the_inventory_is_a_fact():
    site = cluster(certificates=(certificate(not_after="2026-12-24T10:00:00Z"),))

    (found,) = findings([alarm()], site)

    assert (found.expiry.day, found.expiry.certainty) == (date(2026, 12, 24), Certainty.EXACT)
    assert "read the certificate before you act" in found.notes[0]


def test_an_unknown_alarm_of_the_monitor_is_urgent():
    (found,) = findings([alarm(mnemonic="CertNeverHeardOf")])

    assert found.notes == ("The alarm's name is not in the catalogue; it is treated as urgent.",)


@pytest.mark.parametrize("name", ["pub", "CallManager.der", "a_b-c.d", "198.51.100.4"])
def test_a_plain_name_is_shown(name):
    assert plain(name) == name


@pytest.mark.parametrize(
    "name", ["", "a b", "a\nb", "`a`", "p\u0443b", "-a", "a" * 64, "$(reboot)", "a|b", None]
)
def test_any_other_name_is_only_in_the_evidence(name):
    assert plain(name) is None


def test_of_one_topic_the_newest_alarm_of_a_node_is_told():
    first, second = related("DRF", "DRFBackupFailure"), related("DRF", "DRFFailure")

    assert severe_topics([first, second]) == (second,)


def test_a_multi_server_certificate_is_one_finding_however_many_nodes_report_it():
    shared = certificate(at=None, multi_server=True, reused_for="CallManager")
    site = cluster(certificates=(shared,), release="15SU1")
    told = [alarm(node="pub"), alarm(node="sub1"), alarm(node="sub1", store="CallManager")]

    found = findings(told, site)

    assert [(f.store, f.evidence) for f in found] == [("tomcat", ("E1", "E2", "E3"))]
    assert any("reused for CallManager" in note for note in found[0].notes)


REVOKED = {"mnemonic": "CertificateRevoked", "severity": "4", "expiry": ""}
ENDS = datetime(2026, 12, 11, 23, 59, 59, tzinfo=UTC)


def test_a_revoked_certificate_is_as_urgent_as_an_expired_one():
    urgent = [(f.store, f.revoked) for f in findings(
        [alarm(), alarm(store="CallManager", **EXPIRED), alarm(store="TVS", **REVOKED)]
    )]  # fmt: skip

    assert [("CallManager", False), ("TVS", True), ("tomcat", False)] == urgent


def test_a_plan_says_at_its_head_that_a_certificate_is_revoked():
    drawn = plan([alarm(), alarm(store="CallManager", **REVOKED)], cluster())

    assert drawn.headline.startswith("The CallManager certificate of pub is revoked")
    assert ", none expired, 1 revoked." in drawn.summary[0]
    assert "It is revoked" in drawn.findings[0].notes[0]


@pytest.mark.parametrize("order", [1, -1])
def test_of_a_shared_certificate_the_revocation_counts_whoever_came_first(order):
    shared = cluster(certificates=(certificate(at=None, multi_server=True),))
    late = alarm(time="Nov 20 2026 05:00:00.000", node="sub1")
    told = [alarm(**REVOKED), late][::order]
    (found,) = findings(told, shared)

    assert (found.revoked, found.about, found.expiry.day) == (True, "", date(2026, 11, 25))


@pytest.mark.parametrize(
    ("zone", "day", "days"),
    [("Europe/Vienna", date(2026, 12, 12), 22), (None, date(2026, 12, 11), 21),
     ("Pacific/Auckland", date(2026, 12, 12), 21), ("Pacific/Honolulu", date(2026, 12, 11), 21)],
)  # fmt: skip
def test_a_day_and_the_days_left_are_those_of_the_cluster(zone, day, days):
    known = cluster(time_zone=zone, certificates=(certificate(not_after=ENDS),))
    (found,) = findings([alarm()], known)

    assert (day, days) == (found.expiry.day, found.days_left)


COPY = {"store": "tomcat-trust", "certificate": "pub.der", "node": "sub1"}
SOON = datetime(2026, 11, 25, 14, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ends", "certainty", "day"),
    [((SOON,), Certainty.EXACT, 25), ((SOON, SOON), Certainty.EXACT, 25),
     ((SOON, None), Certainty.INFERRED, 25), ((ENDS,), Certainty.INFERRED, 25),
     ((ENDS, SOON), Certainty.EXACT, 25)],
)  # fmt: skip
def test_a_listed_copy_proves_the_date_that_an_alarm_says(ends, certainty, day):
    copies = tuple(
        certificate("tomcat-trust", f"sub{n}", file="PUB.pem", owner="pub", not_after=end)
        for n, end in enumerate(ends, 1)
    )
    (found,) = findings([alarm(**COPY)], cluster(certificates=copies))

    assert (certainty, date(2026, 11, day)) == (found.expiry.certainty, found.expiry.day)
    assert ("read the certificate before" in "".join(found.notes)) is (ends == (ENDS,))

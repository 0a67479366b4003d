"""Played traffic: the same for the same seed, and read by the real pipeline as it was meant."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest
from builders import CATALOGUE, certificate, cluster, inventory
from hypothesis import given
from hypothesis import strategies as st

from watcher import pipeline
from watcher.app.site import load_inventory
from watcher.cases.identity import Directory, case_key, event_key
from watcher.errors import InputError
from watcher.model.alarm import CertificateAlarm, Tally
from watcher.model.case import CaseKey
from watcher.model.expiry import ExpiryState
from watcher.traffic.cast import cast
from watcher.traffic.invent import invent
from watcher.traffic.message import Form, Kind
from watcher.traffic.numbered import number_in, numbered
from watcher.traffic.play import play
from watcher.traffic.programme import Programme
from watcher.traffic.record import MESSAGE_LIMIT

EXAMPLES = sorted((Path(__file__).parent.parent / "deploy" / "examples").glob("*-*.yaml"))
SITES = [invent(3), *(load_inventory(str(path)) for path in EXAMPLES)]
START = datetime(2026, 11, 20, 1, tzinfo=UTC)
DAY = timedelta(days=1)
LAB = cast(invent(3), CATALOGUE, seed=1, start=START)


def played(clusters=LAB, **wanted):
    programme = Programme(**({"seed": 1, "start": START, "hourly": False} | wanted))
    return list(play(clusters, CATALOGUE.alarms, programme))


def alarms_in(message):
    """Return the certificate alarms that the program reads in a message."""
    events = pipeline.read([message.data + b"\n"], CATALOGUE.alarms, Tally())
    return [event for event in events if isinstance(event, CertificateAlarm)]


def site(*certificates):
    return cast(inventory(cluster(certificates=certificates)), CATALOGUE, seed=1, start=START)


def test_the_same_seed_gives_the_same_bytes():
    wanted = {"noise": 0.5, "again": 0.1, "disorder": 5, "forms": tuple(Form)}

    assert played(**wanted) == played(**wanted)


def test_another_seed_gives_other_bytes():
    assert [m.data for m in played(seed=1)] != [m.data for m in played(seed=2)]


@pytest.mark.parametrize("form", Form)
def test_the_program_reads_of_each_message_what_is_true_of_it(form):
    for message in played(forms=(form,), evidence=0):
        read = [
            (alarm.certificate, alarm.store, alarm.node, alarm.msgname, alarm.record.event_time)
            for alarm in alarms_in(message)
        ]

        assert read == [
            (truth.certificate, truth.store, truth.reporter, truth.msgname, truth.event_time)
            for truth in message.truths
        ]


@pytest.mark.parametrize("played_site", SITES)
def test_cases_are_named_as_the_daemon_names_them(played_site):
    directory = Directory(played_site, CATALOGUE)
    for message in played(cast(played_site, CATALOGUE, seed=1, start=START)):
        keys = [case_key(alarm, directory) for alarm in alarms_in(message)]

        assert keys == [truth.case for truth in message.truths]


def test_events_are_told_apart_as_the_daemon_does():
    site_ = invent(3)
    directory, keys = Directory(site_, CATALOGUE), {}
    for message in played(cast(site_, CATALOGUE, seed=1, start=START), again=0.1):
        for alarm, truth in zip(alarms_in(message), message.truths, strict=True):
            key = event_key(alarm, case_key(alarm, directory), directory, START)
            keys.setdefault(truth.event, set()).add(key)

    assert {len(found) for found in keys.values()} == {1}
    assert len(set().union(*keys.values())) == len(keys)


@given(st.integers(min_value=0, max_value=2**32))
def test_no_alarm_is_read_as_less_urgent_than_the_truth(seed):
    clusters = cast(invent(2), CATALOGUE, seed=seed, start=START)
    for message in played(clusters, seed=seed, forms=(Form.REMOTE,)):
        for alarm, truth in zip(alarms_in(message), message.truths, strict=True):
            assert alarm.expiry.earliest is None or alarm.expiry.earliest <= truth.end
            if truth.end > truth.event_time:
                assert alarm.state is not ExpiryState.EXPIRED


@pytest.mark.parametrize("message", played(noise=0.95, forms=(Form.REMOTE,))[:2000:7])
def test_what_is_no_alarm_is_not_read_as_one(message):
    assert len(alarms_in(message)) == len(message.truths)


def test_noise_has_the_share_that_was_asked_for():
    kinds = Counter(message.kind for message in played(noise=0.9))
    others = kinds[Kind.NOISE] + kinds[Kind.CHATTER]

    assert others / kinds.total() == pytest.approx(0.9, abs=0.001)


def test_pure_noise_holds_no_token_of_a_uc_server():
    noise = [m.data for m in played(noise=0.9) if m.kind is Kind.NOISE]

    assert [data for data in noise if b"%UC_" in data or b"%CCM_" in data] == []


def test_every_node_reports_the_trusted_copies_of_the_others():
    clusters = site(certificate("tomcat", "pub", not_after="2026-11-25T12:00:00Z"))
    truths = [truth for message in played(clusters) for truth in message.truths]

    assert {(t.reporter, t.store, t.certificate) for t in truths} == {
        ("pub", "tomcat", "tomcat.der"),
        ("sub1", "tomcat-trust", "pub.der"),
    }
    assert {t.case for t in truths} == {CaseKey(cluster="graz", owner="pub", store="tomcat")}


def test_an_expired_certificate_is_told_every_hour():
    clusters = site(certificate("ITLRecovery", "pub", not_after="2026-11-01T12:00:00Z"))
    told = played(clusters, hourly=True, forms=(Form.REMOTE,), evidence=0)

    assert len(told) == 24


def test_a_certificate_with_time_left_is_told_once_a_night():
    clusters = site(certificate("ITLRecovery", "pub", not_after="2026-12-24T12:00:00Z"))
    told = played(clusters, hourly=True, forms=(Form.REMOTE,), evidence=0, nights=3)

    assert [message.truths[0].event_time.day for message in told] == [20, 21, 22]


def test_what_is_not_bad_is_never_told_by_rtmt():
    clusters = site(certificate("ITLRecovery", "pub", not_after="2026-12-24T12:00:00Z"))
    forms = {message.form for message in played(clusters)}

    assert forms == {Form.REMOTE}


def test_one_event_by_three_ways_is_one_event():
    clusters = site(certificate("ITLRecovery", "pub", not_after="2026-11-22T12:00:00Z"))
    told = [message for message in played(clusters) if message.kind is Kind.ALARM]

    assert {message.form for message in told} == {Form.REMOTE, Form.ALERT, Form.MAIL}
    assert {truth.event for message in told for truth in message.truths} == {0}


def test_a_repeat_is_the_same_message():
    told = played(again=1.0)

    assert [m.data for m in told if m.again] == [m.data for m in told if not m.again]


def test_disorder_loses_and_adds_nothing():
    straight, mixed = played(again=0.0), played(disorder=20)

    assert [m.data for m in straight] != [m.data for m in mixed]
    assert sorted(m.data for m in straight) == sorted(m.data for m in mixed)


def test_the_value_is_cut_where_the_field_cuts_it():
    name = "a-name-so-long-that-no-date-is-left"
    clusters = site(certificate("tomcat-trust", "pub", file=f"{name}.pem"))
    message = played(clusters)[0]
    value = message.data.split(b"[Message=")[1].split(b"]")[0]

    assert (len(value), value.count(b"Expiration:")) == (MESSAGE_LIMIT, 0)


def test_a_store_that_is_cut_is_not_called_legible():
    clusters = site(certificate("CallManager-trust", "pub", file=f"{'x' * 50}.pem"))
    truths = [truth for message in played(clusters) for truth in message.truths]

    assert {truth.legible for truth in truths} == {False}


def test_a_multi_server_certificate_is_one_case_of_all_nodes():
    shared = certificate("tomcat", None, multi_server=True, not_after="2026-11-25T12:00:00Z")
    truths = [truth for message in played(site(shared)) for truth in message.truths]

    assert {truth.reporter for truth in truths} == {"pub", "sub1"}
    assert len({truth.case for truth in truths}) == 1


def test_numbers_are_read_back_whatever_the_form():
    for form in Form:
        told = islice(numbered(LAB, CATALOGUE.alarms, START, form=form, first=998), 5)

        assert [number_in(message.data) for message in told] == [998, 999, 1000, 1001, 1002]


def test_numbered_alarms_are_distinct_events_of_all_certificates():
    certificates = sum(len(played_cluster.certificates) for played_cluster in LAB)
    told = list(islice(numbered(LAB, CATALOGUE.alarms, START), 2 * certificates))
    read = [alarm for message in told for alarm in alarms_in(message)]

    assert (
        len({(a.node, a.store, a.certificate, a.record.event_time) for a in read})
        == 2 * certificates
    )
    assert len({message.truths[0].case for message in told}) == certificates


def test_a_message_without_number_has_none():
    assert number_in(b"<78>Nov 20 01:00:00 pub crond[7]: (root) CMD (x)") is None


def test_invented_nodes_have_distinct_names_and_addresses():
    nodes = [node for made in invent(700).clusters for node in made.nodes]

    assert len(nodes) == 700
    assert len({node.name for node in nodes}) == 700
    assert len({node.addresses for node in nodes}) == 700


@pytest.mark.parametrize("count", [0, -1, 100_000])
def test_a_silly_number_of_nodes_is_refused(count):
    with pytest.raises(InputError, match="cannot be played"):
        invent(count)


@pytest.mark.parametrize("wanted", [{"noise": 1.0}, {"noise": -0.1}, {"again": 2.0}])
def test_shares_that_cannot_be_are_refused(wanted):
    with pytest.raises(InputError):
        played(**wanted)

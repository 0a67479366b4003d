"""Facts of certificate alarms."""

import pytest

from watcher.app.knowledge import load_catalogue
from watcher.model.alarm import CiscoLogRecord, StoreKind, Truncation
from watcher.parsers import certificate
from watcher.wire.ciscolog import decode

ALARMS = load_catalogue().alarms
BODY = "Certificate name:{} Unit:{} Type:own-cert Expiration:Mon May 19 14:46:"


def alarm_of(message, *, name="CertExpired", cluster="", appname="UC_CERT"):
    record = decode(
        f"1: n1.lab.example: Sep 05 2014 00:00:06.433 UTC : %{appname}-0-{name}: "
        f"%[Message=Certificate expiration Notification. {message}]"
        f"[AppID=x][ClusterID={cluster}][NodeID=n1]: text"
    )
    assert isinstance(record, CiscoLogRecord)
    return certificate.parse(record, ALARMS)


@pytest.mark.parametrize(
    ("file", "unit", "kind", "owner"),
    [
        ("tomcat.der", "tomcat", StoreKind.SERVICE, "n1"),
        ("n1.der", "tomcat-trust", StoreKind.TRUST, "n1"),
        ("cucm2.der", "tomcat-trust", StoreKind.TRUST, None),
        ("corp-root.der", "tomcat-trust", StoreKind.TRUST, None),
        ("tomcat.der", "tomcat-trust", StoreKind.TRUST, None),
        ("ca.example.com.der", "tomcat-trust", StoreKind.TRUST, None),
        ("letsencryptauthorityx3.der", "tomcat-trust", StoreKind.TRUST, None),
        ("n2.lab.example.pem", "CallManager-trust", StoreKind.TRUST, "n2.lab.example"),
        ("Cisco_Root_CA_2048.der", "CallManager-trust", StoreKind.TRUST, None),
        ("CAPF-1a2b3c4d.der", "CAPF-trust", StoreKind.TRUST, None),
        ("A CA [2].der", "tomcat-trust", StoreKind.TRUST, None),
        ("Zürich.der", "tomcat-trust", StoreKind.TRUST, None),
    ],
)
def test_store_kind_and_owner(file, unit, kind, owner):
    alarm = alarm_of(BODY.format(file, unit))

    assert (alarm.certificate, alarm.store) == (file, unit)
    assert (alarm.store_kind, alarm.owner, alarm.node) == (kind, owner, "n1")


ALL_LOST = (Truncation.MESSAGE, Truncation.TYPE, Truncation.EXPIRY)
NO_STORE = (Truncation.MESSAGE, Truncation.STORE, Truncation.TYPE, Truncation.EXPIRY)


@pytest.mark.parametrize(
    ("message", "facts", "lost"),
    [
        (
            BODY.format("a.der", "tomcat"),
            ("a.der", "tomcat", StoreKind.SERVICE, "own-cert"),
            (Truncation.EXPIRY,),
        ),
        (
            "Certificate name:a.der Unit:tomcat Type:own-ce",
            ("a.der", "tomcat", StoreKind.SERVICE, None),
            (Truncation.TYPE, Truncation.EXPIRY),
        ),
        ("Certificate name:a.der Unit:tomcat Ty", ("a.der", "tomcat", None, None), NO_STORE),
        ("Certificate name:a.der Unit:tomcat", ("a.der", "tomcat", None, None), NO_STORE),
        (
            "Certificate name:a.der Unit:tomcat-trust",
            ("a.der", "tomcat-trust", StoreKind.TRUST, None),
            ALL_LOST,
        ),
        (
            "Certificate name:a Unit:CAPF Type:b.der Unit:tomcat Type:own-cert Expiration:Mon",
            ("a Unit:CAPF Type:b.der", "tomcat", StoreKind.SERVICE, "own-cert"),
            (Truncation.MESSAGE, Truncation.EXPIRY),
        ),
        (
            "Certificate name:a Unit:CAPF Type:b.der Unit:",
            ("a Unit:CAPF Type:b.der", None, None, None),
            ALL_LOST,
        ),
        ("Certificate name:a.der Uni", ("a.der", None, None, None), ALL_LOST),
        ("Certificate na", (None, None, None, None), ()),
    ],
)
def test_what_is_cut_off_is_named(message, facts, lost):
    alarm = alarm_of(message)

    assert (alarm.certificate, alarm.store, alarm.store_kind, alarm.reported_type) == facts
    assert alarm.truncation == lost


@pytest.mark.parametrize(("file", "owner"), [("CUCM02.der", "CUCM02"), ("R3.der", None)])
def test_a_file_named_in_the_style_of_the_reporting_node_is_a_nodes(file, owner):
    record = decode(
        "1: cucm01.lab.example: Sep 05 2014 00:00:06.433 UTC : %UC_CERT-0-CertExpired: %[Message="
        f"{BODY.format(file, 'tomcat-trust')}][AppID=x][ClusterID=][NodeID=CUCM01]: text"
    )

    assert certificate.parse(record, ALARMS).owner == owner


CUT = (
    "1: cucm-sub1.lab.example: Sep 05 2014 00:00:06.433 EST : %UC_CERT-0-CertExpired: %[Message="
    "{}][AppID=x][ClusterID=][NodeID=cucm-su"
)


def test_half_a_node_name_gives_way_to_the_host_of_the_header():
    alarm = certificate.parse(decode(CUT.format(BODY.format("a.der", "tomcat"))), ALARMS)

    assert (alarm.node, alarm.owner) == ("cucm-sub1", "cucm-sub1")
    assert alarm.truncation[0] is Truncation.RECORD


def test_half_a_cluster_id_names_no_cluster():
    record = decode(CUT.format(BODY.format("a.der", "tomcat"))[:-16] + "StandAl")

    assert certificate.parse(record, ALARMS).cluster is None


def test_a_zone_without_an_offset_still_finds_the_year():
    alarm = certificate.parse(decode(CUT.format(BODY.format("a.der", "tomcat"))), ALARMS)

    assert alarm.record.event_time is None
    assert (alarm.expiry.certainty, str(alarm.expiry.day)) == ("inferred", "2014-05-19")


@pytest.mark.parametrize(
    ("cluster_id", "cluster"), [("", None), ("StandAloneCluster", None), ("Lab", "Lab")]
)
def test_a_default_cluster_id_names_no_cluster(cluster_id, cluster):
    alarm = alarm_of(BODY.format("a.der", "tomcat"), cluster=cluster_id)

    assert (alarm.cluster, alarm.cluster_id) == (cluster, cluster_id)


@pytest.mark.parametrize(
    ("name", "known"),
    [*((name, True) for name in sorted(ALARMS.certificate)), ("certexpired", True), ("New", False)],
)
def test_every_alarm_of_the_monitor_is_one(name, known):
    alarm = alarm_of(BODY.format("a.der", "tomcat"), name=name)

    assert (alarm.msgname, alarm.known) == (name, known)


def test_other_services_raise_no_certificate_alarm():
    assert alarm_of(BODY.format("a.der", "tomcat"), appname="UC_GENERIC") is None

"""One event by every way it can come is one event, and one case."""

import pytest
from builders import CATALOGUE, cluster, events, inventory, message, node
from cases.life import NOW, NOWHERE, case_of, facts_of, kept, origin

from watcher.cases.identity import Directory
from watcher.model.case import CaseKey
from watcher.model.message import Grade, Way

RECORD = (
    "864: CUCM02.localdomain: Sep 05 2014 00:00:06.433 UTC :  %UC_CERT-2-CertValidfor7days: "
    "%[Message=Certificate expiration Notification. Certificate name:CUCM01.der Unit:tomcat-trust "
    "Type:own-cert Expiration:Mon May 19 14:46:][AppID=Cisco Certificate Monitor][ClusterID=]"
    "[NodeID=CUCM02]: Alarm to indicate that Certificate has Expired or Expires in less than "
    "seven days"
)
LINE = f"Sep 5 02:00:06 CUCM02 local7 2 : {RECORD}"
ALERT = (
    "At Fri Sep 05 02:00:56 CEST 2014 on node 192.168.1.2, the following SyslogSeverityMatchFound "
    f"events generated:\nSeverityMatch : Critical\nMatchedEvent : {LINE}\n"
    "AppID : Cisco Syslog Agent\nClusterID : \nNodeID : CUCM02\n"
    " TimeStamp : Fri Sep 05 02:00:06 CEST 2014"
)
IN_ALERT = (
    "<186>92: CUCM01.localdomain: Sep 05 2014 00:00:56.101 UTC :  %UC_RTMT-2-RTMT_ALERT: "
    f"%[AlertName=SyslogSeverityMatchFound][AlertDetail= {ALERT}][AppID=Cisco AMC Service]"
    "[ClusterID=][NodeID=CUCM01]: RTMT Alert"
).replace("\n", "#012")
MAIL = f"From: rtmt@cucm.example\nTo: alerts@watcher.example\nSubject: [RTMT] alert\n\n{ALERT}\n"
WAYS = {
    "syslog": f"<189>{RECORD}",
    "relayed": f"<189>Sep  5 02:00:06 relay {RECORD}",
    "without host": f"<189>{RECORD}".replace("CUCM02.localdomain: ", ""),
    "without number": f"<189>{RECORD}".replace("864: ", ""),
    "fraction cut": f"<189>{RECORD}".replace(".433", ".4"),
    "without fraction": f"<189>{RECORD}".replace(".433", ""),
    "file": LINE,
    "alert by syslog": IN_ALERT,
    "alert as text": ALERT,
    "alert by mail": MAIL,
}
OWN = RECORD.replace("CUCM01.der Unit:tomcat-trust", "tomcat.der Unit:tomcat")
OWN = OWN.replace("CUCM02", "CUCM01")
SITE = Directory(
    inventory(cluster(node("CUCM01"), node("CUCM02", addresses=("192.168.1.2",)))), CATALOGUE
)
SITES = pytest.mark.parametrize("where", [SITE, NOWHERE], ids=["inventory", "none"])


def certificate_event(text, where, **values):
    found = [read for read in events(text) if hasattr(read, "certificate")]

    assert len(found) == 1
    return kept(found[0], where, **values)


@SITES
@pytest.mark.parametrize("way", WAYS)
def test_every_envelope_holds_the_same_event(way, where):
    first = certificate_event(WAYS["syslog"], where)

    assert certificate_event(WAYS[way], where).key == first.key


@SITES
def test_all_ways_make_one_case_with_one_event_and_copies(where):
    case = case_of(*(certificate_event(text, where) for text in WAYS.values()))

    assert (case.occurrences, case.copies) == (1, len(WAYS) - 1)
    assert case.key.owner == "cucm01"
    assert case.key.store == "tomcat"


@SITES
def test_the_reporter_of_a_copy_and_the_owner_fold_into_one_case(where):
    copy = certificate_event(WAYS["alert by mail"], where)
    own = certificate_event(f"<189>{OWN}", where)
    case = case_of(copy, own)

    assert copy.key != own.key
    assert case.key == copy.case == own.case
    assert (case.reporters, case.trust_only) == (("cucm01", "cucm02"), False)


def test_the_key_holds_the_inventory_s_names():
    assert certificate_event(WAYS["file"], SITE).case == CaseKey(
        cluster="graz", owner="cucm01", store="tomcat"
    )


def test_two_nights_of_two_reporters_are_four_events():
    nights = (RECORD, RECORD.replace("Sep 05 2014 00:00:06", "Sep 06 2014 00:00:05"))
    texts = [f"<189>{night.replace('CUCM02', name)}" for night in nights for name in ("a1", "a2")]
    case = case_of(*(certificate_event(text, NOWHERE) for text in texts * 2))

    assert (case.occurrences, case.copies) == (4, 4)


def test_the_ways_differ_in_grade_only():
    tls = origin(Way.TLS, Grade.ATTRIBUTED)
    direct = certificate_event(WAYS["syslog"], SITE, came=tls)
    quoted = certificate_event(WAYS["alert by syslog"], SITE, came=tls)

    assert (direct.grade, quoted.grade) == (Grade.ATTRIBUTED, Grade.RETURN_PATH)
    assert facts_of(case_of(direct, quoted)) == facts_of(case_of(quoted, direct))


def test_a_nested_event_and_the_alert_around_it_are_not_one():
    found = events(IN_ALERT)

    assert len({kept(read, SITE).key for read in found if hasattr(read, "certificate")}) == 1
    assert len(found) == 2


def test_certificates_of_one_run_are_told_apart_within_a_second():
    stores = ("tomcat", "CallManager", "TVS", "CAPF", "ipsec")
    (keys) = {kept(events(message(store=store))[0], NOWHERE, at=NOW).key for store in stores}

    assert len(keys) == len(stores)

"""The key of a case is names that are known; the key of an event is what happened, and when."""

from dataclasses import replace

import pytest
from builders import (
    CATALOGUE,
    alarm,
    certificate,
    cluster,
    events,
    inventory,
    message,
    node,
    related,
)
from cases.life import COPY_OF, DAY, GRAZ, NODES, NOW, NOWHERE, directory, event, kept, origin
from hypothesis import given
from hypothesis import strategies as st

from watcher.cases.identity import Standing, case_key, evidence_key
from watcher.inventory.lookup import Place, find_cluster, find_node
from watcher.model.case import CaseKey
from watcher.model.message import RawMessage
from watcher.planner.findings import gather

BARE = "<189>1: cm: Nov 20 2026 01:00:06 UTC : %UC_CERT-4-{}: %[NodeID=pub]: words"
COPY = {"certificate": "pub.der", "store": "tomcat-trust", "node": "sub1"}


def key(*values, **named):
    names = dict(zip(("cluster", "owner", "store"), values, strict=True))
    return CaseKey(**names, **named)


def case_at(where=GRAZ, **fields):
    return case_key(alarm(**fields), where)


def test_a_node_s_own_certificate():
    assert case_at(node="PUB") == key("graz", "pub", "tomcat")


def test_a_copy_in_a_trust_store_belongs_to_the_case_of_its_owner():
    assert case_at(**COPY) == case_at(node="pub")


@pytest.mark.parametrize("store", ["tomcat-ECDSA", "CallManager-ECDSA", "CallManager", "TVS"])
def test_each_store_has_cases_of_its_own(store):
    assert case_at(store=store.upper()) == key("graz", "pub", store)


@pytest.mark.parametrize(
    ("trust", "service"),
    [("CallManager-trust", "CallManager"), ("ipsec-trust", "ipsec"), ("TVS-trust", "TVS")],
)
def test_the_rule_packs_say_whose_copies_a_trust_store_holds(trust, service):
    assert case_at(certificate="sub1.pem", store=trust) == key("graz", "sub1", service)


@pytest.mark.parametrize(
    "file", ["VeriSign_Class_3_Secure_Server_CA_-_G3.der", "CAPF-91d2ee4f.der", "pub-EC.der"]
)
def test_a_copy_that_is_no_node_s_is_known_by_its_file(file):
    stem = file[:-4].lower()

    assert case_at(certificate=file, store="CallManager-trust", node="sub1") == key(
        "graz", "", "CallManager-trust", identity=stem
    )


def test_the_inventory_says_whose_a_copy_is():
    listed = certificate("tomcat-trust", "sub1", file="web-2024.pem", owner="pub")
    where = directory(certificates=(listed,))

    assert case_at(where, **COPY | {"certificate": "web-2024.der"}) == key("graz", "pub", "tomcat")


def test_a_former_capf_certificate_is_not_the_one_in_use():
    listed = certificate("CAPF-trust", "sub1", file="CAPF-91d2ee4f.pem", owner="pub")
    where = directory(certificates=(listed,))

    assert case_at(where, certificate="CAPF-91d2ee4f.der", store="CAPF-trust") == key(
        "graz", "", "CAPF-trust", identity="capf-91d2ee4f"
    )


def test_a_multi_server_certificate_is_one_for_the_cluster_with_its_copies():
    shared = certificate("tomcat", None, multi_server=True, reused_for="CallManager")
    where = directory(certificates=(shared,))
    alarms = (
        {"node": "pub"}, {"node": "sub1"}, COPY, {"store": "CallManager"},
        {"certificate": "sub1.der", "store": "CallManager-trust"},
    )  # fmt: skip

    assert {case_at(where, **fields) for fields in alarms} == {key("graz", "", "tomcat")}


def test_a_copy_from_another_cluster_is_this_cluster_s_concern():
    where = directory(cluster(*NODES), cluster(node("linz-pub"), name="linz"))
    found = case_at(where, certificate="pub.der", store="tomcat-trust", node="linz-pub")

    assert found == key("linz", "", "tomcat-trust", identity="pub")


def test_without_an_inventory_owner_and_copy_still_fold():
    own = case_at(NOWHERE, node="CUCM01")
    copy = case_at(NOWHERE, node="CUCM02", certificate="CUCM01.der", store="tomcat-trust")

    assert own == copy == key("", "cucm01", "tomcat", claimed=True)


def test_an_unknown_node_of_a_known_cluster_is_a_claim():
    where = directory(cluster_ids=("GRZ",))

    assert case_at(where, node="pub9", cluster_id="grz") == key(
        "graz", "pub9", "tomcat", claimed=True
    )


LOOKALIKES = (
    "pu\u0431",
    "\uff50ub",
    "pub.",
    "pub\u200b",
    "p\u00fcb",
    "-pub",
    "pub/..",
    "..",
    "con\n",
    "",
)


@pytest.mark.parametrize("name", LOOKALIKES)
def test_a_look_alike_never_meets_a_known_name(name):
    found = case_key(replace(alarm(), node=name), GRAZ)

    assert found.claimed
    assert found != case_at(node="pub")
    assert found.owner.isascii()
    assert not set(found.owner) & set("/\\\n ")


@given(st.text(max_size=400))
def test_any_name_makes_a_short_plain_key(name):
    found = case_key(replace(alarm(), node=name), NOWHERE)

    assert len(found.owner) <= 63
    assert found.owner.isascii()
    assert found == case_key(replace(alarm(), node=name), NOWHERE)


def test_severity_and_words_play_no_part():
    other = alarm(severity="0", mnemonic="CertExpired", text="quite other words", seq="1")

    assert case_key(other, GRAZ) == case_at()


@pytest.mark.parametrize(
    ("mnemonic", "store"),
    [("TomcatCertRegen", "tomcat"), ("itlrecoverycertbackup", "ITLRecovery")],
)
def test_an_alarm_without_certificate_names_its_store_itself(mnemonic, store):
    (read,) = events(BARE.format(mnemonic))

    assert case_key(read, GRAZ) == key("graz", "pub", store)


def test_alarms_without_certificate_or_store_are_told_apart_by_name():
    found = [
        case_key(read, GRAZ)
        for name in ("CertificateRevoked", "CRLChanged", "Invented1", "Invented2")
        for read in events(BARE.format(name))
    ]

    assert [one.identity for one in found] == ["certificaterevoked", "crlchanged", "", ""]


def test_a_cut_store_with_a_foreign_file_is_not_the_node_s_own_certificate():
    long = "Example_Issuing_Authority_for_Web_Servers_2019_G3.der"
    (read,) = events(
        message(certificate=long).replace(" Type:own-cert Expiration:Wed Nov 25 14:05:", "")
    )

    assert case_key(read, GRAZ) == key("graz", "", "tomcat", identity=long[:-4].lower())


# -- agreement with the planner and the inventory's own look-ups

NAMES = ("pub", "PUB", "sub1", "pub.example.test", "192.0.2.10", "cm.site", "cm", "lost", "web", "")
FILES = ("tomcat.der", "pub.der", "sub1.pem", "web.der", "lost.der", "Root_CA.der", "cm.der")
STORES = ("tomcat", "TOMCAT", "tomcat-trust", "CallManager", "CallManager-trust", "CAPF", "odd")
LISTED = (
    certificate("tomcat", None, multi_server=True, reused_for="CallManager"),
    certificate("tomcat-trust", "sub1", file="web.pem", owner="pub"),
    certificate("CallManager-trust", "pub", file="Root_CA.pem"),
)
SITES = tuple(
    inventory(
        cluster(*NODES, certificates=listed, cluster_ids=("GRZ",)),
        cluster(node("a", aliases=("cm.site",)), node("b", aliases=("cm.else",)), name="linz"),
    )
    for listed in ((), LISTED)
)


@given(
    st.sampled_from(SITES),
    st.lists(
        st.fixed_dictionaries(
            {
                "node": st.sampled_from(NAMES[:-1]), "certificate": st.sampled_from(FILES),
                "store": st.sampled_from(STORES), "cluster_id": st.sampled_from(["", "GRZ", "x"]),
                "mnemonic": st.sampled_from(["CertExpired", "CertValidfor7days", "Other"]),
            }
        ),
        min_size=2, max_size=4,
    ),
)  # fmt: skip
def test_what_the_planner_takes_for_one_certificate_is_one_case(site, several):
    where = type(GRAZ)(site, CATALOGUE)
    alarms = [alarm(**fields) for fields in several]
    sightings, _ = gather(alarms, site, CATALOGUE)
    cases = {}
    for one in sightings:
        cases.setdefault(one.key, set()).add(case_key(one.alarm, where))
        cluster_name = one.cluster.name if one.cluster else ""

        assert case_key(one.alarm, where).cluster == cluster_name
    assert all(len(found) == 1 for found in cases.values())


@given(st.sampled_from(SITES), st.sampled_from(NAMES) | st.text(max_size=5))
def test_names_are_found_as_the_inventory_finds_them(site, name):
    where = type(GRAZ)(site, CATALOGUE)
    found = find_node(site, name)

    assert where.place(name) == (found if isinstance(found, Place) else None)
    assert where.cluster(name) is find_cluster(site, name)


@pytest.mark.parametrize(
    ("fields", "standing"),
    [
        ({}, Standing.KNOWN),
        (COPY, Standing.KNOWN),
        ({"store": "invented"}, Standing.NAMED),
        ({"store": "tomcat-trust", "certificate": "Invented_CA.der"}, Standing.NAMED),
        ({"store": "tomcat-trust", "certificate": "Listed_CA.der"}, Standing.KNOWN),
        ({"node": "stranger"}, Standing.CLAIMED),
    ],
)
def test_only_cases_of_known_names_are_without_number(fields, standing):
    where = directory(certificates=(certificate("tomcat-trust", "pub", file="Listed_CA.pem"),))

    assert where.standing(case_at(where, **fields)) is standing


# -- events


def test_the_same_event_has_one_key_whatever_its_envelope_lost():
    bare = message(time="Nov 20 2026 01:00:06").replace("<189>864: cm.example.test: ", "")
    (stripped,) = events(bare)

    assert kept(stripped).key == event(seq="", host="").key == event().key


@pytest.mark.parametrize(
    "other",
    [
        {"time": "Nov 21 2026 01:00:06.544"}, {"node": "sub1"}, {"store": "CallManager"},
        {"mnemonic": "CertExpired"}, {"expiry": "Thu Nov 26 14:05:"}, COPY,
    ],
)  # fmt: skip
def test_other_events_have_other_keys(other):
    assert event(**other).key != event().key


def test_nodes_of_one_name_in_clusters_that_we_do_not_know_are_told_apart_by_cluster_id():
    first, second = (event(NOWHERE, cluster_id=name) for name in ("east", "west"))

    assert first.case == second.case
    assert first.key != second.key


def test_without_a_zone_the_text_of_the_time_counts():
    text = message().replace(" UTC :", " CEST :")
    (first,), (again,) = events(text), events(text.replace("06.544", "06.5"))
    (next_night,) = events(text.replace("Nov 20 2026", "Nov 21 2026"))

    assert kept(first).key == kept(again, at=NOW + DAY).key
    assert kept(first).key != kept(next_night).key


def test_without_any_time_the_day_of_receipt_counts():
    (read,) = events(message().replace("Nov 20 2026 01:00:06.544 UTC :  ", ""))

    assert read.record.event_time_text is None
    assert kept(read).key == kept(read, at=NOW + DAY / 2).key
    assert kept(read).key != kept(read, at=NOW + DAY).key


EVIDENCE = {"app": "DRF", "mnemonic": "DRFBackupFailure"}
BACKUP_ALERT = (
    "<186>92: pub: Nov 20 2026 02:10:06.544 UTC :  %UC_RTMT-2-RTMT_ALERT: %[AlertName={}]"
    "[AlertDetail= text][AppID=Cisco AMC Service][ClusterID=][NodeID=pub]: RTMT Alert"
)


def evidence_at(read, day=0):
    return evidence_key(read, RawMessage(origin=origin(), received_at=NOW + day * DAY,
                                         monotonic_ns=0, data=b""))  # fmt: skip


def test_evidence_has_a_key_of_the_same_kind():
    first = evidence_at(related(**EVIDENCE))

    assert first == evidence_at(related(**EVIDENCE), day=1)
    assert first != evidence_at(related(**EVIDENCE, node="sub1"))
    assert first != evidence_at(related("DRF", "DRFSftpFailure"))


def test_alerts_are_told_apart_by_their_own_name():
    names = ("CiscoDRFFailure", "DBReplicationFailure")
    reads = [read for name in names for read in events(BACKUP_ALERT.format(name))]

    assert len({evidence_at(replace(read, topic="same")) for read in reads}) == 2


def test_the_zone_of_the_cluster_makes_the_end_an_instant():
    vienna = event(directory(time_zone="Europe/Vienna"))

    assert f"{vienna.end_earliest:%d %H:%M}" == "25 13:05"
    assert event().end_earliest is None


@pytest.mark.parametrize("year", ["0001", "9999"])
def test_an_end_beyond_the_calendar_stays_as_it_was_read(year):
    day = "Mon Jan 01" if year == "0001" else "Fri Dec 31"
    made = event(directory(time_zone="Pacific/Apia"), expiry=f"{day} 14:05:00:000 UTC {year}")

    assert made.end_day.year == int(year)


def test_an_alarm_s_name_is_kept_as_the_catalogue_spells_it():
    assert event(mnemonic="CERTEXPIRED").msgname == "CertExpired"
    assert event(mnemonic="Some.Thing").msgname == "some.thing"


@pytest.mark.parametrize(
    ("fields", "spot"),
    [
        ({}, "tomcat"),
        ({"store": "TOMCAT"}, "tomcat"),
        (COPY_OF, "tomcat-trust/pub"),
        (COPY_OF | {"certificate": "PUB.pem"}, "tomcat-trust/pub"),
        (COPY_OF | {"store": "CallManager-trust"}, "CallManager-trust/pub"),
        ({"store": "", "mnemonic": "TomcatCertRegen"}, ""),
    ],
)
def test_an_event_tells_which_copy_it_speaks_of(fields, spot):
    assert spot == event(**fields).spot

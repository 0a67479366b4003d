"""Which way a change takes, by release, security mode and nodes; and when none is printed."""

import pytest
from builders import alarm, certificate, cluster, findings, ground, node

from watcher.inventory.schema import CtlMethod, Duty, PhoneGroup, SecurityMode
from watcher.model.release import Release
from watcher.planner.jobs import service_jobs
from watcher.planner.ways import (
    LOCALKEY_DETOUR,
    ROLLBACK,
    SERVICES_ONLY,
    SPECIFIC_ORDER,
    STORE_BY_STORE,
    choose,
    supported,
)

MIXED = {"security_mode": SecurityMode.MIXED}
TOKENLESS = MIXED | {"ctl_method": CtlMethod.TOKENLESS}
ETOKEN = MIXED | {"ctl_method": CtlMethod.ETOKEN}
UNKNOWN = {"security_mode": None}
ALONE = (node("pub"),)


def way(*nodes, stores=("CallManager",), at=("pub",), **values):
    site = cluster(*nodes, **values)
    told = [alarm(store=store, node=name) for store in stores for name in at]
    base = ground(site)
    return choose(service_jobs(findings(told, site), base), base)


@pytest.mark.parametrize("stores", [("tomcat",), ("ipsec", "tomcat"), ("authz",)])
@pytest.mark.parametrize("release", ["9.1(2)", "12.5(1)", "15"])
def test_what_phones_do_not_trust_needs_services_only(stores, release):
    assert way(stores=stores, release=release).way == SERVICES_ONLY


@pytest.mark.parametrize(
    ("release", "expected"),
    [
        ("8.6(2)", SPECIFIC_ORDER), ("9.1(2)SU2a", SPECIFIC_ORDER), ("11.5(1)SU9", SPECIFIC_ORDER),
        ("12.0(1)", STORE_BY_STORE), ("12.5(1)SU3", STORE_BY_STORE), ("14SU2", STORE_BY_STORE),
        ("15", STORE_BY_STORE), (None, SPECIFIC_ORDER),
    ],
)  # fmt: skip
def test_from_12_0_on_one_goes_store_by_store(release, expected):
    assert way(release=release).way == expected


def test_without_a_cluster_the_careful_order_is_taken():
    base = ground()

    choice = choose(service_jobs(findings([alarm(store="TVS")]), base), base)

    assert (choice.way, choice.withheld) == (SPECIFIC_ORDER, ())


@pytest.mark.parametrize("release", ["8.0", "9.1(2)", "11.5(1)SU9"])
def test_a_single_non_secure_server_rolls_back(release):
    choice = way(*ALONE, release=release)

    assert (choice.way, choice.withheld) == (ROLLBACK, ())


def test_one_tftp_server_of_many_nodes_is_alone_too():
    nodes = (node("pub", duties=(Duty.TFTP,)), node("sub1", duties=(Duty.CALL_PROCESSING,)))

    assert way(*nodes, release="9.1(2)").way == ROLLBACK


def test_a_single_server_from_12_0_on_needs_no_rollback():
    assert way(*ALONE, release="12.5(1)").way == STORE_BY_STORE


def test_a_verifier_alone_needs_no_rollback():
    assert way(*ALONE, stores=("TVS",), release="9.1(2)").way == SPECIFIC_ORDER


def test_a_shared_signer_rolls_back_up_to_11_5():
    shared = certificate("CallManager", None, multi_server=True)

    assert way(release="11.5(1)", certificates=(shared,)).way == ROLLBACK


@pytest.mark.parametrize("release", ["10.5(2)", "10.5(2)SU10", "11.0(1)", "11.5(1)SU9"])
def test_a_tokenless_publisher_takes_the_detour(release):
    assert way(release=release, **TOKENLESS).way == LOCALKEY_DETOUR


@pytest.mark.parametrize("nodes", [ALONE, ()])
def test_the_detour_serves_a_single_server_too(nodes):
    assert way(*nodes, release="11.5(1)", **TOKENLESS).way == LOCALKEY_DETOUR


def test_a_tokenless_subscriber_needs_no_detour():
    assert way(at=("sub1",), release="11.5(1)", **TOKENLESS).way == SPECIFIC_ORDER


def test_a_tokenless_cluster_from_12_0_on_needs_no_detour():
    assert way(release="12.5(1)", **TOKENLESS).way == STORE_BY_STORE


WITHHELD = {
    "no second anchor": ({"release": "10.0(1)"} | TOKENLESS, "lists one signer only"),
    "tokens lost": ({"release": "9.1(2)", "etokens": 0} | ETOKEN, "none of the original tokens"),
    "alone, mode unknown": ({"release": "9.1(2)", "nodes": ALONE} | UNKNOWN, "no second server"),
    "alone, signer unknown": ({"release": "9.1(2)", "nodes": ALONE} | MIXED, "no second server"),
    "shared, mode unknown": (
        {"release": "11.5(1)",
         "certificates": (certificate("CallManager", None, multi_server=True),)} | UNKNOWN,
        "One multi-server certificate",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("values", "reason"), WITHHELD.values(), ids=WITHHELD)
def test_no_way_is_safe_enough(values, reason):
    values = dict(values)

    choice = way(*values.pop("nodes", ()), **values)

    assert len(choice.withheld) == 1
    assert reason in choice.withheld[0]


def test_tokens_at_hand_vouch_for_a_single_server():
    choice = way(*ALONE, release="9.1(2)", etokens=2, **ETOKEN)

    assert (choice.way, choice.withheld) == (SPECIFIC_ORDER, ())


@pytest.mark.parametrize("other", ["CallManager", "TVS", "CAPF"])
def test_the_recovery_certificate_gets_a_window_of_its_own(other):
    assert way(stores=("ITLRecovery", other)).split


@pytest.mark.parametrize("stores", [("ITLRecovery",), ("ITLRecovery", "tomcat"), ("TVS",)])
def test_alone_it_needs_no_second_window(stores):
    assert not way(stores=stores).split


@pytest.mark.parametrize(
    ("release", "expected"),
    [(None, True), ("8.0", True), ("15SU3", True), ("7.1(5)", False), ("16", False)],
)
def test_releases_outside_the_rules_are_not_supported(release, expected):
    assert supported(Release.parse(release) if release else None) is expected


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"rollback_pre80": True}, "rollback parameter is on"),
        (ETOKEN | {"etokens": 0}, "none of the original tokens"),
        (ETOKEN | {"release": "14", "etokens": 2}, "no CTL client"),
        (TOKENLESS | {"export_controlled_license": False}, "not licensed"),
    ],
)
def test_what_makes_every_order_unsafe_withholds_the_work(values, reason):
    choice = way(**({"release": "12.5(1)SU4"} | values))

    assert any(reason in text for text in choice.withheld)


def test_phones_of_a_foreign_tftp_server_are_not_planned_for():
    nodes = (node("pub", duties=(Duty.CALL_PROCESSING,)), node("sub1", duties=()))

    choice = way(*nodes, release="12.5(1)SU4")

    assert any("no node of this cluster serves TFTP" in text for text in choice.withheld)


def test_one_server_of_an_unknown_release_is_not_guessed_at():
    choice = way(*ALONE, release=None)

    assert any("the release is not known" in text for text in choice.withheld)


DEAF = PhoneGroup(name="branch", tvs_reachable=False)


@pytest.mark.parametrize(
    ("values", "expected", "held"),
    [
        ({"release": "9.1(2)"}, ROLLBACK, False),
        ({"release": "12.5(1)SU4"}, STORE_BY_STORE, False),
        (UNKNOWN | {"release": "11.5(1)SU5"}, SPECIFIC_ORDER, True),
        (TOKENLESS | {"release": "11.5(1)SU5"}, SPECIFIC_ORDER, True),
    ],
)  # fmt: skip
def test_phones_that_cannot_ask_tvs_need_a_blank_list_up_to_11_5(values, expected, held):
    choice = way(phone_groups=(DEAF,), **values)

    assert (choice.way, bool(choice.withheld)) == (expected, held)

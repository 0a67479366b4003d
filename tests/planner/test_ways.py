"""Which ways are open to a change, by release, mode and nodes; and when none is printed."""

import pytest
from builders import alarm, certificate, cluster, findings, ground, node

from watcher.inventory.schema import (
    CallManagerGroup,
    CtlMethod,
    Duty,
    PhoneGroup,
    SecurityMode,
)
from watcher.model.release import Release
from watcher.planner.jobs import service_jobs
from watcher.planner.ways import (
    ETOKEN_SHIELD,
    LOCALKEY_DETOUR,
    NODE_BY_NODE,
    ROLLBACK,
    SERVICES_ONLY,
    SPECIFIC_ORDER,
    STAGED,
    STORE_BY_STORE,
    options,
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
    return options(service_jobs(findings(told, site), base), base)


@pytest.mark.parametrize("stores", [("tomcat",), ("ipsec", "tomcat"), ("authz",)])
@pytest.mark.parametrize("release", ["9.1(2)", "12.5(1)", "15"])
def test_what_phones_do_not_trust_needs_services_only(stores, release):
    assert way(stores=stores, release=release).ways == (SERVICES_ONLY,)


@pytest.mark.parametrize(
    ("release", "expected"),
    [
        ("8.6(2)", NODE_BY_NODE), ("9.1(2)SU2a", NODE_BY_NODE), ("11.5(1)SU9", NODE_BY_NODE),
        ("12.0(1)", STORE_BY_STORE), ("12.5(1)SU3", STORE_BY_STORE), ("14SU2", STORE_BY_STORE),
        ("15", STORE_BY_STORE), (None, SPECIFIC_ORDER),
    ],
)  # fmt: skip
def test_from_12_0_on_one_goes_store_by_store(release, expected):
    assert way(release=release).ways == (expected,)


def test_without_a_cluster_the_careful_order_is_taken():
    base = ground()

    found = options(service_jobs(findings([alarm(store="CallManager")]), base), base)

    assert (found.ways, found.withheld) == ((SPECIFIC_ORDER,), ())


@pytest.mark.parametrize("release", ["8.6(2)", "9.1(2)", "11.5(1)"])
def test_what_a_node_does_not_tell_keeps_the_careful_order(release):
    unknown = (node("pub", duties=None), node("sub1"))

    assert way(*unknown, release=release).ways == (SPECIFIC_ORDER,)


ALL = ("CAPF", "CallManager", "TVS")
LONE = CallManagerGroup(name="one node", nodes=("pub",))
ONE_TFTP = PhoneGroup(name="one server", tftp=("pub",))
SOLO = {
    "CallManager group of one node": {"callmanager_groups": (LONE,)},
    "phones that ask one TFTP server": {"phone_groups": (ONE_TFTP,)},
}


def test_node_by_node_has_fewer_resets_where_several_stores_are_due():
    found = way(stores=ALL, at=("pub", "sub1"), release="9.1(2)")

    assert found.ways == (NODE_BY_NODE, STAGED)


@pytest.mark.parametrize("values", SOLO.values(), ids=SOLO)
def test_phones_that_would_lose_an_anchor_get_one_certificate_at_a_time(values):
    assert way(stores=ALL, at=("pub", "sub1"), release="9.1(2)", **values).ways == (STAGED,)


def test_nodes_without_tftp_whose_tvs_is_due_need_a_stage_of_their_own():
    nodes = (node("pub"), node("sub1"), node("a", duties=(Duty.CALL_PROCESSING,)))

    assert way(*nodes, stores=ALL, at=("pub", "sub1", "a"), release="9.1(2)").ways == (STAGED,)


@pytest.mark.parametrize(
    ("stores", "expected"),
    [(ALL, (ETOKEN_SHIELD, NODE_BY_NODE, STAGED)), (("TVS",), (STAGED,))],
)
def test_a_token_shields_what_the_ctl_lists(stores, expected):
    found = way(stores=stores, at=("pub", "sub1"), release="9.1(2)", etokens=2, **ETOKEN)

    assert found.ways == expected


@pytest.mark.parametrize("release", ["8.0", "9.1(2)", "11.5(1)SU9"])
def test_a_single_non_secure_server_rolls_back(release):
    choice = way(*ALONE, release=release)

    assert (choice.ways, choice.withheld, choice.reasons) == ((ROLLBACK,), (), ())


def test_one_tftp_server_of_many_nodes_is_alone_too():
    nodes = (node("pub", duties=(Duty.TFTP,)), node("sub1", duties=(Duty.CALL_PROCESSING,)))

    assert way(*nodes, release="9.1(2)").ways == (ROLLBACK,)


def test_a_single_server_from_12_0_on_needs_no_rollback():
    assert way(*ALONE, release="12.5(1)").ways == (STORE_BY_STORE,)


def test_a_verifier_alone_needs_no_rollback():
    assert way(*ALONE, stores=("TVS",), release="9.1(2)").ways == (STAGED,)


def test_a_shared_signer_rolls_back_up_to_11_5():
    shared = certificate("CallManager", None, multi_server=True)

    assert way(release="11.5(1)", certificates=(shared,)).ways == (ROLLBACK,)


@pytest.mark.parametrize("release", ["10.5(2)", "10.5(2)SU10", "11.0(1)", "11.5(1)SU9"])
def test_a_tokenless_publisher_takes_the_detour(release):
    assert way(release=release, **TOKENLESS).ways == (LOCALKEY_DETOUR,)


@pytest.mark.parametrize("nodes", [ALONE, ()])
def test_the_detour_serves_a_single_server_too(nodes):
    assert way(*nodes, release="11.5(1)", **TOKENLESS).ways == (LOCALKEY_DETOUR,)


def test_a_lone_server_beside_the_publisher_is_proven_first():
    nodes = (node("pub", duties=(Duty.CALL_PROCESSING,)), node("sub1"))

    found = way(*nodes, at=("pub", "sub1"), release="11.5(1)", **TOKENLESS)

    assert found.ways == (LOCALKEY_DETOUR,)
    assert "One TFTP server" in found.reasons[0]


@pytest.mark.parametrize("release", ["9.1(2)", "11.5(1)", "12.5(1)"])
def test_what_no_ctl_lists_changes_without_a_token(release):
    found = way(stores=("TVS",), release=release, etokens=0, **ETOKEN)

    assert not found.withheld


def test_a_tokenless_subscriber_needs_no_detour():
    assert way(at=("sub1",), release="11.5(1)", **TOKENLESS).ways == (NODE_BY_NODE,)


def test_a_tokenless_cluster_from_12_0_on_needs_no_detour():
    assert way(release="12.5(1)", **TOKENLESS).ways == (STORE_BY_STORE,)


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

    (held,) = choice.withheld or choice.reasons
    assert reason in held


def test_tokens_at_hand_vouch_for_a_single_server():
    choice = way(*ALONE, release="9.1(2)", etokens=2, **ETOKEN)

    assert (choice.ways, choice.withheld, choice.reasons) == ((ETOKEN_SHIELD,), (), ())


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
        (UNKNOWN | {"release": "11.5(1)SU5"}, STAGED, True),
        (TOKENLESS | {"release": "11.5(1)SU5"}, LOCALKEY_DETOUR, True),
    ],
)  # fmt: skip
def test_phones_that_cannot_ask_tvs_need_a_blank_list_up_to_11_5(values, expected, held):
    choice = way(phone_groups=(DEAF,), **values)

    assert (choice.ways, bool(choice.reasons)) == ((expected,), held)

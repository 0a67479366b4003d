"""What stands where, in the order of work, and what is not known."""

import pytest
from builders import CATALOGUE, certificate, cluster, ground, node

from watcher.inventory.schema import (
    CtlMethod,
    Duty,
    Features,
    Issuer,
    NodeRole,
    PhoneGroup,
    Product,
    SecurityMode,
)
from watcher.planner.terrain import cluster_facts, survey
from watcher.rules.terms import Condition

TFTP = CATALOGUE.services["cisco-tftp"]
TOMCAT = CATALOGUE.services["cisco-tomcat"]


def labels(places):
    return [place.label for place in places]


def test_the_publisher_comes_first_then_tftp_servers_in_their_order():
    site = cluster(
        node("imp", product=Product.IM_PRESENCE), node("c"), node("b", tftp_order=2),
        node("a", tftp_order=1), node("pub"),
    )  # fmt: skip

    assert labels(survey(site).places) == ["pub", "a", "b", "c", "imp"]


def test_the_publisher_of_im_and_presence_is_not_the_publisher():
    site = cluster(node("imp", product=Product.IM_PRESENCE, role=NodeRole.PUBLISHER), node("sub1"))

    assert survey(site).publisher.label == "the publisher"


def test_without_an_inventory_places_are_words():
    terrain = survey(None)

    assert labels(terrain.every_node) == ["each node"]
    assert labels(terrain.running(TFTP)) == ["each node that runs Cisco Tftp"]
    assert terrain.publisher.name is None


def test_a_service_runs_where_the_inventory_says_or_may():
    site = cluster(node("pub", duties=()), node("a", duties=(Duty.TFTP,)), node("b", duties=None))

    assert labels(survey(site).running(TFTP)) == ["a", "b"]
    assert labels(survey(site).running(TOMCAT)) == ["pub", "a", "b"]


def test_a_service_that_surely_runs_nowhere_has_no_place():
    assert survey(cluster(node("pub", duties=()))).running(TFTP) == ()


@pytest.mark.parametrize(("duties", "known"), [((Duty.TFTP,), True), ((), True), (None, False)])
def test_duties_are_known_when_each_node_has_them(duties, known):
    assert survey(cluster(node("pub"), node("sub1", duties=duties))).duties_known is known


def test_a_certificate_of_the_node_comes_before_the_clusters():
    own, wide = certificate("tomcat", "pub"), certificate("tomcat", None, issuer=Issuer.CA_SIGNED)
    terrain = survey(cluster(certificates=(wide, own)))

    assert terrain.certificate("tomcat", "pub") == own
    assert terrain.certificate("tomcat", "sub1") == wide
    assert terrain.certificate("TVS", "pub") is None


@pytest.mark.parametrize(
    ("issuer", "self_signed", "ca_signed"),
    [(Issuer.SELF_SIGNED, True, False), (Issuer.CA_SIGNED, False, True), (None, None, None)],
)
def test_who_signed_is_yes_no_or_unknown(issuer, self_signed, ca_signed):
    facts = survey(cluster()).facts_for(certificate(issuer=issuer))

    assert (facts[Condition.SELF_SIGNED], facts[Condition.CA_SIGNED]) == (self_signed, ca_signed)


@pytest.mark.parametrize(
    ("mode", "method", "mixed", "tokenless", "etoken"),
    [
        (SecurityMode.MIXED, CtlMethod.TOKENLESS, True, True, False),
        (SecurityMode.MIXED, CtlMethod.ETOKEN, True, False, True),
        (SecurityMode.MIXED, None, True, None, None),
        (SecurityMode.NON_SECURE, None, False, False, False),
        (None, None, None, None, None),
    ],
)  # fmt: skip
def test_a_ctl_belongs_to_mixed_mode(mode, method, mixed, tokenless, etoken):
    facts = cluster_facts(cluster(security_mode=mode, ctl_method=method))

    assert facts[Condition.MIXED] is mixed
    assert facts[Condition.TOKENLESS] is tokenless
    assert facts[Condition.ETOKEN] is etoken


@pytest.mark.parametrize(
    ("feature", "group", "expected"),
    [
        (None, None, None), (None, True, True), (None, False, False), (False, True, True),
        (True, False, True), (False, None, False),
    ],
)  # fmt: skip
def test_one_group_of_phones_with_lscs_is_enough(feature, group, expected):
    site = cluster(
        features=Features(lsc=feature), phone_groups=(PhoneGroup(name="office", lsc=group),)
    )

    assert cluster_facts(site)[Condition.LSC] is expected


@pytest.mark.parametrize(
    ("nodes", "single"),
    [((node("pub"),), True), ((node("pub"), node("b")), False),
     ((node("pub"), node("imp", product=Product.IM_PRESENCE)), True)],
)  # fmt: skip
def test_a_single_node_is_a_single_cucm_node(nodes, single):
    assert ground(cluster(*nodes)).terrain.facts[Condition.SINGLE_NODE] is single


def test_a_certificate_of_the_cluster_serves_each_node():
    shared = certificate(at=None, multi_server=True)
    terrain = survey(cluster(certificates=(shared,)))

    assert [terrain.certificate("tomcat", node) for node in ("pub", "sub1")] == [shared, shared]

"""`utils service list`, `show network cluster`, `show version active` and parameters."""

import pytest

from watcher.inventory.schema import NodeRole, Product, SecurityMode
from watcher.transcripts import network, parameter, services, version
from watcher.transcripts.split import split


def only(text):
    (block,) = split(text)
    return block


def test_services_that_are_switched_off_are_told_from_those_that_are_down():
    facts = services.read(
        only(
            "utils service list\nCisco Tftp[STARTED]\n"
            "Cisco CTIManager[STOPPED]  Service Not Activated\n"
            "Cisco DirSync[STOPPED]  Commanded Out of Service\nPrimary Node =false\n"
        )
    )

    assert [(one.name, one.started, one.activated) for one in facts.services] == [
        ("Cisco Tftp", True, True),
        ("Cisco CTIManager", False, False),
        ("Cisco DirSync", False, True),
    ]
    assert (facts.primary, facts.activated("cisco tftp"), facts.activated("x")) == (
        False,
        True,
        None,
    )
    assert facts.unread == ()


def test_a_service_line_that_cannot_be_read_is_named():
    facts = services.read(only("utils service list\nCisco Tftp[STARTED]\nCisco Tomcat STARTED\n"))

    assert [item.line for item in facts.unread] == [3]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "192.0.2.1 pub.example.test pub Publisher callmanager DBPub authenticated",
            ("pub", "pub.example.test", NodeRole.PUBLISHER, Product.CUCM, True),
        ),
        (
            "192.0.2.2 sub Subscriber callmanager DBSub authenticated using TCP since Mon Nov 16",
            ("sub", None, NodeRole.SUBSCRIBER, Product.CUCM, False),
        ),
        (
            "192.0.2.3 imp.example.test imp Subscriber cups DBPub authenticated using TCP since x",
            ("imp", "imp.example.test", NodeRole.PUBLISHER, Product.IM_PRESENCE, False),
        ),
        (
            "192.0.2.4 old.example.test old Subscriber authenticated using TCP since Sat Jun 29",
            ("old", "old.example.test", NodeRole.SUBSCRIBER, Product.CUCM, False),
        ),
        (
            "2001:db8::5 cuc.example.test cuc Publisher connection DBPub authenticated",
            ("cuc", "cuc.example.test", NodeRole.PUBLISHER, Product.UNITY_CONNECTION, True),
        ),
    ],
)
def test_a_node_of_the_network(line, expected):
    (node,) = network.read(only(f"show network cluster\n{line}\n")).nodes

    assert (node.name, node.fqdn, node.role, node.product, node.local) == expected


def test_an_unknown_product_keeps_its_word():
    facts = network.read(only("show network cluster\n192.0.2.1 a Publisher xyz DBPub ok\n"))

    assert (facts.nodes[0].product, facts.nodes[0].product_word) == (None, "xyz")


def test_a_broken_network_line_is_joined_and_a_strange_one_named():
    facts = network.read(
        only(
            "show network cluster\n192.0.2.1 a.example.test a Publisher callmanager DBPub\n"
            "authenticated using TCP since Mon Nov 16 06:07:53 2026\nno such host\n"
        )
    )

    assert [node.local for node in facts.nodes] == [False]
    assert [item.line for item in facts.unread] == [4]


@pytest.mark.parametrize(
    ("build", "release"),
    [("12.5.1.13900-152", "12.5(1)"), ("15.0.1.11900-23", "15.0(1)"), ("9.1.2.10000-28", "9.1(2)")],
)
def test_a_build_tells_the_release_without_su(build, release):
    facts = version.read(only(f"show version active\nActive Master Version: {build}\n"))

    assert (facts.build, str(facts.release), facts.unread) == (build, release, ())


def test_a_version_that_is_none_is_named():
    facts = version.read(only("show version active\nActive Master Version: unknown\n"))

    assert facts.release is None
    assert facts.unread[-1].why == "no release that can be read"


@pytest.mark.parametrize(
    ("row", "mode", "rollback"),
    [
        ("ClusterSecurityMode 0", SecurityMode.NON_SECURE, None),
        ("ClusterSecurityMode 1", SecurityMode.MIXED, None),
        ("RollBackToPreGrayback F", None, False),
        ("RollBackToPreGrayback T", None, True),
    ],
)
def test_parameters(row, mode, rollback):
    facts = parameter.read(only(f"paramname paramvalue\n=== ===\n{row}\n"))

    assert (facts.security_mode, facts.rollback_pre80, facts.unread) == (mode, rollback, ())


def test_a_value_that_is_not_known_is_named():
    facts = parameter.read(only("paramname paramvalue\nClusterSecurityMode 7\n"))

    assert facts.security_mode is None
    assert [item.line for item in facts.unread] == [2]

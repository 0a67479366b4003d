"""Names lead to one node, to none, or to a question; never to a look-alike."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.inventory.loader import load
from watcher.inventory.lookup import Ambiguous, Place, find_cluster, find_node

SITE = load(
    "site.yaml",
    """\
version: 1
clusters:
  - name: graz
    cluster_ids: [StandAloneCluster]
    nodes:
      - {name: gra-pub, aliases: [pub.graz.example.test], addresses: [192.0.2.1]}
      - {name: gra-sub, aliases: [sub.graz.example.test], addresses: [198.51.100.2]}
    certificates:
      - {store: tomcat, node: gra-pub, file: tomcat.pem, issuer: ca-signed}
      - {store: tomcat-trust, node: gra-pub, file: gra-sub.pem, owner: gra-sub}
      - {store: tomcat-trust, node: gra-pub, file: root.pem}
  - name: linz
    nodes:
      - {name: lnz-pub, aliases: [pub.linz.example.test], addresses: [192.0.2.1]}
    certificates:
      - {store: tomcat, issuer: ca-signed, multi_server: true}
""",
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gra-pub", "gra-pub"),
        ("GRA-PUB", "gra-pub"),
        (" gra-pub ", "gra-pub"),
        ("PUB.graz.example.test", "gra-pub"),
        ("198.51.100.2", "gra-sub"),
        ("sub", "gra-sub"),
        ("gra", None),
        ("gra-pub.example.test", None),
        ("gra-pub1", None),
        ("", None),
    ],
)
def test_find_node_takes_whole_names_only(name, expected):
    found = find_node(SITE, name)

    assert (found.node.name if isinstance(found, Place) else found) == expected


@pytest.mark.parametrize("name", ["pub", "192.0.2.1"])
def test_a_name_of_two_nodes_is_ambiguous(name):
    found = find_node(SITE, name)

    assert isinstance(found, Ambiguous)
    assert [place.node.name for place in found.places] == ["gra-pub", "lnz-pub"]


@pytest.mark.parametrize(
    "name",
    [
        "gr\u0430-pub",  # Cyrillic a
        "gra\u2010pub",  # another hyphen
        "\u0261ra-pub",  # script g
        "gra-pub\u200b",  # a blank of no width
        "\uff47\uff52\uff41-pub",  # full width
        "gra-pub\u0131",
    ],
)
def test_a_look_alike_is_another_name(name):
    assert find_node(SITE, name) is None


@given(st.text())
def test_find_node_takes_any_text(name):
    found = find_node(SITE, name)

    assert found is None or isinstance(found, Place | Ambiguous)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("linz", "linz"), ("standalonecluster", "graz"), ("graz", "graz"), ("wien", None), ("", None)],
)
def test_find_cluster_by_name_and_by_cluster_id(name, expected):
    found = find_cluster(SITE, name)

    assert (found.name if found else None) == expected

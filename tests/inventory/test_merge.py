"""Completing an inventory adds what is missing and leaves what a person wrote."""

import pytest

from watcher.inventory.loader import load
from watcher.inventory.merge import Addition, Conflict, compare
from watcher.inventory.schema import Cluster
from watcher.inventory.writer import complete

KNOWN = """\
# by hand
version: 1
clusters:
  - name: graz   # stays
    release: "9.1(2)SU2a"
    nodes:
      - name: GRA-PUB
        role: publisher
"""


def changes(**found):
    known = load("x", KNOWN).clusters[0]
    return compare(known, Cluster.model_validate({"name": "graz", **found}))


def test_a_missing_value_is_added():
    assert changes(security_mode="mixed") == (Addition(("security_mode",), "mixed"),)


def test_a_release_without_its_su_is_no_conflict():
    assert changes(release="9.1(2)") == ()


def test_another_release_is_a_conflict():
    (change,) = changes(release="10.5(2)")

    assert isinstance(change, Conflict)
    assert str(change) == "release: the inventory says 9.1(2)SU2a, the paste says 10.5(2); kept"


def test_a_node_is_known_by_any_case_and_its_role_is_kept():
    (change,) = changes(nodes=[{"name": "gra-pub", "role": "subscriber"}])

    assert isinstance(change, Conflict)
    assert change.path == ("nodes", 0, "role")


def test_a_new_node_goes_to_the_end():
    (change,) = changes(nodes=[{"name": "gra-sub"}])

    assert change.path == ("nodes", 1)


def test_comments_stay_when_a_file_is_completed():
    found = changes(nodes=[{"name": "gra-pub", "addresses": ["192.0.2.1"]}, {"name": "gra-sub"}])
    text = complete(KNOWN, {0: found})

    assert text == KNOWN + "        addresses:\n          - 192.0.2.1\n      - name: gra-sub\n"


def test_completing_twice_changes_nothing():
    found = Cluster.model_validate(
        {
            "name": "graz",
            "rollback_pre80": False,
            "certificates": [{"store": "TVS", "node": "GRA-PUB"}],
        }
    )
    once = complete(KNOWN, {0: compare(load("x", KNOWN).clusters[0], found)})

    assert compare(load("x", once).clusters[0], found) == ()


@pytest.mark.parametrize(
    ("written", "found", "same"),
    [
        ("tomcat.pem", "TOMCAT.der", True),
        ("tomcat.pem", None, True),
        (None, "tomcat.pem", True),
        ("a.pem", "b.pem", False),
    ],
)
def test_a_certificate_is_known_by_its_file_where_both_have_one(written, found, same):
    known, new = (
        Cluster.model_validate({"name": "x", "certificates": [{"store": "tomcat", "file": file}]})
        for file in (written, found)
    )
    paths = [change.path for change in compare(known, new) if isinstance(change, Addition)]

    assert (("certificates", 1) not in paths) is same

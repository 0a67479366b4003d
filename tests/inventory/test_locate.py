"""What the inventory adds to an alarm."""

from dataclasses import replace

from watcher.app.files import blocks_of
from watcher.app.knowledge import load_catalogue
from watcher.app.site import load_inventory
from watcher.inventory.locate import copy_of, located
from watcher.model.alarm import CertificateAlarm, Tally
from watcher.pipeline import read


def _alarm() -> CertificateAlarm:
    alarms = load_catalogue().alarms
    chunks = blocks_of("deploy/examples/alarm-technote.txt")
    event = next(read(chunks, alarms, Tally()))
    assert isinstance(event, CertificateAlarm)
    return event


def test_cluster_and_owner_come_from_the_inventory():
    site = load_inventory("deploy/examples/technote.yaml")

    found = located(_alarm(), site)

    assert (found.cluster, found.owner) == ("technote", "CUCM01")


def test_a_site_that_does_not_know_the_node_adds_nothing():
    site = load_inventory("deploy/examples/two-node-9.1.yaml")
    alarm = _alarm()

    assert alarm == located(alarm, site)


def test_a_copy_is_found_by_store_and_file_in_any_case():
    site = load_inventory("deploy/examples/technote.yaml")
    alarm = replace(_alarm(), store="TOMCAT-trust", certificate="cucm01.DER")

    found = copy_of(alarm, site.clusters[0])

    assert found is not None
    assert found.owner == "CUCM01"


def test_without_a_file_no_copy_is_taken():
    site = load_inventory("deploy/examples/technote.yaml")

    assert copy_of(replace(_alarm(), certificate=None), site.clusters[0]) is None

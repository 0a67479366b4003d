"""What the inventory adds to an alarm."""

from watcher.app.files import blocks_of
from watcher.app.knowledge import load_catalogue
from watcher.app.site import load_inventory
from watcher.inventory.locate import located
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

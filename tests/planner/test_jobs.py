"""Which store is worked on where."""

import pytest
from builders import alarm, certificate, cluster, findings, ground, node

from watcher.inventory.schema import Issuer
from watcher.planner.jobs import service_jobs, trust_jobs


def jobs(alarms, site=None):
    sites = (site,) if site else ()
    return service_jobs(findings(alarms, *sites), ground(site))


def places(job):
    return [place.label for place in job.places]


def test_one_job_holds_all_nodes_of_a_store_publisher_first():
    (job,) = jobs([alarm(node="sub1"), alarm(node="pub")], cluster())

    assert (job.name, places(job)) == ("tomcat", ["pub", "sub1"])


def test_stores_are_in_the_order_of_work():
    told = [
        alarm(store=s) for s in ("ITLRecovery", "TVS", "CallManager", "CAPF", "ipsec", "tomcat")
    ]

    order = [job.name for job in jobs(told, cluster())]

    assert order == ["tomcat", "ipsec", "CAPF", "CallManager", "TVS", "ITLRecovery"]


def test_a_multi_server_certificate_is_renewed_once_on_the_publisher():
    shared = certificate("tomcat", None, issuer=Issuer.CA_SIGNED, multi_server=True)

    (job,) = jobs([alarm(node="sub1")], cluster(certificates=(shared,)))

    assert places(job) == ["pub"]
    assert [place.label for place in job.changed] == ["pub", "sub1"]


@pytest.mark.parametrize(("release", "where"), [("12.5(1)", ["sub1"]), ("14", ["pub"])])
def test_capf_is_the_publishers_alone_from_14_on(release, where):
    (job,) = jobs([alarm(store="CAPF", node="sub1")], cluster(release=release))

    assert places(job) == where


def test_a_reused_certificate_is_a_job_of_both_stores():
    shared = certificate("tomcat", None, multi_server=True, reused_for="CallManager")

    tomcat, callmanager = jobs([alarm()], cluster(release="15", certificates=(shared,)))

    assert (tomcat.name, tomcat.via) == ("tomcat", None)
    assert (callmanager.name, callmanager.via) == ("CallManager", "tomcat")
    assert callmanager.phone_facing


def test_a_node_that_no_inventory_knows_is_told_as_reported():
    (job,) = jobs([alarm(node="stranger")], cluster())

    assert places(job) == ["stranger (as reported)"]


def test_a_node_without_a_plain_name_is_only_in_the_evidence():
    (job,) = jobs([alarm(node="$(reboot)")])

    assert places(job) == ["the reporting node (see the evidence)"]


def test_a_copy_is_a_job_of_its_own_with_owner_and_holders():
    site = cluster(node("pub"), node("sub1"))
    told = [alarm(store="tomcat-trust", certificate="pub.der", node="sub1")]

    (job,) = trust_jobs(findings(told, site), ground(site))

    assert job.owner.label == "pub"
    assert [place.label for place in job.holders] == ["sub1"]
    assert jobs(told, site) == ()


def test_a_copy_of_a_ca_has_no_owner():
    (job,) = trust_jobs(
        findings([alarm(store="tomcat-trust", certificate="Issuing CA 2.der")]), ground()
    )

    assert job.owner is None

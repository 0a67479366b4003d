"""What stands around the work: looks and backup before, copies and backup after."""

import pytest
from builders import alarm, certificate, cluster, deeds, keys, node, of, plan

from watcher.inventory.schema import (
    CtlMethod,
    Features,
    Issuer,
    NodeRole,
    Product,
    SecurityMode,
)
from watcher.rules.work import StepKind

COPY = {"store": "tomcat-trust", "certificate": "pub.der", "node": "sub1"}
CHANGING = (StepKind.REGENERATE, StepKind.UPLOAD, StepKind.DELETE, StepKind.RESTART, StepKind.STOP)


@pytest.mark.parametrize("fields", [{}, COPY, {"store": "CallManager"}])
def test_a_verified_backup_comes_before_the_first_change(fields):
    drawn = plan([alarm(**fields)], cluster())

    verified = next(s.number for s in of(drawn, StepKind.VERIFY_BACKUP))

    assert verified < min(s.number for s in of(drawn, *CHANGING))


@pytest.mark.parametrize("fields", [{}, COPY, {"store": "CallManager"}])
def test_a_new_backup_comes_after_the_last_change(fields):
    drawn = plan([alarm(**fields)], cluster())

    assert keys(drawn).index("final-backup") + 1 > max(s.number for s in of(drawn, *CHANGING))
    assert keys(drawn)[-3:] == ["final-backup", "verify-final-backup", "watch-monitor"]


def test_the_certificate_itself_is_read_first():
    drawn = plan([alarm(), alarm(node="sub1")], cluster())

    assert [(s.key, s.where) for s in drawn.steps[:2]] == [
        ("confirm-certificate", "pub, sub1"), ("list-own-certificates", "each node"),
    ]  # fmt: skip


PHONE_CHECKS = {"check-security-mode", "record-baseline", "record-trust-lists", "check-phone-itl"}


@pytest.mark.parametrize(("store", "needed"), [("TVS", True), ("tomcat", False)])
def test_phones_are_looked_at_only_when_they_must_learn(store, needed):
    drawn = set(keys(plan([alarm(store=store)], cluster())))

    assert drawn & PHONE_CHECKS == (PHONE_CHECKS if needed else set())


@pytest.mark.parametrize(
    ("mode", "asked"),
    [(SecurityMode.MIXED, True), (SecurityMode.NON_SECURE, False), (None, True)],
)
def test_the_ctl_is_looked_at_unless_the_cluster_is_non_secure(mode, asked):
    drawn = keys(plan([alarm(store="CAPF")], cluster(security_mode=mode)))

    assert ("check-ctl" in drawn) is asked
    assert ("check-license" in drawn) is asked


@pytest.mark.parametrize(("used", "asked"), [(True, True), (False, False), (None, True)])
def test_lscs_are_looked_at_unless_phones_have_none(used, asked):
    drawn = keys(plan([alarm(store="TVS")], cluster(features=Features(lsc=used))))

    assert ("check-lsc-use" in drawn) is asked


def test_the_release_is_read_when_it_is_not_known():
    assert "check-release" in keys(plan([alarm()], cluster(release=None)))
    assert "check-release" not in keys(plan([alarm()], cluster()))


def test_a_copy_is_deleted_after_every_renewal():
    drawn = plan([alarm(**COPY), alarm(store="TVS"), alarm(store="ipsec")], cluster())

    deleted = min(s.number for s in of(drawn, StepKind.DELETE))

    assert deleted > max(s.number for s in of(drawn, StepKind.REGENERATE))


def test_a_copy_goes_only_when_its_owner_is_renewed():
    drawn = plan([alarm(**COPY)], cluster())
    order = keys(drawn)

    assert order.index("confirm-owner-renewed") < order.index("delete-trust-copy")
    assert [s.where for s in drawn.steps if s.key == "confirm-owner-renewed"] == ["pub"]


def test_the_plan_tells_when_it_renews_the_owner_itself():
    drawn = plan([alarm(**COPY), alarm(node="pub")], cluster())

    (step,) = (s for s in drawn.steps if s.key == "confirm-owner-renewed")

    assert step.note == "This plan renews it above."


@pytest.mark.parametrize(
    ("release", "where"), [("9.1(2)", ["pub", "sub1"]), ("12.5(1)", ["pub"]), ("15", ["pub"])]
)
def test_an_old_release_may_need_the_deletion_on_each_node(release, where):
    drawn = plan([alarm(**COPY)], cluster(release=release))

    assert [place for _, place in deeds(drawn, StepKind.DELETE)] == where


@pytest.mark.parametrize(("release", "stopped"), [("9.1(2)", True), ("11.5(1)SU9", True),
                                                   ("12.0(1)", False), ("15", False)])  # fmt: skip
def test_change_notification_rests_around_a_deletion_up_to_11_5(release, stopped):
    drawn = plan([alarm(**COPY)], cluster(release=release))
    order = keys(drawn)

    assert ("stop-change-notification" in order) is stopped
    if stopped:
        stops = [s.number for s in drawn.steps if s.key == "stop-change-notification"]
        starts = [s.number for s in drawn.steps if s.key == "start-change-notification"]
        deletions = [s.number for s in of(drawn, StepKind.DELETE)]
        assert len(stops) == len(starts) == 2
        assert max(stops) < min(deletions) < max(deletions) < min(starts)


def test_services_of_im_and_presence_rest_too():
    site = cluster(
        node("pub"), node("imp1", product=Product.IM_PRESENCE),
        release="11.5(1)", features=Features(im_presence=True),
    )  # fmt: skip
    copy = alarm(store="tomcat-trust", certificate="pub.der", node="pub")

    rested = [s.where for s in plan([copy], site).steps if s.key == "stop-imp-services"]

    assert rested == ["imp1"]


def test_phones_are_set_to_wait_where_the_release_can():
    site = cluster(
        release="14SU2", security_mode=SecurityMode.MIXED, ctl_method=CtlMethod.TOKENLESS
    )
    order = keys(plan([alarm(store="CAPF")], site))

    assert order.index("set-phone-interaction-manual") < order.index("regenerate")
    assert order.index("restore-phone-interaction") > order.index("reset-phones")


def test_certificates_are_requested_before_the_window():
    signed = certificate(issuer=Issuer.CA_SIGNED)
    drawn = plan([alarm()], cluster(certificates=(signed,)))

    blocks = {s.key: s.block for s in drawn.steps}

    assert blocks["request-csr"] == blocks["obtain-certificate"] == "Before the window"


def test_a_copy_is_deleted_only_when_it_is_still_the_old_one():
    drawn = plan([alarm(store="tomcat-trust", certificate="sub1", node="pub")], cluster())

    deletions = of(drawn, StepKind.DELETE)

    assert deletions
    assert all("still in the trust store" in step.only_if[-1] for step in deletions)
    assert all("show cert trust" in step.command[0].text for step in deletions)


def test_a_multi_server_request_is_never_typed():
    shared = certificate(at=None, issuer=Issuer.CA_SIGNED, multi_server=True)
    drawn = plan([alarm()], cluster(certificates=(shared,), release="15SU1"))

    requests = [step for step in drawn.steps if step.kind == StepKind.REQUEST and step.node]

    assert [step.key for step in requests] == ["request-csr-multi-server"]
    assert all(step.command == () for step in requests)


def test_the_chain_for_a_reused_certificate_comes_before_the_certificate():
    shared = certificate(
        at=None, issuer=Issuer.CA_SIGNED, multi_server=True, reused_for="CallManager"
    )
    drawn = plan([alarm()], cluster(certificates=(shared,), release="15SU1"))

    uploads = [(step.key, step.store) for step in of(drawn, StepKind.UPLOAD_CHAIN, StepKind.UPLOAD)]

    assert uploads == [
        ("upload-chain", "tomcat"), ("upload-chain", "CallManager"),
        ("upload-certificate", "tomcat"), ("reuse-certificate", "CallManager"),
    ]  # fmt: skip


def test_a_nodes_own_copy_in_use_is_replaced_and_never_deleted():
    drawn = plan([alarm(store="ipsec-trust", certificate="pub.der", node="sub1")], cluster())

    assert of(drawn, StepKind.DELETE) == []
    assert {"confirm-owner-renewed", "check-ipsec-trust"} <= set(keys(drawn))
    assert "never deleted" in next(s.note for s in drawn.steps if s.key == "confirm-owner-renewed")


def test_a_copy_on_im_and_presence_is_deleted_on_its_own_publisher():
    presence = node("imp", product=Product.IM_PRESENCE, role=NodeRole.PUBLISHER)
    told = alarm(store="cup-xmpp-trust", certificate="peer.der", node="imp")
    drawn = plan([told], cluster(node("pub"), presence))

    assert [step.node for step in of(drawn, StepKind.DELETE)] == ["imp"]


def test_several_copies_go_in_one_stroke():
    told = [alarm(store="tomcat-trust", certificate=f"{who}.der", node="pub") for who in "ab"]
    drawn = plan(told, cluster(release="9.1(2)"))

    kinds = [step.kind for step in drawn.steps]

    assert kinds.count(StepKind.DELETE) == 2
    assert len(of(drawn, StepKind.STOP)) == len(cluster().nodes)

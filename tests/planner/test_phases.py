"""How one store is renewed: CA-signed by request, self-signed by the command, publisher first."""

import pytest
from builders import alarm, certificate, cluster, deeds, keys, node, of, plan

from watcher.inventory.schema import CtlMethod, Duty, Features, Issuer, SecurityMode
from watcher.planner.phases import OWN_RESETS
from watcher.rules.work import StepKind

MIXED = {"security_mode": SecurityMode.MIXED}
BOTH = [alarm(node="sub1"), alarm(node="pub")]


def known(issuer, store="tomcat", **values):
    return cluster(
        certificates=tuple(certificate(store, name, issuer=issuer) for name in ("pub", "sub1")),
        **values,
    )


def test_self_signed_is_regenerated_publisher_first():
    drawn = plan(BOTH, known(Issuer.SELF_SIGNED))

    assert deeds(drawn, StepKind.REGENERATE) == [("tomcat", "pub"), ("tomcat", "sub1")]
    assert not of(drawn, StepKind.UPLOAD, StepKind.REQUEST)


@pytest.mark.parametrize("release", ["8.6(2)", "11.5(1)", "12.5(1)", "14SU2", "15"])
def test_ca_signed_is_never_regenerated(release):
    drawn = plan(BOTH, known(Issuer.CA_SIGNED, release=release))

    assert not of(drawn, StepKind.REGENERATE)
    assert deeds(drawn, StepKind.UPLOAD) == [("tomcat", "pub"), ("tomcat", "sub1")]


def test_a_certificate_is_requested_before_the_window_and_its_chain_comes_first():
    drawn = plan([alarm()], known(Issuer.CA_SIGNED))

    numbers = [keys(drawn).index(key) for key in (
        "request-csr", "obtain-certificate", "backup", "upload-chain", "upload-certificate",
        "verify-certificate", "restart-service",
    )]  # fmt: skip
    assert numbers == sorted(numbers)


def test_the_upload_waits_for_the_signed_certificate():
    drawn = plan([alarm()], known(Issuer.CA_SIGNED))
    (obtained,) = (s.number for s in drawn.steps if s.key == "obtain-certificate")

    (chain,) = of(drawn, StepKind.UPLOAD_CHAIN)

    assert obtained in chain.depends_on


def test_an_unknown_issuer_offers_either_with_its_condition():
    drawn = plan([alarm()], known(None))

    assert [s.only_if for s in of(drawn, StepKind.REGENERATE)] == [
        ("the certificate is self-signed",)
    ]
    assert [s.only_if for s in of(drawn, StepKind.UPLOAD)] == [("the certificate is CA-signed",)]


@pytest.mark.parametrize(
    ("method", "expected"),
    [(CtlMethod.TOKENLESS, ["ctl-update"]), (CtlMethod.ETOKEN, ["ctl-update-etoken"]),
     (None, ["ctl-update", "ctl-update-etoken"])],
)  # fmt: skip
def test_the_ctl_is_updated_by_the_method_of_the_cluster(method, expected):
    drawn = plan(
        [alarm(store="CAPF")], known(Issuer.SELF_SIGNED, "CAPF", ctl_method=method, **MIXED)
    )

    updates = [s.key for s in of(drawn, StepKind.CTL_UPDATE)]

    assert updates == expected
    assert {s.where for s in of(drawn, StepKind.CTL_UPDATE)} == {"pub"}


def test_a_non_secure_cluster_has_no_ctl_step():
    assert not of(plan([alarm(store="CAPF")], cluster()), StepKind.CTL_UPDATE)


def test_the_verifier_is_not_in_the_ctl():
    drawn = plan([alarm(store="TVS")], cluster(ctl_method=CtlMethod.TOKENLESS, **MIXED))

    assert not of(drawn, StepKind.CTL_UPDATE)


def test_the_ctl_is_updated_before_services_restart():
    drawn = plan([alarm(store="CallManager")], cluster(ctl_method=CtlMethod.TOKENLESS, **MIXED))
    order = keys(drawn)

    assert order.index("regenerate") < order.index("ctl-update") < order.index("restart-service")


def test_services_restart_publisher_first_and_where_they_run():
    site = cluster(node("pub", duties=(Duty.CALL_PROCESSING,)), node("a"), node("b", duties=()))

    drawn = plan([alarm(store="CallManager", node=n) for n in ("a", "b", "pub")], site)

    restarts = [(s.service, s.node) for s in of(drawn, StepKind.RESTART)]
    assert [n for service, n in restarts if service == "cisco-callmanager"] == ["pub", "a"]
    assert [n for service, n in restarts if service == "cisco-tftp"] == ["a"]


def test_an_unknown_duty_is_a_condition_of_the_restart():
    site = cluster(node("pub", duties=None), node("sub1"))

    drawn = plan([alarm(store="CallManager"), alarm(store="CallManager", node="sub1")], site)

    conditions = {
        s.node: s.only_if for s in of(drawn, StepKind.RESTART) if s.service == "cisco-tftp"
    }
    assert "the service is started there" in conditions["pub"]
    assert conditions["sub1"] == ()


def test_a_service_is_restarted_once_on_a_node():
    drawn = plan([alarm(), alarm(node="sub1")], known(Issuer.SELF_SIGNED, release="14SU2"))

    restarts = [(s.service, s.where) for s in of(drawn, StepKind.RESTART)]

    assert len(restarts) == len(set(restarts))


def test_the_drf_master_restarts_before_its_locals():
    drawn = plan([alarm(store="ipsec"), alarm(store="ipsec", node="sub1")], cluster())

    restarts = [(s.service, s.where) for s in of(drawn, StepKind.RESTART)]

    assert restarts[:3] == [
        ("cisco-drf-master", "pub"), ("cisco-drf-local", "pub"), ("cisco-drf-local", "sub1"),
    ]  # fmt: skip


def test_a_barrier_tries_one_phone_then_resets_then_waits():
    order = keys(plan([alarm(store="TVS")], cluster()))
    start = order.index("canary")

    assert order[start : start + 3] == ["canary", "reset-phones", "wait-registrations"]


@pytest.mark.parametrize(("used", "told"), [(True, True), (False, False), (None, True)])
def test_others_are_told_when_they_may_be_connected(used, told):
    drawn = plan([alarm()], cluster(features=Features(ccx=used)))

    titles = [s.title for s in of(drawn, StepKind.TELL)]

    assert any("Contact Center" in title or "CCX" in title for title in titles) is told


def test_a_reused_certificate_is_uploaded_once_and_reused():
    shared = certificate("tomcat", None, issuer=Issuer.CA_SIGNED, multi_server=True,
                         reused_for="CallManager")  # fmt: skip

    drawn = plan([alarm()], cluster(release="15SU1", certificates=(shared,)))

    assert deeds(drawn, StepKind.UPLOAD)[0] == ("tomcat", "pub")
    assert "reuse-certificate" in keys(drawn)
    assert not of(drawn, StepKind.REGENERATE)
    assert of(drawn, StepKind.RESET)


def notes(drawn):
    return {step.note for step in of(drawn, StepKind.REGENERATE, StepKind.UPLOAD)}


def test_what_phones_do_not_trust_resets_none():
    drawn = plan(BOTH, known(Issuer.SELF_SIGNED, release="14SU2"))

    assert {None} == notes(drawn)
    assert "; no phone is reset." in drawn.summary[3]


def test_what_serves_what_phones_trust_too_resets_them():
    shared = certificate("tomcat", None, issuer=Issuer.CA_SIGNED, multi_server=True,
                         reused_for="CallManager")  # fmt: skip
    drawn = plan([alarm()], cluster(release="14SU2", certificates=(shared,)))

    assert OWN_RESETS in notes(drawn)
    assert "canary" in keys(drawn)
    assert "besides the resets that the system starts by itself" in drawn.summary[3]


@pytest.mark.parametrize(
    ("release", "asked"),
    [("14SU2", "If the certificate"), (None, "If release >=14 and the certificate")],
)
def test_where_nobody_knows_whether_phones_trust_it_the_step_says_stop(release, asked):
    drawn = plan([alarm()], cluster(release=release))
    (told,) = notes(drawn)

    assert told.startswith(f"{asked} is reused for another store, stop: phones trust it then,")
    assert "canary" not in keys(drawn)
    assert "; no phone is reset." in drawn.summary[3]


@pytest.mark.parametrize(
    ("stores", "resets", "told"),
    [(["CallManager"], 1, "once"), (["ITLRecovery"], 2, "twice"),
     (["CallManager", "ITLRecovery"], 3, "3 times")],
)  # fmt: skip
def test_the_resets_of_phones_are_counted_in_words(stores, resets, told):
    drawn = plan([alarm(store=store) for store in stores], cluster())

    assert resets == keys(drawn).count("reset-phones")
    assert f"; all phones are reset {told}" in drawn.summary[3]

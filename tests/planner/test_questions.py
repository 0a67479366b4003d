"""Each question is asked exactly when its answer is missing and matters."""

import pytest
from builders import alarm, ask, certificate, cluster, node, plan

from watcher.inventory.schema import (
    CallManagerGroup,
    CtlMethod,
    Features,
    Issuer,
    MaintenanceWindow,
    SecurityMode,
    Weekday,
)
from watcher.planner.questions import BY_CONDITION
from watcher.rules.terms import Condition

FACING = [alarm(store="CAPF")]
COPY = [alarm(store="tomcat-trust", certificate="sub1.der")]
FEATURES = Features(**dict.fromkeys(Features.model_fields, False))
COMPLETE = {
    "release": "14SU2",
    "security_mode": SecurityMode.MIXED,
    "ctl_method": CtlMethod.TOKENLESS,
    "time_zone": "Europe/Vienna",
    "rollback_pre80": False,
    "export_controlled_license": True,
    "phone_interaction": "manual",
    "last_backup": "2026-11-19T00:00:00Z",
    "callmanager_groups": (CallManagerGroup(name="all", nodes=("pub", "sub1")),),
    "features": FEATURES,
    "certificates": (
        certificate("CAPF", "pub", multi_server=False),
        certificate("TVS", "pub", multi_server=False),
        certificate("tomcat-trust", "pub", file="sub1.pem", owner="sub1"),
    ),
    "change_schedule": (
        MaintenanceWindow(days=(Weekday.SAT,), start="22:00", end="02:00"),
    ),
}  # fmt: skip
NODES = (node("pub", tftp_order=1), node("sub1", tftp_order=2))


def complete(*nodes, **values):
    return cluster(*(nodes or NODES), **(COMPLETE | values))


@pytest.mark.parametrize("alarms", [FACING, COPY, [alarm(store="TVS")]])
def test_what_is_known_is_not_asked(alarms):
    assert ask(plan(alarms, complete())) <= {"phones-off"}


def test_nobody_but_people_know_which_phones_are_off():
    assert "phones-off" in ask(plan(FACING, complete()))
    assert "phones-off" not in ask(plan(COPY, complete()))


MISSING = [
    ("release", {"release": None}, FACING),
    ("change-window", {"change_schedule": ()}, FACING),
    ("last-backup", {"last_backup": None}, FACING),
    ("time-zone", {"time_zone": None}, FACING),
    ("security-mode", {"security_mode": None, "ctl_method": None}, FACING),
    ("ctl-method", {"ctl_method": None}, FACING),
    ("etokens", {"ctl_method": CtlMethod.ETOKEN}, FACING),
    ("callmanager-groups", {"callmanager_groups": ()}, FACING),
    ("rollback-parameter", {"rollback_pre80": None}, FACING),
    ("license", {"export_controlled_license": None}, FACING),
    ("phone-interaction", {"phone_interaction": None}, FACING),
    ("certificate-issuer", {"certificates": ()}, FACING),
    ("trust-file", {"certificates": ()}, COPY),
]  # fmt: skip


@pytest.mark.parametrize(("name", "values", "alarms"), MISSING, ids=[m[0] for m in MISSING])
def test_what_is_missing_is_asked(name, values, alarms):
    assert name in ask(plan(alarms, complete(**values)))
    assert name not in ask(plan(alarms, complete()))


@pytest.mark.parametrize(
    ("name", "alarms"),
    [("phone-interaction", COPY), ("license", [alarm(store="tomcat")]), ("security-mode", COPY)],
)
def test_what_does_not_matter_is_not_asked(name, alarms):
    known = complete(security_mode=None, ctl_method=None, export_controlled_license=None,
                     phone_interaction=None)  # fmt: skip

    assert name not in ask(plan(alarms, known))


FEATURE = {
    "sso": [alarm(store="tomcat")],
    "expressway": [alarm(store="tomcat")],
    "ccx": [alarm(store="tomcat")],
    "emcc": [alarm(store="tomcat")],
    "dot1x": FACING,
    "vpn": FACING,
    "ipsec_policies": [alarm(store="ipsec")],
    "unity_connection": [alarm(store="tomcat")],
    "im_presence": [alarm(store="tomcat")],
}


@pytest.mark.parametrize(("feature", "alarms"), FEATURE.items(), ids=FEATURE)
@pytest.mark.parametrize("known", [True, False, None])
def test_a_feature_is_asked_for_when_a_step_hangs_on_it(feature, alarms, known):
    features = FEATURES.model_copy(update={feature: known})

    asked = feature.replace("_", "-") in ask(plan(alarms, complete(features=features)))

    assert asked is (known is None)


def test_duties_and_tftp_order_are_asked_for():
    unknown = complete(node("pub", duties=None), node("sub1"))

    assert {"duties", "tftp-order"} <= ask(plan(FACING, unknown))


def test_the_owner_of_a_copy_is_asked_for():
    told = [alarm(store="tomcat-trust", certificate="Issuing CA 2.der")]

    assert "trust-owner" in ask(plan(told, complete()))
    assert "trust-owner" not in ask(plan(COPY, complete()))


@pytest.mark.parametrize(("expiry", "asked"), [("We", True), ("Wed Nov 25 14:05:", False)])
def test_an_uncertain_date_is_asked_for(expiry, asked):
    drawn = plan([alarm(store="CAPF", expiry=expiry)], complete())

    assert ("certificate-date" in ask(drawn)) is asked


def test_without_an_inventory_the_cluster_comes_first():
    (first, *_) = plan(FACING).questions

    assert first.id == "cluster-unknown"


def test_each_condition_has_its_question():
    assert BY_CONDITION.keys() == set(Condition)


def test_each_question_says_where_its_answer_goes():
    drawn = plan([*FACING, *COPY, alarm(store="tomcat")])

    assert all(q.inventory_key and q.reading and (q.command or q.look) for q in drawn.questions)


def test_a_ca_signed_certificate_is_not_asked_about():
    signed = (certificate("CAPF", "pub", issuer=Issuer.CA_SIGNED, multi_server=False),)

    assert "certificate-issuer" not in ask(plan(FACING, complete(certificates=signed)))


def test_a_command_that_the_release_does_not_have_is_not_asked_for():
    old = complete(release="9.1(2)", features=FEATURES.model_copy(update={"lsc": None}))
    (question,) = (q for q in plan(FACING, old).questions if q.id == "lsc-in-use")

    assert question.command == ()
    assert question.look

"""Each rule refuses the plan that breaks it, and no other rule does."""

from dataclasses import replace

import pytest
from safety.plans import (
    CATALOGUE,
    HEAD,
    PHONES,
    TAIL,
    broken,
    cluster,
    commanded,
    ctl,
    gate,
    node,
    one_server,
    plan,
    renew,
    restart,
    restarts,
    step,
    whole,
    without,
)

from watcher.inventory.schema import Certificate
from watcher.safety.check import RULES, check

OLD = cluster()
NEW = cluster(release="12.5(1)SU4")
MIXED = cluster(release="12.5(1)SU4", mode="mixed")
OLD_MIXED = cluster(release="11.5", mode="mixed")
ALONE = cluster(node("pub"), release="11.5")
ALONE_NEW = cluster(node("pub"), release="12.5")
LSC = cluster(
    release="12.5(1)SU4", mode="mixed", features={"lsc": True, "dot1x": True, "vpn": True}
)
SSO = cluster(features={"sso": True})
COPY = Certificate(store="tomcat-trust", node="pub", file="sub1.pem", owner="sub1")
OLD_CAPF = Certificate(store="CAPF-trust", node="pub", file="CAPF-1a2b.pem")
WITH_COPY = cluster(known=(COPY,))
SIGNED = cluster(known=(Certificate(store="tomcat", node="pub", issuer="ca-signed"),))
SHARED = cluster(
    release="12.5(1)SU4",
    known=(Certificate(store="tomcat", issuer="ca-signed", multi_server=True),),
)
REUSED = cluster(
    release="15",
    known=(
        Certificate(
            store="tomcat", issuer="ca-signed", multi_server=True, reused_for="CallManager"
        ),
        Certificate(store="CallManager", issuer="ca-signed", multi_server=True),
    ),
)


def tomcat(known=OLD, *at):
    return [
        *renew("tomcat", *(at or ("pub", "sub1"))),
        *restarts("tomcat", known, *(at or ("pub", "sub1"))),
    ]


def ipsec():
    return [*renew("ipsec", "pub", "sub1"), *restarts("ipsec", OLD, "pub", "sub1")]


def in_mixed(store, *at, known=MIXED):
    return [*renew(store, *at), *ctl(), *restarts(store, known, *at), *gate()]


def serial(known=OLD):
    return [*one_server(known, "pub"), *one_server(known, "sub1")]


def recovery(known=NEW):
    return [
        *renew("ITLRecovery", "pub", part=2),
        step("itl-localkey", "pub", "ITLRecovery", part=2),
        *gate(part=2),
        *restarts("ITLRecovery", known, "pub"),
        *gate(part=2),
    ]


def recovery_mixed():
    return [
        *renew("ITLRecovery", "pub", part=2),
        step("ctl-localkey", "pub", "ITLRecovery", part=2),
        *gate(part=2),
        *ctl(part=2),
        *restarts("ITLRecovery", MIXED, "pub"),
        *gate(part=2),
    ]


def lists():
    return restart("TVS", "cisco-tvs", "pub") + restart("TVS", "cisco-tftp", "pub")


def rollback(known=ALONE):
    signer = [*renew("CallManager", "pub"), *restarts("CallManager", known, "pub")]
    verifier = [*renew("TVS", "pub"), *restarts("TVS", known, "pub")]
    return [
        step("rollback-on"), *lists(), *gate(), step("verify-blank-itl"),
        *signer, step("wait-registrations", PHONES), *verifier, step("wait-registrations", PHONES),
        step("rollback-off"), *lists(), *gate(),
    ]  # fmt: skip


def detour():
    return [
        *renew("CallManager", "pub"), step("ctl-localkey", "pub", "CallManager"),
        *restarts("CallManager", OLD_MIXED, "pub"), *gate(), *ctl(), *gate(),
        step("stop-service", "sub1", "CallManager", "cisco-tftp"),
        *renew("CallManager", "sub1"), *ctl(),
        *restarts("CallManager", OLD_MIXED, "sub1", but={("cisco-tftp", "sub1")}), *gate(),
        step("start-service", "sub1", "CallManager", "cisco-tftp"),
    ]  # fmt: skip


def capf_with_lscs():
    tells = [step("tell-party", "outside", "CAPF"), step("tell-party", "outside", "CAPF")]
    reissue = [step("reissue-lsc", "pub", "CAPF"), step("verify-lsc", "pub", "CAPF")]
    return [*in_mixed("CAPF", "pub", known=LSC), *tells, *reissue]


def deletion(known=OLD, store="tomcat-trust", file="<file>.pem"):
    guard = [known_node.name for known_node in known.nodes] if known.release.major < 12 else []
    delete = step("delete-trust-copy", "pub", store)
    unit = CATALOGUE.stores[store].cli_unit
    return [
        *(step("stop-change-notification", one) for one in guard),
        commanded(delete, f"set cert delete {unit} {file}"),
        *restarts(store, known, "pub"),
        *(step("start-change-notification", one) for one in guard),
    ]


def signed(store="tomcat", at="pub"):
    return [
        step("request-csr", at, store), step("obtain-certificate", "outside", store),
        step("upload-chain", at, store), step("upload-certificate", at, store),
    ]  # fmt: skip


def sso():
    return [step("sso-disable"), *tomcat(SSO, "pub"), step("tell-party", "outside", "tomcat"),
            step("sso-enable")]  # fmt: skip


def reuse():
    return [
        *signed(), *restarts("tomcat", REUSED, "pub", "sub1"),
        step("upload-chain", "pub", "CallManager"), step("reuse-certificate", "pub", "CallManager"),
        *restarts("CallManager", REUSED, "pub", "sub1"), *gate(),
    ]  # fmt: skip


GOOD = {
    "tomcat": (tomcat(), OLD),
    "ipsec": (ipsec(), OLD),
    "one TFTP server at a time": ([*serial(), *whole(OLD, "TVS", "pub", "sub1")], OLD),
    "rollback": (rollback(), ALONE),
    "detour": (detour(), OLD_MIXED),
    "store by store": ([*whole(NEW, "CallManager", "pub", "sub1"), *whole(NEW, "TVS", "pub")], NEW),
    "mixed": (in_mixed("CallManager", "pub", "sub1"), MIXED),
    "recovery": ([*whole(NEW, "TVS", "pub"), *recovery()], NEW),
    "recovery, mixed": (recovery_mixed(), MIXED),
    "LSC": (capf_with_lscs(), LSC),
    "deletion": (deletion(), OLD),
    "deletion, new": (deletion(NEW), NEW),
    "copy of an owner": (
        [*tomcat(), step("confirm-owner-renewed", "sub1", "tomcat"),
         *deletion(WITH_COPY, file="sub1.pem")],
        WITH_COPY,
    ),
    "old CAPF": ([*capf_with_lscs(), *deletion(LSC, "CAPF-trust")], LSC),
    "signed": ([*signed(), *restarts("tomcat", SIGNED, "pub")], SIGNED),
    "shared": ([*signed(), *restarts("tomcat", SHARED, "pub", "sub1")], SHARED),
    "SSO": (sso(), SSO),
    "reuse": (reuse(), REUSED),
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_a_good_plan_breaks_no_rule(name):
    body, known = GOOD[name]

    assert check(plan(body), known, CATALOGUE) == ()


def swapped(steps, one, other):
    moved = list(steps)
    moved[one], moved[other] = moved[other], moved[one]
    return moved


def at(steps, key, nth=0):
    return [i for i, one in enumerate(steps) if one.key == key][nth]


def dropped(steps, key, nth=0):
    index = at(steps, key, nth)
    return [*steps[:index], *steps[index + 1 :]]


def put(steps, index, *more):
    return [*steps[:index], *more, *steps[index:]]


def changed(steps, key, nth=0, **values):
    index = at(steps, key, nth)
    return [*steps[:index], replace(steps[index], **values), *steps[index + 1 :]]


def first(steps, key):
    """Return the steps with the last one of a template in front of everything."""
    index = at(steps, key, -1)
    return [steps[index], *steps[:index], *steps[index + 1 :]]


TWO_STORES = GOOD["store by store"][0]
WITH_RECOVERY = GOOD["recovery"][0]
SHARED_SIGNER = cluster(
    known=(Certificate(store="CallManager", issuer="self-signed", multi_server=True),)
)
LOST = OLD_MIXED.model_copy(update={"ctl_method": "etoken", "etokens": 0})
PRESENCE = cluster(
    node("pub"), node("imp1", None, product="im-presence"), features={"im_presence": True}
)

BAD = {
    "O1 subscriber's certificate first": (
        "O1", swapped(tomcat(), 0, 1), OLD),
    "O1 subscriber's restart first": (
        "O1", swapped(tomcat(), 2, 3), OLD),
    "O2 no barrier between servers": (
        "O2", [*dropped(dropped(serial(), "reset-phones"), "wait-registrations")], OLD),
    "O2 no reset between servers": (
        "O2", dropped(serial(), "reset-phones"), OLD),
    "O2 TFTP keeps running": (
        "O2", dropped(serial(), "stop-service"), OLD),
    "O2 TFTP wakes before phones are back": (
        "O2", swapped(serial(), at(serial(), "wait-registrations"), at(serial(), "start-service")),
        OLD),
    "O2 one certificate for all servers": (
        "O2", [*renew("CallManager", "pub"), *restarts("CallManager", SHARED_SIGNER, "pub", "sub1"),
               *gate()], SHARED_SIGNER),
    "O2 the stop is optional": (
        "O2", changed(serial(), "stop-service", optional=True), OLD),
    "O3 signer and verifier without a reset": (
        "O3", dropped(TWO_STORES, "reset-phones"), NEW),
    "O4 recovery in the same window": (
        "O4", [replace(one, part=1) for one in WITH_RECOVERY], NEW),
    "O5 recovery before phones were reset": (
        "O5", dropped(WITH_RECOVERY, "reset-phones"), NEW),
    "O6 no wait at the end": (
        "O6", dropped(whole(NEW, "TVS", "pub"), "wait-registrations"), NEW),
    "O6 no wait after the last restart": (
        "O6", [*whole(NEW, "CAPF", "pub"), *restart("CAPF", "cisco-capf", "pub"),
               *whole(NEW, "TVS", "pub")], NEW),
    "O6 the wait hangs on a condition": (
        "O6", changed(whole(NEW, "TVS", "pub"), "wait-registrations", only_if=("SSO",)), NEW),
    "O7 stores in another order": (
        "O7", [*whole(NEW, "TVS", "pub"), *whole(NEW, "CallManager", "pub")], NEW),
    "O10 restart before the CTL": (
        "O10", [*renew("CallManager", "pub"),
                *put(restarts("CallManager", MIXED, "pub"), 1, *ctl()), *gate()], MIXED),
    "O11 old CAPF goes before new LSCs": (
        "O11", dropped([*capf_with_lscs(), *deletion(LSC, "CAPF-trust")], "verify-lsc"), LSC),
    "O12 LSCs before RADIUS knows": (
        "O12", swapped(capf_with_lscs(), at(capf_with_lscs(), "tell-party", 1),
                       at(capf_with_lscs(), "reissue-lsc")), LSC),
    "O13 no CTL update": (
        "O13", dropped(in_mixed("CallManager", "pub"), "ctl-update"), MIXED),
    "O13 phones reset before the CTL": (
        "O13", put(in_mixed("CallManager", "pub"), 1, step("reset-phones", PHONES)), MIXED),
    "O13 CTL on a subscriber": (
        "O13", changed(in_mixed("CallManager", "pub"), "ctl-update", node="sub1", where="sub1"),
        MIXED),
    "O13 CTL where there is none": (
        "O13", put(whole(NEW, "CallManager", "pub"), 1, *ctl()), NEW),
    "O13 phones keep the old CTL": (
        "O13", [*in_mixed("CallManager", "pub"), *ctl()], MIXED),
    "O15 no localkey": (
        "O15", dropped(recovery(), "itl-localkey"), NEW),
    "O15 TFTP restarts in the first phase": (
        "O15", put(recovery(), 2, *restart("ITLRecovery", "cisco-tftp", "pub")), NEW),
    "O15 one reset only": (
        "O15", dropped(recovery(), "reset-phones", 1), NEW),
    "O16 the CTL is updated before phones are back": (
        "O16", put(dropped(recovery_mixed(), "ctl-update"), 2, *ctl()), MIXED),
    "O17 DRF Local before DRF Master": (
        "O17", [*renew("ipsec", "pub", "sub1"), *restart("ipsec", "cisco-drf-local", "pub", "sub1"),
                *restart("ipsec", "cisco-drf-master", "pub")], OLD),
    "O18 change notification runs": (
        "O18", dropped(deletion(), "stop-change-notification", 1), OLD),
    "O18 change notification is not started": (
        "O18", dropped(deletion(), "start-change-notification"), OLD),
    "O18 nothing to stop on a new release": (
        "O18", [step("stop-change-notification"), *deletion(NEW)], NEW),
    "O18 presence keeps running": (
        "O18", deletion(PRESENCE), PRESENCE),
    "O19 a copy goes before the renewals": (
        "O19", [*deletion(), *tomcat()], OLD),
    "O19 nobody looks at the owner": (
        "O19", [*tomcat(), *deletion(WITH_COPY, file="sub1.pem")], WITH_COPY),
    "O20 a party is not told": (
        "O20", dropped(capf_with_lscs(), "tell-party"), LSC),
    "O21 SSO stays on": (
        "O21", dropped(sso(), "sso-disable"), SSO),
    "O21 SSO stays off": (
        "O21", dropped(sso(), "sso-enable"), SSO),
    "O21 SSO comes back before the restarts": (
        "O21", swapped(sso(), 2, 4), SSO),
    "S1 CA-signed is regenerated": (
        "S1", tomcat(SIGNED, "pub"), SIGNED),
    "S1 no chain": (
        "S1", dropped([*signed(), *restarts("tomcat", SIGNED, "pub")], "upload-chain"), SIGNED),
    "S1 no request": (
        "S1", dropped([*signed(), *restarts("tomcat", SIGNED, "pub")], "request-csr"), SIGNED),
    "S1 not obtained": (
        "S1", dropped([*signed(), *restarts("tomcat", SIGNED, "pub")], "obtain-certificate"),
        SIGNED),
    "S3 multi-server on a subscriber": (
        "S3", [*signed(at="sub1"), *restarts("tomcat", SHARED, "pub", "sub1")], SHARED),
    "S8 the other store is forgotten": (
        "S8", [*signed(), *restarts("tomcat", REUSED, "pub", "sub1")], REUSED),
    "I-5 no localkey for the signer of the CTL": (
        "I-5", [step("stop-service", "pub", "CallManager", "cisco-tftp"),
                *renew("CallManager", "pub"), *ctl(),
                *restarts("CallManager", OLD_MIXED, "pub", but={("cisco-tftp", "pub")}), *gate(),
                step("start-service", "pub", "CallManager", "cisco-tftp")], OLD_MIXED),
    "I-8 nobody sees a blank ITL": (
        "I-8", dropped(rollback(), "verify-blank-itl"), ALONE),
    "I-8 rollback on a new release": (
        "I-8", rollback(ALONE_NEW), ALONE_NEW),
    "I-8 TFTP keeps the old list": (
        "I-8", dropped(rollback(), "restart-service", 1), ALONE),
    "I-8 phones are not reset after it": (
        "I-8", dropped(rollback(), "reset-phones"), ALONE),
    "I-14 an identity is deleted": (
        "I-14", [*deletion()[:2], step("delete-trust-copy", "pub", "tomcat"),
                 *deletion()[2:]], OLD),
    "RESTARTS Tomcat keeps the old one": (
        "RESTARTS", dropped(tomcat(), "restart-service", 1), OLD),
    "RESTARTS only offered": (
        "RESTARTS", changed(tomcat(), "restart-service", optional=True), OLD),
    "RESTARTS TVS of the other node (TV-23)": (
        "RESTARTS", [one for one in serial() if (one.service, one.node) != ("cisco-tvs", "sub1")],
        OLD),
    "RESTARTS too late for phones": (
        "RESTARTS", [*renew("TVS", "pub"), *gate(), *restarts("TVS", NEW, "pub"), *gate()], NEW),
    "P3 the eToken is lost": ("P3", in_mixed("CAPF", "pub", known=LOST), LOST),
    "P8 a server alone": ("P8", whole(ALONE, "CallManager", "pub"), ALONE),
    "COMMANDS a stranger's": (
        "COMMANDS", [commanded(tomcat()[0], "utils system shutdown"), *tomcat()[1:]], OLD),
    "COMMANDS a file of no inventory": ("COMMANDS", deletion(file="evil.pem"), OLD),
    "COMMANDS two lines in one": ("COMMANDS", deletion(file="<file>.pem\nutils"), OLD),
    "COMMANDS another release's": (
        "COMMANDS", [commanded(step("check-license"), "show license status"), *tomcat()], OLD),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_plan_breaks_its_rule_and_no_other(name):
    rule, body, known = BAD[name]

    assert broken(body, known) == {rule}


BEFORE = {
    "P2": "verify-backup",
    "P3": "check-security-mode",
    "P4": "check-replication",
    "P5": "record-baseline",
    "P6": "check-phone-itl",
    "P7": "check-rollback-parameter",
    "P8": "check-callmanager-groups",
    "P11": "check-itl-size",
    "P12": "export-recovery-key",
    "P13": "check-license",
}


@pytest.mark.parametrize("rule", BEFORE)
def test_each_look_before_the_change_is_asked_for(rule):
    head = without(HEAD, BEFORE[rule])

    assert broken(in_mixed("CallManager", "pub"), MIXED, head=head) == {rule}


@pytest.mark.parametrize("rule", BEFORE)
def test_a_look_that_the_change_does_not_wait_for_is_no_look(rule):
    aside = [step(BEFORE[rule]), *without(HEAD, BEFORE[rule])]
    drawn = plan(in_mixed("CallManager", "pub"), head=aside)
    steps = (drawn.steps[0], replace(drawn.steps[1], depends_on=()), *drawn.steps[2:])

    assert {v.rule for v in check(replace(drawn, steps=steps), MIXED, CATALOGUE)} == {rule}


def test_lsc_use_is_asked_before_the_issuer_changes():
    unknown = cluster(release="12.5(1)SU4", features={"lsc": None})

    assert broken(whole(NEW, "CAPF", "pub"), unknown, head=without(HEAD, "check-lsc-use")) == {"P9"}


def test_who_signed_is_read_where_the_inventory_does_not_say():
    unknown = cluster(known=(Certificate(store="tomcat", node="pub"),))
    body = [
        *renew("tomcat", "pub", only_if=("the certificate is self-signed",)),
        *restarts("tomcat", unknown, "pub"),
    ]

    assert broken(body, unknown) == set()
    assert broken(body, unknown, head=without(HEAD, "check-issuer")) == {"P10"}


def test_an_unknown_certificate_is_regenerated_on_condition_only():
    unknown = cluster(known=(Certificate(store="tomcat", node="pub"),))

    assert broken(tomcat(unknown, "pub"), unknown) == {"S1"}


@pytest.mark.parametrize("missing", ["final-backup", "verify-final-backup"])
def test_the_change_ends_with_a_verified_backup(missing):
    assert broken(tomcat(), OLD, tail=without(TAIL, missing)) == {"O22"}


def test_a_backup_before_the_last_change_is_not_the_last():
    body = [*tomcat(), *TAIL, *restart("tomcat", "cisco-tomcat", "pub")]

    assert broken(body, OLD, tail=()) == {"O22"}


def test_steps_that_do_not_wait_for_each_other_are_in_no_order():
    drawn = plan(tomcat())
    subscriber = len(HEAD) + 2
    steps = list(drawn.steps)
    steps[subscriber - 1] = replace(steps[subscriber - 1], depends_on=(len(HEAD),))
    steps[subscriber] = replace(steps[subscriber], depends_on=(subscriber - 1, subscriber))

    found = check(replace(drawn, steps=tuple(steps)), OLD, CATALOGUE)

    assert {(one.rule, one.steps) for one in found} == {("O1", (subscriber, subscriber - 1))}


MALFORMED = {
    "numbers": {"number": 7},
    "waits for itself": {"depends_on": (1,)},
    "waits for a later step": {"depends_on": (2,)},
    "node": {"node": "stranger"},
    "store": {"store": "tomcat2"},
    "service": {"service": "cisco-nothing"},
    "key": {"key": "reboot-everything"},
    "kind": {"kind": "check"},
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_plan_that_cannot_be_read_is_refused_for_that_alone(name):
    drawn = plan(tomcat())
    steps = (replace(drawn.steps[0], **MALFORMED[name]), *drawn.steps[1:])
    if name == "kind":
        steps = (*drawn.steps[:-1], replace(drawn.steps[-1], **MALFORMED[name]))

    assert {v.rule for v in check(replace(drawn, steps=steps), OLD, CATALOGUE)} == {"FORM"}


def test_a_plan_for_an_unknown_release_must_be_safe_on_every_release():
    unknown = cluster(release=None)
    body = whole(unknown, "TVS", "pub", "sub1")

    assert broken(body, unknown) == set()
    assert "O2" in broken(whole(unknown, "CallManager", "pub", "sub1"), unknown)


def test_a_step_of_another_release_protects_nothing():
    unknown = cluster(release=None)
    body = [
        changed(whole(unknown, "TVS", "pub"), "wait-registrations", only_if=("release >=12.0",)),
        changed(whole(unknown, "TVS", "pub"), "wait-registrations", only_if=("release <=11.5",)),
    ]

    assert [broken(one, unknown) for one in body] == [{"O6"}, {"O6"}]


def test_a_violation_says_what_was_assumed():
    unknown = cluster(release="12.5(1)SU4", mode=None)

    (found,) = check(plan(whole(unknown, "CallManager", "pub")), unknown, CATALOGUE)[:1]

    assert str(found) == (
        "O13: step 14: no CTL update follows the change of CallManager. (if mixed, tokenless)"
    )


def test_every_rule_has_a_plan_that_it_refuses():
    elsewhere = {"P9", "P10", "O22"}
    seeded = {rule for rule, _, _ in BAD.values()} | BEFORE.keys() | elsewhere

    assert RULES.keys() <= seeded


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule[0] in "POS" and rule[1].isdigit()])
def test_rules_bear_the_ids_of_the_rule_packs(rule):
    assert rule in CATALOGUE.safety
    assert all(f"{rule}: " in (function.__doc__ or "") for function in RULES[rule])

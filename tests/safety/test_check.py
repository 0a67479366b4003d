"""Each rule refuses the plan that breaks it, and no other rule does."""

from dataclasses import replace

import pytest
from safety.bodies import GOOD, MIXED, NEW, OLD, changed, in_mixed, tomcat
from safety.plans import (
    CATALOGUE,
    HEAD,
    TAIL,
    broken,
    cluster,
    plan,
    renew,
    restart,
    restarts,
    step,
    whole,
    without,
)
from safety.seeded import BAD

from watcher.inventory.schema import Certificate
from watcher.safety.check import RULES, check


@pytest.mark.parametrize("name", GOOD)
def test_a_good_plan_breaks_no_rule(name):
    body, known = GOOD[name]

    assert check(plan(body), known, CATALOGUE) == ()


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

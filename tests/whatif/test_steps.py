"""What steps do if nothing follows them."""

import builders
import pytest
from proving.interruptions import EXAMPLES

from watcher.app.site import load_inventory
from watcher.errors import InputError
from watcher.whatif.ground import ground
from watcher.whatif.nouns import BACK
from watcher.whatif.steps import steps

OLD = builders.cluster(release="9.1")
NEW = builders.cluster(release="12.5(1)SU4")
GRAZ = load_inventory(str(EXAMPLES / "two-node-9.1.yaml")).clusters[0]
TOGETHER = ["regen CallManager cucm91-pub", "regen TVS cucm91-pub, cucm91-sub", "flush"]
"""Signer and vouchers renewed with no reset in between; a reset of all phones heals it."""


def asked(cluster, *texts):
    return steps(ground(cluster, builders.CATALOGUE), texts)


def test_one_renewal_alone_owes_its_restarts_and_a_reset():
    answer = asked(OLD, "regen CallManager pub")

    assert not answer.safe_alone
    assert any(text.startswith("L-3: CCM on pub still works with") for text in answer.follow)
    (phones,) = answer.phones

    assert phones.reset_now == "LOCKED_SERVER: nobody it trusts signed the ITL"
    assert "(U2)" in phones.when
    assert "TVS" in phones.heals


def test_signer_and_verifier_renewed_and_served_leave_phones_behind():
    texts = ["CM pub", "CM sub1", "TVS pub", "TVS sub1", "flush(pub,sub1)"]
    (phones,) = asked(OLD, *texts).phones

    assert phones.reset_now == "LOCKED_TOUCH: nobody it trusts signed the ITL"
    assert phones.heals.startswith("Delete ITL and CTL on each phone")
    assert asked(NEW, *texts).phones[0].reset_now == BACK


def test_what_is_broken_for_good_is_no_work_that_follows():
    answer = asked(GRAZ, *TOGETHER)
    rules = [[text.split(":")[0] for text in texts] for texts in (answer.broken, answer.follow)]

    assert rules[0] == ["I-2", "I-13"]
    assert set(rules[1]) == {"L-2", "L-3", "L-8"}
    assert any(text.startswith("L-2") and text.endswith(": reset all phones")
               for text in answer.follow)  # fmt: skip
    assert not answer.safe_alone


def test_what_follows_mends_what_it_is_listed_for():
    before, after = asked(GRAZ, *TOGETHER), asked(GRAZ, *TOGETHER, "RESET+WAIT")

    assert before.broken == after.broken
    assert [text for text in before.follow if text not in after.follow] == [
        text for text in before.follow if text.startswith("L-2")
    ]


def test_phones_that_a_reset_loses_are_healed_before_it():
    texts = ["CM pub", "CM sub1", "TVS pub", "TVS sub1", "flush(pub,sub1)"]
    answer = asked(OLD, *texts)

    assert any(text.startswith("I-1: at the end phones") for text in answer.broken)
    assert not any(text.endswith("end: reset all phones") for text in answer.follow)


def test_a_reset_alone_may_stand_alone():
    answer = asked(OLD, "RESET+WAIT")

    assert (answer.safe_alone, answer.follow, answer.verdict) == (True, (), "safe")


def test_minutes_are_those_of_the_rules():
    answer = asked(OLD, "regen TVS pub", "restart TVS")
    service = next(s for s in builders.CATALOGUE.services.values() if s.process == "TVS")
    regenerate = builders.CATALOGUE.step("regenerate")

    assert [cost.minutes for cost in answer.steps] == [regenerate.minutes, 2 * service.minutes]
    assert answer.minutes == regenerate.minutes + 2 * service.minutes
    assert answer.steps[1].noticed_by == (service.noticed_by,)


def test_minutes_that_no_rule_tells_are_not_known():
    answer = asked(OLD, "restore")

    assert answer.minutes is None
    assert any("how long step 1 (restore) takes" in text for text in answer.unknown)


def test_who_must_be_told_depends_on_what_is_renewed():
    restarted, renewed = asked(NEW, "restart TVS pub"), asked(NEW, "regen tomcat pub")

    assert restarted.tell == ()
    assert renewed.tell


@pytest.mark.parametrize("text", ["regen CallManager nowhere", "regenerate", "dance"])
def test_a_step_that_cannot_be_read_is_bad_input(text):
    with pytest.raises(InputError, match="step 1"):
        asked(NEW, text)


def test_one_certificate_for_all_nodes_is_one_here_as_in_an_order():
    answer = asked(NEW, "upload_signed tomcat cluster")

    assert [text for text in answer.follow if text.startswith("L-3")] == [
        "L-3: Tomcat on pub still works with tomcat#0: restart it",
        "L-3: Tomcat on sub1 still works with tomcat#0: restart it",
    ]

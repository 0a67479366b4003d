"""Each rule on its own: an order that breaks it, and the same order mended."""

import pytest
from trust.ground import broken, lost, proved

from watcher.trust.rulebook import RULES

TOKENLESS = {"mixed": "tokenless"}
ETOKEN = {"mixed": "etoken"}
RULES_ALONE = [
    ("I-1", "T", "CM P; flush; RESET", "CM P; flush; RESET", {}, ("9.1", "12.5")),
    ("I-2", "A", "TVS P,S; CM P; flush; RESET", "CM P; flush; RESET", {}, "9.1"),
    ("I-2", "T", "CM S; flush; RESET", "TVS P; flush; RESET", {}, "11.5"),
    ("I-2", "A", "CM P; restart TFTP P; RESET; bounce", "CM P; flush; RESET", {}, "9.1"),
    ("I-3", "A", "CM P,S; bounce", "CM P; bounce; CM S; bounce", {}, "9.1"),
    ("I-3", "A", "CM P,S; bounce", "CM P,S; bounce", {}, ("9.1", "12.5")),
    ("I-4", "A", "ITLR; itl_localkey; CM P; RESET; flush; RESET",
     "ITLR; itl_localkey; RESET; flush; RESET; CM P; bounce", {}, "15"),
    ("I-4", "A", "ITLR; TVS P,S; flush; RESET", "ITLR; TVS P; flush; RESET", {}, "12.5"),
    ("I-5", "E", "ITLR; CM P; ctl_update; bounce", "CM P; ctl_update; bounce", TOKENLESS, "12.5"),
    ("I-5", "E", "CM P; ctl_update; bounce",
     "CM P; ctl_localkey; flush; RESET; restart CCM P; RESET; ctl_update; flush; RESET",
     TOKENLESS, "11.5"),
    ("I-6", "J", "CM P; ctl_update; bounce", "CM S; ctl_update; bounce", TOKENLESS, "10.5(1)"),
    ("I-7", "E", "CM P; CM S; bounce; ctl_update; bounce", "CM P; CM S; ctl_update; bounce",
     TOKENLESS, "15"),
    ("I-7", "E", "CAPF; flush; RESET", "CAPF; ctl_update; flush; RESET", TOKENLESS, "12.5"),
    ("I-8", "A", "rollback on; flush; RESET; CM P; bounce",
     "rollback on; flush; RESET; CM P; bounce; rollback off; flush; RESET", {}, "9.1"),
    ("I-8", "A", "rollback on; CM P; bounce; rollback off; bounce",
     "rollback on; flush; RESET; CM P; bounce; rollback off; flush; RESET", {}, "9.1"),
    ("I-8", "E", "rollback on; flush; RESET; rollback off; flush; RESET", "flush; RESET",
     TOKENLESS, "12.5"),
    ("I-9", "E", "CAPF; ctl_update; flush; RESET; delete_trust CAPF#0; RESET",
     "CAPF; ctl_update; flush; RESET; lsc_reissue E; delete_trust CAPF#0; RESET",
     TOKENLESS, "12.5"),
    ("I-10", "X", "CAPF; flush; RESET; lsc_reissue X; RESET",
     "CAPF; flush; RESET; tell RADIUS CAPF#1; lsc_reissue X; RESET", {}, "12.5"),
    ("I-11", "A", "tomcat P; restart Tomcat P", "drs_backup; tomcat P; restart Tomcat P",
     {"more": ", backups: []"}, "12.5"),
    ("I-11", "A", "ipsec P; drs_backup", "ipsec P; restart DRF; drs_backup", {}, "12.5"),
    ("I-11", "A", "tomcat P; drs_backup", "tomcat P; restart DRF; drs_backup", {}, "15"),
    ("I-12", "X", "CAPF; tell RADIUS CAPF; lsc_reissue X; flush; RESET",
     "CAPF; tell RADIUS CAPF; flush; restart CAPF; RESET; lsc_reissue X; RESET", {}, "11.5"),
    ("I-12", "X", "CAPF; flush; RESET; tell RADIUS CAPF; lsc_reissue X; RESET",
     "CAPF; flush; restart CAPF; RESET; tell RADIUS CAPF; lsc_reissue X; RESET", {}, "11.5"),
    ("I-13", "A", "CM P; TVS S; flush; RESET", "CM P; flush; RESET; TVS S; flush; RESET",
     {}, "9.1"),
    ("I-13", "A", "TVS P; CM S; bounce", "TVS P; CM P; bounce", {}, "11.5"),
    ("I-13", "A", "TVS P; CM S; bounce", "TVS P; CM S; bounce", {}, ("11.5", "12.5")),
    ("I-14", "A", "delete tomcat P", "RESET", {}, "12.5"),
    ("I-14", "A", "delete_trust ipsec/P#0", "ipsec P; delete_trust ipsec/P#0", {}, "12.5"),
    ("I-15", "E", "CM P; CM S; bounce", "CM P; CM S; ctl_update; bounce", TOKENLESS, "12.5"),
    ("P-1", "A", "RESET", "RESET", {"bad": ", db_replication_ok: false"}, "12.5"),
    ("P-2", "A", "rollback off; flush; RESET", "RESET",
     {"bad": ", rollback_pre80: true"}, "9.1"),
    ("P-7", "E", "CM S; ctl_update; bounce", "CM S; ctl_update; bounce",
     {**ETOKEN, "bad": ", etokens_available: 0"}, "9.1"),
    ("P-7", "E", "CM S; ctl_update; bounce", "CM S; ctl_update; bounce",
     {**TOKENLESS, "bad": ", export_controlled_license: false"}, "12.5"),
    ("L-2", "A", "CAPF; flush; auto_reset", "CAPF; flush; RESET", {}, "12.5"),
    ("L-5", "A", "stop TFTP P; RESET", "stop TFTP P; RESET; start TFTP P; RESET", {}, "12.5"),
]  # fmt: skip
"""Rule, group, an order that breaks it, one that does not, keys, release (or two: bad and good)."""


@pytest.mark.parametrize(
    "row", RULES_ALONE, ids=[f"{row[0]}: {row[2]}"[:60] for row in RULES_ALONE]
)
def test_a_rule_refuses_what_breaks_it_alone(row):
    rule, group, bad, good, keys, release = row
    first, then = release if isinstance(release, tuple) else (release, release)
    keys = dict(keys)
    spoiled = keys.pop("bad", "")
    worse = {**keys, "more": keys.get("more", "") + spoiled}

    assert rule in broken(proved(first, group, bad, **worse))
    assert rule not in broken(proved(then, group, good, **keys))


def test_every_hard_rule_of_steps_has_a_row():
    rows = {row[0] for row in RULES_ALONE}
    hard = {rule.id for rule in RULES.values() if rule.hard}

    assert hard - rows == {"P-4"}


def test_a_mismatch_at_the_start_is_refused_whatever_the_order():
    verdict = proved("12.5", "A M", "flush; RESET")

    assert "P-4" in broken(verdict)
    assert lost(verdict).keys() == {"M"}


SHIELDED = [
    ("CM P; CM S; TVS P; TVS S; ctl_update; bounce", set()),
    ("CM P; CM S; TVS P; TVS S; bounce; ctl_update; bounce", {"I-2", "I-3", "I-13"}),
]


@pytest.mark.parametrize(("order", "rules"), SHIELDED)
def test_an_etoken_list_shields_if_it_comes_before_the_reset(order, rules):
    assert broken(proved("9.1", "E", order, **ETOKEN)) & {"I-2", "I-3", "I-13"} == rules


def test_while_the_list_is_blank_every_store_may_change():
    order = "rollback on; flush; RESET; CM P,S; TVS P,S; CAPF; bounce; rollback off; flush; RESET"

    assert broken(proved("9.1", "A B T", order)) == set()


def test_an_accepted_rule_is_told_but_refuses_nothing():
    verdict = proved("9.1", "A", "CM P,S; bounce", top="accept: [I-3]")

    assert (broken(verdict), verdict.ruling.value) == ({"I-3"}, "safe-with-assumptions")


RESCUED = [
    ("12.5", "E", "CM P; CM S; bounce", TOKENLESS, "R2"),
    ("11.5", "T", "CM P; flush; RESET", {}, "R3"),
    ("12.5", "E", "CAPF; ctl_update; flush; RESET; delete_trust CAPF#0; RESET", TOKENLESS, "R6"),
    ("12.5", "X", "CAPF; flush; RESET; lsc_reissue X; RESET", {}, "R0"),
    ("9.1", "T", "CM P; flush; RESET", {}, "R7"),
]  # fmt: skip


@pytest.mark.parametrize(("release", "group", "order", "keys", "way"), RESCUED)
def test_the_first_way_that_heals_is_named(release, group, order, keys, way):
    severity, found = lost(proved(release, group, order, **keys))[group]

    assert found == way
    assert severity == ("LOCKED_TOUCH" if way == "R7" else "LOCKED_SERVER")

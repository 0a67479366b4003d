"""What one phone does on a reset, case by case (trust facts, 2.2 to 2.4)."""

import pytest
from trust.ground import proved, scenario

from watcher.trust.branch import Branch
from watcher.trust.phone import CONFIG_UNKNOWN, CTL_UNKNOWN, ITL_UNKNOWN, NO_NETWORK, NO_SERVER
from watcher.trust.walk import Memory, start

CAREFUL = Branch()


def last(order, group="A", release="9.1", branch=CAREFUL, **keys):
    """Return how the worst phone of a group stands after an order in one branch."""
    given = scenario(release, group, order, **keys)
    walk = start(given, branch, Memory(), given.groups)
    walk.go()
    return walk.crowds[0].history[-1][1]


def ways(order, group="A", release="9.1", branch=CAREFUL, **keys):
    return set(last(order, group, release, branch, **keys).ways)


KEPT = [
    ("RESET", "A", {"ITL", "TVS@P", "TVS@S", "the same list"}),
    ("stop TFTP P", "A", {"TVS@P", "TVS@S"}),
    ("stop TFTP P", "B", {"TVS@P"}),
    ("stop TFTP P; regen TVS P; restart TVS P", "A", {"TVS@S"}),
    ("stop TFTP P; stop TVS S", "A", {"TVS@P"}),
    ("stop TFTP P; RESET", "A", {"ITL", "TVS@P", "TVS@S", "the same list"}),
    ("rollback on; flush; RESET", "A", {"any signer", "the same list"}),
]


@pytest.mark.parametrize(("order", "group", "kept"), KEPT)
def test_what_can_authenticate_the_next_list(order, group, kept):
    assert ways(order, group) == kept


REFUSED = [
    ("CM P; restart TFTP P", "T", "9.1", {}, ITL_UNKNOWN),
    ("CM P; restart TFTP P", "A", "9.1", {}, ITL_UNKNOWN),
    ("stop TFTP P; stop TFTP S", "A", "12.5", {}, NO_SERVER),
    ("ITLR; restart TFTP P,S", "T", "12.5", {}, ITL_UNKNOWN),
    ("ITLR; ctl_update", "J", "12.5", {"mixed": "tokenless"}, CTL_UNKNOWN),
    ("CM P; restart TFTP P", "J", "12.5", {"mixed": "tokenless"}, CONFIG_UNKNOWN),
    ("CAPF; flush; RESET; lsc_reissue X", "X", "12.5", {}, NO_NETWORK),
]


@pytest.mark.parametrize(("order", "group", "release", "keys", "why"), REFUSED)
def test_a_phone_that_is_refused_tells_why(order, group, release, keys, why):
    status = last(order, group, release, **keys)

    assert (status.accepted, status.why) == (False, why)


def test_tvs_that_was_restarted_vouches_for_a_new_key():
    assert last("CM P; restart TVS P; restart TFTP P").accepted
    assert ways("CM P; restart TVS P; restart TFTP P") == {"TVS@P"}


def test_tvs_that_knows_at_once_needs_no_restart():
    at_once = Branch(tvs_at_once=True)

    assert ways("CM P; restart TFTP P", branch=at_once) == {"TVS@P", "TVS@S"}


def test_a_list_of_all_servers_authenticates_the_other_one():
    assert "ITL" in ways("stop TFTP P", "T", branch=Branch(all_servers_listed=True))
    assert ways("stop TFTP P", "T") == set()


def test_a_served_list_follows_the_disk_only_when_it_is_so():
    assert last("CM P", "T").accepted
    assert not last("CM P", "T", branch=Branch(tftp_at_once=True)).accepted


@pytest.mark.parametrize(("answer", "accepted"), [(True, True), (False, False)])
def test_tvs_may_vouch_for_a_ctl_signer(answer, accepted):
    branch = Branch(tvs_vouches_for_ctl=answer)
    status = last("ITLR; ctl_update; flush", "E", "12.5", branch, mixed="tokenless")

    assert status.accepted is accepted


@pytest.mark.parametrize(("answer", "registered"), [(True, True), (False, False)])
def test_an_itl_may_suffice_for_tls(answer, registered):
    order = "CM P; CM S; flush; RESET; restart CCM P,S"
    both = Branch(itl_suffices_for_tls=answer, all_servers_listed=True)

    assert last(order, "E", "12.5", both, mixed="tokenless").registered is registered


def test_phones_register_with_any_running_callmanager_of_their_group():
    assert last("stop CCM P", "A").registered
    assert not last("stop CCM P", "B").registered
    assert last("stop CCM P", "C").registered


def test_a_phone_without_itl_follows_no_itl():
    assert last("ITLR; restart TFTP P,S", "J", "12.5", mixed="tokenless").accepted


def test_the_exported_key_needs_to_be_the_one_that_phones_know():
    order = "ITLR; restart TFTP P,S; itl_remotekey"
    exported = ", itlrecovery_p12_exported: 0"

    assert last(order, "T", "12.5", more=exported).accepted
    assert not last(order, "T", "12.5").accepted


def test_a_phone_that_was_off_is_judged_with_what_it_held_at_first():
    verdict = proved("9.1", "A", "CM P; bounce; CM S; bounce; TVS P; bounce; TVS S; bounce")

    assert [absent.ok for absent in verdict.offline] == [False]
    assert verdict.stranded == ()

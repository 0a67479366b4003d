"""What a certificate that expires unattended breaks, for phones and for people."""

from datetime import UTC, datetime

import builders
import pytest
from proving.interruptions import EXAMPLES

from watcher.app.site import load_inventory
from watcher.errors import InputError
from watcher.whatif.expiry import expiry
from watcher.whatif.ground import ground
from watcher.whatif.nouns import BACK


def site(name):
    (cluster,) = load_inventory(str(EXAMPLES / f"{name}.yaml")).clusters
    return ground(cluster, builders.CATALOGUE)


def groups(answer):
    return {one.group: one for one in answer.phones}


def test_an_expired_issuer_keeps_phones_with_its_lsc_out():
    answer = expiry(site("eight-node-12.5-mixed"), "capf", None, None)
    found = groups(answer)

    assert answer.store == "CAPF"
    assert found["board-and-legal"].lsc
    assert found["board-and-legal"].if_rejected == found["board-and-legal"].if_accepted != BACK
    assert found["offices-east"].if_rejected == BACK
    assert answer.hit == found["board-and-legal"].phones + found["campus-dot1x"].phones
    assert any(party.party == "RADIUS / ISE" for party in answer.tell)


def test_an_expired_verifier_costs_a_way_to_trust_a_new_list_if_dates_count():
    answer = expiry(site("two-node-9.1"), "TVS", "CUCM91-pub", None)
    office = groups(answer)["office"]

    assert (office.if_rejected, office.if_accepted, answer.hit) == (BACK, BACK, 0)
    assert office.ways_if_rejected == office.ways_now - 1
    assert any(text.startswith("U10: no source tells") for text in answer.unknown)


@pytest.mark.parametrize(
    ("name", "store", "words"),
    [
        ("two-node-9.1", "ipsec", "Backups can fail"),
        ("two-node-9.1", "tomcat", "Backups do not depend"),
        ("release-15-multi-san", "tomcat", "Backups can fail"),
        ("release-15-multi-san", "ipsec", "Backups do not depend"),
    ],
)
def test_backups_hang_on_another_certificate_from_release_14(name, store, words):
    assert expiry(site(name), store, None, None).backups.startswith(words)


def test_the_moment_asked_about_decides_whether_it_has_begun():
    known = site("eight-node-12.5-mixed")
    before = expiry(known, "CAPF", None, datetime(2026, 11, 1, tzinfo=UTC))
    after = expiry(known, "CAPF", None, datetime(2026, 12, 25, 13, tzinfo=UTC))

    assert before.lasts.startswith("Nothing yet at 2026-11-01: it ends on 2026-11-25")
    assert after.lasts.endswith("until it is renewed, 30 days by 2026-12-25.")


def test_what_is_not_known_is_said():
    answer = expiry(site("two-node-9.1"), "tomcat-trust", None, None)

    assert (
        answer.lasts == "From its end date, which the inventory does not tell, until it is renewed."
    )
    assert any("no certificate of the trust model" in text for text in answer.unknown)
    assert any(text.startswith("the end date on ") for text in answer.unknown)


def test_a_store_or_node_that_is_not_there_is_bad_input():
    with pytest.raises(InputError, match="there is no store 'CAPFF'"):
        expiry(site("two-node-9.1"), "CAPFF", None, None)
    with pytest.raises(InputError, match="'nowhere' is not a CUCM node"):
        expiry(site("two-node-9.1"), "CAPF", "nowhere", None)


def test_without_a_release_nothing_can_be_told():
    with pytest.raises(InputError, match="has no release"):
        ground(builders.cluster(release=None), builders.CATALOGUE)


@pytest.mark.parametrize("store", builders.CATALOGUE.stores)
def test_every_store_of_the_rules_has_an_answer(store):
    answer = expiry(site("two-node-9.1"), store, None, None)

    assert [one.group for one in answer.phones] == ["office", "door-phones"]
    assert answer.store == store

"""Grades sink with each quotation; a bound connection speaks for its own."""

import pytest
from builders import CATALOGUE, cluster, events, inventory, message, node
from cases.life import GRAZ, origin
from cases.test_envelopes import ALERT, IN_ALERT, SITE, WAYS
from hypothesis import given
from hypothesis import strategies as st

from watcher.cases.identity import Directory
from watcher.cases.provenance import grade_of, is_nested, may_speak
from watcher.model.message import Grade, Way

READ = {way: events(text)[-1] for way, text in WAYS.items()}


@pytest.mark.parametrize(
    ("carrier", "direct", "nested"),
    [
        (Grade.CLAIM, Grade.CLAIM, Grade.CLAIM),
        (Grade.RETURN_PATH, Grade.RETURN_PATH, Grade.CLAIM),
        (Grade.ATTRIBUTED, Grade.ATTRIBUTED, Grade.RETURN_PATH),
        (Grade.FACT, Grade.ATTRIBUTED, Grade.RETURN_PATH),
    ],
)
def test_a_quotation_has_one_grade_less_and_no_message_is_a_fact(carrier, direct, nested):
    came = origin(grade=carrier)

    assert grade_of(came, READ["syslog"]) is direct
    assert grade_of(came, READ["alert by syslog"]) is nested
    assert grade_of(came, READ["alert by mail"]) is nested


@given(st.sampled_from(Way), st.sampled_from(Grade), st.sampled_from(sorted(READ)))
def test_no_grade_is_above_its_source(way, grade, text):
    found = grade_of(origin(way, grade), READ[text])

    assert found <= min(grade, Grade.ATTRIBUTED)
    assert not is_nested(READ[text]) or found <= Grade.RETURN_PATH


def speaks(text, *bound, where=SITE):
    read = events(text)[-1]
    return may_speak(origin(Way.TLS, Grade.ATTRIBUTED, bound=bound), read, where)


def test_an_unbound_connection_may_say_anything():
    assert speaks(WAYS["syslog"])
    assert speaks(message(node="stranger"))


def test_a_bound_connection_speaks_for_its_nodes():
    assert speaks(WAYS["syslog"], "CUCM01", "cucm02")
    assert not speaks(WAYS["syslog"], "CUCM01")


@pytest.mark.parametrize("name", ["stranger", "CUCM02.evil.example", "\u0421UCM02", ""])
def test_a_bound_connection_speaks_for_no_stranger(name):
    assert not speaks(WAYS["syslog"].replace("NodeID=CUCM02", f"NodeID={name}"), "CUCM01")


def test_the_publisher_may_quote_any_node_of_its_cluster():
    assert speaks(IN_ALERT, "CUCM01")
    assert speaks(ALERT, "CUCM01")


def test_an_alert_of_an_unbound_publisher_is_refused():
    three = inventory(cluster(*(node(f"CUCM0{number}") for number in (1, 2, 3))))

    assert not speaks(IN_ALERT, "CUCM03", where=Directory(three, CATALOGUE))


def two_clusters(*firsts):
    return Directory(
        inventory(*(cluster(node(name), name=f"c{i}") for i, name in enumerate(firsts))), CATALOGUE
    )


def test_a_publisher_quotes_no_node_of_another_cluster():
    assert not speaks(IN_ALERT, "CUCM01", where=two_clusters("CUCM01", "CUCM02"))


def test_a_binding_to_a_node_that_left_the_inventory_binds_to_nothing():
    assert not speaks(message(), "former", where=GRAZ)


def test_other_alarms_are_held_to_the_same():
    other = message(node="sub1").replace("UC_CERT", "UC_DRF")

    assert speaks(other, "sub1", where=GRAZ)
    assert not speaks(other, "pub", where=GRAZ)

"""Commands come from the catalogue and the inventory; a message selects, it never composes."""

import pytest
from builders import alarm, certificate, cluster, command_texts, ground, keys, node, plan

from watcher.planner.fill import UNKNOWN_FILE, fill
from watcher.planner.sketch import Sketch
from watcher.planner.terrain import ALL_PHONES, EACH_NODE, Place

SITE = cluster()


def step(template, known=SITE, place=None, **values):
    base = ground(known)
    return fill(Sketch(template, place or base.terrain.publisher, **values), base)


def texts(filled):
    return [line.text for line in filled.step.command]


def test_a_renewal_names_the_unit_of_the_store():
    assert texts(step("regenerate", store="CallManager")) == ["set cert regen CallManager"]


@pytest.mark.parametrize(("file", "expected"), [("sub1.pem", "sub1.pem"), (None, UNKNOWN_FILE)])
def test_a_deletion_names_a_file_of_the_inventory_or_a_blank(file, expected):
    filled = step("delete-trust-copy", store="tomcat-trust", file=file)

    assert texts(filled) == [f"show cert trust {expected}", f"set cert delete tomcat {expected}"]


def test_the_file_of_an_alarm_never_reaches_a_command():
    drawn = plan([alarm(store="tomcat-trust", certificate="sub1.der")], SITE)

    assert "set cert delete tomcat <file>.pem" in command_texts(drawn)
    assert not any("sub1" in text for text in command_texts(drawn))


def test_the_file_of_the_inventory_does():
    listed = certificate("tomcat-trust", "pub", file="Old Name.pem", owner="sub1")
    drawn = plan(
        [alarm(store="tomcat-trust", certificate="Old Name.der")], cluster(certificates=(listed,))
    )

    assert "set cert delete tomcat Old Name.pem" in command_texts(drawn)


def test_a_restart_names_the_service_as_the_cli_does():
    filled = step("restart-service", store="tomcat", service="cisco-tomcat")

    assert texts(filled) == ["utils service restart Cisco Tomcat"]
    assert not filled.step.command[0].tentative


def test_a_command_that_no_source_shows_is_tentative():
    filled = step("restart-service", store="TVS", service="cisco-tvs")

    assert [line.tentative for line in filled.step.command] == [True]
    assert filled.step.gui


def test_a_step_without_anything_to_do_on_a_release_is_empty():
    assert step("stop-change-notification", cluster(release="12.5(1)")).empty
    assert not step("stop-change-notification", cluster(release="11.5(1)")).empty


def test_of_an_unknown_release_every_variant_is_kept_with_its_condition():
    filled = step("stop-change-notification", cluster(release=None))

    assert filled.step.only_if == ("release <=11.5",)


def test_a_stray_brace_is_left_alone():
    drawn = plan([alarm()], SITE)

    assert not any("{" in text for text in command_texts(drawn))


@pytest.mark.parametrize(
    ("place", "lane"),
    [(Place("pub", node("pub")), "pub"), (EACH_NODE, "all nodes"), (ALL_PHONES, "phones"),
     (Place("each TFTP server"), "all nodes"), (Place("x1 (as reported)"), "x1 (as reported)")],
)  # fmt: skip
def test_each_place_has_its_lane(place, lane):
    assert step("check-services", place=place).step.lane == lane


def test_a_place_of_no_inventory_is_no_node():
    drawn = plan([alarm(node="stranger")], SITE)

    assert {s.node for s in drawn.steps} <= {None, "pub", "sub1"}
    assert "regenerate" in keys(drawn)

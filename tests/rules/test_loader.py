"""Packs are merged; what they name exists; the catalogue answers by name."""

import pytest

from watcher.errors import InputError
from watcher.rules.loader import load

MORE = """\
version: 1
title: More
sources:
  MORE: {title: Another document}
"""


def test_packs_are_merged_in_order(base):
    merged = load([base, ("more.yaml", MORE)])

    assert list(merged.sources) == ["DOC", "MORE"]
    assert merged.titles == ("Smallest whole pack", "More")


def test_a_pack_may_name_what_a_later_pack_defines(base):
    early = "version: 1\ntitle: Early\nsafety:\n  O2: {text: x, source: [DOC], confidence: own}\n"

    assert "O2" in load([("early.yaml", early), base]).safety


def test_a_double_id_names_both_places(base):
    with pytest.raises(InputError) as caught:
        load([base, ("a.yaml", MORE), ("b.yaml", MORE)])

    assert str(caught.value) == (
        "b.yaml:4:3: sources.MORE: is already in a.yaml:4:3 (expected each id in one pack)"
    )


def test_packs_without_alarms_are_refused():
    with pytest.raises(InputError, match="no pack holds `alarms`"):
        load([("more.yaml", MORE)])


@pytest.mark.parametrize("name", ["web", "WEB", " Web "])
def test_a_store_is_found_in_any_case(catalogue, name):
    assert catalogue.store(name).title == "Web certificate"


@pytest.mark.parametrize("name", ["web.der", "we", "web web", "", "web\n\u0000"])
def test_part_of_a_name_is_no_store(catalogue, name):
    assert catalogue.store_name(name.replace("\n", " ") + "x") is None


@pytest.mark.parametrize(
    ("ask", "problem"),
    [
        (lambda c: c.store("wb"), "there is no store 'wb' (expected web)"),
        (lambda c: c.service("web"), "there is no service 'web' (expected web-service)"),
        (lambda c: c.step("lock"), "there is no step 'lock' (expected look)"),
    ],
)
def test_an_unknown_name_is_told_with_the_nearest(catalogue, ask, problem):
    with pytest.raises(InputError) as caught:
        ask(catalogue)

    assert str(caught.value) == problem


def test_known_ids_are_answered(catalogue):
    assert catalogue.service("web-service").minutes == 5
    assert catalogue.step("look").kind == "check"

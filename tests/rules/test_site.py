"""A site's pack changes stores: lists grow, single values are replaced."""

import pytest

from watcher.rules.examples import check_examples
from watcher.rules.loader import load

HEAD = "version: 1\ntitle: Site\nsite: true\nsources:\n  HOUSE: {title: House rule}\n"
CITED = "source: [HOUSE], confidence: own"
CHANGE = (
    HEAD
    + f"""\
stores:
  web:
    title: Our web certificate
    restarts:
      - {{service: web-service, on: publisher, {CITED}}}
"""
)
WHOLE = CHANGE.replace("    restarts:", "    replace: [restarts]\n    restarts:")


@pytest.fixture
def changed(base):
    def apply(*texts):
        return load([base], [(f"site{n}.yaml", text) for n, text in enumerate(texts)])

    return apply


def places(catalogue):
    return [row.on for row in catalogue.store("web").restarts]


def test_single_values_replace(changed):
    assert changed(CHANGE).store("web").title == "Our web certificate"


def test_lists_are_appended(changed):
    assert places(changed(CHANGE)) == ["changed", "every", "publisher"]


def test_named_lists_are_replaced_whole(changed):
    assert places(changed(WHOLE)) == ["publisher"]


def test_what_is_not_named_stays(changed, catalogue):
    site = changed(CHANGE)

    assert site.store("web").impact == catalogue.store("web").impact
    assert site.store("web-trust") == catalogue.store("web-trust")


def test_packs_of_a_site_add_up_in_order(changed):
    second = CHANGE.replace("HOUSE", "SECOND").replace("publisher", "subscribers")

    assert places(changed(CHANGE, second)) == ["changed", "every", "publisher", "subscribers"]


def test_an_optional_value_is_taken_away_by_null(changed):
    assert changed(HEAD + "stores:\n  web:\n    file: null\n").store("web").file is None


def test_a_new_store_is_added_whole(changed, base):
    block = base[1].split("  web-trust:\n")[1].split("steps:\n")[0]
    text = HEAD + "stores:\n  portal-trust:\n" + block

    assert changed(text).store("portal-trust").trust_of == "web"


def test_a_site_without_changes_changes_nothing(changed, catalogue):
    assert changed("version: 1\ntitle: Site\nsite: true\n").stores == catalogue.stores


def test_built_in_examples_do_not_speak_for_what_the_site_changes(changed):
    site = changed(CHANGE)

    assert check_examples(site) == ()
    assert [example.restarts for example in site.store("web").examples] == [None, None]
    assert site.store("web").examples[0].scope == "node"


def test_an_example_of_the_site_that_does_not_hold_is_told(changed):
    example = '    examples: [{release: "9.1", restarts: [[web-service, changed]]}]\n'
    (problem,) = check_examples(changed(CHANGE + example))

    assert problem == (
        "web, example 3 (9.1): restarts: expected [web-service on changed], "
        "actual [web-service on changed, web-service on publisher]"
    )


def test_the_built_in_packs_stay_as_they_are(changed, catalogue):
    changed(WHOLE)

    assert places(catalogue) == ["changed", "every"]

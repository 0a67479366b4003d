"""Examples are compared with what the statements of their store yield."""

from dataclasses import replace

import pytest

from watcher.model.release import Release
from watcher.rules.examples import check_examples, dead, gaps, stated_releases
from watcher.rules.store import Example


def problems_of(catalogue, **stated):
    example = Example.model_validate({"release": "12.5", **stated})
    store = catalogue.store("web").model_copy(update={"examples": (example,)})
    return check_examples(replace(catalogue, stores={"web": store}))


def test_right_examples_yield_nothing(catalogue):
    assert check_examples(catalogue) == ()


@pytest.mark.parametrize(
    ("stated", "problem"),
    [
        ({"scope": "cluster"}, "scope: expected cluster, actual node"),
        ({"renewal": "delete-only"}, "renewal: expected delete-only, actual regenerate"),
        ({"in_itl": "yes"}, "in_itl: expected yes, actual no"),
        ({"in_ctl": "yes"}, "in_ctl: expected yes, actual no"),
        ({"resets_phones": "manual"}, "resets_phones: expected manual, actual none"),
        ({"copies_to": []}, "copies_to: expected [], actual [web-trust]"),
        ({"restarts": []}, "restarts: expected [], actual [web-service on changed]"),
        ({"tells": ["Bob"]}, "tells: expected [Bob], actual []"),
        ({"impact_mentions": ["fire"]}, "impact_mentions: 'fire' is in no impact that holds"),
    ],
)
def test_a_wrong_example_is_told_in_words(catalogue, stated, problem):
    assert problems_of(catalogue, **stated) == (f"web, example 1 (12.5): {problem}",)


def test_optional_rows_are_offered_only_where_their_condition_is_given(catalogue):
    offered = [["web-service", "every"]]

    assert problems_of(catalogue, given=["sso"], also_offered=offered) == ()
    assert problems_of(catalogue, also_offered=[]) == ()


def test_an_example_outside_the_store_s_releases_is_told(catalogue):
    store = catalogue.store("web").model_copy(
        update={"releases": type(catalogue.store("web").releases).parse(">=11.0")}
    )
    problems = check_examples(replace(catalogue, stores={"web": store}))

    assert problems == ("web, example 1 (9.1): the store exists in releases >=11.0 only",)


def test_a_release_that_no_statement_covers_is_a_gap(catalogue):
    store = catalogue.store("web")
    narrow = store.model_copy(update={"scope": store.scope[:1]})

    found = list(gaps("web", narrow, [Release.parse("9.1"), Release.parse("10.5")]))

    assert found == ["web: no `scope` for release 9.1"]


@pytest.mark.parametrize("releases", [">=12.0 <=11.5", "<8.0"])
def test_a_statement_that_holds_nowhere_is_told(catalogue, releases):
    store = catalogue.store("web")
    held = type(store.releases).parse
    impact = store.impact[0].model_copy(update={"releases": held(releases)})
    slipped = store.model_copy(
        update={"releases": held(">=8.0"), "impact": (*store.impact, impact)}
    )

    assert list(dead("web", slipped, [Release.parse("11.5"), Release.parse("12.0")])) == [
        f"web: impact.1 holds in no release of the store ({releases})"
    ]


def test_releases_are_those_that_ranges_name(catalogue):
    assert [str(release) for release in stated_releases(catalogue)] == ["10.5"]

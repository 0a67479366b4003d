"""What holds for a release and a cluster; what is unknown stays, and says why."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.model.release import Release, ReleaseRange
from watcher.rules.select import CONDITION_WORDS, select
from watcher.rules.terms import Condition, Statement

FACTS = st.dictionaries(st.sampled_from(Condition), st.none() | st.booleans())
CONDITIONS = st.lists(st.sampled_from(Condition), max_size=3, unique=True).map(tuple)


def statement(releases="all", when=()):
    return Statement(
        text="x",
        source=("DOC",),
        confidence="own",
        releases=ReleaseRange.parse(releases),
        when=when,
    )


def conditions_of(item, release, facts):
    return [found.only_if for found in select([item], release, facts)]


def test_an_unconditional_statement_always_holds():
    assert conditions_of(statement(), None, {}) == [()]


@pytest.mark.parametrize(
    ("release", "holds"), [("11.5", True), ("11.5(1)SU9", True), ("12.0", False)]
)
def test_a_release_outside_the_range_excludes(release, holds):
    found = conditions_of(statement("<=11.5"), Release.parse(release), {})

    assert bool(found) is holds


def test_an_unknown_release_keeps_the_statement_with_its_range():
    assert conditions_of(statement(">=12.0"), None, {}) == [("release >=12.0",)]


def test_an_unknown_condition_keeps_the_statement_with_its_words():
    found = conditions_of(statement(when=(Condition.MIXED,)), None, {})

    assert found == [("the cluster is in mixed mode",)]


def test_a_condition_known_as_none_is_unknown():
    found = conditions_of(statement(when=(Condition.SSO,)), None, {Condition.SSO: None})

    assert found == [("SAML SSO is on",)]


def test_a_false_condition_excludes_even_where_others_are_unknown():
    item = statement(when=(Condition.SSO, Condition.MIXED))

    assert conditions_of(item, None, {Condition.MIXED: False}) == []


def test_order_is_kept():
    items = [statement(">=9"), statement("<9"), statement()]

    assert [found.item for found in select(items, Release.parse("12"), {})] == [items[0], items[2]]


def test_every_condition_has_words():
    assert set(CONDITION_WORDS) == set(Condition)


@given(CONDITIONS, FACTS)
def test_learning_a_fact_never_brings_a_statement_back(when, facts):
    item = statement(when=when)
    known = {condition: facts.get(condition) or False for condition in Condition}
    later = select([item], None, {**known, **{c: v for c, v in facts.items() if v is not None}})

    assert len(later) <= len(select([item], None, facts))
    assert all(found.only_if == () for found in later)

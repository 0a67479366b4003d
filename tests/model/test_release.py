"""Releases as Cisco writes them, and ranges that include what they do not name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.errors import InputError
from watcher.model.release import Release, ReleaseRange

FORMS = ("8.6(4)", "9.1(2)SU2a", "10.5(2)", "11.5", "12.5(1)SU3", "14", "14SU2", "15", "15SU1")
releases = st.builds(
    Release,
    st.integers(8, 15),
    st.one_of(st.none(), st.integers(0, 5)),
    st.one_of(st.none(), st.integers(1, 4)),
    st.one_of(st.none(), st.integers(1, 9)),
)


@pytest.mark.parametrize("text", FORMS)
def test_a_release_is_printed_as_it_is_read(text):
    assert text == str(Release.parse(text))


@pytest.mark.parametrize("text", ["", "x", "9.1(2)SU", "9..1", "9.1)", "14 SU2 x", "٩.1"])
def test_what_is_no_release_is_refused(text):
    with pytest.raises(InputError, match="is not a release"):
        Release.parse(text)


def test_a_build_gives_the_maintenance_release_and_no_su():
    assert Release.parse("12.5.1.13900-152") == Release(12, 5, 1)


def test_they_stand_in_the_order_of_their_age():
    assert list(FORMS) == [str(r) for r in sorted(Release.parse(text) for text in reversed(FORMS))]


@given(releases, releases)
def test_equal_releases_are_neither_older_nor_newer(one, other):
    assert (one == other) == (not one < other and not other < one)
    assert one != other or hash(one) == hash(other)


@pytest.mark.parametrize(
    ("terms", "release", "expected"),
    [
        ("<=11.5", "11.5(1)SU9", True), ("<=11.5", "12.0", False), (">=14SU1", "14", False),
        (">=14SU1", "14.0(1)", False), (">=14SU1", "14SU1", True), (">=14SU1", "15", True),
        ("<14SU2", "14SU1", True), (">=10.5(2) <=11.5", "10.5(1)", False),
        ("12.5", "12.5(1)", True),
        ("12.5", "12.0", False), ("all", "8.0", True), (">11.5", "11.5(1)SU3", False),
    ],
)  # fmt: skip
def test_a_bound_covers_everything_it_does_not_name(terms, release, expected):
    assert expected == ReleaseRange.parse(terms).matches(Release.parse(release))


@pytest.mark.parametrize("terms", ["", "=>9", "9 to 11", ">= 9"])
def test_what_is_no_range_is_refused(terms):
    with pytest.raises(InputError):
        ReleaseRange.parse(terms)


@given(st.lists(st.sampled_from(["<=11.5", ">=8.0", "<14SU2", ">10.0(1)", "=12.5"]), max_size=3))
def test_a_range_is_printed_as_it_is_read(terms):
    text = " ".join(terms) or "all"

    assert ReleaseRange.parse(str(ReleaseRange.parse(text))) == ReleaseRange.parse(text)

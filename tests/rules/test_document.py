"""YAML 1.2 as we read it: plain data with places."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.errors import InputError, Location
from watcher.rules.document import read_document

TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=200)


def data(text):
    return read_document("x.yaml", text).data


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("yes", "yes"), ("on", "on"), ("no", "no"), ("2020-01-01", "2020-01-01"),
        ("1:20", "1:20"), ("12.5.1", "12.5.1"), ("14SU2", "14SU2"), ("-", "-"), ("+", "+"),
        ("true", True), ("False", False), ("~", None), ("", None), ("null", None),
        ("12", 12), ("012", 12), ("0o14", 12), ("0x0c", 12), ("-3", -3), ("+3", 3),
        ("12.5", 12.5), ("1e3", 1000.0), (".5", 0.5), ("-.inf", float("-inf")),
        ('"12"', "12"), ("'true'", "true"), ('""', ""),
    ],
)  # fmt: skip
def test_scalars_follow_the_core_schema(written, value):
    expected = [value] if written != "-" else [[None]]

    assert data(f"- {written}\n") == expected


def test_maps_and_lists_nest():
    text = "a:\n  - b: [1, {c: d}]\n    e: |\n      two\n      lines\n"

    assert data(text) == {"a": [{"b": [1, {"c": "d"}], "e": "two\nlines\n"}]}


def test_windows_line_ends_are_read():
    assert data("a: 1\r\nb: x\r\n") == {"a": 1, "b": "x"}


def test_each_part_knows_its_place():
    document = read_document("x.yaml", "a:\n  - b: [1, {c: d}]\n")

    assert document.where(("a", 0, "b", 1, "c")) == Location("x.yaml", 2, 13)
    assert document.where(("a", 0)) == Location("x.yaml", 2, 5)


def test_a_part_that_is_not_written_is_placed_at_what_holds_it():
    document = read_document("x.yaml", "a:\n  - b: 1\n")

    assert document.where(("a", 0, "missing", "deeper")) == Location("x.yaml", 2, 5)


def test_twenty_levels_are_allowed():
    assert data("[" * 20 + "]" * 20) is not None


def refusal(text):
    try:
        read_document("x.yaml", text)
    except InputError as error:
        return str(error)
    return ""


@given(TEXT)
def test_any_text_is_read_or_refused_in_one_line(text):
    assert refusal(text).isprintable()


@given(st.text(max_size=100))
def test_any_characters_are_read_or_refused_in_one_line(text):
    assert refusal(text).isprintable()


@given(st.lists(st.sampled_from(["- ", "a: ", "[", "]", "{", "}", "\n", "  ", "x", '"', ",", "|"])))
def test_any_heap_of_yaml_tokens_is_read_or_refused_in_one_line(tokens):
    assert refusal("".join(tokens)).isprintable()

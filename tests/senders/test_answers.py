"""What is read of answers, and texts that fit their fields."""

import pytest

from watcher.senders.answers import limited

TOLD = "\n(cut here; `watcher tickets show KEY --full` has all of it)"


@pytest.mark.parametrize("lines", [["head", "x" * 5000], ["x" * 5000], ["h", "x" * 5000, "end"]])
def test_a_line_longer_than_the_field_is_cut_inside(lines):
    text = "\n".join(lines)
    cut = limited(text, 1000)

    assert cut == text[: 1000 - len(TOLD)] + TOLD


def test_a_text_is_cut_at_the_end_of_a_line_that_lies_far_enough_behind():
    text = "a step of the plan\n" * 30 + "x" * 900
    cut = limited(text, 1000)

    assert cut == ("a step of the plan\n" * 30).rstrip() + TOLD


def test_a_text_that_fits_stays():
    assert limited("x\n" * 500, 1000) == "x\n" * 500

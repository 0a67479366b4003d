"""Each of 150 broken settings files gives one clear line (F-27, G-19)."""

import pytest
from settings.mutants import ALL, SAMPLE

from watcher.errors import InputError
from watcher.settings.loader import load


def test_there_are_150_different_ones():
    assert len({mutant.text for mutant in ALL}) == 150
    assert all(mutant.text != SAMPLE for mutant in ALL)


def test_the_sample_itself_is_good():
    assert load("site.yaml", SAMPLE, {}).instance == "site-a"


@pytest.mark.parametrize("mutant", ALL, ids=lambda mutant: f"{mutant.key}-{mutant.got[:20]}")
def test_a_mutant_is_told_in_one_line(mutant):
    with pytest.raises(InputError) as caught:
        load("site.yaml", mutant.text, {})
    error = caught.value

    assert (error.where.file, error.where.line) == ("site.yaml", mutant.line)
    assert error.problem.startswith(f"{mutant.key}: " if mutant.key else "")
    assert mutant.got in error.problem
    assert mutant.expected in (error.expected or error.problem)
    assert "\n" not in str(error)
    assert "hunter2" not in str(error)

"""A tenth of `make load`, so that each change is held to the same counts and memory."""

import pytest
from loading.loads import LOADS, QUICK, run


@pytest.mark.timeout(900)
@pytest.mark.parametrize("load", LOADS, ids=lambda load: load.__name__)
def test_nothing_is_lost_and_memory_stays_in_bounds(load, tmp_path):
    result = run(load, tmp_path / "daemon", QUICK)

    assert result.wrong == [], result.figures

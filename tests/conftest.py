"""Options and profiles of the whole suite."""

import os

import parallel
import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "ci",
    derandomize=True,
    deadline=None,
    print_blob=True,
    suppress_health_check=(HealthCheck.too_slow,),
)
settings.register_profile("explore", parent=settings.get_profile("ci"), derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def pytest_addoption(parser):
    parser.addoption(
        "--write-golden",
        action="store_true",
        help="draw the golden plans anew instead of comparing",
    )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    return parallel.workers()


def pytest_collection_modifyitems(items):
    """Keep the random order, but for the longest."""
    items.sort(key=lambda item: parallel.rank(item.path))

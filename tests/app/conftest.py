"""A store for every test that wants one."""

import pytest
from app.desk import made_empty, store_in


@pytest.fixture(scope="session")
def empty(tmp_path_factory):
    """Return a database with tables and no rows."""
    return made_empty(tmp_path_factory.mktemp("empty"))


@pytest.fixture
def store(tmp_path, empty):
    """Return an open store without rows."""
    made = store_in(tmp_path, empty)
    yield made
    made.close()

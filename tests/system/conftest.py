"""Real processes on the loopback; a machine that has none is skipped."""

import socket

import pytest
from system.house import House


@pytest.fixture(autouse=True, scope="session")
def _loopback():
    try:
        with socket.create_server(("127.0.0.1", 0)):
            pass
    except OSError as error:
        pytest.skip(f"no sockets here: {error}")


@pytest.fixture
def house(tmp_path):
    """Return a daemon that was not started; whatever is left of it is killed in the end."""
    made = House(tmp_path / "house")
    yield made
    made.clear()


@pytest.fixture(scope="module")
def shared_folder(tmp_path_factory):
    """Return a folder for all tests of a module."""
    return tmp_path_factory.mktemp("shared")

"""Sockets that stay while inputs come and go."""

import errno
import os
import socket

import pytest
from ports import free_port

from watcher.app.sockets import Sockets, cannot_listen, handed_over
from watcher.errors import InputError

HERE = "127.0.0.1"


def is_taken(port):
    with socket.socket() as sock:
        return sock.connect_ex((HERE, port)) == 0


@pytest.fixture
def sockets():
    """Return sockets; all are closed in the end."""
    made = Sockets()
    yield made
    made.keep(())
    made.forget()


def opened(sockets, name, port):
    """Open an input's socket, and close it as the input does when it stops."""
    sockets.stream(name, HERE, port, name).close()


def test_an_input_may_be_opened_anew_on_the_port_of_one_that_still_runs(sockets):
    port = free_port()
    with (
        sockets.stream("tcp", HERE, port, "tcp") as old,
        sockets.stream("tcp", HERE, port, "tcp") as new,
    ):
        assert old.getsockname() == new.getsockname()


def test_what_nobody_uses_any_more_is_closed(sockets):
    old, new = free_port(), free_port()
    opened(sockets, "tcp", old)
    sockets.keep({"tcp"})
    opened(sockets, "tcp", new)
    sockets.keep({"tcp"})

    assert [False, True] == [is_taken(old), is_taken(new)]


def test_a_reload_that_failed_leaves_no_port_open(sockets):
    old, new = free_port(), free_port()
    opened(sockets, "tcp", old)
    sockets.keep({"tcp"})
    opened(sockets, "tcp", new)
    sockets.forget()

    assert [True, False] == [is_taken(old), is_taken(new)]


def test_after_a_reload_that_failed_the_old_port_may_be_opened_anew(sockets):
    port = free_port()
    with sockets.stream("tcp", HERE, port, "tcp"):
        sockets.keep({"tcp"})
        with pytest.raises(InputError):
            sockets.stream("tcp", "192.0.2.1", port, "tcp")
        sockets.forget()
        sockets.keep({"tcp"})

        opened(sockets, "tcp", port)


def test_a_port_that_cannot_be_had_is_told_in_one_sentence(sockets):
    with socket.create_server((HERE, 0)) as other:
        port = other.getsockname()[1]

        with pytest.raises(InputError, match=f"cannot listen on {HERE} port {port}: address"):
            sockets.stream("tcp", HERE, port, "tcp")


def test_any_free_port_is_another_each_time(sockets):
    with sockets.datagrams("a", HERE, 0, "a") as one, sockets.datagrams("b", HERE, 0, "b") as two:
        assert one.getsockname() != two.getsockname()


def test_the_supervisors_sockets_outlive_every_input(sockets):
    with socket.create_server((HERE, 0)) as given:
        port = given.getsockname()[1]
        sockets.given["tcp"] = [given]
        opened(sockets, "tcp", 1)
        sockets.keep(())

        assert is_taken(port)


@pytest.mark.parametrize("environment", [{}, {"LISTEN_PID": "1", "LISTEN_FDS": "1"}])
def test_sockets_for_another_process_are_not_taken(environment):
    assert {} == handed_over(environment, 77)


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (errno.EADDRINUSE, "a free port; `ss -lnup` and `ss -lntp` tell who has this one"),
        (errno.EACCES, "a port above 1023, or socket activation"),
        (errno.EADDRNOTAVAIL, "an address of this machine"),
        (errno.ENOBUFS, "another address or port"),
    ],
)
def test_what_would_do_instead_of_a_port_is_told(number, told):
    error = cannot_listen("udp", HERE, 514, OSError(number, os.strerror(number)))

    assert f"(expected {told}" in str(error)
    assert "WATCHER_INPUTS__UDP__PORT sets the port" in str(error)


@pytest.mark.parametrize(
    ("name", "told"), [("web", "WATCHER_WEB__PORT"), ("branch-2", "its `port`")]
)
def test_what_sets_the_port_is_told(name, told):
    error = cannot_listen(name, HERE, 9, OSError(errno.EADDRINUSE, "in use"))

    assert f"; {told} sets the port" in str(error)


def test_a_taken_port_is_told_with_what_would_do(sockets):
    with (
        socket.create_server((HERE, 0)) as taken,
        pytest.raises(InputError, match=r"address already in use \(expected a free port; `ss"),
    ):
        opened(sockets, "tcp", taken.getsockname()[1])

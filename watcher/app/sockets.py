"""Sockets for the inputs: from the supervisor (systemd), else bound here.

Of the supervisor's sockets the name tells which input it is for (`FileDescriptorName=`); they
outlive us, so that what arrives during a restart waits in the kernel.
"""

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field

from watcher.errors import InputError, Location
from watcher.inputs import udp

_FIRST = 3
"""sd_listen_fds(3): the first descriptor that is handed over."""


def handed_over(environment: Mapping[str, str], pid: int) -> dict[str, list[socket.socket]]:
    """Return the supervisor's sockets by name; none when they are meant for another process."""
    if environment.get("LISTEN_PID") != str(pid):
        return {}
    count = int(environment.get("LISTEN_FDS", "0"))
    names = environment.get("LISTEN_FDNAMES", "").split(":")
    found: dict[str, list[socket.socket]] = {}
    for offset in range(count):
        name = names[offset] if offset < len(names) else "unknown"
        os.set_inheritable(_FIRST + offset, False)  # noqa: FBT003 -- the only argument
        found.setdefault(name, []).append(socket.socket(fileno=_FIRST + offset))
    return found


@dataclass(slots=True)
class Sockets:
    """Where each input gets its socket."""

    given: dict[str, list[socket.socket]] = field(default_factory=dict)

    def datagrams(self, name: str, address: str, port: int) -> socket.socket:
        """Return a bound datagram socket for an input."""
        found = self._given(name, socket.SOCK_DGRAM)
        if found is not None:
            return found
        try:
            return udp.bind(address, port)
        except OSError as error:
            raise cannot_listen(name, address, port, error) from error

    def stream(self, name: str, address: str, port: int) -> socket.socket:
        """Return a listening stream socket for an input."""
        found = self._given(name, socket.SOCK_STREAM)
        if found is not None:
            return found
        family = socket.AF_INET6 if ":" in address or not address else socket.AF_INET
        try:
            return socket.create_server(
                (address, port), family=family, backlog=1024, dualstack_ipv6=not address
            )
        except OSError as error:
            raise cannot_listen(name, address, port, error) from error

    def _given(self, name: str, kind: socket.SocketKind) -> socket.socket | None:
        for sock in self.given.get(name, []):
            if sock.type == kind:
                # A copy: an input closes what it gets, the supervisor's own stays for a reload.
                return sock.dup()
        return None


def cannot_listen(name: str, address: str, port: int, error: OSError) -> InputError:
    """Return what to say when a port cannot be had."""
    reason = (error.strerror or str(error)).lower()
    variable = f"WATCHER_INPUTS__{name.upper()}__PORT"
    return InputError(
        f"cannot listen on {address or 'all addresses'} port {port}: {reason}",
        where=Location(f"input {name}"),
        expected=f"a free port; see `watcher doctor`, or set {variable}",
    )

"""Sockets for the inputs: from the supervisor (systemd), else bound here.

Of the supervisor's sockets the name tells which input it is for (`FileDescriptorName=`); they
outlive us, so that what arrives during a restart waits in the kernel.
"""

import os
import socket
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from errno import EACCES, EADDRINUSE, EADDRNOTAVAIL

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


@dataclass(frozen=True, slots=True)
class _Wanted:
    kind: socket.SocketKind
    address: str
    port: int


@dataclass(slots=True)
class Sockets:
    """Where each input gets its socket: a copy of one that stays open here.

    So a reload can open an input anew on the address of one that still runs, and the
    supervisor's sockets outlive every input.
    """

    given: dict[str, list[socket.socket]] = field(default_factory=dict)
    _own: dict[_Wanted, socket.socket] = field(default_factory=dict)
    _users: dict[str, _Wanted] = field(default_factory=dict)
    _asked: dict[str, _Wanted] = field(default_factory=dict)
    """By inputs since the last `keep` or `forget`."""

    def datagrams(self, name: str, address: str, port: int, given: str) -> socket.socket:
        """Return a bound datagram socket for an input; `given` is its name at the supervisor."""
        return self._socket(name, _Wanted(socket.SOCK_DGRAM, address, port), given)

    def stream(self, name: str, address: str, port: int, given: str) -> socket.socket:
        """Return a listening stream socket for an input, likewise."""
        return self._socket(name, _Wanted(socket.SOCK_STREAM, address, port), given)

    def keep(self, names: Collection[str]) -> None:
        """Close what none of these inputs uses any more."""
        now = self._users | self._asked
        self._users = {name: wanted for name, wanted in now.items() if name in names}
        self._close_unused()

    def forget(self) -> None:
        """Close what was asked for since `keep`, where nobody else uses it: it was in vain."""
        self._close_unused()

    def _close_unused(self) -> None:
        self._asked = {}
        used = set(self._users.values())
        for wanted in [wanted for wanted in self._own if wanted not in used]:
            self._own.pop(wanted).close()

    def _socket(self, name: str, wanted: _Wanted, given: str) -> socket.socket:
        for sock in self.given.get(given, []):
            if sock.type == wanted.kind:
                return sock.dup()
        self._asked[name] = wanted
        if wanted.port == 0 and wanted in self._own:
            self._own.pop(wanted).close()  # any free port: each time another
        if wanted not in self._own:
            self._own[wanted] = _bound(name, wanted)
        return self._own[wanted].dup()


def _bound(name: str, wanted: _Wanted) -> socket.socket:
    address, port = wanted.address, wanted.port
    try:
        if wanted.kind == socket.SOCK_DGRAM:
            return udp.bind(address, port)
        family = socket.AF_INET6 if ":" in address or not address else socket.AF_INET
        return socket.create_server(
            (address, port), family=family, backlog=1024, dualstack_ipv6=not address
        )
    except OSError as error:
        raise cannot_listen(name, address, port, error) from error


def cannot_listen(name: str, address: str, port: int, error: OSError) -> InputError:
    """Return what to say when a port cannot be had."""
    # Not its strerror, which says the address once more when asyncio or `create_server` tried.
    reason = (os.strerror(error.errno) if error.errno else str(error)).lower()
    return InputError(
        f"cannot listen on {address or 'all addresses'} port {port}: {reason}",
        where=Location(f"input {name}"),
        expected=f"{port_advice(error)}; {_VARIABLES.get(name, 'its `port`')} sets the port",
    )


_VARIABLES = {"web": "WATCHER_WEB__PORT"} | {
    kind: f"WATCHER_INPUTS__{kind.upper()}__PORT" for kind in ("udp", "tcp", "tls", "smtp")
}
"""Of listeners that have the name of their kind: there is one of them."""


def port_advice(error: OSError) -> str:
    """Return what would do instead of a port that cannot be had."""
    return _ADVICE.get(error.errno or 0, "another address or port")


_ADVICE = {
    EADDRINUSE: "a free port; `ss -lnup` and `ss -lntp` tell who has this one, which may be a "
    "socket unit of ours that waits for the daemon",
    EACCES: "a port above 1023, or socket activation (deploy/systemd)",
    EADDRNOTAVAIL: "an address of this machine (`ip address`), or 0.0.0.0",
}

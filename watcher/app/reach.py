"""Looks at our own side of the network: ports and the receive buffer; nothing stays open."""

import socket
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from ipaddress import ip_address

from watcher.app.finding import Finding, fail, ok, warn
from watcher.app.settings import Prepared
from watcher.app.sockets import port_advice
from watcher.model.status import InputStatus, ReceiverStatus
from watcher.settings.inputs import Listening, UdpInput
from watcher.settings.terms import size_text

_FORCE_BUFFER = 33  # SO_RCVBUFFORCE of linux/socket.h; the socket module has no name for it


@dataclass(frozen=True, slots=True)
class Wanted:
    """A port that we listen on, or would."""

    name: str
    kind: socket.SocketKind
    address: str
    port: int

    def __str__(self) -> str:
        """Print as people write it."""
        word = "UDP" if self.kind is socket.SOCK_DGRAM else "TCP"
        return f"{word} {self.address} port {self.port}"


def wanted_ports(prepared: Prepared) -> tuple[Wanted, ...]:
    """Return every port of the settings."""
    settings = prepared.settings
    inputs = settings.inputs
    udp = [Wanted(i.name, socket.SOCK_DGRAM, i.address, i.port) for i in inputs.udp]
    streams: tuple[Listening, ...] = (*inputs.tcp, *settings.tls_inputs(), *inputs.smtp)
    tcp = [Wanted(i.name, socket.SOCK_STREAM, i.address, i.port) for i in streams]
    web = settings.web
    pages = [Wanted("web", socket.SOCK_STREAM, web.address, web.port)] if web else []
    return (*udp, *tcp, *pages)


def ports(prepared: Prepared, running: ReceiverStatus | None) -> Iterator[Finding]:
    """Look whether each port is free, or ours while the daemon runs."""
    opened = {one.name: one for one in running.inputs} if running else {}
    for wanted in wanted_ports(prepared):
        what = f"port of {wanted.name}"
        if running is not None:
            yield _of_running(what, wanted, opened.get(wanted.name), running.pid)
        else:
            yield _tried(what, wanted)
    yield from _reachable(prepared)


def _of_running(what: str, wanted: Wanted, status: InputStatus | None, pid: int) -> Finding:
    if status is None and wanted.name != "web":
        return warn(what, f"{wanted}: the running daemon has no such input", "reload it: SIGHUP")
    if status is not None and not status.open:
        return fail(what, f"{wanted}: not open; {status.problem}", "see the log")
    where = status.where if status else str(wanted)
    return ok(what, f"{where}, ours (pid {pid})")


def _tried(what: str, wanted: Wanted) -> Finding:
    family = socket.AF_INET6 if ":" in wanted.address else socket.AF_INET
    try:
        with closing(socket.socket(family, wanted.kind)) as sock:
            if wanted.kind is socket.SOCK_STREAM:
                # As the daemon does: connections of before that linger do not count.
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((wanted.address, wanted.port))
    except OSError as error:
        problem = (error.strerror or str(error)).lower()
        return fail(what, f"{wanted}: {problem}", port_advice(error))
    return ok(what, f"{wanted}, free")


def _reachable(prepared: Prepared) -> Iterator[Finding]:
    """Look whether any node could reach us at all."""
    inputs = prepared.settings.inputs
    listening: tuple[Listening, ...] = (
        *inputs.udp,
        *inputs.tcp,
        *prepared.settings.tls_inputs(),
        *inputs.smtp,
    )
    if inputs.files or inputs.imap:
        return
    if all(ip_address(one.address).is_loopback for one in listening):
        yield warn(
            "reachable", "all inputs listen on the loopback only: no node reaches them",
            "inputs.udp.address: 0.0.0.0 (likewise tcp, smtp), or a relay on this machine",
        )  # fmt: skip


def receive_buffers(prepared: Prepared, running: ReceiverStatus | None) -> Iterator[Finding]:
    """Look how much of the receive buffer the kernel grants, and what it dropped."""
    opened = {one.name: one for one in running.inputs} if running else {}
    for one in prepared.settings.inputs.udp:
        status = opened.get(one.name)
        granted = status.receive_buffer if status else _granted(one)
        what = f"receive buffer of {one.name}"
        told = f"{size_text(granted)} of {size_text(one.receive_buffer)}" if granted else "unknown"
        if granted is not None and granted >= one.receive_buffer:
            yield ok(what, f"{told} granted")
        else:
            yield warn(what, f"{told} granted: a burst may be dropped", _sysctl(one))
        if status is not None and status.kernel_drops:
            yield warn(
                f"drops of {one.name}", f"the kernel dropped {status.kernel_drops} datagrams",
                "a larger receive buffer; TCP or TLS where nothing may be lost",
            )  # fmt: skip


def _granted(one: UdpInput) -> int | None:
    family = socket.AF_INET6 if ":" in one.address else socket.AF_INET
    try:
        with closing(socket.socket(family, socket.SOCK_DGRAM)) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, one.receive_buffer)
            with suppress(OSError):  # what a privileged daemon may do
                sock.setsockopt(socket.SOL_SOCKET, _FORCE_BUFFER, one.receive_buffer)
            # Linux answers with twice what it grants: half is for its own accounts (socket(7)).
            return sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2
    except OSError:
        return None


def _sysctl(one: UdpInput) -> str:
    line = f"net.core.rmem_max = {one.receive_buffer}"
    return f"`{line}` in /etc/sysctl.d, then `sysctl --system`; or ReceiveBuffer= of a socket unit"

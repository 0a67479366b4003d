"""The inputs of the settings, each with its life and its status.

A door is what stays the same over all kinds of inputs: it opens, tells how it is, takes another
certificate, closes. Only here the settings meet the inputs.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Protocol

from watcher.app.settings import Prepared
from watcher.app.sockets import Sockets
from watcher.errors import InputError, Location
from watcher.inputs.poller import Status as Polling
from watcher.inputs.reception import Reception
from watcher.inputs.smtp import SmtpInput
from watcher.inputs.smtpoptions import SmtpLimits, SmtpOptions
from watcher.inputs.stream import StreamInput, StreamOptions
from watcher.inputs.tls import Client, Tls
from watcher.inputs.udp import UdpInput, UdpOptions
from watcher.model.message import Way
from watcher.model.status import InputStatus
from watcher.settings.inputs import SmtpInput as SmtpShape
from watcher.settings.inputs import TcpInput as TcpShape
from watcher.settings.inputs import TlsInput as TlsShape
from watcher.settings.inputs import UdpInput as UdpShape
from watcher.wire.prefilter import Prefilter

Failed = Callable[[str, BaseException], None]


class Door(Protocol):
    """One input of the settings."""

    @property
    def name(self) -> str:
        """Name in the settings, unique."""

    @property
    def told(self) -> object:
        """The settings that it was built from: when they are equal it need not be built anew."""

    async def start(self) -> None:
        """Open it."""

    def status(self) -> InputStatus:
        """Tell how it is."""

    def use(self, prepared: Prepared) -> None:
        """Take certificates from new settings, from the next session on."""

    async def stop(self) -> None:
        """Take no more; what was taken is in the journal."""


@dataclass(slots=True)
class UdpDoor:
    """Syslog datagrams."""

    shape: UdpShape
    prepared: Prepared
    reception: Reception
    sockets: Sockets
    prefilter: Prefilter
    failed: Failed
    _input: UdpInput | None = None

    @property
    def name(self) -> str:
        return self.shape.name

    @property
    def told(self) -> object:
        return self.shape, *_taken(self.prepared)

    async def start(self) -> None:
        shape = self.shape
        sock = self.sockets.datagrams(
            self.name, shape.address, shape.port, shape.socket or shape.name
        )
        options = UdpOptions(kept=shape.message, buffer=shape.receive_buffer)
        self._input = UdpInput(
            sock, self.reception, self.prefilter, lambda e: self.failed(self.name, e), options
        )
        self._input.start()

    def status(self) -> InputStatus:
        udp = self._input
        figures = udp.figures() if udp else None
        return InputStatus(
            name=self.name, way=Way.UDP, where=_where(udp.address) if udp else "",
            open=bool(udp and udp.alive), receive_buffer_asked=self.shape.receive_buffer,
            receive_buffer=figures.granted if figures else None,
            kernel_drops=figures.dropped if figures else None,
        )  # fmt: skip

    def use(self, prepared: Prepared) -> None:
        """Datagrams have no certificates."""

    async def stop(self) -> None:
        if self._input is not None:
            await asyncio.to_thread(self._input.stop)


@dataclass(slots=True)
class SmtpDoor:
    """Mail."""

    shape: SmtpShape
    prepared: Prepared
    reception: Reception
    sockets: Sockets
    _input: SmtpInput | None = None

    @property
    def name(self) -> str:
        return self.shape.name

    @property
    def told(self) -> object:
        settings = self.prepared.settings
        return self.shape, settings.smtp, self.prepared.smtp_users, settings.own_domain()

    async def start(self) -> None:
        shape = self.shape
        self._input = SmtpInput(self.reception, self._options(), self.prepared.smtp_context)
        sock = self.sockets.stream(self.name, shape.address, shape.port, shape.socket or shape.name)
        await self._input.start([sock])

    def _options(self) -> SmtpOptions:
        shape, desk = self.shape, self.prepared.settings.smtp
        return SmtpOptions(
            recipients=desk.recipients,
            allowed=tuple(ip_network(network) for network in desk.allowed_networks),
            refuse_others=desk.refuse_others,
            require_starttls=desk.require_starttls,
            users=self.prepared.smtp_users,
            own_domain=self.prepared.settings.own_domain(),
            limits=SmtpLimits(
                sessions=shape.connections, sessions_per_peer=shape.connections_per_peer,
                commands=shape.commands, session_seconds=shape.session.total_seconds(),
                data_rate=shape.bytes_per_second, mail_size=shape.message,
                header_size=shape.headers, header_lines=shape.header_lines,
                recipients=shape.recipients,
            ),
        )  # fmt: skip

    def status(self) -> InputStatus:
        mail = self._input
        where = ", ".join(_where(address) for address in mail.addresses) if mail else ""
        return InputStatus(
            name=self.name, way=Way.SMTP, where=where, open=bool(where),
            connections=mail.sessions if mail else 0,
        )  # fmt: skip

    def use(self, prepared: Prepared) -> None:
        if self._input is not None:
            self._input.reload(prepared.smtp_context)

    async def stop(self) -> None:
        if self._input is not None:
            await self._input.stop()


@dataclass(slots=True)
class StreamDoor:
    """Syslog streams, plain or over TLS."""

    shape: TcpShape | TlsShape
    prepared: Prepared
    reception: Reception
    sockets: Sockets
    prefilter: Prefilter
    failed: Failed
    _input: StreamInput | None = None

    @property
    def name(self) -> str:
        return self.shape.name

    @property
    def told(self) -> object:
        # Without the addresses that places are reserved for: `use` takes them over, so that an
        # inventory with one more node costs nobody a connection.
        return self.shape, *_taken(self.prepared)

    async def start(self) -> None:
        shape = self.shape
        self._input = StreamInput(
            self.reception, self.prefilter, self._options(), self._tls(self.prepared),
            lambda error: self.failed(self.name, error),
        )  # fmt: skip
        sock = self.sockets.stream(self.name, shape.address, shape.port, shape.socket or shape.name)
        await self._input.start([sock])

    def _options(self) -> StreamOptions:
        shape = self.shape
        handshake = shape.handshake_within if isinstance(shape, TlsShape) else shape.frame_within
        return StreamOptions(
            message=shape.message, frame_seconds=shape.frame_within.total_seconds(),
            handshake_seconds=handshake.total_seconds(), connections=shape.connections,
            per_peer=shape.connections_per_peer, known=_addresses(self.prepared),
            reserved=shape.connections // 10,
        )  # fmt: skip

    def _tls(self, prepared: Prepared) -> Tls | None:
        if isinstance(self.shape, TcpShape):
            return None
        if prepared.tls_context is None:
            raise InputError(
                "there is no certificate for it", where=Location(f"input {self.name}"),
                expected="tls: certificate and key",
            )  # fmt: skip
        told = prepared.settings.tls
        clients = tuple(
            Client(node=one.node, fingerprint=one.fingerprint or "", san=one.san or "")
            for one in told.clients
        )
        return Tls(prepared.tls_context, clients, anonymous=not told.require_client)

    def status(self) -> InputStatus:
        stream = self._input
        where = ", ".join(_where(address) for address in stream.addresses) if stream else ""
        return InputStatus(
            name=self.name, way=Way.TLS if isinstance(self.shape, TlsShape) else Way.TCP,
            where=where, open=bool(where), connections=stream.connections if stream else 0,
        )  # fmt: skip

    def use(self, prepared: Prepared) -> None:
        self.prepared = prepared
        tls = self._tls(prepared)
        if self._input is None:
            return
        self._input.options = self._options()
        if tls is not None:
            self._input.use(tls)

    async def stop(self) -> None:
        if self._input is not None:
            await self._input.stop()


class Polled(Protocol):
    """An input with a thread of its own that looks for something new now and then."""

    @property
    def status(self) -> Polling:
        """How it is doing."""

    def start(self) -> None:
        """Begin."""

    def stop(self, grace: float = 10) -> None:
        """End."""


@dataclass(slots=True)
class PolledDoor:
    """A folder, log files or a mailbox."""

    name: str
    way: Way
    where: str
    told: object
    input: Polled
    _open: bool = False

    async def start(self) -> None:
        self.input.start()
        self._open = True

    def status(self) -> InputStatus:
        return InputStatus(
            name=self.name, way=self.way, where=self.where, open=self._open,
            problem=self.input.status.error,
        )  # fmt: skip

    def use(self, prepared: Prepared) -> None:
        """Do nothing: what it logs in with is part of what it was built from."""

    async def stop(self) -> None:
        self._open = False
        await asyncio.to_thread(self.input.stop)


def _taken(prepared: Prepared) -> tuple[object, ...]:
    """Return what decides which syslog messages are taken, beside the input's own settings."""
    return prepared.settings.admission, prepared.catalogue.alarms.marks


def _addresses(prepared: Prepared) -> frozenset[str]:
    """Return the addresses of the inventory's nodes: for them places are reserved."""
    clusters = prepared.inventory.clusters if prepared.inventory else ()
    return frozenset(
        address for cluster in clusters for node in cluster.nodes for address in node.addresses
    )


def _where(address: tuple[str, int]) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

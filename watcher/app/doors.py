"""The inputs of the settings, each with its life and its status.

A door is what stays the same over all kinds of inputs: it opens, tells how it is, takes another
certificate, closes. Only here the settings meet the inputs.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Protocol

from watcher.app.settings import Prepared
from watcher.app.sockets import Sockets
from watcher.app.tls import Identity, ends_at
from watcher.inputs.reception import Reception
from watcher.inputs.smtp import SmtpInput
from watcher.inputs.smtpoptions import SmtpLimits, SmtpOptions
from watcher.inputs.udp import UdpInput, UdpOptions
from watcher.model.message import Way
from watcher.model.status import InputStatus, ListenerCertificate
from watcher.ports import Clock, Journal
from watcher.settings.inputs import SmtpInput as SmtpShape
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
        return self.shape

    async def start(self) -> None:
        shape = self.shape
        sock = self.sockets.datagrams(shape.socket or shape.name, shape.address, shape.port)
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
            self._input.stop()


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
        return self.shape, self.prepared.settings.smtp, self.prepared.smtp_users

    async def start(self) -> None:
        shape = self.shape
        self._input = SmtpInput(self.reception, self._options(), self.prepared.smtp_context)
        sock = self.sockets.stream(shape.socket or shape.name, shape.address, shape.port)
        await self._input.start([sock])

    def _options(self) -> SmtpOptions:
        shape, desk = self.shape, self.prepared.settings.smtp
        return SmtpOptions(
            recipients=desk.recipients,
            allowed=tuple(ip_network(network) for network in desk.allowed_networks),
            refuse_others=desk.refuse_others,
            require_starttls=desk.require_starttls,
            users=self.prepared.smtp_users,
            own_domain=desk.own_domain or "",
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


class Builder:
    """Builds the doors of settings, and says which a reload must build anew."""

    def __init__(self, journal: Journal, clock: Clock, sockets: Sockets, failed: Failed) -> None:
        self._journal = journal
        self._clock = clock
        self._sockets = sockets
        self._failed = failed

    def build(self, prepared: Prepared) -> list[Door]:
        """Return a door for each input of the settings, none of them open."""
        return [*self._udp(prepared), *self._smtp(prepared)]

    def compare(
        self, doors: Mapping[str, Door], prepared: Prepared
    ) -> tuple[frozenset[str], list[Door]]:
        """Return the names of doors that may stay, and the doors that must be opened."""
        wanted = self.build(prepared)
        kept = {
            door.name for door in wanted
            if door.name in doors and doors[door.name].told == door.told
        }  # fmt: skip
        return frozenset(kept), [door for door in wanted if door.name not in kept]

    def _reception(self, name: str) -> Reception:
        return Reception(name, self._journal, self._clock)

    def _udp(self, prepared: Prepared) -> Iterator[Door]:
        for shape in prepared.settings.inputs.udp:
            yield UdpDoor(
                shape, self._reception(shape.name), self._sockets,
                Prefilter(prepared.catalogue.alarms.marks), self._failed,
            )  # fmt: skip

    def _smtp(self, prepared: Prepared) -> Iterator[Door]:
        for shape in prepared.settings.inputs.smtp:
            yield SmtpDoor(shape, prepared, self._reception(shape.name), self._sockets)


def certificates(prepared: Prepared) -> tuple[ListenerCertificate, ...]:
    """Return the certificates of our own listeners, with their end."""
    settings = prepared.settings
    pairs: list[tuple[Identity | None, Sequence[TlsShape | SmtpShape]]] = [
        (prepared.tls, settings.tls_inputs()), (prepared.smtp, settings.inputs.smtp)
    ]  # fmt: skip
    return tuple(
        ListenerCertificate(input=one.name, not_after=end)
        for identity, shapes in pairs
        if identity is not None and (end := ends_at(identity.certificate)) is not None
        for one in shapes
    )


def _where(address: tuple[str, int]) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

"""The shape of `inputs:`, `tls:` and `smtp:`: where we listen, and what one sender may take."""

from datetime import timedelta
from typing import Annotated, Self

from pydantic import Field, StrictBool, StrictInt, StringConstraints, model_validator

from watcher.inventory.schema import Host
from watcher.rules.terms import Closed, Text
from watcher.settings.terms import (
    Address,
    Duration,
    FilePath,
    Fingerprint,
    KeptFile,
    Mailbox,
    MailboxSecurity,
    Many,
    Name,
    Network,
    Port,
    Secret,
    Size,
    holding,
    lasting,
)

_SOCKET = "Name of the descriptor that the supervisor hands over; null: the input's name."

Frame = Annotated[Size, holding("1KiB", "65535B")]
Seconds = Annotated[Duration, lasting("1s", "10m")]


class UdpInput(Closed):
    """Syslog datagrams (RFC 5426)."""

    name: Name = "udp"
    address: Address = "127.0.0.1"
    port: Port = 5514
    socket: Name | None = Field(default=None, description=_SOCKET)
    message: Frame = Field(default=16 << 10, description="Kept of one datagram; the rest is cut.")
    receive_buffer: Annotated[Size, holding("64KiB", "1GiB")] = Field(
        default=8 << 20, description="Asked of the kernel; `watcher doctor` shows what it granted."
    )


class TcpInput(Closed):
    """Syslog streams (RFC 6587), both framings."""

    name: Name = "tcp"
    address: Address = "127.0.0.1"
    port: Port = 5514
    socket: Name | None = Field(default=None, description=_SOCKET)
    message: Frame = Field(default=16 << 10, description="Kept of one frame; the rest is cut.")
    frame_within: Seconds = Field(
        default=timedelta(seconds=30), description="For the rest of a frame that has begun."
    )
    connections: Annotated[StrictInt, Field(ge=1, le=10_000)] = 1_000
    connections_per_peer: Annotated[StrictInt, Field(ge=1, le=10_000)] = 20


class TlsInput(Closed):
    """Syslog over TLS (RFC 5425); certificate and key stand under `tls:`."""

    name: Name = "tls"
    address: Address = "127.0.0.1"
    port: Port = 6514
    socket: Name | None = Field(default=None, description=_SOCKET)
    message: Frame = Field(default=16 << 10, description="Kept of one frame; the rest is cut.")
    frame_within: Seconds = timedelta(seconds=30)
    handshake_within: Seconds = timedelta(seconds=10)
    connections: Annotated[StrictInt, Field(ge=1, le=1_000)] = Field(
        default=200, description="About 110 kB of memory each."
    )
    connections_per_peer: Annotated[StrictInt, Field(ge=1, le=1_000)] = 20


class SmtpInput(Closed):
    """Mail, for the recipients under `smtp:` only."""

    name: Name = "smtp"
    address: Address = "127.0.0.1"
    port: Port = 2525
    socket: Name | None = Field(default=None, description=_SOCKET)
    message: Annotated[Size, holding("4KiB", "16MiB")] = Field(
        default=256 << 10, description="Largest mail; a larger one is refused for good."
    )
    headers: Annotated[Size, holding("4KiB", "1MiB")] = 64 << 10
    header_lines: Annotated[StrictInt, Field(ge=20, le=2_000)] = 200
    recipients: Annotated[StrictInt, Field(ge=1, le=100)] = 20
    commands: Annotated[StrictInt, Field(ge=10, le=1_000)] = 100
    session: Annotated[Duration, lasting("10s", "10m")] = timedelta(seconds=120)
    bytes_per_second: Annotated[StrictInt, Field(ge=1, le=1_000_000)] = Field(
        default=500, description="A sender of DATA that is slower is turned away."
    )
    connections: Annotated[StrictInt, Field(ge=1, le=1_000)] = 50
    connections_per_peer: Annotated[StrictInt, Field(ge=1, le=1_000)] = 10


Listening = UdpInput | TcpInput | TlsInput | SmtpInput
"""What has an address and a port of ours."""


class FileInput(Closed):
    """A spool folder whose files are messages, or log files that grow."""

    name: Name = "files"
    folder: FilePath | None = Field(
        default=None, description="Each finished file is read once, then moved to its folder done."
    )
    follow: Annotated[tuple[FilePath, ...], Field(max_length=100)] = Field(
        default=(), description="Paths, * allowed, of logs that are written on; also rotated."
    )
    every: Annotated[Duration, lasting("100ms", "1h")] = Field(
        default=timedelta(seconds=1), description="How often is looked."
    )
    message: Annotated[Size, holding("1KiB", "16MiB")] = Field(
        default=256 << 10, description="Kept of one file of the folder, or of one line."
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.folder is None) == (not self.follow):
            raise ValueError("folder and follow (expected one of them in each block)")
        return self


class ImapInput(Closed):
    """A mailbox that alerts land in."""

    name: Name = "imap"
    host: Text
    port: Annotated[StrictInt, Field(ge=1, le=65535)] = 993
    security: MailboxSecurity = MailboxSecurity.TLS
    ca: KeptFile | None = Field(
        default=None, description="Who signed its certificate; null: the system's."
    )
    user: Text
    password: Secret | None = None
    xoauth2: Secret | None = Field(default=None, description="Access token, instead of a password.")
    folder: Text = "INBOX"
    done_folder: Text | None = Field(
        default=None, description="Read mails are moved there; null: they are marked as seen."
    )
    every: Annotated[Duration, lasting("5s", "1d")] = timedelta(seconds=60)
    message: Annotated[Size, holding("4KiB", "16MiB")] = 256 << 10

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.password is None) == (self.xoauth2 is None):
            raise ValueError("password and xoauth2 (expected one of them)")
        return self


class Inputs(Closed):
    """Each kind is one block, a list of blocks, or null for none."""

    udp: Many[UdpInput] = (UdpInput(),)
    tcp: Many[TcpInput] = (TcpInput(),)
    tls: Many[TlsInput] = Field(
        default=(), description="Absent: on 6514 once `tls:` has certificate and key."
    )
    smtp: Many[SmtpInput] = (SmtpInput(),)
    files: Many[FileInput] = ()
    imap: Many[ImapInput] = ()


class TlsClient(Closed):
    """Which node a client certificate speaks for; a CA alone binds nobody."""

    node: Host = Field(description="As the inventory names it.")
    fingerprint: Fingerprint | None = Field(
        default=None, description="SHA-256 of the certificate, as openssl prints it."
    )
    san: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9.:-]{0,252}$")] | None = (
        Field(default=None, description="DNS name or address in it, whole; no wildcards.")
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.fingerprint is None) == (self.san is None):
            raise ValueError("fingerprint and san (expected one of them)")
        return self


class TlsIdentity(Closed):
    """Our own certificate for syslog over TLS, and whom we believe."""

    certificate: KeptFile | None = Field(default=None, description="PEM, with its chain.")
    key: KeptFile | None = Field(default=None, description="PEM; only we may read it.")
    client_ca: KeptFile | None = Field(default=None, description="PEM; signs client certificates.")
    require_client: StrictBool = Field(
        default=True, description="false: without one a sender is as good as over plain TCP."
    )
    clients: tuple[TlsClient, ...] = ()


class SmtpDesk(Closed):
    """For whom mail is taken, and from whom."""

    recipients: tuple[Mailbox, ...] = Field(
        default=("watcher@localhost",), description="Our own addresses; never a relay."
    )
    allowed_networks: tuple[Network, ...] = Field(
        default=("127.0.0.0/8", "::1/128"),
        description="Mail from elsewhere is taken too, but only as a claim.",
    )
    refuse_others: StrictBool = Field(
        default=False, description="true: mail from elsewhere is refused for good."
    )
    certificate: KeptFile | None = Field(default=None, description="PEM; null: no STARTTLS.")
    key: KeptFile | None = None
    require_starttls: StrictBool = False
    users: dict[Text, Secret] = Field(
        default={}, description="Name: where the hash of the password stands (docs/settings.md)."
    )
    own_domain: Text | None = Field(
        default=None, description="Mails whose Message-ID ends in it are our own, come back."
    )

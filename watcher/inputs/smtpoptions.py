"""What an SMTP input may be told: plain values, with the limits that hold when nothing is said."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address

from watcher.inputs.secret import PasswordHash


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpLimits:
    """Ceilings of one SMTP input, all its sockets together.

    Source: docs/reliability.md; sizes in bytes, times in seconds.
    """

    sessions: int = 50
    reserved_sessions: int = 10
    """Of them, kept for peers in the allowed networks, if there are any; a fifth at most."""
    sessions_per_peer: int = 10
    patience: float = 5
    """When all sessions are taken, one that did nothing for so long gives way to a new one."""
    commands: int = 100
    """Lines of a session outside of mails."""
    session_seconds: float = 120
    idle_seconds: float = 30
    """Between two commands; TLS handshakes too."""
    data_rate: int = 500
    """Bytes a second of a mail on the average."""
    data_rate_from: float = 10
    """Seconds of a mail before its rate counts."""
    mail_size: int = 256 * 1024
    """As sent, with the dots that section 4.5.2 adds."""
    header_size: int = 64 * 1024
    header_lines: int = 200
    recipients: int = 20
    durable_seconds: float = 20
    """How long a sender waits for the disk before it is told to come again."""
    failed_logins: int = 3
    """In one session."""
    failed_logins_per_peer: int = 10
    failed_logins_seconds: float = 600
    """After that many failures of a peer no log-in of it is tried for so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpOptions:
    """Whom an SMTP input serves, and how far it believes them."""

    recipients: tuple[str, ...]
    """Addresses (`alerts@watcher.example`) or whole domains (`@watcher.example`) that are ours."""
    allowed: tuple[IPv4Network | IPv6Network, ...] = ()
    """Mail from here has a return path; other mail is a claim."""
    refuse_others: bool = False
    """Nobody else is served at all."""
    hostname: str = "watcher"
    require_starttls: bool = False
    users: Mapping[str, PasswordHash] = field(default_factory=dict)
    own_domain: str = ""
    """Mail whose Message-ID ends in this is our own, come back."""
    limits: SmtpLimits = SmtpLimits()

    def accepts(self, recipient: str) -> bool:
        """Tell whether an address is ours; nothing is relayed."""
        address = recipient.lower()
        domain = "@" + address.rpartition("@")[2]
        ours = {own.lower() for own in self.recipients}
        return "@" in address and (address in ours or domain in ours)

    def allows(self, peer: str) -> bool:
        """Tell whether a peer is in one of the allowed networks."""
        try:
            address = ip_address(peer)
        except ValueError:
            return False
        return any(address in network for network in self.allowed)

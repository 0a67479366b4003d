"""Looks whether others' servers answer: mailboxes, the relay, ticket systems; nobody logs in."""

import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from watcher.app.finding import Finding, fail, ok, warn
from watcher.app.settings import Prepared
from watcher.settings.terms import MailboxSecurity
from watcher.settings.tickets import System

TIMEOUT = 5.0
"""Seconds for somebody else's server to answer."""
_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One of somebody else's; `key` is the setting that names it, `greets` whether it speaks first.

    `encrypted` is set where TLS begins with the connection; `ca` is None for the system's.
    """

    what: str
    host: str
    port: int
    encrypted: bool
    key: str
    greets: bool = True
    ca: Path | None = None


def servers(prepared: Prepared) -> Iterator[Finding]:
    """Look at every server of the settings."""
    yield from map(_asked, _mailboxes(prepared))
    yield from _relay(prepared)
    yield from map(_asked, _ticket_systems(prepared))


def _mailboxes(prepared: Prepared) -> Iterator[Server]:
    for one, ca in zip(prepared.settings.inputs.imap, prepared.imap_ca, strict=True):
        yield Server(
            what=f"mailbox of {one.name}", host=one.host, port=one.port, key="inputs.imap", ca=ca,
            encrypted=one.security is MailboxSecurity.TLS,
        )  # fmt: skip


def _relay(prepared: Prepared) -> Iterator[Finding]:
    """Look at the relay; who expects mail and has none shall read it here."""
    relay, settings = prepared.settings.relay, prepared.settings
    if relay is not None:
        yield _asked(Server(
            what="mail relay", host=relay.host, port=relay.port, key="relay",
            ca=prepared.relay_ca, encrypted=relay.security is MailboxSecurity.TLS,
        ))  # fmt: skip
    elif settings.digest.lists or settings.notifications.lists:
        yield ok("mail relay", "none is configured: only chats are told")
    else:
        yield warn(
            "mail relay", "none is configured: nobody gets a digest or a notice",
            "relay and digest in the settings (docs/digest.md)",
        )  # fmt: skip


def _ticket_systems(prepared: Prepared) -> Iterator[Server]:
    for name, one in prepared.settings.tickets.remote().items():
        yield _web_server(name, one, prepared.tickets.ca.get(name))


def _web_server(name: str, system: System, ca: Path | None) -> Server:
    """Return what is connected to: the proxy where there is one, for it alone is reached."""
    parts = urlsplit(system.proxy or system.url)
    through = f" (the proxy of {name})" if system.proxy else ""
    return Server(
        what=f"ticket system {name}{through}", host=parts.hostname or "", greets=False,
        port=parts.port or _PORTS[parts.scheme], key=f"tickets.{name}",
        encrypted=parts.scheme == "https", ca=None if system.proxy else ca,
    )  # fmt: skip


def _asked(server: Server) -> Finding:
    """Connect, see the certificate or hear the greeting, and go."""
    where = f"{server.host} port {server.port}"
    try:
        _connect(server)
    except ssl.SSLError as error:
        reason = getattr(error, "verify_message", "") or error.reason or "no TLS"
        todo = f"{server.key}.ca, or another port or protection of {server.host}"
        return fail(server.what, f"{where}: {reason}", todo)
    except OSError as error:
        reason = (error.strerror or str(error) or "no answer").lower()
        return fail(server.what, f"{where}: {reason}", "host, port, firewall; is the server up?")
    return ok(server.what, f"{where} answers{' with TLS' if server.encrypted else ''}")


def _connect(server: Server) -> None:
    with socket.create_connection((server.host, server.port), timeout=TIMEOUT) as plain:
        if not server.encrypted:
            _greeted(plain, server)
            return
        context = ssl.create_default_context(cafile=str(server.ca) if server.ca else None)
        with context.wrap_socket(plain, server_hostname=server.host) as tls:
            _greeted(tls, server)


def _greeted(connection: socket.socket, server: Server) -> None:
    if server.greets and not connection.recv(1):
        raise ConnectionAbortedError("it hung up without a greeting")

"""Senders of played traffic: datagrams, streams and mails to listeners that really listen."""

import ipaddress
import queue
import re
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from watcher.errors import InputError

TIMEOUT = 30.0
"""Seconds that a listener may take for one thing."""
PER_SESSION = 25
"""Mails of one SMTP session; a listener may end it after a hundred commands."""
_BLOCK = 64 << 10
_TRIES = 20
_PERMANENT = 500
"""Replies from here on say that trying again is of no use (RFC 5321 section 4.2.1)."""


class Scheme(StrEnum):
    """How a target is spoken to."""

    UDP = "udp"
    TCP = "tcp"
    """Octet counting."""
    TCP_LF = "tcp-lf"
    """Frames end in LF."""
    TLS = "tls"
    SMTP = "smtp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where traffic goes."""

    scheme: Scheme
    host: str
    port: int

    def __str__(self) -> str:
        """Print as it is written on the command line."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}:{host}:{self.port}"


@dataclass(slots=True)
class Sent:
    """What a sender did. `acknowledged` is None where the protocol knows no acknowledgement."""

    target: Target
    messages: int = 0
    octets: int = 0
    acknowledged: int | None = None
    refused: int = 0
    """Mails that were answered by a refusal, or by none; datagrams that nobody listened to."""
    broken: int = 0
    """Connections that ended before their time."""
    waits: list[float] = field(default_factory=list)
    """Seconds from a mail's first command to its answer."""


class Sender(Protocol):
    """Sends to one target; used by one thread."""

    sent: Sent

    def send(self, data: bytes, source: int) -> None:
        """Send one message as the given source; it may wait in a buffer until `flush`."""

    def flush(self) -> None:
        """Send what waits."""

    def close(self) -> None:
        """Send what waits, wait for answers, let go."""


_TARGET = re.compile(r"([a-z-]+):(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+)):([0-9]{1,5})")
_EXPECTED = "udp:HOST:PORT, tcp:, tcp-lf:, tls: or smtp:"


def target_of(text: str, *, allow_remote: bool = False) -> Target:
    """Read a target; raise InputError for one that cannot be, or that is not this machine."""
    found = _TARGET.fullmatch(text)
    if found is None or found[1] not in {scheme.value for scheme in Scheme}:
        raise InputError(f"{text!r} is no target", expected=_EXPECTED)
    host, port = found[2] or found[3], int(found[4])
    if not 1 <= port <= 65_535:  # noqa: PLR2004 -- the ports there are
        raise InputError(f"{text!r} has no such port", expected="1 to 65535")
    if not allow_remote and not _is_loopback(host):
        raise InputError(
            f"{text!r} is another machine", expected="a loopback address, or --allow-remote"
        )
    return Target(scheme=Scheme(found[1]), host=host, port=port)


def _is_loopback(host: str) -> bool:
    # No name is looked up: only what is written can be checked.
    if host.lower() == "localhost":
        return True
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False


def source_address(target: Target, source: int) -> tuple[str, int] | None:
    """Return the loopback address that a source sends from; None: any."""
    if target.host.startswith("127."):
        return (f"127.0.{1 + source // 250}.{1 + source % 250}", 0)
    return None


class UdpSender:
    """One socket for each source."""

    def __init__(self, target: Target) -> None:
        self.sent = Sent(target)
        self._sockets: dict[int, socket.socket] = {}

    def send(self, data: bytes, source: int) -> None:
        """Send one datagram at once."""
        sock = self._sockets.get(source) or self._open(source)
        try:
            sock.send(data)
        except ConnectionRefusedError:
            # It is the datagram before this one that nobody listened to.
            self.sent.refused += 1
            sock.send(data)
        self.sent.messages += 1
        self.sent.octets += len(data)

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Close all sockets."""
        for sock in self._sockets.values():
            sock.close()

    def _open(self, source: int) -> socket.socket:
        target = self.sent.target
        family = socket.AF_INET6 if ":" in target.host else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_DGRAM)
        self._sockets[source] = sock
        if (address := source_address(target, source)) is not None:
            sock.bind(address)
        sock.connect((target.host, target.port))
        return sock


Wrap = Callable[[socket.socket], socket.socket]


class StreamSender:
    """One connection for each source, its messages framed and gathered into blocks."""

    def __init__(self, target: Target, wrap: Wrap | None = None) -> None:
        self.sent = Sent(target)
        self._wrap = wrap
        self._counted = target.scheme is not Scheme.TCP_LF
        self._open_ones: dict[int, tuple[socket.socket, bytearray]] = {}

    def send(self, data: bytes, source: int) -> None:
        """Gather one message; send a block when it is large enough."""
        sock, waiting = self._open_ones.get(source) or self._open(source)
        if self._counted:
            waiting += b"%d " % len(data)
            waiting += data
        else:
            waiting += data.replace(b"\n", b" ")
            waiting += b"\n"
        self.sent.messages += 1
        if len(waiting) >= _BLOCK:
            self._push(source, sock, waiting)

    def flush(self) -> None:
        """Send what waits on all connections."""
        for source, (sock, waiting) in list(self._open_ones.items()):
            if waiting:
                self._push(source, sock, waiting)

    def close(self) -> None:
        """Send what waits, and wait until the other side has read it."""
        self.flush()
        for sock, _ in self._open_ones.values():
            with suppress(OSError):
                if isinstance(sock, ssl.SSLSocket):
                    sock = sock.unwrap()  # noqa: PLW2901 -- the same connection without TLS
                sock.shutdown(socket.SHUT_WR)
                while sock.recv(_BLOCK):
                    pass
            sock.close()

    def _push(self, source: int, sock: socket.socket, waiting: bytearray) -> None:
        try:
            sock.sendall(waiting)
            self.sent.octets += len(waiting)
        except OSError:
            # What the kernel still held is lost, and nobody can say how much: count, go on.
            self.sent.broken += 1
            sock.close()
            del self._open_ones[source]
        waiting.clear()

    def _open(self, source: int) -> tuple[socket.socket, bytearray]:
        target = self.sent.target
        sock = _connected(target, source)
        try:
            opened = self._wrap(sock) if self._wrap else sock
        except (OSError, ssl.SSLError) as error:
            sock.close()
            raise InputError(f"{target}: {error}", expected="a TLS listener") from error
        self._open_ones[source] = (opened, bytearray())
        return self._open_ones[source]


def _connected(target: Target, source: int) -> socket.socket:
    try:
        return socket.create_connection(
            (target.host, target.port), TIMEOUT, source_address(target, source)
        )
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError(f"{target}: {reason}", expected="somebody who listens") from error


def tls_wrap(
    target: Target, authority: str | None, certificate: str | None
) -> Callable[[socket.socket], socket.socket]:
    """Return what makes a connection TLS. Without `authority` the listener is not verified.

    `certificate` is a file with our own certificate and its key.
    """
    try:
        context = ssl.create_default_context(cafile=authority)
        if certificate is not None:
            context.load_cert_chain(certificate)
    except (OSError, ssl.SSLError) as error:
        raise InputError(f"TLS: {error}", expected="files of PEM text") from error
    if authority is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return lambda sock: context.wrap_socket(sock, server_hostname=target.host)


class SmtpSender:
    """Parallel SMTP sessions that take mails from one bounded queue."""

    def __init__(self, target: Target, recipient: str, sessions: int) -> None:
        self.sent = Sent(target, acknowledged=0)
        self._recipient = recipient
        self._waiting: queue.Queue[bytes | None] = queue.Queue(sessions * 4)
        self._lock = threading.Lock()
        _connected(target, 0).close()
        self._threads = [
            threading.Thread(target=self._session, args=(number,), daemon=True)
            for number in range(sessions)
        ]
        for thread in self._threads:
            thread.start()

    def send(self, data: bytes, source: int) -> None:
        """Hand one mail to whichever session is free next."""
        del source
        self._waiting.put(data)
        self.sent.messages += 1
        self.sent.octets += len(data)

    def flush(self) -> None:
        """Mails leave by themselves."""

    def close(self) -> None:
        """Wait until every mail has its answer."""
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            thread.join()

    def _session(self, number: int) -> None:
        line = _Line(self._begin, number)
        while (data := self._waiting.get()) is not None:
            began = time.monotonic()
            broken, taken = line.carry(data, self._recipient)
            took = time.monotonic() - began
            with self._lock:
                self.sent.broken += broken
                if taken:
                    self.sent.acknowledged = (self.sent.acknowledged or 0) + 1
                    self.sent.waits.append(took)
                else:
                    self.sent.refused += 1
        line.end()

    def _begin(self, number: int) -> smtplib.SMTP:
        target = self.sent.target
        return smtplib.SMTP(
            target.host, target.port, local_hostname="localhost", timeout=TIMEOUT,
            source_address=source_address(target, number),
        )  # fmt: skip


class _Line:
    """One SMTP session after the other, as a mail system keeps them."""

    def __init__(self, begin: Callable[[int], smtplib.SMTP], number: int) -> None:
        self._begin = begin
        self._number = number
        self._smtp: smtplib.SMTP | None = None
        self._mails = 0

    def carry(self, data: bytes, recipient: str) -> tuple[int, bool]:
        """Return how many sessions broke over a mail, and whether it was acknowledged.

        What is refused for a while is tried again, as mail systems do; what is refused for good
        is not.
        """
        for attempt in range(_TRIES):
            try:
                self._session().sendmail("rtmt@example.test", [recipient], data)
            except smtplib.SMTPException as error:
                if _is_final(error):
                    return attempt, False
            except OSError:
                pass
            else:
                return attempt, True
            self.end()
            time.sleep(min(1.0, 0.01 * 2**attempt))
        return _TRIES, False

    def end(self) -> None:
        """End the session politely, if there is one."""
        smtp, self._smtp, self._mails = self._smtp, None, 0
        if smtp is not None:
            with suppress(OSError, smtplib.SMTPException):
                smtp.quit()
            smtp.close()

    def _session(self) -> smtplib.SMTP:
        if self._mails >= PER_SESSION:
            self.end()
        self._smtp = self._smtp or self._begin(self._number)
        self._mails += 1
        return self._smtp


def _is_final(error: smtplib.SMTPException) -> bool:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= _PERMANENT for code, _ in error.recipients.values())
    return isinstance(error, smtplib.SMTPResponseException) and error.smtp_code >= _PERMANENT

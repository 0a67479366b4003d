"""TLS of one connection without its socket, and which nodes a client certificate speaks for.

The sessions share buffers, and the error of a handshake reaches whoever counts it; asyncio's own
TLS keeps 256 KiB for each session and tells nobody why a handshake failed.

Source: RFC 5425 (TLS transport, authentication by fingerprint or name).
"""

import ssl
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256

from cryptography import x509

from watcher.model.ledger import Reason

_NO_CERTIFICATE = "PEER_DID_NOT_RETURN_A_CERTIFICATE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Which node a client certificate speaks for: by the certificate, or by one name in it.

    `fingerprint` is SHA-256 in hexadecimal, with or without colons. `san` is a DNS name or an
    address and must be in the certificate as it is, but for case; a wildcard matches nothing.
    """

    node: str
    fingerprint: str = ""
    san: str = ""


@dataclass(frozen=True, slots=True)
class Tls:
    """What new sessions use.

    `anonymous` lets in who shows no certificate, or one that is bound to no node; such a sender
    is as good as over plain TCP. Otherwise a CA's signature alone is not enough.
    """

    context: ssl.SSLContext
    clients: tuple[Client, ...] = ()
    anonymous: bool = False

    def __post_init__(self) -> None:
        """Forbid what no syslog sender needs: old versions, renegotiation, tickets of TLS 1.3."""
        context = self.context
        context.minimum_version = max(context.minimum_version, ssl.TLSVersion.TLSv1_2)
        context.options |= ssl.OP_NO_RENEGOTIATION
        # Tickets of TLS 1.2 stay: without them the library would cache each session itself.
        context.num_tickets = 0

    def nodes(self, certificate: bytes) -> tuple[str, ...]:
        """Return the nodes for which a certificate (DER) speaks."""
        fingerprint, names = sha256(certificate).hexdigest(), frozenset(_names(certificate))
        found = {
            client.node
            for client in self.clients
            if _plain(client.fingerprint) == fingerprint or client.san.lower() in names
        }
        return tuple(sorted(found))


def _plain(fingerprint: str) -> str:
    return fingerprint.replace(":", "").lower()


def _names(certificate: bytes) -> Iterator[str]:
    # What cannot be read of a certificate binds nobody.
    with suppress(ValueError, x509.ExtensionNotFound, x509.DuplicateExtension,
                  x509.InvalidVersion, x509.UnsupportedGeneralNameType):  # fmt: skip
        found = x509.load_der_x509_certificate(certificate).extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        )
        for name in found.value.get_values_for_type(x509.DNSName):
            if name and "*" not in name:
                yield name.lower()
        for address in found.value.get_values_for_type(x509.IPAddress):
            yield str(address)


def reason_of(error: ssl.SSLError) -> Reason:
    """Return the reason to count for a handshake that failed."""
    if isinstance(error, ssl.SSLCertVerificationError) or error.reason == _NO_CERTIFICATE:
        return Reason.CLIENT_CERTIFICATE
    return Reason.HANDSHAKE


def detail_of(error: ssl.SSLError) -> str:
    """Return the library's own words for an error; they quote nothing of the peer."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    return (error.reason or "no TLS").lower().replace("_", " ")


class Session:
    """The server's end of one TLS session: bytes of the network in, bytes of the sender out.

    Every method but `outgoing` raises ssl.SSLError when the peer breaks the protocol.
    """

    __slots__ = ("_incoming", "_object", "_outgoing", "closed", "established")

    def __init__(self, context: ssl.SSLContext) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._object = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self.established = False
        self.closed = False
        """The peer said that nothing more comes."""

    def receive(self, data: memoryview) -> None:
        """Take bytes of the network, and go on with the handshake if there is one."""
        self._incoming.write(data)
        if not self.established:
            with suppress(ssl.SSLWantReadError):
                self._object.do_handshake()
                self.established = True

    def read_into(self, view: memoryview) -> int:
        """Fill `view` with what the sender wrote; return how much it was."""
        size, room = 0, len(view)
        with suppress(ssl.SSLWantReadError):
            while size < room:
                count = self._object.read(room - size, view[size:])
                if not count:
                    self.closed = True
                    break
                size += int(count)
        return size

    @property
    def certificate(self) -> bytes | None:
        """The peer's certificate (DER), checked by the context; None if it showed none."""
        return self._object.getpeercert(binary_form=True)

    def close(self) -> None:
        """Say that nothing more comes from us."""
        with suppress(ssl.SSLError):
            self._object.unwrap()

    def outgoing(self) -> bytes:
        """Return what must be sent to the peer now."""
        return self._outgoing.read()

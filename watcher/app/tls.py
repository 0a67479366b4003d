"""TLS of our own listeners: contexts built from files, and how long their certificates last."""

import ssl
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509

from watcher.app.secrets import Elsewhere


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Files of a listener's certificate and key, and of the CAs whose clients it believes."""

    certificate: Path
    key: Path
    client_ca: Path | None = None
    require_client: bool = False


def server_context(identity: Identity, about: Elsewhere) -> ssl.SSLContext:
    """Return a context for TLS 1.2 and newer; `about` is blamed where the files do not fit.

    A CA file may also hold a node's self-signed certificate: such a one is its own CA.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(identity.certificate, identity.key, password=_none)
    except (OSError, ValueError) as error:
        problem = f"{identity.certificate} and {identity.key} do not load: {_reason(error)}"
        raise about.fault(problem, "a certificate and its own key, in PEM, unencrypted") from error
    if identity.client_ca is not None:
        _believe(context, identity.client_ca, about)
        # Optional means: asked for, and checked when one comes.
        required = identity.require_client
        context.verify_mode = ssl.CERT_REQUIRED if required else ssl.CERT_OPTIONAL
    return context


def _believe(context: ssl.SSLContext, path: Path, about: Elsewhere) -> None:
    try:
        context.load_verify_locations(path)
    except (OSError, ValueError) as error:
        problem = f"{path} does not load: {_reason(error)}"
        raise about.fault(problem, "certificates in PEM") from error
    # What stands in the file is believed as it is, also a certificate that is no CA.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN


def _none() -> str:
    # Without this an encrypted key makes the library ask on the terminal.
    raise ValueError("the key is encrypted")


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.lower().replace("_", " ")
    return (getattr(error, "strerror", None) or str(error) or "not readable").lower()


def ends_at(certificate: Path) -> datetime | None:
    """Return when the first certificate of a PEM file ends; None when it cannot be read."""
    try:
        return x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc
    except (OSError, ValueError):
        return None

"""A certificate in PEM form; every attribute may be broken, so each is read by itself."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from cryptography import x509

from watcher.transcripts.block import Block, Unread
from watcher.transcripts.text import PastedLine

_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
_MOST_BYTES = 64 << 10
_BROKEN = (
    ValueError, OverflowError, TypeError,
    x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType,
)  # fmt: skip
"""What a hostile certificate makes the library raise."""
_BASE64 = re.compile(r"[A-Za-z0-9+/=]+")

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class PemFacts:
    """One certificate; an attribute that cannot be read is None and named in `unread`."""

    line: int
    subject: str | None = None
    issuer: str | None = None
    serial_number: str | None = None
    not_after: datetime | None = None
    dns_names: tuple[str, ...] = ()
    unread: tuple[Unread, ...] = ()

    @property
    def self_issued(self) -> bool | None:
        """Tell whether subject and issuer are the same name; None when one is unknown."""
        if self.subject is None or self.issuer is None:
            return None
        return self.subject == self.issuer


def read(block: Block) -> PemFacts:
    """Read the first certificate of a block."""
    return read_lines(block.lines, block.first_line)


def read_lines(lines: Iterable[PastedLine], first_line: int) -> PemFacts:
    """Read PEM from cleaned lines; indentation does not matter."""
    kept: list[str] = []
    strange: list[Unread] = []
    for line in lines:
        text = line.text.strip()
        if text in {_BEGIN, _END} or _BASE64.fullmatch(text):
            kept.append(text)
        else:
            strange.append(Unread(line.number, text, "not a line of a certificate"))
    body = "\n".join(kept)
    try:
        certificate = x509.load_pem_x509_certificate(body[:_MOST_BYTES].encode("ascii"))
    except _BROKEN as error:
        why = f"not a certificate ({_first_line(error)})"
        return PemFacts(line=first_line, unread=(*strange, Unread(first_line, _BEGIN, why)))
    return _facts(certificate, first_line, strange)


def _facts(certificate: x509.Certificate, line: int, unread: list[Unread]) -> PemFacts:
    def guarded(name: str, attribute: Callable[[], T]) -> T | None:
        # Hostile certificates make properties raise; one bad attribute does not hide the others.
        try:
            return attribute()
        except _BROKEN as error:
            unread.append(Unread(line, name, f"cannot be read ({_first_line(error)})"))
            return None

    return PemFacts(
        line=line,
        subject=guarded("subject", lambda: _printed(certificate.subject)),
        issuer=guarded("issuer", lambda: _printed(certificate.issuer)),
        serial_number=guarded("serial number", lambda: f"{certificate.serial_number:X}"),
        not_after=guarded("notAfter", lambda: certificate.not_valid_after_utc),
        dns_names=guarded("alternative names", lambda: _dns_names(certificate)) or (),
        unread=tuple(unread),
    )


def _printed(name: x509.Name) -> str:
    return name.rfc4514_string()


def _dns_names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    return tuple(found.value.get_values_for_type(x509.DNSName))


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:120] or type(error).__name__

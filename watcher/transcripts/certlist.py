"""`show cert list own|trust`: which certificate files a node has, and who signed them."""

import re
from dataclasses import dataclass

from watcher.inventory.schema import Issuer
from watcher.transcripts.block import Block, Unread

_ENTRY = re.compile(
    r"(?P<store>[A-Za-z][A-Za-z0-9._-]{0,63})/(?P<file>[^:/]{1,124}\.(?:pem|der))\s*:\s*(?P<text>.*)"
)
_SELF_SIGNED = re.compile(r"self-signed certificate", re.IGNORECASE)
_CA_SIGNED = re.compile(r"certificate signed by\s+(?P<ca>.{1,200})", re.IGNORECASE)
_TRUST = "-trust"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedCertificate:
    """One line of the list; `issuer` is None when the description says neither."""

    line: int
    store: str
    file: str
    trust: bool
    issuer: Issuer | None
    signed_by: str | None
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CertListFacts:
    """One list."""

    entries: tuple[ListedCertificate, ...]
    unread: tuple[Unread, ...]


def read(block: Block) -> CertListFacts:
    """Read one list; the second word after `list` says own or trust, else the store's name does."""
    scope = block.words[3].lower() if len(block.words) > 3 else ""  # noqa: PLR2004
    entries, unread = [], []
    for line in block.lines:
        found = _ENTRY.fullmatch(line.text.strip())
        if found is None:
            unread.append(Unread(line.number, line.text.strip(), "not `<store>/<file>.pem: text`"))
            continue
        entries.append(_entry(line.number, found, scope))
    return CertListFacts(entries=tuple(entries), unread=tuple(unread))


def _entry(number: int, found: re.Match[str], scope: str) -> ListedCertificate:
    store, text = found["store"], found["text"].strip()
    trust = store.lower().endswith(_TRUST) or scope == "trust"
    signed = _CA_SIGNED.match(text)
    issuer = Issuer.CA_SIGNED if signed else None
    if _SELF_SIGNED.match(text):
        issuer = Issuer.SELF_SIGNED
    return ListedCertificate(
        line=number,
        store=store if not trust or store.lower().endswith(_TRUST) else f"{store}{_TRUST}",
        file=found["file"].strip(),
        trust=trust,
        issuer=issuer,
        signed_by=signed["ca"].strip() if signed else None,
        description=text,
    )

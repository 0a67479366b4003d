"""`show cert own|trust <name>`: one certificate, in either vocabulary of field names.

Up to 14SU1 the fields are `Issuer Name`, `Validity From`, `To`, `Subject Name`; from 14SU2
`IssuerDN`, `Start Date`, `Final Date`, `SubjectDN` (SG14). Both print the PEM after the fields;
where it can be read, it counts more than the fields.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from watcher.transcripts.block import Block, Unread
from watcher.transcripts.pem import PemFacts, read_lines
from watcher.transcripts.text import PastedLine

_FIELDS = (
    ("serial", re.compile(r"(?:\[\d\]\s*)?Serial ?Number:\s*(.+)", re.IGNORECASE)),
    ("issuer", re.compile(r"Issuer ?(?:Name|DN):\s*(.+)", re.IGNORECASE)),
    ("subject", re.compile(r"Subject ?(?:Name|DN):\s*(.+)", re.IGNORECASE)),
    ("not_after", re.compile(r"(?:To|Final Date):\s*(.+)", re.IGNORECASE)),
    ("not_before", re.compile(r"(?:Validity From|Start Date):\s*(.+)", re.IGNORECASE)),
)
_ALTERNATIVE = re.compile(r"(?:dnsName|DNSName|dns|GeneralName):\s*(?P<name>[A-Za-z0-9.-]{1,253})$")
_LISTED_NAME = re.compile(r"\s*(?P<name>[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,20})\s*,?\s*")
_ALTERNATIVES_BEGIN = re.compile(r".{0,40}Subject\s?Alt(?:ernative)?\s?Name", re.IGNORECASE)
_NEXT_EXTENSION = re.compile(r"\[?\s*Extension\s*:|\]\s*$|Signature", re.IGNORECASE)
_HEX = re.compile(r"[0-9A-Fa-f]{1,2}(?::?[0-9A-Fa-f]{2})*")
_SURELY_DECIMAL = 25
"""So many digits without a letter are no hexadecimal number but by a chance below 1 in 100,000."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertFacts:
    """One certificate as its node shows it; `name` is what stood on the command line."""

    line: int
    name: str | None
    trust: bool
    subject: str | None
    issuer: str | None
    serial_number: str | None
    not_after_text: str | None
    dns_names: tuple[str, ...]
    pem: PemFacts | None
    unread: tuple[Unread, ...]


def read(block: Block) -> CertFacts:
    """Read one certificate."""
    fields, pem_lines = _divide(block.lines)
    values = _values(fields)
    pem = read_lines(pem_lines, pem_lines[0].number) if pem_lines else None
    serial = _serial(values["serial"].text) if "serial" in values else None
    unread = list(pem.unread) if pem else []
    unread += _missing(block, values, pem)
    if "serial" in values and serial is None and not (pem and pem.serial_number):
        why = "may be decimal or hexadecimal"
        unread.append(Unread(values["serial"].number, values["serial"].text, why))
    return CertFacts(
        line=block.first_line,
        name=" ".join(block.words[3:]) or None,
        trust=len(block.words) > 2 and block.words[2].lower() == "trust",  # noqa: PLR2004
        subject=(pem and pem.subject) or _text(values, "subject"),
        issuer=(pem and pem.issuer) or _text(values, "issuer"),
        serial_number=(pem and pem.serial_number) or serial,
        not_after_text=_text(values, "not_after"),
        dns_names=(pem.dns_names if pem else ()) or _alternatives(fields),
        pem=pem,
        unread=tuple(unread),
    )


def _divide(lines: Iterable[PastedLine]) -> tuple[list[PastedLine], list[PastedLine]]:
    fields: list[PastedLine] = []
    pem: list[PastedLine] = []
    inside = done = False
    for line in lines:
        inside = not done and (inside or line.text.strip() == "-----BEGIN CERTIFICATE-----")
        (pem if inside else fields).append(line)
        if inside and line.text.strip() == "-----END CERTIFICATE-----":
            inside, done = False, True
    return fields, pem


def _values(lines: Iterable[PastedLine]) -> dict[str, PastedLine]:
    """Return the first value of each field: a later one belongs to an extension."""
    values: dict[str, PastedLine] = {}
    for line in lines:
        for name, pattern in _FIELDS:
            found = pattern.fullmatch(line.text.strip())
            if found is not None:
                values.setdefault(name, PastedLine(line.number, found[1].strip()))
    return values


def _text(values: dict[str, PastedLine], name: str) -> str | None:
    return values[name].text if name in values else None


def _missing(block: Block, values: dict[str, PastedLine], pem: PemFacts | None) -> Iterable[Unread]:
    if pem is not None and pem.not_after is not None:
        return
    for name, word in (
        ("not_after", "end of validity"),
        ("subject", "subject"),
        ("issuer", "issuer"),
    ):
        if name not in values:
            yield Unread(block.first_line, block.title, f"no {word} in this output")


def _serial(text: str) -> str | None:
    """Return hexadecimal digits; None when the text may be decimal as well."""
    compact = re.sub(r"\s", "", text)
    if compact.isascii() and compact.isdigit():
        digits = len(compact)
        return f"{int(compact):X}" if _SURELY_DECIMAL <= digits <= 60 else None  # noqa: PLR2004
    return compact.replace(":", "").upper() if _HEX.fullmatch(compact) else None


def _alternatives(lines: Iterable[PastedLine]) -> tuple[str, ...]:
    names: dict[str, None] = {}
    inside = False
    for line in lines:
        text = line.text.strip()
        labelled = _ALTERNATIVE.search(text)
        if _ALTERNATIVES_BEGIN.match(text):
            inside = True
        elif inside and _NEXT_EXTENSION.match(text):
            inside = False
        if labelled:
            names[labelled["name"]] = None
        elif inside and (listed := _LISTED_NAME.fullmatch(text)):
            names[listed["name"]] = None
    return tuple(names)

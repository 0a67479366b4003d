"""The record layout that `show ctl` and `show itl` share."""

import re
from dataclasses import dataclass, field

from watcher.transcripts.block import Block, Unread
from watcher.transcripts.text import PastedLine

_MD5 = re.compile(r"([0-9a-fA-F]{32})\s*\(MD5\)")
_SHA1 = re.compile(r"([0-9a-fA-F]{40})\s*\(SHA1\)")
_LENGTH = re.compile(r"Length of [CI]TL file:\s*(\d{1,9})", re.IGNORECASE)
_MODIFIED = re.compile(r"The [CI]TL File was last modified on (.{1,60})", re.IGNORECASE)
_RECORD = re.compile(r"[CI]TL Record #:\s*(\d{1,4})")
_TAG = re.compile(r"(\d{1,2})\s+([A-Z]{4,16})\s+(\d{1,6})(?:\s+(\S.*))?$")
_USED_TO_SIGN = re.compile(r"This etoken was used to sign the [CI]TL file", re.IGNORECASE)
_NOT_FOUND = re.compile(r"[CI]TL File not found", re.IGNORECASE)
_VERIFIED = re.compile(r"The [CI]TL file was verified successfully", re.IGNORECASE)
_RULER = re.compile(r"[-=\s]+|BYTEPOS\s+TAG\s+LENGTH\s+VALUE")
_KNOWN_WORDS = re.compile(
    r"The checksum value of the [CI]TL file|Parse [CI]TL File|Version:|HeaderLength:"
    r"|Error parsing the [CI]TL File|\*?Signature omitted|\[\.\.\.\]|Unable to ",
    re.IGNORECASE,
)
_CONTINUES = frozenset({"SUBJECTNAME", "ISSUERNAME", "ISSUENAME", "CERTIFICATE", "SIGNERNAME"})
_HEX = re.compile(r"[0-9A-Fa-f]{2}(?:[: ][0-9A-Fa-f]{2}){3,}.{0,20}")
_NAME_PART = re.compile(r"\s*[A-Za-z]{1,20}=.{1,200}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustRecord:
    """One record: whose certificate it is and what phones may trust it for."""

    number: int
    dns_name: str | None
    subject: str | None
    function: str | None
    issuer: str | None
    serial_number: str | None
    signed_the_file: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustListFacts:
    """One CTL or ITL file as its node shows it; `present` is None when nothing says so."""

    present: bool | None
    length: int | None
    md5: str | None
    sha1: str | None
    modified_text: str | None
    verified: bool | None
    records: tuple[TrustRecord, ...]
    unread: tuple[Unread, ...]

    @property
    def signer(self) -> TrustRecord | None:
        """Return the record that signed the file; None when none or more than one claims it."""
        signers = [record for record in self.records if record.signed_the_file]
        return signers[0] if len(signers) == 1 else None


@dataclass(slots=True)
class _Reader:
    values: dict[str, str] = field(default_factory=dict)
    flags: set[str] = field(default_factory=set)
    records: list[dict[str, str]] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    tag: str = ""

    def take(self, line: PastedLine) -> None:
        text = line.text.strip()
        if not (self._heading(text) or self._record(text) or self._continuation(text)):
            self.unread.append(Unread(line.number, text, "not a line of this command"))

    def _heading(self, text: str) -> bool:
        for name, pattern in (
            ("md5", _MD5), ("sha1", _SHA1), ("length", _LENGTH), ("modified", _MODIFIED),
        ):  # fmt: skip
            found = pattern.match(text)
            if found:
                self.values.setdefault(name, found[1])
                return True
        for name, pattern in (("missing", _NOT_FOUND), ("verified", _VERIFIED)):
            if pattern.match(text):
                self.flags.add(name)
                return True
        return bool(_RULER.fullmatch(text) or _KNOWN_WORDS.match(text))

    def _record(self, text: str) -> bool:
        begins = _RECORD.match(text)
        if begins:
            self.records.append({"number": begins[1]})
            self.tag = ""
            return True
        if _USED_TO_SIGN.match(text):
            if self.records:
                self.records[-1]["signed"] = "yes"
            return bool(self.records)
        tag = _TAG.match(text)
        if tag is None:
            return False
        self.tag = "ISSUERNAME" if tag[2] == "ISSUENAME" else tag[2]
        if self.records:
            self.records[-1][self.tag] = tag[4] or ""
        return True

    def _continuation(self, text: str) -> bool:
        """Join a name or a hash that the terminal broke."""
        if self.tag not in _CONTINUES:
            return False
        if self.tag == "CERTIFICATE":
            return bool(_HEX.fullmatch(text))
        if not _NAME_PART.fullmatch(text):
            return False
        if self.records:
            self.records[-1][self.tag] = f"{self.records[-1].get(self.tag, '')}{text}"[:1000]
        return True


def read_trust_list(block: Block) -> TrustListFacts:
    """Read a CTL or ITL dump; what fits no part of it is in `unread`."""
    reader = _Reader()
    for line in block.lines:
        reader.take(line)
    length = int(reader.values["length"]) if "length" in reader.values else None
    return TrustListFacts(
        present=_present(reader, length),
        length=length,
        md5=reader.values.get("md5"),
        sha1=reader.values.get("sha1"),
        modified_text=reader.values.get("modified"),
        verified=True if "verified" in reader.flags else None,
        records=tuple(_trust_record(record) for record in reader.records),
        unread=tuple(reader.unread),
    )


def _present(reader: _Reader, length: int | None) -> bool | None:
    if "missing" in reader.flags or length == 0:
        return False
    return True if length or reader.records else None


def _trust_record(record: dict[str, str]) -> TrustRecord:
    return TrustRecord(
        number=int(record["number"]),
        dns_name=record.get("DNSNAME") or None,
        subject=record.get("SUBJECTNAME") or None,
        function=record.get("FUNCTION") or None,
        issuer=record.get("ISSUERNAME") or None,
        serial_number=record.get("SERIALNUMBER") or None,
        signed_the_file="signed" in record,
    )

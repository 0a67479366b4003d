"""The seal of a document: a digest of what it says, so that a changed copy is noticed.

The digest is SHA-256 over the text with the digest itself replaced by zeros. Markdown and pasted
text are compared with runs of white space folded, because mail, tickets and clipboards change
those; a saved page is compared byte by byte; JSON is compared by value (RFC 8259), whatever the
order of its members.
"""

import hashlib
import json
import re
from dataclasses import dataclass

from watcher.errors import InputError

PLACEHOLDER = "sha256:" + "0" * 64
_SEAL = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
_CODE_LENGTH = 12


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a document says of itself and what is true."""

    stated: str
    computed: str

    @property
    def intact(self) -> bool:
        """Whether the document is as it was sealed."""
        return self.stated == self.computed


def code(digest: str) -> str:
    """Return the first characters of a digest, in groups, for reading aloud."""
    text = digest.removeprefix("sha256:")[:_CODE_LENGTH].upper()
    return "-".join(text[i : i + 4] for i in range(0, len(text), 4))


def digest_of(value: object) -> str:
    """Return the digest of a JSON value, the same for every order of members."""
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return "sha256:" + hashlib.sha256(canonical.encode()).hexdigest()


def seal(text: str) -> str:
    """Return `text` with its one placeholder replaced by the digest of the whole."""
    if text.count(PLACEHOLDER) != 1:
        raise ValueError("a document to be sealed holds the placeholder exactly once")
    return text.replace(PLACEHOLDER, _digest(text))


def verify(text: str) -> Verdict:
    """Compare a document with the last digest it carries; InputError when it carries none."""
    text = text.removeprefix("\ufeff")
    stated = _SEAL.findall(text)
    if not stated:
        raise InputError(
            "the text carries no seal",
            expected='a whole plan with its last line "Seal: sha256:..."',
        )
    before, _, after = text.rpartition(stated[-1])
    return Verdict(stated[-1], _digest(f"{before}{PLACEHOLDER}{after}"))


def _digest(text: str) -> str:
    return "sha256:" + hashlib.sha256(_normal(text).encode()).hexdigest()


def _normal(text: str) -> str:
    start = text.lstrip()
    if start[:1] in ("{", "["):
        try:
            value = json.loads(start)
        except (ValueError, RecursionError):
            return " ".join(text.split())
        return json.dumps(value, sort_keys=True, separators=(",", ":"))
    if start[:15].lower().startswith("<!doctype html"):
        return text.replace("\r\n", "\n").rstrip("\n")
    return " ".join(text.split())

"""The seal of a document: a digest of what it says, so that a changed copy is noticed.

The digest is SHA-256 over the text with the digest itself replaced by zeros. Markdown and pasted
text are compared with runs of white space folded, because mail, tickets and clipboards change
those, and with every box unticked, because each step invites ticking; what stands before the
plan or after its seal is left out. A saved page is compared byte by byte; JSON is compared by
value (RFC 8259), whatever the order of its members.
"""

import hashlib
import json
import re
from dataclasses import dataclass

from watcher.errors import InputError

PLACEHOLDER = "sha256:" + "0" * 64
_SEAL = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
_CODE_LENGTH = 12
_TICKED = re.compile(r"(?<!\S)- \[[xX]\](?!\S)")
_HEADING = re.compile(r"^(?P<quote>[ \t]*(?:>[ \t]?)*)#\s+Change\s+plan\b", re.MULTILINE)
_LAST_LINE = re.compile(r"Seal:\s+sha256:[0-9a-f]{64}(?!\S)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a document says of itself and what is true; `around`: text stands outside the plan."""

    stated: str
    computed: str
    around: bool = False

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
    """Compare a document with the last digest it carries; InputError when it carries none.

    Of Markdown only what stands from the heading to the seal counts, so that a plan may be quoted
    in a mail, with a greeting before it and a signature behind it.
    """
    text = text.removeprefix("\ufeff")
    plan, around = (text, False) if _is_page(text) or _json(text) is not None else _plan_in(text)
    stated = _SEAL.findall(plan)
    if not stated:
        raise InputError(
            "the text carries no seal",
            expected='a whole plan with its last line "Seal: sha256:..."',
        )
    before, _, after = plan.rpartition(stated[-1])
    return Verdict(stated[-1], _digest(f"{before}{PLACEHOLDER}{after}"), around)


def _plan_in(text: str) -> tuple[str, bool]:
    """Return Markdown from the heading to the seal, and whether other text stands around it.

    Without a heading or a seal that is the whole text, which then is compared as it is.
    """
    heading = _HEADING.search(text)
    if heading is None:
        return text, False
    rest, outside = _unquoted(text[heading.start() :], heading["quote"].count(">"))
    end = max((found.end() for found in _LAST_LINE.finditer(rest)), default=None)
    if end is None:
        return text, False
    around = text[: heading.start()] + rest[end:] + outside
    return rest[:end], bool(around.strip())


def _unquoted(text: str, marks: int) -> tuple[str, str]:
    """Take the quote marks from the lines that all have them; return these and what follows."""
    prefix = re.compile(rf"[ \t]*(?:>[ \t]?){{{marks}}}")
    lines = text.split("\n")
    inside: list[str] = []
    for line in lines:
        found = prefix.match(line)
        if found is None and line.strip():
            break
        inside.append(line[found.end() :] if found else "")
    return "\n".join(inside), "\n".join(lines[len(inside) :])


def _digest(text: str) -> str:
    return "sha256:" + hashlib.sha256(_normal(text).encode()).hexdigest()


def _normal(text: str) -> str:
    if _is_page(text):
        return text.replace("\r\n", "\n").rstrip("\n")
    value = _json(text)
    if value is not None:
        return json.dumps(value, sort_keys=True, separators=(",", ":"))
    return _TICKED.sub("- [ ]", " ".join(text.split()))


def _is_page(text: str) -> bool:
    return text.lstrip()[:15].lower().startswith("<!doctype html")


def _json(text: str) -> object | None:
    start = text.lstrip()
    if start[:1] not in ("{", "["):
        return None
    try:
        value: object = json.loads(start)
    except (ValueError, RecursionError):
        return None
    return value

"""A paste cut into blocks: by prompt, by a command without prompt, or by what output looks like."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from watcher.transcripts.block import Block, Kind
from watcher.transcripts.text import PastedLine, clean

_PROMPT = re.compile(r"(?:^|(?<=[\s`>]))admin:[ `*]*+(?P<command>.*)$", re.ASCII)
_COMMAND_WORDS = (
    ("show ctl", Kind.CTL),
    ("show itl", Kind.ITL),
    ("show cert list", Kind.CERT_LIST),
    ("show cert own", Kind.CERT),
    ("show cert trust", Kind.CERT),
    ("utils service list", Kind.SERVICES),
    ("show network cluster", Kind.NETWORK),
    ("show version active", Kind.VERSION),
    ("run sql select paramname,paramvalue", Kind.PARAMETER),
    ("run sql select paramname, paramvalue", Kind.PARAMETER),
)
# Output that begins a block where no command line stands before it. Only texts that cannot be
# in the middle of another command's output.
_OPENERS = (
    (re.compile(r"(?:The checksum value of the|Length of) CTL file\b", re.IGNORECASE), Kind.CTL),
    (re.compile(r"(?:The checksum value of the|Length of) ITL file\b", re.IGNORECASE), Kind.ITL),
    (re.compile(r"Active Master Version\s*:"), Kind.VERSION),
    (
        re.compile(r"Requesting service status|\S[^\[\]]{1,80}\[(?:STARTED|STOPPED)\]"),
        Kind.SERVICES,
    ),
    (re.compile(r"paramname\s+paramvalue$"), Kind.PARAMETER),
    (re.compile(r"[A-Za-z][A-Za-z0-9-]{1,40}/[^:]{1,128}\.(?:pem|der):\s"), Kind.CERT_LIST),
    (re.compile(r"[0-9A-Fa-f:.]{3,45}\s.{0,300}\b(?:Publisher|Subscriber)\b"), Kind.NETWORK),
    (re.compile(r"Version: V\d|(?:\[\d\]\s*)?Version: \d$"), Kind.CERT),
    (re.compile(r"-----BEGIN CERTIFICATE-----"), Kind.PEM),
)
_OPENS_EACH_TIME = frozenset({Kind.CERT, Kind.PEM, Kind.VERSION})
_KEEPS_PEM = frozenset({Kind.CERT})


@dataclass(slots=True)
class _Draft:
    kind: Kind
    command: str | None
    start: int
    lines: list[PastedLine] = field(default_factory=list)
    opened: bool = False

    def has_output(self) -> bool:
        return any(line.text.strip() for line in self.lines)

    def finish(self) -> Block:
        last = max([self.start, *(line.number for line in self.lines if line.text.strip())])
        return Block(
            kind=self.kind,
            command=self.command,
            lines=tuple(line for line in self.lines if line.text.strip()),
            first_line=self.start,
            last_line=last,
        )


def split(paste: str) -> tuple[Block, ...]:
    """Cut a paste into blocks; every line that is not blank is in exactly one block.

    Takes time in proportion to the length of the paste and raises for no text at all.
    """
    return tuple(_blocks(clean(paste)))


def _blocks(lines: tuple[PastedLine, ...]) -> Iterator[Block]:
    draft: _Draft | None = None
    for line in lines:
        found = _begins(line, draft)
        if found is None:
            draft = draft or _Draft(Kind.OTHER, None, line.number)
            _take(draft, line)
            continue
        before, begun = found
        if draft is not None:
            draft.lines.extend(before)
        if draft is not None and (draft.command is not None or draft.has_output()):
            yield draft.finish()
        draft = begun
    if draft is not None and (draft.command is not None or draft.has_output()):
        yield draft.finish()


def _take(draft: _Draft, line: PastedLine) -> None:
    if not draft.lines and not line.text.strip() and draft.command is None:
        draft.start = line.number + 1
    else:
        draft.lines.append(line)


def _begins(
    line: PastedLine, draft: _Draft | None
) -> tuple[tuple[PastedLine, ...], _Draft | None] | None:
    """Return what the line still adds to the block before it, and the block it begins."""
    prompt = _PROMPT.search(line.text)
    if prompt is not None:
        before = PastedLine(line.number, line.text[: prompt.start()])
        command = prompt["command"].strip(" `*")
        begun = _Draft(command_kind(command), command, line.number) if command else None
        return ((before,) if before.text.strip() else ()), begun
    bare = line.text.strip(" `*>#")
    kind = command_kind(bare)
    if kind is not Kind.OTHER and len(bare) <= 200:  # noqa: PLR2004 -- a command line, not prose
        return (), _Draft(kind, bare, line.number)
    return _opened(line, draft)


def _opened(
    line: PastedLine, draft: _Draft | None
) -> tuple[tuple[PastedLine, ...], _Draft | None] | None:
    kind = _opener(line.text.strip())
    if kind is None:
        return None
    if draft is not None and _belongs(kind, draft):
        draft.opened = draft.opened or kind is draft.kind
        return None
    begun = _Draft(kind, None, line.number, opened=True)
    begun.lines.append(line)
    return (), begun


def _belongs(kind: Kind, draft: _Draft) -> bool:
    """Tell whether output of that kind continues the open block."""
    if kind is Kind.PEM and draft.kind in _KEEPS_PEM:
        return not any(line.text.strip().startswith("-----BEGIN") for line in draft.lines)
    if kind is not draft.kind:
        # Under a command line that is not read, everything is its output until the next prompt.
        return draft.command is not None and draft.kind is Kind.OTHER
    return kind not in _OPENS_EACH_TIME or not draft.opened


def _opener(text: str) -> Kind | None:
    return next((kind for pattern, kind in _OPENERS if pattern.match(text)), None)


def command_kind(command: str) -> Kind:
    """Return which reader a command line belongs to; OTHER for all that have none."""
    text = " ".join(command[:200].lower().split())
    return next(
        (
            kind
            for words, kind in _COMMAND_WORDS
            if text == words or text.startswith((f"{words} ", f"{words},"))
        ),
        Kind.OTHER,
    )

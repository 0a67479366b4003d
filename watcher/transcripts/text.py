"""What a terminal leaves in a paste, taken away: colours, pagers, carriage returns, fences."""

import re
from dataclasses import dataclass

_ESCAPE = re.compile(
    r"\x1b(?:\[[0-?]*+[ -/]*+[@-~]?|\][^\x07\x1b]*+(?:\x07|\x1b\\)?|[@-Z\\^_]?)",
)
_PAGER = re.compile(
    r"Press <enter> for 1 line, <space> for one page, or <q> to quit"
    r"|options: q=quit, n=next, p=prev, b=begin, e=end"
    r"(?: \(lines \d{1,9} - \d{1,9} of \d{1,9}\))? ?:?"
)
_FENCE = re.compile(r"\s*```\w{0,20}\s*")


@dataclass(frozen=True, slots=True)
class PastedLine:
    """One line of a paste: its number in the file, counted from 1, and its cleaned text."""

    number: int
    text: str


def clean(paste: str) -> tuple[PastedLine, ...]:
    """Return the lines of a paste without what only a terminal understands."""
    lines = paste.split("\n")
    return tuple(PastedLine(number, _plain(line)) for number, line in enumerate(lines, start=1))


def _plain(line: str) -> str:
    line = _PAGER.sub("", _ESCAPE.sub("", line))
    if _FENCE.fullmatch(line):
        return ""
    # A pager blanks its own line with a carriage return; what follows is the next line of output.
    return "".join(c if c.isprintable() else " " for c in line).rstrip()

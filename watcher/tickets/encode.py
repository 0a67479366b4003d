r"""One encoder for each output context; everything a ticket or a mail shows passes one of them.

What goes in is plain text that may hold names and evidence out of messages. What comes out shows
that text and nothing else: no markup, link, field, formula or header of its making. Control
characters become visible escapes (`\x1b`, `\u202e`), so that what stands there can be seen.
"""

import json
import re
import unicodedata
from html import escape

LINES = frozenset("\n")
HEADER = 240
"""Characters of a mail header's value; longer is cut, because it is a title and no document."""
_ESCAPED = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Categories that nobody sees or that move what others see: escaped wherever they stand."""
_JIRA = frozenset("\\{}[]|*_-+^~!?#@()<>:;&\"'.,=/$%")
_MARKDOWN = frozenset("\\`*_[]<>&#|~@!")


def visible(text: str, kept: frozenset[str] = LINES) -> str:
    r"""Return text in which what cannot be seen is an escape; characters in `kept` stay.

    Line ends of all kinds become `\n` first, so that none of them ends a field by surprise.
    """
    plain = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x85", "\n")
    if plain.isascii() and plain.isprintable():
        return plain
    return "".join(_seen(one, kept) for one in plain)


def _seen(one: str, kept: frozenset[str]) -> str:
    if one in kept:
        return one
    if one == "\t":
        return "    "
    if unicodedata.category(one) not in _ESCAPED:
        return one
    code = ord(one)
    if code <= 0xFF:  # noqa: PLR2004 -- two digits hold it
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 -- likewise


def one_line(text: str, limit: int) -> str:
    """Return text on one line of visible characters, cut at `limit` with an ellipsis."""
    plain = " ".join(visible(text).split())
    return plain if len(plain) <= limit else f"{plain[: limit - 3].rstrip()}..."


# -- ServiceNow


def servicenow(text: str) -> str:
    """Return the value of a ServiceNow text field: `[code]` in it is text, not markup.

    A journal field shows what stands between `[code]` and `[/code]` as HTML. Each bracket that
    could begin or end such a block is followed by a space, which the platform does not take.
    """
    return re.sub(r"\[(?=\s*/?\s*code\s*\])", "[ ", visible(text), flags=re.IGNORECASE)


# -- Jira


def jira_wiki(text: str) -> str:
    r"""Return Jira wiki markup (Data Center) that shows the text: marks are entities.

    Entities, not backslashes: a backslash before some marks is itself one (`\\` breaks a line).
    """
    return "\n".join(_wiki_line(line) for line in visible(text).split("\n"))


def _wiki_line(line: str) -> str:
    # `bq.` and `h1.` are marks where a line begins, and so are spaces before a list's star.
    made = "".join(f"&#{ord(one)};" if one in _JIRA else one for one in line)
    return re.sub(r"^(\s*)(bq|h[1-6])(?=&#46;)", r"\1&#8203;\2", made)


def jira_adf(text: str) -> dict[str, object]:
    """Return an Atlassian document that shows the text without marks, as short as that can be.

    A paragraph for what stands between empty lines, a hard break for each line end in it.
    """
    blocks = visible(text).split("\n\n")
    return {"type": "doc", "version": 1, "content": [_paragraph(block) for block in blocks]}


def _paragraph(block: str) -> dict[str, object]:
    nodes: list[dict[str, str]] = []
    for number, line in enumerate(block.split("\n")):
        nodes += [{"type": "hardBreak"}] if number else []
        nodes += [{"type": "text", "text": line}] if line else []  # one may not be empty
    return {"type": "paragraph", "content": nodes}


# -- Request Tracker


def rt_html(text: str) -> str:
    """Return HTML for Request Tracker, which cleans it once more."""
    return _html(text)


# -- mail


def mail_header(text: str, limit: int = HEADER) -> str:
    """Return the value of a mail header: one line, no control character, never empty.

    `=?` begins an encoded word, in which line ends and all else could hide; a space ends that.
    """
    return one_line(text.replace("=?", "= ?"), limit) or "(no subject)"


def mail_text(text: str) -> str:
    """Return the text part of a mail: no line is a boundary of mbox or of a signature."""
    return re.sub(r"^(>*From |-- ?$|--)", r" \1", visible(text), flags=re.MULTILINE)


def mail_html(text: str) -> str:
    """Return HTML for a mail."""
    return _html(text)


def _html(text: str) -> str:
    lines = escape(visible(text), quote=True).split("\n")
    return "<br>\n".join(_without_links(line) for line in lines)


def _without_links(line: str) -> str:
    # Mail clients and RT make links of what looks like one; an entity in it ends that.
    return line.replace("://", ":&#8203;//").replace("www.", "www&#8203;.")


# -- documents


def markdown(text: str) -> str:
    """Return Markdown that shows the text: every mark is escaped, a line end is a hard one."""
    lines = visible(text).split("\n")
    return "\\\n".join(_markdown_line(line) for line in lines)


def _markdown_line(line: str) -> str:
    # Some marks are ones only where a line begins, some only before others. An empty line would
    # make the backslash of the line before one that is shown.
    made = "".join(f"\\{one}" if one in _MARKDOWN else one for one in line.strip())
    made = re.sub(r"^(\d*)([-+=.):])", r"\1\\\2", made)
    return made.replace("://", "\\://").replace("www.", "www\\.") or "&nbsp;"


def html(text: str) -> str:
    """Return HTML for text or for a quoted attribute."""
    return _html(text)


def json_text(value: object) -> str:
    """Return ASCII JSON that may also stand in a page: no `<`, `>` or `&` in it."""
    made = json.dumps(value, ensure_ascii=True, separators=(",", ":"), sort_keys=True)
    return made.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")

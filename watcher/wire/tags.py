"""The tag list of a CiscoLog record, in its new form (brackets) and its old form (names).

Values quote whole other records, so the record's own `AppID ClusterID NodeID` are its last
ones: a quoted record ends before them. What stands between is split at group borders only.
"""

import re
from dataclasses import dataclass

from watcher.wire.grammar import GROUPS, known_matches

_LIST_START = re.compile(r"(?:%[ ]?)?(?=\[)")
_TAIL_GROUP = re.compile(
    r"\[\s{0,4}(?:UNKNOWN_PARAM[A-Z]{4}:)?(?P<key>(?:App|Cluster|Node) ?ID)\s{0,4}=", re.IGNORECASE
)
_LIST_END = re.compile(r"\]\s{0,4}(?::|$)")
_LOOSE_KEY = re.compile(r"(?<![A-Za-z_])(?P<key>(?:App|Cluster|Node) ?ID)\s{0,2}[:=]", re.ASCII)
_LOOSE_NAMES = {"appid": "AppID", "clusterid": "ClusterID", "nodeid": "NodeID"}
_LOOSE_ALERT = re.compile(
    r"(?:RTMT )?Alert ?Name\s?[:=]\s?(?P<name>[^\s:\]]{1,128})\s+(?:Alert)?Detail\s?[:=]\s?"
)
_FREE_TEXT = re.compile(r"\[\s{0,4}(?P<name>AlertDetail|Message)\s{0,4}=[ \t]{0,4}")
_ALERT_TEXT = "RTMT Alert"
_UNKNOWN = re.compile(r"UNKNOWN_PARAM(?:NAME|TYPE):")

Tags = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class TagList:
    """Tags in their order, the text after them, and whether the list had an end."""

    tags: Tags
    text: str
    closed: bool


def split(text: str) -> TagList:
    """Read what follows the token."""
    start = _LIST_START.match(text)
    return _bracketed(text[start.end() :]) if start else _loose(text)


def _bracketed(text: str) -> TagList:
    text = _unescape(text)
    tail = _tail_start(text)
    closed = _LIST_END.search(text, tail)
    if closed is None or _only_quoted(text, tail, text[closed.end() :]):
        return TagList(_whole(_own(text), text), "", closed=False)
    last = _groups(text[tail : closed.start()])
    names = {_plain(name) for name, _ in last}
    # The same names further left belong to a record that a value quotes.
    first = tuple((name, value) for name, value in _own(text[:tail]) if _plain(name) not in names)
    return TagList(first + last, text[closed.end() :].lstrip(), closed=True)


def _whole(tags: Tags, text: str) -> Tags:
    """Leave out who raised it where the cut went through that value: half a name is another."""
    cut = bool(tags) and not text.rstrip().endswith("]")
    return tags[:-1] if cut and _plain(tags[-1][0]) in {"nodeid", "clusterid"} else tags


def _only_quoted(text: str, tail: int, after: str) -> bool:
    """Tell whether a cut alert ends in the record that it quotes: that end is not its own."""
    quotes = "MatchedEvent" in text[:tail]
    return quotes and not after.strip().startswith(_ALERT_TEXT[: max(1, len(after.strip()))])


def _tail_start(text: str) -> int:
    """Return where the last unbroken run of AppID, ClusterID and NodeID begins, else 0."""
    start, seen, end = 0, set[str](), None
    for found in reversed(list(_TAIL_GROUP.finditer(text))):
        key = _plain(found["key"])
        between = text[found.end() : end]
        if key in seen or (end is not None and not _is_one_value(between)):
            break
        seen.add(key)
        start = end = found.start()
    return start


def _plain(name: str) -> str:
    return name.replace(" ", "").lower()


def _is_one_value(text: str) -> bool:
    return text.count("]") == 1 and text.rstrip().endswith("]")


def _own(text: str) -> Tags:
    free = _FREE_TEXT.search(text)
    if free is None:
        return _groups(text)
    rest = text[free.start() :]
    split_further = _groups(rest)
    value = text[free.end() :].rstrip().removesuffix("]")
    if free["name"] == "Message" and not _holds_border(split_further, value):
        return _groups(text[: free.start()]) + split_further
    return (*_groups(text[: free.start()]), (free["name"], value))


def _holds_border(tags: Tags, value: str) -> bool:
    # A certificate's file name may look like the border of two groups: `a][b=c].der Unit:...`.
    return bool(tags) and " Unit:" in value and " Unit:" not in tags[0][1]


def _groups(text: str) -> Tags:
    return tuple(
        (_UNKNOWN.sub("", found["name"]).strip(), found["value"])
        for found in known_matches(GROUPS, text)
    )


def _unescape(text: str) -> str:
    # OpenNMS stores `=` as %61 and `;` as %59 (decimal codes); then no `=` is left at all.
    if "=" in text or "%61" not in text:
        return text
    return text.replace("%61", "=").replace("%59", ";")


def _loose(text: str) -> TagList:
    text = text.removeprefix("%").lstrip()
    keys = list(_LOOSE_KEY.finditer(text))
    ends = [*(found.start() for found in keys), len(text)][1:]
    values = {
        _plain(found["key"]): text[found.end() : end] for found, end in zip(keys, ends, strict=True)
    }
    alert = _loose_alert(text, keys)
    tags = [(_LOOSE_NAMES[key], _loose_value(key, value)) for key, value in values.items()]
    return TagList((*alert, *tags), text, closed="nodeid" in values)


def _loose_alert(text: str, keys: list[re.Match[str]]) -> Tags:
    found = _LOOSE_ALERT.match(text)
    if found is None:
        return ()
    # The text of an alert quotes a record with an AppID of its own; ours is the last.
    ends = [key.start() for key in keys if key["key"].startswith("App")]
    detail = text[found.end() : ends[-1] if ends else len(text)]
    return (("AlertName", found["name"]), ("AlertDetail", detail.strip()))


def _loose_value(key: str, text: str) -> str:
    value = text.strip(" \t\r\n,")
    if key == "nodeid":
        # Not every blank is one that was stripped above: VT, FF, NEL and kin are all that is left.
        return next(iter(value.split(None, 1)), "").rstrip(":.,]")
    return value

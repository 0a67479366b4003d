"""The grammars of a UC record, each production printed above the rule that reads it.

Rules of this file:
1. Every grammar is anchored at the place where it is applied; nothing searches (`SkipTo` and
   `scan_string` are quadratic on text that does not match).
2. Every repetition is bounded or ends at a character that it cannot contain, so that time
   grows with the length of the text and not faster. There is no recursion.
3. Blanks are spelled out: pyparsing skips none by itself and leaves tabs as they are.

Sources: RFC 3164 section 4, RFC 5424 section 6, Cisco's CiscoLog description in the Managed
Services Guide (pages 6-5 and 6-6), and the lines in `tests/corpus`.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from pyparsing import Opt, ParserElement
from pyparsing import Regex as _Regex

_BLANK = r"[ \t]"


def _rule(pattern: str, flags: int = 0) -> ParserElement:
    return _Regex(pattern, flags, as_match=True)


# PRI        = "<" 1*3DIGIT ">"                                     RFC 3164 section 4.1.1
# UC servers send local7.notice whatever the alarm's own severity: kept, never believed.
_PRI = r"<(?P<pri>[0-9]{1,3})>" + _BLANK + "*"

# HEADER     = VERSION SP TIMESTAMP SP HOSTNAME SP APP-NAME SP PROCID SP MSGID SP
#              STRUCTURED-DATA [SP MSG]                                 RFC 5424 section 6
# SD-ELEMENT = "[" SD-ID *(SP PARAM-NAME "=" %d34 PARAM-VALUE %d34) "]"     ; section 6.3
# A BOM may stand before MSG (section 6.4).
_SD = r'(?:-|(?:\[(?:[^\]"\\]|"(?:[^"\\]|\\.)*"|\\.)*\])+)'
_RFC5424 = (
    r"1 (?P<rfc5424>[0-9]{4}-[0-9]{2}-[0-9]{2}T\S{8,32}|-)(?: \S{1,255}){4} "
    + _SD + r"[ ]?\ufeff?"
)  # fmt: skip

# TIMESTAMP  = Mmm SP dd SP hh:mm:ss                                RFC 3164 section 4.1.2
# or RFC 3339 as rsyslog and Kiwi write it; then up to three words (host, facility.severity).
_WORD = r"(?:[A-Za-z0-9._/-]{1,255}" + _BLANK + "+)"
_BSD_TIME = r"[A-Z][a-z]{2} {1,2}[0-9]{1,2} [0-9]{2}:[0-9]{2}:[0-9]{2}"
_RELAY_TIME = (
    r"(?:" + _BSD_TIME + r"(?: [0-9]{4})?"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}[T \t][0-9]{2}:[0-9]{2}:[0-9]{2}"
    r"(?:[.,][0-9]{1,9})?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)" + _BLANK + "+"
)

# CISCOSYSLOG = local-time SP host SP facility SP severity SP [tag] ":" SP
# The file writes `local7 2 :` or `local7 2 ccm:`, in one sample `local99`; a web page cut the
# time to its seconds (`31 uc-ucm-01 local7 3 : `). Nothing of it is validated or kept.
_LOCAL = (
    r"(?P<local>(?:" + _BSD_TIME + r"|[0-9]{1,2}) +[^\s:]{1,255} +[A-Za-z][A-Za-z0-9]{1,15}"
    r" +[0-7] +[^\s:\[\]%]{0,32}:)" + _BLANK + "+"
)

# TIME       = Mmm SP dd [SP yyyy] SP hh:mm:ss [SP AM/PM] ["." fraction] [SP AM/PM]
# Java services put AM or PM between the seconds and the fraction (`05:50:19 AM.484`); old
# releases leave out the year; the fraction is not padded.
_TIME = (
    r"(?P<month>[A-Z][a-z]{2}) {1,2}(?P<day>[0-9]{1,2})(?: (?P<year>[0-9]{4}))?"
    r" (?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
    r"(?: (?P<half>[AP]M))?(?:\.(?P<fraction>[0-9]{1,9}))?(?: (?P<half_after>[AP]M))?"
)
_TIME_AHEAD = r"[*.~]?[A-Z][a-z]{2} {1,2}[0-9]{1,2}(?: [0-9]{4})? [0-9]{1,2}:[0-9]{2}:[0-9]{2}"
_TOKEN_AHEAD = r"% ?(?:UC|CCM|uc|ccm)_"  # noqa: S105 -- a message token

# CISCOLOG   = [SEQNUM ":" SP] [[HOST] ":" SP] [[ACCURACY] TIME SP ZONE SP ":" SP] TOKEN
# HOST may be absent (audit lines), empty (relayed lines) or without its colon. Relays strip
# PRI and leave empty fields (`: : 7273: May 30`). The blanks before `%` are one to three.
_CISCOLOG = (
    r"(?:" + _BLANK + r"*:" + _BLANK + r"+){0,3}"
    r"(?:(?P<seqnum>[0-9]{1,18}):" + _BLANK + r"+)?"
    r"(?::" + _BLANK + r"+)?"
    r"(?:(?P<host>[A-Za-z0-9._-]{1,255})(?::" + _BLANK + r"*|" + _BLANK + r"+)"
    r"(?=" + _TIME_AHEAD + "|" + _TOKEN_AHEAD + r"))?"
    r"(?:(?P<accuracy>[*.~])?(?P<time>" + _TIME + r"(?:" + _BLANK
    + r"+(?P<zone>[A-Za-z+-][A-Za-z0-9_/+-]{0,31}(?::[0-9]{2})?))?)"
    + _BLANK + r"*:" + _BLANK + r"*)?"
)  # fmt: skip

HEADER: ParserElement = _rule(
    "(?:" + _PRI + ")?(?:" + _RFC5424 + ")?"
    r"(?:(?P<relay>" + _RELAY_TIME + _WORD + r"{0,3}?))??(?:" + _LOCAL + r")?" + _CISCOLOG
    + r"(?=%)",
    re.DOTALL,
).leave_whitespace().parse_with_tabs()  # fmt: skip
"""Everything before the token; it must reach from the first byte to the `%`."""

# TOKEN      = "%" APPNAME "-" SEVERITY "-" MSGNAME ":"                   CiscoLog, page 6-5
# APPNAME may hold a blank (`UC_Location Bandwidth Manager`), mixed case (`UC_ReplWatcher`) or
# two parts (`CCM_RTMT-RTMT`); MSGNAME a dot (`RollBackToPre8.0Enabled`) or hyphens
# (`RTMT-ERROR-ALERT`); a blank may stand before the colon.
TOKEN: ParserElement = (
    _rule(
        r"%?[ ]?(?P<appname>(?:UC|CCM)_[A-Za-z0-9_]{1,64}(?:[ -][A-Za-z][A-Za-z0-9_]{0,63}){0,6}?)"
        r"-(?P<severity>[0-7])-[ ]?(?P<msgname>[A-Za-z0-9_.-]{1,128})[ ]{0,2}(?::|$)"
        + _BLANK
        + "*",
        re.IGNORECASE,
    )
    .leave_whitespace()
    .parse_with_tabs()
)

FOREIGN_TOKEN = re.compile(r"%[A-Za-z0-9_]{1,64}(?:-[A-Za-z0-9_]{1,64}){0,3}?-[0-7]-[A-Za-z0-9_]")
"""The same of any Cisco device: such a line is not ours, whatever it quotes."""

# TAGS       = "%" 1*GROUP ":"        GROUP = "[" *SP NAME *SP "=" *SP VALUE "]"
# VALUE may hold ":" "=" "," and "]": it ends at a "]" after which a group or the end follows.
_GROUP = (
    r"\[" + _BLANK + r"{0,4}(?P<name>[^\[\]=]{1,64}?)" + _BLANK + r"{0,4}=" + _BLANK + r"{0,4}"
    r"(?P<value>(?:[^\]]|\](?!\s{0,4}(?:\[[^\[\]=]{0,64}(?:=|$)|$)))*)\]?\s{0,4}"
)
GROUPS: ParserElement = _rule(_GROUP, re.DOTALL)[...].leave_whitespace().parse_with_tabs()

# BODY       = "Certificate name:" FILE SP "Unit:" STORE SP "Type:" TYPE SP "Expiration:" DATE
# The value is cut at a fixed length (129 characters in the two untouched samples), so every
# part may be missing from the right. FILE is read up to " Unit:", because file names in trust
# stores hold blanks and brackets.
_UP_TO = r"(?:(?! {0}:).)*"
BODY: ParserElement = (
    (
        _rule(r"(?P<name>" + _UP_TO.format("Unit") + ")", re.DOTALL)
        + Opt(
            _rule(r" Unit:(?P<unit>" + _UP_TO.format("Type") + ")", re.DOTALL)
            + Opt(
                _rule(r" Type:(?P<type>" + _UP_TO.format("Expiration") + ")", re.DOTALL)
                + Opt(_rule(r" Expiration:(?P<expiration>.*)", re.DOTALL))
            )
        )
    )
    .leave_whitespace()
    .parse_with_tabs()
)

# ALERT      = "At" DATE "on node" NODE ", the following" NAME "events generated:"
# and at the end of other alerts "The alarm is generated on" DATE ["on node" NODE].
_DATE = (
    r"(?P<time>[A-Z][a-z]{2}\s+[A-Z][a-z]{2}\s+[0-9]{1,2}\s+[0-9]{2}:[0-9]{2}:[0-9]{2}"
    r"\s+\S{1,32}\s+[0-9]{4})"
)
ALERT_HEAD: ParserElement = (
    _rule(
        r"At\s+" + _DATE + r"\s+on node\s+(?P<node>[^\s,]{1,255}),\s+the following\s+"
        r"(?P<name>[A-Za-z0-9_-]{1,128})\s+events? generated"
    )
    .leave_whitespace()
    .parse_with_tabs()
)
ALERT_FOOT: ParserElement = _rule(
    r"The (?:alarm|alert) is generated on\s+" + _DATE
    + r"(?:\s+on node\s+(?P<node>[A-Za-z0-9._:-]{0,254}[A-Za-z0-9]))?"
).leave_whitespace().parse_with_tabs()  # fmt: skip


REPEATED = 512
"""Characters of a text that is worth remembering: alarms repeat nightly, and from every node."""


def fields(grammar: ParserElement, text: str) -> dict[str, str | None]:
    """Read `text` from its first character and return the named parts; "" is all of them.

    Raises pyparsing's ParseException where the text does not begin as the grammar says.
    """
    return _named(matches(grammar, text))


def known_fields(grammar: ParserElement, text: str) -> dict[str, str | None]:
    """Do the same for a text that comes again and again: what was read before is remembered."""
    return _named(known_matches(grammar, text))


def _named(found: Sequence[re.Match[str]]) -> dict[str, str | None]:
    parts: dict[str, str | None] = {"": "".join(match[0] for match in found)}
    for match in found:
        parts |= match.groupdict()
    return parts


def matches(grammar: ParserElement, text: str) -> Sequence[re.Match[str]]:
    """Return what each rule of the grammar met, in order."""
    return tuple(grammar.parse_string(text))


def known_matches(grammar: ParserElement, text: str) -> Sequence[re.Match[str]]:
    """Do the same for a text that comes again and again."""
    return _remembered(grammar, text) if len(text) <= REPEATED else matches(grammar, text)


_remembered = lru_cache(maxsize=4096)(matches)

"""The page as HTML for mail and as plain text.

Mail clients drop scripts, style sheets in the head, SVG and often images; so there is none of
them. Styles are written into each element, only the rules for dark screens stay in the head, and
the picture of the year is a table whose cells are the bars (docs/digest.md says why).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from css_inline import CSSInliner
from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup, escape

from watcher.digest.fits import told
from watcher.digest.subject import plural
from watcher.model.digest import DigestLine, DigestPage, Section
from watcher.slots.spans import ceil_div
from watcher.tickets.encode import mail_html, mail_text, one_line

SHOWN = 60
"""Lines of one page: some mail clients clip what is larger than about 100 KB. More are counted."""
FEWEST = 3
"""Lines that each section shows whatever stands above it."""
CLUSTERS, SOURCES = 20, 10
"""Clusters and silent sources of one page; more are counted."""
FIELD = 300
"""Characters of one value."""
BAR = 30
"""Characters of the longest bar in plain text."""

TITLES: Mapping[Section, tuple[str, str]] = {
    Section.EXPIRED: ("Expired or revoked", "Nobody has shown that these are no longer served."),
    Section.PRESSING: (
        "Ends before the next feasible window",
        "The plan fits no window before the end; where no window is known: within 14 days.",
    ),
    Section.LAST_WINDOW: (
        "One window left", "No window is left before the end for a second attempt.",
    ),
    Section.UNKNOWN_END: (
        "End not known", "It may be soon: find it out on the node, until then as soon as possible.",
    ),
    Section.COPIES: (
        "Over in trust stores only",
        "All alarms speak of copies; none says whether the original is still served.",
    ),
    Section.NEW: ("New since last week", "First alarm within the last seven days."),
    Section.WORSE: ("Worse than last week", "Came back, or passed a mark since last week."),
    Section.OPEN: ("Open", "Known before, nothing changed."),
    Section.ACKNOWLEDGED: ("In hand", "Acknowledged by a person, or a change is planned in time."),
    Section.DONE: ("Done and verified", "Resolved within the last seven days, on evidence."),
    Section.QUIET: ("Quiet but unproven", "The alarms stopped. That proves nothing."),
}  # fmt: skip
URGENT = (
    Section.EXPIRED, Section.PRESSING, Section.LAST_WINDOW, Section.UNKNOWN_END, Section.COPIES,
)  # fmt: skip
"""What stands above the clusters."""
GRADES = ("a claim", "a known address", "a proven sender", "the certificate itself")
Templates = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Group:
    """The lines of one cluster within a section."""

    cluster: str
    contact: str
    plan: str
    link: str
    lines: tuple[DigestLine, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A section as far as it is shown; `count` are all of it, `more` those that are not shown."""

    section: Section
    count: int
    groups: tuple[Group, ...]
    more: int

    @property
    def urgent(self) -> bool:
        """Tell whether it stands above the clusters."""
        return self.section in URGENT


def parts(page: DigestPage) -> tuple[Part, ...]:
    """Return what is shown of each section: the most urgent lines, by cluster."""
    quota = {section: min(len(lines), FEWEST) for section, lines in page.sections}
    left = SHOWN - sum(quota.values())
    for section, lines in page.sections:
        more = min(left, len(lines) - quota[section])
        quota[section] += more
        left -= more
    return tuple(_part(section, lines, quota[section]) for section, lines in page.sections)


def _part(section: Section, lines: tuple[DigestLine, ...], most: int) -> Part:
    found: dict[str, list[DigestLine]] = {}
    for line in lines[:most]:
        found.setdefault(line.cluster, []).append(line)
    groups = (
        Group(name, own[0].contact, own[0].plan, own[0].link, tuple(own))
        for name, own in found.items()
    )
    return Part(section, len(lines), tuple(groups), len(lines) - min(most, len(lines)))


def html(page: DigestPage, templates: Templates) -> str:
    """Return the page for mail, with all styles written into its elements."""
    drawn = _draw(page, "digest.html.j2", templates, autoescape=True)
    inliner = CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)
    return inliner.inline(drawn)


def text(page: DigestPage, templates: Templates) -> str:
    """Return the same as plain text."""
    drawn = _draw(page, "digest.txt.j2", templates, autoescape=False)
    lines = mail_text(drawn).strip("\n").split("\n")
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _draw(page: DigestPage, name: str, templates: Templates, *, autoescape: bool) -> str:
    environment = Environment(
        loader=DictLoader(dict(templates)), undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, autoescape=autoescape,  # noqa: S701 -- plain text has its own encoder
        finalize=_shown if autoescape else _plain,
    )  # fmt: skip
    zone = ZoneInfo(page.zone)
    environment.filters |= {
        "moment": lambda at, name="": told(at, ZoneInfo(name) if name else zone),
        "month": _month, "grade": _grade,
        "days": _days, "sentence": _sentence, "bar": _bar, "plural": plural,
        "right": _right, "url": _url, "drawn": _Set,
    }  # fmt: skip
    return environment.get_template(name).render(
        page=page,
        titles=TITLES,
        parts=parts(page),
        clusters=CLUSTERS,
        sources=SOURCES,
        most=max((m.alarmed + m.listed for m in page.months), default=0) or 1,
    )


class _Set(str):
    """Text that is set as it stands: figures, and what was drawn out of encoded parts."""

    __slots__ = ()


def _plain(value: object) -> object:
    if isinstance(value, _Set) or not isinstance(value, str):
        return value
    return one_line(value, FIELD)


def _shown(value: object) -> object:
    if isinstance(value, str) and not isinstance(value, Markup):
        return Markup(mail_html(one_line(value, FIELD)))  # noqa: S704 -- it has just been encoded
    return value


def _month(first: date) -> str:
    return f"{first:%Y-%m}"


def _grade(grade: int) -> str:
    return GRADES[grade] if 0 <= grade < len(GRADES) else str(grade)


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def _days(days: int | None) -> str:
    return "?" if days is None else str(days)


def _bar(count: int, most: int, mark: str) -> str:
    return mark * ceil_div(count * BAR, most)


def _right(count: int) -> _Set:
    return _Set(f"{count:3d}")


def _url(link: str) -> Markup:
    """Return an address for an attribute; what is no web address leads nowhere."""
    address = one_line(link, 2000)
    return escape(address) if address.startswith(("https://", "http://")) else Markup()

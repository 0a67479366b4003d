"""The subject line: it tells the state, so that it need not be opened to know it."""

from collections.abc import Sequence

from watcher.model.digest import DigestLine, Section

_WORDS = {
    Section.EXPIRED: "{} expired",
    Section.PRESSING: "{} due before the next window",
    Section.LAST_WINDOW: "{} with one window left",
    Section.NEW: "{} new",
    Section.WORSE: "{} worse",
}
_CALM = {Section.OPEN: "{} open", Section.ACKNOWLEDGED: "{} in hand", Section.QUIET: "{} unproven"}
Sections = Sequence[tuple[Section, tuple[DigestLine, ...]]]


def state_of(sections: Sections, *, alive: int, silent: int) -> str:
    """Return the state in a few words, the worst first."""
    count = {section: len(lines) for section, lines in sections}
    words = [text.format(count[s]) for s, text in _WORDS.items() if count.get(s)]
    words = words or [text.format(count[s]) for s, text in _CALM.items() if count.get(s)]
    if silent:
        words.append(f"{silent} {_sources(silent)} silent")
    calm = "all quiet" if alive else "nothing is due"  # nobody alive is no quiet
    return ", ".join(words) or f"{calm}, {alive} {_sources(alive)} alive"


def subject_of(state: str, period: str) -> str:
    """Return the subject of a week's digest."""
    return f"{state[:1].upper()}{state[1:]}: week {int(period.partition('-W')[2])}"


def _sources(count: int) -> str:
    return "source" if count == 1 else "sources"

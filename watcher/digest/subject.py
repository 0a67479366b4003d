"""The subject line: it tells the state, so that it need not be opened to know it."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from watcher.model.digest import DigestLine, DigestPage, Section

_WORDS = {
    Section.LAST_WINDOW: "{} with one window left",
    Section.UNKNOWN_END: "{} with an unknown end",
    Section.COPIES: "{} over in trust stores only",
    Section.NEW: "{} new",
    Section.WORSE: "{} worse",
}
_CALM = {Section.OPEN: "{} open", Section.ACKNOWLEDGED: "{} in hand", Section.QUIET: "{} unproven"}
Lines = tuple[DigestLine, ...]


def judged(page: DigestPage) -> DigestPage:
    """Return the page with what is said of all of it: state, subject, and whether it is quiet."""
    troubles = tuple(_troubles(page))
    calm = f"all quiet, {plural(page.alive, 'source')} alive"
    state = ", ".join([*_sections(page), *troubles]) or calm
    return replace(
        page, troubles=troubles, state=state, quiet=not (troubles or _due(page)),
        subject=f"{state[:1].upper()}{state[1:]}: week {int(page.period.partition('-W')[2])}",
    )  # fmt: skip


def plural(count: int, noun: str) -> str:
    """Return how many there are of something."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _due(page: DigestPage) -> bool:
    return any(section is not Section.DONE for section, _ in page.sections)


def _sections(page: DigestPage) -> list[str]:
    """Return how many certificates are due; of what waits only where nothing is worse."""
    lines = dict(page.sections)
    words = [*_over(lines.get(Section.EXPIRED, ())), *_misfits(page)]
    words += _pressing(lines.get(Section.PRESSING, ()), page)
    words += _counted(_WORDS, lines)
    return words or _counted(_CALM, lines)


def _counted(texts: Mapping[Section, str], lines: Mapping[Section, Lines]) -> list[str]:
    return [text.format(len(lines[s])) for s, text in texts.items() if lines.get(s)]


def _over(lines: Lines) -> Iterator[str]:
    revoked = sum(line.revoked for line in lines)
    if len(lines) > revoked:
        yield f"{len(lines) - revoked} expired"
    if revoked:
        yield f"{revoked} revoked"


def _misfits(page: DigestPage) -> Iterator[str]:
    count = sum(one.misfit for one in page.clusters)
    if count:
        yield f"{plural(count, 'plan')} fit{'s' if count == 1 else ''} no window"


def _pressing(lines: Lines, page: DigestPage) -> Iterator[str]:
    """Speak of windows only where one is known."""
    known = {one.name for one in page.clusters if one.window is not None}
    count = sum(line.cluster in known for line in lines)
    if count:
        yield f"{count} due before the next feasible window"
    if len(lines) > count:
        yield f"{len(lines) - count} due within 14 days"


def _troubles(page: DigestPage) -> Iterator[str]:
    """Yield all that keeps a page without a certificate on it from being good news."""
    if page.silent:
        yield f"{plural(len(page.silent), 'source')} silent"
    elif not page.alive and (page.unheard or not _due(page)):
        yield f"{'' if _due(page) else 'nothing is due, '}0 sources alive"
    if page.stages:
        yield f"{plural(len(page.stages), 'stage')} of ours stalled"
    if page.stuck:
        yield "tickets stuck"
    if page.books.difference > 0:  # below 0 the counts of what was received are on their way
        yield f"books off by {page.books.difference}"
    if page.strays:
        yield f"{page.strays} of no list"
    if page.missed:
        yield f"{plural(len(page.missed), 'digest')} missed"

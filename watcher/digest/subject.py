"""The subject line: it tells the state, so that it need not be opened to know it."""

from collections.abc import Iterator
from dataclasses import replace

from watcher.model.digest import DigestPage, Section

_WORDS = {
    Section.PRESSING: "{} due before the next feasible window",
    Section.LAST_WINDOW: "{} with one window left",
    Section.UNKNOWN_END: "{} with an unknown end",
    Section.LYING: "{} over in trust stores only",
    Section.NEW: "{} new",
    Section.WORSE: "{} worse",
}
_CALM = {Section.OPEN: "{} open", Section.ACKNOWLEDGED: "{} in hand", Section.QUIET: "{} unproven"}


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
    count = {section: len(lines) for section, lines in page.sections}
    over = [
        line for section, lines in page.sections if section is Section.EXPIRED for line in lines
    ]
    revoked = sum(line.revoked for line in over)
    first = [f"{len(over) - revoked} expired"] if len(over) > revoked else []
    first += [f"{revoked} revoked"] if revoked else []
    words = [text.format(count[s]) for s, text in _WORDS.items() if count.get(s)]
    misfits = sum(one.misfit for one in page.clusters)
    if misfits:
        first.append(f"{plural(misfits, 'plan')} fit{'s' if misfits == 1 else ''} no window")
    return [*first, *words] or [text.format(count[s]) for s, text in _CALM.items() if count.get(s)]


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
    if page.books.difference:
        yield f"books off by {page.books.difference}"
    if page.strays:
        yield f"{page.strays} of no list"
    if page.missed:
        yield f"{plural(len(page.missed), 'digest')} missed"

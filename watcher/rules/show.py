"""What the catalogue says about one store, for a release and a cluster: values, no layout."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from itertools import groupby

from watcher.model.plan import Cite, CommandLine, Disagreement, Line, SourceEntry
from watcher.model.release import Release
from watcher.rules.catalogue import Catalogue
from watcher.rules.select import Facts, Selected, select
from watcher.rules.store import Answer, On, PhoneReset, Renewal, Restart, Scope, Store
from watcher.rules.terms import Cited, Condition, Confidence
from watcher.rules.work import Service, ServiceCommand

ON_WORDS = {
    On.CHANGED: "nodes with a new certificate",
    On.EVERY: "every node that runs it",
    On.PUBLISHER: "publisher",
    On.SUBSCRIBERS: "subscribers",
}
VALUE_WORDS = {
    Scope.NODE: "One certificate on each node.",
    Scope.PUBLISHER: "One certificate, on the publisher.",
    Scope.CLUSTER: "One certificate for the whole cluster.",
    Renewal.REGENERATE: "Regenerate it.",
    Renewal.DELETE_ONLY: "Delete it; it cannot be regenerated.",
    Renewal.ROTATE_KEY: "Rotate its key.",
    Renewal.REISSUE: "Have it issued anew.",
    Renewal.NONE: "Nothing is renewed here.",
    Answer.YES: "Yes.",
    Answer.NO: "No.",
    Answer.DEPENDS: "It depends.",
    PhoneReset.AUTOMATIC: "The system resets phones by itself.",
    PhoneReset.MANUAL: "Phones must be reset by hand.",
    PhoneReset.POSSIBLE: "Phones may reset by themselves.",
    PhoneReset.NONE: "No phone is reset.",
}
_OPPOSITES = (
    (Condition.MIXED, Condition.NON_SECURE),
    (Condition.TOKENLESS, Condition.ETOKEN),
    (Condition.SELF_SIGNED, Condition.CA_SIGNED),
    (Condition.SINGLE_NODE, Condition.MULTI_NODE),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartRow:
    """One restart: which service, where, how firmly it is asked for, and how it is done."""

    order: int
    service: str
    nodes: str
    need: str
    commands: tuple[CommandLine, ...]
    gui: str | None
    why: str | None
    contradiction: str | None
    cite: Cite
    only_if: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreView:
    """One store as `watcher rules show` tells it; each line carries its source."""

    id: str
    title: str
    kind: str
    exists_in: str
    exists: bool | None
    release: str | None
    file: str | None
    cli_unit: str | None
    trust_of: str | None
    trust_store: str | None
    role: str | None
    phone_facing: bool
    position: int
    impact: tuple[Line, ...]
    used_by: tuple[Line, ...]
    scope: tuple[Line, ...]
    renewal: tuple[Line, ...]
    in_itl: tuple[Line, ...]
    in_ctl: tuple[Line, ...]
    resets_phones: tuple[Line, ...]
    copies_to: tuple[Line, ...]
    restarts: tuple[RestartRow, ...]
    cautions: tuple[Line, ...]
    tell: tuple[Line, ...]
    known_files: tuple[Line, ...]
    contradictions: tuple[Disagreement, ...]
    sources: tuple[SourceEntry, ...] = ()


def facts_given(given: Iterable[Condition], absent: Iterable[Condition] = ()) -> Facts:
    """Return the facts for conditions that hold and that do not; the rest stays unknown.

    Where one condition excludes another (mixed and non-secure mode), the other follows.
    """
    facts: dict[Condition, bool | None] = dict.fromkeys(absent, False)
    facts |= dict.fromkeys(given, True)
    for one, other in (*_OPPOSITES, *(pair[::-1] for pair in _OPPOSITES)):
        if one in facts and other not in facts:
            facts[other] = not facts[one]
    return facts


def store_view(catalogue: Catalogue, name: str, release: Release | None, facts: Facts) -> StoreView:
    """Return everything that holds or may hold for a store, or raise InputError."""
    store = catalogue.store(name)
    view = _Viewer(catalogue, release, facts)
    shown = StoreView(
        id=catalogue.store_name(name) or name,
        title=store.title,
        kind=store.kind,
        exists_in=str(store.releases),
        exists=store.releases.matches(release) if release else None,
        release=str(release) if release else None,
        file=store.file,
        cli_unit=store.cli_unit,
        trust_of=store.trust_of,
        trust_store=store.trust_store,
        role=store.role,
        phone_facing=store.phone_facing,
        position=store.position,
        impact=view.lines(store.impact),
        used_by=view.lines(store.used_by),
        scope=view.values(store.scope),
        renewal=view.values(store.renewal),
        in_itl=view.values(store.in_itl),
        in_ctl=view.values(store.in_ctl),
        resets_phones=view.values(store.resets_phones),
        copies_to=view.lines(store.copies_to),
        restarts=view.restarts(store),
        cautions=view.lines(store.cautions),
        tell=view.lines(store.tell),
        known_files=view.lines(store.known_files),
        contradictions=view.contradictions(store),
    )
    return replace(shown, sources=_sources(catalogue, shown))


@dataclass(frozen=True, slots=True)
class _Viewer:
    catalogue: Catalogue
    release: Release | None
    facts: Facts

    def lines(self, items: Iterable[Cited]) -> tuple[Line, ...]:
        return tuple(
            Line(text=_text(found.item), cite=cite(found.item), only_if=found.only_if)
            for found in select(items, self.release, self.facts)
        )

    def values(self, items: Iterable[Cited]) -> tuple[Line, ...]:
        # The first that holds is the answer; what follows it is for other clusters.
        lines = self.lines(items)
        certain = (number for number, line in enumerate(lines, 1) if not line.only_if)
        return lines[: next(certain, len(lines))]

    def restarts(self, store: Store) -> tuple[RestartRow, ...]:
        rows = select(store.restarts, self.release, self.facts)
        runs = groupby(rows, key=lambda found: (found.item.service, found.item.on))
        merged = (tuple(run) for _, run in runs)
        return tuple(self._restart(order, found) for order, found in enumerate(merged, 1))

    def _restart(self, order: int, run: tuple[Selected[Restart], ...]) -> RestartRow:
        """Return one row for rows in a run that name the same service on the same nodes."""
        first = run[0].item
        service = self.catalogue.service(first.service)
        alike = len({(found.item.need, found.item.text) for found in run}) == 1
        return RestartRow(
            order=order,
            service=service.name,
            nodes=ON_WORDS[first.on],
            need=" or ".join(dict.fromkeys(found.item.need.value for found in run)),
            commands=self._commands(service),
            gui=service.gui,
            why=first.text if alike else " ".join(_variant(found) for found in run),
            contradiction=next((r.item.contradiction for r in run if r.item.contradiction), None),
            cite=_cite_all([found.item for found in run]),
            only_if=_either(run) if alike else (),
        )

    def _commands(self, service: Service) -> tuple[CommandLine, ...]:
        found = select(service.restart, self.release, self.facts)
        return tuple(_command(service, command) for command in found)

    def contradictions(self, store: Store) -> tuple[Disagreement, ...]:
        rows = (row.contradiction for row in store.restarts if row.contradiction)
        named = dict.fromkeys((*store.contradictions, *rows))
        return tuple(
            self._contradiction(key)
            for key in named
            if self.release is None
            or self.catalogue.contradictions[key].releases.matches(self.release)
        )

    def _contradiction(self, key: str) -> Disagreement:
        told = self.catalogue.contradictions[key]
        sides = tuple(
            Line(text=side.text, cite=Cite(sources=side.source, releases="all", confidence=""))
            for side in told.sides
        )
        return Disagreement(
            id=key, question=told.question, sides=sides,
            default=told.default, alternative=told.alternative, why=told.why,
        )  # fmt: skip


def _sources(catalogue: Catalogue, view: StoreView) -> tuple[SourceEntry, ...]:
    return tuple(
        SourceEntry(id=key, title=source.title, url=source.url)
        for key in sorted(set(_cited(view)))
        for source in (catalogue.sources[key],)
    )


def _cited(shown: object) -> Iterator[str]:
    """Yield the sources of every line inside a part of a view."""
    if isinstance(shown, Cite):
        yield from shown.sources
    elif isinstance(shown, tuple):
        for part in shown:
            yield from _cited(part)
    elif is_dataclass(shown):
        for field in fields(shown):
            yield from _cited(getattr(shown, field.name))


def _variant(found: Selected[Restart]) -> str:
    """Return need, condition and reason of one row among several for a service."""
    reason = f": {found.item.text}" if found.item.text else "."
    return f"{found.item.need.capitalize()}{only_if_words(found.only_if)}{reason}"


def _either(run: Sequence[Selected[Restart]]) -> tuple[str, ...]:
    """Return the condition under which one of the rows holds; none when one holds anyway."""
    if len(run) == 1:
        return run[0].only_if
    common = [word for word in run[0].only_if if all(word in found.only_if for found in run)]
    rest = [" and ".join(w for w in found.only_if if w not in common) for found in run]
    return (*common, " or ".join(rest)) if all(rest) else tuple(common)


def _cite_all(items: Sequence[Cited]) -> Cite:
    """Return every source of the items, with the weakest confidence among them."""
    sources = dict.fromkeys(source for item in items for source in item.source)
    releases = dict.fromkeys(str(item.releases) for item in items)
    weakest = max((item.confidence for item in items), key=list(Confidence).index)
    return Cite(sources=tuple(sources), releases=" or ".join(releases), confidence=weakest.value)


def cite(item: Cited) -> Cite:
    """Return where an item was read, as plans show it."""
    return Cite(sources=item.source, releases=str(item.releases), confidence=item.confidence.value)


def cite_words(cited: Cite) -> str:
    """Print sources, confidence and, unless it is `all`, the range: `DOC; seen; >=12.0`."""
    releases = "" if cited.releases == "all" else cited.releases
    return "; ".join(filter(None, (", ".join(cited.sources), cited.confidence, releases)))


def only_if_words(conditions: tuple[str, ...]) -> str:
    """Print what must be found out first, with a blank in front; nothing when nothing is open."""
    return f" (only if {' and '.join(conditions)})" if conditions else ""


def _text(item: Cited) -> str:
    """Return what an item says in one sentence, whatever kind of item it is."""
    subject = next(
        (value for name in ("party", "store", "pattern") if (value := getattr(item, name, None))),
        None,
    )
    text = getattr(item, "text", None)
    value = getattr(item, "value", None)
    if subject is not None:
        return f"{subject}: {text}" if text else str(subject)
    bug = getattr(item, "bug", None)
    words = (VALUE_WORDS[value] if value is not None else None, text, f"({bug})" if bug else None)
    return " ".join(word for word in words if word)


def _command(service: Service, found: Selected[ServiceCommand]) -> CommandLine:
    return CommandLine(
        text=found.item.text.replace("{service}", service.name),
        cite=cite(found.item),
        tentative=found.item.confidence is not Confidence.SEEN,
        only_if=found.only_if,
    )

"""How `watcher rules` lays its answers out for a terminal of 80 columns."""

from collections import Counter
from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from watcher.model.plan import CommandLine, Line
from watcher.rules.catalogue import Catalogue
from watcher.rules.crosscheck import walk
from watcher.rules.diff import Difference, Kind
from watcher.rules.show import RestartRow, StoreView, cite_words, only_if_words
from watcher.rules.store import Store
from watcher.rules.terms import Cited, Confidence

_INDENT = 2
_MARKS = {Kind.ADDED: "+", Kind.REMOVED: "-", Kind.CHANGED: "~", Kind.MOVED: "="}
_SECTIONS = (
    ("When it has expired", "impact"),
    ("Used by", "used_by"),
    ("How many there are", "scope"),
    ("How it is renewed", "renewal"),
    ("In the ITL", "in_itl"),
    ("In the CTL", "in_ctl"),
    ("Phones", "resets_phones"),
    ("Copied by the system into", "copies_to"),
)
_LATER_SECTIONS = (
    ("Cautions", "cautions"),
    ("Tell", "tell"),
    ("Known file names", "known_files"),
)


def console() -> Console:
    """Return a console that prints data as it is: no markup, no guessed colours."""
    return Console(markup=False, highlight=False, emoji=False)


def print_summary(out: Console, catalogue: Catalogue, packs: int) -> None:
    """Print what was checked: stores by examples, statements by confidence, and the rest."""
    table = _table("Store", "Kind", "Releases", "Examples", "Seen", "Para.", "Own")
    for key, store in catalogue.stores.items():
        counted = _confidences(store)
        numbers = (len(store.examples), *(counted[mark] for mark in Confidence))
        table.add_row(key, store.kind, str(store.releases), *(str(n) for n in numbers))
    out.print(table)
    cited = {key for part in _parts(catalogue) for key in _sources(part)}
    unused = sorted(catalogue.sources.keys() - cited)
    total = sum((_confidences(part) for part in _parts(catalogue)), Counter[Confidence]())
    marks = ", ".join(f"{total[mark]} {mark}" for mark in Confidence)
    out.print(f"Packs: {packs}. Statements: {total.total()} ({marks}).")
    left = f", of which {len(unused)} are not cited: {', '.join(unused)}" if unused else ""
    out.print(f"Sources: {len(catalogue.sources)}{left}.")
    kinds = ("services", "steps", "safety", "contradictions", "questions", "ways")
    counts = ", ".join(f"{len(getattr(catalogue, kind))} {kind}" for kind in kinds)
    out.print(f"Also: {counts}, {len(catalogue.alarms.certificate)} certificate alarms.")


def print_stores(out: Console, catalogue: Catalogue) -> None:
    """Print the stores in the order of work."""
    table = _table("Place", "Store", "Kind", "Releases", "Holds")
    for key, store in sorted(catalogue.stores.items(), key=_place):
        place = str(store.position)
        table.add_row(place, key, store.kind, str(store.releases), store.title)
    out.print(table)
    out.print("Details: watcher rules show STORE [--release 12.5] [--given mixed]")


def print_view(out: Console, view: StoreView) -> None:
    """Print everything known about one store."""
    out.print(Text(f"{view.id}: {view.title}", style="bold"))
    out.print(_header(view))
    if view.exists is False:
        out.print(f"It does not exist in release {view.release}.")
        return
    for title, name in _SECTIONS:
        _print_lines(out, title, getattr(view, name))
    _print_restarts(out, view.restarts)
    for title, name in _LATER_SECTIONS:
        _print_lines(out, title, getattr(view, name))
    for told in view.contradictions:
        _heading(out, f"Sources disagree: {told.question} [{told.id}]")
        _bullets(out, (_with_cite(side) for side in told.sides))
        for word, text in (("We", told.default), ("Or", told.alternative), ("Why", told.why)):
            out.print(Padding(Text(f"{word}: {text}"), (0, 0, 0, _INDENT), expand=False))
    _heading(out, "Sources")
    for source in view.sources:
        address = f" {source.url}" if source.url else ""
        out.print(Text(f"  {source.id}: {source.title}{address}"), soft_wrap=True)


def print_differences(out: Console, differences: Sequence[Difference]) -> None:
    """Print differences, grouped by where they are."""
    last = None
    for one in differences:
        if one.path != last:
            out.print(Text(one.path, style="bold"))
            last = one.path
        if one.kind in {Kind.CHANGED, Kind.MOVED}:
            _difference(out, Kind.REMOVED, one.old)
            _difference(out, Kind.ADDED, one.new)
            continue
        _difference(out, one.kind, one.old or one.new)
    counts = Counter(one.kind for one in differences)
    words = ", ".join(f"{counts[kind]} {kind}" for kind in Kind if counts[kind])
    out.print(words or "No difference.")


def _difference(out: Console, kind: Kind, words: str | None) -> None:
    style = "green" if kind is Kind.ADDED else "red"
    out.print(_hanging(Text(_MARKS[kind], style=style), Text(words or "")))


def _header(view: StoreView) -> str:
    facts = [f"{view.kind} store", f"exists in {_releases(view.exists_in)}"]
    named = (
        ("file", view.file),
        ("CLI word", view.cli_unit),
        ("trust store of", view.trust_of),
        ("CA chain goes to", view.trust_store),
        ("role", view.role),
        ("place in the order", str(view.position)),
    )
    facts += [f"{name} {value}" for name, value in named if value]
    if view.phone_facing:
        facts.append("phones must trust it")
    shown = f"release {view.release}" if view.release else "any release"
    return f"{'; '.join(facts)}.\nShown for {shown}; what is not known is marked `only if`."


def _print_lines(out: Console, title: str, lines: Sequence[Line]) -> None:
    if lines:
        _heading(out, title)
        _bullets(out, (_with_cite(line) for line in lines))


def _print_restarts(out: Console, rows: Sequence[RestartRow]) -> None:
    if not rows:
        return
    _heading(out, "Restarts, in this order")
    table = _table("#", "Service", "Nodes", "Need", "Source")
    for row in rows:
        table.add_row(str(row.order), row.service, row.nodes, row.need, cite_words(row.cite))
    out.print(table)
    for row in rows:
        out.print(Text(f"  {row.order}. {row.service}"))
        for text in _how(row):
            # A command must survive being copied, so it is never broken over two lines.
            out.print(Text(f"     {text}"), soft_wrap=True)
        for text in _remarks(row):
            out.print(Padding(Text(text), (0, 0, 0, 5), expand=False))


def _how(row: RestartRow) -> Iterable[str]:
    sure = [command for command in row.commands if not command.tentative]
    for command in sure:
        yield _command(command)
    if not sure and row.gui:
        yield f"Web interface: {row.gui}"
    for command in row.commands:
        if command.tentative:
            yield f"{_command(command)}   (if it is accepted)"


def _remarks(row: RestartRow) -> Iterable[str]:
    if row.why:
        yield row.why
    if row.only_if:
        yield only_if_words(row.only_if).strip()
    if row.contradiction:
        yield f"Sources disagree: see {row.contradiction} below."


def _command(command: CommandLine) -> str:
    return f"{command.text}{only_if_words(command.only_if)}"


def _heading(out: Console, title: str) -> None:
    out.print()
    out.print(Text(title, style="bold"))


def _bullets(out: Console, texts: Iterable[Text]) -> None:
    for text in texts:
        out.print(_hanging(Text("-"), text))


def _hanging(mark: Text, text: Text) -> Padding:
    grid = Table.grid(padding=(0, 1))
    grid.add_column()
    grid.add_column(overflow="fold")
    grid.add_row(mark, text)
    return Padding(grid, (0, 0, 0, _INDENT), expand=False)


def _with_cite(line: Line) -> Text:
    text = Text(f"{line.text}{only_if_words(line.only_if)}")
    if line.cite:
        text.append(f" [{cite_words(line.cite)}]", style="dim")
    return text


def _releases(words: str) -> str:
    return "all releases" if words == "all" else words


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _place(entry: tuple[str, Store]) -> tuple[int, str]:
    return entry[1].position, entry[0]


def _parts(catalogue: Catalogue) -> tuple[object, ...]:
    return (
        catalogue.stores, catalogue.services, catalogue.steps, catalogue.safety,
        catalogue.contradictions, catalogue.questions, catalogue.ways, catalogue.alarms,
    )  # fmt: skip


def _confidences(part: object) -> Counter[Confidence]:
    return Counter(item.confidence for _, item in walk(part) if isinstance(item, Cited))


def _sources(part: object) -> Iterable[str]:
    for _, item in walk(part):
        yield from getattr(item, "source", ())

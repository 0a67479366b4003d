"""From sketch to step: template texts and commands, for this release and this cluster.

Commands are put together here and nowhere else, from the catalogue's templates, the catalogue's
names of stores and services, and file names of the inventory. A name that only a message knows
stays a placeholder (D-01).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from watcher.model.plan import Cite, CommandLine, Line, Step
from watcher.planner.phases import place_facts
from watcher.planner.sketch import Ground, Sketch, joined
from watcher.planner.terrain import EVERY_NODE, OUTSIDE, PHONES, Place
from watcher.rules.select import Facts, Selected, select
from watcher.rules.store import Need
from watcher.rules.terms import Cited, Confidence, Statement
from watcher.rules.work import CommandLine as CommandTemplate
from watcher.rules.work import Service, ServiceCommand, StepKind, StepTemplate

UNKNOWN_FILE = "<file>.pem"
"""Stands in a command for a file name that the inventory does not know."""

ALL_LANE = "all nodes"


@dataclass(frozen=True, slots=True)
class Filled:
    """A step without number and order, and whether anything is left to do in it."""

    step: Step
    empty: bool


def fill(sketch: Sketch, ground: Ground) -> Filled:
    """Return the step of a sketch; `empty` when no instruction holds for this release."""
    template = ground.catalogue.step(sketch.template)
    service = ground.catalogue.service(sketch.service) if sketch.service else None
    facts = _facts(sketch, ground)
    words = _words(sketch, ground, service)
    release = ground.terrain.release
    do = _lines(template.do, ground, facts, words) + _party(sketch)
    commands = _commands(template, service, ground, facts, words)
    gui = _lines(template.gui, ground, facts, words) + _service_gui(service, template)
    shared = _shared_conditions([*do, *commands, *gui])
    step = Step(
        number=0, key=sketch.template, kind=template.kind.value,
        title=_title(sketch, template, words),
        node=sketch.place.name, where=sketch.place.label, block=sketch.block,
        lane=_lane(sketch.place), store=sketch.store, service=sketch.service,
        part=sketch.part, do=do, command=commands, gui=gui,
        expect=_lines(template.expect, ground, facts, words),
        check=_lines(template.check, ground, facts, words),
        undo=_lines(template.undo, ground, facts, words),
        minutes=service.minutes if service else template.minutes,
        noticed_by=service.noticed_by if service else template.noticed_by,
        rules=template.rules, only_if=joined(sketch.only_if, shared),
        optional=sketch.need is Need.OPTIONAL, alternative=sketch.alternative, note=sketch.note,
        cite=_cite_service(service) if service and release is not None else None,
    )  # fmt: skip
    return Filled(step, empty=not (do or commands or gui))


def _facts(sketch: Sketch, ground: Ground) -> Facts:
    if sketch.store is None:
        return ground.terrain.facts
    return place_facts(sketch.store, sketch.place, ground)


def _words(sketch: Sketch, ground: Ground, service: Service | None) -> dict[str, str]:
    store = ground.catalogue.stores.get(sketch.store) if sketch.store else None
    return {
        "store": sketch.store or "the store",
        # A store without a word for the CLI is worked on in the web interface: none is made up.
        "unit": (store.cli_unit or "") if store else "<unit>",
        "file": sketch.file or (store.file if store and store.file else UNKNOWN_FILE),
        "trust_file": sketch.file or UNKNOWN_FILE,
        "service": service.name if service else "the service",
        "node": sketch.place.label,
    }


def _put(text: str, words: dict[str, str]) -> str:
    # Only the known placeholders: a stray brace in a pack must not become a lookup.
    for name, value in words.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def _title(sketch: Sketch, template: StepTemplate, words: dict[str, str]) -> str:
    if sketch.party is not None:
        return f"Tell {sketch.party.party}: {sketch.store} changed"
    return _put(template.title, words)


def _lines(
    statements: Sequence[Statement], ground: Ground, facts: Facts, words: dict[str, str]
) -> tuple[Line, ...]:
    chosen = select(statements, ground.terrain.release, facts)
    return tuple(
        Line(text=_put(s.item.text, words), cite=cite(s.item), only_if=s.only_if) for s in chosen
    )


def _party(sketch: Sketch) -> tuple[Line, ...]:
    if sketch.party is None:
        return ()
    return (Line(text=sketch.party.text, cite=cite(sketch.party)),)


def _commands(
    template: StepTemplate, service: Service | None, ground: Ground, facts: Facts,
    words: dict[str, str],
) -> tuple[CommandLine, ...]:  # fmt: skip
    own = [
        chosen
        for chosen in select(template.command, ground.terrain.release, facts)
        if words["unit"] or "{unit}" not in chosen.item.text
    ]
    lines = [_command(s.item, s.only_if, words, s.item.dialog) for s in own]
    served = _service_commands(service, template.kind, ground, facts)
    lines += [_command(s.item, s.only_if, words, ()) for s in served]
    return tuple(lines)


def _command(
    item: CommandTemplate | ServiceCommand, only_if: tuple[str, ...], words: dict[str, str],
    dialog: tuple[str, ...],
) -> CommandLine:  # fmt: skip
    return CommandLine(
        text=_put(item.text, words), cite=cite(item), dialog=dialog, only_if=only_if,
        tentative=item.confidence is not Confidence.SEEN,
    )  # fmt: skip


def command(template: CommandTemplate) -> CommandLine:
    """Return the line of a command that has nothing to fill in (questions use it)."""
    words = {"unit": "<unit>", "file": UNKNOWN_FILE, "trust_file": UNKNOWN_FILE}
    return _command(template, (), words, template.dialog)


def _service_commands(
    service: Service | None, kind: StepKind, ground: Ground, facts: Facts
) -> tuple[Selected[ServiceCommand], ...]:
    if service is None:
        return ()
    table = {
        StepKind.RESTART: service.restart,
        StepKind.STOP: service.stop,
        StepKind.START: service.start,
    }
    return select(table.get(kind, ()), ground.terrain.release, facts)


def _service_gui(service: Service | None, template: StepTemplate) -> tuple[Line, ...]:
    moves = (StepKind.RESTART, StepKind.STOP, StepKind.START)
    if service is None or service.gui is None or template.kind not in moves:
        return ()
    # The packs give the path to the service; the page has a button for each of the three.
    text = f"{service.gui} > {template.kind.value.capitalize()}"
    return (Line(text=text, cite=_cite_service(service)),)


def _cite_service(service: Service) -> Cite:
    return Cite(
        sources=service.source, releases=str(service.releases),
        confidence=service.confidence.value,
    )  # fmt: skip


def cite(item: Cited) -> Cite:
    """Return where a statement comes from."""
    return Cite(sources=item.source, releases=str(item.releases), confidence=item.confidence.value)


def _shared_conditions(lines: Iterable[Line | CommandLine]) -> tuple[str, ...]:
    """Return the conditions that every instruction has: then the whole step hangs on them."""
    sets = [line.only_if for line in lines]
    if not sets or not all(sets):
        return ()
    return tuple(word for word in sets[0] if all(word in other for other in sets))


def _lane(place: Place) -> str:
    if place.name:
        return place.name
    if place.label in (PHONES, OUTSIDE):
        return place.label
    several = place.label.startswith(("each", EVERY_NODE)) or ", " in place.label
    return ALL_LANE if several else place.label

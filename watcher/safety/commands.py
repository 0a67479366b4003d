"""Every command is one of the catalogue's: nothing that a message said reaches a prompt."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from watcher.model.plan import CommandLine, Step
from watcher.rules.work import CommandLine as Template
from watcher.rules.work import ServiceCommand, StepKind
from watcher.safety.reading import Reading
from watcher.safety.violation import Violation, broken

RULE = "COMMANDS"
UNKNOWN_FILE, UNKNOWN_UNIT = "<file>.pem", "<unit>"
_Choices = Mapping[str, Sequence[str]]


def closed_set(reading: Reading) -> Iterator[Violation]:
    """COMMANDS: each line is a template of its step with names of rules or inventory put in."""
    for step in reading.steps:
        allowed = _step_lines(reading, step)
        for line in step.command:
            if not _known(line, allowed):
                yield broken(RULE, f"{line.text!r} is not a command of the rules.", step)
    for question in reading.plan.questions:
        templates = reading.catalogue.questions[question.id].command
        allowed = _lines(reading, templates, _nothing_known())
        for line in question.command:
            if not _known(line, allowed):
                text = f"question {question.id}: {line.text!r} is not a command of the rules."
                yield Violation(RULE, (), text)


def _known(line: CommandLine, allowed: Mapping[str, tuple[str, ...]]) -> bool:
    plain = all(text.isascii() and text.isprintable() for text in (line.text, *line.dialog))
    return plain and line.text in allowed and line.dialog in ((), allowed[line.text])


def _step_lines(reading: Reading, step: Step) -> dict[str, tuple[str, ...]]:
    """Return every line that may stand in a step, with its dialog."""
    choices = _choices(reading, step)
    lines = _lines(reading, reading.catalogue.steps[step.key].command, choices)
    if step.service:
        service = reading.catalogue.services[step.service]
        own = {
            StepKind.RESTART.value: service.restart,
            StepKind.STOP.value: service.stop,
            StepKind.START.value: service.start,
        }
        lines |= _lines(reading, own.get(step.kind, ()), choices)
    return lines


def _lines(
    reading: Reading, templates: Iterable[Template | ServiceCommand], choices: _Choices
) -> dict[str, tuple[str, ...]]:
    release = reading.known.release
    return {
        text: template.dialog if isinstance(template, Template) else ()
        for template in templates
        if release is None or template.releases.matches(release)
        for text in _filled(template.text, choices)
    }


def _filled(text: str, choices: _Choices) -> list[str]:
    """Return a template with every allowed value in each of its placeholders."""
    texts = [text]
    for name, values in choices.items():
        mark = f"{{{name}}}"
        if mark in text:
            texts = [one.replace(mark, value) for one in texts for value in values]
    return texts


def _choices(reading: Reading, step: Step) -> _Choices:
    store = reading.store(step)
    cluster = reading.known.cluster
    files = [
        known.file
        for known in (cluster.certificates if cluster else ())
        if known.file and step.store and known.store.lower() == step.store.lower()
    ]
    own = [store.file] if store and store.file else []
    service = reading.catalogue.services[step.service].name if step.service else None
    return {
        "unit": [store.cli_unit if store and store.cli_unit else UNKNOWN_UNIT],
        "file": [*own, *files, UNKNOWN_FILE],
        "trust_file": [*files, UNKNOWN_FILE],
        "service": [service] if service else [],
    }


def _nothing_known() -> _Choices:
    return {
        "unit": [UNKNOWN_UNIT], "file": [UNKNOWN_FILE], "trust_file": [UNKNOWN_FILE],
        "service": [],
    }  # fmt: skip

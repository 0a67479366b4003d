"""Write what can be generated: reference, metrics, crash points, the help block of README.md.

`make docs` writes; `--check` only says what is not current, and ends with 1 (used by a test).
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import fields
from enum import Enum
from pathlib import Path
from typing import Any

import typer

from watcher.cli.main import build
from watcher.metrics import Described
from watcher.metrics import table as metrics_table
from watcher.model.release import Release
from watcher.trust.branch import UNKNOWNS
from watcher.trust.release import Profile, profile
from watcher.trust.rescue import RESCUES, TOUCH
from watcher.trust.rulebook import RULES

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
REFERENCE = ROOT / "docs" / "reference.md"
METRICS = ROOT / "docs" / "metrics.md"
RELIABILITY = ROOT / "docs" / "reliability.md"
POINTS, END_POINTS = "<!-- crash points -->\n", "<!-- end of crash points -->\n"
METRICS_PREFACE = """\
# Metrics

Written by `make docs`; do not edit. `http://127.0.0.1:9514/metrics` by default (`web:` in the
settings). Alert rules for them: [`deploy/prometheus/`](../deploy/prometheus/).
"""
TRUST = ROOT / "docs" / "trust.md"
TABLES, END_TABLES = "<!-- trust tables -->\n", "<!-- end of trust tables -->\n"
SWITCH_RELEASES = ("9.1", "10.0", "10.5(2)", "11.5", "12.0", "12.5", "14", "14SU1", "14SU2", "15")
BEGIN, END = "<!-- help: written by make docs -->\n", "<!-- end of help -->\n"

PREFACE = """\
# Reference of the command line

Written by `make docs` from the program itself; do not edit. What comes out is described in
[output.md](output.md), the inventory in [inventory.md](inventory.md), rule packs in
[rules/README.md](../rules/README.md).

## Exit status

| Status | Means |
| --- | --- |
| 0 | Done |
| 1 | `verify`: the document is not as it was sealed; `doctor`, `status`: something is not well |
| 1 | `check`: the order is refused, with the phones it would lose |
| 1 | `schedule`: no slot was found for a plan; it says why, and what would help |
| 2 | Bad input or wrong use; one line on standard error says where, what, and what was expected |
| 3 | The independent check refused a finished plan; the document says why, without steps |
| 3 | A fault of ours: the database does not answer, an input cannot go on |
| 130 | Interrupted |
| 141 | Whoever read the output went away, as in `watcher plan ... \\| head` |

`-` as a file name means standard input; for `--output` standard output. A file is written whole
or not at all.
"""


def reference() -> str:
    """Return the text of docs/reference.md."""
    root = typer.main.get_command(build([]))
    return "\n".join([PREFACE, *(_section(path, one) for path, one in _commands("watcher", root))])


def _commands(path: str, command: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 -- typer's own
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from _commands(f"{path} {name}", inner)


def _section(path: str, command: Any) -> str:  # noqa: ANN401
    arguments = [param for param in command.params if param.param_type_name == "argument"]
    options = [
        param for param in command.params
        if param.param_type_name == "option" and not param.hidden
    ]  # fmt: skip
    words = [_name(param) for param in arguments]
    if hasattr(command, "commands"):
        words = ["COMMAND"]
    parts = [f"## `{path}`", f"Usage: `{' '.join([path, *words])}`", (command.help or "").strip()]
    rows = [_row(param) for param in (*arguments, *options) if param.name != "help"]
    if rows:
        parts.append("\n".join(["| Word | Meaning |", "| --- | --- |", *rows]))
    return "\n\n".join(parts) + "\n"


def _name(argument: Any) -> str:  # noqa: ANN401
    name = str(argument.metavar or argument.name.upper())
    return name if argument.required or name.startswith("[") else f"[{name}]"


def _row(param: Any) -> str:  # noqa: ANN401
    default = f" Default: `{param.default}`." if isinstance(param.default, str) else ""
    cells = (_word(param), f"{param.help or ''}{default}")
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _word(param: Any) -> str:  # noqa: ANN401
    if param.param_type_name == "argument":
        return f"`{_name(param)}`"
    names = ", ".join(f"`{name}`" for name in param.opts)
    kind = param.type_descriptor.annotation
    if isinstance(kind, type) and issubclass(kind, Enum):
        return f"{names} `{'|'.join(kind)}`"
    return names if param.is_flag else f"{names} `{param.metavar or param.name.upper()}`"


def readme() -> str:
    """Return README.md with the present output of `watcher --help` in its block."""
    before, rest = README.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    clean = {key: value for key, value in os.environ.items() if key in {"PATH", "HOME"}}
    shown = subprocess.run(
        [sys.executable, "-m", "watcher", "--help"],
        env={**clean, "COLUMNS": "80", "TERM": "dumb", "LC_ALL": "C.UTF-8"},
        capture_output=True, check=True, text=True,
    ).stdout  # fmt: skip
    lines = "\n".join(line.rstrip() for line in shown.splitlines()).strip("\n")
    return f"{before}{BEGIN}```text\n{lines}\n```\n{END}{after}"


def metrics() -> str:
    """Return the text of docs/metrics.md."""
    rows = [f"| `{m.name}` | {_labels(m)} | {m.text} |" for m in metrics_table()]
    return "\n".join(
        [METRICS_PREFACE, "| Name | Labels | Meaning |", "| --- | --- | --- |", *rows, ""]
    )


def _labels(metric: Described) -> str:
    return ", ".join(f"`{label}`" for label in metric.labels)


def reliability() -> str:
    """Return docs/reliability.md with the crash points that the code has."""
    before, rest = RELIABILITY.read_text(encoding="utf-8").split(POINTS)
    found = [
        f"| `{name}` | `{path.relative_to(ROOT)}` |"
        for path in sorted((ROOT / "watcher").rglob("*.py"))
        for name in re.findall(r'crash\.point\("([a-z-]+)"\)', path.read_text(encoding="utf-8"))
    ]
    return "\n".join([before + POINTS.strip(), *dict.fromkeys(found)]) + "\n" + END_POINTS + (
        rest.split(END_POINTS)[1]
    )  # fmt: skip


def trust() -> str:
    """Return docs/trust.md with the tables of what the code knows."""
    before, rest = TRUST.read_text(encoding="utf-8").split(TABLES)
    after = rest.split(END_TABLES)[1]
    parts = [
        "\n## What a release switches", _switches(),
        "\n## Open questions: every combination is walked", _unknowns(),
        "\n## Rules", _rules(), "\n## What may heal, in the order it is tried", _rescues(), "",
    ]  # fmt: skip
    return f"{before}{TABLES}{chr(10).join(parts)}{END_TABLES}{after}"


def _switches() -> str:
    profiles = [profile(Release.parse(text)) for text in SWITCH_RELEASES]
    names = [f.name for f in fields(Profile) if f.name != "release"]
    marks = (
        [name.replace("_", " "), *("yes" if getattr(p, name) else "-" for p in profiles)]
        for name in names
    )
    return _table(["Switch", *SWITCH_RELEASES], marks)


def _unknowns() -> str:
    rows = ([u.id, u.text, u.other, u.careful, u.observable] for u in UNKNOWNS.values())
    return _table(["Id", "Question: is it so that ...", "Yes", "No", "What shows it"], rows)


def _rules() -> str:
    rows = (
        [rule.id, rule.title, "refuses" if rule.hard else "shown", ", ".join(rule.sources)]
        for rule in RULES.values()
    )
    return _table(["Id", "Rule", "Broken", "Sources"], rows)


def _rescues() -> str:
    return _table(["Id", "Way"], ([way.id, way.text] for way in (*RESCUES, TOUCH)))


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(["", *(f"| {' | '.join(line)} |" for line in lines)])


def main() -> None:
    """Write all of them, or with `--check` compare them."""
    stale = []
    pages = (
        (REFERENCE, reference()), (README, readme()), (METRICS, metrics()),
        (RELIABILITY, reliability()), (TRUST, trust()),
    )  # fmt: skip
    for path, text in pages:
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(path.name)
            if "--check" not in sys.argv:
                path.write_text(text, encoding="utf-8")
    if stale and "--check" in sys.argv:
        sys.exit(f"not current, run make docs: {', '.join(stale)}")


if __name__ == "__main__":
    main()

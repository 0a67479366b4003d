"""The page about cases says what the code does."""

import re
from pathlib import Path

from watcher.cases.facts import SLACK
from watcher.cases.sources import NIGHTLY, TOLERANCE
from watcher.cases.states import TickOptions
from watcher.cases.storm import StormLimits
from watcher.cases.table import TABLE
from watcher.cases.thresholds import DAYS

PAGE = (Path(__file__).parent.parent.parent / "docs" / "cases.md").read_text(encoding="utf-8")


def cell(states):
    return ", ".join(state.value for state in states) or "(none)"


def test_the_table_is_the_one_of_the_code():
    rows = [
        f"| {cell(row.before)} | {row.cause} | {row.after or 'as before'} | {row.when} |"
        for row in TABLE
    ]

    assert "\n".join(rows) in PAGE


def test_the_diagram_is_the_one_of_the_code():
    arrows = [
        f"    {before} --> {row.after}: {row.cause}"
        for row in TABLE
        if row.after
        for before in (state.value for state in row.before if state is not row.after)
    ]
    first = [f"    [*] --> {row.after}: {row.cause}" for row in TABLE if not row.before]
    drawn = re.search(r"```mermaid\nstateDiagram-v2\n(.*?)```", PAGE, re.DOTALL)

    assert sorted(drawn[1].splitlines()) == sorted(first + arrows)


def test_the_figures_are_those_of_the_code():
    options, limits = TickOptions(), StormLimits()
    hours = options.quiet_after.total_seconds() / 3600
    figures = {
        "quiet after": f"{hours:.0f} h",
        "change over after": f"{options.change_time.total_seconds() / 3600:.0f} h",
        "source expected every": f"{NIGHTLY.total_seconds() / 3600:.0f} h and {TOLERANCE:.0%}",
        "ends are one within": f"{SLACK.total_seconds() / 3600:.0f} h",
        "marks, in days": ", ".join(map(str, DAYS)),
        "new cases of unknown nodes": f"{limits.claimed_per_hour} an hour, "
        f"{limits.claimed_total} in all",
        "new cases of unknown files": f"{limits.named_per_hour} an hour, "
        f"{limits.named_total} in all",
    }

    for name, figure in figures.items():
        assert f"| {name} | {figure} |" in PAGE

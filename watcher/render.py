"""Plans to documents: Markdown, a self-contained page, JSON. Undefined names are errors.

There is one encoder for each output, and it is not the template's choice: everything a template
prints passes it, but for values of type `Verbatim`, which only the filters below make. Evidence,
the only place where a message speaks, is printable ASCII with visible escapes, cut, and each of
its lines begins with its own mark, so that none of them can be read as a command.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import Enum

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

from watcher.account import debts, inputs, marks, remarks, steps_of, verdict
from watcher.model.clock import short_hours
from watcher.model.plan import ChangePlan, Cite, CommandLine
from watcher.picture import COLOURS, LEGEND, blocks, lanes, mermaid, picture
from watcher.seal import PLACEHOLDER, code, digest_of, seal
from watcher.strip import lanes_not_drawn, states, strips, swatch, table

EVIDENCE_LIMIT = 600
"""Characters of one message that a document shows."""

CHANGES_NOTHING = (
    "find-out", "check", "record", "save", "backup", "verify-backup", "verify", "wait", "canary",
)  # fmt: skip
"""Kinds of steps whose undo is not worth a line: there is nothing to undo."""

_GAPS = re.compile(r"\n(?:[ \t]*\n){2,}")
"""Blank lines after each other, which loops and conditions leave behind in Markdown."""

Templates = Mapping[str, str]
"""Template texts by file name."""


class Verbatim(str):
    """Text that needs no encoding any more."""

    __slots__ = ()


def markdown(plans: Sequence[ChangePlan], templates: Templates) -> str:
    """Return the plans as one Markdown document (CommonMark, tables as GitHub has them)."""
    environment = _environment(templates, finalize=_markdown_text)
    return seal(_GAPS.sub("\n\n", _draw(environment, "change_plan.md.j2", plans)))


def html(plans: Sequence[ChangePlan], templates: Templates) -> str:
    """Return the plans as one page without anything to load from elsewhere."""
    environment = _environment(templates, autoescape=True)
    return seal(_draw(environment, "change_plan.html.j2", plans))


def as_json(plans: Sequence[ChangePlan]) -> str:
    """Return the plans as JSON: an object with `plans`, each with its code, and the seal."""
    values = [plain_value(plan) for plan in plans]
    document = {
        "format": "watcher-plan/1",
        "plans": [
            {"code": code(digest_of(value)), **value} for value in values if isinstance(value, dict)
        ],
        "seal": PLACEHOLDER,
    }
    return seal(json.dumps(document, indent=2, ensure_ascii=True) + "\n")


def plan_code(plan: ChangePlan) -> str:
    """Return the short code of a plan, the same in every format of it."""
    return code(digest_of(plain_value(plan)))


def plain_value(value: object) -> object:
    """Return a plan as JSON values; times as ISO 8601, enumerations by value."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain_value(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, tuple | list):
        return [plain_value(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return value.value if isinstance(value, Enum) else value


def evidence_text(raw: str) -> str:
    """Return a message as printable ASCII with visible escapes, cut to the limit."""
    shown = "".join(c if " " <= c <= "~" else c.encode("unicode_escape").decode() for c in raw)
    if len(shown) <= EVIDENCE_LIMIT:
        return shown
    return f"{shown[:EVIDENCE_LIMIT]} [cut, {len(shown) - EVIDENCE_LIMIT} more]"


def _draw(environment: Environment, name: str, plans: Sequence[ChangePlan]) -> str:
    sheets = [
        {
            "plan": plan, "code": plan_code(plan), "blocks": blocks(plan), "lanes": lanes(plan),
            "prefix": f"p{number}-", "verdict": verdict(plan), "marks": marks(plan),
        }
        for number, plan in enumerate(plans, 1)
    ]  # fmt: skip
    text = environment.get_template(name).render(
        sheets=sheets,
        seal=Verbatim(PLACEHOLDER),
        quiet=CHANGES_NOTHING,
        legend=LEGEND,
        colours=COLOURS,
    )
    return text.strip("\n") + "\n"


def _environment(templates: Templates, **options: object) -> Environment:
    environment = Environment(  # noqa: S701 -- Markdown has its own encoder; HTML sets autoescape
        loader=DictLoader(dict(templates)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        **options,  # type: ignore[arg-type]
    )
    environment.filters |= {
        "cited": _cited, "evidence": evidence_text, "fence": _fence, "command": _command,
        "mermaid": lambda plan: Verbatim(mermaid(plan)), "hours": short_hours,
        "picture": lambda plan, prefix: Markup(picture(plan, prefix)),  # noqa: S704 -- picture.py escapes
        "strips": lambda proof, prefix: [Markup(svg) for svg in strips(proof, prefix)],  # noqa: S704 -- strip.py escapes
        "swatch": lambda state: Markup(swatch(state)),  # noqa: S704 -- holds no text
        "moment": _moment, "runs": _runs, "verbatim": Verbatim, "inputs": inputs, "debts": debts,
        "remarks": remarks, "steps_of": steps_of, "trust_table": table,
        "trust_states": states, "lanes_not_drawn": lanes_not_drawn,
    }  # fmt: skip
    return environment


def _cited(cite: Cite | None) -> str:
    if cite is None:
        return ""
    return f"{', '.join(cite.sources)}; {cite.releases}; {cite.confidence}"


def _fence(text: str) -> Verbatim:
    # A fence cannot occur in evidence or commands: both are ASCII and get their back-ticks broken.
    return Verbatim(text.replace("```", "`\\u0060`"))


def _command(line: CommandLine) -> Verbatim:
    return Verbatim(f"admin:{line.text}")


def _runs(numbers: Sequence[int]) -> str:
    """Return numbers with runs of three and more drawn together: 1-6, 9."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(
        f"{run[0]}-{run[-1]}" if len(run) > 2 else ", ".join(map(str, run))  # noqa: PLR2004
        for run in runs
    )


def _moment(time: datetime | None) -> str:
    return f"{time:%Y-%m-%d %H:%M} UTC" if time else "not known"


_MARKDOWN = re.compile(
    r"([\\`*|])|<(?=[A-Za-z/!?])|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|(?<=\])\(|&(?=#?\w+;)"
)


def _markdown_text(value: object) -> object:
    if isinstance(value, Verbatim) or value is None:
        return value
    return _MARKDOWN.sub(lambda found: f"\\{found[0]}", str(value))

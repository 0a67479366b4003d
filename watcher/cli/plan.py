"""`watcher plan` draws change plans; `watcher verify` compares one with its seal."""

import sys
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import typer

from watcher.app.clock import SystemClock
from watcher.app.continuing import ProgressOrder, draw_continued, refusals
from watcher.app.files import STANDARD_INPUT, write_output
from watcher.app.plans import (
    PlanOrder,
    document_of,
    draw,
    hear,
    strangers,
    verify_document,
    was_refused,
)
from watcher.cli.formats import chosen
from watcher.cli.options import TIME
from watcher.cli.options import moment as read_moment
from watcher.errors import InputError, Location, one_line
from watcher.model.alarm import Tally


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command("plan")(plan)
    app.command("verify")(verify)


class Format(StrEnum):
    """Formats of a plan."""

    MD = "md"
    HTML = "html"
    JSON = "json"
    PDF = "pdf"
    DOCX = "docx"


_ENDINGS = {
    ".md": Format.MD,
    ".markdown": Format.MD,
    ".txt": Format.MD,
    ".html": Format.HTML,
    ".htm": Format.HTML,
    ".json": Format.JSON,
    ".pdf": Format.PDF,
    ".docx": Format.DOCX,
}
"""What the name of an output file says about its format."""
_PAPER = (Format.PDF, Format.DOCX)
"""Formats that are no text."""


_PLAN_EXAMPLES = """Draw the change plan for the alarms in files or on standard input.

Examples:

    watcher plan alarm.txt                       careful, with open questions

    watcher plan mail.eml --inventory site.yaml  the plan for that cluster

    tail -n 1000 syslog | watcher plan - -i site.yaml -o plan.html

    watcher plan mail.eml -i site.yaml -o plan.pdf

Go on after an interruption; the rest is proven again, and a step that must not be left out is
refused (exit 3):

    watcher plan mail.eml -i site.yaml --from-step 41

    watcher plan mail.eml -i site.yaml --done 1-41 --skip 42="no such phones" --failed 43

    watcher plan mail.eml -i site.yaml --progress done.txt
"""

Inputs = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[FILE...|-]", help="Messages, mails, mailboxes, archives.", show_default=False
    ),
]
Site = Annotated[
    str | None, typer.Option("--inventory", "-i", metavar="FILE", help="The site's inventory.")
]
Packs = Annotated[
    list[str] | None, typer.Option("--rules", metavar="PACK", help="A site's own rule pack.")
]
At = Annotated[
    str | None,
    typer.Option(
        "--at",
        metavar="TIME",
        help=f"Moment the plan speaks of: {TIME}. Default: the newest event in the input.",
    ),
]
Form = Annotated[
    Format | None,
    typer.Option(
        "--format",
        help="Format of the plan; pdf and docx are extras. "
        "Default: as the name of the output ends, else md.",
        show_default=False,
    ),
]
Output = Annotated[
    str | None, typer.Option("--output", "-o", metavar="OUT", help="Write to a file.")
]

FromStep = Annotated[
    int | None,
    typer.Option(metavar="N", help="Steps below N count as done that nothing else is said of."),
]
Progress = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FILE|-",
        help="What was done: lines such as `1-40 done`, `42 skipped: reason`, `43 failed`, or the "
        "plan's Markdown with ticked boxes. Repeated: what was then done of the continuation.",
    ),
]
Done = Annotated[
    list[str] | None, typer.Option(metavar="STEPS", help="Steps that were done: 1-40,44.")
]
Skip = Annotated[
    list[str] | None,
    typer.Option(metavar="STEPS=REASON", help="Steps that are left out, and why."),
]
Failed = Annotated[
    list[str] | None,
    typer.Option(metavar="STEPS", help="Steps that failed: they may have taken effect or not."),
]


def plan(  # noqa: PLR0913, PLR0917 -- one argument for each option of the command line
    inputs: Inputs = None,
    inventory: Site = None,
    rules: Packs = None,
    at: At = None,
    form: Form = None,
    output: Output = None,
    from_step: FromStep = None,
    progress: Progress = None,
    done: Done = None,
    skip: Skip = None,
    failed: Failed = None,
) -> None:
    """Draw the change plan for the alarms in files or on standard input."""
    if output is not None and output in (inputs or []):
        raise InputError("is an input as well", where=Location(output), expected="another name")
    wanted, tally = chosen_format(form, output), Tally()
    order = PlanOrder(
        inputs=tuple(inputs or [STANDARD_INPUT]), inventory=inventory,
        rules=tuple(rules or ()), as_of=moment(at),
    )  # fmt: skip
    said = ProgressOrder(
        from_step=from_step, pastes=tuple(progress or ()), done=tuple(done or ()),
        skipped=tuple(skip or ()), failed=tuple(failed or ()),
    )  # fmt: skip
    heard = hear(order, tally)
    plans = draw_continued(heard, order, said) if said.given else draw(heard, order.as_of)
    if not plans:
        raise no_alarm(order, tally)
    write_output(output, document_of(plans, wanted.value))
    for why in filter(None, strangers(plans, heard.inventory) if heard.inventory else ()):
        print(one_line(why), file=sys.stderr)
    if any(was_refused(drawn) for drawn in plans):
        print("watcher: error: a plan was refused by the safety check", file=sys.stderr)
        raise typer.Exit(3)
    against = [why for drawn in plans for why in refusals(drawn)]
    for why in against:
        print(f"watcher: error: {one_line(why)}", file=sys.stderr)
    if against:
        raise typer.Exit(3)
    for drawn in plans if output is not None else ():
        where = drawn.cluster or "a cluster not in the inventory"
        print(f"{output}: {where}: {len(drawn.steps)} steps. {drawn.headline}.", file=sys.stderr)


plan.__doc__ = _PLAN_EXAMPLES


def no_alarm(order: PlanOrder, tally: Tally) -> InputError:
    """Return the error that the input held no certificate alarm."""
    return InputError(
        f"{', '.join(order.inputs)}: no certificate alarm in {tally.read} records "
        f"({tally.uc_alarms} other UC alarms, {tally.noise} noise, "
        f"{tally.unreadable} unreadable)",
        expected="a message with %UC_CERT-...",
    )


def chosen_format(form: Format | None, output: str | None) -> Format:
    """Return the format that is asked for, by option or by the name of the output."""
    wanted = chosen(form, output, _ENDINGS, "a plan") or Format.MD
    if wanted in _PAPER and output is None:
        raise InputError(
            f"--format {wanted} is not for a screen",
            expected=f"-o plan.{wanted}, or -o - for a pipe",
        )
    return wanted


def verify(
    document: Annotated[
        str, typer.Argument(metavar="PLAN|-", help="A saved or pasted plan.")
    ] = STANDARD_INPUT,
) -> None:
    """Compare a saved or pasted plan with its seal: exit 0 when intact, 1 when changed.

    Markdown may come out of a ticket or a mail: white space, ticked boxes (`[x]`), quote marks
    (`> `) and what stands before or after the plan do not count. A page must be the saved file;
    JSON is compared by value.

    Example:
        watcher verify plan.html

    """
    verdict = verify_document(document)
    if verdict.intact:
        print(f"intact: {verdict.stated}")
        if verdict.around:
            print("Text stands before or after the plan; it is no part of it.")
        return
    print(f"CHANGED: the seal says {verdict.stated}, the text gives {verdict.computed}")
    print(
        "Something was altered, or text stands before or after the plan; "
        "draw the plan again from the same input and compare."
    )
    raise typer.Exit(1)


def moment(text: str | None) -> datetime | None:
    """Read `--at`; None where it is not given."""
    return None if text is None else read_moment(text, SystemClock().now(), "--at")

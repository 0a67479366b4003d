"""`watcher what-if`: the blast radius of a certificate that expires, and of steps."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console

from watcher.app.whatif import Question, ask_expiry, ask_steps
from watcher.cli import tables
from watcher.cli.options import TIME
from watcher.cli.plan import moment
from watcher.errors import InputError
from watcher.render import plain_value
from watcher.whatif.nouns import ExpiryAnswer, Party, StepsAnswer, Told

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Tell who is hit by a certificate that expires, or by steps, before it happens.",
)


def register(commands: typer.Typer) -> None:
    """Add the group of commands to `commands`."""
    commands.add_typer(app, name="what-if")


class Format(StrEnum):
    """Formats of an answer."""

    TEXT = "text"
    JSON = "json"


Site = Annotated[str, typer.Option("--inventory", "-i", metavar="FILE", help="The site.")]
Named = Annotated[
    str | None, typer.Option("--cluster", metavar="NAME", help="Cluster, if there are several.")
]
Packs = Annotated[
    list[str] | None, typer.Option("--rules", metavar="PACK", help="A site's own rule pack.")
]
Form = Annotated[Format, typer.Option("--format", help="Text for people, JSON for programs.")]

_EXPIRY = """Tell what breaks when a certificate expires and nobody renews it.

The rules tell which services notice it and who outside must know; the trust model tells which
phones come back after a reset, under both answers to what no source settles. What is not known is
said at the end.

Examples:

    watcher what-if expiry CAPF -i site.yaml

    watcher what-if expiry tomcat --node cm-pub -i site.yaml --at 2026-12-24 --format json
"""
_STEP = """Tell what steps do if nothing follows them: phones, services, minutes, debts.

Steps are written as for `watcher check`, in short forms or plain words (docs/steps.md).

Examples:

    watcher what-if step "regen CallManager cm-pub" -i site.yaml

    watcher what-if step "regen TVS cm-pub" --then "restart TVS cm-pub" --then reset -i site.yaml
"""


@app.command(name="expiry", help=_EXPIRY)
def expiry(  # noqa: PLR0913 -- one argument for each option of the command line
    store: Annotated[str, typer.Argument(help="Certificate store, any case.")],
    *,
    inventory: Site,
    node: Annotated[
        str | None, typer.Option(metavar="NODE", help="Only that node's. Default: all nodes'.")
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help=f"Moment to speak of: {TIME}.")
    ] = None,
    cluster: Named = None,
    rules: Packs = None,
    form: Form = Format.TEXT,
) -> None:
    """Tell what breaks when a certificate expires and nobody renews it."""
    question = Question(inventory=inventory, cluster=cluster, rules=tuple(rules or ()))
    answer = ask_expiry(question, store, node, moment(at))
    if form is Format.JSON:
        tables.print_json(plain_value(answer))
    else:
        _print_expiry(tables.console(), answer)


@app.command(name="step", help=_STEP)
def step(  # noqa: PLR0913 -- one argument for each option of the command line
    first: Annotated[str, typer.Argument(metavar="STEP", help="What is done.")],
    *,
    inventory: Site,
    then: Annotated[
        list[str] | None, typer.Option(metavar="STEP", help="What is done next; may be repeated.")
    ] = None,
    cluster: Named = None,
    rules: Packs = None,
    form: Form = Format.TEXT,
) -> None:
    """Tell what steps do if nothing follows them."""
    texts = [first, *(then or ())]
    if not all(text.strip() for text in texts):
        raise InputError("a step is empty", expected='such as "regen TVS cm-pub"')
    question = Question(inventory=inventory, cluster=cluster, rules=tuple(rules or ()))
    answer = ask_steps(question, texts)
    if form is Format.JSON:
        tables.print_json(plain_value(answer))
    else:
        _print_steps(tables.console(), answer)


def _print_expiry(out: Console, answer: ExpiryAnswer) -> None:
    tables.say(out, f"{answer.store}: {answer.title}")
    tables.say(out, answer.lasts)
    ends = ((one.node, one.not_after or "not known") for one in answer.ends)
    tables.print_table(out, ("Node", "Ends"), ends)
    _sentences(out, "What breaks", answer.breaks)
    _sentences(out, "Who uses it", answer.used_by)
    tables.heading(out, f"Phones that a reset does not bring back: {_number(answer.hit)}")
    rows = (
        (
            one.group, _number(one.phones), one.if_rejected, one.if_accepted,
            f"{one.ways_now} -> {one.ways_if_rejected}", "yes" if one.lsc else "no",
        )
        for one in answer.phones
    )  # fmt: skip
    columns = ("Group", "Phones", "Reset, if dates count (U10)", "Reset, if not",
               "Ways to trust a new list", "LSC of it")  # fmt: skip
    tables.print_table(out, columns, rows)
    tables.say(out, answer.backups)
    _parties(out, answer.tell)
    _list(out, "Not known", answer.unknown)


def _print_steps(out: Console, answer: StepsAnswer) -> None:
    alone = "may stand alone" if answer.safe_alone else "must not stand alone"
    tables.say(out, f"{answer.verdict}: it {alone}. Work: {_number(answer.minutes)} minutes.")
    rows = (
        (one.number, one.text, _number(one.minutes), "; ".join(one.noticed_by) or "nobody")
        for one in answer.steps
    )
    tables.print_table(out, ("", "Step", "Minutes", "Who notices"), rows)
    tables.heading(out, f"Phones that a reset now does not bring back: {_number(answer.hit)}")
    phones = (
        (
            one.group, _number(one.phones), _if(one.reset_now, one.when),
            ", ".join(one.anchors) or "none", one.heals or "-",
        )
        for one in answer.phones
    )  # fmt: skip
    columns = ("Group", "Phones", "Reset now", "Ways to trust a new list", "Heals")
    tables.print_table(out, columns, phones)
    _list(out, "Meanwhile", (f"{p.group}: {text}" for p in answer.phones for text in p.meanwhile))
    _list(out, "Broken, and nothing that follows takes it back", answer.broken)
    _list(out, "What has to follow", answer.follow)
    _parties(out, answer.tell)
    _list(out, "Not known", answer.unknown)


def _if(text: str, condition: str) -> str:
    return f"{text}, if {condition}" if condition else text


def _number(number: int | None) -> str:
    return "not known" if number is None else str(number)


def _sentences(out: Console, title: str, told: Iterable[Told]) -> None:
    _list(out, title, (_only(one.text, one.only_if) for one in told))


def _parties(out: Console, parties: Iterable[Party]) -> None:
    told = (f"{one.party}: {_only(one.text, one.only_if)}" for one in parties)
    _list(out, "Who must be told", told)


def _only(text: str, conditions: tuple[str, ...]) -> str:
    return f"{text} (only if {' and '.join(conditions)})" if conditions else text


def _list(out: Console, title: str, texts: Iterable[str]) -> None:
    lines = list(texts)
    if not lines:
        return
    tables.heading(out, title)
    for line in lines:
        tables.say(out, f"- {line}")

"""`watcher rules`: check packs, look a store up, compare packs or releases, write the schema."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated, Any

import typer

from watcher.app.files import write_output
from watcher.app.knowledge import builtin_packs, load_catalogue, read_packs
from watcher.cli import rules_text
from watcher.errors import InputError
from watcher.model.release import Release
from watcher.rules.catalogue import nearest
from watcher.rules.diff import Difference, pack_differences, view_differences
from watcher.rules.examples import check_examples
from watcher.rules.jsonschema import pack_schema
from watcher.rules.loader import load_pack
from watcher.rules.select import Facts
from watcher.rules.show import facts_given, store_view
from watcher.rules.terms import Condition

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Check, show and compare what is known about certificate stores.",
)


def register(commands: typer.Typer) -> None:
    """Add the group of commands to `commands`."""
    commands.add_typer(app, name="rules")


class Format(StrEnum):
    """How an answer is printed."""

    TEXT = "text"
    JSON = "json"


SitePacks = Annotated[
    list[str] | None,
    typer.Option("--rules", metavar="PACK", help="A site's own pack; may be repeated."),
]
Given = Annotated[
    list[str] | None,
    typer.Option(metavar="CONDITION", help="Such as mixed, sso, no-sso; may be repeated."),
]
Output = Annotated[Format, typer.Option("--format", help="For people or for programs.")]


@app.command()
def check(
    packs: Annotated[
        list[str] | None, typer.Argument(metavar="[PACK]...", help="A site's own packs.")
    ] = None,
) -> None:
    """Check the built-in packs and the given ones: shape, references and examples.

    Exit status 2 when anything is wrong, with the place of the fault.
    """
    site = packs or []
    catalogue = load_catalogue(site)
    out = rules_text.console()
    faults = check_examples(catalogue)
    for words in faults:
        out.print(words, soft_wrap=True)
    if faults:
        raise InputError(f"{len(faults)} examples or releases do not fit the rules (listed above)")
    rules_text.print_summary(out, catalogue, len(builtin_packs()) + len(site))


@app.command()
def show(
    store: Annotated[str | None, typer.Argument(help="Store name, any case.")] = None,
    release: Annotated[str | None, typer.Option(help='Such as "12.5(1)SU3", 14 or 15.')] = None,
    given: Given = None,
    rules: SitePacks = None,
    output: Output = Format.TEXT,
) -> None:
    """Show what is known about a store, each line with its source; without STORE, list them.

    A condition with `no-` in front does not hold. What is not given is unknown: what depends
    on it is shown and marked.

    Examples: `watcher rules show tvs --release 12.5` and
    `watcher rules show callmanager --release 14 --given mixed --given tokenless`
    """
    catalogue = load_catalogue(rules or [])
    if store is None:
        if output is Format.JSON:
            _print_json({key: item.title for key, item in catalogue.stores.items()})
        else:
            rules_text.print_stores(rules_text.console(), catalogue)
        return
    facts = _facts(given or ())
    view = store_view(catalogue, store, Release.parse(release) if release else None, facts)
    if output is Format.JSON:
        _print_json(asdict(view))
    else:
        rules_text.print_view(rules_text.console(), view)


@app.command()
def diff(
    old: Annotated[str, typer.Argument(help="A pack, a folder of packs, or a release.")],
    new: Annotated[str, typer.Argument(help="The same, to compare with.")],
    store: Annotated[
        str | None, typer.Option(help="Compare two releases of this store, not two packs.")
    ] = None,
    output: Output = Format.TEXT,
) -> None:
    """Show what differs between two packs or folders, or between two releases of a store.

    Examples: `watcher rules diff rules.before/ rules/` and
    `watcher rules diff --store tomcat 12.5 14`
    """
    differences = _releases_differ(store, old, new) if store else _packs_differ(old, new)
    if output is Format.JSON:
        _print_json([asdict(one) for one in differences])
    else:
        rules_text.print_differences(rules_text.console(), differences)


@app.command()
def schema(
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="FILE", help="File; standard output when absent."),
    ] = None,
) -> None:
    """Write the JSON Schema of a rule pack, for editors."""
    write_output(output, pack_schema())


def _facts(given: Sequence[str]) -> Facts:
    holds = [_condition(word) for word in given if not word.startswith("no-")]
    fails = [_condition(word.removeprefix("no-")) for word in given if word.startswith("no-")]
    for condition in holds:
        if condition in fails:
            raise InputError(
                f"{condition} and no-{condition} are both given", expected="one of them"
            )
    return facts_given(holds, fails)


def _condition(word: str) -> Condition:
    known = {str(condition): condition for condition in Condition}
    if word not in known:
        raise InputError(f"there is no condition {word!r}", expected=nearest(word, known))
    return known[word]


def _packs_differ(old: str, new: str) -> Sequence[Difference]:
    before, after = (
        [load_pack(name, text).pack for name, text in read_packs(place)] for place in (old, new)
    )
    return pack_differences(before, after)


def _releases_differ(store: str, old: str, new: str) -> Sequence[Difference]:
    catalogue = load_catalogue()
    before, after = (
        store_view(catalogue, store, Release.parse(release), {}) for release in (old, new)
    )
    return view_differences(before, after)


def _print_json(value: Any) -> None:  # noqa: ANN401 -- whatever json can print
    write_output(None, json.dumps(value, indent=2, ensure_ascii=False) + "\n")

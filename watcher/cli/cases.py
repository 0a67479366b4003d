"""`watcher cases`: which certificates need action, and what people say about them."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from getpass import getuser
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from pydantic import TypeAdapter
from rich.console import Console

from watcher.app.clock import SystemClock
from watcher.app.settings import Located, inventory_of
from watcher.app.views import CaseFile, case_file, find_case, opened, perform, plan_of
from watcher.cases.thresholds import calendar_days, last_day
from watcher.cli import tables
from watcher.cli.options import (
    TIME,
    AllAtOnce,
    Json,
    SettingsFile,
    located,
    located_to_look,
    moment,
)
from watcher.errors import InputError
from watcher.model.case import Act, ActKind, Case, CaseState, Crossing, Transition
from watcher.ports import CaseQuery, CaseRow

app = typer.Typer(
    invoke_without_command=True,
    rich_markup_mode="markdown",
    help="List certificates that need action, most urgent first; say what was done about one.",
)

FARTHEST = timedelta(days=400)
"""So far ahead a case may be acknowledged or planned; a certificate with less left is due."""
Number = Annotated[int, typer.Argument(metavar="CASE", help="Number, as `watcher cases` prints.")]
By = Annotated[str | None, typer.Option(help="Who says so; the login name when absent.")]
Why = Annotated[str, typer.Option(help="Why; stands in the history.")]


def register(commands: typer.Typer) -> None:
    """Add the group of commands to `commands`."""
    commands.add_typer(app, name="cases")


@app.callback()
def cases(  # noqa: PLR0913 -- one parameter for each option of the command line
    context: typer.Context,
    *,
    settings: SettingsFile = None,
    cluster: Annotated[str | None, typer.Option(help="Of this cluster only.")] = None,
    state: Annotated[list[CaseState] | None, typer.Option(help="In these states only.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Resolved ones too.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 200,
    as_json: Json = False,
) -> None:
    """List certificates that need action, the most urgent first.

    The number in front names a case in the other commands. Days are those until the end by the
    calendar of the cluster, 0 for what is over or revoked; `?` means that no end is known.

    Examples: `watcher cases`, `watcher cases --cluster hq --json`, `watcher cases show 7`
    """
    context.obj = settings
    if context.invoked_subcommand is not None:
        return
    wanted = set(state or (CaseState if all_ else set(CaseState) - {CaseState.RESOLVED}))
    now = SystemClock().now()
    place = located_to_look(settings)
    with opened(place) as store:
        rows = store.view.list_cases(CaseQuery(cluster=cluster, states=wanted, limit=limit))
    if as_json:
        tables.print_json(TypeAdapter(list[CaseRow]).dump_python(list(rows), mode="json"))
        return
    heads = (
        "case",
        "days",
        "state",
        "cluster",
        "owner",
        "store",
        "end",
        "grade",
        "events",
        "heard",
    )
    zones = _zones(place)
    tables.print_table(tables.console(), heads, (_row(row, now, zones) for row in rows))


@app.command()
def show(
    context: typer.Context, case: Number, *, settings: SettingsFile = None, as_json: Json = False
) -> None:
    """Show a case: what was heard, by whom, its history, its plan.

    Example: `watcher cases show 7`
    """
    place = located_to_look(settings or context.obj)
    with opened(place) as store:
        found = case_file(store.view, case, place.plan_folder)
    if as_json:
        tables.print_json(TypeAdapter(CaseFile).dump_python(found, mode="json"))
    else:
        _print(tables.console(), found, _zones(place).get(found.row.case.key.cluster, UTC))


@app.command(cls=AllAtOnce)
def acknowledge(  # noqa: PLR0913 -- likewise
    context: typer.Context,
    case: Number,
    *,
    until: Annotated[str, typer.Option(metavar="TIME", help=TIME)],
    why: Why,
    by: By = None,
    settings: SettingsFile = None,
) -> None:
    """Take a case: nobody is told of it until then, though its alarms are counted.

    Example: `watcher cases acknowledge 7 --until 3d --why "window on Thursday, CHG 4711"`
    """
    context.obj = settings or context.obj
    _do(context, case, ActKind.ACKNOWLEDGE, by=by, why=why, until=until)


@app.command(cls=AllAtOnce)
def plan(  # noqa: PLR0913 -- likewise
    context: typer.Context,
    case: Number,
    *,
    code: Annotated[
        str,
        typer.Option("--code", "--digest", metavar="PLAN CODE", help="As the plan shows it."),
    ],
    start: Annotated[str, typer.Option(metavar="TIME", help=TIME)],
    why: Why = "a change is planned",
    by: By = None,
    settings: SettingsFile = None,
) -> None:
    """Tie a case to a stored plan; one that asks for something else sets the case free again.

    Example: `watcher cases plan 7 --code 57F8-4B15-5054 --start 2026-12-03T22:00+01:00`
    """
    context.obj = settings or context.obj
    _do(context, case, ActKind.PLAN, by=by, why=why, until=start, code=code)


@app.command(cls=AllAtOnce)
def release(
    context: typer.Context,
    case: Number,
    *,
    why: Why,
    by: By = None,
    settings: SettingsFile = None,
) -> None:
    """Give a case back that was acknowledged or planned.

    Example: `watcher cases release 7 --why "window was moved"`
    """
    context.obj = settings or context.obj
    _do(context, case, ActKind.RELEASE, by=by, why=why)


@app.command(cls=AllAtOnce)
def confirm(  # noqa: PLR0913 -- likewise
    context: typer.Context,
    case: Number,
    *,
    not_after: Annotated[str, typer.Option(metavar="TIME", help=TIME)],
    why: Why = "read off the certificate",
    by: By = None,
    settings: SettingsFile = None,
) -> None:
    """State when the certificate ends, read off it on the node: from now on that is a fact.

    Example: `watcher cases confirm 7 --not-after 2026-12-24T10:00+00:00`
    """
    context.obj = settings or context.obj
    _do(context, case, ActKind.CONFIRM, by=by, why=why, not_after=not_after)


@app.command(cls=AllAtOnce)
def resolve(  # noqa: PLR0913 -- likewise
    context: typer.Context,
    case: Number,
    *,
    why: Why,
    not_after: Annotated[
        str | None, typer.Option(metavar="TIME", help=f"End of the new certificate: {TIME}")
    ] = None,
    by: By = None,
    settings: SettingsFile = None,
) -> None:
    """State that the new certificate was seen on the node, and when it ends.

    Without `--not-after` only where all that was heard was about copies in trust stores, and
    they were deleted.

    Example: `watcher cases resolve 7 --not-after 2031-12-03 --why "seen with show cert own"`
    """
    context.obj = settings or context.obj
    _do(context, case, ActKind.RESOLVE, by=by, why=why, not_after=not_after)


def _do(  # noqa: PLR0913 -- what a person can say of a case
    context: typer.Context,
    number: int,
    kind: ActKind,
    *,
    by: str | None,
    why: str,
    until: str | None = None,
    not_after: str | None = None,
    code: str | None = None,
) -> None:
    now = SystemClock().now()
    ends = _soon(until, now, "--until" if kind is ActKind.ACKNOWLEDGE else "--start")
    with opened(located(context.obj)) as store:
        row = find_case(store.view, number)
        deed = Act(
            kind=kind, case=row.case.key, at=now, who=by or _login(), why=why, until=ends,
            not_after=moment(not_after, now, "--not-after") if not_after else None,
            digest=plan_of(store.view, code, row.case.key.cluster) if code else None,
        )  # fmt: skip
        after = perform(store, row.case.key, deed)
    tables.say(tables.console(), f"Case {number} is {after.state}.")


def _soon(text: str | None, now: datetime, what: str) -> datetime | None:
    """Read until when nobody shall be told of a case: a slip of a digit must not be for years."""
    if text is None:
        return None
    found = moment(text, now, what)
    if found > now + FARTHEST:
        raise InputError(
            f"{what}: {text!r} is more than {FARTHEST.days} days ahead",
            expected=f"at most {now + FARTHEST:%Y-%m-%d}",
        )
    return found


def _login() -> str:
    try:
        return getuser()
    except (OSError, KeyError) as error:
        raise InputError("this user has no name", expected="--by NAME") from error


def _zones(place: Located) -> Mapping[str, tzinfo]:
    """Return the zones whose days count, by cluster; none where the inventory cannot be read."""
    try:
        inventory = inventory_of(place)
    except InputError:
        return {}
    clusters = inventory.clusters if inventory else ()
    return {one.name: ZoneInfo(one.time_zone) for one in clusters if one.time_zone}


def _row(row: CaseRow, now: datetime, zones: Mapping[str, tzinfo]) -> tuple[object, ...]:
    case = row.case
    key, zone = case.key, zones.get(case.key.cluster, UTC)
    left = calendar_days(case, now, zone)
    return (
        row.id, "?" if left is None else left, case.state, key.cluster or "?", _owner(case),
        key.store or "?", _end(case, zone), int(case.grade), case.occurrences,
        f"{case.heard_at:%Y-%m-%d %H:%M}",
    )  # fmt: skip


def _owner(case: Case) -> str:
    owner = case.key.owner or case.key.identity or ("every node" if case.key.shared else "?")
    return f"{owner} (claimed)" if case.key.claimed else owner


def _end(case: Case, zone: tzinfo) -> str:
    marks = [mark for mark in ("expired", "revoked") if getattr(case, mark)]
    if case.confirmed_end is not None:
        return ", ".join([f"{last_day(case, zone)}", "confirmed", *marks])
    day = case.end_day.isoformat() if case.end_day else "?"
    return ", ".join([day, case.certainty, *marks])


def _print(out: Console, found: CaseFile, zone: tzinfo) -> None:
    for name, value in _facts(found, zone):
        tables.say(out, f"{name}: {value}")
    tables.heading(out, "History")
    tables.print_table(out, ("when", "what", "why"), (_step(step) for step in found.history))
    tables.heading(out, "Newest events of each reporter (details: watcher explain MESSAGE)")
    heads = ("message", "received", "reporter", "alarm", "way", "grade", "end")
    rows = (
        (one.message, _at(one.received_at), one.reporter, one.msgname, one.way, int(one.grade),
         one.end_day or "?")
        for one in found.events
    )  # fmt: skip
    tables.print_table(out, heads, rows)


def _facts(found: CaseFile, zone: tzinfo) -> Iterator[tuple[str, object]]:
    case, key = found.row.case, found.row.case.key
    yield from (("case", found.row.id), ("state", f"{case.state} since {_at(case.state_since)}"))
    what = f"{key.store or '?'} of {_owner(case)}"
    what = f"{what}, multi-server," if key.shared else what
    yield "certificate", f"{what} in cluster {key.cluster or '?'}"
    yield "end", _end(case, zone)
    if case.end_earliest is not None:
        latest = _at(case.end_latest) if case.end_latest else "open"
        yield "end between", f"{_at(case.end_earliest)} and {latest}"
    yield "grade", f"{int(case.grade)} ({case.grade.name.lower().replace('_', ' ')})"
    yield "events", f"{case.occurrences}, and {case.copies} copies on other ways"
    yield from (
        ("alarms", ", ".join(case.msgnames)),
        ("reporters", ", ".join(case.reporters) or "?"),
    )
    yield from _standing(case)
    if found.plan is not None:
        plan_ = found.plan
        yield "plan", f"{plan_.digest}, drawn {_at(plan_.drawn_at)}: {plan_.headline}"
    if found.plan_altered:
        yield "plan", "ALTERED in the database since it was drawn; not shown"
    if found.plan_path:
        yield "plan file", found.plan_path


def _standing(case: Case) -> Iterator[tuple[str, object]]:
    """Yield what people or contradictions have added."""
    if case.trust_only:
        yield "scope", "all that was heard is about copies in trust stores"
    if case.contradiction:
        yield "contradiction", case.contradiction
    if case.acknowledged_by:
        until = _at(case.acknowledged_until) if case.acknowledged_until else "?"
        yield "acknowledged", f"by {case.acknowledged_by} until {until}: {case.acknowledged_why}"
    if case.planned_digest:
        when = _at(case.planned_for) if case.planned_for else "?"
        yield "planned", f"{case.planned_digest}, begins {when}"


def _step(step: Transition | Crossing | Act) -> tuple[str, str, str]:
    when = _at(step.at)
    if isinstance(step, Transition):
        return when, f"{step.before or 'new'} -> {step.after}", step.reason
    if isinstance(step, Crossing):
        unit = "day" if step.days == 1 else "days"
        mark = f"{step.days} {unit} or less" if step.days > 0 else "over or revoked"
        return when, mark, step.silent or "told"
    return when, f"{step.kind} by {step.who}", step.why


def _at(when: datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M} UTC"

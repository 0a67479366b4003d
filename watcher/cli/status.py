"""`watcher status`: how the daemon is, and whether its books balance."""

from collections.abc import Iterator
from datetime import datetime

import typer
from pydantic import TypeAdapter
from rich.console import Console

from watcher.app.clock import SystemClock
from watcher.app.views import Overview, overview, runs
from watcher.cli import tables
from watcher.cli.options import Json, SettingsFile, located_anyway
from watcher.model.ledger import Books, Place, books
from watcher.model.ticket import ErrandState

SHOWN = 20
"""Peers that are listed, the most recently heard first."""
_PLACES = [place for place in Place if place is not Place.RECEIVED]


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command()(status)


def status(settings: SettingsFile = None, *, as_json: Json = False) -> None:
    """Show inputs, books, cases, sources and what is not well; exit status 1 if anything is not.

    Received is what the inputs counted; it must be the sum of all places. A settings file with a
    fault is part of the answer: the daemon that runs is found by what is sound in it.

    Examples: `watcher status` and `watcher status --json | jq .difference`
    """
    place, fault = located_anyway(settings)
    seen = overview(place, SystemClock().now(), fault)
    if as_json:
        tables.print_json(TypeAdapter(Overview).dump_python(seen, mode="json"))
    else:
        _print(tables.console(), seen)
    raise typer.Exit(1 if seen.trouble else 0)


def _print(out: Console, seen: Overview) -> None:
    tables.say(out, f"State: {seen.state_dir}")
    for line in _halves(seen):
        tables.say(out, line)
    _print_inputs(out, seen)
    _print_books(out, seen)
    _print_counts(out, seen)
    _print_outbox(out, seen)
    _print_letters(out, seen)
    _print_sources(out, seen)
    if seen.trouble:
        tables.heading(out, "Not well")
        for trouble in seen.trouble:
            tables.say(out, f"- {trouble}")


def _halves(seen: Overview) -> Iterator[str]:
    for name, half in (("receiver", seen.receiver), ("worker", seen.worker)):
        if half is None:
            yield f"{name}: never ran here"
        elif runs(half, seen.now):
            since = _at(half.started_at)
            yield f"{name}: runs since {since}, version {half.version}, pid {half.pid}"
        else:
            how = "ended in order" if half.stopped else "stopped, last sign"
            yield f"{name}: {how} {_at(half.written_at)}"
    worker = seen.worker
    if worker is None:
        return
    waits = f"since {_at(worker.oldest_unread_at)}" if worker.oldest_unread_at else "nothing waits"
    yield f"backlog: {worker.backlog_bytes} bytes, {waits}"
    holder = "here" if worker.lease_held else worker.lease_holder or "nobody"
    yield f"lease: {holder}, term {worker.lease_epoch}"
    test = _at(worker.self_test_at) if worker.self_test_at else "none came out yet"
    yield f"self-test: {test}"
    yield f"plans: {worker.plans_drawn} drawn, {worker.plans_refused} refused by the check"


def _print_inputs(out: Console, seen: Overview) -> None:
    receiver = seen.receiver
    if receiver is None or not receiver.inputs:
        return
    tables.heading(out, "Inputs")
    heads = ("input", "kind", "where", "open", "connections", "buffer", "kernel drops", "problem")
    rows = (
        (
            one.name, one.way, one.where, "yes" if one.open else "no", one.connections,
            "" if one.receive_buffer is None else one.receive_buffer,
            "" if one.kernel_drops is None else one.kernel_drops, one.problem,
        )
        for one in receiver.inputs
    )  # fmt: skip
    tables.print_table(out, heads, rows)


def _print_books(out: Console, seen: Overview) -> None:
    tables.heading(out, "Books")
    if seen.database_problem:
        tables.say(out, f"not read: {seen.database_problem}")
        return
    inputs = sorted({line.input for line in seen.lines})
    rows = [_book_row(name, books(x for x in seen.lines if x.input == name)) for name in inputs]
    rows.append(_book_row("all", books(seen.lines)))
    tables.print_table(out, ("input", "received", *_PLACES, "difference"), rows)
    refused = [line for line in seen.lines if line.reason and line.count]
    if refused:
        rows = [(line.input, line.place, line.reason, line.count) for line in refused]
        tables.print_table(out, ("input", "place", "reason", "count"), rows)


def _book_row(name: str, one: Books) -> tuple[object, ...]:
    return (name, one.total(Place.RECEIVED), *map(one.total, _PLACES), one.difference)


def _print_counts(out: Console, seen: Overview) -> None:
    for title, counts in (("Cases", seen.cases), ("Quarantine", seen.quarantine)):
        if counts:
            tables.heading(out, title)
            tables.print_table(out, ("kind", "count"), sorted(counts.items()))


def _print_outbox(out: Console, seen: Overview) -> None:
    if not seen.outbox:
        return
    tables.heading(out, "Tickets")
    systems = sorted({one.system for one in seen.outbox})
    counts = {(one.system, one.state): one.count for one in seen.outbox}
    rows = ([name, *(counts.get((name, state), 0) for state in ErrandState)] for name in systems)
    tables.print_table(out, ("system", *ErrandState), rows)


def _print_letters(out: Console, seen: Overview) -> None:
    letters = seen.worker.letters if seen.worker else ()
    if not letters:
        return
    tables.heading(out, "Letters of the last seven days")
    rows = (
        (
            one.kind, one.list, one.delivered, one.waiting, one.lost, one.undrawn,
            _at(one.newest) if one.newest else "none yet",
        )
        for one in letters
    )  # fmt: skip
    heads = ("kind", "list", "delivered", "waiting", "lost", "not drawn", "newest")
    tables.print_table(out, heads, rows)


def _print_sources(out: Console, seen: Overview) -> None:
    expected = seen.worker.sources if seen.worker else ()
    if expected:
        tables.heading(out, "Expected sources")
        rows = ((one.source, one.state, _at(one.last) if one.last else "never") for one in expected)
        tables.print_table(out, ("source", "state", "last heard"), rows)
    if seen.heard:
        tables.heading(out, "Heard")
        newest = sorted(seen.heard, key=lambda one: one.last, reverse=True)[:SHOWN]
        tables.print_table(
            out, ("source", "input", "messages", "last"),
            ((one.source, one.input, one.count, _at(one.last)) for one in newest),
        )  # fmt: skip


def _at(when: datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M:%S} UTC"

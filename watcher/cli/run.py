"""`watcher run`: the daemon."""

import asyncio
import os
import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Annotated

import typer

from watcher.app.files import read_text
from watcher.app.in_force import WORKER_FILE, Text, noting, take, write
from watcher.app.logs import begin_logging, end_logging
from watcher.app.settings import Prepared, find_settings, prepare
from watcher.app.status import read_worker
from watcher.cli.tables import console, heading, near, print_table
from watcher.errors import WatcherError
from watcher.model.ledger import Place, books

if TYPE_CHECKING:
    from watcher.app.receiver import RunOrder


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("run")(run)


class Half(StrEnum):
    """The processes of the daemon."""

    RECEIVER = "receiver"
    WORKER = "worker"
    DRAWING = "drawing"
    """One plan, drawn for the worker."""


def run(
    settings: Annotated[
        str | None,
        typer.Option("--settings", "-s", metavar="FILE", help="Settings. Default: watcher.yaml."),
    ] = None,
    only: Annotated[
        Half | None,
        typer.Option("--only", help="One half alone, where each is a unit of its own."),
    ] = None,
    cluster: Annotated[str, typer.Option("--cluster", hidden=True)] = "",
    in_force: Annotated[Path | None, typer.Option("--in-force", hidden=True)] = None,
    demo: Annotated[
        str | None,
        typer.Option(
            "--demo",
            metavar="ALERT",
            help="Send this RTMT alert to our own listeners, and show what becomes of it.",
        ),
    ] = None,
) -> None:
    """Receive alarms day and night, keep every one, fold them into cases, draw their plans.

    Ends in order at Ctrl-C or SIGTERM; SIGHUP takes new settings over, whole or not at all.

    Examples:
        watcher run                                listeners on the loopback, state in ./var

        watcher run --settings /etc/watcher/watcher.yaml

    """
    if in_force is not None:
        take(in_force)
    path = find_settings(settings, os.environ)
    with noting() as texts:
        prepared = prepare(path, os.environ)
    told = prepared.settings.log
    begin_logging(told.level.value, told.format.value)
    try:
        # Each half loads only what it uses: that is 60 MiB less for the two of them.
        if only is Half.WORKER:
            from watcher.app.worker_process import run_worker  # noqa: PLC0415

            run_worker(prepared, in_force or _written(prepared, texts))
        elif only is Half.DRAWING:
            from watcher.app.worker_process import draw_plan  # noqa: PLC0415

            draw_plan(prepared, cluster)
        else:
            from watcher.app.receiver import RunOrder  # noqa: PLC0415

            order = RunOrder(
                settings=path, environment=os.environ, texts=texts, worker=only is None
            )  # fmt: skip
            _receive(order, prepared, read_text(demo) if demo else None)
    finally:
        end_logging()


def _written(prepared: Prepared, texts: Mapping[str, Text]) -> Path:
    """Write down what a worker that is a unit of its own works with; return where."""
    file = prepared.state_dir / WORKER_FILE
    write(file, texts)
    return file


def _receive(order: "RunOrder", prepared: Prepared, example: str | None) -> None:
    from watcher.app.receiver import Receiver  # noqa: PLC0415

    sys.setswitchinterval(0.001)  # a thread that has datagrams waits no longer for its turn
    receiver = Receiver(order, prepared)
    if example is not None:
        since = receiver.clock.now().timestamp()
        Thread(target=_show, args=(prepared, since, example), daemon=True).start()
    asyncio.run(receiver.run())
    _tell_books(prepared)
    if receiver.failure:
        raise typer.Exit(3)


def _show(prepared: Prepared, since: float, example: str) -> None:
    """Show the example's way through the daemon."""
    from watcher.app.demo import listening, outcome, send, taken_in  # noqa: PLC0415

    out = console()
    try:
        receiver = listening(prepared, since)
        heading(out, "Listening")
        print_table(out, ("Input", "Address"), [(i.name, i.where) for i in receiver.inputs])
        before = taken_in(prepared)
        told = send(receiver, prepared.settings.smtp.recipients[0], example)
        heading(out, "Sent: one alarm, twice")
        print_table(out, ("Message", "Answer"), told.items())
        cases = outcome(prepared, before + len(told))
    except (WatcherError, OSError) as error:
        print(f"watcher: error: the example did not go through: {error}", file=sys.stderr)
        return
    heading(out, "1 case" if len(cases) == 1 else f"{len(cases)} cases")
    print_table(
        out, ("Case", "Certificate", "Events", "Copies", "Ways", "End", "Plan"),
        [(c.number, c.certificate, c.occurrences, c.copies, c.ways, c.end, near(c.page))
         for c in cases],
    )  # fmt: skip
    for folder in dict.fromkeys(case.ticket for case in cases if case.ticket):
        print(f"Change ticket, drafted: {near(folder)}/ticket.html")
    print("It listens on; Ctrl-C ends it. Look at it from a second terminal.", flush=True)


def _tell_books(prepared: Prepared) -> None:
    """Print the books as the worker left them, once everything was taken in."""
    worker = read_worker(prepared.state_dir)
    if worker is None:
        return
    kept = books(worker.lines)
    ends = [place for place in Place if place is not Place.RECEIVED and kept.total(place)]
    sums = " + ".join(f"{kept.total(place)} {place}" for place in ends) or "0"
    balance = "balanced" if kept.difference == 0 else f"difference {kept.difference}"
    received = kept.total(Place.RECEIVED)
    print(f"Books: {received} received = {sums}; {balance}.", file=sys.stderr)

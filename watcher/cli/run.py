"""`watcher run`: the daemon."""

import asyncio
import os
import sys
from enum import StrEnum
from typing import Annotated

import typer

from watcher.app.logs import begin_logging, end_logging
from watcher.app.receiver import Receiver, RunOrder
from watcher.app.settings import Prepared, find_settings, prepare
from watcher.app.worker_process import run_worker


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("run")(run)


class Half(StrEnum):
    """The two processes of the daemon."""

    RECEIVER = "receiver"
    WORKER = "worker"


def run(
    settings: Annotated[
        str | None,
        typer.Option("--settings", "-s", metavar="FILE", help="Settings. Default: watcher.yaml."),
    ] = None,
    only: Annotated[
        Half | None,
        typer.Option("--only", help="One half alone, where each is a unit of its own."),
    ] = None,
) -> None:
    """Receive alarms day and night, keep every one, fold them into cases, draw their plans.

    Ends in order at Ctrl-C or SIGTERM; SIGHUP takes new settings over, whole or not at all.

    Examples:

        watcher run                                listeners on the loopback, state in ./var

        watcher run --settings /etc/watcher/watcher.yaml

    """
    path = find_settings(settings, os.environ)
    prepared = prepare(path, os.environ)
    told = prepared.settings.log
    begin_logging(told.level.value, told.format.value)
    try:
        if only is Half.WORKER:
            run_worker(prepared)
        else:
            _receive(RunOrder(settings=path, environment=os.environ, worker=only is None), prepared)
    finally:
        end_logging()


def _receive(order: RunOrder, prepared: Prepared) -> None:
    sys.setswitchinterval(0.001)  # a thread that has datagrams waits no longer for its turn
    receiver = Receiver(order, prepared)
    asyncio.run(receiver.run())
    if receiver.failure:
        raise typer.Exit(3)

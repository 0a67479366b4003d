"""`watcher replay`: read quarantined messages again after a fix."""

from collections.abc import Iterable
from typing import Annotated

import typer

from watcher.app.clock import SystemClock
from watcher.app.replay import Replayed, Replayer
from watcher.app.settings import directory_of
from watcher.app.views import opened
from watcher.cases.storm import StormLimits
from watcher.cli import tables
from watcher.cli.explain import message_id
from watcher.cli.options import Json, SettingsFile, located
from watcher.errors import InputError
from watcher.model.ledger import Reason
from watcher.model.message import MessageId
from watcher.store.figures import REPLAY


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command()(replay)


def replay(
    *,
    reason: Annotated[
        list[Reason] | None, typer.Option(help="Only what is there for it; may be repeated.")
    ] = None,
    id_: Annotated[
        list[str] | None, typer.Option("--id", metavar="MESSAGE", help="Only this; likewise.")
    ] = None,
    settings: SettingsFile = None,
    as_json: Json = False,
) -> None:
    """Read quarantined messages again, after a fix of rules, inventory or program.

    The daemon may run meanwhile. Messages that are read now find their cases and leave
    quarantine; doing it again changes nothing.

    Examples: `watcher replay --reason unreadable` and `watcher replay --id main-1a2b`
    """
    place = located(settings)
    directory = directory_of(place)
    storm = place.settings.cases.storm
    limits = StormLimits(
        claimed_per_hour=storm.claimed_per_hour, claimed_total=storm.claimed_total,
        named_per_hour=storm.named_per_hour, named_total=storm.named_total,
    )  # fmt: skip
    now = SystemClock().now()
    with opened(place) as store:
        replayer = Replayer(store=store, view=store.view, directory=directory, limits=limits)
        if id_:
            done = [replayer.replay_one(_named(one), now) for one in id_]
        else:
            done = list(replayer.replay(frozenset(reason or ()), now))
        if any(one.changed for one in done):
            # So that a daemon beside us draws the plans anew.
            store.runs.claim(REPLAY, now.isoformat(), now)
    _print(done, as_json=as_json)


def _named(text: str) -> MessageId:
    found = message_id(text)
    if found is None:
        raise InputError(f"{text!r} is no id of a message", expected="one such as main-1a2b")
    return found


def _print(done: Iterable[Replayed], *, as_json: bool) -> None:
    rows = [
        (str(one.id), one.before.value, one.place.value, one.after.value, one.detail)
        for one in done
    ]
    heads = ("message", "was there for", "now", "for", "detail")
    if as_json:
        tables.print_json([dict(zip(heads, row, strict=True)) for row in rows])
        return
    out = tables.console()
    changed = [row for row in rows if (row[2], row[3]) != ("quarantined", row[1])]
    if changed:
        tables.print_table(out, heads, changed)
    tables.say(out, f"read again: {len(rows)}; left quarantine or its reason: {len(changed)}")

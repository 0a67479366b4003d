"""From settings to ticket systems: which there are, what they are built from, what is attached."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from watcher.app.drawing import EXCUSE
from watcher.app.errands import Desk
from watcher.app.parts import TicketKeys
from watcher.app.report import Found
from watcher.app.settings import Located, Prepared
from watcher.app.systems import remote_systems
from watcher.errors import InputError, NotLoggedIn, Refused, ShutOut, TryLater, Unclear
from watcher.model.ticket import Attachment, Draft, ErrandState, mark
from watcher.ports import Clock, Outbox, TicketSystem
from watcher.senders.directory import DirectorySystem
from watcher.settings.schema import TicketSettings
from watcher.store.engine import Store
from watcher.tickets.advance import Limits, revive
from watcher.tickets.due import DueRules

LARGEST = 8 << 20
"""Bytes of a document that is attached; ticket systems refuse much larger ones."""
_KINDS = (
    ("html", "text/html"), ("md", "text/markdown"), ("pdf", "application/pdf"),
    (EXCUSE.removeprefix("."), "text/plain"),
)  # fmt: skip


def systems_of(
    where: Located | Prepared, keys: TicketKeys, clock: Clock
) -> Mapping[str, TicketSystem]:
    """Return the ticket systems of the settings by name; nothing is spoken to yet."""
    found: list[TicketSystem] = []
    if where.settings.tickets.directory:
        found.append(DirectorySystem(where.ticket_folder))
    found += remote_systems(where.settings, keys, clock)
    return {one.name: one for one in found}


def desk_of(prepared: Prepared, store: Store, standing: Found, clock: Clock) -> Desk:
    """Return all that sending works with."""
    told = prepared.settings.tickets
    systems = systems_of(prepared, prepared.tickets, clock)
    return Desk(
        outbox=store.outbox, view=store.view, lease=store.lease, clock=clock, standing=standing,
        systems=systems, limits=limits_of(told),
        rules=rules_of(told, systems, store.outbox.installation()),
        open_clusters=lambda: tuple(store.figures.open_clusters()),
        attach=partial(attached, prepared.plan_folder),
    )  # fmt: skip


def rules_of(
    told: TicketSettings, systems: Mapping[str, TicketSystem], installation: str
) -> DueRules:
    """Return what the site wants done."""
    return DueRules(
        systems=tuple(systems), close=told.close, reopen_within=told.reopen_within,
        renew_after=told.renew_after, installation=installation,
        stays_closed=frozenset(name for name, one in systems.items() if not one.reopens),
    )  # fmt: skip


def limits_of(told: TicketSettings) -> Limits:
    """Return how long is waited for what."""
    return Limits(
        client=told.call, server=told.server_work, index=told.index_lag, horizon=told.horizon,
        hourly=told.hourly,
    )  # fmt: skip


def attached(folder: Path, cluster: str) -> Sequence[Attachment]:
    """Return the documents of a cluster's newest plan as far as they are there."""
    found = []
    for ending, kind in _KINDS:
        page = folder / f"{cluster}.{ending}"
        try:
            if page.stat().st_size <= LARGEST:
                data = page.read_bytes()
                found.append(Attachment(name=f"plan.{ending}", media_type=kind, data=data))
        except OSError:
            continue  # not drawn in this form, or just being taken away
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What came of a sample: what worked in order, where it lies, or what the problem is."""

    steps: tuple[str, ...]
    where: str = ""
    problem: str = ""


def sample(now: datetime) -> Draft:
    """Return a draft that says what it is; each second has one of its own."""
    key = f"watcher-test-{now:%Y%m%d%H%M%S}"
    text = "A sample from `watcher test-send`. Nothing is to be done; it may be closed."
    return Draft(
        key=key, version=1, material="sample", cluster="test", title="watcher: a test",
        description=text, risk="None.", impact="None.", implementation="1. Nothing.",
        back_out="Nothing.", test="Nothing.", starts=None, ends=None, due=None, items=(),
        attachments=(
            Attachment(name="plan.md", media_type="text/markdown", data=b"# A sample\n"),
        ),
    )  # fmt: skip


def sample_sent(system: TicketSystem, now: datetime) -> Tried:
    """Make a sample ticket, look for it, comment on it; one try of each."""
    draft, done = sample(now), []
    note = mark(draft.key, "p1")
    try:
        before = system.find(draft.key)
        done.append(f"search: {len(before)} with the key {draft.key}")
        ticket = before[0] if before else system.create(draft)
        done.append(f"created: {ticket.number}")
        found = [one.id for one in system.find(draft.key)]
        there = "found" if ticket.id in found else "not found yet: its search lags behind"
        done.append(f"search: {there}")
        system.comment(ticket, note, f"{note} A comment of the same test.")
        done.append("commented")
    except (TryLater, Unclear, Refused) as error:
        return Tried(steps=tuple(done), problem=f"{_WORDS[type(error)]}: {error}")
    return Tried(steps=tuple(done), where=ticket.url or ticket.number)


_WORDS = {
    TryLater: "does not answer now", Unclear: "ended unclear", Refused: "refuses",
    ShutOut: "does not let us in", NotLoggedIn: "does not let us in",
}  # fmt: skip


def tried_again(outbox: Outbox, key: str | None, now: datetime) -> int:
    """Let the dead errands of a change begin anew, or all; InputError without such a change."""
    if key is None:
        dead = outbox.dead()
    else:
        filed = outbox.filed(key)
        if filed is None:
            raise InputError(f"there is no change {key!r}", expected="a key of `watcher tickets`")
        dead = [one for one in filed.errands if one.state is ErrandState.DEAD]
    return sum(outbox.move(revive(one, now), ErrandState.DEAD) for one in dead)

"""A plan, its cluster and now -> when to do it, or the proof that no slot fits."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from watcher.inventory.schema import Cluster
from watcher.model.plan import ChangePlan
from watcher.model.slot import Outcome, Schedule, Slot, Span
from watcher.slots.calendar import Calendar, read_as
from watcher.slots.deadline import Hurry, Pressing, pressing
from watcher.slots.excluded import exclusions
from watcher.slots.limits import Limits, asked, limits_of
from watcher.slots.phases import work_in
from watcher.slots.relax import relaxations
from watcher.slots.search import Found, Latest, Session, earliest, latest
from watcher.slots.spans import Stretch, clipped, merged
from watcher.slots.zones import DAY, moment_of

_SHOWN_DAYS = 60 * DAY
"""Minutes of windows and blackouts that a schedule lists behind its last slot or deadline."""
_UNNAMED = Cluster(name="unknown")


def recommend(
    plan: ChangePlan, cluster: Cluster | None, now: datetime,
    calendars: Sequence[Calendar] = (), asked_at: datetime | None = None,
) -> Schedule:  # fmt: skip
    """Return the recommended slots of a plan as of now (aware), with the latest safe ones.

    Lead times run from `asked_at`, else from now. Raises InputError for a calendar whose rules
    come to too much.
    """
    site = cluster or _UNNAMED
    prepared = bool(site.lead_times.preparation)
    work = work_in(plan.steps, prepared=prepared)
    if not work.phases:
        return _nothing(plan, site, now)
    press = pressing(plan.findings, work, now)
    limits = limits_of(work, press, site, now, tuple(calendars))
    if asked_at is not None and asked_at < now:
        limits = asked(limits, site, asked_at)
    bare = _bare(plan, site, limits, press)
    bare = replace(bare, notes=(*bare.notes, *map(read_as, calendars)))
    if not limits.windows:
        return _without_windows(bare, limits)
    return _searched(bare, limits, press)


def _nothing(plan: ChangePlan, site: Cluster, now: datetime) -> Schedule:
    return Schedule(
        cluster=plan.cluster or site.name, zone=site.time_zone or "UTC", now=now,
        outcome=Outcome.NOTHING, minutes=0, ready=now,
        notes=("The plan has no steps, so there is nothing to place.",),
    )  # fmt: skip


def _bare(plan: ChangePlan, site: Cluster, limits: Limits, press: Pressing) -> Schedule:
    """Return a schedule with everything that is known before the search."""
    deadline = limits.deadline
    return Schedule(
        cluster=plan.cluster or site.name, zone=site.time_zone or "UTC",
        now=moment_of(limits.now), outcome=Outcome.NONE, minutes=limits.work.minutes,
        ready=moment_of(limits.ready), leads=limits.leads, expiry=press.earliest,
        deadline=None if deadline is None else moment_of(deadline),
        expired=press.texts(Hurry.EXPIRED), unsure=press.texts(Hurry.UNSURE),
        notes=_notes(site, limits),
    )  # fmt: skip


def _notes(site: Cluster, limits: Limits) -> tuple[str, ...]:
    notes = []
    if site.time_zone is None:
        notes.append("The cluster's time zone is not known: windows and days are read in UTC.")
    if site.margin_days is None and limits.ends:
        notes.append("margin_days is not in the inventory: 1 day before the end is reckoned with.")
    if limits.horizon - limits.now >= 800 * DAY:
        notes.append("Nothing is looked for more than 800 days ahead.")
    return tuple(notes)


def _without_windows(bare: Schedule, limits: Limits) -> Schedule:
    free = replace(limits, windows=((limits.now, limits.horizon),))
    found = latest(free.task()).last[0] if limits.ends else None
    by = f" It must begin by {moment_of(found):%Y-%m-%d %H:%M}Z at the latest." if found else ""
    note = f"No maintenance window is known (change_schedule, or a calendar with windows).{by}"
    return replace(bare, outcome=Outcome.UNKNOWN, notes=(*bare.notes, note))


def _searched(bare: Schedule, limits: Limits, press: Pressing) -> Schedule:
    task = limits.task()
    # Once something serves expired, or may, the number of windows counts less than the days.
    urgent = any(one.hurry is not Hurry.ENDS for one in press.presses)
    found = earliest(task, soonest=urgent)
    if found:
        slots = _slots(found, latest(task), limits)
        return _pictured(replace(bare, outcome=Outcome.FOUND, slots=slots), limits)
    late = earliest(limits.task(late=True), soonest=True) or ()
    return _pictured(
        replace(
            bare, excluded=exclusions(limits), relaxations=relaxations(limits),
            late=_slots(late, None, limits),
        ),
        limits,
    )  # fmt: skip


def _pictured(found: Schedule, limits: Limits) -> Schedule:
    """Return the schedule with the windows and blackouts up to its end."""
    ends = [slot.ends for slot in (*found.slots, *found.late)]
    known = [*ends, *(at for at in (found.deadline, found.expiry) if at)]
    days = (max(known, default=found.now) - found.now).days + 1
    last = min(limits.now + max(days * DAY, _SHOWN_DAYS), limits.horizon)
    windows = clipped(merged(limits.windows), limits.now, last)
    blackouts = [
        _span(cut, why)
        for stretch, why in limits.blackouts
        for cut in clipped((stretch,), limits.now, last)
    ]
    return replace(
        found, windows=tuple(_span(window, "window") for window in windows),
        blackouts=tuple(sorted(blackouts, key=lambda span: (span.starts, span.ends, span.what))),
    )  # fmt: skip


def _span(stretch: Stretch, what: str) -> Span:
    return Span(starts=moment_of(stretch[0]), ends=moment_of(stretch[1]), what=what)


def _slots(found: Found, limit: Latest | None, limits: Limits) -> tuple[Slot, ...]:
    pieces: dict[int, int] = {}
    slots = []
    for session in found:
        part = limits.work.part_of(session.first)
        pieces[part] = pieces.get(part, 0) + 1
        slots.append(_slot(session, pieces[part], limit, limits))
    return tuple(slots)


def _slot(session: Session, piece: int, limit: Latest | None, limits: Limits) -> Slot:
    phases, part = limits.work.phases, limits.work.part_of(session.first)
    deadline = dict(limits.ends).get(part) if limit else None
    last, safe = _latest(session, limit, limits)
    spare = safe is not None and safe >= session.starts
    # Without a spare slot every later beginning is worse: then the recommended one is the latest.
    begin = safe if spare else (session.starts if last is not None else None)
    return Slot(
        part=part, piece=piece,
        steps=(phases[session.first].steps[0], phases[session.end - 1].steps[1]),
        minutes=session.minutes, starts=moment_of(session.starts), ends=moment_of(session.ends),
        latest=None if begin is None else moment_of(begin),
        last=None if last is None else moment_of(last),
        deadline=None if deadline is None else moment_of(deadline - limits.margin),
        spare=spare, why=_why(session, limits, last=last, spare=spare),
    )  # fmt: skip


def _latest(
    session: Session, limit: Latest | None, limits: Limits
) -> tuple[int | None, int | None]:
    """Return the latest beginnings, unless no certificate bounds this part or one after it."""
    part = limits.work.part_of(session.first)
    if limit is None or not any(bounded >= part for bounded, _ in limits.ends):
        return None, None
    return limit.last[session.first], limit.safe[session.first]


def _why(session: Session, limits: Limits, *, last: int | None, spare: bool) -> str:
    if session.first:
        reason = "the first in which the rest fits, after a night's rest"
    elif limits.ready > limits.now:
        lead = max(limits.leads, key=lambda lead: lead.until)
        reason = f"the first in which it fits after the lead time of the {lead.name}"
    else:
        reason = "the first in which it fits"
    if last is None:
        return reason
    again = "a failed attempt can be repeated" if spare else "no slot is left for a second attempt"
    return f"{reason}; {again} before the deadline"

"""A schedule as text: the weeks to expiry as a strip, and each answer in words."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from watcher.model.clock import hours, moment, sure_moment
from watcher.model.slot import Outcome, Schedule, Slot, Span
from watcher.slots.spans import Stretch, merged, without
from watcher.slots.zones import (
    comes_twice,
    local_day,
    minute_after,
    minute_before,
    moment_of,
    zone_of,
)

_WEEKS, _EXCLUDED = 26, 40
_WEEK, _DAY = timedelta(days=7), timedelta(days=1)
COLUMNS = ("part", "minutes", "recommended", "latest safe", "last", "deadline", "why")
"""Headings of the table of slots."""
LEGEND = "S slot  = window  x blackout  > lead time  E certificate ends  D deadline  . nothing"


def rows(schedule: Schedule) -> tuple[tuple[str, ...], ...]:
    """Return a row for each recommended slot, or the first late one, in the cluster's zone."""
    zone = zone_of(schedule.zone)
    return tuple(_row(slot, schedule, zone) for slot in schedule.slots or schedule.late)


def _row(slot: Slot, schedule: Schedule, zone: ZoneInfo) -> tuple[str, ...]:
    letters = " %Z" if comes_twice(slot.ends, zone) else ""
    ends = slot.ends.astimezone(zone)
    return (
        name_of(slot, schedule), str(slot.minutes),
        f"{told(slot.starts, zone)} - {ends:%H:%M{letters}}",
        told(slot.latest, zone), told(slot.last, zone), told(slot.deadline, zone), slot.why,
    )  # fmt: skip


def name_of(slot: Slot, schedule: Schedule) -> str:
    """Return what a slot is called: its part, and its piece when the part was cut."""
    pieces = [one for one in (*schedule.slots, *schedule.late) if one.part == slot.part]
    piece = f", window {slot.piece} of {len(pieces)}" if len(pieces) > 1 else ""
    return f"part {slot.part}{piece} (steps {slot.steps[0]}-{slot.steps[1]})"


def told(at: datetime | None, zone: ZoneInfo) -> str:
    """Return a moment as people of a zone read it; with the zone's letters where that says more."""
    if at is None:
        return "-"
    return sure_moment(at, zone) if comes_twice(at, zone) else moment(at, zone)


def lines(schedule: Schedule) -> tuple[str, ...]:
    """Return what is to be said before the table: what ends when, and what was found."""
    return tuple(_lines(schedule, zone_of(schedule.zone)))


def _lines(schedule: Schedule, zone: ZoneInfo) -> Iterator[str]:
    yield f"{schedule.cluster}: {_HEADS[schedule.outcome]} Times are {schedule.zone}."
    yield f"The work takes {_length(schedule)}."
    yield from (f"{text}: as soon as possible." for text in schedule.expired)
    yield from (f"{text}." for text in schedule.unsure)
    if schedule.expiry and schedule.deadline:
        yield (
            f"The next certificate ends on {told(schedule.expiry, zone)} at the earliest; with "
            f"the margin the work must be over by {told(schedule.deadline, zone)}."
        )
    for lead in schedule.leads:
        yield f"Lead time of the {lead.name}: {lead.why}; not before {told(lead.until, zone)}."
    yield from schedule.notes


def _length(schedule: Schedule) -> str:
    """Return how long the work is: with several slots that of all, checks and backups included."""
    count = len(schedule.slots)
    if count > 1:
        total = sum(slot.minutes for slot in schedule.slots)
        return f"{hours(total)} in {count} windows, {hours(schedule.minutes)} in one"
    return f"{hours(schedule.minutes)} in one window"


_HEADS = {
    Outcome.FOUND: "a slot was found.",
    Outcome.NONE: "NO SLOT FITS.",
    Outcome.UNKNOWN: "no slot can be found.",
    Outcome.NOTHING: "nothing is to be scheduled.",
}


def proof(schedule: Schedule) -> tuple[str, ...]:
    """Return why no slot fits and what would help, cheapest first; nothing when one was found."""
    if schedule.outcome is not Outcome.NONE:
        return ()
    zone = zone_of(schedule.zone)
    shown = schedule.excluded[:_EXCLUDED]
    left = len(schedule.excluded) - len(shown)
    windows = [f"{_range(one.window, zone)}: {one.why}" for one in shown]
    helps = [
        f"{number}. {one.what}: {told(one.starts, zone)} to {told(one.ends, zone)} "
        f"(cost {one.cost})"
        for number, one in enumerate(schedule.relaxations, 1)
    ]
    return (
        "Each window before the deadline, and what excludes it:",
        *(f"  {line}" for line in windows or ["there is none"]),
        *((f"  and {left} more",) if left else ()),
        "What would yield a slot, the cheapest first:",
        *(f"  {line}" for line in helps or ["nothing that was tried, alone or together"]),
    )


def _range(span: Span, zone: ZoneInfo) -> str:
    return f"{told(span.starts, zone)} - {span.ends.astimezone(zone):%a %H:%M}"


def strip(schedule: Schedule) -> tuple[str, ...]:
    """Return the weeks from now to the end of the certificate, a letter for each day."""
    zone = zone_of(schedule.zone)
    today = schedule.now.astimezone(zone).date()
    ends = [slot.ends for slot in (*schedule.slots, *schedule.late)]
    known = [*ends, *(at for at in (schedule.expiry, schedule.deadline) if at)]
    last = max((at.astimezone(zone).date() for at in known), default=today)
    monday = today - today.weekday() * _DAY
    count = min((last - monday).days // 7 + 1, _WEEKS)
    weeks = [monday + number * _WEEK for number in range(max(count, 1))]
    found = [f"{week}  {' '.join(_days(schedule, week, today, zone))}" for week in weeks]
    cut = last >= weeks[-1] + _WEEK
    more = (f"...         until {last}",) if cut else ()
    return ("week of     M T W T F S S", *found, *more, LEGEND)


def _days(schedule: Schedule, week: date, today: date, zone: ZoneInfo) -> Iterator[str]:
    for number in range(7):
        day = week + number * _DAY
        yield " " if day < today else _letter(schedule, day, zone)


def _letter(schedule: Schedule, day: date, zone: ZoneInfo) -> str:
    slots = [*schedule.slots, *schedule.late]
    if any(slot.starts.astimezone(zone).date() == day for slot in slots):
        return "S"
    for letter, at in (("E", schedule.expiry), ("D", schedule.deadline)):
        if at and at.astimezone(zone).date() == day:
            return letter
    if _touches(schedule.blackouts, day, zone) and day not in _opens(schedule, zone):
        return "x"
    if day < schedule.ready.astimezone(zone).date():
        return ">"
    return "=" if day in _opens(schedule, zone) else "."


def _opens(schedule: Schedule, zone: ZoneInfo) -> frozenset[date]:
    """Return the days on which a window opens, or what a blackout leaves of one."""
    left = without(*(merged(map(_stretch, spans)) for spans in (
        schedule.windows, schedule.blackouts,
    )))  # fmt: skip
    return frozenset(local_day(moment_of(start), zone) for start, _ in left)


def _stretch(span: Span) -> Stretch:
    return minute_after(span.starts), minute_before(span.ends)


def _touches(spans: Sequence[Span], day: date, zone: ZoneInfo) -> bool:
    ends = ((span, span.ends - timedelta(seconds=1)) for span in spans)
    return any(
        span.starts.astimezone(zone).date() <= day <= end.astimezone(zone).date()
        for span, end in ends
    )

"""A schedule as an RFC 5545 calendar, for the calendars of those who do the work."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, Timezone, TimezoneDaylight, TimezoneStandard

from watcher.errors import one_line
from watcher.model.slot import Schedule, Slot
from watcher.slots.text import name_of
from watcher.slots.zones import change_between, zone_of

_STEP = timedelta(days=7)
"""No zone changes its offset twice in a week and back."""
_AROUND = timedelta(days=370)
_DOMAIN = "watcher.invalid"


def to_ics(schedules: Sequence[Schedule], sequence: int) -> str:
    """Return the recommended slots, one event each, with the zones they are told in.

    An event's UID is made of the cluster with part and piece, so that a later calendar with a
    higher `sequence` replaces it.
    """
    calendar = Calendar()
    calendar.add("prodid", "-//watcher//maintenance slots//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    for zone, slots in _by_zone(schedules).items():
        if zone != "UTC":
            calendar.add_component(time_zone(zone, slots[0].starts, slots[-1].ends))
    for schedule in schedules:
        for slot in schedule.slots:
            calendar.add_component(_event(schedule, slot, sequence))
    text: bytes = calendar.to_ical()
    return text.decode()


def _by_zone(schedules: Iterable[Schedule]) -> dict[str, list[Slot]]:
    found: dict[str, list[Slot]] = {}
    for schedule in schedules:
        if schedule.slots:
            found.setdefault(schedule.zone, []).extend(schedule.slots)
    return {zone: sorted(slots, key=lambda slot: slot.ends) for zone, slots in found.items()}


def _event(schedule: Schedule, slot: Slot, sequence: int) -> Event:
    zone = zone_of(schedule.zone)
    event = Event()
    key = one_line(f"watcher-{schedule.cluster}")
    event.add("uid", f"{key}-{slot.part}-{slot.piece}@{_DOMAIN}")
    event.add("sequence", sequence)
    event.add("dtstamp", schedule.now)
    starts, ends = _told(slot, zone)
    event.add("dtstart", starts)
    event.add("dtend", ends)
    event.add("summary", f"Certificates of {schedule.cluster}: {name_of(slot, schedule)}")
    event.add("description", description(slot, zone))
    event.add("categories", ["CHANGE"])
    event.add("status", "TENTATIVE")
    return event


def description(slot: Slot, zone: ZoneInfo) -> str:
    """Return the lines that an event says of its slot."""

    def told(moment: datetime) -> str:
        return f"{moment.astimezone(zone):%a %Y-%m-%d %H:%M %z}"

    lines = [f"{slot.minutes} minutes. {slot.why[:1].upper()}{slot.why[1:]}."]
    if slot.latest and slot.last:
        lines.append(f"Latest safe beginning: {told(slot.latest)}; last: {told(slot.last)}.")
    if slot.deadline:
        lines.append(f"To be over by {told(slot.deadline)}.")
    return "\n".join(lines)


def _told(slot: Slot, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return begin and end in their zone; both in UTC if the wall clock shows either twice."""
    starts, ends = slot.starts.astimezone(zone), slot.ends.astimezone(zone)
    if zone.key == "UTC" or _is_shown_twice(starts) or _is_shown_twice(ends):
        return slot.starts.astimezone(UTC), slot.ends.astimezone(UTC)
    return starts, ends


def _is_shown_twice(local: datetime) -> bool:
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()


def time_zone(name: str, first: datetime, last: datetime) -> Timezone:
    """Return the VTIMEZONE of a zone of the database, good for a year around two moments.

    Written here because icalendar dates the beginning of summer time an hour late.
    """
    zone = zone_of(name)
    made = Timezone()
    made.add("tzid", name)
    begin = first.astimezone(UTC) - _AROUND
    for at, before, after, daylight in ((begin, *_offsets(begin, begin, zone)),
                                        *_changes(zone, begin, last + _AROUND)):  # fmt: skip
        part = TimezoneDaylight() if daylight else TimezoneStandard()
        part.add("dtstart", (at + before).replace(tzinfo=None))
        part.add("tzoffsetfrom", before)
        part.add("tzoffsetto", after)
        made.add_component(part)
    return made


def _changes(
    zone: ZoneInfo, begin: datetime, end: datetime
) -> Iterator[tuple[datetime, timedelta, timedelta, bool]]:
    at = begin
    while at < end:
        following = at + _STEP
        if at.astimezone(zone).utcoffset() != following.astimezone(zone).utcoffset():
            change = change_between(at, following, zone)
            yield change, *_offsets(change - timedelta(seconds=1), change, zone)
        at = following


def _offsets(
    before: datetime, after: datetime, zone: ZoneInfo
) -> tuple[timedelta, timedelta, bool]:
    old, new = before.astimezone(zone), after.astimezone(zone)
    none = timedelta(0)
    return old.utcoffset() or none, new.utcoffset() or none, bool(new.dst())

"""The page as a calendar (RFC 5545): each cluster's recommended slots, and a day for each end."""

import hashlib
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from icalendar import Calendar, Event

from watcher.model.digest import ClusterSummary, DigestLine, DigestPage, DigestWindow, Section
from watcher.tickets.encode import one_line

MOST = 200
"""Events of one calendar."""
_TEXT, _DESCRIPTION = 200, 2000
"""Characters of a summary, and of what stands behind it: a way out stands last in it."""
_CANCELLED = "CANCELLED"
_WINDOW = "window-"


def calendar(page: DigestPage, domain: str, stamp: datetime) -> bytes:
    """Return the calendar, made at `stamp`.

    An event keeps its UID from week to week and its SEQUENCE goes up with the week of the stamp,
    so that it moves and is not doubled; what was resolved this week is cancelled. Of a large site
    the slots go in first, then what is cancelled, then the ends, the nearest first.
    """
    made = Calendar()
    made.add("prodid", "-//watcher//digest//EN")
    made.add("version", "2.0")
    made.add("method", "PUBLISH")
    events = sorted([*_windows(page), *_ends(page)], key=_rank)
    for event in events[:MOST]:
        event["uid"] = f"{event['uid']}@{domain}"
        event.add("dtstamp", stamp)
        event.add("sequence", (stamp.toordinal() - 1) // 7)
        event.add("transp", "TRANSPARENT")
        made.add_component(event)
    return bytes(made.to_ical())


def _rank(event: Event) -> int:
    if event.get("status") == _CANCELLED:
        return 1
    return 0 if str(event["uid"]).startswith(_WINDOW) else 2


def _ends(page: DigestPage) -> Iterator[Event]:
    lines = [(line.deadline, line.number, line.day, section, line)
             for section, lines in page.sections for line in lines
             if line.deadline and line.day]  # fmt: skip
    for deadline, _, day, section, line in sorted(lines, key=lambda one: one[:2]):
        if section is Section.DONE:
            yield _cancelled(_end(line, day))
        elif deadline > page.now and section is not Section.EXPIRED:
            yield _end(line, day)


def _end(line: DigestLine, day: date) -> Event:
    event = Event()
    event.add("uid", f"case-{line.number}")
    event.add("dtstart", day)
    event.add("dtend", day + timedelta(days=1))
    where = line.cluster or "unknown cluster"
    event.add("summary", one_line(f"Certificate ends: {line.what}, {where}", _TEXT))
    told = [f"Case {line.number}.", f"End: {line.end}."]
    told += [f"Plan {line.plan}."] if line.plan else []
    event.add("description", one_line(" ".join(told), _DESCRIPTION))
    return event


def _windows(page: DigestPage) -> Iterator[Event]:
    done = {line.cluster for section, lines in page.sections if section is Section.DONE
            for line in lines}  # fmt: skip
    for one in page.clusters:
        if one.open:
            yield from _planned(one)
        elif one.name in done:
            yield from map(_cancelled, _planned(one))


def _planned(one: ClusterSummary) -> Iterator[Event]:
    """Yield the recommended slots, else the next window, if there is any.

    A slot is a change and no window: calendars that we read windows from may take this one in.
    """
    count = len(one.slots)
    for number, slot in enumerate(one.slots, 1):
        which = f", window {number} of {count}" if count > 1 else ""
        event = _window(one, slot, f"Recommended slot{which}: {one.name}, plan {one.plan}", number)
        event.add("categories", ["CHANGE"])
        yield event
    if not one.slots and one.window:
        event = _window(one, one.window, f"Next window: {one.name}")
        event.add("categories", ["WINDOW"])
        yield event


def _window(one: ClusterSummary, when: DigestWindow, summary: str, number: int = 1) -> Event:
    event = Event()
    # The name is not part of the UID as it stands: it may hold anything.
    name = hashlib.sha256(one.name.encode("utf-8", "replace")).hexdigest()[:12]
    # The first slot has the UID of the window that it follows: that one moves and does not stay.
    event.add("uid", f"{_WINDOW}{name}{f'-{number}' if number > 1 else ''}")
    event.add("dtstart", when.starts)
    event.add("dtend", when.ends)
    event.add("summary", one_line(summary, _TEXT))
    if one.fits:
        event.add("description", one_line("; ".join(one.fits), _DESCRIPTION))
    return event


def _cancelled(event: Event) -> Event:
    event.add("status", _CANCELLED)
    return event

"""The page as a calendar (RFC 5545): a day for each end, and each cluster's recommended slot."""

import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event

from watcher.digest.weeks import monday_of
from watcher.model.digest import ClusterSummary, DigestLine, DigestPage, DigestWindow, Section
from watcher.tickets.encode import one_line

MOST = 200
"""Events of one calendar."""
_TEXT = 200
_CANCELLED = "CANCELLED"


def calendar(page: DigestPage, domain: str, stamp: datetime) -> bytes:
    """Return the calendar, made at `stamp`.

    An event keeps its UID from week to week and its SEQUENCE goes up with the week, so that it
    moves and is not doubled; what was resolved this week is cancelled.
    """
    made = Calendar()
    made.add("prodid", "-//watcher//digest//EN")
    made.add("version", "2.0")
    made.add("method", "PUBLISH")
    events = [*_ends(page, ZoneInfo(page.zone)), *_windows(page)]
    for event in events[:MOST]:
        event["uid"] = f"{event['uid']}@{domain}"
        event.add("dtstamp", stamp)
        event.add("sequence", monday_of(page.period).toordinal() // 7)
        event.add("transp", "TRANSPARENT")
        made.add_component(event)
    return bytes(made.to_ical())


def _ends(page: DigestPage, zone: ZoneInfo) -> Iterator[Event]:
    for section, lines in page.sections:
        for line in lines:
            if line.deadline is None:
                continue
            if section is Section.DONE:
                yield _cancelled(_end(line, line.deadline.astimezone(zone)))
            elif line.deadline > page.now and section is not Section.EXPIRED:
                yield _end(line, line.deadline.astimezone(zone))


def _end(line: DigestLine, deadline: datetime) -> Event:
    event = Event()
    event.add("uid", f"case-{line.number}")
    event.add("dtstart", deadline.date())
    event.add("dtend", deadline.date() + timedelta(days=1))
    where = line.cluster or "unknown cluster"
    event.add("summary", one_line(f"Certificate ends: {line.what}, {where}", _TEXT))
    told = [f"Case {line.number}.", f"End: {line.end}."]
    told += [f"Plan {line.plan}."] if line.plan else []
    event.add("description", one_line(" ".join(told), _TEXT))
    return event


def _windows(page: DigestPage) -> Iterator[Event]:
    done = {line.cluster for section, lines in page.sections if section is Section.DONE
            for line in lines}  # fmt: skip
    for one in page.clusters:
        event = _planned(one)
        if event is not None and one.open:
            yield event
        elif event is not None and one.name in done:
            yield _cancelled(event)


def _planned(one: ClusterSummary) -> Event | None:
    """Return the recommended slot, else the next window, if there is any."""
    if one.slot is not None:
        return _window(one, one.slot, f"Recommended slot: {one.name}, plan {one.plan}")
    return _window(one, one.window, f"Next window: {one.name}") if one.window else None


def _window(one: ClusterSummary, when: DigestWindow, summary: str) -> Event:
    event = Event()
    # The name is not part of the UID as it stands: it may hold anything.
    name = hashlib.sha256(one.name.encode("utf-8", "replace")).hexdigest()[:12]
    event.add("uid", f"window-{name}")
    event.add("dtstart", when.starts)
    event.add("dtend", when.ends)
    event.add("summary", one_line(summary, _TEXT))
    if one.fits:
        event.add("description", one_line("; ".join(one.fits), _TEXT))
    event.add("categories", ["WINDOW"])
    return event


def _cancelled(event: Event) -> Event:
    event.add("status", _CANCELLED)
    return event

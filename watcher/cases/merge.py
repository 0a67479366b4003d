"""Fold events into a case. Merging is monotone: urgency only rises until a fact says otherwise.

In whatever order, and however often, the same events come, the merged facts are the same; only the
counters tell how often. What a message says can make a case more urgent, never less: a later end,
or the end of the case, comes from a certificate that was read or from a person.
"""

from dataclasses import replace
from datetime import date, datetime
from typing import Any, TypeVar

from watcher.cases.advance import Advance, moved
from watcher.cases.facts import bounds_end, minutes, speaks_of, told_apart
from watcher.cases.table import TRANSITIONS, Cause
from watcher.cases.urgency import (
    REOPENING,
    happened,
    moment_of,
    rank,
    soonest,
    tells_expired,
    tells_revoked,
)
from watcher.model.case import Case, CaseEvent, CaseState, Transition
from watcher.model.message import Grade, Way

REPORTERS_LIMIT = 200
"""Names kept in a case; of more, the first in order, so that the order of events does not count."""
MSGNAMES_LIMIT = 20
SPOTS_LIMIT = 200
"""Certificates, each with who spoke of it; further ones are drawn with the next plan."""

Fields = dict[str, Any]
"""Fields of a case to be replaced."""


def open_or_merge(
    case: Case | None, event: CaseEvent, now: datetime, *, known: bool = False
) -> Advance:
    """Take an event into its case, or open the case with it.

    `known` says that the event was taken in before and came again on another way: it counts as a
    copy and changes no state, but what it says counts, for a copy may hold more than the first.
    """
    if case is None:
        return _opened(event, now)
    counted = _counted(case, event, known=known)
    if case.state is CaseState.RESOLVED:
        return _after_resolution(case, event, now, counted, known=known)
    merged = _merged(case, event) if case.confirmed_end is None else _held(case, event)
    after = replace(case, **counted, **merged)
    why = _difference(case, after)
    if case.state is CaseState.QUIET and not known and _is_news(case, event):
        return moved(after, Cause.ALARM, now, "Its alarms came again.")
    return Advance(case=after, material=bool(why), why=why)


def _opened(event: CaseEvent, now: datetime) -> Advance:
    case = Case(
        key=event.case,
        opened_at=event.received_at,
        heard_at=event.received_at,
        first_event=happened(event),
        last_event=happened(event),
        occurrences=1,
        copies=0,
        reporters=(event.reporter,) if event.reporter else (),
        ways=(event.way,),
        msgnames=(event.msgname,) if event.msgname else (),
        spots=_spot(event),
        state=TRANSITIONS[None, Cause.ALARM],
        state_since=now,
        **_said(event),
    )
    reason = "The first alarm about it came."
    step = Transition(case=case.key, at=now, before=None, after=case.state, reason=reason)
    return Advance(case=case, transitions=(step,), material=True, why=reason)


def _said(event: CaseEvent) -> Fields:
    """Return the fields of a case that knows only this event."""
    first = soonest(event)
    return {
        "severity": event.severity,
        "grade": min(event.grade, Grade.ATTRIBUTED),
        "end_day": event.end_day if first else None,
        "end_earliest": first,
        "end_latest": event.end_latest if first else None,
        "certainty": event.certainty,
        "expired": tells_expired(event),
        "revoked": tells_revoked(event),
        "trust_only": event.trust,
    }


def _counted(case: Case, event: CaseEvent, *, known: bool) -> Fields:
    """Return what is kept of who was heard, how, when and how often."""
    at = happened(event)
    return {
        "occurrences": case.occurrences + (not known),
        "copies": case.copies + known,
        "opened_at": min(case.opened_at, event.received_at),
        "heard_at": max(case.heard_at, event.received_at),
        "first_event": min(filter(None, (case.first_event, at)), default=None),
        "last_event": max(filter(None, (case.last_event, at)), default=None),
        "reporters": _with(case.reporters, event.reporter, REPORTERS_LIMIT),
        "ways": _with(case.ways, event.way, len(Way)),
        "msgnames": _with(case.msgnames, event.msgname, MSGNAMES_LIMIT),
        "spots": _with(case.spots, "".join(_spot(event)), SPOTS_LIMIT),
    }


def _spot(event: CaseEvent) -> tuple[str, ...]:
    """Return who speaks of which certificate; two nodes hold two copies of the same name."""
    return (f"{event.reporter} {event.spot}",) if event.spot else ()


_Text = TypeVar("_Text", bound=str)


def _with(held: tuple[_Text, ...], new: _Text, limit: int) -> tuple[_Text, ...]:
    return held if new in held or not new else tuple(sorted((*held, new))[:limit])


def _merged(case: Case, event: CaseEvent) -> Fields:
    """Return what is known of the certificate with one more event; only claims are about.

    The end that is shown is the earliest day that was said, with the surest reading and the best
    grade among those who said it; urgency goes by the earliest end that any event leaves open.
    """
    said = _said(event)
    first, last = said["end_earliest"], said["end_latest"]
    if first is None:
        first, last = case.end_earliest, case.end_latest
    elif case.end_earliest is not None:
        first = min(first, case.end_earliest)
        last = max(last, case.end_latest) if last and case.end_latest else None
    return {
        **_label(case, event, said["end_day"]),
        "severity": min(
            (s for s in (case.severity, event.severity) if s is not None), default=None
        ),
        "end_earliest": first,
        "end_latest": last,
        "expired": case.expired or said["expired"],
        "revoked": case.revoked or said["revoked"],
        "trust_only": case.trust_only and event.trust,
    }


def _label(case: Case, event: CaseEvent, day: date | None) -> Fields:
    grade = min(event.grade, Grade.ATTRIBUTED)
    if day == case.end_day:
        surest = min(case.certainty, event.certainty, key=rank)
        return {"certainty": surest, "grade": max(case.grade, grade)}
    if day is None or (case.end_day is not None and case.end_day < day):
        return {}
    return {"end_day": day, "certainty": event.certainty, "grade": grade}


def _held(case: Case, event: CaseEvent) -> Fields:
    """Return the same where the end is a fact: claims only come beside it."""
    end = case.confirmed_end or case.heard_at
    ended = tells_expired(event) and end <= moment_of(event)
    # Of the certificate itself an old copy in a trust store says nothing.
    told = "" if event.trust and not case.trust_only else told_apart(event, end)
    both = [text for text in (case.contradiction, told) if text]
    return {
        "severity": min(
            (s for s in (case.severity, event.severity) if s is not None), default=None
        ),
        "expired": case.expired or ended,
        "revoked": case.revoked or tells_revoked(event),
        "trust_only": case.trust_only and event.trust,
        "contradiction": min(both, default=""),
    }


def _is_news(case: Case, event: CaseEvent) -> bool:
    """Tell whether an event shows, later than all before it, that something is to be done."""
    if event.about not in REOPENING:
        return False
    at = happened(event)
    if at is not None and case.last_event is not None:
        return at > case.last_event
    return event.received_at > case.heard_at


def _after_resolution(
    case: Case, event: CaseEvent, now: datetime, counted: Fields, *, known: bool
) -> Advance:
    """Reopen a resolved case by what happened after it was; all else is only counted."""
    resolved = case.resolved_at or case.state_since
    if known or event.about not in REOPENING or moment_of(event) <= resolved:
        return Advance(case=replace(case, **counted))
    anew: Fields = {"round": case.round + 1, "resolved_at": None, "contradiction": "", **counted}
    case, end = replace(case, **anew), case.confirmed_end
    if end is not None and bounds_end(event) and speaks_of(event, end):
        reason = f"The new certificate, which ends on {minutes(end)}, calls for action."
        return moved(case, Cause.NEXT_CERTIFICATE, now, reason, **_held(case, event))
    reason = f"It was resolved on {minutes(resolved)}, and a later alarm says that it is not."
    told = told_apart(event, end) if end is not None else ""
    if event.trust:
        # Of the certificate itself an old copy in a trust store says nothing.
        reason = f"It was resolved on {minutes(resolved)}; a copy in a trust store still alarms."
        told = ""
    anew = {**_said(event), "confirmed_end": None, "contradiction": told}
    return moved(case, Cause.ALARM, now, reason, **anew)


_WEIGHTY = {
    "end_day": "another day",
    "end_earliest": "an earlier end",
    "certainty": "a surer date",
    "grade": "another grade",
    "expired": "it has expired",
    "revoked": "it is revoked",
    "trust_only": "not only copies",
    "reporters": "another reporter",
    "msgnames": "another kind of alarm",
    "spots": "another copy",
    "contradiction": "a contradiction",
}
"""Fields that a plan shows or is drawn by, in words."""


def _difference(before: Case, after: Case) -> str:
    """Return what of weight has changed; empty: nothing."""
    return ", ".join(
        words for name, words in _WEIGHTY.items() if getattr(before, name) != getattr(after, name)
    )

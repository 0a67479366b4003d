"""What moves a case besides alarms: what people do, the passing of time, a plan drawn anew."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from watcher.cases.advance import Advance, moved
from watcher.cases.facts import SLACK, excluded, minutes
from watcher.cases.sources import SourceHealth
from watcher.cases.table import ACTS, TRANSITIONS, Cause, possible
from watcher.errors import InputError
from watcher.model.case import Act, ActKind, Case, CaseState
from watcher.model.expiry import Certainty
from watcher.model.message import Grade
from watcher.model.moments import reckonable

WHY_LIMIT = 1_000
"""Characters of what a person gives as a reason."""

Fields = dict[str, Any]
"""Fields of a case to be replaced."""

_HANDS_OFF: Fields = {
    "acknowledged_by": "", "acknowledged_why": "", "acknowledged_until": None,
    "planned_digest": "", "planned_for": None,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class TickOptions:
    """How long to wait; our own choice."""

    quiet_after: timedelta = timedelta(hours=75)
    """Three nightly runs of the certificate monitor and three hours."""
    change_time: timedelta = timedelta(hours=12)
    """How long after its beginning a planned change is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """What the silence of a case can be held against.

    `since` is when we began to listen, apart from gaps that a sender bridges; `sources` the health
    of nodes, by the inventory's name in lower case.
    """

    since: datetime
    sources: Mapping[str, SourceHealth] = field(default_factory=dict)


def act(case: Case, deed: Act) -> Advance:
    """Do what a person wants; raise InputError with what is possible where it cannot be done."""
    cause = ACTS[deed.kind]
    if (case.state, cause) not in TRANSITIONS:
        words = ", ".join(possible(case.state))
        raise InputError(f"the case is {case.state}: it takes no {deed.kind}", expected=words)
    for name, text in (("who", deed.who), ("why", deed.why)):
        if not text.strip() or len(text) > WHY_LIMIT:
            raise InputError(f"{deed.kind} without {name}", expected=f"1 to {WHY_LIMIT} characters")
    reason = f"{deed.kind.capitalize()} by {deed.who}: {deed.why}"
    if deed.kind is ActKind.CONFIRM:
        return Advance(case=replace(case, **_confirmed(case, deed)), material=True, why=reason)
    return moved(case, cause, deed.at, reason, **_DEEDS[deed.kind](case, deed))


def _acknowledged(_: Case, deed: Act) -> Fields:
    until = _future(deed.until, deed, "until when it is taken")
    return {
        **_HANDS_OFF,
        "acknowledged_by": deed.who,
        "acknowledged_why": deed.why,
        "acknowledged_until": until,
    }


def _planned(_: Case, deed: Act) -> Fields:
    if not deed.digest:
        raise InputError("the plan has no digest", expected="the digest of a stored plan")
    start = _future(deed.until, deed, "when the change begins")
    return {**_HANDS_OFF, "planned_digest": deed.digest, "planned_for": start}


def _released(_: Case, __: Act) -> Fields:
    return _HANDS_OFF


def _confirmed(case: Case, deed: Act) -> Fields:
    """Take the stated end for a fact; stated again, it is meant, and nothing contradicts it."""
    if deed.not_after is None:
        raise InputError("no end date is given", expected="notAfter as the certificate says it")
    told = "" if case.confirmed_end == deed.not_after else excluded(case, deed.not_after)
    return {**known_end(deed.not_after), "expired": deed.not_after <= deed.at,
            "contradiction": told}  # fmt: skip


def _resolved(case: Case, deed: Act) -> Fields:
    if deed.not_after is None and _may_be_gone(case):
        return resolved_fields(deed.at)
    return {**resolved_fields(deed.at), **known_end(_newer(case, deed))}


def resolved_fields(at: datetime) -> Fields:
    """Return the fields of a case that is done with."""
    return {**_HANDS_OFF, "expired": False, "revoked": False, "contradiction": "",
            "resolved_at": at}  # fmt: skip


def _may_be_gone(case: Case) -> bool:
    """Tell whether no new certificate need come: a copy can be deleted, a backup just be made."""
    endless = case.end_earliest is None and not case.expired and not case.revoked
    return case.trust_only or bool(case.key.identity) or endless


_DEEDS = {
    ActKind.ACKNOWLEDGE: _acknowledged,
    ActKind.RELEASE: _released,
    ActKind.PLAN: _planned,
    ActKind.RESOLVE: _resolved,
}


def known_end(not_after: datetime, zone: tzinfo = UTC) -> Fields:
    """Return the fields of a case whose end is a fact; the day is that of a zone."""
    end = reckonable(not_after)
    return {
        "confirmed_end": end,
        "end_day": end.astimezone(zone).date(),
        "end_earliest": end,
        "end_latest": end,
        "certainty": Certainty.EXACT,
        "grade": Grade.FACT,
    }


def _future(at: datetime | None, deed: Act, what: str) -> datetime:
    if at is None or at <= deed.at:
        given = f"{minutes(at)} is over" if at else "no time is given"
        raise InputError(f"{deed.kind}: {given}", expected=f"{what}, in the future")
    return at


def _newer(case: Case, deed: Act) -> datetime:
    """Return the end of the new certificate; it is later than that of the old one."""
    if deed.not_after is None:
        raise InputError("no end date is given", expected="notAfter of the new certificate")
    end = _future(deed.not_after, deed, "notAfter of the new certificate")
    old = case.end_earliest if case.state is not CaseState.RESOLVED else None
    if old is not None and end <= old + SLACK and end != case.confirmed_end:
        raise InputError(
            f"{minutes(end)} is not later than the old end", expected=f"after {minutes(old)}"
        )
    return end


def tick(
    case: Case, now: datetime, listening: Listening, options: TickOptions | None = None
) -> Advance:
    """Let time pass; call it only when everything that was received has been taken in."""
    options = options or TickOptions()
    if case.state is CaseState.ACKNOWLEDGED:
        until = case.acknowledged_until
        if until is None or until <= now:
            return moved(case, Cause.TIME_OUT, now, "The acknowledgement ran out.", **_HANDS_OFF)
        return Advance(case=case)
    over = _change_over(case, options)
    if over is not None and now >= over and (case.last_event or case.heard_at) > over:
        reason = "The planned change should be over, and its alarms go on."
        return moved(case, Cause.CHANGE_PASSED, now, reason, **_HANDS_OFF)
    if (case.state, Cause.SILENCE) not in TRANSITIONS or (over is not None and now < over):
        return Advance(case=case)
    heard = _heard_instead(case, now - options.quiet_after, listening)
    if not heard:
        return Advance(case=case)
    reason = f"No alarm since {minutes(case.heard_at)}, though {heard} was heard otherwise."
    return moved(case, Cause.SILENCE, now, reason, **_HANDS_OFF)


def _change_over(case: Case, options: TickOptions) -> datetime | None:
    if case.state is not CaseState.PLANNED:
        return None
    return (case.planned_for or case.state_since) + options.change_time


def _heard_instead(case: Case, since: datetime, listening: Listening) -> str:
    """Return a reporter that was heard all the while and raised nothing; empty: none.

    Without one, silence cannot be told from deafness.
    """
    if case.heard_at > since or listening.since > since:
        return ""
    for name in case.reporters:
        source = listening.sources.get(name)
        steady = source and source.steady_since
        if source and steady and steady <= since and (source.last or steady) > case.heard_at:
            return source.name
    return ""


def plan_changed(case: Case, now: datetime) -> Advance:
    """Take a case out of its plan: in the cluster's new one something else is to be decided on."""
    if case.state is not CaseState.PLANNED:
        return Advance(case=case)
    reason = "The plan it was tied to was drawn anew, and people decide on something else in it."
    return moved(case, Cause.PLAN_CHANGED, now, reason, **_HANDS_OFF)

"""Cases and what hangs on them, to rows and back; see watcher.store.rows."""

from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Row

from watcher.model.alarm import Envelope, Severity
from watcher.model.case import (
    Act,
    ActKind,
    Case,
    CaseEvent,
    CaseKey,
    CaseState,
    Crossing,
    Transition,
)
from watcher.model.expiry import Certainty, ExpiryState
from watcher.model.message import Grade, Way
from watcher.store.reading import (
    BadRow,
    flag,
    instant,
    level,
    maybe_day,
    maybe_instant,
    member,
    members,
    names,
    number,
    words,
)
from watcher.store.rows import Values, message_id
from watcher.store.values import (
    INPUT,
    KEY,
    NAME,
    case_digest,
    names_to_text,
    stored_form,
    text,
    unique_key,
)

KEY_COLUMNS = ("case_key", "cluster", "owner", "store", "identity", "claimed")


def key_to_row(key: CaseKey) -> Values:
    """Return the columns of a case's key."""
    form = stored_form(key)
    return {
        "case_key": case_digest(key), "cluster": form.cluster, "owner": form.owner,
        "store": form.store, "identity": form.identity, "claimed": form.claimed,
    }  # fmt: skip


_key_to_row = lru_cache(maxsize=4096)(key_to_row)
"""Most events speak of certificates that others spoke of; what comes back is only read."""


def key_from_row(row: Row[Any]) -> CaseKey:
    """Read a case's key; the digest must be its own."""
    return _key(row.case_key, (row.cluster, row.owner, row.store, row.identity), row.claimed)


@lru_cache(maxsize=4096)
def _key(digest: object, names_: tuple[object, ...], claimed: object) -> CaseKey:
    cluster, owner, store, identity = map(words, names_)
    key = CaseKey(
        cluster=cluster, owner=owner, store=store, identity=identity, claimed=flag(claimed)
    )  # fmt: skip
    if case_digest(key) != digest:
        raise BadRow("the names of the case are not those that were stored")
    return key


@lru_cache(maxsize=256)
def _envelope_to_text(envelope: tuple[Envelope, ...]) -> str:
    return text(",".join(envelope), NAME)


def event_to_row(event: CaseEvent) -> Values:
    """Return the row of a case's event."""
    return _key_to_row(event.case) | {
        "key": unique_key(event.key),
        "journal": text(event.message.journal, INPUT),
        "position": event.message.position,
        "msgname": text(event.msgname, NAME),
        "severity": None if event.severity is None else int(event.severity),
        "reporter": text(event.reporter, NAME),
        "event_time": event.event_time,
        "received_at": event.received_at,
        "grade": int(event.grade),
        "way": event.way.value,
        "envelope": _envelope_to_text(event.envelope),
        "state": event.state.value,
        "end_day": event.end_day,
        "end_earliest": event.end_earliest,
        "end_latest": event.end_latest,
        "certainty": event.certainty.value,
        "about": text(event.about, 16),
        "trust": event.trust,
        "raw": text(event.raw),
        "spot": text(event.spot, NAME),
    }


def event_from_row(row: Row[Any]) -> CaseEvent:
    """Read a case's event."""
    return CaseEvent(
        key=words(row.key),
        case=key_from_row(row),
        message=message_id(row),
        msgname=words(row.msgname),
        severity=_severity(row.severity),
        reporter=words(row.reporter),
        event_time=maybe_instant(row.event_time),
        received_at=instant(row.received_at),
        grade=level(Grade, row.grade),
        way=member(Way, row.way),
        envelope=members(Envelope, row.envelope),
        state=member(ExpiryState, row.state),
        end_day=maybe_day(row.end_day),
        end_earliest=maybe_instant(row.end_earliest),
        end_latest=maybe_instant(row.end_latest),
        certainty=member(Certainty, row.certainty),
        about=words(row.about),
        trust=flag(row.trust),
        raw=words(row.raw),
        spot="" if row.spot is None else words(row.spot),
    )


def _severity(value: object) -> Severity | None:
    return None if value is None else level(Severity, value)


def urgent_at(case: Case) -> datetime:
    """Return what cases are listed by: when it ends, at the earliest.

    What was revoked, and what nobody knows the end of, may be over already: it counts from when
    the case was opened.
    """
    end = case.confirmed_end or case.end_earliest or case.opened_at
    return min(end, case.opened_at) if case.revoked else end


def case_to_row(case: Case) -> Values:
    """Return the row of a case, without its number."""
    return _key_to_row(case.key) | {
        "urgent_at": urgent_at(case),
        "closed": case.state is CaseState.RESOLVED,
        "opened_at": case.opened_at,
        "heard_at": case.heard_at,
        "first_event": case.first_event,
        "last_event": case.last_event,
        "occurrences": case.occurrences,
        "copies": case.copies,
        "reporters": names_to_text(case.reporters),
        "ways": ",".join(case.ways),
        "msgnames": names_to_text(case.msgnames),
        "severity": None if case.severity is None else int(case.severity),
        "grade": int(case.grade),
        "end_day": case.end_day,
        "end_earliest": case.end_earliest,
        "end_latest": case.end_latest,
        "certainty": case.certainty.value,
        "expired": case.expired,
        "revoked": case.revoked,
        "trust_only": case.trust_only,
        "state": case.state.value,
        "state_since": case.state_since,
        "round": case.round,
        "acknowledged_by": text(case.acknowledged_by, NAME),
        "acknowledged_why": text(case.acknowledged_why),
        "acknowledged_until": case.acknowledged_until,
        "planned_digest": text(case.planned_digest, KEY),
        "planned_for": case.planned_for,
        "confirmed_end": case.confirmed_end,
        "resolved_at": case.resolved_at,
        "spots": names_to_text(case.spots),
        "contradiction": text(case.contradiction),
    }


def case_from_row(row: Row[Any]) -> Case:
    """Read a case."""
    return Case(
        key=key_from_row(row),
        opened_at=instant(row.opened_at),
        heard_at=instant(row.heard_at),
        first_event=maybe_instant(row.first_event),
        last_event=maybe_instant(row.last_event),
        occurrences=number(row.occurrences),
        copies=number(row.copies),
        reporters=names(row.reporters),
        ways=members(Way, row.ways),
        msgnames=names(row.msgnames),
        severity=_severity(row.severity),
        grade=level(Grade, row.grade),
        end_day=maybe_day(row.end_day),
        end_earliest=maybe_instant(row.end_earliest),
        end_latest=maybe_instant(row.end_latest),
        certainty=member(Certainty, row.certainty),
        expired=flag(row.expired),
        revoked=flag(row.revoked),
        trust_only=flag(row.trust_only),
        state=member(CaseState, row.state),
        state_since=instant(row.state_since),
        round=number(row.round),
        acknowledged_by=words(row.acknowledged_by),
        acknowledged_why=words(row.acknowledged_why),
        acknowledged_until=maybe_instant(row.acknowledged_until),
        planned_digest=words(row.planned_digest),
        planned_for=maybe_instant(row.planned_for),
        confirmed_end=maybe_instant(row.confirmed_end),
        resolved_at=maybe_instant(row.resolved_at),
        spots=names(row.spots),
        contradiction=words(row.contradiction),
    )


def transition_to_row(transition: Transition) -> Values:
    """Return the row of a change of state."""
    return {
        "case_key": case_digest(transition.case),
        "at": transition.at,
        "before": None if transition.before is None else transition.before.value,
        "after": transition.after.value,
        "reason": text(transition.reason),
    }


def transition_from_row(row: Row[Any], key: CaseKey) -> Transition:
    """Read a change of a case's state."""
    return Transition(
        case=key,
        at=instant(row.at),
        before=None if row.before is None else member(CaseState, row.before),
        after=member(CaseState, row.after),
        reason=words(row.reason),
    )


def crossing_to_row(crossing: Crossing, round_: int) -> Values:
    """Return the row of a crossed threshold."""
    return {
        "case_key": case_digest(crossing.case), "round": round_, "days": crossing.days,
        "at": crossing.at, "silent": text(crossing.silent),
    }  # fmt: skip


def crossing_from_row(row: Row[Any], key: CaseKey) -> Crossing:
    """Read a crossed threshold."""
    return Crossing(
        case=key, days=number(row.days), at=instant(row.at), silent=words(row.silent)
    )  # fmt: skip


def act_to_row(act: Act) -> Values:
    """Return the row of what a person did."""
    return {
        "case_key": case_digest(act.case),
        "kind": act.kind.value,
        "at": act.at,
        "who": text(act.who, NAME),
        "why": text(act.why),
        "until": act.until,
        "not_after": act.not_after,
        "digest": None if act.digest is None else text(act.digest, KEY),
    }


def act_from_row(row: Row[Any], key: CaseKey) -> Act:
    """Read what a person did."""
    return Act(
        kind=member(ActKind, row.kind),
        case=key,
        at=instant(row.at),
        who=words(row.who),
        why=words(row.why),
        until=maybe_instant(row.until),
        not_after=maybe_instant(row.not_after),
        digest=None if row.digest is None else words(row.digest),
    )

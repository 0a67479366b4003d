"""One case -> where it stands on the page, and its line."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from watcher.cases.states import TickOptions
from watcher.cases.thresholds import DAYS, calendar_days, days_left, last_day
from watcher.digest.fits import over_at, told
from watcher.digest.windows import SHORTEST
from watcher.model.case import Case, CaseState
from watcher.model.digest import DigestLine, DigestWindow, KnownCase, Section
from watcher.model.expiry import Certainty
from watcher.model.slot import Fit, Outcome
from watcher.seal import code
from watcher.slots import said

SOON = timedelta(days=14)
"""Where no window is known, an end within two digests counts as pressing."""
DAY = timedelta(days=1)
CHANGE_TIME = TickOptions().change_time
"""So long after its beginning a planned change is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What the cases of one cluster are looked at against.

    `windows` are its next ones, `fit` is how its newest plan fits them, as far as that is
    believed; `margin` must be left between the work and an end.
    """

    now: datetime
    since: datetime
    windows: Sequence[DigestWindow] = ()
    fit: Fit | None = None
    margin: timedelta = DAY
    contact: str = ""
    link: str = ""
    zone: tzinfo = UTC
    """Of the people of the cluster."""


def section_of(case: Case, frame: Frame) -> Section | None:
    """Return where a case stands; None for one that was resolved before last week."""
    if case.state is CaseState.RESOLVED:
        recent = case.resolved_at is not None and case.resolved_at >= frame.since
        return Section.DONE if recent else None
    return _by_urgency(case, frame) or _by_news(case, frame)


def _by_urgency(case: Case, frame: Frame) -> Section | None:
    left, end = days_left(case, frame.now), case.end_earliest
    if left is None:
        return (
            None
            if case.state in _TAKEN and not _has_run_out(case, frame.now)
            else Section.UNKNOWN_END
        )
    if left <= 0 or end is None:
        return Section.COPIES if case.trust_only else Section.EXPIRED
    if _is_planned_for_before(case, end, frame.now):
        return None
    feasible = over_at(frame.fit, frame.margin) if frame.fit else None
    if frame.fit and feasible:
        return _by_fit(end, feasible, frame.fit, frame)
    return _by_windows(end, frame)


def _is_planned_for_before(case: Case, end: datetime, now: datetime) -> bool:
    """Tell whether a change is planned that begins before the end, and is not over yet."""
    begins = case.planned_for if case.state is CaseState.PLANNED else None
    return begins is not None and begins < end and begins + CHANGE_TIME > now


def _is_in_time(case: Case, now: datetime) -> bool:
    """Tell whether what is in hand will be done before the end, as far as that is known."""
    if case.state is CaseState.PLANNED and case.end_earliest is not None:
        return _is_planned_for_before(case, case.end_earliest, now)
    return not _has_run_out(case, now)


def _has_run_out(case: Case, now: datetime) -> bool:
    """Tell whether an acknowledgement is over: at another time than now it may be."""
    until = case.acknowledged_until if case.state is CaseState.ACKNOWLEDGED else None
    return until is not None and until <= now


def _by_fit(end: datetime, feasible: datetime, fit: Fit, frame: Frame) -> Section | None:
    """Judge by how the plan fits: it must be over before the end, and a second try is wanted.

    Whether one is possible before the deadline the search for the slot has told.
    """
    if end < feasible:
        return Section.PRESSING
    if fit.outcome is Outcome.NONE:
        return None
    first = fit.deadline is not None and end <= fit.deadline + frame.margin
    return Section.LAST_WINDOW if first and said.allows_one_try(fit) else None


def _by_windows(end: datetime, frame: Frame) -> Section | None:
    """Judge by the windows alone."""
    if not frame.windows:
        return Section.PRESSING if end <= frame.now + SOON else None
    if not _holds(frame.windows[0], end):
        return Section.PRESSING
    is_last = len(frame.windows) > 1 and not _holds(frame.windows[1], end)
    return Section.LAST_WINDOW if is_last else None


def _holds(window: DigestWindow, end: datetime) -> bool:
    """Tell whether enough of a window lies before an end."""
    return end >= window.starts + SHORTEST


def _by_news(case: Case, frame: Frame) -> Section:
    if case.state is CaseState.QUIET:
        return Section.QUIET
    if case.state in _IN_HAND and _is_in_time(case, frame.now):
        return Section.ACKNOWLEDGED
    if case.opened_at >= frame.since:
        return Section.NEW
    return Section.WORSE if _is_worse(case, frame) else Section.OPEN


def _is_worse(case: Case, frame: Frame) -> bool:
    if case.state is CaseState.REGRESSED and case.state_since >= frame.since:
        return True
    left, then = days_left(case, frame.now), days_left(case, frame.since)
    return left is not None and then is not None and any(left <= d < then for d in DAYS)


def line_of(one: KnownCase, section: Section, frame: Frame) -> DigestLine:
    """Return the line of a case."""
    case = one.case
    left = days_left(case, frame.now)
    resolved = case.state is CaseState.RESOLVED
    return DigestLine(
        number=one.number, section=section, revoked=_is_only_revoked(case, frame),
        cluster=case.key.cluster, contact=frame.contact,
        what=what_of(case), days=None if resolved else calendar_days(case, frame.now, frame.zone),
        end=end_words(case, frame.zone), deadline=case.end_earliest,
        day=last_day(case, frame.zone), over=left is not None and left <= 0,
        grade=int(case.grade), state=case.state.value, note=_note(case, frame),
        plan=code(one.plan_digest) if one.plan_digest else "", link=frame.link,
    )  # fmt: skip


def _is_only_revoked(case: Case, frame: Frame) -> bool:
    over = case.expired or (case.end_earliest is not None and case.end_earliest <= frame.now)
    return case.revoked and not over


def what_of(case: Case) -> str:
    """Return what people call the certificate, without its cluster."""
    return str(case.key).removeprefix(f"{case.key.cluster or 'unknown cluster'}: ")


def end_words(case: Case, zone: tzinfo) -> str:
    """Return the last day in a zone, and how sure it is."""
    if case.confirmed_end is not None:
        return f"{last_day(case, zone)}, confirmed"
    day = case.end_day
    if day is None:
        return _bounds(case, zone)
    if case.certainty is Certainty.INFERRED:
        return f"{day}, year inferred"
    return f"{day}, exact" if case.certainty is Certainty.EXACT else f"{day}?, ambiguous"


def _bounds(case: Case, zone: tzinfo) -> str:
    bounds = (case.end_earliest, case.end_latest)
    early, late = (at.astimezone(zone).date() if at else None for at in bounds)
    if early and late:
        return f"between {early} and {late}"
    if early or late:
        return f"not before {early}" if early else f"before {late}"
    return "not known"


def _note(case: Case, frame: Frame) -> str:
    return "; ".join(_notes(case, frame))


def _notes(case: Case, frame: Frame) -> list[str]:
    found = ["revoked"] if case.revoked else []
    if case.state is CaseState.REGRESSED:
        found.append("came back after it was resolved")
    found += _in_hand(case, frame) if case.state in _IN_HAND else []
    if case.state is CaseState.QUIET:
        days = max(0, (frame.now - case.state_since) // DAY)
        found.append(f"quiet, unproven: no alarm for {days} days, and nobody saw a new certificate")
        found += ["it had expired"] if case.expired else []
    if case.trust_only:
        found.append("copies in trust stores only")
    if case.contradiction:
        found.append(f"contradiction: {case.contradiction}")
    return found


_IN_HAND = (CaseState.ACKNOWLEDGED, CaseState.PLANNED)
_TAKEN = (*_IN_HAND, CaseState.QUIET)


def _in_hand(case: Case, frame: Frame) -> list[str]:
    found = []
    if case.state is CaseState.ACKNOWLEDGED:
        last = case.acknowledged_until
        until = f" until {last.astimezone(frame.zone):%Y-%m-%d}" if last else ""
        until += " (it has run out)" if _has_run_out(case, frame.now) else ""
        why = f": {case.acknowledged_why}" if case.acknowledged_why else ""
        found.append(f"acknowledged by {case.acknowledged_by}{until}{why}")
    if case.state is CaseState.PLANNED and case.planned_for:
        found.append(f"change planned for {told(case.planned_for, frame.zone)}")
        if case.end_earliest and case.planned_for >= case.end_earliest:
            found.append("that is after its end")
        elif case.planned_for + CHANGE_TIME <= frame.now:
            found.append("that has passed, and nobody has seen a new certificate")
    return found

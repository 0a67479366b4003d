"""Which marks a case has passed on its way to the end; each is told once in a round."""

from collections.abc import Collection, Iterable
from datetime import date, datetime, timedelta, tzinfo

from watcher.model.case import Case, CaseState, Crossing
from watcher.model.expiry import Certainty

DAYS = (90, 60, 30, 14, 7, 3, 1, 0)
"""Days before the earliest possible end; 0 is the end itself."""


def crossings(
    case: Case, told: Collection[int], now: datetime, thresholds: Iterable[int] = DAYS
) -> tuple[Crossing, ...]:
    """Return the marks that were passed and are not in `told`, the widest first.

    `told` are those of this round. Of several at once the tightest is told and the others are
    kept as silent. An acknowledged or planned case is silent, save at the end itself.
    """
    if case.state is CaseState.RESOLVED:
        return ()
    left = days_left(case, now)
    passed = sorted({days for days in thresholds if left is not None and left <= days})
    new = [days for days in passed if days not in told]
    reasons = {days: _silence(case, days, passed[0], told) for days in new}
    return tuple(
        Crossing(case=case.key, days=days, at=now, silent=reasons[days]) for days in reversed(new)
    )


def days_left(case: Case, now: datetime) -> float | None:
    """Return how many days are left at least; 0 for what has ended or is revoked."""
    if case.expired or case.revoked:
        return 0.0
    if case.end_earliest is None:
        return None
    return max(0.0, (case.end_earliest - now) / timedelta(days=1))


def last_day(case: Case, zone: tzinfo) -> date | None:
    """Return the day on which people of a zone say that it ends; an earlier one where it may be."""
    if case.confirmed_end is not None:
        return case.confirmed_end.astimezone(zone).date()
    if case.end_earliest is None:
        return case.end_day
    first = case.end_earliest.astimezone(zone).date()
    # The alarm's own day, unless another alarm leaves an earlier end open.
    sure = case.certainty in (Certainty.EXACT, Certainty.INFERRED)
    said = case.end_day if sure else None
    return said if said is not None and (said - first).days <= 1 else first


def calendar_days(case: Case, now: datetime, zone: tzinfo) -> int | None:
    """Return the days from today to the end as people of a zone count them, as plans do.

    0 for what has ended or is revoked; the marks go by `days_left`, to the second.
    """
    left, day = days_left(case, now), last_day(case, zone)
    if left is None or day is None or left <= 0:
        return None if left is None else 0
    return max(0, (day - now.astimezone(zone).date()).days)


def _silence(case: Case, days: int, tightest: int, told: Collection[int]) -> str:
    """Return why a mark is not told; empty: it is."""
    if days != tightest:
        return "a tighter one was told with it or before"
    if days <= 0:
        return ""
    if any(before < days for before in told):
        return "a tighter one was told with it or before"
    if case.state is CaseState.ACKNOWLEDGED:
        return f"acknowledged by {case.acknowledged_by}"
    return "a change is planned" if case.state is CaseState.PLANNED else ""

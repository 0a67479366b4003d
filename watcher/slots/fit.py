"""A schedule in a few values: what tickets and the digest say of it."""

from watcher.model.slot import Fit, Outcome, Schedule
from watcher.slots.text import told
from watcher.slots.zones import zone_of


def fit_of(schedule: Schedule) -> Fit:
    """Return what a schedule comes to."""
    first = schedule.slots[0] if schedule.slots else None
    return Fit(
        outcome=schedule.outcome, zone=schedule.zone, found_at=schedule.now,
        minutes=schedule.minutes, starts=schedule.starts, ends=schedule.ends,
        latest=first.latest if first else None, deadline=schedule.deadline,
        late=schedule.late[-1].ends if schedule.late else None, why=_why(schedule),
        relief=_relief(schedule),
        sessions=tuple((slot.starts, slot.ends) for slot in schedule.slots),
    )  # fmt: skip


def _why(schedule: Schedule) -> str:
    """Return why there is no slot; of many windows the last tells, because it came closest."""
    if schedule.outcome is Outcome.UNKNOWN:
        return "no maintenance window is known"
    if schedule.outcome is not Outcome.NONE:
        return ""
    if not schedule.excluded:
        return "no window opens before the deadline"
    last = schedule.excluded[-1]
    when = told(last.window.starts, zone_of(schedule.zone))
    return f"of {len(schedule.excluded)} windows before the deadline none fits; {when}: {last.why}"


def _relief(schedule: Schedule) -> str:
    """Return the cheapest change of the constraints that yields a slot, with that slot."""
    if not schedule.relaxations:
        return ""
    one = schedule.relaxations[0]
    return f"{one.what}: then {told(one.starts, zone_of(schedule.zone))}"

"""What must pass before a change may begin: change board, CA, preparation."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from watcher.inventory.schema import Board, LeadTimes, Weekday
from watcher.model.clock import moment
from watcher.model.slot import Lead
from watcher.slots.spans import ceil_div
from watcher.slots.windows import WEEK, weekday_of
from watcher.slots.zones import day_begins, instant, local_day

BOARD, CA, PREPARATION = "change board", "certificate authority", "preparation"
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a plan asks of lead times; `signing` are the minutes it reckons for a CA itself."""

    signed: bool
    signing: int


def leads(times: LeadTimes, asked: Asked, now: datetime, zone: ZoneInfo) -> tuple[Lead, ...]:
    """Return the lead times that apply, counted from now."""
    return tuple(_leads(times, asked, now, zone))


def _leads(times: LeadTimes, asked: Asked, now: datetime, zone: ZoneInfo) -> Iterator[Lead]:
    if times.board is not None:
        yield board(times.board, times, now, zone)
    if times.preparation is not None:
        until = after_working_days(now, times.preparation, times.working_days, zone)
        why = f"{times.preparation} working days to prepare"
        yield Lead(name=PREPARATION, days=times.preparation, until=until, why=why)
    if asked.signed and times.ca is not None:
        until = after_working_days(now, times.ca, times.working_days, zone)
        why = f"{times.ca} working days until the signed certificate is there"
        yield Lead(name=CA, days=times.ca, until=until, why=why)
    elif asked.signed and asked.signing:
        until = now + timedelta(minutes=asked.signing)
        days = ceil_div(asked.signing, 24 * 60)
        why = f"the plan itself reckons {asked.signing} minutes for the signed certificate"
        yield Lead(name=CA, days=days, until=until, why=why)


def board(board: Board, times: LeadTimes, now: datetime, zone: ZoneInfo) -> Lead:
    """Return from when on the change board lets a change begin that is handed in now."""
    if board.cut_off_day is None or board.cut_off_time is None:
        days = board.working_days or 0
        until = after_working_days(now, days, times.working_days, zone)
        return Lead(name=BOARD, days=days, until=until, why=f"{days} working days for the board")
    days = board.days or 0
    cut_off = _next(board.cut_off_day, time.fromisoformat(board.cut_off_time), now, zone)
    local = cut_off.astimezone(zone)
    until = max(cut_off, day_begins(local.date() + days * _DAY, zone))
    why = f"the board's next cut-off is {moment(cut_off, zone)}, and then {days} days"
    return Lead(name=BOARD, days=days, until=until, why=why)


def _next(weekday: Weekday, at: time, now: datetime, zone: ZoneInfo) -> datetime:
    """Return the next time that a weekday and a time of day come, now included."""
    day = local_day(now, zone)
    day += ((WEEK.index(weekday) - day.weekday()) % 7) * _DAY
    found = instant(datetime.combine(day, at), zone)
    return found if found >= now else instant(datetime.combine(day + 7 * _DAY, at), zone)


def after_working_days(
    now: datetime, days: int, working: tuple[Weekday, ...], zone: ZoneInfo
) -> datetime:
    """Return the moment so many working days after now, at the same time of day.

    On a day off, counting begins with the next working day. Holidays are not known.
    """
    if not days:
        return now
    local = now.astimezone(zone)
    day, at = local.date(), local.time().replace(tzinfo=None, fold=0)
    if weekday_of(day) not in working:
        day, at = _working_day(day + _DAY, working), time(0)
    for _ in range(days):
        day = _working_day(day + _DAY, working)
    return max(now, instant(datetime.combine(day, at), zone))


def _working_day(day: date, working: tuple[Weekday, ...]) -> date:
    while weekday_of(day) not in working:
        day += _DAY
    return day

"""Small plans, clusters and searches for the tests of the scheduler."""

from datetime import UTC, date, datetime, time, timedelta

from watcher.inventory.schema import Cluster
from watcher.model.expiry import Certainty, Expiry, ExpiryState
from watcher.model.plan import ChangePlan, Finding, Step

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def step(number, kind, minutes, part=1, *, block="work", store=None):  # noqa: PLR0913 -- a step has many sides
    return Step(
        number=number, key=kind, kind=kind, title=kind, node=None, where="", block=block, lane="",
        minutes=minutes, part=part, store=store,
    )  # fmt: skip


def finding(ends=None, *, state=ExpiryState.EXPIRING, latest=None, store="tomcat"):
    expiry = Expiry(
        text=None, day=ends.date() if ends else None, certainty=Certainty.EXACT,
        earliest=ends, latest=latest or ends,
    )  # fmt: skip
    return Finding(
        id="F1", cluster="hq", store=store, store_known=True, trust=False, file=None,
        file_in_inventory=False, node="cm1", node_in_inventory=True, owner=None,
        owner_in_inventory=False, reporters=(), mnemonics=(), expiry=expiry, state=state,
        days_left=None, event_time=None, evidence=(),
    )  # fmt: skip


def plan(steps, findings):
    return ChangePlan(
        cluster="hq", release=None, as_of=None, headline="", summary=(), way="", way_lines=(),
        findings=tuple(findings), evidence=(), impacts=(), warnings=(), questions=(),
        preconditions=(), steps=tuple(steps), minutes=0, point_of_no_return=None, back_out=(),
        disagreements=(), cautions=(), sources=(), not_known=(),
    )  # fmt: skip


def simple(minutes, ends):
    """Return a plan of one phase."""
    return plan([step(1, "regenerate", minutes, store="tomcat")], [finding(ends)])


def phased(*lengths, ends, parts=()):
    """Return a plan with a check of 10 minutes and phases that end at gates."""
    steps = [step(1, "check", 10, part=1)]
    for length, part in zip(lengths, parts or [1] * len(lengths), strict=True):
        steps.append(step(len(steps) + 1, "regenerate", length - 1, part, store="tomcat"))
        steps.append(step(len(steps) + 1, "wait", 1, part))
    return plan(steps, [finding(ends)])


def window(days, start, end, **more):
    return {"days": days, "start": start, "end": end, **more}


def cluster(*windows, **more):
    return Cluster.model_validate(
        {"name": "hq", "time_zone": "Europe/Vienna", "margin_days": 0,
         "change_schedule": list(windows), **more}
    )  # fmt: skip


def at(text):
    """Read a time in UTC: `2026-12-05 21:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def wall(moment, zone):
    return moment.astimezone(zone).replace(tzinfo=None)


def minutes_of(text):
    return time.fromisoformat(text).hour * 60 + time.fromisoformat(text).minute


def allows(site, zone, moment):
    """Tell by the wall clock alone whether a minute is in a window and in no blackout."""
    shown = wall(moment, zone)
    if any(b.first <= shown.date() <= b.last for b in site.blackouts):
        return False
    return any(_shows(one, shown) for one in site.change_schedule)


def _shows(one, shown):
    start, end, now = minutes_of(one.start), minutes_of(one.end), shown.hour * 60 + shown.minute
    today, yesterday = DAYS[shown.weekday()], DAYS[shown.weekday() - 1]
    if start < end:
        return today in one.days and start <= now < end
    return (today in one.days and now >= start) or (yesterday in one.days and now < end)


__all__ = ["NOW", "allows", "at", "cluster", "date", "finding", "phased", "plan", "simple", "step",
           "timedelta", "wall", "window"]  # fmt: skip

"""When to do the change: slots for the plans of some alarms, by inventory and calendars."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from watcher.app.calendars import given_calendars, site_calendars
from watcher.app.plans import PlanOrder, draw, hear, strangers
from watcher.errors import InputError
from watcher.model.alarm import Tally
from watcher.model.slot import Schedule
from watcher.slots.recommend import recommend


def schedules(
    order: PlanOrder, calendars: Sequence[str], now: datetime, tally: Tally
) -> tuple[Schedule, ...]:
    """Draw the plans for alarms and return a schedule of each; none where no alarm was read.

    `calendars` are those of a command line, besides those of the inventory.
    """
    heard = hear(order, tally)
    if heard.inventory is None or order.inventory is None:
        raise InputError("no slot is known without an inventory", expected="--inventory FILE")
    plans = draw(heard, order.as_of)
    if not plans:
        return ()
    clusters = {one.name: one for one in heard.inventory.clusters}
    site = site_calendars(order.inventory, heard.inventory)
    given = given_calendars(calendars, heard.inventory, [plan.cluster or "" for plan in plans])
    found = []
    for plan, nowhere in zip(plans, strangers(plans, heard.inventory), strict=True):
        name = plan.cluster or ""
        known = (*site.get(name, ()), *given.get(name, ()))
        one = recommend(plan, clusters.get(name), now, known)
        found.append(replace(one, notes=(*filter(None, (nowhere,)), *one.notes)))
    return tuple(found)

"""What must hold of every schedule, whatever plan, windows, blackouts and lead times are."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from slots.samples import DAYS, NOW, allows, cluster, date, phased, window

from watcher.inventory.schema import Cluster
from watcher.model.slot import Outcome
from watcher.slots.calendar import Calendar, Event, Extent
from watcher.slots.deadline import pressing
from watcher.slots.limits import limits_of
from watcher.slots.phases import work_in
from watcher.slots.recommend import recommend
from watcher.slots.recurrence import Recurrence
from watcher.slots.relax import eases
from watcher.slots.search import REST, Task, earliest, latest
from watcher.slots.spans import Allowed
from watcher.slots.windows import occurrences
from watcher.slots.zones import minute_after, moment_of

OFTEN_NONE = [HealthCheck.filter_too_much, HealthCheck.too_slow]
"""Random sites often have no slot at all; the machine may be busy."""
MINUTE = timedelta(minutes=1)
ZONES = st.sampled_from(
    ["Europe/Vienna", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia"]
)
TIMES = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.sampled_from([0, 15, 30, 59]))
WINDOWS = st.builds(
    window, st.lists(st.sampled_from(DAYS), min_size=1, max_size=3, unique=True), TIMES, TIMES
).filter(lambda one: one["start"] != one["end"] or one["start"] == "00:00")
BLACKOUTS = st.builds(
    lambda first, days: {
        "first": (date(2026, 11, 23) + timedelta(days=first)).isoformat(),
        "last": (date(2026, 11, 23) + timedelta(days=first + days)).isoformat(),
        "reason": "closed",
    },
    st.integers(0, 40), st.integers(0, 10),
)  # fmt: skip
LEADS = st.fixed_dictionaries(
    {},
    optional={
        "preparation": st.integers(1, 4),
        "board": st.sampled_from(
            [{"working_days": 3}, {"cut_off_day": "wed", "cut_off_time": "12:00", "days": 4}]
        ),
    },
)
SITES = st.builds(
    lambda windows, blackouts, leads, zone, margin: cluster(
        *windows, blackouts=blackouts, lead_times=leads, time_zone=zone, margin_days=margin
    ),
    st.lists(WINDOWS, min_size=1, max_size=3), st.lists(BLACKOUTS, max_size=2), LEADS, ZONES,
    st.integers(0, 3),
)  # fmt: skip
PHASES = st.lists(st.integers(2, 400), min_size=1, max_size=4)
ENDS = st.integers(1, 60 * 24 * 60).map(lambda minutes: NOW + minutes * MINUTE)


@given(SITES, PHASES, ENDS)
@settings(max_examples=100, deadline=None, suppress_health_check=OFTEN_NONE)
def test_a_slot_keeps_every_constraint(site, phases, ends):
    found = recommend(phased(*phases, ends=ends), site, NOW)
    assume(found.slots)
    zone, last = ZoneInfo(site.time_zone), ends - timedelta(days=site.margin_days)

    assert all(slot.starts >= NOW and slot.starts >= found.ready for slot in found.slots)
    assert all(slot.starts >= lead.until for slot in found.slots for lead in found.leads)
    assert all(slot.ends <= last and slot.ends - slot.starts == slot.minutes * MINUTE
               for slot in found.slots)  # fmt: skip
    assert all(
        after.starts - before.ends >= REST * MINUTE for before, after in pairwise(found.slots)
    )
    assert all(allows(site, zone, slot.starts + n * MINUTE)
               for slot in found.slots for n in range(slot.minutes))  # fmt: skip


@given(SITES, PHASES, ENDS)
@settings(max_examples=80, deadline=None, suppress_health_check=OFTEN_NONE)
def test_the_latest_slots_keep_the_constraints_too(site, phases, ends):
    found = recommend(phased(*phases, ends=ends), site, NOW)
    assume(found.slots)
    zone, first = ZoneInfo(site.time_zone), found.slots[0]

    assert first.starts <= first.latest <= first.last < ends
    assert allows(site, zone, first.latest)
    assert allows(site, zone, first.last)


@given(SITES, PHASES, ENDS, st.integers(1, 30 * 24 * 60))
@settings(max_examples=100, deadline=None, suppress_health_check=OFTEN_NONE)
def test_an_earlier_expiry_never_gives_a_later_slot(site, phases, ends, minutes):
    sooner = ends - minutes * MINUTE
    assume(sooner > NOW)
    late = recommend(phased(*phases, ends=ends), site, NOW)
    early = recommend(phased(*phases, ends=sooner), site, NOW)
    assume(early.slots)

    assert late.slots
    assert early.ends <= late.ends
    assert early.slots[0].latest <= late.slots[0].latest or not early.slots[0].spare
    assert early.slots[0].last <= late.slots[0].last


@given(SITES, PHASES, ENDS, WINDOWS)
@settings(max_examples=100, deadline=None, suppress_health_check=OFTEN_NONE)
def test_more_windows_never_give_a_worse_slot(site, phases, ends, more):
    change = phased(*phases, ends=ends)
    wider = Cluster.model_validate(
        {**site.model_dump(mode="json"),
         "change_schedule": [*site.model_dump(mode="json")["change_schedule"], more]}
    )  # fmt: skip
    before, after = recommend(change, site, NOW), recommend(change, wider, NOW)
    assume(before.slots)

    assert (len(after.slots), after.ends) <= (len(before.slots), before.ends)
    assert after.slots[0].last >= before.slots[0].last


def happening(window, first, minutes):
    """Return an event of a calendar, daily for a week from so many days on."""
    start = datetime(2026, 11, 24) + timedelta(days=first)  # noqa: DTZ001 -- a wall time
    return Event(
        window=window, what="event", line=1, all_day=False, start=start, zone=ZoneInfo("UTC"),
        extent=Extent(nominal=timedelta(0), real=minutes * MINUTE),
        rule=Recurrence(frequency="DAILY", count=7),
    )  # fmt: skip


EVENTS = st.builds(happening, st.booleans(), st.integers(0, 40), st.integers(30, 1000))
CALENDARS = st.lists(EVENTS, min_size=1, max_size=3).map(
    lambda events: Calendar(name="c.ics", events=tuple(events))
)
TWO_ENDS = st.tuples(ENDS, ENDS).map(sorted)
ASKED = st.integers(0, 20 * 24 * 60).map(lambda minutes: NOW - minutes * MINUTE)


def takes_place(event, moment):
    """Tell by arithmetic alone whether a minute is in one of the seven occurrences."""
    starts = event.start.replace(tzinfo=UTC)
    return any(
        starts + timedelta(days=n) <= moment < starts + timedelta(days=n) + event.extent.real
        for n in range(7)
    )


def lies_open(site, calendar, moment):
    zone = ZoneInfo(site.time_zone)
    closed = any(b.first <= moment.astimezone(zone).date() <= b.last for b in site.blackouts)
    if closed or any(takes_place(e, moment) for e in calendar.events if not e.window):
        return False
    opened = any(takes_place(e, moment) for e in calendar.events if e.window)
    return opened or allows(site, zone, moment)


@given(SITES, PHASES, ENDS, CALENDARS, ASKED)
@settings(max_examples=60, deadline=None, suppress_health_check=OFTEN_NONE)
def test_a_slot_keeps_the_calendars_and_lead_times_that_run_already(
    site, phases, ends, calendar, asked_at
):
    found = recommend(phased(*phases, ends=ends), site, NOW, [calendar], asked_at)
    assume(found.slots)

    assert all(slot.starts >= max([NOW, *(lead.until for lead in found.leads)])
               for slot in found.slots)  # fmt: skip
    assert found.ends <= ends - timedelta(days=site.margin_days)
    assert all(lies_open(site, calendar, slot.starts + n * MINUTE)
               for slot in found.slots for n in range(slot.minutes))  # fmt: skip


@given(SITES, PHASES, TWO_ENDS, CALENDARS, ASKED)
@settings(max_examples=60, deadline=None, suppress_health_check=OFTEN_NONE)
def test_with_calendars_too_an_earlier_expiry_never_gives_a_later_slot(
    site, phases, two_ends, calendar, asked_at
):
    sooner, ends = two_ends
    late = recommend(phased(*phases, ends=ends), site, NOW, [calendar], asked_at)
    early = recommend(phased(*phases, ends=sooner), site, NOW, [calendar], asked_at)
    assume(early.slots)

    assert (early.ends <= late.ends, early.slots[0].last <= late.slots[0].last) == (True, True)


@given(SITES, PHASES, ENDS, ASKED)
@settings(max_examples=60, deadline=None, suppress_health_check=OFTEN_NONE)
def test_who_asked_earlier_never_has_a_later_slot(site, phases, ends, asked_at):
    change = phased(*phases, ends=ends)
    now, before = recommend(change, site, NOW), recommend(change, site, NOW, (), asked_at)
    assume(now.slots)

    assert before.ready <= now.ready
    assert (len(before.slots), before.ends) <= (len(now.slots), now.ends)


def limits_for(change, site):
    work = work_in(change.steps, prepared=bool(site.lead_times.preparation))
    return limits_of(work, pressing(change.findings, work, NOW), site, NOW, ())


@given(SITES, PHASES, ENDS)
@settings(max_examples=40, deadline=None, suppress_health_check=OFTEN_NONE)
def test_a_relaxation_that_is_applied_yields_its_slot(site, phases, ends):
    change = phased(*phases, ends=ends)
    found = recommend(change, site, NOW)
    assume(found.outcome is Outcome.NONE)
    limits = limits_for(change, site)
    tried = {ease.told(limits): ease for ease in eases(limits)}
    placed = [(one, earliest(tried[one.what].applied(limits).task())) for one in found.relaxations]

    assert [(one.starts, one.ends) for one, _ in placed] == [
        (moment_of(sessions[0].starts), moment_of(sessions[-1].ends)) for _, sessions in placed
    ]
    assert [one.cost for one in found.relaxations] == sorted(e.cost for e in tried.values())


def granted(site, ease):
    """Write what is given up into the inventory, as a person would; openings are a calendar."""
    told = site.model_dump(mode="json")
    told["margin_days"] -= ease.margin
    told["blackouts"] = [
        {"first": day, "last": day, "reason": one.reason}
        for one in site.blackouts
        for n in range((one.last - one.first).days + 1)
        if (day := one.first + timedelta(days=n)) not in ease.days
    ]
    events = tuple(
        Event(window=True, what="granted", line=1, all_day=False, zone=ZoneInfo("UTC"),
              start=moment_of(one.starts).replace(tzinfo=None),
              extent=Extent(nominal=timedelta(0), real=one.minutes * MINUTE))
        for one in ease.opened
    )  # fmt: skip
    return Cluster.model_validate(told), Calendar(name="granted.ics", events=events)


@given(SITES, PHASES, ENDS)
@settings(max_examples=40, deadline=None, suppress_health_check=OFTEN_NONE)
def test_the_cheapest_relaxation_helps_who_writes_it_into_the_inventory(site, phases, ends):
    change = phased(*phases, ends=ends)
    found = recommend(change, site, NOW)
    assume(found.relaxations)
    cheapest = eases(limits_for(change, site))[0]
    assume(not cheapest.leads)
    eased, calendar = granted(site, cheapest)
    again = recommend(change, eased, NOW, [calendar])

    assert again.outcome is Outcome.FOUND
    assert (again.starts, again.ends) == (found.relaxations[0].starts, found.relaxations[0].ends)
    assert again.ends <= ends - timedelta(days=site.margin_days - cheapest.margin)


def smaller(ease):
    """Yield what gives up a little less."""
    if ease.margin:
        yield replace(ease, margin=ease.margin - 1)
    yield from (replace(ease, days=tuple(d for d in ease.days if d != day)) for day in ease.days)
    for n, one in enumerate(ease.opened):
        less = replace(one, minutes=one.minutes - 1)
        yield replace(ease, opened=(*ease.opened[:n], less, *ease.opened[n + 1 :]))


@given(SITES, PHASES, ENDS)
@settings(max_examples=40, deadline=None, suppress_health_check=OFTEN_NONE)
def test_of_what_the_cheapest_relaxation_gives_up_nothing_can_be_kept(site, phases, ends):
    limits = limits_for(phased(*phases, ends=ends), site)
    assume(limits.windows and not earliest(limits.task()))
    cheapest = eases(limits)[:1]
    assume(cheapest)

    assert [less for less in smaller(cheapest[0]) if earliest(less.applied(limits).task())] == []


def tried_all(task):
    """Return number of windows and end of the best of all cuts, by trying them one by one."""
    found = []
    for cuts in range(1 << (task.size - 1)):
        edges = [0, *(i + 1 for i in range(task.size - 1) if cuts >> i & 1), task.size]
        after, fits = 0, True
        for first, end in pairwise(edges):
            needed = task.work.session(first, end)
            starts = next((s for s in range(after, 3600) if inside(task, s, needed)), None)
            fits = fits and starts is not None and starts + needed <= task.deadline(first)
            after = (starts or 0) + needed + REST
        found += [(len(edges) - 1, after - REST)] if fits else []
    return min(found, default=None)


def inside(task, start, needed):
    return any(a <= start and start + needed <= b for a, b in task.allowed.stretches)


STRETCHES = st.lists(
    st.tuples(st.integers(0, 3000), st.integers(1, 500)).map(lambda s: (s[0], s[0] + s[1])),
    min_size=1, max_size=5,
)  # fmt: skip


@given(STRETCHES, st.lists(st.integers(2, 200), min_size=1, max_size=3), st.integers(100, 3500))
@settings(max_examples=50, deadline=None, suppress_health_check=OFTEN_NONE)
def test_the_search_finds_what_trying_everything_finds(stretches, phases, deadline):
    work = work_in(phased(*phases, ends=NOW).steps, prepared=False)
    task = Task(work=work, allowed=Allowed(stretches), deadlines={1: deadline})
    found = earliest(task)
    limit = latest(task)

    assert tried_all(task) == (found and (len(found), found[-1].ends))
    assert (limit.last[0] is None) == (found is None)


SKIPPED = {"localtime", "Factory"}
ALL_ZONES = sorted(available_timezones() - SKIPPED)


def changes(zone):
    """Return the days of 2026 and 2027 around which a zone changes its offset."""
    first = datetime(2026, 1, 1, tzinfo=UTC)
    days = [first + timedelta(days=n) for n in range(731)]
    offsets = [day.astimezone(zone).utcoffset() for day in days]
    return [day for day, (old, new) in zip(days, pairwise(offsets), strict=False) if old != new]


def test_windows_stay_at_wall_time_in_all_zones():
    wrong, seen = [], 0
    for name in ALL_ZONES:
        zone = ZoneInfo(name)
        for day in changes(zone)[:4] or [datetime(2026, 6, 1, tzinfo=UTC)]:
            for times in (("22:00", "04:00"), ("02:15", "02:45"), ("00:00", "00:00")):
                site = cluster(window(list(DAYS), *times), time_zone=name)
                begin = minute_after(day - timedelta(days=1))
                for start, end in occurrences(site, begin, begin + 3 * 24 * 60):
                    seen += 1
                    inner = (moment_of(start), moment_of(end - 1))
                    wrong += [(name, at) for at in inner if not allows(site, zone, at)]

    assert seen > 10_000
    assert wrong == []

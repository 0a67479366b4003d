"""Ends in the first and last years of the calendar stop no plan, schedule, ticket or digest.

RFC 5280 (4.1.2.5) writes 9999-12-31T23:59:59Z for a certificate that never ends.
"""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from builders import AS_OF, CATALOGUE, alarm, inventory, node
from cases.life import case_of, deed, directory, event
from digest import town
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from watcher import planning
from watcher.cases.states import act
from watcher.digest.calendar import calendar
from watcher.digest.gather import Audience, State, page_of
from watcher.inventory.schema import Blackout, Certificate, Cluster
from watcher.model.case import ActKind
from watcher.model.digest import KnownCase
from watcher.model.moments import FIRST, LAST, reckonable
from watcher.slots.fit import fit_of
from watcher.slots.recommend import recommend
from watcher.tickets.draft import draft_of

NO_END = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
DAYS = st.dates(date.min, date(3, 1, 1)) | st.dates(date(9997, 1, 1), date.max)
CLOCKS = st.times()
ZONES = st.sampled_from(["Europe/Vienna", "America/New_York", "Pacific/Kiritimati", "UTC"])
FEW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def site(zone, *ends, **more):
    return Cluster.model_validate({
        "name": "graz", "time_zone": zone, "margin_days": 365, "release": "14SU1",
        "nodes": [node("pub")],
        "certificates": [
            {"store": "tomcat", "node": "pub", "not_after": f"{end:%Y-%m-%dT%H:%M:%SZ}".zfill(20)}
            for end in ends
        ],
        "change_schedule": [{"days": ["sat"], "start": "22:00", "end": "04:00"}], **more,
    })  # fmt: skip


def drawn(cluster, *alarms):
    """Return the ticket of the plan, scheduled."""
    (plan,) = planning.plan(alarms, inventory(cluster), CATALOGUE, AS_OF)
    return draft_of(plan, fit_of(recommend(plan, cluster, AS_OF)))


def paged(cases, zone, *clusters):
    """Return the page and the calendar of a digest."""
    known = [KnownCase(number=n, case=one, plan_digest="") for n, one in enumerate(cases, 1)]
    state = State(cases=known, sources=(), books=(), inventory=inventory(*clusters))
    page = page_of(Audience(name="voice"), state, "2026-W48", town.NOW, ZoneInfo(zone))
    return page, calendar(page, "example.com", town.NOW)


@FEW
@given(DAYS, CLOCKS, ZONES)
@example(NO_END.date(), NO_END.time(), "Europe/Vienna")
@example(date.min, datetime.min.time(), "Pacific/Kiritimati")
def test_an_end_in_the_inventory(day, clock, zone):
    cluster = site(zone, datetime.combine(day, clock, UTC))

    assert drawn(cluster, alarm(cluster_id="graz"))
    assert paged([], zone, cluster)


@FEW
@given(DAYS, CLOCKS, ZONES)
@example(NO_END.date(), NO_END.time(), "America/New_York")
@example(date.min, datetime.min.time(), "Europe/Vienna")
def test_an_end_in_an_alarm(day, clock, zone):
    words = f"{day:%a %b %d} {clock:%H:%M:%S}:000 UTC {day.year:04}"
    cluster = site(zone)

    assert drawn(cluster, alarm(expiry=words))
    assert paged([case_of(event(directory(cluster), expiry=words))], zone, cluster)


@FEW
@given(DAYS, CLOCKS, ZONES)
@example(NO_END.date(), NO_END.time(), "Europe/Vienna")
def test_an_end_that_a_person_states(day, clock, zone):
    end = datetime.combine(day, clock, UTC)
    case = act(town.case(), deed(ActKind.CONFIRM, at=town.NOW, not_after=end)).case

    assert FIRST <= case.confirmed_end.year <= LAST
    assert paged([case], zone, town.cluster())


@FEW
@given(DAYS, DAYS, ZONES)
@example(date.min, date.max, "Europe/Vienna")
def test_a_blackout_without_an_end(first, last, zone):
    first, last = sorted((first, last))
    closed = {"first": first.isoformat(), "last": last.isoformat(), "reason": "closed"}

    assert drawn(site(zone, blackouts=[closed]), alarm())


def test_no_end_is_kept_as_the_last_day_that_can_be_reckoned_with():
    told = Certificate(store="tomcat", not_after=NO_END.isoformat()).not_after

    assert told == datetime(LAST, 1, 1, tzinfo=UTC)
    assert date(LAST, 1, 1) == Blackout(first="2026-01-01", last="9999-12-31", reason="x").last
    assert reckonable(AS_OF) is AS_OF

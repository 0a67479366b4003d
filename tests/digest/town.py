"""A busy site for tests of the digest: clusters, cases in every state, sources, books."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from watcher.digest.gather import State
from watcher.inventory.schema import (
    Blackout,
    Certificate,
    Cluster,
    Inventory,
    MaintenanceWindow,
    Node,
)
from watcher.model.case import Case, CaseKey, CaseState
from watcher.model.digest import KnownCase
from watcher.model.expiry import Certainty
from watcher.model.ledger import Line, Place, Reason
from watcher.model.message import Grade
from watcher.model.slot import Fit, Outcome
from watcher.model.status import SourceStatus

NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
"""Monday of week 48, 07:00 in Vienna."""
DAY = timedelta(days=1)


def case(owner="cm1", store="tomcat", days=100.0, cluster="graz", **changes) -> Case:
    """Return a case whose certificate ends in so many days; None: nobody knows when."""
    end = NOW + days * DAY if days is not None else None
    opened = changes.pop("opened_at", NOW - 40 * DAY)
    made = Case(
        key=CaseKey(cluster=cluster, owner=owner, store=store), opened_at=opened, heard_at=NOW,
        first_event=None, last_event=None, occurrences=3, copies=1, reporters=(owner,), ways=(),
        msgnames=("CertExpiryEarly",), severity=None, grade=Grade.ATTRIBUTED,
        end_day=end.date() if end else None, end_earliest=end, end_latest=end,
        certainty=Certainty.EXACT if end else Certainty.UNKNOWN, expired=(days or 1) <= 0,
        revoked=False, trust_only=False, state=CaseState.ALARMED, state_since=opened,
    )  # fmt: skip
    return replace(made, **changes)


def cluster(name="graz", *nodes, **changes) -> Cluster:
    """Return a cluster with a window every Saturday night."""
    told = {
        "name": name, "time_zone": "Europe/Vienna",
        "nodes": tuple(Node(name=node) for node in nodes or ("cm1", "cm2")),
        "change_schedule": (MaintenanceWindow(days=("sat",), start="22:00", end="04:00"),),
    }  # fmt: skip
    return Cluster(**(told | changes))


def known(*cases: Case, plan="sha256:" + "57f84b155054" * 5) -> list[KnownCase]:
    """Return cases with numbers."""
    return [KnownCase(number=n, case=c, plan_digest=plan) for n, c in enumerate(cases, 1)]


def source(name, state="healthy", last=NOW - timedelta(hours=3)) -> SourceStatus:
    """Return a source as the status file has it."""
    return SourceStatus(source=name, node=name, last=last, state=state)


def fit(**changes) -> Fit:
    """Return how a plan of ten hours fits: nowhere, unless said otherwise."""
    made = Fit(
        outcome=Outcome.NONE, zone="Europe/Vienna", found_at=NOW - timedelta(hours=1), minutes=653,
        deadline=NOW + 6 * DAY, late=NOW + 12 * DAY, why="of 1 windows none fits",
        relief="an extra window of 11 hours: Thu 2026-11-26 20:00",
    )  # fmt: skip
    return replace(made, **changes)


def fitting(days: float, spare: float = 7, **changes) -> Fit:
    """Return how a plan fits a slot in so many days, with a second one so many days later."""
    starts = NOW + days * DAY
    return fit(**{
        "outcome": Outcome.FOUND, "starts": starts, "ends": starts + timedelta(hours=11),
        "latest": starts + spare * DAY, "late": None, "why": "", "relief": "", **changes,
    })  # fmt: skip


def in_windows(*days: float, **changes) -> Fit:
    """Return how a plan fits windows in so many days each, five hours of work in each."""
    starts = [NOW + at * DAY for at in days]
    sessions = tuple((at, at + timedelta(hours=5)) for at in starts)
    return fitting(days[0], ends=sessions[-1][1], sessions=sessions, **changes)


def busy() -> State:
    """Return a site where much is going on."""
    certificates = tuple(
        Certificate(store=store, node=node, not_after=NOW + days * DAY)
        for store, node, days in (
            ("TVS", "cm1", 70), ("TVS", "cm2", 71), ("CAPF", "cm1", 120), ("ipsec", "cm1", 121),
            ("ipsec", "cm2", 122), ("tomcat", "cm5", 250), ("CallManager", "cm2", 330),
        )
    )  # fmt: skip
    graz = cluster("graz", contact="Voice team <voice@example.com>", certificates=certificates)
    wien = cluster(
        "wien", "w1", "w2", "w3", contact="NOC Wien, duty phone 4711",
        blackouts=(Blackout(first=date(2026, 12, 1), last=date(2027, 1, 10), reason="Year end"),),
    )  # fmt: skip
    linz = cluster("linz-contact-centre", "l1", change_schedule=())
    cases = known(
        case("cm1", "tomcat", -3), case("w1", "CallManager", -40, "wien", revoked=True),
        case("cm2", "tomcat", 4), case("w2", "CAPF", 30, "wien", certainty=Certainty.INFERRED),
        case("cm1", "CallManager", 9), case("l1", "ITLRecovery", 60, "linz-contact-centre",
                                           opened_at=NOW - 2 * DAY),
        case("cm2", "ipsec", 29.5), case("w3", "tomcat", 80, "wien", state=CaseState.REGRESSED,
                                         state_since=NOW - DAY),
        case("cm1", "TVS", 190), case("w3", "TVS", None, "wien"),
        case("cm2", "CAPF", 55, state=CaseState.ACKNOWLEDGED, acknowledged_by="huber",
             acknowledged_until=NOW + 20 * DAY, acknowledged_why="CA is being replaced, CHG 4711"),
        case("cm2", "CallManager", 45, state=CaseState.PLANNED, planned_digest="sha256:1",
             planned_for=NOW + 6 * DAY),
        case("cm1", "tomcat-ECDSA", 20, state=CaseState.QUIET, state_since=NOW - 5 * DAY),
        case("w1", "tomcat", 10, "wien", state=CaseState.RESOLVED, resolved_at=NOW - 2 * DAY,
             confirmed_end=NOW + 1800 * DAY),
        case("ghost", "tomcat", 12, ""),
    )  # fmt: skip
    sources = [
        *(source(name) for name in ("cm1", "w1", "w2", "w3")),
        source("cm2", "silent", NOW - 3 * DAY), source("l1", "unknown", None),
        source("stage:journal"), source("stage:drawing", "silent", NOW - DAY),
    ]  # fmt: skip
    places = {
        Place.RECEIVED: 120_000, Place.NOISE: 119_400, Place.CASE: 15, Place.DUPLICATE: 585
    }  # fmt: skip
    books = [Line("udp", place, Reason.NONE, count) for place, count in places.items()]
    return State(
        cases=cases, sources=sources, books=books,
        inventory=Inventory(version=1, clusters=(graz, wien, linz)),
        stuck=("2 at jira: sent with an unclear end, the oldest since 2026-11-22 17:00 UTC",),
        missed=("2026-W46", "2026-W47"),
    )  # fmt: skip

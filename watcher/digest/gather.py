"""Cases, sources and books -> the page for one list of people."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from watcher.digest.fits import is_believed, words
from watcher.digest.lines import DAY, Frame, line_of, section_of
from watcher.digest.subject import judged
from watcher.digest.windows import next_windows
from watcher.errors import InputError
from watcher.inventory.schema import Cluster, Inventory
from watcher.model.case import Case, CaseState
from watcher.model.digest import (
    ClusterSummary,
    DigestLine,
    DigestPage,
    DigestWindow,
    KnownCase,
    Ledger,
    Month,
    Section,
    SilentSource,
)
from watcher.model.ledger import Line, Place, books
from watcher.model.slot import Fit, Outcome
from watcher.model.status import SourceStatus
from watcher.slots.calendar import Calendar
from watcher.slots.limits import MARGIN_DAYS

SILENT, UNKNOWN = "silent", "unknown"
"""States of a source, as the status file has them."""
STAGE = "stage:"
MONTHS = 12
WEEK = timedelta(days=7)
NO_CLUSTER = "unknown cluster"


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """A list of people: `clusters` are those it is told of; empty: all, and unknown ones too.

    `link` says where a cluster's plan is to be read; `strays`, that no list hears of a cluster
    that the inventory does not know, so that each must be told that there is something.
    """

    name: str
    clusters: frozenset[str] = frozenset()
    link: Callable[[str], str] = lambda _: ""
    strays: bool = False

    def hears(self, cluster: str) -> bool:
        """Tell whether a cluster is this list's business."""
        return not self.clusters or cluster in self.clusters


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """All that a digest is made from, as it is now."""

    cases: Sequence[KnownCase]
    sources: Sequence[SourceStatus] = ()
    books: Sequence[Line] = ()
    inventory: Inventory | None = None
    stuck: Sequence[str] = ()
    missed: Sequence[str] = ()
    fits: Mapping[str, Fit] = field(default_factory=dict)
    """How each cluster's newest plan fits its windows."""
    calendars: Mapping[str, Sequence[Calendar]] = field(default_factory=dict)
    """Those that the inventory names, by cluster."""


@dataclass(frozen=True, slots=True)
class _Place:
    """A cluster as a page looks at it; None where the inventory does not know it."""

    name: str
    cluster: Cluster | None
    fit: Fit | None
    frame: Frame
    unread: str
    """Why no window can be known."""


def page_of(
    audience: Audience, state: State, period: str, now: datetime, zone: ZoneInfo
) -> DigestPage:
    """Return the page of one list for one week, as things stand at `now`."""
    known = {c.name: c for c in _clusters(state.inventory) if audience.hears(c.name)}
    cases = [one for one in state.cases if audience.hears(one.case.key.cluster)]
    names = dict.fromkeys([*known, *sorted({one.case.key.cluster for one in cases})])
    places = {name: _place(name, known.get(name), state, audience, (now, zone)) for name in names}
    lines = [line for one in cases if (line := _line(one, places)) is not None]
    sections = tuple((s, found) for s in Section if (found := _of(s, lines)))
    nodes = [one for one in state.sources if not one.source.startswith(STAGE)]
    heard = [one for one in nodes if audience.hears(_cluster_of(one, known))]
    alive = sum(one.state not in (SILENT, UNKNOWN) for one in heard)
    silent = _silent(heard, known)
    return judged(DigestPage(
        list=audience.name, period=period, now=now, zone=zone.key,
        sections=sections, clusters=_summaries(places.values(), lines),
        months=_months(cases, known, now, zone),
        silent=silent,
        stages=_silent([o for o in state.sources if o.source.startswith(STAGE)], {}),
        alive=alive, unheard=sum(one.state == UNKNOWN for one in heard),
        books=_ledger(state.books), stuck=tuple(state.stuck), missed=tuple(state.missed),
        strays=_strays(state) if audience.strays else 0,
    ))  # fmt: skip


def _clusters(inventory: Inventory | None) -> tuple[Cluster, ...]:
    return inventory.clusters if inventory else ()


def _place(
    name: str, cluster: Cluster | None, state: State, audience: Audience,
    at: tuple[datetime, ZoneInfo],
) -> _Place:  # fmt: skip
    """Look at a cluster once, however many cases it has."""
    now, zone = at
    fit = state.fits.get(name)
    margin = MARGIN_DAYS if cluster is None or cluster.margin_days is None else cluster.margin_days
    windows, unread = _windows(cluster, now, state.calendars.get(name, ()))
    frame = Frame(
        windows=windows,
        now=now, since=now - WEEK, fit=fit if is_believed(fit, now) else None, margin=margin * DAY,
        contact=(cluster.contact or "") if cluster else "", link=audience.link(name),
        zone=zone_for(cluster, zone),
    )  # fmt: skip
    return _Place(name, cluster, fit, frame, unread)


def _windows(
    cluster: Cluster | None, now: datetime, known: Sequence[Calendar]
) -> tuple[tuple[DigestWindow, ...], str]:
    """Return the next windows; none, and why, where a calendar comes to too much."""
    try:
        return next_windows(cluster, now, known) if cluster else (), ""
    except InputError as error:
        return (), str(error)


def zone_for(cluster: Cluster | None, zone: ZoneInfo) -> ZoneInfo:
    """Return the zone that people of a cluster read; the page's where none is known."""
    return ZoneInfo(cluster.time_zone) if cluster and cluster.time_zone else zone


def _line(one: KnownCase, places: Mapping[str, _Place]) -> DigestLine | None:
    frame = places[one.case.key.cluster].frame
    section = section_of(one.case, frame)
    return None if section is None else line_of(one, section, frame)


def _of(section: Section, lines: Iterable[DigestLine]) -> tuple[DigestLine, ...]:
    found = [line for line in lines if line.section is section]
    return tuple(sorted(found, key=_urgency))


def _urgency(line: DigestLine) -> tuple[bool, int, str, int]:
    return line.days is None, line.days or 0, line.cluster, line.number


def _strays(state: State) -> int:
    """Count the open cases of clusters that the inventory does not know."""
    known = {cluster.name for cluster in _clusters(state.inventory)}
    return sum(
        one.case.key.cluster not in known and one.case.state is not CaseState.RESOLVED
        for one in state.cases
    )


# -- clusters


def _summaries(places: Iterable[_Place], lines: Sequence[DigestLine]) -> tuple[ClusterSummary, ...]:
    told = [
        _summary(place, own)
        for place in places
        if (own := [x for x in lines if x.cluster == place.name]) or place.cluster
    ]
    order = sorted(told, key=lambda o: (not o.misfit, -o.expired, -o.due, -o.open, o.name))
    return tuple(order)


def _summary(place: _Place, lines: Sequence[DigestLine]) -> ClusterSummary:
    count = Counter(line.section for line in lines)
    plan = next((line.plan for line in lines if line.plan), "")
    frame, fit = place.frame, place.frame.fit if plan else None
    return ClusterSummary(
        name=place.name or NO_CLUSTER, contact=frame.contact,
        expired=count[Section.EXPIRED],
        due=count[Section.PRESSING] + count[Section.LAST_WINDOW],
        open=len(lines) - count[Section.DONE],
        window=next(iter(frame.windows), None),
        plan=plan, link=frame.link if plan else "",
        zone=(place.cluster.time_zone or "") if place.cluster else "",
        fits=words(place.fit, frame.now) if plan else (),
        slots=tuple(DigestWindow(starts=a, ends=b) for a, b in (fit.slots if fit else ())),
        misfit=fit is not None and fit.outcome is Outcome.NONE, unread=place.unread,
    )  # fmt: skip


# -- the year ahead


def _months(
    cases: Sequence[KnownCase], known: Mapping[str, Cluster], now: datetime, zone: ZoneInfo
) -> tuple[Month, ...]:
    """Count the ends of the next twelve months, this one included, in each cluster's zone."""
    firsts = _firsts(now.astimezone(zone).date())
    alarmed: Counter[date] = Counter()
    listed: Counter[date] = Counter()
    for one in cases:
        end = _end(one.case)
        if end is not None and end > now:
            local = zone_for(known.get(one.case.key.cluster), zone)
            alarmed[end.astimezone(local).date().replace(day=1)] += 1
    open_ = {_name(one.case) for one in cases if one.case.state is not CaseState.RESOLVED}
    for cluster in known.values():
        for c in cluster.certificates:
            # A copy in a trust store ends with its original.
            name = (cluster.name, (c.node or "").lower(), c.store)
            if c.not_after and c.not_after > now and c.owner is None and name not in open_:
                local = zone_for(cluster, zone)
                listed[c.not_after.astimezone(local).date().replace(day=1)] += 1
    return tuple(Month(first=f, alarmed=alarmed[f], listed=listed[f]) for f in firsts)


def _name(case: Case) -> tuple[str, str, str]:
    return case.key.cluster, case.key.owner, case.key.store


def _end(case: Case) -> datetime | None:
    if case.state is CaseState.RESOLVED:
        return None
    return case.confirmed_end or case.end_earliest


def _firsts(today: date) -> list[date]:
    month = today.year * 12 + today.month - 1
    return [date((month + n) // 12, (month + n) % 12 + 1, 1) for n in range(MONTHS)]


# -- sources and books


def _cluster_of(one: SourceStatus, known: Mapping[str, Cluster]) -> str:
    name = (one.node or one.source).lower()
    for cluster in known.values():
        if any(node.name.lower() == name for node in cluster.nodes):
            return cluster.name
    return ""


def _silent(
    sources: Iterable[SourceStatus], known: Mapping[str, Cluster]
) -> tuple[SilentSource, ...]:
    return tuple(
        SilentSource(
            name=one.source.removeprefix(STAGE), cluster=_cluster_of(one, known), last=one.last
        )
        for one in sources
        if one.state == SILENT
    )


def _ledger(lines: Sequence[Line]) -> Ledger:
    sums = books(lines)
    places = [(place.value, sums.total(place)) for place in Place if place is not Place.RECEIVED]
    return Ledger(
        received=sums.total(Place.RECEIVED), difference=sums.difference,
        places=tuple((name, count) for name, count in places if count),
    )  # fmt: skip

"""From settings and state to what goes out: the page of a list, its letter, notices, carriers."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from functools import partial
from pathlib import Path
from typing import Protocol
from urllib.parse import quote
from zoneinfo import ZoneInfo

from watcher.app.calendars import Calendars
from watcher.app.relay import relay_options
from watcher.app.settings import Prepared
from watcher.cases.table import OPEN
from watcher.digest import page as pages
from watcher.digest.gather import Audience, State, page_of, zone_for
from watcher.digest.lines import Frame, line_of
from watcher.digest.mail import Body, Envelope, letter
from watcher.digest.notice import Passed, notice, told
from watcher.digest.weeks import Timetable
from watcher.inputs.secret import Secret
from watcher.inventory.schema import Inventory, Weekday
from watcher.model.case import CaseKey, CaseState, Crossing
from watcher.model.digest import Answer, DigestLine, DigestPage, KnownCase, Section
from watcher.model.moments import reckonable
from watcher.model.slot import Fit
from watcher.model.status import SourceStatus
from watcher.model.ticket import ErrandState, OutboxCount
from watcher.plugins import builtin
from watcher.ports import CaseQuery, CaseRow, Figures, Outbox, View
from watcher.senders.chat import tell
from watcher.senders.relay import Relay
from watcher.senders.smtp import Answers
from watcher.settings.digest import DigestSettings, NoticeList
from watcher.settings.schema import Settings

CASES = 5_000
"""Open cases that one page takes in, the most urgent first; and as many resolved ones."""
CHAT = "chat:"
"""How a chat is called among recipients: its address is a secret."""
WAITED = timedelta(hours=1)
"""An errand that was not tried with success for so long is stuck."""
_STUCK = {
    ErrandState.NEW: "not taken yet",
    ErrandState.UNKNOWN: "sent with an unclear end",
    ErrandState.DEAD: "given up",
}
ALL = "all"
"""Name of the page of everything, where no list is configured."""


class Seen(Protocol):
    """A store as far as a page looks at it."""

    @property
    def view(self) -> View:
        """Return what is listed."""

    @property
    def figures(self) -> Figures:
        """Return what is counted."""

    @property
    def outbox(self) -> Outbox:
        """Return the drafts, which say how plans fit."""


def timetable_of(told_: DigestSettings) -> Timetable:
    """Return when digests fall due."""
    return Timetable(
        zone=ZoneInfo(told_.time_zone), weekday=tuple(Weekday).index(told_.day),
        at=time.fromisoformat(told_.time),
    )  # fmt: skip


def audience_of(settings: Settings, name: str) -> Audience:
    """Return whom a list's digest is for; a name that no list has means everything."""
    lists = {one.name: one for one in settings.digest.lists}
    clusters = frozenset(lists[name].clusters) if name in lists else frozenset()
    return Audience(
        name=name, clusters=clusters, link=partial(_link, settings.digest.plans_at),
        strays=name in lists and all(one.clusters for one in lists.values()),
    )  # fmt: skip


def _link(base: str | None, cluster: str) -> str:
    return f"{base.rstrip('/')}/{quote(cluster, safe='')}.html" if base and cluster else ""


def state_of(
    store: Seen, sources: Sequence[SourceStatus], inventory: Inventory | None, now: datetime
) -> State:
    """Return all that a page is made from, as it is in the store now."""
    rows = [
        *store.view.list_cases(CaseQuery(states=OPEN, limit=CASES)),
        *store.view.list_cases(CaseQuery(states={CaseState.RESOLVED}, limit=CASES)),
    ]
    errands = store.figures.outbox_counts()
    return State(
        cases=[_known(row) for row in rows], sources=sources, books=store.view.books(),
        inventory=inventory, stuck=[stuck(one) for one in errands if is_stuck(one, now)],
        fits=_fits(store.outbox, rows),
    )  # fmt: skip


def _fits(outbox: Outbox, rows: Iterable[CaseRow]) -> Mapping[str, Fit]:
    """Return how the newest plan of each cluster with an open case fits its windows."""
    clusters = {
        row.case.key.cluster
        for row in rows
        if row.plan_digest and row.case.state is not CaseState.RESOLVED
    }
    found = {name: outbox.drawn(name) for name in sorted(clusters)}
    return {name: one.draft.fit for name, one in found.items() if one and one.draft.fit}


def is_stuck(one: OutboxCount, now: datetime) -> bool:
    """Tell whether errands need a person: given up, or not done for an hour."""
    if one.oldest is None or one.state not in _STUCK:
        return False
    return one.state is ErrandState.DEAD or now - one.oldest >= WAITED


def _known(row: CaseRow) -> KnownCase:
    case = row.case
    ends = (case.confirmed_end, case.end_earliest, case.end_latest)
    # Stored by a version that took "no end" (the year 9999) as it stands.
    told_, first, last = (reckonable(end) if end else None for end in ends)
    case = replace(case, confirmed_end=told_, end_earliest=first, end_latest=last)
    return KnownCase(number=row.id, case=case, plan_digest=row.plan_digest)


def stuck(one: OutboxCount) -> str:
    """Return how many errands are stuck where, why, and since when."""
    since = f", the oldest since {one.oldest:%Y-%m-%d %H:%M} UTC" if one.oldest else ""
    return f"{one.count} at {one.system}: {_STUCK[one.state]}{since}"


def lacks_plans(view: View, inventory: Inventory | None) -> bool:
    """Tell whether a cluster that the inventory knows has open cases and no plan yet."""
    known = {one.name for one in inventory.clusters} if inventory else set()
    rows = view.list_cases(CaseQuery(states=OPEN, limit=CASES))
    return any(not row.plan_digest and row.case.key.cluster in known for row in rows)


def templates() -> Mapping[str, str]:
    """Return the built-in templates of the digest."""
    folder = builtin("templates")
    names = ("digest.html.j2", "digest.txt.j2")
    return {name: (folder / name).read_text(encoding="utf-8") for name in names}


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Draws pages and letters for one site; needs no secret."""

    settings: Settings
    inventory: Inventory | None
    calendars: Calendars = field(default_factory=dict)
    """Those that the inventory names, by cluster."""
    templates: Mapping[str, str] = field(default_factory=templates)

    @property
    def timetable(self) -> Timetable:
        """Return when digests fall due."""
        return timetable_of(self.settings.digest)

    def page(self, name: str, state: State, period: str, now: datetime) -> DigestPage:
        """Return the page of a list."""
        audience = audience_of(self.settings, name)
        state = replace(state, calendars=self.calendars)
        return page_of(audience, state, period, now, self.timetable.zone)

    def body(self, page: DigestPage, at: datetime) -> Body:
        """Return the page in all its forms, made `at`."""
        # A daemon holds the library only once a digest was due.
        from watcher.digest.calendar import calendar  # noqa: PLC0415

        return Body(
            subject=page.subject, text=pages.text(page, self.templates),
            html=pages.html(page, self.templates),
            calendar=calendar(page, self.domain, at),
            calendar_name=f"digest-{page.period}.ics",
        )  # fmt: skip

    @property
    def domain(self) -> str:
        """Return the domain of our Message-IDs; without a relay nothing leaves us."""
        return self.settings.own_domain() or "watcher.invalid"

    def envelope(self, name: str, to: tuple[str, ...], mark: str, at: datetime) -> Envelope:
        """Return from whom and to whom a letter goes."""
        relay = self.settings.relay
        return Envelope(
            sender=relay.sender if relay else f"watcher@{self.domain}", to=to, list=name,
            domain=self.domain, mark=f"{mark}.{self.settings.instance}.{name}", at=at,
        )  # fmt: skip

    def digest(self, page: DigestPage, at: datetime, mark: str = "") -> bytes:
        """Return the letter of a page made `at`; its Message-ID is that of the list and week.

        A `mark` tells one that is sent by hand from it.
        """
        to = next((one.to for one in self.settings.digest.lists if one.name == page.list), ())
        about = f"digest.{page.period}{mark}"
        return letter(self.envelope(page.list, to, about, at), self.body(page, at))

    def notice(
        self, one: NoticeList, crossings: Sequence[Crossing], cases: Mapping[CaseKey, KnownCase],
        at: datetime,
    ) -> Body | None:  # fmt: skip
        """Return what a list is told of these crossings; None when nothing."""
        audience = Audience(
            name=one.name, clusters=frozenset(one.clusters),
            link=partial(_link, self.settings.digest.plans_at),
        )  # fmt: skip
        passed = [
            Passed(days=crossing.days, line=self._line(cases[key], audience, at))
            for key, crossing in told(crossings, one.days).items()
            if key in cases and audience.hears(key.cluster)
        ]
        return notice(passed, at) if passed else None

    def _line(self, known: KnownCase, audience: Audience, at: datetime) -> DigestLine:
        name = known.case.key.cluster
        clusters = self.inventory.clusters if self.inventory else ()
        cluster = next((one for one in clusters if one.name == name), None)
        frame = Frame(
            now=at, since=at, contact=(cluster.contact or "") if cluster else "",
            link=audience.link(name), zone=zone_for(cluster, self.timetable.zone),
        )  # fmt: skip
        return line_of(known, Section.NEW, frame)


# -- carriers


@dataclass(frozen=True, slots=True, kw_only=True)
class Carriers:
    """What brings letters to people: the relay, and the chats of each list by its name."""

    relay: Relay | None
    chats: Mapping[str, tuple[Secret, ...]] = field(default_factory=dict)
    chat: Callable[[str, str, str], tuple[Answer, str]] = tell

    def carry(self, name: str, data: bytes, to: tuple[str, ...]) -> Answers:
        """Send a letter to these recipients of a list; say for each what came of it."""
        mails = tuple(one for one in to if not one.startswith(CHAT))
        found: dict[str, tuple[Answer, str]] = {}
        if mails and self.relay is None:
            found |= dict.fromkeys(mails, (Answer.LATER, "no relay is configured"))
        elif mails and self.relay is not None:
            found |= self.relay.deliver(data, mails)
        for one in to:
            if one.startswith(CHAT):
                found[one] = self._to_chat(name, one, data)
        return found

    def _to_chat(self, name: str, to: str, data: bytes) -> tuple[Answer, str]:
        urls = self.chats.get(name, ())
        number = int(to.removeprefix(CHAT))
        if number >= len(urls):
            return Answer.NEVER, "the settings have this chat no more"
        subject, text = _plain(data)
        return self.chat(urls[number].reveal(), subject, text)


def _plain(data: bytes) -> tuple[str, str]:
    """Return subject and text of a letter of ours."""
    mail = message_from_bytes(data, policy=default)
    part = mail.get_body(("plain",)) if isinstance(mail, EmailMessage) else None
    return str(mail["Subject"]), part.get_content() if part is not None else ""


def carriers_of(prepared: Prepared) -> Carriers:
    """Return the carriers of the settings."""
    return Carriers(relay=relay_of(prepared.settings, prepared.relay_password, prepared.relay_ca),
                    chats=prepared.chats)  # fmt: skip


def relay_of(settings: Settings, password: Secret | None, ca: Path | None) -> Relay | None:
    """Return the relay of the settings; None without one."""
    return Relay(relay_options(settings.relay, password, ca)) if settings.relay else None


def open_cases(view: View, keys: Sequence[CaseKey]) -> Mapping[CaseKey, KnownCase]:
    """Return those of these cases that are not resolved meanwhile."""
    rows = view.list_cases(CaseQuery(keys=frozenset(keys), states=OPEN, limit=len(keys)))
    return {row.case.key: _known(row) for row in rows}

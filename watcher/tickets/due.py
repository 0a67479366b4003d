"""What is to be done at the ticket systems, from cases, drafts, changes and what was done before.

One change for a cluster from its first open case to the last closed one; one ticket for a change
and system. What people do to a ticket is followed: one that they closed while cases are open is
left alone. Every errand has a mark of its own, so that deciding twice adds nothing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from watcher.model.case import Case, CaseState
from watcher.model.ticket import (
    DIGITS,
    Change,
    Draft,
    Errand,
    ErrandKind,
    ErrandState,
    Ticket,
    digest_of,
    mark,
    unmarked,
)
from watcher.tickets.advance import SHOW
from watcher.tickets.encode import one_line
from watcher.tickets.said import comments

NAMED = 200
"""Characters of a case's name."""
COMMENT = 8000
"""Characters of one comment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DueRules:
    """What a site wants; times as lengths."""

    systems: tuple[str, ...]
    """Names of the ticket systems in use."""
    close: bool = False
    """Close a ticket once all its cases are resolved; else only say so."""
    reopen_within: timedelta = timedelta(days=30)
    """An alarm of a resolved certificate so soon after the change ended reopens it."""
    renew_after: timedelta = timedelta(days=1)
    """A new alarm makes a new change so long after people closed the ticket of an open one."""
    installation: str = ""
    """Tells our tickets from those of another database that has a cluster of the same name."""
    stays_closed: frozenset[str] = frozenset()
    """Systems at which we cannot open a ticket again: what goes on needs another change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """All that is known of one cluster; `change` is its newest, the errands are that change's."""

    now: datetime
    cluster: str
    cases: Sequence[Case]
    draft: Draft | None = None
    """Made of the newest plan; without key and version."""
    drawn_at: datetime | None = None
    """When that plan was drawn; one from before the first open case says nothing of it."""
    change: Change | None = None
    tickets: Sequence[Ticket] = ()
    errands: Sequence[Errand] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What is to be written down: changes as they are now, errands to add, errands overtaken."""

    changes: tuple[Change, ...] = ()
    add: tuple[Errand, ...] = ()
    overtaken: tuple[Errand, ...] = ()


def due(ground: Ground, rules: DueRules) -> Due:
    """Return what follows; nothing at all when everything is as it was."""
    before = ground.change
    after = _change(ground, rules)
    if after is None:
        return Due()
    fresh = before is None or before.key != after.key
    known = replace(ground, tickets=(), errands=()) if fresh else ground
    found = [_of_system(system, after, known, rules) for system in rules.systems]
    told = comments(before if not fresh else None, after)
    changes = [after] if after != before else []
    added = [
        _texted(one, told, (*per.overtaken, *_unsaid(one, known.errands)))
        for per in found for one in per.add
    ]  # fmt: skip
    if before is not None and fresh and before.ended_at is None:
        changes.insert(0, replace(before, ended_at=ground.now))
        added = [*_left(before, after, ground, rules), *added]
    return Due(
        changes=tuple(changes), add=tuple(added),
        overtaken=tuple(one for per in found for one in per.overtaken),
    )  # fmt: skip


def addressed(change: Change) -> Draft:
    """Return the draft of a change with its key and version."""
    return replace(change.draft, key=change.key, version=change.version)


# -- changes


def _change(ground: Ground, rules: DueRules) -> Change | None:
    """Return the cluster's change as it is now; None: there is none and none is due."""
    change = ground.change
    ours = [case for case in ground.cases if case.key.cluster and not case.key.claimed]
    is_open = [case for case in ours if case.state is not CaseState.RESOLVED]
    if change is None:
        return _begun(ground, ours, rules, 1)
    if change.ended_at is None and is_open and _needs_another(ground, change, is_open, rules):
        return _begun(ground, ours, rules, change.number + 1) or change
    if change.ended_at is None:
        return _went_on(ground, change, ours, ended=not is_open)
    if not is_open:
        return change
    if _regressed(change, is_open) and ground.now - change.ended_at <= rules.reopen_within:
        again = replace(
            change, ended_at=None, round=change.round + 1, round_at=ground.now,
            version=change.version + 1,
        )  # fmt: skip
        return _went_on(ground, again, ours, ended=False, counted=True)
    return _begun(ground, ours, rules, change.number + 1) or change


def _begun(ground: Ground, ours: Sequence[Case], rules: DueRules, number: int) -> Change | None:
    since = [max(_since(case)) for case in ours if case.state is not CaseState.RESOLVED]
    drawn = ground.drawn_at
    if ground.draft is None or drawn is None or not since or drawn < min(since):
        return None
    named = filter(None, ("watcher", ground.cluster, rules.installation, str(number)))
    return Change(
        key="-".join(named), cluster=ground.cluster,
        number=number, version=1, progress=0, round=1, standing=_standing(ours, ground.now),
        opened_at=ground.now, round_at=ground.now, ended_at=None, draft=ground.draft,
    )  # fmt: skip


def _went_on(
    ground: Ground, change: Change, ours: Sequence[Case], *, ended: bool, counted: bool = False
) -> Change:
    """Return a change with the newest draft, and with what people did to its cases."""
    draft = change.draft if ended or ground.draft is None else ground.draft
    moved = draft.material != change.draft.material and not counted
    standing = _standing(ours, change.opened_at)
    went_on = not counted and _progress(standing) != _progress(change.standing)
    return replace(
        change,
        draft=draft,
        version=change.version + moved,
        standing=standing,
        progress=change.progress + went_on,
        ended_at=ground.now if ended else None,
    )


_DONE = "done"
_WORDS = {
    CaseState.ACKNOWLEDGED: "acknowledged",
    CaseState.PLANNED: "planned",
    CaseState.RESOLVED: _DONE,
}


def _standing(ours: Iterable[Case], since: datetime) -> tuple[str, ...]:
    """Return a line for each case of a change: open, acknowledged, planned, or done."""
    told = (
        f"{one_line(str(case.key), NAMED)}: {_WORDS.get(case.state, 'open')}" for case in ours
        if case.resolved_at is None or case.state is not CaseState.RESOLVED
        or case.resolved_at >= since
    )  # fmt: skip
    return tuple(sorted(told))


def _progress(standing: Iterable[str]) -> frozenset[str]:
    """Return what counts as progress: a new case is told by the draft, not by this."""
    return frozenset(line for line in standing if not line.endswith(": open"))


def _regressed(change: Change, is_open: Iterable[Case]) -> bool:
    """Tell whether a certificate that this change renewed alarms again."""
    ended = change.ended_at or change.opened_at
    return any(case.round > 1 and case.opened_at <= ended for case in is_open)


def _needs_another(
    ground: Ground, change: Change, is_open: Iterable[Case], rules: DueRules
) -> bool:
    """Tell whether a ticket of an open change is closed for good where something goes on.

    People's closing anywhere counts: where they work is not known, and at some systems nobody
    closes anything.
    """
    closed = [one for one in ground.tickets if one.closed_at and one.system in rules.systems]
    again = [one for one in closed if _reopens(change, one, ground.errands)]
    if any(not _can_reopen(change, one.system, ground, rules) for one in again):
        return True
    if any(_was_closed(one, ground.errands) for one in closed):
        return True
    last = min(
        (one.closed_at for one in closed if one.closed_at and one not in again), default=None
    )
    if last is None or ground.now - last < rules.renew_after:
        return False
    return any(max(_since(case)) > last for case in is_open)


def _was_closed(ticket: Ticket, errands: Iterable[Errand]) -> bool:
    """Tell whether a ticket was closed already when it was found for one that was never made."""
    creates = (
        one for one in errands if one.kind is ErrandKind.CREATE and one.system == ticket.system
    )
    return ticket.closed_at is not None and any(
        one.state is ErrandState.DONE and one.sent_at is None and ticket.closed_at <= one.next_at
        for one in creates
    )


def _can_reopen(change: Change, system: str, ground: Ground, rules: DueRules) -> bool:
    """Tell whether a ticket can be opened again: where that is known, and was not refused."""
    given_up = (
        one.kind is ErrandKind.REOPEN and one.state is ErrandState.DEAD
        and one.what == _reopened(change)
        for one in ground.errands if one.system == system
    )  # fmt: skip
    return system not in rules.stays_closed and not any(given_up)


def _since(case: Case) -> tuple[datetime, ...]:
    again = case.state is CaseState.REGRESSED
    return (case.opened_at, case.state_since) if again else (case.opened_at,)


# -- errands


def _of_system(system: str, change: Change, ground: Ground, rules: DueRules) -> Due:
    errands = [one for one in ground.errands if one.system == system]
    ticket = next((one for one in ground.tickets if one.system == system), None)
    desk = _Desk(system, change, ground.now, errands)
    if ticket is None:
        return desk.compared(desk.creating())
    if ticket.ref.closed:
        again = _reopens(change, ticket, errands)
        reopens = again and _can_reopen(change, system, ground, rules)
        wanted = desk.reopening() if reopens else ()
    else:
        wanted = (*desk.changed(), *desk.progressed(close=rules.close))
    return desk.compared(wanted)


def _reopens(change: Change, ticket: Ticket, errands: Iterable[Errand]) -> bool:
    """Tell whether a ticket was closed before the change went on again: it was done, and is not.

    When people closed it nobody knows, only when that was seen. So it was closed before, unless it
    was seen open since: by a search before something was sent, or because we opened it.
    """
    if change.round == 1 or change.ended_at is not None or ticket.closed_at is None:
        return False
    since = (
        one for one in errands
        if one.system == ticket.system and one.sent_at and one.sent_at >= change.round_at
    )  # fmt: skip
    return not any(one.kind is not ErrandKind.REOPEN or one.state is ErrandState.DONE
                   for one in since)  # fmt: skip


def _left(before: Change, after: Change, ground: Ground, rules: DueRules) -> Iterator[Errand]:
    """Yield the last comment at each ticket that stays open though another change goes on."""
    text = f"What is not done of this change goes on in {after.key}; this ticket can be closed."
    for ticket in ground.tickets:
        if ticket.system in rules.systems and not ticket.ref.closed:
            desk = _Desk(ticket.system, before, ground.now, ())
            one = desk.errand(ErrandKind.COMMENT, "left", digest_of(after.key))
            yield replace(one, text=f"{one.signed} {text}")


@dataclass(frozen=True, slots=True)
class _Desk:
    """One change at one system."""

    system: str
    change: Change
    now: datetime
    errands: Sequence[Errand]

    def errand(self, kind: ErrandKind, what: str, digest: str) -> Errand:
        """Return a new errand with its mark."""
        return Errand(
            id=0, change=self.change.key, system=self.system, kind=kind,
            version=self.change.version, mark=mark(self.change.key, what), state=ErrandState.NEW,
            attempts=0, next_at=self.now, sent_at=None, epoch=0, ticket=None, told="",
            added_at=self.now, digest=digest,
        )  # fmt: skip

    def showing(self, kind: ErrandKind, what: str) -> Errand:
        """Return a new errand that makes the ticket show the change as it is."""
        return self.errand(kind, what, addressed(self.change).shows)

    def creating(self) -> tuple[Errand, ...]:
        """Return what makes the ticket, unless the change is over or one is under way.

        A change that was over before its ticket was made, and goes on, is to have one after all.
        """
        made = [one for one in self.errands if one.kind is ErrandKind.CREATE]
        if self.change.ended_at or any(one.state is not ErrandState.DONE for one in made):
            return ()
        what = "v1" if self.change.round == 1 else f"v1 r{self.change.round}"
        return (self.showing(ErrandKind.CREATE, what),)

    def changed(self) -> tuple[Errand, ...]:
        """Return an update when the ticket shows something else, a comment if that is material.

        What was refused for good is not tried again as it is. A ticket that was found, and not
        made by us now, shows nobody knows what: it is made true without a word.
        """
        version = self.change.version
        sent = [one for one in self.errands if one.kind in SHOW]
        update = self.showing(ErrandKind.UPDATE, f"v{version}")
        if sent and sent[-1].digest == update.digest:
            return ()
        if version <= max((one.version for one in sent), default=0):
            return (self.showing(ErrandKind.UPDATE, f"v{version} again {len(sent)}"),)
        if any(one.kind is ErrandKind.REOPEN and one.version == version for one in self.errands):
            return (update,)  # the reopening said why
        digest = self.change.draft.material[:DIGITS]
        return (update, self.errand(ErrandKind.COMMENT, f"v{version} note", digest))

    def progressed(self, *, close: bool) -> tuple[Errand, ...]:
        """Return the comment on what people did, or the closing that says so."""
        number = f"p{self.change.progress}"
        digest = digest_of(*sorted(_progress(self.change.standing)))
        if close and self.change.ended_at is not None:
            return (self.errand(ErrandKind.CLOSE, f"{number} closed", digest),)
        if not self.change.progress or any(one.what == f"{number} closed" for one in self.errands):
            return ()
        return (self.errand(ErrandKind.COMMENT, number, digest),)

    def reopening(self) -> tuple[Errand, ...]:
        """Return what opens the ticket again."""
        digest = digest_of(self.change.round_at.isoformat())
        return (self.errand(ErrandKind.REOPEN, _reopened(self.change), digest),)

    def compared(self, wanted: Sequence[Errand]) -> Due:
        """Return which of these are not there yet, and which older ones need not go any more."""
        known = {one.mark for one in self.errands}
        add = tuple(one for one in wanted if one.mark not in known)
        return Due(add=add, overtaken=tuple(self._overtaken(add)))

    def _overtaken(self, add: Sequence[Errand]) -> Iterator[Errand]:
        """Yield what was not sent, or was given up, and says less than what is sent now."""
        kinds = {(one.kind, _series(one)) for one in add}
        for one in self.errands:
            unsent = one.state in (ErrandState.NEW, ErrandState.DEAD)
            if unsent and one.kind is not ErrandKind.CREATE and (one.kind, _series(one)) in kinds:
                yield replace(one, state=ErrandState.DONE, told="overtaken by a later one")


def _reopened(change: Change) -> str:
    return f"r{change.round} reopened"


def _series(errand: Errand) -> str:
    """Return which of the comments one is: on versions (`v`) or on progress (`p`)."""
    return errand.what[:1]


# -- what comments say


def _unsaid(errand: Errand, errands: Iterable[Errand]) -> Iterator[Errand]:
    """Yield what a reopening has to say too: comments on this version that found it closed."""
    for one in errands:
        kept = one.kind is ErrandKind.COMMENT and one.state is ErrandState.DONE
        same = (one.system, one.version) == (errand.system, errand.version)
        if errand.kind is ErrandKind.REOPEN and kept and same and one.sent_at is None:
            yield one


def _texted(errand: Errand, told: Mapping[str, str], unsaid: Sequence[Errand]) -> Errand:
    """Return an errand with what it says; what was not said before, of versions, it says too."""
    if errand.kind in SHOW:
        return errand
    text = told[_series(errand)]
    if errand.kind is ErrandKind.REOPEN:
        text = f"An alarm came again after this change was done.\n{text}"
    if errand.kind is ErrandKind.CLOSE:
        text = f"All certificates of this change are done.\n{text}"
    if errand.kind is ErrandKind.REOPEN or _series(errand) == "v":
        before = [one.text.partition("] ")[2] for one in unsaid if _series(one) == "v"]
        text = "\n\n".join([text, *filter(None, before)])[:COMMENT]
    return replace(errand, text=f"{errand.signed} {unmarked(text)}")

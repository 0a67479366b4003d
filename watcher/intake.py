"""The story of one message in the daemon, from the journal to its case.

    journal entry -> read (what it says) -> fold (into cases) -> one transaction of the store

`read_message` is pure and may be ended by a deadline; `fold` carries a whole batch into the store
with the journal's cursor, so that a crash takes back all of it or nothing. Nothing in here opens a
file or asks for the time.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from watcher.cases.advance import Advance
from watcher.cases.identity import Directory, case_event, evidence_key
from watcher.cases.merge import open_or_merge
from watcher.cases.provenance import may_speak
from watcher.cases.selftest import nonce_of
from watcher.cases.storm import Budget
from watcher.errors import InputError
from watcher.model.alarm import CertificateAlarm, Event, Tally, UcAlarm, Unreadable
from watcher.model.case import Case, CaseEvent, CaseKey, Transition
from watcher.model.ledger import Books, Place, Reason
from watcher.model.message import Grade, MessageId, Origin, RawMessage, Way
from watcher.pipeline import read
from watcher.ports import Counted, Damaged, EvidenceRow, Heard, StoredMessage, Unit
from watcher.rules.alarms import Alarms

DETAIL_LIMIT = 300
"""Characters of an explanation that are stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one message says: events for cases, evidence for plans, or why it was not believed."""

    id: MessageId
    raw: RawMessage
    events: tuple[CaseEvent, ...] = ()
    evidence: tuple[EvidenceRow, ...] = ()
    nonces: tuple[str, ...] = ()
    """Of our own synthetic alarms in it."""
    reason: Reason = Reason.NONE
    detail: str = ""

    @property
    def reporters(self) -> Iterable[str]:
        """The nodes that it speaks for, under the names it gives them."""
        said: tuple[CaseEvent | EvidenceRow, ...] = (*self.events, *self.evidence)
        return (one.reporter for one in said if one.reporter)


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """What a batch changed."""

    changed: frozenset[str] = frozenset()
    """Clusters with a material change: their plans are to be drawn."""
    transitions: tuple[Transition, ...] = ()
    nonces: tuple[str, ...] = ()
    messages: int = 0
    missing: int = 0
    """Messages that the journal counted and did not hand over; 0 unless it is damaged."""


def read_message(id_: MessageId, raw: RawMessage, directory: Directory) -> Reading:
    """Read one message; whatever it holds, the answer is a reading."""
    if raw.fault is not None:
        return Reading(id=id_, raw=raw, reason=raw.fault, detail="the input found it broken")
    sheet = _Sheet(id_, raw, directory)
    found = False
    try:
        for event in read([raw.data], directory.alarms, Tally(), listing=False):
            sheet.note(event)
            found = True
    except InputError as error:  # it begins like a packed file
        sheet.refuse(Reason.UNREADABLE, str(error))
        found = True
    if not found and _is_ours(raw.data, directory.alarms):
        sheet.refuse(Reason.NO_RECORD, "it holds the token of an alarm, but no record")
    return sheet.reading()


@dataclass(slots=True)
class _Sheet:
    """What was noted of a message so far."""

    id: MessageId
    raw: RawMessage
    directory: Directory
    events: list[CaseEvent] = field(default_factory=list)
    evidence: list[EvidenceRow] = field(default_factory=list)
    nonces: list[str] = field(default_factory=list)
    reason: Reason = Reason.NONE
    detail: str = ""

    def note(self, event: Event) -> None:
        """Note what one record says."""
        if isinstance(event, Unreadable):
            self.refuse(Reason.UNREADABLE, event.reason)
        elif not may_speak(self.raw.origin, event, self.directory):
            self.refuse(Reason.NOT_BOUND, f"it speaks for {event.node}")
        elif isinstance(event, CertificateAlarm):
            nonce = nonce_of(event)
            if nonce is not None:
                self.nonces.append(nonce)
            else:
                self.events.append(case_event(event, self.id, self.raw, self.directory))
        elif event.topic:
            self.evidence.append(_evidence(event, self.id, self.raw, self.directory))

    def refuse(self, reason: Reason, detail: str) -> None:
        """Note why the message, or part of it, is not believed."""
        self.reason, self.detail = reason, detail[:DETAIL_LIMIT]

    def reading(self) -> Reading:
        """Return all of it."""
        return Reading(
            id=self.id, raw=self.raw, events=tuple(self.events), evidence=tuple(self.evidence),
            nonces=tuple(self.nonces), reason=self.reason, detail=self.detail,
        )  # fmt: skip


def poisoned(id_: MessageId, raw: RawMessage, detail: str) -> Reading:
    """Return the reading of a message that could not be read in time, or broke the reader."""
    return Reading(id=id_, raw=raw, reason=Reason.POISON, detail=detail[:DETAIL_LIMIT])


def _is_ours(data: bytes, alarms: Alarms) -> bool:
    return any(name.encode() in data for name in alarms.appnames)


def _evidence(event: UcAlarm, id_: MessageId, raw: RawMessage, directory: Directory) -> EvidenceRow:
    place = directory.place(event.node)
    return EvidenceRow(
        key=evidence_key(event, raw), message=id_, topic=event.topic or "",
        cluster=place.cluster.name if place else "",
        reporter=directory.name_of(event.node), event_time=event.record.event_time,
        received_at=raw.received_at, raw=event.record.raw,
    )  # fmt: skip


@dataclass(slots=True)
class _Desk:
    """A batch on its way into the store."""

    now: datetime
    budget: Budget
    known: dict[str, CaseKey | None]
    cases: dict[CaseKey, Case]
    books: Books = field(default_factory=Books)
    messages: list[StoredMessage] = field(default_factory=list)
    events: list[CaseEvent] = field(default_factory=list)
    evidence: list[EvidenceRow] = field(default_factory=list)
    transitions: list[Transition] = field(default_factory=list)
    heard: dict[tuple[str, str], Heard] = field(default_factory=dict)
    touched: set[CaseKey] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)

    def settle(self, reading: Reading) -> None:
        """Give one message its place, and take in what it says."""
        held = 0
        new = 0
        for event in reading.events:
            if event.key in self.known:
                self._again(event)
            elif self._fold(event):
                new += 1
            else:
                held += 1
        for row in reading.evidence:
            if row.key not in self.known:
                self.known[row.key] = None
                self.evidence.append(row)
                new += 1
        reason, detail = reading.reason, reading.detail
        if held and reason is Reason.NONE:
            reason, detail = Reason.STORM, f"{held} new cases of unknown nodes, over the budget"
        place = _place(reading, reason, new)
        self._book(reading, place, reason, detail)

    def _fold(self, event: CaseEvent) -> bool:
        """Take a new event into its case; tell whether the budget allowed it."""
        case = self.cases.get(event.case)
        if case is None and not self.budget.allows(event.case, self.now, event.grade):
            return False
        advance = open_or_merge(case, event, self.now)
        self.known[event.key] = event.case
        self.events.append(event)
        self._advance(event.case, advance)
        return True

    def _again(self, event: CaseEvent) -> None:
        key = self.known[event.key]
        case = self.cases.get(key) if key is not None else None
        if case is not None and key is not None:
            self._advance(key, open_or_merge(case, event, self.now, known=True))

    def _advance(self, key: CaseKey, advance: Advance) -> None:
        self.cases[key] = advance.case
        self.touched.add(key)
        self.transitions += advance.transitions
        if advance.material:
            self.changed.add(key.cluster)

    def _book(self, reading: Reading, place: Place, reason: Reason, detail: str) -> None:
        raw = reading.raw
        self.books.add(raw.origin.input, place, 1, reason)
        for reporter in reading.reporters:
            self.hear(Heard(source=f"node:{reporter}", input=raw.origin.input, count=1,
                            last=raw.received_at))  # fmt: skip
        if place is not Place.NOISE and place is not Place.SELF_TEST:
            self.messages.append(
                StoredMessage(
                    id=reading.id, origin=raw.origin, received_at=raw.received_at, data=raw.data,
                    cut=raw.cut, place=place, reason=reason, detail=detail,
                )
            )  # fmt: skip

    def hear(self, row: Heard) -> None:
        """Note that a source was heard."""
        key = (row.source, row.input)
        before = self.heard.get(key)
        if before is not None:
            row = Heard(source=row.source, input=row.input, count=before.count + row.count,
                        last=max(before.last, row.last))  # fmt: skip
        self.heard[key] = row


def _place(reading: Reading, reason: Reason, new: int) -> Place:
    if reason is not Reason.NONE:
        return Place.QUARANTINED
    if new:
        return Place.CASE if reading.events else Place.EVIDENCE
    if reading.nonces:
        return Place.SELF_TEST
    return Place.DUPLICATE if reading.events or reading.evidence else Place.NOISE


def fold(
    readings: Sequence[Reading], unit: Unit, now: datetime, budget: Budget
) -> tuple[Folded, Books]:
    """Fold readings into cases and write all of it through one transaction.

    The books that come back are not yet in the store: the caller adds what the journal counted.
    """
    keys = {event.key for reading in readings for event in reading.events}
    keys |= {row.key for reading in readings for row in reading.evidence}
    known = dict(unit.known(keys))
    wanted = {event.case for reading in readings for event in reading.events}
    wanted |= {key for key in known.values() if key is not None}
    cases = dict(unit.cases(wanted))
    desk = _Desk(now=now, budget=budget, known=known, cases=cases)
    for reading in readings:
        desk.settle(reading)
    _write(desk, unit)
    folded = Folded(
        changed=frozenset(desk.changed),
        transitions=tuple(desk.transitions),
        nonces=tuple(nonce for reading in readings for nonce in reading.nonces),
        messages=len(readings),
    )
    return folded, desk.books


def _write(desk: _Desk, unit: Unit) -> None:
    unit.keep(desk.messages)
    unit.save([desk.cases[key] for key in sorted(desk.touched)])
    unit.add_events(desk.events)
    unit.add_evidence(desk.evidence)
    unit.add_transitions(desk.transitions)
    unit.hear(tuple(desk.heard.values()))


def counted(entries: Iterable[Counted], books: Books) -> list[Heard]:
    """Add to the books what the inputs counted, and return whom they heard."""
    rows = []
    for entry in entries:
        for line in entry.counts.lines:
            books.add(line.input, line.place, line.count, line.reason)
        rows += [
            Heard(source=f"peer:{peer}", input=name, count=count, last=last)
            for (name, peer), (count, last) in entry.counts.heard.items()
        ]
    return rows


def damaged(id_: MessageId, entry: Damaged, now: datetime) -> StoredMessage:
    """Return the row of quarantine for a stretch of the journal that cannot be read."""
    origin = Origin(way=Way.FILE, input="journal", peer="journal", grade=Grade.CLAIM)
    return StoredMessage(
        id=id_, origin=origin, received_at=now, data=entry.data, cut=entry.size > len(entry.data),
        place=Place.QUARANTINED, reason=Reason.DAMAGED,
        detail=f"{entry.size} bytes of the journal cannot be read",
    )  # fmt: skip

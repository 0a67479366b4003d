"""The whole path of one message, stage by stage: from its bytes to the plan.

For a stored message it says what really happened; for bytes from a file what would happen, had
they come by UDP from an unknown peer.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from watcher.app.replay import raw_of
from watcher.app.views import plan_page, stored_case
from watcher.cases.identity import Directory, Standing, case_event, case_key
from watcher.cases.merge import open_or_merge
from watcher.cases.provenance import grade_of, is_nested, may_speak
from watcher.cases.selftest import nonce_of
from watcher.cases.thresholds import crossings, days_left
from watcher.errors import one_line
from watcher.intake import read_message
from watcher.inventory.lookup import Ambiguous, find_node
from watcher.model.alarm import CertificateAlarm, Event, Tally, UcAlarm, Unreadable
from watcher.model.case import CaseEvent, Crossing
from watcher.model.message import Grade, MessageId, Origin, Position, RawMessage, Way
from watcher.pipeline import read
from watcher.ports import CaseRow, StoredMessage, View

SHOWN = 600
"""Characters of raw bytes that are shown, as escapes where they are not printable ASCII."""
DRY = MessageId(journal="dry-run", position=Position(0))
UNKNOWN = "?"
_FRAMES = {
    Way.UDP: "one datagram", Way.TCP: "one frame of a stream", Way.TLS: "one frame of a stream",
    Way.SMTP: "one mail", Way.FILE: "one file or line", Way.IMAP: "one mail",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of the path: facts by name, in order."""

    title: str
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Found:
    """An event with the case that it is of; `stored`: it came, else it only would."""

    event: CaseEvent
    row: CaseRow | None
    stored: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Explainer:
    """Knows everything that a path depends on; without a view nothing was ever stored."""

    directory: Directory
    view: View | None
    thresholds: tuple[int, ...]
    plan_folder: Path
    now: datetime

    def of_message(self, message: StoredMessage) -> tuple[Stage, ...]:
        """Return the path that a stored message took."""
        return tuple(self._stages(raw_of(message), message))

    def of_bytes(self, data: bytes, peer: str) -> tuple[Stage, ...]:
        """Return the path that bytes would take."""
        origin = Origin(way=Way.UDP, input="dry-run", peer=peer, grade=Grade.CLAIM)
        raw = RawMessage(origin=origin, received_at=self.now, monotonic_ns=0, data=data)
        return tuple(self._stages(raw, None))

    def _stages(self, raw: RawMessage, stored: StoredMessage | None) -> Iterator[Stage]:
        yield Stage("Bytes", tuple(_bytes(raw, stored)))
        id_ = stored.id if stored else DRY
        reading = read_message(id_, raw, self.directory)
        found = tuple(read([raw.data], self.directory.alarms, Tally()))
        yield Stage("Place", tuple(_placed(stored, reading.reason.value, reading.detail)))
        for number, event in enumerate(found, 1):
            yield from self._record(number, event, raw, id_, stored=stored is not None)
        if not found:
            yield Stage("Records", (("found", "none: no token of an alarm in these bytes"),))

    def _record(
        self, number: int, event: Event, raw: RawMessage, id_: MessageId, *, stored: bool
    ) -> Iterator[Stage]:
        title = f"Record {number}"
        if isinstance(event, Unreadable):
            facts = (("not read", event.reason), ("bytes", shown(event.raw.encode())))
            yield Stage(title, facts)
            return
        yield Stage(f"{title}: header", tuple(_header(event)))
        yield Stage(f"{title}: what it says", tuple(_said(event)))
        yield Stage(f"{title}: who says so", tuple(self._who(event, raw.origin)))
        if isinstance(event, CertificateAlarm) and nonce_of(event) is None:
            yield from self._case(title, event, raw, id_, stored=stored)

    def _who(self, event: CertificateAlarm | UcAlarm, origin: Origin) -> Iterator[tuple[str, str]]:
        place = self.directory.place(event.node)
        if place is not None:
            yield "node", f"{place.node.name} of cluster {place.cluster.name}, by the inventory"
        else:
            yield "node", f"{event.node or UNKNOWN}: {self._why_unknown(event.node)}"
        if origin.bound:
            may = may_speak(origin, event, self.directory)
            verdict = "may speak for it" if may else "may not speak for it: quarantine"
            yield "binding", f"the connection is bound to {', '.join(origin.bound)} and {verdict}"
        else:
            yield "binding", "nothing binds the connection to nodes"
        grade = grade_of(origin, event)
        quoted = ", one less because it is quoted in an alert" if is_nested(event) else ""
        yield "grade", f"{int(grade)} ({grade.name.lower().replace('_', ' ')}){quoted}"

    def _why_unknown(self, name: str | None) -> str:
        inventory = self.directory.inventory
        if not name:
            return "the record names none"
        if inventory is None:
            return "there is no inventory, so it stays a claim"
        found = find_node(inventory, name)
        if isinstance(found, Ambiguous):
            return f"it fits {len(found.places)} nodes of the inventory, so it stays a claim"
        return "no node of the inventory has that name, alias or address; it stays a claim"

    def _case(
        self, title: str, alarm: CertificateAlarm, raw: RawMessage, id_: MessageId, *, stored: bool
    ) -> Iterator[Stage]:
        event = case_event(alarm, id_, raw, self.directory)
        found = _Found(event, stored_case(self.view, event.case) if self.view else None, stored)
        yield Stage(f"{title}: case", tuple(self._key(alarm, event)))
        yield Stage(f"{title}: event and merge", tuple(self._merge(found)))
        yield Stage(f"{title}: thresholds", tuple(self._thresholds(found)))
        yield Stage(f"{title}: plan", tuple(self._plan(event)))

    def _key(self, alarm: CertificateAlarm, event: CaseEvent) -> Iterator[tuple[str, str]]:
        key = case_key(alarm, self.directory)
        yield (
            "cluster",
            key.cluster or "unknown: neither the node nor ClusterID is in the inventory",
        )
        yield "owner", key.owner or "no node owns it"
        yield "store", key.store or UNKNOWN
        if key.identity:
            yield "identity", f"{key.identity}: told by the file, because no node owns it"
        standing = self.directory.standing(key)
        words = {
            Standing.KNOWN: "known: every part is in the inventory or the rule packs",
            Standing.NAMED: "named: a file or store that only messages name",
            Standing.CLAIMED: "claimed: the inventory does not know the node",
        }
        yield "standing", words[standing]
        if event.trust:
            yield "scope", "a copy in a trust store; it belongs to the case of its owner"

    def _merge(self, found: _Found) -> Iterator[tuple[str, str]]:
        event, row = found.event, found.row
        yield "event", event.key
        if found.stored:
            brought = self.view.events_in(event.message) if self.view else ()
            new = event.key in {one.key for one in brought}
            yield "it was", "new" if new else "known: counted as a copy, or held back"
            yield "case", f"{row.id}, {row.case.state}" if row else "none"
            return
        advance = open_or_merge(row.case if row else None, event, self.now)
        yield "case", f"{row.id}, {row.case.state}" if row else "would be opened"
        yield "would be", str(advance.case.state)
        yield "would change", advance.why or "nothing but counts"

    def _thresholds(self, found: _Found) -> Iterator[tuple[str, str]]:
        case = found.row.case if found.row else None
        if not found.stored:
            case = open_or_merge(case, found.event, self.now).case
        if case is None:
            return
        left = days_left(case, self.now)
        yield "days left at least", UNKNOWN if left is None else f"{left:.1f}"
        told = []
        for step in self.view.history(case.key) if self.view and found.row else ():
            if isinstance(step, Crossing):
                told.append(step.days)
                yield f"{step.days} days", f"{step.at:%Y-%m-%d %H:%M} UTC, {step.silent or 'told'}"
        if not found.stored:
            for one in crossings(case, told, self.now, self.thresholds):
                yield f"{one.days} days", one.silent or "would be told"

    def _plan(self, event: CaseEvent) -> Iterator[tuple[str, str]]:
        plan = self.view.newest_plan(event.case.cluster) if self.view else None
        if plan is None:
            yield "plan", "none is stored"
            return
        yield "plan", f"{plan.digest}, drawn {plan.drawn_at:%Y-%m-%d %H:%M} UTC"
        yield "headline", plan.headline
        yield "file", str(plan_page(self.plan_folder, event.case.cluster))


def _bytes(raw: RawMessage, stored: StoredMessage | None) -> Iterator[tuple[str, str]]:
    origin = raw.origin
    if stored is not None:
        yield "message", str(stored.id)
    yield "received", f"{raw.received_at:%Y-%m-%d %H:%M:%S.%f} UTC"
    yield "way", f"{origin.way} through input {origin.input}, {_FRAMES[origin.way]}"
    yield "peer", origin.peer
    yield "grade of the way", f"{int(origin.grade)} ({origin.grade.name.lower().replace('_', ' ')})"
    yield "size", f"{len(raw.data)} bytes{', cut' if raw.cut else ''}"
    yield "data", shown(raw.data)


def _placed(stored: StoredMessage | None, reason: str, detail: str) -> Iterator[tuple[str, str]]:
    if stored is not None:
        why = f" ({stored.reason}: {stored.detail})" if stored.reason else ""
        yield "ended in", f"{stored.place}{why}"
    if reason:
        yield "read now", f"quarantine: {reason}{f', {detail}' if detail else ''}"
    else:
        yield "read now", "nothing keeps it out"


def _header(event: CertificateAlarm | UcAlarm) -> Iterator[tuple[str, str]]:
    record = event.record
    yield "envelope", " > ".join(record.envelope)
    yield "PRI", UNKNOWN if record.pri is None else str(record.pri)
    yield "SEQNUM", UNKNOWN if record.seqnum is None else str(record.seqnum)
    yield "HOST", record.host or UNKNOWN
    yield "time", f"{record.event_time or 'not read'} ({record.event_time_text or 'no text'})"
    severity = UNKNOWN if record.severity is None else f"{int(record.severity)}"
    yield "token", f"{record.appname} severity {severity} {record.msgname}"
    yield "tags", "; ".join(f"{name}={value}" for name, value in record.tags)
    if record.truncation:
        yield "lost", ", ".join(record.truncation)


def _said(event: CertificateAlarm | UcAlarm) -> Iterator[tuple[str, str]]:
    if isinstance(event, UcAlarm):
        yield "kind", f"evidence: {event.topic}" if event.topic else "no certificate alarm: noise"
        return
    if nonce_of(event) is not None:
        yield "kind", "our own synthetic alarm"
        return
    yield "kind", "certificate alarm" if event.known else "certificate alarm of a kind not listed"
    yield "certificate", event.certificate or UNKNOWN
    yield "store", f"{event.store or UNKNOWN} ({event.store_kind or 'of unknown kind'})"
    yield "reported by", event.node or UNKNOWN
    yield "owned by", event.owner or UNKNOWN
    yield "ClusterID", event.cluster_id or "empty"
    expiry = event.expiry
    yield "end as written", expiry.text or "nothing left of it"
    yield "end as read", f"{expiry.day or UNKNOWN}, {expiry.certainty}: {expiry.reason}"
    yield "state", event.state


def shown(data: bytes, most: int = SHOWN) -> str:
    """Return the beginning of raw bytes on one line, with escapes for what is not printable."""
    text = one_line(data[:most].decode("ascii", "backslashreplace"))
    return f"{text} ..." if len(data) > most else text

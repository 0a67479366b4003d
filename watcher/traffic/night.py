"""One night of one cluster: its Certificate Monitors run, and RTMT tells the bad ones again.

At the notification time each node reports every certificate whose end is near, its own and the
copies that it trusts. It does so every 24 hours, and every hour where one has expired or has less
than a day left. What is critical or worse is told once more by RTMT, half a minute later.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count

from watcher.model.alarm import Severity
from watcher.rules.alarms import Alarms, RelatedAlarm, Weight
from watcher.traffic import carrier
from watcher.traffic.cast import PlayedCluster, PlayedNode
from watcher.traffic.message import Form, Kind, Played
from watcher.traffic.monitor import DAY, Event, Reported, raise_alarm
from watcher.traffic.programme import Programme
from watcher.traffic.record import Token, record

HOURS = 24
_HOUR = timedelta(hours=1)
_PER_MAIL = 3
_SINGLE = (Form.REMOTE, Form.RELAYED, Form.RELAYED_5424, Form.FILE)
_STYLES = tuple(carrier.Style)


@dataclass(slots=True)
class Run:
    """What goes on from night to night: chance, numbers of events, each node's SEQNUM."""

    programme: Programme
    alarms: Alarms
    chance: random.Random
    events: "count[int]" = field(default_factory=count)
    numbers: dict[str, int] = field(default_factory=dict)

    def number(self, node: PlayedNode) -> int:
        """Return the node's next SEQNUM; like the field's, it starts anywhere."""
        last = self.numbers.get(node.name)
        last = self.chance.randrange(100_000) if last is None else last
        self.numbers[node.name] = last + 1
        return last

    def soon(self, start: datetime, first: float, last: float) -> datetime:
        """Return a time between so many seconds after `start`, to the millisecond."""
        return start + timedelta(milliseconds=round(self.chance.uniform(first, last) * 1000))


def night(run: Run, cluster: PlayedCluster, start: datetime) -> list[Played]:
    """Return what a cluster sends in the 24 hours from `start` on, in the order of sending."""
    begins = {node.name: run.soon(start, 0, 20) for node in cluster.nodes}
    events = [
        event
        for certificate in cluster.certificates
        for copy in certificate.copies
        for event in _events(run, Reported(cluster, certificate, copy), begins[copy.reporter.name])
    ]
    events.sort(key=lambda event: event.record.at)
    told = [
        *_by_syslog(run, cluster, events),
        *_by_rtmt(run, cluster, events),
        *_evidence(run, cluster, start),
    ]
    told.sort(key=lambda message: message.at)
    return told


def _events(run: Run, reported: Reported, begin: datetime) -> Iterator[Event]:
    end = reported.certificate.end
    first = run.soon(begin, 0, 5)
    for hour in range(HOURS if run.programme.hourly else 1):
        at = first + hour * _HOUR
        # After the first round only what has a day left, or less.
        if end - at < (DAY if hour else run.programme.window_days * DAY):
            number = run.number(reported.copy.reporter)
            event = raise_alarm(reported, at, number, run.alarms, run.chance)
            yield Event(event.record, replace(event.truth, event=next(run.events)))


def _by_syslog(run: Run, cluster: PlayedCluster, events: Sequence[Event]) -> Iterator[Played]:
    forms = [form for form in run.programme.forms if form in _SINGLE]
    for event in events:
        for form in forms:
            data = carrier.datagram(form, event.record, cluster.zone)
            yield _played(data, form, event.record.at, event.record.node, [event])


def _by_rtmt(run: Run, cluster: PlayedCluster, events: Sequence[Event]) -> Iterator[Played]:
    collector = cluster.nodes[0]
    bad = [event for event in events if event.record.severity <= carrier.ALERT_FROM]
    for event in bad if Form.ALERT in run.programme.forms else ():
        raised = run.soon(event.record.at, 30, 50)
        data = carrier.alert(event.record, raised, cluster.zone, collector)
        yield _played(data, Form.ALERT, raised, collector, [event])
    for group in _groups(run, bad) if Form.MAIL in run.programme.forms else ():
        raised = run.soon(group[-1].record.at, 30, 50)
        letter = carrier.Letter(unique=run.chance.getrandbits(64), style=run.chance.choice(_STYLES))
        records = [event.record for event in group]
        data = carrier.mail(records, raised, cluster.zone, letter)
        yield _played(data, Form.MAIL, raised, collector, group)


def _groups(run: Run, events: Sequence[Event]) -> Iterator[Sequence[Event]]:
    first = 0
    while first < len(events):
        size = run.chance.randint(1, _PER_MAIL)
        yield events[first : first + size]
        first += size


def _played(
    data: bytes, form: Form, at: datetime, node: PlayedNode, events: Sequence[Event]
) -> Played:
    return Played(
        data=data, kind=Kind.ALARM, form=form, at=at, node=node.name, address=node.address,
        truths=tuple(event.truth for event in events),
    )  # fmt: skip


def _evidence(run: Run, cluster: PlayedCluster, start: datetime) -> Iterator[Played]:
    raised = [related for related in run.alarms.related if _is_plain(related, run.alarms)]
    for _ in range(run.programme.evidence if raised else 0):
        related, node = run.chance.choice(raised), run.chance.choice(cluster.nodes)
        shows = related.weight is Weight.SHOWS_EFFECT
        severity = Severity.INFORMATIONAL if shows else Severity.ERROR
        token = Token(appname=related.appname or "", severity=severity, msgname=related.msgname)
        at = run.soon(start, 0, 3600)
        tags = "[Reason=played by a simulation][AppID=Sample]"
        told = record(node, at, run.number(node), token, tags)
        yield Played(
            data=carrier.datagram(Form.REMOTE, told, cluster.zone), kind=Kind.EVIDENCE,
            form=Form.REMOTE, at=at, node=node.name, address=node.address,
        )  # fmt: skip


def _is_plain(related: RelatedAlarm, alarms: Alarms) -> bool:
    """Tell whether an alarm is one of another service, by its own token."""
    return related.appname is not None and related.appname not in alarms.appnames

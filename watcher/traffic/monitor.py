"""The Certificate Monitor of a node: which alarm it raises about a certificate."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from watcher.errors import InputError
from watcher.model.alarm import Severity
from watcher.rules.alarms import About, Alarms, CertificateAlarmKind, Direction
from watcher.traffic.cast import Copy, PlayedCertificate, PlayedCluster
from watcher.traffic.message import Truth
from watcher.traffic.record import Record, Token, certificate_tags, legible, record

DAY = timedelta(days=1)
_NOTHING = timedelta(0)
_OPEN = 10**6


@dataclass(frozen=True, slots=True)
class Event:
    """One alarm as its node wrote it, and what is true of it; `truth.event` is still 0."""

    record: Record
    truth: Truth


@dataclass(frozen=True, slots=True)
class Reported:
    """A certificate as one node of a cluster reports it."""

    cluster: PlayedCluster
    certificate: PlayedCertificate
    copy: Copy


def raise_alarm(
    reported: Reported, at: datetime, number: int, alarms: Alarms, chance: random.Random
) -> Event:
    """Return the alarm that a node raises about a certificate; `number` is its SEQNUM."""
    cluster, certificate, copy = reported.cluster, reported.certificate, reported.copy
    name, kind = alarm_for(alarms, certificate.end - at, chance)
    severity = Severity(kind.severities[0])
    token = Token(appname=alarms.appnames[0], severity=severity, msgname=name)
    tags = certificate_tags(copy, certificate.end, cluster.zone)
    truth = Truth(
        event=0, cluster=cluster.name, reporter=copy.reporter.name, store=copy.store,
        certificate=copy.file, trust=copy.trust, msgname=name, severity=severity,
        event_time=at, end=certificate.end, case=certificate.case, legible=legible(copy),
    )  # fmt: skip
    return Event(record(copy.reporter, at, number, token, tags), truth)


def alarm_for(
    alarms: Alarms, left: timedelta, chance: random.Random
) -> tuple[str, CertificateAlarmKind]:
    """Return an alarm that the catalogue allows for so much time left: the narrowest.

    What has expired is told by the alarm for that, or by one that stands for both sides.
    """
    fitting = [
        (name, kind)
        for name, kind in alarms.certificate.items()
        if kind.about is About.EXPIRY and _fits(kind, left)
    ]
    if not fitting:
        raise InputError(f"no alarm of the catalogue fits {left} left", expected="one that does")
    if left < _NOTHING:
        return chance.choice(fitting)
    return min(fitting, key=lambda named: _width(named[1]))


def _fits(kind: CertificateAlarmKind, left: timedelta) -> bool:
    if left < _NOTHING:
        return kind.direction in (Direction.PAST, Direction.BOTH)
    if kind.direction in (Direction.PAST, Direction.NONE):
        return False
    earliest, latest = kind.earliest_days or 0, kind.latest_days
    return left >= earliest * DAY and (latest is None or left <= latest * DAY)


def _width(kind: CertificateAlarmKind) -> tuple[int, int]:
    latest = kind.latest_days
    return (_OPEN if latest is None else latest, -(kind.earliest_days or 0))

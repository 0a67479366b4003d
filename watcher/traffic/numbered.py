"""Certificate alarms with a number in them, so that a test can say which one is missing."""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count

from watcher.rules.alarms import Alarms
from watcher.traffic import carrier
from watcher.traffic.cast import PlayedCluster
from watcher.traffic.message import Form, Kind, Played
from watcher.traffic.monitor import Reported, raise_alarm
from watcher.traffic.record import Record

_NUMBER = re.compile(
    rb"(?<![0-9])([0-9]{1,10}): [A-Za-z0-9.-]{1,253}: [A-Z][a-z]{2} [0-9]{2} [0-9]{4} "
)
_LEFT = timedelta(days=5)
_SECOND = timedelta(seconds=1)


def numbered(
    clusters: Sequence[PlayedCluster], alarms: Alarms, start: datetime, *,
    form: Form = Form.REMOTE, first: int = 0,
) -> Iterator[Played]:  # fmt: skip
    """Yield alarms without end, each with a number of its own: 0, 1, 2 ... from `first` on.

    The number is the record's SEQNUM, and `truths[0].event` too. The alarms go round the
    certificates of the clusters, a second later with each round, so no two are the same event, and
    the number of cases is that of the certificates. All expire five days after the start.
    """
    chance = random.Random(0)  # noqa: S311 -- draws nothing: nothing has expired
    parts = [(cluster, certificate) for cluster in clusters for certificate in cluster.certificates]
    for number in count(first):
        cluster, certificate = parts[number % len(parts)]
        at = start + number // len(parts) * _SECOND
        due = replace(certificate, end=start + _LEFT)
        event = raise_alarm(Reported(cluster, due, due.copies[0]), at, number, alarms, chance)
        told, truth = event.record, replace(event.truth, event=number)
        yield Played(
            data=_data(form, told, cluster, number), kind=Kind.ALARM, form=form, at=at,
            node=told.node.name, address=told.node.address, truths=(truth,),
        )  # fmt: skip


def number_in(data: bytes) -> int | None:
    """Return the number in a message of `numbered`, or in the record alone; None: not one."""
    found = _NUMBER.search(data)
    return int(found[1]) if found else None


def _data(form: Form, told: Record, cluster: PlayedCluster, number: int) -> bytes:
    if form is Form.MAIL:
        letter = carrier.Letter(unique=number, style=carrier.Style.PLAIN)
        return carrier.mail([told], told.at, cluster.zone, letter)
    if form is Form.ALERT:
        return carrier.alert(told, told.at, cluster.zone, cluster.nodes[0])
    return carrier.datagram(form, told, cluster.zone)

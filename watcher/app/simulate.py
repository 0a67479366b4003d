"""The rehearsal: plays a cluster's traffic against listeners, and says what must come of it."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain, islice
from pathlib import Path

from watcher.app.clock import SystemClock
from watcher.app.knowledge import load_catalogue
from watcher.app.players import (
    Scheme,
    Sender,
    Sent,
    SmtpSender,
    StreamSender,
    Target,
    UdpSender,
    tls_wrap,
)
from watcher.app.site import load_inventory
from watcher.errors import InputError, Location
from watcher.inventory.schema import Inventory
from watcher.model.case import CaseKey
from watcher.traffic.cast import cast
from watcher.traffic.invent import invent
from watcher.traffic.message import Form, Played
from watcher.traffic.monitor import DAY
from watcher.traffic.play import play
from watcher.traffic.programme import Programme

_MBOX = ".mbox"
_READY = 20_000
"""Messages that are written before the clock starts, so that a burst is one."""
_TICK = 0.005
"""Seconds between two batches; finer than any receive buffer minds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """What is played, where to, and how fast.

    `rate` is in messages a second, 0 as fast as it goes; `speed` plays so many seconds of the
    story in one, and then `rate` does not count. `sources` is the number of addresses that the
    nodes share on the loopback.
    """

    programme: Programme
    targets: tuple[Target, ...] = ()
    inventory: str | None = None
    nodes: int = 8
    rate: float = 500.0
    speed: float = 0.0
    limit: int | None = None
    sources: int = 8
    to_all: bool = False
    recipient: str = "watcher@localhost"
    sessions: int = 4
    authority: str | None = None
    certificate: str | None = None


@dataclass(slots=True)
class Outcome:
    """What was sent, and what a daemon that heard all of it must show."""

    seconds: float = 0.0
    messages: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    forms: Counter[str] = field(default_factory=Counter)
    events: int = 0
    """Distinct certificate alarms, on however many ways each was sent."""
    carried: int = 0
    """Certificate alarms in all messages, repeats and other ways included."""
    again: int = 0
    """Messages that were sent a second time."""
    cases: set[CaseKey] = field(default_factory=set)
    ways: list[Sent] = field(default_factory=list)
    interrupted: bool = False
    _seen: bytearray = field(default_factory=bytearray)

    def note_event(self, number: int) -> None:
        """Count an event that was sent; numbers are small and without gaps."""
        self.carried += 1
        if number >= len(self._seen):
            self._seen.extend(bytes(number + 1 - len(self._seen)))
        self.events += not self._seen[number]
        self._seen[number] = 1


Report = Callable[[Outcome], None]


def first_night(nights: int) -> datetime:
    """Return a start from which so many nights end now, so that nothing lies in the future."""
    now = SystemClock().now()
    return now.replace(minute=0, second=0, microsecond=0) - nights * DAY


def rehearse(order: Rehearsal, tell: Report) -> Outcome:
    """Send everything to the targets and return what was sent; Ctrl-C ends it in order.

    `tell` is called about once a second with the outcome so far.
    """
    forms = _forms(order)
    messages = messages_of(order, forms)
    desk = _Desk(order)
    outcome = Outcome(ways=[sender.sent for sender in desk.senders])
    ready = chain(list(islice(messages, _READY)), messages)
    began = time.monotonic()
    try:
        for message in _paced(ready, order, desk.flush):
            desk.send(message)
            _note(outcome, message)
            now = time.monotonic()
            if now - began >= outcome.seconds + 1:
                outcome.seconds = now - began
                tell(outcome)
    except KeyboardInterrupt:
        outcome.interrupted = True
    finally:
        desk.close()
    outcome.seconds = time.monotonic() - began
    return outcome


def write(order: Rehearsal, name: str) -> Outcome:
    """Write a file instead: mails where its name ends in .mbox, else lines of syslog."""
    mails = name.endswith(_MBOX)
    forms = [form for form in order.programme.forms if (form is Form.MAIL) == mails]
    outcome = Outcome()
    began = time.monotonic()
    try:
        with Path(name).open("wb") as stream:
            for message in messages_of(order, forms):
                if (message.form is Form.MAIL) == mails:
                    stream.write(_entry(message) if mails else message.data + b"\n")
                    _note(outcome, message)
    except OSError as error:
        reason = (error.strerror or "cannot be written").lower()
        raise InputError(reason, where=Location(name), expected="a writable path") from error
    outcome.seconds = time.monotonic() - began
    return outcome


def _entry(message: Played) -> bytes:
    # RFC 4155; no line of ours begins with `From `.
    at = f"{message.at:%a %b %d %H:%M:%S %Y}"
    body = message.data.replace(b"\r\n", b"\n")
    return f"From rtmt@example.test {at}\n".encode() + body + b"\n"


def site_of(order: Rehearsal) -> Inventory:
    """Return the inventory that is played: the one that is named, else an invented one."""
    return load_inventory(order.inventory) if order.inventory else invent(order.nodes)


def messages_of(order: Rehearsal, forms: Iterable[Form]) -> Iterator[Played]:
    """Yield what is played, in these forms."""
    catalogue = load_catalogue()
    programme = replace(order.programme, forms=tuple(forms))
    if not programme.forms:
        raise InputError("no form fits the targets", expected="mail for smtp:, others for syslog")
    if not set(programme.forms) - {Form.MAIL}:
        # Mail carries alarms of certificates only.
        programme = replace(programme, noise=0.0, evidence=0)
    clusters = cast(site_of(order), catalogue, seed=programme.seed, start=programme.start)
    if not clusters:
        raise InputError("the inventory names no node", expected="at least one to play")
    return islice(play(clusters, catalogue.alarms, programme), order.limit)


def _forms(order: Rehearsal) -> list[Form]:
    mail = any(target.scheme is Scheme.SMTP for target in order.targets)
    syslog = any(target.scheme is not Scheme.SMTP for target in order.targets)
    return [form for form in order.programme.forms if (mail if form is Form.MAIL else syslog)]


def _note(outcome: Outcome, message: Played) -> None:
    outcome.messages += 1
    outcome.kinds[message.kind] += 1
    outcome.forms[message.form] += 1
    outcome.again += message.again
    for truth in message.truths:
        outcome.note_event(truth.event)
        if truth.legible:
            outcome.cases.add(truth.case)


class _Desk:
    """Gives each message to the sender that its node uses."""

    def __init__(self, order: Rehearsal) -> None:
        self._order = order
        self.senders: list[Sender] = []
        try:
            for target in order.targets:
                self.senders.append(_sender(order, target))
        except InputError:
            self.close()
            raise
        self._mail = [s for s in self.senders if s.sent.target.scheme is Scheme.SMTP]
        self._syslog = [s for s in self.senders if s.sent.target.scheme is not Scheme.SMTP]
        self._places: dict[str, int] = {}

    def send(self, message: Played) -> None:
        """Send one message by the way of its node, or by all that can carry it."""
        able = self._mail if message.form is Form.MAIL else self._syslog
        place = self._places.setdefault(message.node, len(self._places))
        source = place % self._order.sources
        for sender in able if self._order.to_all else (able[place % len(able)],):
            sender.send(message.data, source)

    def flush(self) -> None:
        """Send what waits."""
        for sender in self.senders:
            sender.flush()

    def close(self) -> None:
        """Send what waits and end all connections."""
        for sender in self.senders:
            sender.close()


def _sender(order: Rehearsal, target: Target) -> Sender:
    match target.scheme:
        case Scheme.UDP:
            return UdpSender(target)
        case Scheme.SMTP:
            return SmtpSender(target, order.recipient, order.sessions)
        case Scheme.TLS:
            return StreamSender(target, tls_wrap(target, order.authority, order.certificate))
        case _:
            return StreamSender(target)


def _paced(
    messages: Iterator[Played], order: Rehearsal, flush: Callable[[], None]
) -> Iterator[Played]:
    """Yield each message when its time has come."""
    began, first = time.monotonic(), None
    batch = max(1, int(order.rate * _TICK))
    for number, message in enumerate(messages):
        first = first or message.at
        if order.speed or (order.rate and number % batch == 0):
            due = _due(order, number, message.at, first)
            wait = began + due - time.monotonic()
            if wait > 0:
                flush()
                time.sleep(wait)
        yield message


def _due(order: Rehearsal, number: int, at: datetime, first: datetime) -> float:
    if order.speed:
        return (at - first).total_seconds() / order.speed
    return number / order.rate

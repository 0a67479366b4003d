"""Our own alarm through the real inputs: it must come out at the end, or we are deaf."""

import logging
import secrets
import smtplib
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

from watcher.app.status import read_receiver
from watcher.cases.selftest import synthetic_alarm
from watcher.model.message import Way
from watcher.model.status import InputStatus
from watcher.ports import Runs
from watcher.rules.alarms import Alarms
from watcher.schedule import period_of

logger = logging.getLogger(__name__)

TIMEOUT = 5.0
JOB = "self-test"
FRESH = timedelta(seconds=15)
"""An older status is of a receiver that does not run; the next look will find another."""
RETRY = timedelta(minutes=5)
"""After a failure the next is sent so soon, until one comes out."""
SEEN = "seen"
NOTHING = "no input that we can send to"


@dataclass(slots=True)
class SelfTest:
    """Sends a synthetic alarm to each open input, and waits for it.

    Once after each start, once in a period, and soon again after a failure, until one comes out.
    """

    folder: Path
    instance: str
    every: timedelta | None
    within: timedelta
    recipient: str
    alarms: Alarms
    runs: Runs
    takes_mail: bool = True
    """Whether the mail input takes anything from this machine."""
    last: datetime | None = None
    """When one last came out, also before this start."""
    passed_at: datetime | None = None
    """When the last one since this start ended well; None: none has, or the last failed."""
    problem: str = ""
    """Why the last one did not come out, also when that was before this start."""
    _pending: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    _run: str = ""
    """Name of the test that is on its way; empty: none is."""
    _ended: datetime | None = None
    _period: str = ""
    """The period that was tested last."""
    _shut_since: datetime | None = None
    _remembers: bool = False

    @property
    def awaited(self) -> bool:
        """Tell whether nobody knows yet, since this start, if the way is open."""
        return self.every is not None and self.passed_at is None and not self.problem

    def look(self, now: datetime, seen: set[str]) -> None:
        """Note which came out and which are overdue; send new ones when it is time."""
        if self.every is None:
            return
        self._remember()
        for nonce in seen & self._pending.keys():
            del self._pending[nonce]
            self.last = now
        overdue = [where for where, sent in self._pending.values() if now - sent > self.within]
        if overdue:
            self._end(now, f"{', '.join(sorted(overdue))}: sent, and not seen at the end")
        elif self._run and not self._pending:
            self._end(now, "")
        if not self._run and self._is_due(self.every, now):
            self._begin(self.every, now)

    def _remember(self) -> None:
        """Recall how it was before this start; a failure is not forgotten by a restart."""
        if self._remembers:
            return
        newest, well = self.runs.last(self.job), self.runs.last(self.job, SEEN)
        self.last = well.finished_at if well else None
        if newest is not None and newest.result not in (SEEN, NOTHING):
            self.problem = newest.result
        self._remembers = True

    @property
    def job(self) -> str:
        """Name among the runs; each instance tests its own inputs."""
        return f"{JOB}:{self.instance}"

    def _is_due(self, every: timedelta, now: datetime) -> bool:
        if self._ended is None:
            return True
        if self.passed_at is None:
            return not timedelta(0) <= now - self._ended < min(RETRY, every)
        return period_of(every, now) != self._period

    def _begin(self, every: timedelta, now: datetime) -> None:
        receiver = read_receiver(self.folder)
        if receiver is None or now - receiver.written_at > FRESH:
            return  # the status of a receiver that ended says nothing of where to send
        inputs = [one for one in receiver.inputs if self._reaches(one)]
        if self._is_opening(inputs, now):
            return
        name = f"{now:%Y-%m-%dT%H:%M:%S.%f}Z"
        if not self.runs.claim(self.job, name, now):
            return
        self._run, self._period = name, period_of(every, now)
        for one in inputs:
            nonce = secrets.token_hex(16)
            self._pending[nonce] = (one.name, now)
            try:
                _WAYS[one.way](self, one, synthetic_alarm(nonce, now, self.alarms))
            except OSError as error:
                logger.warning("self-test: %s does not take it: %s", one.name, error)

    def _reaches(self, one: InputStatus) -> bool:
        return one.way in _WAYS and (one.way is not Way.SMTP or self.takes_mail)

    def _is_opening(self, inputs: Sequence[InputStatus], now: datetime) -> bool:
        """Tell whether to wait for an input that is shut: not for longer than a test may take."""
        if all(one.open for one in inputs):
            self._shut_since = None
            return False
        self._shut_since = self._shut_since or now
        return timedelta(0) <= now - self._shut_since <= self.within

    def _end(self, now: datetime, problem: str) -> None:
        if problem:
            logger.error("self-test failed: %s", problem, extra={"action": "self_test_failed"})
        self.problem = problem
        self.passed_at = None if problem else now
        well = SEEN if self.last is not None and self.last == now else NOTHING
        self.runs.finish(self.job, self._run, now, problem or well)
        self._ended, self._run = now, ""
        self._pending.clear()

    def datagram(self, one: InputStatus, line: bytes) -> None:
        """Send it by UDP."""
        host, port = address_of(one.where)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.sendto(line, (host, port))

    def stream(self, one: InputStatus, line: bytes) -> None:
        """Send it by TCP."""
        with socket.create_connection(address_of(one.where), TIMEOUT) as sock:
            sock.sendall(b"%d %s" % (len(line), line))

    def mail(self, one: InputStatus, line: bytes) -> None:
        """Send it as a mail to ourselves."""
        letter = EmailMessage()
        letter["Subject"], letter["From"], letter["To"] = "self-test", "", self.recipient
        letter.set_content(line.decode("ascii"))
        with smtplib.SMTP(*address_of(one.where), timeout=TIMEOUT) as session:
            session.ehlo()
            if session.has_extn("starttls"):
                session.starttls(context=_anybody())
            session.sendmail("", [self.recipient], letter.as_bytes())


_WAYS: dict[Way, Callable[[SelfTest, InputStatus, bytes], None]] = {
    Way.UDP: SelfTest.datagram,
    Way.TCP: SelfTest.stream,
    Way.SMTP: SelfTest.mail,
}


def _anybody() -> ssl.SSLContext:
    """Return a context that asks for no certificate: nothing secret is said, and to ourselves."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def address_of(where: str) -> tuple[str, int]:
    """Return where to send to reach an input; all addresses are reached on the loopback."""
    host, _, port = where.split(", ", maxsplit=1)[0].rpartition(":")
    host = host.strip("[]")
    loopback = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104
    return loopback.get(host, host), int(port)

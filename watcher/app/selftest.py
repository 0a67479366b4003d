"""Our own alarm through the real inputs: it must come out at the end, or we are deaf."""

import logging
import secrets
import smtplib
import socket
import ssl
from collections.abc import Callable
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


@dataclass(slots=True)
class SelfTest:
    """Sends a synthetic alarm to each open input once in a period, and waits for it."""

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
    """When one last came out."""
    problem: str = ""
    _pending: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    _period: str = ""

    def look(self, now: datetime, seen: set[str]) -> None:
        """Note which came out and which are overdue; send new ones when it is time."""
        if self.every is None:
            return
        for nonce in seen & self._pending.keys():
            del self._pending[nonce]
            self.last = now
        overdue = [where for where, sent in self._pending.values() if now - sent > self.within]
        if overdue:
            self._end(now, f"{', '.join(sorted(overdue))}: sent, and not seen at the end")
        elif self._period and not self._pending:
            self._end(now, "")  # or there is no input that we can send to ourselves
        if not self._period:
            self._begin(self.every, now)

    def _begin(self, every: timedelta, now: datetime) -> None:
        receiver, period = read_receiver(self.folder), period_of(every, now)
        if receiver is None or now - receiver.written_at > FRESH:
            return  # the status of a receiver that ended says nothing of where to send
        if not self.runs.claim(f"{JOB}:{self.instance}", period, now):
            return
        self._period = period
        for one in receiver.inputs:
            send = _WAYS.get(one.way)
            if send is None or not one.open or (one.way is Way.SMTP and not self.takes_mail):
                continue
            nonce = secrets.token_hex(16)
            self._pending[nonce] = (one.name, now)
            try:
                send(self, one, synthetic_alarm(nonce, now, self.alarms))
            except OSError as error:
                logger.warning("self-test: %s does not take it: %s", one.name, error)

    def _end(self, now: datetime, problem: str) -> None:
        if problem:
            logger.error("self-test failed: %s", problem, extra={"action": "self_test_failed"})
        self.problem = problem
        self.runs.finish(f"{JOB}:{self.instance}", self._period, now, problem or "seen")
        self._period = ""
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

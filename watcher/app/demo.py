"""The example alarm sent to a daemon that has just started, through its real listeners.

What a new user sees first: one alarm by syslog and once more as RTMT mail, one case, one plan.
"""

import smtplib
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import TypeVar

from watcher.app.selftest import address_of
from watcher.app.settings import Prepared
from watcher.app.status import read_receiver, read_worker
from watcher.errors import WatcherError
from watcher.model.ledger import Place
from watcher.model.message import Way
from watcher.model.status import ReceiverStatus
from watcher.ports import CaseQuery
from watcher.store.engine import Store, open_existing

Found = TypeVar("Found")

PATIENCE = 120.0
"""Seconds to wait for each step; a slow machine needs some."""
_MARK = "MatchedEvent : "
_PRI = 186


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One case of the demonstration, with where to find it and its plan."""

    number: int
    certificate: str
    occurrences: int
    copies: int
    ways: str
    end: str
    plan: str
    page: Path
    ticket: str
    """The folder of the change's ticket; empty: the settings want none."""


def listening(prepared: Prepared, since: float) -> ReceiverStatus:
    """Wait until the receiver that started after `since` listens, and return how it is."""
    return _waited(lambda: _fresh(prepared, since), "the daemon to listen")


def send(receiver: ReceiverStatus, recipient: str, text: str) -> dict[str, str]:
    """Send an RTMT alert as a mail, and the alarm in it as a datagram; return what was answered."""
    where = {one.way: one.where for one in receiver.inputs if one.open}
    told = {}
    alarm = next(line for line in text.splitlines() if line.startswith(_MARK))
    # The local header of the file form is not part of what a remote syslog server gets.
    record = alarm.removeprefix(_MARK).partition(" : ")[2]
    if Way.UDP in where:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(f"<{_PRI}>{record}".encode(), address_of(where[Way.UDP]))
        told[f"UDP syslog to {where[Way.UDP]}"] = "sent"
    if Way.SMTP in where:
        with smtplib.SMTP(*address_of(where[Way.SMTP]), timeout=PATIENCE) as session:
            session.ehlo()
            session.mail("rtmt@cucm01.example")
            session.rcpt(recipient)
            code, answer = session.data(_letter(recipient, text))
        told[f"RTMT mail to {where[Way.SMTP]}"] = f"{code} {answer.decode('ascii', 'replace')}"
    return told


def _letter(recipient: str, text: str) -> bytes:
    letter = EmailMessage()
    letter["From"], letter["To"] = "rtmt@cucm01.example", recipient
    letter["Subject"] = "[RTMT-ALERT-StandAloneCluster] SyslogSeverityMatchFound"
    letter.set_content(text)
    return letter.as_bytes()


def taken_in(prepared: Prepared) -> int:
    """Return how many messages ended as alarms so far; an earlier run may have left some."""
    worker = read_worker(prepared.state_dir)
    ended = (Place.CASE, Place.DUPLICATE, Place.QUARANTINED)
    return sum(line.count for line in worker.lines if line.place in ended) if worker else 0


def outcome(prepared: Prepared, messages: int) -> tuple[Shown, ...]:
    """Wait until so many messages were taken in and the plan is drawn; return the cases."""
    _waited(lambda: taken_in(prepared) >= messages or None, "the messages to be taken in")
    return _waited(lambda: _cases(prepared), "plan and ticket")


def _fresh(prepared: Prepared, since: float) -> ReceiverStatus | None:
    receiver, worker = read_receiver(prepared.state_dir), read_worker(prepared.state_dir)
    up = receiver is not None and receiver.started_at.timestamp() >= since
    at_work = worker is not None and worker.started_at.timestamp() >= since
    return receiver if up and at_work else None


def _cases(prepared: Prepared) -> tuple[Shown, ...] | None:
    store = open_existing(prepared.database_url.reveal())
    try:
        found = store.view.list_cases(CaseQuery(limit=10))
        tickets = {row.case.key.cluster: _ticket(store, row.case.key.cluster) for row in found}
    finally:
        store.close()
    wanted = prepared.settings.tickets.directory
    ready = [row.plan_digest and (tickets[row.case.key.cluster] or not wanted) for row in found]
    if not ready or not all(ready):
        return None
    return tuple(
        Shown(
            number=row.id,
            certificate=str(row.case.key),
            occurrences=row.case.occurrences,
            copies=row.case.copies,
            ways=", ".join(row.case.ways),
            end=str(row.case.end_day or "not known"),
            plan=row.plan_digest,
            page=prepared.plan_folder / f"{row.case.key.cluster}.html",
            ticket=tickets[row.case.key.cluster],
        )
        for row in found
    )


def _ticket(store: Store, cluster: str) -> str:
    """Return where a cluster's ticket lies; empty: not yet."""
    filed = store.outbox.newest(cluster)
    found = filed.tickets if filed else ()
    return next((one.ref.url for one in found if one.system == "directory"), "")


def _waited(look: Callable[[], Found | None], what: str) -> Found:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = look()
        if found is not None:
            return found
        time.sleep(0.1)
    raise WatcherError(f"waited {PATIENCE:.0f} s in vain for {what}")

"""A mail of ours, byte for byte the same whenever it is made of the same things."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from watcher.tickets.encode import mail_header

MANY = 20
"""More recipients than this do not see each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """From whom, to whom and as what a mail goes; `mark` makes its Message-ID.

    `domain` is ours: a mail whose Message-ID ends in it is dropped, counted, when it comes back.
    """

    sender: str
    to: tuple[str, ...]
    list: str
    domain: str
    mark: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What a mail says; HTML and calendar may be absent."""

    subject: str
    text: str
    html: str = ""
    calendar: bytes = b""
    calendar_name: str = "digest.ics"


def letter(envelope: Envelope, body: Body) -> bytes:
    """Return the mail; nobody's program answers it, and our own listeners drop it."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = envelope.sender
    mail["To"] = ", ".join(envelope.to) if 0 < len(envelope.to) <= MANY else "watcher:;"
    mail["Subject"] = mail_header(body.subject)
    mail["Date"] = format_datetime(envelope.at.astimezone(UTC))
    mail["Message-ID"] = f"<{envelope.mark}@{envelope.domain}>"
    mail["List-Id"] = f"<{envelope.list}.{envelope.domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail["X-Watcher"] = envelope.domain
    mail.set_content(body.text, cte="quoted-printable")
    if body.html:
        mail.add_alternative(body.html, subtype="html", cte="quoted-printable")
    if body.calendar:
        mail.add_attachment(
            body.calendar, maintype="text", subtype="calendar", filename=body.calendar_name,
            params={"charset": "utf-8", "method": "PUBLISH"},
        )  # fmt: skip
    _name_boundaries(mail, envelope.mark)
    return mail.as_bytes()


def _name_boundaries(mail: EmailMessage, mark: str) -> None:
    """Give the parts borders of our choice: the library's are random. RFC 2046: 70 characters."""
    name = hashlib.sha256(mark.encode()).hexdigest()[:24]
    for number, part in enumerate(mail.walk()):
        if part.is_multipart():
            part.set_boundary(f"=_{number}_{name}")

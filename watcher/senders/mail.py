"""Changes by e-mail, through the site's relay.

A mail cannot be searched for, so one whose end is unclear is sent again with the same Message-ID:
a second copy does no harm, a lost mail does. The Message-ID is made of key and mark in a domain of
ours, by which our own listener knows a mail of ours that comes back.
"""

import asyncio
import re
import ssl
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime
from pathlib import Path
from typing import Final

import aiosmtplib

from watcher.errors import InputError, Refused, TryLater, Unclear
from watcher.model.ticket import Attachment, Draft, TicketRef
from watcher.senders.answers import mark_of, marked, printable, tag_of, versioned, whole
from watcher.senders.http import is_loopback
from watcher.tickets.encode import mail_header, mail_html, mail_text

REMEMBERED: Final = 1000
_PERMANENT: Final = 500
_TYPE: Final = re.compile(r"(?:application|text|image)/[a-z0-9.+-]+")
_POLICY: Final = SMTP_POLICY.clone(cte_type="7bit")


@dataclass(frozen=True, slots=True, kw_only=True)
class MailOptions:
    """A relay, and who writes to whom. Times in seconds."""

    host: str
    sender: str
    recipients: Sequence[str]
    domain: str
    """Of our Message-IDs; the listener's `own_domain`, so that a loop ends there."""
    port: int = 25
    name: str = "mail"
    tls: str = "starttls"
    """Or `tls` from the start, or `none`."""
    user: str = ""
    password: str = field(default="", repr=False)
    ca_file: Path | None = None
    helo: str | None = None
    step: float = 30.0
    """The longest that the relay may take for one command."""
    whole: float = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One mail to the site's people: also what the digest is sent as.

    `id` is the local part of its Message-ID, and so what makes two sendings one mail.
    """

    id: str
    subject: str
    text: str
    html: str
    answers: str = ""
    """`id` of the mail that it belongs to."""
    attachments: Sequence[tuple[str, str, bytes]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


class Mailer:
    """Brings letters to one relay; remembers which recipients have one already."""

    def __init__(self, options: MailOptions, now: Callable[[], datetime]) -> None:
        self.options = options
        self._now = now
        self._context = _context(options.ca_file)
        self._has: OrderedDict[str, frozenset[str]] = OrderedDict()
        self._lock = threading.Lock()
        _check(options)

    def send(self, letter: Letter) -> Sequence[str]:
        """Send a letter to all recipients; return those whom the relay refuses for good.

        TryLater when some of them must wait: the next call leaves out who has it.
        """
        with self._lock:
            missing = [
                one for one in self.options.recipients
                if one not in self._has.get(letter.id, frozenset())
            ]  # fmt: skip
        if not missing:
            return ()
        data = message(letter, self.options, self._now()).as_bytes()
        # A loop of its own in a thread of its own: the caller may run in one already.
        with ThreadPoolExecutor(max_workers=1) as pool:
            delivery = pool.submit(asyncio.run, _deliver(self, data, missing)).result()
        return self._settle(letter, missing, delivery)

    def _settle(
        self, letter: Letter, missing: Sequence[str], refused: Mapping[str, tuple[int, str]]
    ) -> Sequence[str]:
        if len(refused) < len(missing):
            self._remember(letter.id, [one for one in missing if one not in refused])
        later = [one for one, (code, _) in refused.items() if code < _PERMANENT]
        if later:
            raise TryLater(f"the relay asks to wait for {len(later)} of {len(missing)} recipients")
        told = [f"{one}: {code} {self.clean(text)}" for one, (code, text) in refused.items()]
        if len(refused) == len(self.options.recipients):
            raise Refused(f"the relay refuses every recipient: {told[0]}")
        return told

    def clean(self, text: str) -> str:
        """Return the relay's words on one line, short and without our password."""
        password = self.options.password
        return printable(text.replace(password, "***") if password else text)[:200]

    def client(self) -> aiosmtplib.SMTP:
        """Return a client that is not yet connected."""
        options = self.options
        return aiosmtplib.SMTP(
            hostname=options.host, port=options.port, timeout=options.step,
            use_tls=options.tls == "tls", start_tls=options.tls == "starttls",
            tls_context=self._context, local_hostname=options.helo,
            username=options.user or None, password=options.password or None,
        )  # fmt: skip

    def _remember(self, id_: str, sent: Sequence[str]) -> None:
        with self._lock:
            self._has[id_] = self._has.get(id_, frozenset()) | frozenset(sent)
            while len(self._has) > REMEMBERED:
                self._has.popitem(last=False)


async def _deliver(
    mailer: Mailer, data: bytes, recipients: Sequence[str]
) -> Mapping[str, tuple[int, str]]:
    """Bring one mail to the relay; return who was refused, with code and words."""
    client, begun = mailer.client(), asyncio.Event()
    try:
        async with asyncio.timeout(mailer.options.whole):
            refused = await _session(mailer, client, data, recipients, begun)
    except aiosmtplib.SMTPResponseException as error:
        text = f"the relay answers {error.code} {mailer.clean(error.message)}"
        raise Refused(text) if error.code >= _PERMANENT else TryLater(text) from None
    except aiosmtplib.SMTPNotSupported as error:
        raise Refused(f"the relay cannot do it: {mailer.clean(str(error))}") from None
    except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
        text = f"the relay did not answer to the end: {type(error).__name__}"
        raise Unclear(text) if begun.is_set() else TryLater(text) from None
    else:
        with suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
            await client.quit(timeout=5)
        return refused
    finally:
        client.close()


async def _session(
    mailer: Mailer,
    client: aiosmtplib.SMTP,
    data: bytes,
    recipients: Sequence[str],
    begun: asyncio.Event,
) -> Mapping[str, tuple[int, str]]:
    """Speak to the relay; `begun` is set when the mail itself may be under way."""
    await client.connect()
    size = [f"size={len(data)}"] if client.supports_extension("size") else []
    await client.mail(mailer.options.sender, options=size)
    refused = await _recipients(client, recipients)
    if len(refused) < len(recipients):
        begun.set()
        await client.data(data)
    return refused


async def _recipients(
    client: aiosmtplib.SMTP, recipients: Sequence[str]
) -> dict[str, tuple[int, str]]:
    refused = {}
    for one in recipients:
        try:
            await client.rcpt(one)
        except aiosmtplib.SMTPResponseException as error:
            refused[one] = (error.code, error.message)
    return refused


class Mail:
    """A change as a thread of mails."""

    def __init__(self, options: MailOptions, now: Callable[[], datetime]) -> None:
        self.options = options
        self.name = options.name
        self._mailer = Mailer(options, now)
        self.left_out: Sequence[str] = ()
        """Recipients whom the relay refuses, with its words."""

    def find(self, key: str) -> Sequence[TicketRef]:
        """Return nothing: a mail cannot be searched for, and a second copy does no harm."""
        del key
        return ()

    def create(self, draft: Draft) -> TicketRef:
        """Send the mail that begins the thread."""
        id_ = _begins(draft.key)
        self._send(id_, draft.title, whole(draft), _files(draft), "")
        return TicketRef(id=id_, number=draft.key, url="", title=mail_header(draft.title))

    def update(self, ticket: TicketRef, draft: Draft) -> TicketRef:
        """Send the new version into the thread."""
        title = f"{mark_of(draft)} {draft.title}"
        self._send(tag_of(mark_of(draft)), title, whole(draft), _files(draft), ticket.id)
        return ticket

    def has(self, ticket: TicketRef, mark: str) -> bool:
        """Tell no: a mail cannot be searched for."""
        del ticket, mark
        return False

    def comment(self, ticket: TicketRef, mark: str, text: str) -> None:
        """Send a comment into the thread."""
        self._send(tag_of(mark), f"{mark} {ticket.title}", marked(mark, text), (), ticket.id)

    def close(self, ticket: TicketRef, mark: str, text: str) -> TicketRef:
        """Send that it is done into the thread."""
        self.comment(ticket, mark, text)
        return ticket

    def reopen(self, ticket: TicketRef, mark: str, text: str) -> TicketRef:
        """Send that it goes on into the thread."""
        self.comment(ticket, mark, text)
        return ticket

    def _send(
        self, id_: str, subject: str, text: str, files: Sequence[tuple[str, str, bytes]], of: str
    ) -> None:
        html = f'<pre style="white-space: pre-wrap">{mail_html(text)}</pre>'
        letter = Letter(
            id=id_, subject=subject, text=mail_text(text), html=html, answers=of, attachments=files
        )
        self.left_out = self._mailer.send(letter)


def message(letter: Letter, options: MailOptions, now: datetime) -> EmailMessage:
    """Return a letter as a mail; a subject that the library refuses is sent as ASCII."""
    made = EmailMessage(_POLICY)
    made["From"] = options.sender
    made["To"] = ", ".join(options.recipients)
    made["Date"] = format_datetime(now)
    made["Message-ID"] = f"<{letter.id}@{options.domain}>"
    if letter.answers:
        made["In-Reply-To"] = made["References"] = f"<{letter.answers}@{options.domain}>"
    made["Auto-Submitted"] = "auto-generated"
    made["X-Auto-Response-Suppress"] = "All"
    for name, value in letter.headers.items():
        made[name] = mail_header(value).replace("=?", "= ?")
    _title(made, letter.subject)
    made.set_content(letter.text, cte="quoted-printable")
    made.add_alternative(f"<!DOCTYPE html><html><body>{letter.html}</body></html>",
                         subtype="html", cte="quoted-printable")  # fmt: skip
    for name, kind, data in letter.attachments:
        main, _, sub = (kind if _TYPE.fullmatch(kind) else "application/octet-stream").partition(
            "/"
        )
        made.add_attachment(data, maintype=main, subtype=sub, filename=name)
    return made


def _title(made: EmailMessage, subject: str) -> None:
    # The library reads what looks like an encoded word, and so could be told line ends by it.
    text = mail_header(subject).replace("=?", "= ?")
    try:
        made["Subject"] = text
        made.as_bytes()
    except (ValueError, MessageError, LookupError):
        del made["Subject"]
        made["Subject"] = mail_header(text.encode("ascii", "backslashreplace").decode())


def _begins(key: str) -> str:
    """Return the local part of the Message-ID of a thread's first mail."""
    return tag_of(f"{key}.new")


def _files(draft: Draft) -> tuple[tuple[str, str, bytes], ...]:
    def one(file: Attachment) -> tuple[str, str, bytes]:
        return (versioned(file, draft.version), file.media_type, file.data)

    return tuple(one(file) for file in draft.attachments)


def _check(options: MailOptions) -> None:
    if options.tls not in {"starttls", "tls", "none"}:
        raise InputError("tls of a relay is starttls, tls or none")
    if options.user and options.tls == "none" and not is_loopback(options.host):
        raise InputError("a password would go to the relay without encryption")
    if not options.recipients:
        raise InputError("a mail needs somebody to go to", expected="recipients")
    for address in (options.sender, *options.recipients, f"x@{options.domain}"):
        local, _, host = address.rpartition("@")
        if not (local and host and address.isascii() and address.isprintable()):
            raise InputError(f"{address!r} is no mail address", expected="name@host")
        if set(address) & set(' <>,;"\\()[]:'):
            raise InputError(f"{address!r} is no plain mail address", expected="name@host")


def _context(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    except OSError as error:
        raise InputError(f"{ca_file}: no certificates can be read from it") from error

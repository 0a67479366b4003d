"""Changes by e-mail, through the site's relay.

A mail cannot be searched for, so one whose end is unclear is sent again with the same Message-ID:
a second copy does no harm, a lost mail does. The Message-ID is made of key and mark in a domain of
ours, by which our own listener knows a mail of ours that comes back.
"""

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime
from typing import Final

from watcher.errors import InputError, Refused, ShutOut, TryLater, Unclear
from watcher.model.digest import Answer
from watcher.model.slot import Outcome
from watcher.model.ticket import Attachment, Draft, TicketRef
from watcher.senders.answers import marked, tag_of, whole
from watcher.senders.documents import shed, versioned
from watcher.senders.smtp import Answers, Brought, RelayOptions, Smtp, check_address
from watcher.tickets.encode import mail_header, mail_html, mail_text

REMEMBERED: Final = 1000
_TYPE: Final = re.compile(r"(?:application|text|image)/[a-z0-9.+-]+")
_POLICY: Final = SMTP_POLICY.clone(cte_type="7bit")


@dataclass(frozen=True, slots=True, kw_only=True)
class MailOptions:
    """A relay, and to whom changes are mailed."""

    relay: RelayOptions
    recipients: Sequence[str]
    domain: str
    """Of our Message-IDs; the listener's `own_domain`, so that a loop ends there."""
    name: str = "mail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One mail of a thread.

    `id` is the local part of its Message-ID, and so what makes two sendings one mail.
    """

    id: str
    subject: str
    text: str
    html: str
    answers: str = ""
    """`id` of the mail that it belongs to."""
    attachments: Sequence[Attachment] = ()


class Mail:
    """A change as a thread of mails; remembers which recipients have one already."""

    def __init__(self, options: MailOptions, now: Callable[[], datetime]) -> None:
        self.options = options
        self.name = options.name
        self.searches, self.reopens = False, True
        self._now = now
        self._smtp = Smtp(options.relay)
        self._has: OrderedDict[str, frozenset[str]] = OrderedDict()
        self._lock = threading.Lock()
        self.left_out: Sequence[str] = ()
        """Recipients whom the relay refuses, with its words."""
        if not options.recipients:
            raise InputError("a mail needs somebody to go to", expected="recipients")
        for address in (*options.recipients, f"x@{options.domain}"):
            check_address(address)

    def find(self, key: str) -> Sequence[TicketRef]:
        """Return nothing: a mail cannot be searched for, and a second copy does no harm."""
        del key
        return ()

    def look(self, ticket: TicketRef, key: str) -> TicketRef:
        """Return it as we know it: nobody can look."""
        del key
        return ticket

    def create(self, draft: Draft) -> TicketRef:
        """Send the mail that begins the thread.

        What it says is part of its name: mailboxes drop what comes twice by one name, and a plan
        may have changed between two tries.
        """
        id_ = tag_of(f"{draft.key}.new.{draft.shows}")
        self._send(id_, draft.title, whole(draft), versioned(draft), "")
        return TicketRef(id=id_, number=_newest(draft), url="", title=mail_header(draft.title))

    def update(self, ticket: TicketRef, draft: Draft) -> TicketRef:
        """Send a new version into the thread, or whether a slot fits; no letter for other times.

        A letter cannot be written anew, and a slot may move each day. The number tells what the
        newest letter said.
        """
        self.left_out = ()
        newest = _newest(draft)
        if newest != ticket.number:
            id_, title = tag_of(f"{draft.mark} {draft.shows}"), f"{draft.mark} {draft.title}"
            self._send(id_, title, whole(draft), versioned(draft), ticket.id)
        return replace(ticket, number=newest)

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
        self, id_: str, subject: str, text: str, files: Sequence[Attachment], of: str
    ) -> None:
        html = f'<pre style="white-space: pre-wrap">{mail_html(text)}</pre>'
        letter = Letter(
            id=id_, subject=subject, text=mail_text(text), html=html, answers=of, attachments=files
        )
        self.left_out = self._bring(letter)

    def _bring(self, letter: Letter) -> Sequence[str]:
        """Send a letter to all who have it not; return those whom the relay refuses for good.

        TryLater when some of them must wait: the next call leaves out who has it.
        """
        with self._lock:
            has = self._has.get(letter.id, frozenset())
        missing = tuple(one for one in self.options.recipients if one not in has)
        if not missing:
            return ()
        brought, left_out = self._fitting(letter, missing)
        if taken := _of(brought.answers, Answer.TAKEN):
            self._remember(letter.id, frozenset(taken))
        return [*self._settle(brought), *left_out]

    def _fitting(self, letter: Letter, to: tuple[str, ...]) -> tuple[Brought, Sequence[str]]:
        """Send a letter, without its largest documents while it is too large; tell those."""
        kept, left_out = list(letter.attachments), list[str]()
        while True:
            made = message(replace(letter, attachments=kept), self.options, self._now())
            brought = self._smtp.bring(made.as_bytes(), to)
            if not brought.large or not kept:
                return brought, left_out
            left_out.append(shed(kept))

    def _settle(self, brought: Brought) -> Sequence[str]:
        answers = brought.answers
        if brought.us and not brought.large and (never := _of(answers, Answer.NEVER)):
            raise ShutOut(f"the relay refuses us: {answers[never[0]][1]}")
        if unclear := _of(answers, Answer.UNCLEAR):
            raise Unclear(f"the relay: {answers[unclear[0]][1]}")
        if later := _of(answers, Answer.LATER):
            first = answers[later[0]][1]
            raise TryLater(f"the relay: {first} ({len(later)} of {len(answers)} recipients wait)")
        never = _of(answers, Answer.NEVER)
        told = [f"{one}: {answers[one][1]}" for one in never]
        if len(never) == len(self.options.recipients):
            raise Refused(f"the relay refuses every recipient: {told[0]}")
        return told

    def _remember(self, id_: str, sent: frozenset[str]) -> None:
        with self._lock:
            self._has[id_] = self._has.get(id_, frozenset()) | sent
            while len(self._has) > REMEMBERED:
                self._has.popitem(last=False)


def _of(answers: Answers, wanted: Answer) -> Sequence[str]:
    return [one for one, (answer, _) in answers.items() if answer is wanted]


def message(letter: Letter, options: MailOptions, now: datetime) -> EmailMessage:
    """Return a letter as a mail."""
    made = EmailMessage(_POLICY)
    made["From"] = options.relay.sender
    made["To"] = ", ".join(options.recipients)
    made["Date"] = format_datetime(now)
    made["Message-ID"] = f"<{letter.id}@{options.domain}>"
    if letter.answers:
        made["In-Reply-To"] = made["References"] = f"<{letter.answers}@{options.domain}>"
    made["Auto-Submitted"] = "auto-generated"
    made["X-Auto-Response-Suppress"] = "All"
    made["Subject"] = mail_header(letter.subject)
    made.set_content(letter.text, cte="quoted-printable")
    made.add_alternative(f"<!DOCTYPE html><html><body>{letter.html}</body></html>",
                         subtype="html", cte="quoted-printable")  # fmt: skip
    for one in letter.attachments:
        kind = one.media_type if _TYPE.fullmatch(one.media_type) else "application/octet-stream"
        main, _, sub = kind.partition("/")
        made.add_attachment(one.data, maintype=main, subtype=sub, filename=one.name)
    return made


def _newest(draft: Draft) -> str:
    """Return what the newest letter of a thread says, as its number."""
    fits = draft.fit is None or draft.fit.outcome is not Outcome.NONE
    return f"{draft.key} v{draft.version}{'' if fits else ', no slot fits'}"

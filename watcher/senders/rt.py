"""Request Tracker 5 by its REST2.

Our key stands in the subject, and in a custom field where the settings name one. A field that is
not on the queue is dropped without a word, so it is read back; the subject is searched in any
case. Each version and each comment is a transaction whose subject is its mark.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Final

import httpx2

from watcher.errors import InputError, Refused, TryLater, Unclear
from watcher.model.ticket import Attachment, Draft, TicketRef
from watcher.senders.answers import (
    Answer,
    Value,
    limited,
    list_of,
    marked,
    ours_among,
    tag_of,
    text_at,
    whole,
)
from watcher.senders.documents import fitting, versioned
from watcher.senders.http import Http, HttpOptions, Request, path_of
from watcher.senders.rt_rows import (
    UNPLANNED,
    files_of,
    lost_of,
    says,
    subject_of,
    ticket_id,
    time_of,
    told_of,
    values_of,
)
from watcher.tickets.encode import one_line, rt_html

SUBJECT: Final = 200
"""Characters of a subject in RT's database."""
BODY: Final = 200_000
PAGE: Final = 100
PAGES: Final = 20
_HTML: Final = "text/html"
_DELETED: Final = "deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class RtOptions:
    """An RT and what a ticket gets there; the URL is that of RT itself, without REST/2.0."""

    http: HttpOptions
    queue: str
    name: str = "rt"
    token: str = field(default="", repr=False)
    requestor: str = ""
    custom_field: str = ""
    """Of the queue, for our key; empty: the subject alone has it."""
    fields: Mapping[str, object] = field(default_factory=dict)
    """Of a new ticket, such as Priority or Owner; ours win."""
    correspond: bool = False
    """Comments are mailed to the requestor."""
    done: str = ""
    """Status that closes a ticket, such as resolved; empty: it is not closed by us."""
    reopened: str = ""
    ended: Sequence[str] = ("resolved", "rejected", "deleted")
    """Statuses of a ticket that people closed."""


class RequestTracker:
    """Speaks to one RT."""

    def __init__(self, options: RtOptions, transport: httpx2.BaseTransport | None = None) -> None:
        self.options = options
        self.name = options.name
        self.searches, self.reopens = True, bool(options.reopened)
        for text in (options.queue, options.custom_field):
            if not text.isprintable() or set(text) & set("'\"\\{}"):
                raise InputError("the name of a queue or custom field holds a quote or brace")
        self._http = Http(options.http, secrets=(options.token,), transport=transport)
        self.left_out: Sequence[str] = ()
        """What of the last draft is not in the ticket, though the ticket is there."""

    def find(self, key: str) -> Sequence[TicketRef]:
        """Return the tickets with our key, the oldest first; each is read and checked."""
        tag = tag_of(key)
        query = f"Subject LIKE '[{tag}]'"
        if self.options.custom_field:
            query += f" OR CF.{{{self.options.custom_field}}} = '{tag}'"
        ids = self._search(f"Queue = '{self.options.queue}' AND ({query})")
        rows = [self._get(id_).value for id_ in ids]
        ours = ours_among(
            rows, lambda row: self._is_ours(row, tag), lambda row: self._is_like(row, tag),
            self.name,
        )  # fmt: skip
        found = {ticket_id(row): self._ref(row) for row in ours}
        return tuple(found[id_] for id_ in sorted(found))

    def look(self, ticket: TicketRef, key: str) -> TicketRef | None:
        """Return a ticket by its id, whatever queue it is in; None if it is gone or not ours.

        One that was merged answers as that which it went into.
        """
        path = f"ticket/{path_of(ticket.id)}"
        answer = self._send(Request(method="GET", path=path, accept={HTTPStatus.NOT_FOUND}))
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        row, seen = answer.value, self._ref(answer.value)
        if seen.id != ticket.id or told_of("Status", text_at(row, "Status")) == _DELETED:
            return None
        tag = tag_of(key)
        ours = self._is_ours(row, tag) or (not self._keys(row) and self._began(ticket, tag))
        return seen if ours else None

    def create(self, draft: Draft) -> TicketRef:
        """Make a ticket with its documents in one call, and look which fields it kept."""
        self.left_out = ()
        fields = {name: value for name, value in self._fields(draft).items() if value}
        body = {
            **self.options.fields, **fields, "Queue": self.options.queue,
            "ContentType": _HTML, "Content": rt_html(limited(whole(draft), BODY)),
        }  # fmt: skip
        if self.options.requestor:
            body["Requestor"] = self.options.requestor
        if self.options.custom_field:
            body["CustomFields"] = {self.options.custom_field: tag_of(draft.key)}
        answer = self._bring("ticket", body, versioned(draft))
        id_ = answer.text("id")
        if not id_.isdigit() or answer.text("type") != "ticket":
            raise Unclear(f"{self.name} answers a new ticket without its id")
        return self._read_back(id_, draft)

    def update(self, ticket: TicketRef, draft: Draft) -> TicketRef:
        """Write our fields anew; text and missing documents go into a comment with the mark.

        Where this version stands already, with a planned time as now, the fields say what moved.
        """
        self.left_out = ()
        rows = list(self._pages(_attachments(ticket), {"fields": "Filename,Subject"}))
        known = {text_at(row, "Filename") for row in rows}
        said = draft.starts is not None and says(rows, self._get(ticket.id).value, draft)
        self._put(ticket, self._fields(draft))
        missing = [one for one in versioned(draft) if one.name not in known]
        if missing or not said:
            subject = subject_of(draft.mark) + ("" if draft.starts else UNPLANNED)
            self._say(ticket, "comment", subject, limited(whole(draft), BODY), missing)
        return replace(ticket, title=self._http.clean(self._fields(draft)["Subject"]))

    def has(self, ticket: TicketRef, mark: str) -> bool:
        """Tell whether a transaction has the mark as its subject."""
        wanted = (subject_of(mark), subject_of(mark) + UNPLANNED)
        rows = self._pages(_attachments(ticket), {"fields": "Subject"})
        return any(text_at(row, "Subject") in wanted for row in rows)

    def comment(self, ticket: TicketRef, mark: str, text: str) -> None:
        """Add a comment, or a reply where the settings say so."""
        kind = "correspond" if self.options.correspond else "comment"
        self._say(ticket, kind, subject_of(mark), limited(marked(mark, text), BODY))

    def close(self, ticket: TicketRef, mark: str, text: str) -> TicketRef:
        """Set the configured status, look whether it is so, then comment.

        A comment that is lost then comes at the next try: who asks knows that this was begun.
        """
        return self._move(ticket, self.options.done, mark, text)

    def reopen(self, ticket: TicketRef, mark: str, text: str) -> TicketRef:
        """Set the configured status, look, then comment."""
        return self._move(ticket, self.options.reopened, mark, text)

    # -- parts

    def _fields(self, draft: Draft) -> dict[str, str]:
        """Return what is ours in a ticket; a time that was looked for in vain is empty."""
        title = one_line(draft.title, SUBJECT - 2 - len(tag_of(draft.key)) - 1)
        times = {"Starts": time_of(draft.starts), "Due": time_of(draft.due or draft.ends)}
        ours = {name: time for name, time in times.items() if time or draft.is_timed}
        return {"Subject": f"[{tag_of(draft.key)}] {title}", **ours}

    def _read_back(self, id_: str, draft: Draft) -> TicketRef:
        """Return the new ticket as it is; it is there, so no error leaves this."""
        name = self.options.custom_field
        if not name:
            return TicketRef(
                id=id_, number=id_, url=self._page(id_), title=one_line(draft.title, SUBJECT)
            )
        try:
            row = self._get(id_).value
        except (TryLater, Refused) as error:
            self.left_out = (*self.left_out, f"the new ticket could not be read: {error}")
            return TicketRef(
                id=id_, number=id_, url=self._page(id_), title=one_line(draft.title, SUBJECT)
            )
        if tag_of(draft.key) not in values_of(row, name):
            self.left_out = (*self.left_out, f"the custom field {name}: it is not on the queue")
        return self._ref(row)

    def _put(self, ticket: TicketRef, fields: Mapping[str, object]) -> None:
        """Write fields to the ticket as it was read, once more if somebody was faster; then look.

        RT answers 200 to what it refuses, with a sentence for each field.
        """
        for last in (False, True):
            before = self._get(ticket.id)
            if not lost_of(before.value, fields):
                return
            tag = before.headers.get("etag", "")
            headers = {"If-Match": tag} if tag else {}
            request = Request(
                method="PUT", path=f"ticket/{path_of(ticket.id)}", body=fields, headers=headers,
                changes=True, accept={HTTPStatus.PRECONDITION_FAILED},
            )  # fmt: skip
            answer = self._send(request)
            if answer.status != HTTPStatus.PRECONDITION_FAILED:
                self._check(ticket, fields, answer)
                return
            if last:
                raise TryLater(f"{self.name}: others are writing to {ticket.number}")

    def _check(self, ticket: TicketRef, fields: Mapping[str, object], answer: Answer) -> None:
        """Raise Refused with RT's words unless the ticket has what was written."""
        if lost := lost_of(self._after(ticket).value, fields):
            words = answer.value if isinstance(answer.value, list) else ()
            said = self._http.clean(" ".join(one for one in words if isinstance(one, str)))
            raise Refused(f"{self.name} does not set {', '.join(lost)}: {said or 'no reason told'}")

    def _say(
        self, ticket: TicketRef, kind: str, subject: str, text: str,
        files: Sequence[Attachment] = (),
    ) -> None:  # fmt: skip
        body = {"Subject": subject, "ContentType": _HTML, "Content": rt_html(text)}
        self._bring(f"ticket/{path_of(ticket.id)}/{kind}", body, files)

    def _bring(self, path: str, body: Mapping[str, object], files: Sequence[Attachment]) -> Answer:
        """Post a text with its documents, without those that are too large."""

        def send(kept: Sequence[Attachment], accept: Collection[int]) -> Answer:
            whole_ = {**body, "Attachments": files_of(kept)}
            request = Request(method="POST", path=path, body=whole_, changes=True, accept=accept)
            return self._send(request)

        answer, self.left_out = fitting([one for one in files if one.data], send)
        return answer

    def _move(self, ticket: TicketRef, status: str, mark: str, text: str) -> TicketRef:
        if not status:
            raise Refused(f"{self.name}: the settings name no status for this; people do it")
        self._put(ticket, {"Status": status})
        self.comment(ticket, mark, text)
        return self._seen(ticket)

    def _seen(self, ticket: TicketRef) -> TicketRef:
        return self._ref(self._after(ticket).value)

    def _after(self, ticket: TicketRef) -> Answer:
        try:
            return self._get(ticket.id)
        except TryLater as error:  # what went before is done, and this would deny it
            raise Unclear(str(error)) from error

    def _search(self, query: str) -> Sequence[str]:
        rows = self._pages("tickets", {"query": query, "orderby": "id"})
        return [text_at(row, "id") for row in rows if text_at(row, "id").isdigit()]

    def _pages(self, path: str, query: Mapping[str, str]) -> Iterator[Value]:
        """Yield the rows of all pages.

        Only a SuperUser is told how many there are; of others what they may not see is left out of
        each page, so that an empty one alone is the end.
        """
        for page in range(1, PAGES + 1):
            asked = {**query, "per_page": str(PAGE), "page": str(page)}
            answer = self._send(Request(method="GET", path=path, query=asked))
            rows = list_of(answer, "items")
            yield from rows
            pages = answer.text("pages")
            if page >= int(pages) if pages.isdigit() else not rows:
                return

    def _get(self, id_: str) -> Answer:
        return self._send(Request(method="GET", path=f"ticket/{path_of(id_)}"))

    def _send(self, request: Request) -> Answer:
        headers = {**request.headers, "Authorization": f"token {self.options.token}"}
        path = f"REST/2.0/{request.path}"
        return self._http.send(replace(request, path=path, headers=headers))

    def _is_ours(self, row: Value, tag: str) -> bool:
        """Tell whether a ticket carries our key; a field with another's key is another's."""
        if kept := self._keys(row):
            return tag in kept
        return text_at(row, "Subject").startswith(f"[{tag}]")

    def _began(self, ticket: TicketRef, tag: str) -> bool:
        """Tell whether the text that a ticket was made with has our key; nobody renames that."""
        rows = self._pages(_attachments(ticket), {"fields": "Subject"})
        first = next(rows, None)
        return text_at(first, "Subject").startswith(f"[{tag}]")

    def _keys(self, row: Value) -> Sequence[str]:
        """Return the keys in a ticket's custom field, ours or another's."""
        return [one for one in values_of(row, self.options.custom_field) if one]

    def _is_like(self, row: Value, tag: str) -> bool:
        """Tell whether RT finds a ticket by our key: LIKE knows no case, and `_` is any sign."""
        like = re.escape(f"[{tag}]").replace("_", ".")
        found = re.search(like, text_at(row, "Subject"), re.IGNORECASE)
        return bool(found) or any(one.lower() == tag.lower() for one in self._keys(row))

    def _ref(self, row: Value) -> TicketRef:
        id_ = str(ticket_id(row))
        return TicketRef(
            id=id_, number=id_, url=self._page(id_),
            closed=text_at(row, "Status") in self.options.ended,
            title=self._http.clean(text_at(row, "Subject")),
        )  # fmt: skip

    def _page(self, id_: str) -> str:
        return self._http.at(f"Ticket/Display.html?id={id_}")


def _attachments(ticket: TicketRef) -> str:
    return f"ticket/{path_of(ticket.id)}/attachments"

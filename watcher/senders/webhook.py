"""A webhook of the site's own: signed JSON, each event with a key that makes it safe to repeat.

Nothing can be searched there, so an event whose end is unclear is sent again with the same
`Idempotency-Key`; the receiver takes the second for the first. The signature is

    Watcher-Signature: v1=HEX(HMAC-SHA256(secret, TIMESTAMP + "." + BODY))

with the seconds of `Watcher-Timestamp`; docs/ticket-systems.md shows a receiver that checks it.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

import httpx2

from watcher.errors import InputError, Unclear
from watcher.model.ticket import Attachment, Draft, TicketRef, mark
from watcher.senders.answers import Answer, marked, tag_of
from watcher.senders.documents import fitting, versioned
from watcher.senders.http import Http, HttpOptions, Request
from watcher.tickets.encode import json_text, one_line, visible

TITLE: Final = 160
VERSION: Final = 1
"""Of the JSON; goes up when a field goes or changes its meaning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookOptions:
    """Where events are posted to; with `authorization` as that header, if it is given."""

    http: HttpOptions
    secret: str = field(repr=False)
    name: str = "webhook"
    authorization: str = field(default="", repr=False)


class Webhook:
    """Posts to one receiver."""

    def __init__(
        self,
        options: WebhookOptions,
        now: Callable[[], datetime],
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        self.options = options
        self.name = options.name
        self.searches, self.reopens = False, True
        self._now = now
        if not options.secret:
            raise InputError("a webhook without a secret would not be signed")
        secrets = (options.secret, options.authorization)
        self._http = Http(options.http, secrets=secrets, transport=transport)
        self.left_out: Sequence[str] = ()

    def find(self, key: str) -> Sequence[TicketRef]:
        """Return nothing: there is no search; the receiver knows an event that comes twice."""
        del key
        return ()

    def look(self, ticket: TicketRef, key: str) -> TicketRef:
        """Return it as we know it: nobody can look."""
        del key
        return ticket

    def create(self, draft: Draft) -> TicketRef:
        """Post the draft."""
        return self._ref(self._bring("create", mark(draft.key, "create"), draft, {}), draft)

    def update(self, ticket: TicketRef, draft: Draft) -> TicketRef:
        """Post the draft anew; one whose times alone moved is another event under the same mark."""
        self._bring("update", draft.mark, draft, _ticket(ticket))
        return ticket

    def has(self, ticket: TicketRef, mark: str) -> bool:
        """Tell no: there is no search."""
        del ticket, mark
        return False

    def comment(self, ticket: TicketRef, mark: str, text: str) -> None:
        """Post a comment."""
        self._post("comment", mark, {**_ticket(ticket), "text": visible(marked(mark, text))})

    def close(self, ticket: TicketRef, mark: str, text: str) -> TicketRef:
        """Post that it is done."""
        self._post("close", mark, {**_ticket(ticket), "text": visible(marked(mark, text))})
        return ticket

    def reopen(self, ticket: TicketRef, mark: str, text: str) -> TicketRef:
        """Post that it goes on."""
        self._post("reopen", mark, {**_ticket(ticket), "text": visible(marked(mark, text))})
        return ticket

    def _bring(self, event: str, mark: str, draft: Draft, about: dict[str, object]) -> Answer:
        """Post a draft with its documents, without those that are too large."""
        once = draft.shows if about else ""

        def send(kept: Sequence[Attachment], accept: Collection[int]) -> Answer:
            request = self._request(event, mark, {**about, **_draft(draft, kept)}, once)
            return self._http.send(replace(request, accept=accept))

        answer, self.left_out = fitting(versioned(draft), send)
        return answer

    def _post(self, event: str, mark: str, content: dict[str, object]) -> None:
        self._http.send(self._request(event, mark, content))

    def _request(
        self, event: str, mark: str, content: dict[str, object], once: str = ""
    ) -> Request:
        told = {"version": VERSION, "event": event, "mark": mark, **content}
        body = json_text(told).encode()
        stamp = str(int(self._now().timestamp()))
        headers = {
            "Content-Type": "application/json",
            "Watcher-Timestamp": stamp,
            "Watcher-Signature": signature(self.options.secret, stamp, body),
            "Idempotency-Key": tag_of(f"{event} {mark} {once}".rstrip()),
        }
        if self.options.authorization:
            headers["Authorization"] = self.options.authorization
        return Request(
            method="POST", path="", headers=headers, content=body, changes=True, bare=True
        )

    def _ref(self, answer: Answer, draft: Draft) -> TicketRef:
        """Return what the receiver calls it; its own word on the key must be ours."""
        if answer.text("key") not in {"", draft.key}:
            raise Unclear(f"{self.name} answers with another's key")
        id_ = self._http.clean(answer.text("id")) or draft.key
        number = self._http.clean(answer.text("number")) or id_
        url = self._http.link(answer.text("url"))
        return TicketRef(id=id_, number=number, url=url, title=one_line(draft.title, TITLE))


def signature(secret: str, stamp: str, body: bytes) -> str:
    """Return the signature of a body at a time, as the header has it."""
    made = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256)
    return f"v1={made.hexdigest()}"


def _ticket(ticket: TicketRef) -> dict[str, object]:
    return {"ticket": {"id": ticket.id, "number": ticket.number}}


def _draft(draft: Draft, documents: Sequence[Attachment]) -> dict[str, object]:
    texts = {
        name: visible(getattr(draft, name))
        for name in (
            "cluster", "title", "description", "risk", "impact", "implementation", "back_out",
            "test",
        )
    }  # fmt: skip
    times = {name: _time(at) for name, at in _times(draft)}
    files = [
        {
            "name": one.name,
            "media_type": one.media_type,
            "data": base64.b64encode(one.data).decode(),
        }
        for one in documents
    ]
    about = {"key": draft.key, "draft_version": draft.version, "material": draft.material}
    return {
        **about,
        **texts,
        **times,
        "items": [visible(one) for one in draft.items],
        "attachments": files,
    }


def _times(draft: Draft) -> Sequence[tuple[str, datetime | None]]:
    return (("starts", draft.starts), ("ends", draft.ends), ("due", draft.due))


def _time(at: datetime | None) -> str | None:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if at else None

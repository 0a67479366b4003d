"""ServiceNow: changes by its Change Management API, or by the plain table as an option.

Our key is the correlation id. A query on a field that an instance does not know, or does not let
us read, answers with every change there is: each row is held against the key, and rows of others
alone mean that the search says nothing.
"""

import base64
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import Final
from urllib.parse import quote, urlencode

import httpx2

from watcher.errors import InputError, NotLoggedIn, Refused, TryLater, Unclear
from watcher.model.ticket import Attachment, Draft, TicketRef
from watcher.senders.answers import (
    Answer,
    Value,
    at,
    limited,
    list_of,
    marked,
    ours_among,
    tag_of,
    text_at,
)
from watcher.senders.documents import attach, attach_new
from watcher.senders.http import Http, HttpOptions, Request, path_of
from watcher.tickets.encode import one_line, servicenow

TITLE: Final = 160
"""Characters of short_description."""
FIELD: Final = 4000
"""Characters of the plan fields; the platform cuts what is longer without a word."""
PAGE: Final = 50
_TABLE: Final = "change_request"
_SEEN: Final = "sys_id,number,short_description,description,correlation_id,active,state"
_SLACK: Final = 30.0
"""Seconds before its end that a token is not used any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceNowOptions:
    """An instance and what a change gets there; each pair is a field and its value.

    With `client_id` the log-in is OAuth's client credentials, else it is basic.
    """

    http: HttpOptions
    name: str = "servicenow"
    user: str = ""
    password: str = field(default="", repr=False)
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    table_api: bool = False
    fields: Mapping[str, str] = field(default_factory=dict)
    """Of a new change, such as assignment_group; ours win."""
    items: Mapping[str, str] = field(default_factory=dict)
    """The configuration item (sys_id) of a cluster, or of a node."""
    comments: str = "work_notes"
    """Or `comments`, which the requester sees."""
    closing: Mapping[str, str] = field(default_factory=dict)
    """What closes a change, such as state 3 and close_code; empty: it is not closed by us."""
    reopening: Mapping[str, str] = field(default_factory=dict)


class ServiceNow:
    """Speaks to one instance."""

    def __init__(
        self, options: ServiceNowOptions, transport: httpx2.BaseTransport | None = None
    ) -> None:
        self.options = options
        self.name = options.name
        self.searches, self.reopens = True, bool(options.reopening)
        if options.comments not in {"work_notes", "comments"}:
            raise InputError("comments go to work_notes or comments")
        secrets = [options.password, options.client_secret]
        self._basic = base64.b64encode(f"{options.user}:{options.password}".encode()).decode()
        self._http = Http(options.http, secrets=[*secrets, self._basic], transport=transport)
        self._token = ("", 0.0)
        self.left_out: Sequence[str] = ()
        """What of the last draft is not in the ticket, though the ticket is there."""

    def find(self, key: str) -> Sequence[TicketRef]:
        """Return the changes with our key, the oldest first."""
        tag = tag_of(key)
        text = f"^ORdescriptionSTARTSWITH[{key} v" if tag == key else ""
        query = {
            "sysparm_query": f"correlation_id={tag}{text}^ORDERBYsys_created_on",
            "sysparm_fields": _SEEN,
            "sysparm_limit": str(PAGE),
        }
        answer = self._send(Request(method="GET", path=_table(), query=query))
        rows = list_of(answer, "result")
        ours = ours_among(
            rows, lambda row: _is_ours(row, key), lambda row: _is_like(row, key), self.name
        )
        return tuple(self._ref(row) for row in ours)

    def look(self, ticket: TicketRef, key: str) -> TicketRef | None:
        """Return a change by its id; None if it is gone or not ours."""
        path = f"{_table()}/{path_of(ticket.id)}"
        query = {"sysparm_fields": _SEEN}
        accept = {HTTPStatus.NOT_FOUND}
        answer = self._send(Request(method="GET", path=path, query=query, accept=accept))
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        row = at(answer.value, "result")
        seen = self._ref(row)
        if seen.id != ticket.id:
            raise Unclear(f"{self.name} answers with another change than {ticket.number}")
        return seen if _is_ours(row, key) else None

    def create(self, draft: Draft) -> TicketRef:
        """Make a normal change in its first state."""
        self.left_out = ()
        path = _table() if self.options.table_api else "api/sn_chg_rest/change/normal"
        extra = {"type": "normal"} if self.options.table_api else {}
        body = {
            **self.options.fields, **self._item(draft), **extra, **_fields(draft),
            "correlation_id": tag_of(draft.key), "correlation_display": "watcher",
        }  # fmt: skip
        answer = self._send(Request(method="POST", path=path, changes=True, body=body))
        names = ("correlation_id", "description")
        kept = {name: _plain(answer.value, name) for name in names}
        if not _is_ours(kept, draft.key):
            raise Unclear(f"{self.name} answers a new change with another's key")
        ticket = self._ref_of(answer)
        self.left_out = (*self._unheeded(answer), *attach_new(draft, *self._documents(ticket)))
        return ticket

    def _item(self, draft: Draft) -> dict[str, str]:
        """Return the one configuration item that a change can name; people may name another."""
        names = (draft.cluster, *draft.items)
        known = next((self.options.items[one] for one in names if one in self.options.items), None)
        return {"cmdb_ci": known} if known else {}

    def update(self, ticket: TicketRef, draft: Draft) -> TicketRef:
        """Attach this version's documents, then write our fields anew, the mark among them."""
        self.left_out = ()
        missing = attach(draft, *self._documents(ticket))
        answer = self._patch(ticket, _fields(missing.shown(draft)) | _cleared(draft))
        self.left_out = (*self._unheeded(answer), *missing.settled())
        return self._ref_of(answer)

    def has(self, ticket: TicketRef, mark: str) -> bool:
        """Tell whether the description or a line of the journal begins with the mark.

        Further on in a text it is a quotation, such as of a message that holds it.
        """
        query = {
            "sysparm_fields": "sys_id,description,work_notes,comments",
            "sysparm_display_value": "true",
        }
        path = f"{_table()}/{path_of(ticket.id)}"
        answer = self._send(Request(method="GET", path=path, query=query))
        wanted = servicenow(mark)
        lines = (
            line for name in ("work_notes", "comments")
            for line in _raw(answer.value, name).splitlines()
        )  # fmt: skip
        described = _raw(answer.value, "description").startswith(wanted)
        return described or any(line.startswith(wanted) for line in lines)

    def comment(self, ticket: TicketRef, mark: str, text: str) -> None:
        """Add a journal entry."""
        name = self.options.comments
        answer = self._patch(ticket, {name: servicenow(marked(mark, text))})
        if name in self._ignored(answer):
            raise Refused(f"{self.name} takes no notice of {name} in {ticket.number}")

    def close(self, ticket: TicketRef, mark: str, text: str) -> TicketRef:
        """Set the fields that close it, with a journal entry unless that is there, in one call."""
        return self._move(ticket, mark, text, closes=True)

    def reopen(self, ticket: TicketRef, mark: str, text: str) -> TicketRef:
        """Set the fields that open it, with a journal entry unless that is there, in one call."""
        return self._move(ticket, mark, text, closes=False)

    def _move(self, ticket: TicketRef, mark: str, text: str, *, closes: bool) -> TicketRef:
        fields = dict(self.options.closing if closes else self.options.reopening)
        if not fields:
            raise Refused(f"{self.name}: the settings name no fields for this; people do it")
        if not self.has(ticket, mark):
            fields[self.options.comments] = servicenow(marked(mark, text))
        answer = self._patch(ticket, fields)
        after = self._ref_of(answer)
        if after.closed is not closes:
            told = "; ".join(self._unheeded(answer)) or "no reason told"
            state = "open" if closes else "closed"
            raise Refused(f"{self.name} leaves {ticket.number} {state}: {told}")
        return after

    def _patch(self, ticket: TicketRef, fields: Mapping[str, str]) -> Answer:
        place = _table() if self.options.table_api else "api/sn_chg_rest/change"
        path = f"{place}/{path_of(ticket.id)}"
        answer = self._send(Request(method="PATCH", path=path, changes=True, body=fields))
        if _plain(answer.value, "sys_id") != ticket.id:
            raise Unclear(f"{self.name} answers with another change than {ticket.number}")
        return answer

    def _ignored(self, answer: Answer) -> Sequence[str]:
        """Return the fields that the Change API says it took no notice of; the table is silent."""
        names = answer.rows("result", "__meta", "ignoredFields")
        return [self._http.clean(one) for one in names if isinstance(one, str)]

    def _unheeded(self, answer: Answer) -> Sequence[str]:
        return [f"the field {name}: it is unknown there, or not ours to write"
                for name in self._ignored(answer)]  # fmt: skip

    # -- documents

    def _documents(
        self, ticket: TicketRef
    ) -> tuple[Callable[[], frozenset[str]], Callable[[Attachment], None]]:
        return partial(self._attached, ticket), partial(self._upload, ticket)

    def _attached(self, ticket: TicketRef) -> frozenset[str]:
        query = {
            "sysparm_query": f"table_name={_TABLE}^table_sys_id={ticket.id}",
            "sysparm_fields": "file_name,table_sys_id",
            "sysparm_limit": "1000",
        }
        answer = self._send(Request(method="GET", path="api/now/attachment", query=query))
        rows = [
            row for row in list_of(answer, "result") if text_at(row, "table_sys_id") == ticket.id
        ]
        return frozenset(text_at(row, "file_name") for row in rows)

    def _upload(self, ticket: TicketRef, document: Attachment) -> None:
        query = {"table_name": _TABLE, "table_sys_id": ticket.id, "file_name": document.name}
        self._send(
            Request(
                method="POST", path="api/now/attachment/file", changes=True, query=query,
                headers={"Content-Type": document.media_type}, content=document.data,
            )
        )  # fmt: skip

    # -- log-in

    def _send(self, request: Request) -> Answer:
        before = self._token[0]
        headers = {**request.headers, "Authorization": self._authorization()}
        accept = {HTTPStatus.UNAUTHORIZED} if self.options.client_id else set()
        answer = self._http.send(
            replace(request, headers=headers, accept={*accept, *request.accept})
        )
        if answer.status == HTTPStatus.UNAUTHORIZED:
            old, self._token = before == self._token[0], ("", 0.0)
            if old:  # it was good when it was made: the next call has a new one
                raise TryLater(f"{self.name}: the token does not hold any more")
            raise NotLoggedIn(f"{self.name} refuses the token that it has just given")
        return answer

    def _authorization(self) -> str:
        if not self.options.client_id:
            return f"Basic {self._basic}"
        token, until = self._token
        if token and time.monotonic() < until:
            return f"Bearer {token}"
        form = {
            "grant_type": "client_credentials",
            "client_id": self.options.client_id,
            "client_secret": self.options.client_secret,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        content = urlencode(form).encode()
        answer = self._http.send(
            Request(method="POST", path="oauth_token.do", headers=headers, content=content)
        )
        return self._remember(answer)

    def _remember(self, answer: Answer) -> str:
        token, seconds = answer.text("access_token"), answer.text("expires_in")
        if not token.isascii() or not token:
            raise TryLater(f"{self.name} gives no token")
        self._http.hide(token)
        lasts = float(seconds) if seconds.isdigit() and len(seconds) < 10 else 0.0  # noqa: PLR2004 -- no number of seconds
        self._token = (token, time.monotonic() + max(lasts - _SLACK, 1.0))
        return f"Bearer {token}"

    # -- what came back

    def _ref_of(self, answer: Answer) -> TicketRef:
        names = ("sys_id", "number", "short_description", "active", "state")
        row: dict[str, Value] = {name: _plain(answer.value, name) for name in names}
        return self._ref(row)

    def _ref(self, row: Value) -> TicketRef:
        id_, number = text_at(row, "sys_id"), text_at(row, "number")
        if not id_.isalnum() or not id_.isascii():
            raise Unclear(f"{self.name} answers with a change that has no id")
        page = quote(f"{_TABLE}.do?sys_id={id_}", safe="")
        return TicketRef(
            id=id_, number=self._http.clean(number) or id_,
            url=self._http.at(f"nav_to.do?uri={page}"),
            closed=text_at(row, "active") == "false" or text_at(row, "state") in {"3", "4"},
            title=self._http.clean(text_at(row, "short_description")),
        )  # fmt: skip


def _table() -> str:
    return f"api/now/table/{_TABLE}"


def _fields(draft: Draft) -> dict[str, str]:
    """Return what is ours in a change; times are UTC as the API has them."""
    texts = {
        "description": f"{draft.mark}\n{draft.description}",
        "risk_impact_analysis": f"{draft.impact}\n\n{draft.risk}",
        "implementation_plan": draft.implementation,
        "backout_plan": draft.back_out,
        "test_plan": draft.test,
    }
    if draft.items:
        texts["description"] += "\n\nConfiguration items: " + ", ".join(draft.items)
    made = {name: limited(servicenow(text), FIELD) for name, text in texts.items()}
    made["short_description"] = servicenow(one_line(draft.title, TITLE))[:TITLE]
    return made | {name: _time(at) for name, at in _times(draft).items() if at is not None}


def _cleared(draft: Draft) -> dict[str, str]:
    """Return the fields for times that a draft does not say, or says no more."""
    return {name: "" for name, at in _times(draft).items() if at is None and draft.is_timed}


def _times(draft: Draft) -> dict[str, datetime | None]:
    return {"start_date": draft.starts, "end_date": draft.ends, "due_date": draft.due}


def _is_ours(row: Value, key: str) -> bool:
    """Tell whether a change has our key; where the correlation id was dropped, in its text."""
    kept = text_at(row, "correlation_id")
    return kept == tag_of(key) or (not kept and text_at(row, "description").startswith(f"[{key} v"))


def _is_like(row: Value, key: str) -> bool:
    """Tell whether the query finds a change: it knows no case."""
    begins = text_at(row, "description").lower().startswith(f"[{key.lower()} v")
    return begins or text_at(row, "correlation_id").lower() == tag_of(key).lower()


def _time(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def _plain(value: Value, name: str) -> str:
    """Return a field of one change as the Table API has it: the Change API wraps and types it."""
    found = at(value, "result", name)
    bare = found.get("value") if isinstance(found, Mapping) else found
    if isinstance(bare, bool):
        return str(bare).lower()
    if isinstance(bare, float) and bare.is_integer():
        return str(int(bare))
    return text_at({"value": bare}, "value")


def _raw(value: Value, name: str) -> str:
    """Return a field with its line ends."""
    found = at(value, "result", name)
    return found if isinstance(found, str) else ""

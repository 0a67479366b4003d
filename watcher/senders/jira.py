"""What Jira's two kinds have in common: the calls, and how our key is found again.

The key is a label, which the search finds once its index has it, and an entity property of the
issue, which is read where the issue itself is and so is never late. Issues that this process made
are looked at directly, too.
"""

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from http import HTTPStatus
from typing import Final

import httpx2

from watcher.errors import Refused, TryLater, Unclear
from watcher.model.ticket import Attachment, Draft, TicketRef
from watcher.senders.answers import (
    Answer,
    Value,
    at,
    limited,
    list_of,
    marked,
    ours_among,
    rows_at,
    tag_of,
    text_at,
    whole,
)
from watcher.senders.documents import attach, attach_new
from watcher.senders.http import Http, HttpOptions, Request, path_of
from watcher.tickets.encode import one_line
from watcher.tickets.times import day_of

PROPERTY: Final = "watcher"
SUMMARY: Final = 255
BODY: Final = 32_767
"""Characters of a description or comment, markup included; of a document its JSON."""
PAGES: Final = 20
"""Pages of an answer that are read at most."""
PAGE: Final = 50
REMEMBERED: Final = 1000
_SEEN: Final = ("summary", "status", "labels")

_NOBODY: Final = ("AUTHENTICATED_FAILED", "AUTHENTICATION_DENIED")


@dataclass(frozen=True, slots=True, kw_only=True)
class JiraOptions:
    """A Jira and what an issue gets there."""

    http: HttpOptions
    project: str
    issue_type: str = "Change"
    name: str = "jira"
    user: str = ""
    """The e-mail address of the account (Cloud)."""
    token: str = field(default="", repr=False)
    """An API token (Cloud) or a personal access token (Data Center)."""
    fields: Mapping[str, object] = field(default_factory=dict)
    """Of a new issue, as the API has them; ours win, labels are put together."""
    start_field: str = ""
    """Field of date and time for the planned start, such as customfield_10010; empty: none."""
    end_field: str = ""
    done: str = ""
    """Name of the transition that closes an issue; empty: it is not closed by us."""
    reopened: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """Where the two kinds differ; `reads` makes plain text of a rich one."""

    root: str
    writes: Callable[[str], object]
    reads: Callable[[Value], str]
    marks: Callable[[str], str]
    """A mark as `reads` returns it."""
    authorization: str = field(repr=False)
    search: Callable[["Jira", str, Sequence[str]], Iterator[Value]]


class Jira:
    """Speaks to one Jira."""

    def __init__(
        self, options: JiraOptions, dialect: Dialect, transport: httpx2.BaseTransport | None
    ) -> None:
        self.options = options
        self.name = options.name
        self.searches, self.reopens = True, bool(options.reopened)
        self._dialect = dialect
        secrets = (options.token, dialect.authorization.partition(" ")[2])
        self._http = Http(options.http, secrets=secrets, stranger=_stranger, transport=transport)
        self._made: OrderedDict[str, str] = OrderedDict()
        self._lock = threading.Lock()
        self.left_out: Sequence[str] = ()
        """What of the last draft is not in the ticket, though the ticket is there."""

    def find(self, key: str) -> Sequence[TicketRef]:
        """Return the issues with our key, the oldest first."""
        found: dict[str, TicketRef] = {}
        made = self._remembered(key)
        rows = list(self._dialect.search(self, tag_of(key), made))
        ours = ours_among(
            rows, lambda row: _is_ours(row, key), lambda row: _has_label(row, key), self.name
        )
        for row in (*ours, *self._direct(made)):
            if _is_ours(row, key):
                ticket = self._ref(row)
                found[ticket.id] = ticket
        return tuple(found[id_] for id_ in sorted(found, key=lambda one: (len(one), one)))

    def look(self, ticket: TicketRef, key: str) -> TicketRef | None:
        """Return an issue by its id, whatever project it is in; None if it is gone or not ours."""
        for row in self._direct((ticket.id,)):
            seen = self._ref(row)
            if seen.id != ticket.id:
                raise Unclear(f"{self.name} answers with another issue than {ticket.number}")
            return seen if _is_ours(row, key) else None
        return None

    def create(self, draft: Draft) -> TicketRef:
        """Make an issue in the project's first state, with label and property."""
        self.left_out = ()
        fields = {
            **self.options.fields, **self._fields(draft),
            "project": {"key": self.options.project},
            "issuetype": {"name": self.options.issue_type},
            "labels": [*dict.fromkeys(("watcher", tag_of(draft.key), *self._labels()))],
        }  # fmt: skip
        body = {"fields": fields, "properties": [_property(draft)]}
        answer = self._tell("POST", "issue", body)
        id_, number = answer.text("id"), answer.text("key")
        if not id_.isdigit() or not self._is_number(number):
            raise Unclear(f"{self.name} answers a new issue without its id, or with another's")
        self._remember(draft.key, id_)
        ticket = TicketRef(
            id=id_,
            number=number,
            url=self._http.at(f"browse/{number}"),
            title=one_line(draft.title, SUMMARY),
        )
        self.left_out = attach_new(draft, *self._documents(ticket))
        return ticket

    def update(self, ticket: TicketRef, draft: Draft) -> TicketRef:
        """Attach this version's documents, then write our fields and the property that says so."""
        self.left_out = ()
        cleared = self._cleared(ticket, draft)
        missing = attach(draft, *self._documents(ticket))
        path = f"issue/{path_of(ticket.id)}"
        labels = [{"add": "watcher"}, {"add": tag_of(draft.key)}]
        body = {
            "fields": self._fields(draft) | cleared,
            "update": {"labels": labels},
            "properties": [_property(missing.shown(draft))],
        }
        self._tell("PUT", path, body)
        self.left_out = missing.settled()
        return replace(ticket, title=one_line(draft.title, SUMMARY))

    def has(self, ticket: TicketRef, mark: str) -> bool:
        """Tell whether the property names the mark, or a comment begins with it."""
        path = f"issue/{path_of(ticket.id)}"
        query = {"fields": "summary", "properties": PROPERTY}
        row = self.ask(path, query).value
        if text_at(row, "properties", PROPERTY, "mark") == mark:
            return True
        wanted = self._dialect.marks(mark)
        return any(self._dialect.reads(text).startswith(wanted) for text in self._comments(path))

    def comment(self, ticket: TicketRef, mark: str, text: str) -> None:
        """Add a comment."""
        body = {"body": self._text(marked(mark, text))}
        path = f"issue/{path_of(ticket.id)}/comment"
        answer = self._tell("POST", path, body)
        if not answer.text("id"):
            raise Unclear(f"{self.name} answers a comment without its id")

    def close(self, ticket: TicketRef, mark: str, text: str) -> TicketRef:
        """Comment unless that is done, then lead it through the configured transition."""
        return self._move(ticket, self.options.done, mark, text)

    def reopen(self, ticket: TicketRef, mark: str, text: str) -> TicketRef:
        """Comment unless that is done, then lead it back."""
        return self._move(ticket, self.options.reopened, mark, text)

    def ask(self, path: str, query: Mapping[str, str]) -> Answer:
        """Read something under the API's root."""
        return self._send(Request(method="GET", path=path, query=query))

    def search(self, path: str, body: object) -> Answer:
        """Read something by a POST, as searches are."""
        return self._send(Request(method="POST", path=path, body=body))

    # -- parts

    def _tell(self, method: str, path: str, body: object) -> Answer:
        bare = method == "PUT" or path.endswith("/transitions")
        return self._send(Request(method=method, path=path, body=body, changes=True, bare=bare))

    def _send(self, request: Request) -> Answer:
        headers = {**request.headers, "Authorization": self._dialect.authorization}
        path = f"{self._dialect.root}/{request.path}"
        return self._http.send(replace(request, path=path, headers=headers))

    def _labels(self) -> Iterator[str]:
        """Yield what the site labels its issues with."""
        told = self.options.fields.get("labels")
        yield from (one for one in told if isinstance(one, str)) if isinstance(told, list) else ()

    def _fields(self, draft: Draft) -> dict[str, object]:
        made: dict[str, object] = {
            "summary": one_line(draft.title, SUMMARY),
            "description": self._text(whole(draft)),
        }
        return made | {name: at for name, at in self._times(draft).items() if at is not None}

    def _times(self, draft: Draft) -> dict[str, str | None]:
        """Return our time fields, also those for which a draft has none."""
        due = None if draft.due is None else f"{day_of(draft.due, draft.fit)}"
        times = ((self.options.start_field, draft.starts), (self.options.end_field, draft.ends))
        planned = {
            name: f"{time:%Y-%m-%dT%H:%M:%S.000%z}" if time else None
            for name, time in times
            if name
        }
        return {"duedate": due, **planned}

    def _cleared(self, ticket: TicketRef, draft: Draft) -> dict[str, None]:
        """Return the fields with a time that a draft says no more.

        An empty one may not be on the screen, and then nobody may write to it.
        """
        if not draft.is_timed:
            return {}
        gone = [name for name, time in self._times(draft).items() if time is None]
        if not gone:
            return {}
        row = self.ask(f"issue/{path_of(ticket.id)}", {"fields": ",".join(gone)}).value
        return {name: None for name in gone if at(row, "fields", name) is not None}

    def _text(self, text: str) -> object:
        """Return a rich text that fits: markup makes it longer, so it is cut until it does."""
        limit = BODY
        while True:
            written = self._dialect.writes(limited(text, limit))
            size = _size(written)
            if size <= BODY:
                return written
            limit = limit * BODY // size - 1

    def _comments(self, path: str) -> Iterator[Value]:
        """Yield the comments, the newest first."""
        for page in range(PAGES):
            query = {
                "startAt": str(page * PAGE), "maxResults": str(PAGE), "orderBy": "-created"
            }  # fmt: skip
            answer = self.ask(f"{path}/comment", query)
            rows = list_of(answer, "comments")
            yield from (at(row, "body") for row in rows)
            if len(rows) < PAGE:
                return

    def _move(self, ticket: TicketRef, name: str, mark: str, text: str) -> TicketRef:
        if not name:
            raise Refused(f"{self.name}: the settings name no transition for this; people do it")
        wanted = name == self.options.done
        path = f"issue/{path_of(ticket.id)}/transitions"
        way = "" if self._read(ticket).closed is wanted else self._way(ticket, path, name)
        # A comment that was lost behind the transition would never come: the issue is closed.
        if not self.has(ticket, mark):
            self.comment(ticket, mark, text)
        if way:
            self._tell("POST", path, {"transition": {"id": way}})
        try:
            after = self._read(ticket)
        except TryLater as error:  # what went before is done, and this would deny it
            raise Unclear(str(error)) from error
        if after.closed is not wanted:
            raise Refused(f"{self.name}: {name!r} leaves {ticket.number} as it was")
        return after

    def _way(self, ticket: TicketRef, path: str, name: str) -> str:
        """Return the id of a transition that the issue has now."""
        rows = list_of(self.ask(path, {}), "transitions")
        ids = [text_at(row, "id") for row in rows if text_at(row, "name") == name]
        if not ids:
            raise Refused(f"{self.name}: {ticket.number} has no transition {name!r} now")
        return ids[0]

    def _read(self, ticket: TicketRef) -> TicketRef:
        query = {"fields": ",".join(_SEEN)}
        return self._ref(self.ask(f"issue/{path_of(ticket.id)}", query).value)

    def _direct(self, ids: Sequence[str]) -> Iterator[Value]:
        """Yield the issues of these ids, from where no index is late."""
        for id_ in ids:
            query = {"fields": ",".join(_SEEN), "properties": PROPERTY}
            path = f"issue/{path_of(id_)}"
            answer = self._send(
                Request(method="GET", path=path, query=query, accept={HTTPStatus.NOT_FOUND})
            )
            if answer.status != HTTPStatus.NOT_FOUND:
                yield answer.value

    def _documents(
        self, ticket: TicketRef
    ) -> tuple[Callable[[], frozenset[str]], Callable[[Attachment], None]]:
        return partial(self._attached, ticket), partial(self._upload, ticket)

    def _attached(self, ticket: TicketRef) -> frozenset[str]:
        answer = self.ask(f"issue/{path_of(ticket.id)}", {"fields": "attachment"})
        rows = rows_at(answer.value, "fields", "attachment")
        return frozenset(text_at(row, "filename") for row in rows)

    def _upload(self, ticket: TicketRef, document: Attachment) -> None:
        headers = {"X-Atlassian-Token": "no-check"}
        file = (document.name, document.media_type, document.data)
        path = f"issue/{path_of(ticket.id)}/attachments"
        self._send(Request(method="POST", path=path, headers=headers, file=file, changes=True))

    def _remember(self, key: str, id_: str) -> None:
        with self._lock:
            self._made[key] = id_
            while len(self._made) > REMEMBERED:
                self._made.popitem(last=False)

    def _remembered(self, key: str) -> Sequence[str]:
        with self._lock:
            return (self._made[key],) if key in self._made else ()

    def _is_number(self, number: str) -> bool:
        project, _, count = number.rpartition("-")
        return project == self.options.project and count.isascii() and count.isdigit()

    def _ref(self, row: Value) -> TicketRef:
        id_, number = text_at(row, "id"), text_at(row, "key")
        if not id_.isdigit() or not number.isascii() or "/" in number:
            raise Unclear(f"{self.name} answers with an issue that has no id")
        return TicketRef(
            id=id_, number=self._http.clean(number), url=self._http.at(f"browse/{number}"),
            closed=text_at(row, "fields", "status", "statusCategory", "key") == "done",
            title=self._http.clean(text_at(row, "fields", "summary")),
        )  # fmt: skip


def _stranger(headers: Mapping[str, str]) -> str:
    """Return why Jira takes us for nobody, by its headers; empty if it does not.

    With an expired token it answers as to anybody: a search with 200 and no issue.
    """
    reason = headers.get("x-seraph-loginreason", "").upper()
    if any(word in reason for word in _NOBODY):
        return reason
    return headers.get("x-authentication-denied-reason", "")


def _size(written: object) -> int:
    """Return the characters that a rich text takes: which of a document count, nobody says."""
    if isinstance(written, str):
        return len(written)
    return len(json.dumps(written, separators=(",", ":")))


def _property(draft: Draft) -> dict[str, object]:
    return {"key": PROPERTY, "value": {"key": draft.key, "mark": draft.mark}}


def _is_ours(row: Value, key: str) -> bool:
    """Tell whether an issue has our key: its property, or where that was dropped its label."""
    kept = text_at(row, "properties", PROPERTY, "key")
    return kept == key if kept else tag_of(key) in rows_at(row, "fields", "labels")


def _has_label(row: Value, key: str) -> bool:
    """Tell whether the query finds an issue, whatever the property says."""
    labels = [str(one).lower() for one in rows_at(row, "fields", "labels")]
    return tag_of(key).lower() in labels

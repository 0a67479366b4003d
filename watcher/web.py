"""What an outside monitor may ask: `/healthz`, `/readyz`, `/metrics`.

Nothing else is served, nothing is changed by a request, and no connection lives longer than ten
seconds. Answers are made by callables that return at once. h11 reads the requests.
"""

import asyncio
import json
import logging
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

import h11

from watcher.model.status import ReceiverStatus, WorkerStatus

logger = logging.getLogger(__name__)

JSON = "application/json"
HEARTBEAT_SECONDS = 15.0
"""A worker that wrote nothing for so long is dead or stuck; it writes every second."""
_OK, _NOT_FOUND, _NOT_ALLOWED, _FAILED, _UNAVAILABLE = 200, 404, 405, 500, 503
_SAFE = (
    ("Cache-Control", "no-store"),
    ("Connection", "close"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebLimits:
    """What one client may take: reliability figures for HTTP, tighter, for nothing is uploaded.

    `head` is in bytes, `seconds` the life of a connection. Beyond `connections` the oldest is
    closed, so that slow ones cannot shut honest ones out.
    """

    head: int = 8 << 10
    seconds: float = 10.0
    connections: int = 64


@dataclass(frozen=True, slots=True)
class Answer:
    """What a page says."""

    status: int
    content_type: str
    body: bytes


Pages = Mapping[str, Callable[[], Answer]]
"""What is served, by path."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; `problem` is empty when it is well."""

    name: str
    problem: str = ""


def report(checks: Sequence[Check]) -> Answer:
    """Return 200 when all is well, else 503; the body names each check and its problem."""
    told = {check.name: check.problem or "ok" for check in checks}
    well = not any(check.problem for check in checks)
    body = json.dumps({"ok": well, "checks": told}, indent=1).encode() + b"\n"
    return Answer(_OK if well else _UNAVAILABLE, JSON, body)


def readiness(
    receiver: ReceiverStatus | None, worker: WorkerStatus | None, now: datetime
) -> tuple[Check, ...]:
    """Return what `/readyz` looks at: inputs, journal, worker, database, self-test.

    A full journal or a database that is away is no reason to restart us, but to send elsewhere.
    """
    return (
        *_receiving(receiver),
        Check("worker", _silence(worker, now)),
        Check("database", worker.database_problem if worker else "not known yet"),
        Check("self-test", worker.self_test_problem if worker else ""),
    )


def _receiving(receiver: ReceiverStatus | None) -> tuple[Check, ...]:
    if receiver is None:
        return (Check("receiver", "has not written its status yet"),)
    problems = [
        Check(f"input {one.name}", one.problem or _closed(one.open)) for one in receiver.inputs
    ]
    if not problems:
        problems = [Check("inputs", "none is configured")]
    return (*problems, Check("journal", receiver.journal_problem))


def _closed(is_open: bool) -> str:  # noqa: FBT001 -- one flag is all it is about
    return "" if is_open else "is closed"


def _silence(worker: WorkerStatus | None, now: datetime) -> str:
    if worker is None:
        return "has not written its status yet"
    age = (now - worker.written_at).total_seconds()
    return f"wrote its status {age:.0f} s ago" if age > HEARTBEAT_SECONDS else ""


async def serve(
    pages: Pages, where: socket.socket | tuple[str, int], limits: WebLimits | None = None
) -> asyncio.Server:
    """Serve pages on a bound socket, or on an address and port; close the server to end it."""
    door = _Door(pages, limits or WebLimits())
    loop = asyncio.get_running_loop()
    if isinstance(where, socket.socket):
        return await loop.create_server(lambda: _Exchange(door), sock=where)
    host, port = where
    return await loop.create_server(lambda: _Exchange(door), host, port)


class _Door:
    """What all connections share: the pages, and who is inside, the oldest first."""

    def __init__(self, pages: Pages, limits: WebLimits) -> None:
        self.pages = pages
        self.limits = limits
        self.inside: dict[_Exchange, None] = {}

    def enter(self, exchange: "_Exchange") -> None:
        self.inside[exchange] = None
        if len(self.inside) > self.limits.connections:
            next(iter(self.inside)).abort()

    def leave(self, exchange: "_Exchange") -> None:
        self.inside.pop(exchange, None)

    def answer(self, method: bytes, target: bytes) -> Answer:
        path = target.partition(b"?")[0].decode("ascii", "replace")
        page = self.pages.get(path)
        if page is None:
            return Answer(_NOT_FOUND, JSON, b'{"error": "no such page"}\n')
        if method not in (b"GET", b"HEAD"):
            return Answer(_NOT_ALLOWED, JSON, b'{"error": "only GET"}\n')
        try:
            return page()
        except Exception:
            logger.exception("the page %s could not be made", path)
            return Answer(_FAILED, JSON, b'{"error": "the page could not be made"}\n')


class _Exchange(asyncio.Protocol):
    """One connection: one request, one answer, and out."""

    def __init__(self, door: _Door) -> None:
        self._door = door
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=door.limits.head)
        self._transport: asyncio.Transport | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._with_body = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 -- a stream has no other
        self._transport = transport
        loop = asyncio.get_running_loop()
        self._deadline = loop.call_later(self._door.limits.seconds, self.abort)
        self._door.enter(self)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if self._deadline is not None:
            self._deadline.cancel()
        self._door.leave(self)

    def data_received(self, data: bytes) -> None:
        if self._http.our_state is not h11.IDLE:
            return  # answered; whatever else comes is not for us
        try:
            self._http.receive_data(data)
            event = self._http.next_event()
        except h11.RemoteProtocolError as error:
            self._send(Answer(error.error_status_hint, JSON, b'{"error": "bad request"}\n'))
            return
        if isinstance(event, h11.Request):
            self._with_body = event.method != b"HEAD"
            self._send(self._door.answer(event.method, event.target))

    def eof_received(self) -> bool:
        return False  # nobody waits for an answer who has left

    def abort(self) -> None:
        """Close without waiting for anybody."""
        self._door.leave(self)
        if self._transport is not None:
            self._transport.abort()

    def _send(self, answer: Answer) -> None:
        if self._transport is None:
            return
        headers = [
            ("Content-Type", answer.content_type),
            ("Content-Length", str(len(answer.body))),
            *_SAFE,
        ]
        if answer.status == _NOT_ALLOWED:
            headers.append(("Allow", "GET, HEAD"))
        reason = HTTPStatus(answer.status).phrase.encode()
        response = h11.Response(status_code=answer.status, headers=headers, reason=reason)
        data = self._http.send(response) or b""
        if self._with_body:
            data += self._http.send(h11.Data(data=answer.body)) or b""
        data += self._http.send(h11.EndOfMessage()) or b""
        self._transport.write(data)
        self._transport.close()

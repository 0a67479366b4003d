"""Ticket systems that behave as badly as real ones: scripted or seeded, on a clock of their own.

Each is a transport of the HTTP client, so a test is as fast as the code. They speak what their
vendors document and refuse what the vendors refuse; here is what they have in common.
"""

import gzip
import heapq
import json
import random
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from urllib.parse import parse_qs, unquote

import httpx2

CLIENT_WAITS = 30.0
"""Seconds after which the client of the mass test gives up."""


class Fault(Enum):
    """What can go wrong with one call."""

    ERROR_500 = auto()
    ERROR_500_DONE = auto()
    ERROR_502 = auto()
    BUSY_503 = auto()
    BUSY_503_WAIT = auto()
    BUSY_429 = auto()
    BUSY_429_WAIT = auto()
    BUSY_429_DATE = auto()
    REFUSED_CONNECTION = auto()
    TIMEOUT_BEFORE = auto()
    TIMEOUT_DONE = auto()
    LATE_WORK = auto()
    LOST = auto()
    CUT_WHILE_SENDING = auto()
    REDIRECT = auto()
    HTML = auto()
    EMPTY = auto()
    TRUNCATED = auto()
    HUGE = auto()
    GZIP_BOMB = auto()
    BROKEN_GZIP = auto()
    FOREIGN = auto()
    DOUBLE_KEY = auto()
    NOT_A_NUMBER = auto()
    DEEP = auto()
    WRONG_TYPE = auto()
    SCRIPT_URL = auto()
    UNAUTHORIZED = auto()
    FORBIDDEN = auto()
    TOO_LARGE = auto()
    STALE = auto()
    DROPS_FIELD = auto()
    IGNORES_QUERY = auto()
    TELLS_SECRET = auto()


class ServerClock:
    """Seconds; stands still unless it is moved."""

    def __init__(self):
        self.seconds = 0.0
        self._due = []

    def move(self, seconds):
        """Go on, and do on the way what was left for later."""
        end = self.seconds + seconds
        while self._due and self._due[0][0] <= end:
            at, _, work = heapq.heappop(self._due)
            self.seconds = max(self.seconds, at)
            work()
        self.seconds = max(self.seconds, end)

    def later(self, seconds, work):
        """Leave work for later."""
        heapq.heappush(self._due, (self.seconds + seconds, len(self._due), work))


@dataclass
class Script:
    """Which fault each call has: those of a list first, then by weights from a seed."""

    faults: list = field(default_factory=list)
    only: Callable = lambda _request: True
    weights: dict = field(default_factory=dict)
    seed: int = 0

    def __post_init__(self):
        """Begin the seed."""
        self.random = random.Random(self.seed)  # noqa: S311 -- repeatable on purpose

    def next(self, request):
        """Return the fault of this call, None for a good one."""
        if self.faults and self.only(request):
            return self.faults.pop(0)
        drawn = self.random.random()
        for fault, share in self.weights.items():
            if drawn < share:
                return fault
            drawn -= share
        return None


@dataclass
class Asked:
    """A request as a fake sees it."""

    method: str
    path: str
    query: dict
    headers: dict
    raw: bytes

    def json(self):
        """Return the body."""
        return json.loads(self.raw)


class Fake(httpx2.BaseTransport):
    """What all of them have: faults, a clock, tickets, and when a search first finds each."""

    secret = "s3cret-of-the-test"  # noqa: S105 -- of a fake
    absent = (404, {}, None)
    """What it answers where nothing is."""
    first = 0
    """What its ids begin after."""

    def __init__(self, clock=None, script=None, lag=0.0):
        self.clock = clock or ServerClock()
        self.script = script or Script()
        self.lag = lag
        """Seconds by which the search is late at most."""
        self.random = random.Random(7)  # noqa: S311 -- repeatable on purpose
        self.tickets = {}
        self.seen_from = {}
        self.asked = []
        self.comments = {}
        self.files = {}
        self.drops_field = False
        self.ignores_query = False
        self.stale = 0
        self.count = 0

    # -- what a system of its kind does

    def answer(self, asked):
        """Return status, headers and JSON value of a good call."""
        raise NotImplementedError

    def key_of(self, ticket):
        """Return our key in a ticket."""
        raise NotImplementedError

    def foreign(self, value):
        """Return an answer that speaks of another's ticket."""
        raise NotImplementedError

    def routed(self, asked, path, routes):
        """Answer by the first route of this method and path; an id in it is one of a ticket."""
        for method, pattern, work in routes:
            match = re.fullmatch(pattern, path)
            if match and method == asked.method:
                numbers = [self.number_of(one) for one in match.groups()]
                known = all(one in self.tickets for one in numbers)
                return work(asked, *numbers) if known else self.absent
        return self.absent

    def number_of(self, id_):
        """Return the number of a ticket."""
        return int(id_) - self.first

    # -- tickets

    def add(self, ticket):
        """Keep a new ticket and decide when the search knows it."""
        self.count += 1
        number = self.count
        self.tickets[number] = ticket
        self.comments[number], self.files[number] = [], {}
        self.seen_from[number] = self.clock.seconds + self.random.uniform(0, self.lag)
        return number

    def searched(self, wanted):
        """Return the numbers of what a search finds now."""
        found = [n for n in self.tickets if self.seen_from[n] <= self.clock.seconds]
        return found if self.ignores_query else [n for n in found if wanted(self.tickets[n])]

    def keys(self):
        """Return how many tickets each key has."""
        return Counter(self.key_of(one) for one in self.tickets.values())

    # -- faults

    def handle_request(self, request):
        """Answer as httpx2 wants it."""
        path = request.url.raw_path.decode()
        place, _, query = path.partition("?")
        asked = Asked(
            request.method, unquote(place), {k: v[0] for k, v in parse_qs(query).items()},
            {k.lower(): v for k, v in request.headers.items()}, request.read(),
        )  # fmt: skip
        self.asked.append(asked)
        fault = self.script.next(asked)
        response = self._before(fault, asked) if fault else None
        if response is None:
            value = self.answer(asked)
            response = self._after(fault, *value) if fault else made(*value)
        return streamed(response)

    def _before(self, fault, asked):
        """Return what a fault answers before anything is done."""
        if fault in PLAIN:
            return PLAIN[fault]()
        if fault in RAISED and fault not in DONE:
            if fault is Fault.LATE_WORK:
                late = CLIENT_WAITS + self.random.uniform(0, 30)
                self.clock.later(late, lambda: self.answer(asked))
            if RAISED[fault] is httpx2.ReadTimeout:
                self.clock.move(CLIENT_WAITS)
            raise RAISED[fault]("said by a fake")
        if fault is Fault.TELLS_SECRET:
            told = f"wrong log-in {asked.headers.get('authorization')} {self.secret}"
            return made(400, {}, {"error": {"message": told}})
        self.drops_field = self.drops_field or fault is Fault.DROPS_FIELD
        self.ignores_query = self.ignores_query or fault is Fault.IGNORES_QUERY
        return None

    def _after(self, fault, status, headers, value):
        """Return what a fault makes of a good answer."""
        if fault in DONE:
            if RAISED[fault] is httpx2.ReadTimeout:
                self.clock.move(CLIENT_WAITS)
            raise RAISED[fault]("said by a fake")
        if fault in SPOILED:
            more, content = SPOILED[fault](json.dumps(value).encode())
            kind = {"Content-Type": "application/json", **headers, **more}
            ok = 200 if status == 204 else status
            return httpx2.Response(ok, headers=kind, content=content)
        if fault is Fault.ERROR_500_DONE:
            return httpx2.Response(500)
        if fault is Fault.FOREIGN:
            return made(status, headers, self.foreign(value))
        return made(status, headers, with_script(value) if fault is Fault.SCRIPT_URL else value)


HTML = {"Content-Type": "text/html"}
DATES = {"Date": "Sun, 01 Nov 2026 10:00:00 GMT", "Retry-After": "Sun, 01 Nov 2026 10:01:30 GMT"}
RIGHT = {"errorMessages": ["\x1b[31mno\u202e right", "x" * 5000]}
PLAIN = {
    Fault.ERROR_500: lambda: httpx2.Response(500, headers=HTML, content=b"<h1>Error</h1>"),
    Fault.ERROR_502: lambda: httpx2.Response(502, headers=HTML, content=b"<h1>Bad</h1>"),
    Fault.BUSY_503: lambda: httpx2.Response(503),
    Fault.BUSY_503_WAIT: lambda: httpx2.Response(503, headers={"Retry-After": "42"}),
    Fault.BUSY_429: lambda: httpx2.Response(429),
    Fault.BUSY_429_WAIT: lambda: httpx2.Response(429, headers={"Retry-After": "42"}),
    Fault.BUSY_429_DATE: lambda: httpx2.Response(429, headers=DATES),
    Fault.REDIRECT: lambda: httpx2.Response(302, headers={"Location": "https://x.example/"}),
    Fault.HTML: lambda: httpx2.Response(200, headers=HTML, content=b"<html>asleep</html>"),
    Fault.UNAUTHORIZED: lambda: made(401, {}, {"message": "Unauthorized"}),
    Fault.FORBIDDEN: lambda: made(403, {}, RIGHT),
    Fault.TOO_LARGE: lambda: made(413, {}, {"message": "too large"}),
    Fault.STALE: lambda: made(412, {}, {"message": "stale"}),
}
"""What is answered before anything is done."""
RAISED = {
    Fault.REFUSED_CONNECTION: httpx2.ConnectError,
    Fault.TIMEOUT_BEFORE: httpx2.ReadTimeout,
    Fault.LATE_WORK: httpx2.ReadTimeout,
    Fault.CUT_WHILE_SENDING: httpx2.WriteError,
    Fault.TIMEOUT_DONE: httpx2.ReadTimeout,
    Fault.LOST: httpx2.RemoteProtocolError,
}
DONE = {Fault.TIMEOUT_DONE, Fault.LOST}
"""Of those, what comes after the work."""
SPOILED = {
    Fault.EMPTY: lambda _: ({}, b""),
    Fault.TRUNCATED: lambda text: ({}, text[: len(text) // 2] + b"{"),
    Fault.HUGE: lambda _: ({}, five_gigabytes()),
    Fault.GZIP_BOMB: lambda _: ({"Content-Encoding": "gzip"}, iter([BOMB])),
    Fault.BROKEN_GZIP: lambda text: ({"Content-Encoding": "gzip"}, iter([text])),
    Fault.DOUBLE_KEY: lambda _: ({}, b'{"id": "1", "id": "2"}'),
    Fault.NOT_A_NUMBER: lambda _: ({}, b'{"id": NaN}'),
    Fault.DEEP: lambda _: ({}, b"[" * 300_000),
    Fault.WRONG_TYPE: lambda text: ({"Content-Type": "text/plain"}, text),
}
"""Headers and body that a good answer becomes."""
BOMB = gzip.compress(b"[" + b" " * (64 << 20) + b"]", 9)
PULLED = Counter()


def five_gigabytes():
    """Yield 5 GB of JSON, a block at a time; count how many are taken."""
    PULLED.clear()
    block = b" " * (1 << 16)
    for _ in range((5 << 30) // len(block)):
        PULLED["blocks"] += 1
        yield block


def streamed(response):
    """Return an answer whose body comes as one from a network does."""
    if not response.is_stream_consumed:
        return response
    return httpx2.Response(
        response.status_code, headers=response.headers, content=iter([response.content])
    )


def made(status, headers, value):
    """Return a JSON answer."""
    if value is None:
        return httpx2.Response(status, headers=headers)
    kind = {"Content-Type": "application/json;charset=UTF-8", **headers}
    return httpx2.Response(status, headers=kind, content=json.dumps(value).encode())


def with_script(value):
    """Return an answer whose URLs and titles are hostile."""
    if isinstance(value, dict):
        bad = {"self": "javascript:alert(1)", "url": "javascript:alert(1)", "_url": "http://x/"}
        return {k: bad.get(k) or with_script(v) for k, v in value.items()}
    return [with_script(one) for one in value] if isinstance(value, list) else value

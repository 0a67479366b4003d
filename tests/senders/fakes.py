"""Ticket systems that behave as badly as real ones: scripted or seeded, on a clock of their own.

Each is a transport of the HTTP client, so a test is as fast as the code; `serve` puts one behind a
real socket. They speak what their vendors document and refuse what the vendors refuse.
"""

import base64
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


class ServiceNowFake(Fake):
    """Change Management and Table API of one instance."""

    url = "https://example.service-now.test"
    tables = ("correlation_id", "description", "number", "sys_id")

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.tokens = set()
        self.expires = False

    def key_of(self, ticket):
        """Return our key in a ticket."""
        return ticket["correlation_id"] or ticket["description"][1:].split(" ")[0]

    def foreign(self, value):
        """Return an answer that speaks of another's ticket."""
        other = {"sys_id": "f" * 32, "number": "CHG0099999", "correlation_id": "watcher-other-1"}
        found = value["result"] if isinstance(value, dict) and "result" in value else None
        if isinstance(found, list):
            return {"result": [{**other, "short_description": "x", "description": "not ours"}]}
        return {"result": {name: {"value": text} for name, text in other.items()}}

    def answer(self, asked):
        """Answer a call."""
        if asked.path == "/oauth_token.do":
            return self._token(asked)
        if not self._known(asked):
            return 401, {}, {"error": {"message": "User Not Authenticated"}}
        number = r"([0-9a-f]{32})"
        routes = (
            ("POST", r"/api/sn_chg_rest/change/normal", self._create),
            ("POST", r"/api/now/table/change_request", self._create),
            ("GET", r"/api/now/table/change_request", self._find),
            ("GET", rf"/api/now/table/change_request/{number}", self._get),
            ("PATCH", rf"/api/(?:sn_chg_rest/change|now/table/change_request)/{number}", self._set),
            ("POST", r"/api/now/attachment/file", self._attach),
            ("GET", r"/api/now/attachment", self._attached),
        )
        for method, pattern, work in routes:
            match = re.fullmatch(pattern, asked.path)
            if match and method == asked.method:
                return work(asked, *match.groups())
        return 404, {}, {"error": {"message": "Requested URI does not represent any resource"}}

    def _known(self, asked):
        kind, _, value = asked.headers.get("authorization", "").partition(" ")
        if kind == "Bearer":
            return value in self.tokens
        return base64.b64decode(value).decode() == f"watcher:{self.secret}"

    def _token(self, asked):
        form = {k: v[0] for k, v in parse_qs(asked.raw.decode()).items()}
        if form.get("client_secret") != self.secret:
            return 401, {}, {"error": "access_denied"}
        token = f"token{len(self.asked)}"
        self.tokens = {token}
        return 200, {}, {"access_token": token, "expires_in": 1799, "token_type": "Bearer"}

    def _create(self, asked):
        body = asked.json()
        names = ("correlation_id", "short_description", "description")
        ticket = dict.fromkeys((*names, "work_notes", "comments"), "") | {"state": "-5"}
        ticket |= {k: v if k == "correlation_id" else v[:4000] for k, v in body.items()}
        ticket["short_description"] = ticket["short_description"][:160]
        if self.drops_field:
            ticket["correlation_id"] = ""
        return 201, {}, {"result": self._shown(self.add(ticket), asked)}

    def _shown(self, number, asked):
        plain = {
            **self.tickets[number], "sys_id": f"{number:032x}", "number": f"CHG{number:07d}",
            "active": str(self.tickets[number]["state"] not in {"3", "4"}).lower(),
        }  # fmt: skip
        if "sn_chg_rest" not in asked.path:
            return plain
        return {k: {"value": v, "display_value": f"shown {v}"} for k, v in plain.items()}

    def _find(self, asked):
        wanted = asked.query["sysparm_query"].partition("^ORDERBY")[0].split("^OR")

        def matches(ticket):
            return any(self._matches(ticket, one) for one in wanted)

        limit = int(asked.query["sysparm_limit"])
        return 200, {}, {"result": [self._shown(n, asked) for n in self.searched(matches)][:limit]}

    @staticmethod
    def _matches(ticket, term):
        if "STARTSWITH" in term:
            name, _, start = term.partition("STARTSWITH")
            return ticket[name].startswith(start)
        name, _, value = term.partition("=")
        return ticket[name].lower() == value.lower()

    def _get(self, asked, id_):
        number = int(id_, 16)
        if number not in self.tickets:
            return 404, {}, {"error": {"message": "No Record found"}}
        shown = self._shown(number, asked)
        for name in ("work_notes", "comments"):
            notes = [text for kind, text in self.comments[number] if kind == name]
            shown[name] = "".join(f"2026-11-23 10:00:00 - watcher\n{text}\n\n" for text in notes)
        return 200, {}, {"result": shown}

    def _set(self, asked, id_):
        number = int(id_, 16)
        if number not in self.tickets:
            return 404, {}, {"error": {"message": "No Record found"}}
        for name, value in asked.json().items():
            if name in {"work_notes", "comments"}:
                self.comments[number].append((name, value))
            else:
                self.tickets[number][name] = value
        return 200, {}, {"result": self._shown(number, asked)}

    def _attach(self, asked):
        number = int(asked.query["table_sys_id"], 16)
        name, kind = asked.query["file_name"], asked.headers["content-type"]
        self.files[number].setdefault(name, []).append((kind, asked.raw))
        return 201, {}, {"result": {"sys_id": "a" * 32}}

    def _attached(self, asked):
        number = int(asked.query["sysparm_query"].rpartition("=")[2], 16)
        names = self.files[number]
        id_ = f"{number:032x}"
        return 200, {}, {"result": [{"file_name": n, "table_sys_id": id_} for n in names]}


class JiraFake(Fake):
    """Issues of one project; Cloud (version 3) or Data Center (version 2)."""

    cloud = True
    url = "https://example.atlassian.test"
    root = "/rest/api/3"
    fields = frozenset(
        {"project", "issuetype", "summary", "description", "duedate", "labels", "priority"}
    )

    def key_of(self, ticket):
        """Return our key in a ticket."""
        property_ = ticket["properties"].get("watcher", {})
        return property_.get("key") or ticket["fields"]["labels"][1]

    def foreign(self, value):
        """Return an answer that speaks of another's ticket."""
        other = {"id": "99999", "key": "OTHER-1", "fields": {"labels": ["watcher", "watcher-x-1"]}}
        return {"issues": [other]} if isinstance(value, dict) and "issues" in value else other

    def answer(self, asked):
        """Answer a call."""
        if not self._known(asked):
            return 401, {}, {"message": "Client must be authenticated to access this resource."}
        if not asked.path.startswith(self.root):
            return 410, {}, {"errorMessages": ["The requested API has been removed."]}
        path = asked.path.removeprefix(self.root)
        number = r"/issue/(\d+)"
        routes = (
            ("POST", "/issue", self._create),
            ("POST", "/search/jql" if self.cloud else "/search", self._find),
            ("GET", number, self._get),
            ("PUT", number, self._set),
            ("POST", f"{number}/comment", self._comment),
            ("GET", f"{number}/comment", self._said),
            ("GET", f"{number}/transitions", self._ways),
            ("POST", f"{number}/transitions", self._go),
            ("POST", f"{number}/attachments", self._attach),
        )
        for method, pattern, work in routes:
            match = re.fullmatch(pattern, path)
            if match and method == asked.method:
                ids = [int(one) - 10_000 for one in match.groups()]
                if ids and ids[0] not in self.tickets:
                    return 404, {}, {"errorMessages": ["Issue does not exist"], "errors": {}}
                return work(asked, *ids)
        return 404, {}, None

    def _known(self, asked):
        login = base64.b64encode(f"watcher@example.net:{self.secret}".encode()).decode()
        return asked.headers.get("authorization") == f"Basic {login}"

    def _bad(self, fields):
        wrong = {name: "Field cannot be set." for name in fields if name not in self.fields}
        if len(fields.get("summary", "")) > 255:
            wrong["summary"] = "Summary must be less than 255 characters."
        if any(" " in label for label in fields.get("labels", [])):
            wrong["labels"] = "The label contains spaces which is invalid."
        if not self._sound(fields["description"]):
            wrong["description"] = "Operation value must be an Atlassian Document"
        return wrong

    def _sound(self, text):
        """Tell whether a rich text is of this kind and not too long."""
        blocks = text["content"]
        return text["type"] == "doc" and text["version"] == 1 and all(
            block["type"] == "paragraph" and all(node["text"] for node in block["content"])
            for block in blocks
        )  # fmt: skip

    def _create(self, asked):
        body = asked.json()
        if wrong := self._bad(body["fields"]):
            return 400, {}, {"errorMessages": [], "errors": wrong}
        properties = {one["key"]: one["value"] for one in body.get("properties", [])}
        kept = {} if self.drops_field else properties
        fields = {**body["fields"], "status": status("new")}
        number = self.add({"fields": fields, "properties": kept})
        id_ = str(10_000 + number)
        return 201, {}, {"id": id_, "key": f"UC-{number}", "self": f"{self.url}/rest/{id_}"}

    def _shown(self, number):
        files = [{"filename": name} for name in self.files[number]]
        ticket = self.tickets[number]
        fields = {**ticket["fields"], "attachment": files}
        id_ = str(10_000 + number)
        return {
            "id": id_, "key": f"UC-{number}", "fields": fields, "properties": ticket["properties"]
        }  # fmt: skip

    def _find(self, asked):
        body = asked.json()
        label = re.search(r'labels = "([^"]+)"', body["jql"])[1]
        found = self.searched(lambda ticket: label in ticket["fields"]["labels"])
        known = [int(one) - 10_000 for one in body.get("reconcileIssues", [])]
        found = sorted({*found, *(n for n in known if n in self.tickets)})
        start = int(body.get("nextPageToken") or body.get("startAt") or 0)
        page = found[start : start + body["maxResults"]]
        answer = {"issues": [self._shown(n) for n in page]}
        if self.cloud and start + len(page) < len(found):
            answer["nextPageToken"] = str(start + len(page))
        return 200, {}, answer

    def _get(self, asked, number):
        del asked
        return 200, {}, self._shown(number)

    def _set(self, asked, number):
        body = asked.json()
        if wrong := self._bad(body["fields"]):
            return 400, {}, {"errors": wrong}
        self.tickets[number]["fields"] |= body["fields"]
        for one in body.get("properties", []):
            self.tickets[number]["properties"][one["key"]] = one["value"]
        return 204, {}, None

    def _comment(self, asked, number):
        body = asked.json()["body"]
        if not self._sound(body):
            return 400, {}, {"errors": {"comment": "not valid"}}
        self.comments[number].append(body)
        return 201, {}, {"id": str(len(self.comments[number]))}

    def _said(self, asked, number):
        start, size = int(asked.query["startAt"]), int(asked.query["maxResults"])
        newest = self.comments[number][::-1][start : start + size]
        return 200, {}, {"comments": [{"body": body} for body in newest]}

    def _ways(self, asked, number):
        del asked
        done = self.tickets[number]["fields"]["status"]["statusCategory"]["key"] == "done"
        way = ("31", "Reopen") if done else ("21", "Done")
        return 200, {}, {"transitions": [{"id": way[0], "name": way[1]}]}

    def _go(self, asked, number):
        ids = {"21": "done", "31": "new"}
        self.tickets[number]["fields"]["status"] = status(ids[asked.json()["transition"]["id"]])
        return 204, {}, None

    def _attach(self, asked, number):
        if asked.headers.get("x-atlassian-token") != "no-check":
            return 403, {}, {"message": "XSRF check failed"}
        name = re.search(rb'filename="([^"]+)"', asked.raw)[1].decode()
        self.files[number].setdefault(name, []).append(("", asked.raw))
        return 200, {}, [{"filename": name}]


def status(category):
    return {"name": category, "statusCategory": {"key": category}}


class JiraDcFake(JiraFake):
    """Data Center."""

    cloud = False
    url = "https://jira.example.test/jira"
    root = "/jira/rest/api/2"

    def _known(self, asked):
        return asked.headers.get("authorization") == f"Bearer {self.secret}"

    def _sound(self, text):
        return isinstance(text, str) and len(text) <= 32_767


class RtFake(Fake):
    """A queue of RT with a custom field; REST2 as the real program answers (test_rt_real.py)."""

    url = "https://rt.example.test"

    def key_of(self, ticket):
        """Return our key in a ticket."""
        return ticket["CustomFields"].get("Change-Key") or ticket["Subject"][1:].partition("]")[0]

    def foreign(self, value):
        """Return an answer that speaks of another's ticket."""
        if isinstance(value, dict) and "items" in value:
            return {**value, "items": [{"id": "4711", "type": "ticket"}], "pages": 1}
        if isinstance(value, dict) and value.get("type") == "ticket":
            return {"id": "4711x", "type": "ticket", "_url": "http://elsewhere/"}
        return {"id": 4711, "Subject": "[watcher-other-1] x", "Status": "new", "CustomFields": []}

    def answer(self, asked):
        """Answer a call."""
        if asked.headers.get("authorization") != f"token {self.secret}":
            return 401, {}, {"message": "Unauthorized"}
        path = asked.path.removeprefix("/REST/2.0")
        number = r"/ticket/(\d+)"
        routes = (
            ("POST", "/ticket", self._create),
            ("GET", "/tickets", self._find),
            ("GET", number, self._get),
            ("PUT", number, self._set),
            ("POST", f"{number}/(?:comment|correspond)", self._comment),
            ("GET", f"{number}/attachments", self._said),
        )
        for method, pattern, work in routes:
            match = re.fullmatch(pattern, path)
            if match and method == asked.method:
                ids = [int(one) for one in match.groups()]
                if ids and ids[0] not in self.tickets:
                    return 404, {}, {"message": "Not Found"}
                return work(asked, *ids)
        return 404, {}, {"message": "Not Found"}

    def _create(self, asked):
        body = asked.json()
        kept = {} if self.drops_field else body.get("CustomFields", {})
        ticket = {"Subject": body["Subject"], "Status": "new", "CustomFields": kept, "at": 0}
        ticket |= {name: body[name] for name in ("Starts", "Due", "Content") if name in body}
        number = self.add(ticket)
        self.comments[number].append((body["Subject"], body["Content"]))
        for one in body["Attachments"]:
            data = base64.b64decode(one["FileContent"], validate=True)
            self.files[number][one["FileName"]] = [(one["FileType"], data)]
        answer = {"type": "ticket", "id": str(number), "_url": f"{self.url}/REST/2.0/{number}"}
        return 201, {}, answer

    def _find(self, asked):
        query = asked.query["query"]
        subject = re.search(r"Subject LIKE '([^']+)'", query)
        key = re.search(r"CF\.\{Change-Key\} = '([^']+)'", query)

        def matches(ticket):
            kept = ticket["CustomFields"].get("Change-Key")
            return subject[1] in ticket["Subject"] or (key is not None and kept == key[1])

        return self._page(asked, [{"id": str(n), "type": "ticket"} for n in self.searched(matches)])

    @staticmethod
    def _page(asked, rows):
        page, size = int(asked.query["page"]), int(asked.query["per_page"])
        part = rows[(page - 1) * size : page * size]
        pages = -(-len(rows) // size)
        return 200, {}, {"items": part, "page": page, "pages": pages, "total": len(rows)}

    def _get(self, asked, number):
        del asked
        ticket = self.tickets[number]
        values = [ticket["CustomFields"]["Change-Key"]] if ticket["CustomFields"] else []
        fields = [{"id": "1", "type": "customfield", "name": "Change-Key", "values": values}]
        shown = {"id": number, "type": "ticket", "CustomFields": fields}
        shown |= {name: ticket[name] for name in ("Subject", "Status")}
        return 200, {"ETag": f'"{ticket["at"]}"'}, shown

    def _set(self, asked, number):
        ticket = self.tickets[number]
        if self.stale:  # somebody else writes between our reading and our writing
            self.stale -= 1
            ticket["at"] += 1
        if asked.headers.get("if-match") != f'"{ticket["at"]}"':
            return 412, {}, {"message": "Precondition Failed"}
        ticket |= asked.json()
        ticket["at"] += 1
        return 200, {}, [f"Ticket {number}: changed"]

    def _comment(self, asked, number):
        body = asked.json()
        self.comments[number].append((body["Subject"], body["Content"]))
        for one in body.get("Attachments", []):
            self.files[number][one["FileName"]] = [(one["FileType"], one["FileContent"])]
        return 201, {}, ["Comments added"]

    def _said(self, asked, number):
        rows = [{"id": str(i), "Subject": s} for i, (s, _) in enumerate(self.comments[number])]
        return self._page(asked, rows)


class WebhookFake(Fake):
    """A receiver that takes an event with a key that it has seen for the one it has."""

    url = "https://hooks.example.test/watcher"

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.events = {}
        self.now = None
        """Seconds since 1970 by the receiver's clock; None: it does not look at the time."""

    def key_of(self, ticket):
        """Return our key in a ticket."""
        return ticket["key"]

    def foreign(self, value):
        """Return an answer that speaks of another's ticket."""
        return {**value, "key": "watcher-other-1"}

    def answer(self, asked):
        """Answer a call."""
        if not self.holds(asked):
            return 403, {}, {"message": "the signature does not hold"}
        key, told = asked.headers["idempotency-key"], asked.json()
        if key in self.events:
            return 200, {}, self.events[key]
        if told["event"] == "create":
            number = self.add(told)
        else:
            number = int(told["ticket"]["number"])
            self.comments[number].append(told)
        answer = {"id": str(number), "number": str(number), "url": f"{self.url}/{number}"}
        self.events[key] = answer
        return 201, {}, answer

    def holds(self, asked):
        """Check a signature as docs/ticket-systems.md tells a receiver to."""
        import hashlib  # noqa: PLC0415 -- what a receiver needs stands together
        import hmac  # noqa: PLC0415

        stamp = asked.headers["watcher-timestamp"]
        signed = stamp.encode() + b"." + asked.raw
        made_ = "v1=" + hmac.new(self.secret.encode(), signed, hashlib.sha256).hexdigest()
        fresh = self.now is None or abs(int(stamp) - self.now) <= 300
        return fresh and hmac.compare_digest(made_, asked.headers["watcher-signature"])

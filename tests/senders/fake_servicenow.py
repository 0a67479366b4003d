"""A ServiceNow by its documentation."""

import base64
from urllib.parse import parse_qs

from senders.fakes import Fake


class ServiceNowFake(Fake):
    """Change Management and Table API of one instance."""

    url = "https://example.service-now.test"
    absent = (404, {}, {"error": {"message": "No Record found"}})
    tables = ("correlation_id", "description", "number", "sys_id")

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.tokens = set()
        self.expires = False
        self.ignored = ()
        """Fields that nobody may write: the Change API names them, the table says nothing."""

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
        return self.routed(asked, asked.path, routes)

    def number_of(self, id_):
        """Return the number of a change."""
        return int(id_, 16)

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
        body = self._heeded(asked)
        names = ("correlation_id", "short_description", "description")
        ticket = dict.fromkeys((*names, "work_notes", "comments"), "") | {"state": "-5"}
        ticket |= {k: v if k == "correlation_id" else v[:4000] for k, v in body.items()}
        ticket["short_description"] = ticket["short_description"][:160]
        if self.drops_field:
            ticket["correlation_id"] = ""
        return 201, {}, {"result": self._shown(self.add(ticket), asked)}

    def _shown(self, number, asked):
        open_ = self.tickets[number]["state"] not in {"3", "4"}
        plain = {
            **self.tickets[number], "sys_id": f"{number:032x}", "number": f"CHG{number:07d}",
            "active": str(open_).lower(),
        }  # fmt: skip
        if "sn_chg_rest" not in asked.path:
            return plain
        typed = plain | {"active": open_, "state": float(plain["state"])}
        shown = {k: {"value": v, "display_value": f"shown {v}"} for k, v in typed.items()}
        ignored = [name for name in asked.json() if name in self.ignored]
        return shown | {"__meta": {"ignoredFields": ignored}}

    def _heeded(self, asked):
        return {name: v for name, v in asked.json().items() if name not in self.ignored}

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

    def _get(self, asked, number):
        shown = self._shown(number, asked)
        for name in ("work_notes", "comments"):
            notes = [text for kind, text in self.comments[number] if kind == name]
            shown[name] = "".join(f"2026-11-23 10:00:00 - watcher\n{text}\n\n" for text in notes)
        return 200, {}, {"result": shown}

    def _set(self, asked, number):
        for name, value in self._heeded(asked).items():
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

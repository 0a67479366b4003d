"""A Jira, Cloud and Data Center, by its documentation."""

import base64
import json
import re
from typing import ClassVar

from senders.fakes import Fake


class JiraFake(Fake):
    """Issues of one project; Cloud (version 3) or Data Center (version 2)."""

    cloud = True
    url = "https://example.atlassian.test"
    root = "/rest/api/3"
    first = 10_000
    categories = {"21": "done", "31": "new"}  # noqa: RUF012 -- replaced as a whole
    """Of the status that each transition leads to."""
    captcha: ClassVar = {}
    """Headers of the answer to an account that failed to log in too often."""
    absent = (404, {}, {"errorMessages": ["Issue does not exist"], "errors": {}})
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
        if self.captcha:
            return 403, self.captcha, {"message": "Login denied"}
        known = self._known(asked)
        status_, headers, value = self._done(asked) if known else self._to_anybody(asked)
        reason = "OK" if known else "AUTHENTICATED_FAILED"
        return status_, {**headers, "X-Seraph-LoginReason": reason}, value

    def _to_anybody(self, asked):
        """Answer who is not logged in: a Cloud takes a wrong log-in for none."""
        if not self.cloud:
            return 401, {}, {"message": "Client must be authenticated to access this resource."}
        if asked.path.endswith("/search/jql"):
            return 200, {}, {"issues": [], "isLast": True}
        if asked.path.endswith("/issue"):
            words = "Anonymous users do not have permission to create issues in this project."
            return 400, {}, {"errorMessages": [], "errors": {"project": words}}
        return self.absent

    def _done(self, asked):
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
        return self.routed(asked, path, routes)

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
        nodes = [node for block in blocks for node in block["content"]]
        return (
            (text["type"], text["version"]) == ("doc", 1)
            and len(json.dumps(text, separators=(",", ":"))) <= 32_767
            and all(block["type"] == "paragraph" for block in blocks)
            and all(node == {"type": "hardBreak"} or node["text"] for node in nodes)
        )

    def _create(self, asked):
        body = asked.json()
        if wrong := self._bad(body["fields"]):
            return 400, {}, {"errorMessages": [], "errors": wrong}
        properties = {one["key"]: one["value"] for one in body.get("properties", [])}
        kept = {} if self.drops_field else properties
        fields = {**body["fields"], "status": status("new")}
        number = self.add({"fields": fields, "properties": kept})
        id_ = str(self.first + number)
        return 201, {}, {"id": id_, "key": f"UC-{number}", "self": f"{self.url}/rest/{id_}"}

    def _shown(self, number):
        files = [{"filename": name} for name in self.files[number]]
        ticket = self.tickets[number]
        fields = {**ticket["fields"], "attachment": files}
        id_ = str(self.first + number)
        return {
            "id": id_, "key": f"{project_of(ticket)}-{number}", "fields": fields,
            "properties": ticket["properties"],
        }  # fmt: skip

    def _find(self, asked):
        body = asked.json()
        label = re.search(r'labels = "([^"]+)"', body["jql"])[1]
        project = re.search(r'project = "([^"]+)"', body["jql"])[1]
        found = self.searched(
            lambda ticket: label in ticket["fields"]["labels"] and project_of(ticket) == project
        )
        known = [self.number_of(one) for one in body.get("reconcileIssues", [])]
        found = sorted({*found, *(n for n in known if n in self.tickets)})
        start = int(body.get("nextPageToken") or body.get("startAt") or 0)
        page = found[start : start + body["maxResults"]]
        answer = {"issues": [self._shown(n) for n in page]}
        if self.cloud and start + len(page) < len(found):
            answer["nextPageToken"] = str(start + len(page))
        return 200, {}, answer

    def _get(self, asked, number):
        shown = self._shown(number)
        wanted = asked.query["fields"].split(",")
        fields = {name: shown["fields"].get(name) for name in wanted}
        kept = asked.query.get("properties", "").split(",")
        properties = {name: v for name, v in shown["properties"].items() if name in kept}
        return 200, {}, {**shown, "fields": fields, "properties": properties}

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
        category = self.categories[asked.json()["transition"]["id"]]
        self.tickets[number]["fields"]["status"] = status(category)
        return 204, {}, None

    def _attach(self, asked, number):
        if asked.headers.get("x-atlassian-token") != "no-check":
            return 403, {}, {"message": "XSRF check failed"}
        name = re.search(rb'filename="([^"]+)"', asked.raw)[1].decode()
        self.files[number].setdefault(name, []).append(("", asked.raw))
        return 200, {}, [{"filename": name}]


def project_of(ticket):
    """Return the project that a ticket was made in or that people moved it to."""
    return ticket.get("moved", "UC")


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

"""A Request Tracker 5 as the real one answers."""

import base64
import re

from senders.fakes import Fake


class RtFake(Fake):
    """A queue of RT with a custom field; REST2 as the real program answers (test_rt_real.py)."""

    url = "https://rt.example.test"
    statuses = ("new", "open", "stalled", "resolved", "rejected", "deleted")
    right = True
    """Of writing to a ticket."""
    superuser = False
    """Who is none is not told how many rows there are, and some are left out of each page."""
    absent = (404, {}, {"message": "Not Found"})

    def key_of(self, ticket):
        """Return our key in a ticket."""
        return ticket["CustomFields"].get("Change-Key") or ticket["Subject"][1:].partition("]")[0]

    def foreign(self, value):
        """Return an answer that speaks of another's ticket."""
        if isinstance(value, dict) and "items" in value:
            return {**value, "items": [{"id": "4711", "type": "ticket"}], "pages": None}
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
        return self.routed(asked, path, routes)

    def _create(self, asked):
        body = asked.json()
        kept = {} if self.drops_field else body.get("CustomFields", {})
        ticket = {"Subject": body["Subject"], "Status": "new", "CustomFields": kept, "at": 0}
        ticket |= {
            name: body[name] for name in ("Queue", "Starts", "Due", "Content") if name in body
        }
        number = self.add(ticket)
        self.comments[number].append((body["Subject"], body["Content"]))
        self._keep(number, body)
        answer = {"type": "ticket", "id": str(number), "_url": f"{self.url}/REST/2.0/{number}"}
        return 201, {}, answer

    def _keep(self, number, body):
        for one in body["Attachments"]:
            data = base64.b64decode(one["FileContent"], validate=True)
            self.files[number].setdefault(one["FileName"], []).append((one["FileType"], data))

    def _find(self, asked):
        query = asked.query["query"]
        queue = re.match(r"Queue = '([^']+)'", query)[1]
        subject = re.search(r"Subject LIKE '([^']+)'", query)
        key = re.search(r"CF\.\{Change-Key\} = '([^']+)'", query)

        # SQL's LIKE: no case, and `_` is any character.
        like = re.compile(re.escape(subject[1]).replace("_", "."), re.IGNORECASE)

        def matches(ticket):
            kept = ticket["CustomFields"].get("Change-Key")
            found = like.search(ticket["Subject"]) or (key is not None and kept == key[1])
            there = ticket["Queue"] == queue and ticket["Status"] != "deleted"
            return found and there and "into" not in ticket

        return self._page(asked, [{"id": str(n), "type": "ticket"} for n in self.searched(matches)])

    def _page(self, asked, rows):
        """Return a page; a row that is None is one that the user may not see."""
        page, size = int(asked.query["page"]), int(asked.query["per_page"])
        part = [row for row in rows[(page - 1) * size : page * size] if row is not None]
        total = len(rows) if self.superuser else None
        pages = -(-len(rows) // size) if self.superuser else None
        return 200, {}, {"items": part, "page": page, "pages": pages, "total": total}

    def _get(self, asked, number):
        del asked
        number = self.tickets[number].get("into", number)
        ticket = self.tickets[number]
        values = [ticket["CustomFields"]["Change-Key"]] if ticket["CustomFields"] else []
        fields = [{"id": "1", "type": "customfield", "name": "Change-Key", "values": values}]
        shown = {"id": number, "type": "ticket", "CustomFields": fields}
        shown |= {name: ticket[name] for name in ("Subject", "Status")}
        for name in ("Starts", "Due"):
            shown[name] = (ticket.get(name) or "1970-01-01 00:00:00").replace(" ", "T") + "Z"
        return 200, {"ETag": f'"{ticket["at"]}"'}, shown

    def _set(self, asked, number):
        ticket = self.tickets[number]
        if self.stale:  # somebody else writes between our reading and our writing
            self.stale -= 1
            ticket["at"] += 1
        if asked.headers.get("if-match") != f'"{ticket["at"]}"':
            return 412, {}, {"message": "Precondition Failed"}
        ticket["at"] += 1
        told = [self._write(ticket, name, value) for name, value in asked.json().items()]
        return 200, {}, [f"Ticket {number}: {one}" for one in told]

    def _write(self, ticket, name, value):
        """Write a field, or say in a sentence why not: the status of the answer is 200."""
        if not self.right:
            return "Permission Denied"
        if name == "Status" and value.lower() not in self.statuses:
            return f"Status '{value}' isn't a valid status for this ticket."
        ticket[name] = value.lower() if name == "Status" else value
        return f"{name} changed"

    def _comment(self, asked, number):
        body = asked.json()
        self.comments[number].append((body["Subject"], body["Content"]))
        self._keep(number, body)
        return 201, {}, ["Comments added"]

    def _said(self, asked, number):
        rows = []
        for subject, _ in self.comments[number]:
            rows += [{"Subject": subject}, None]  # the mail that went out, which we may not see
        rows += [{"Filename": one} for one, kept in self.files[number].items() for _ in kept]
        shown = [row and {"id": str(n), **row} for n, row in enumerate(rows)]
        return self._page(asked, shown)

"""What must hold between the ticket systems, and between them and the other settings."""

import re
from collections.abc import Iterator
from ipaddress import ip_address

from watcher.rules.document import Path
from watcher.settings.schema import Settings
from watcher.settings.terms import Fault
from watcher.settings.tickets import (
    JiraSettings,
    Remote,
    RtSettings,
    ServiceNowSettings,
    WebhookSettings,
)

_PORTS = 65535
_CLOSING = {"servicenow": "closing and reopening"}
_API = re.compile(r"/(?:rest|api)(?:/|$)", re.IGNORECASE)
_JIRA = frozenset({"summary", "description", "duedate", "project", "issuetype"})
_OURS = {
    "servicenow": frozenset({
        "short_description", "description", "risk_impact_analysis", "implementation_plan",
        "backout_plan", "test_plan", "start_date", "end_date", "due_date", "correlation_id",
        "correlation_display",
    }),
    "jira_cloud": _JIRA,
    "jira_dc": _JIRA,
    "rt": frozenset({
        "Queue", "Subject", "Content", "ContentType", "Attachments", "Starts", "Due",
    }),
}  # fmt: skip
"""Fields of a new ticket that we write whatever the other settings of its system are."""


def ticket_faults(settings: Settings) -> Iterator[Fault]:
    """Yield every fault of `tickets:` that the shape of one system cannot show."""
    tickets = settings.tickets
    seen: dict[str, str] = {}
    for name, one in tickets.remote().items():
        yield from _address(("tickets", name, "url"), one)
        if one.proxy is not None and _port(one.proxy) > _PORTS:
            yield ("tickets", name, "proxy"), f"{_port(one.proxy)} is no port", f"at most {_PORTS}"
        first = seen.setdefault(one.url.rstrip("/").lower(), name)
        if first != name:
            problem = f"is that of tickets.{first} too: a change would get two tickets there"
            yield ("tickets", name, "url"), problem, f"{first} or {name}, or another url"
        yield from _fields(name, one)
        yield from _ends(name, one)
    if tickets.mail is not None and settings.relay is None:
        yield ("tickets", "mail", "to"), "mail needs a relay", "`relay:` with host and sender"
    for name in tickets.cannot_close() if tickets.close else ():
        words = _CLOSING.get(name, "done and reopened")
        yield ("tickets", name), "it is not told how to close a ticket", f"{words}, or close: false"


def _address(path: Path, system: Remote) -> Iterator[Fault]:
    url = system.url
    host = re.sub(r":[0-9]+$", "", url.split("/")[2]).strip("[]")
    if url.startswith("http:") and not _is_here(host):
        yield path, "log-in and tickets would cross the network in the clear", "https://..."
    if _port(url) > _PORTS:
        yield path, f"{_port(url)} is no port", f"at most {_PORTS}"
    found = _API.search(url, url.index(host) + len(host))
    if found and not isinstance(system, WebhookSettings):
        yield path, "the path of the API is ours to add", url[: found.start()]


def _fields(name: str, system: Remote) -> Iterator[Fault]:
    if isinstance(system, WebhookSettings):
        return
    for field in sorted(system.fields.keys() & ours_in(name, system)):
        yield ("tickets", name, "fields", field), "is written by us", "fields of the site's own"
    labels = system.fields.get("labels", []) if isinstance(system, JiraSettings) else []
    if not isinstance(labels, list) or not all(map(_is_label, labels)):
        yield ("tickets", name, "fields", "labels"), "holds no labels", "a list of words"
    if isinstance(system, JiraSettings) and system.end_field == system.start_field is not None:
        at: Path = ("tickets", name, "end_field")
        yield at, f"{system.end_field} is the start_field", "another field for the end"


def ours_in(name: str, system: ServiceNowSettings | JiraSettings | RtSettings) -> frozenset[str]:
    """Return the fields of a new ticket that we write: a site's own would be lost without a word.

    Labels are not among them, they stand beside ours; nor is `cmdb_ci`, whose value under `fields`
    is for clusters and nodes that `items` does not name.
    """
    match system:
        case ServiceNowSettings():
            chosen = {"type"} if system.table_api else set()
        case JiraSettings():
            chosen = {one for one in (system.start_field, system.end_field) if one is not None}
        case RtSettings():
            told = {"Requestor": system.requestor, "CustomFields": system.custom_field}
            chosen = {field for field, value in told.items() if value is not None}
    return _OURS[name] | chosen


def _is_label(one: object) -> bool:
    return isinstance(one, str) and one != "" and not re.search(r"\s", one)


def _ends(name: str, system: Remote) -> Iterator[Fault]:
    """Yield what would close a ticket and not be known as closed, or not be undone."""
    if not isinstance(system, JiraSettings | RtSettings) or system.done is None:
        return
    if system.done == system.reopened:
        at: Path = ("tickets", name, "reopened")
        yield at, f"{system.done} is what closes it", "what opens it again"
    if isinstance(system, RtSettings) and system.done not in system.ended:
        problem = f"{system.done} is not in ended: a ticket that has it would count as open"
        yield ("tickets", name, "done"), problem, f"one of {', '.join(system.ended)}"


def _port(url: str) -> int:
    found = re.search(r":([0-9]+)$", url.split("/")[2])
    return int(found[1]) if found else 0


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False

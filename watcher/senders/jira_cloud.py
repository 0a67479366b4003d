"""Jira Cloud, API version 3: rich text is an Atlassian document, the log-in e-mail and token."""

import base64
from collections.abc import Iterator, Sequence

import httpx2

from watcher.senders.answers import Value, at, list_of, rows_at
from watcher.senders.jira import PAGE, PAGES, PROPERTY, Dialect, Jira, JiraOptions
from watcher.tickets.encode import jira_adf, visible


def jira_cloud(options: JiraOptions, transport: httpx2.BaseTransport | None = None) -> Jira:
    """Return the back-end of one Jira Cloud site."""
    login = base64.b64encode(f"{options.user}:{options.token}".encode()).decode()
    dialect = Dialect(
        root="rest/api/3", writes=jira_adf, reads=_plain, marks=visible,
        authorization=f"Basic {login}", search=_search,
    )  # fmt: skip
    return Jira(options, dialect, transport)


def _search(jira: Jira, tag: str, made: Sequence[str]) -> Iterator[Value]:
    """Yield what carries a label; issues just made are reconciled with the index (Cloud's word)."""
    body: dict[str, object] = {
        "jql": f'project = "{jira.options.project}" AND labels = "{tag}"',
        "fields": ["summary", "status", "labels"], "properties": [PROPERTY], "maxResults": PAGE,
    }  # fmt: skip
    if made:
        body["reconcileIssues"] = [int(id_) for id_ in made]
    for _ in range(PAGES):
        answer = jira.search("search/jql", body)
        yield from list_of(answer, "issues")
        token = answer.text("nextPageToken")
        if not token or token == body.get("nextPageToken"):
            return
        body["nextPageToken"] = token


def _plain(value: Value) -> str:
    """Return the text of an Atlassian document, an empty line between its blocks."""
    return "\n\n".join("".join(_texts(block, 0)) for block in rows_at(value, "content"))


def _texts(node: Value, depth: int) -> Iterator[str]:
    text = at(node, "text")
    if isinstance(text, str):
        yield text
    if at(node, "type") == "hardBreak":
        yield "\n"
    if depth < 20:  # noqa: PLR2004 -- nobody writes deeper
        for inner in rows_at(node, "content"):
            yield from _texts(inner, depth + 1)

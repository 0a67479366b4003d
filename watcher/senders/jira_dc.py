"""Jira Data Center, API version 2: rich text is wiki markup, the log-in a personal token."""

from collections.abc import Iterator, Sequence

import httpx2

from watcher.senders.answers import Value, list_of
from watcher.senders.jira import PAGE, PAGES, PROPERTY, Dialect, Jira, JiraOptions
from watcher.tickets.encode import jira_wiki


def jira_dc(options: JiraOptions, transport: httpx2.BaseTransport | None = None) -> Jira:
    """Return the back-end of one Jira Data Center."""
    dialect = Dialect(
        root="rest/api/2", writes=jira_wiki, reads=_plain, marks=jira_wiki,
        authorization=f"Bearer {options.token}", search=_search,
    )  # fmt: skip
    return Jira(options, dialect, transport)


def _search(jira: Jira, tag: str, _: Sequence[str]) -> Iterator[Value]:
    """Yield what carries a label; each node of a cluster has an index of its own, which lags."""
    for page in range(PAGES):
        body = {
            "jql": f'project = "{jira.options.project}" AND labels = "{tag}"',
            "fields": ["summary", "status", "labels"], "properties": [PROPERTY],
            "maxResults": PAGE, "startAt": page * PAGE,
        }  # fmt: skip
        rows = list_of(jira.search("search", body), "issues")
        yield from rows
        if len(rows) < PAGE:
            return


def _plain(value: Value) -> str:
    """Return wiki markup as it was written."""
    return value if isinstance(value, str) else ""

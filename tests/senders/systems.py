"""Each back-end beside its fake, for tests that hold all of them to the same promises."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from senders.fake_jira import JiraDcFake, JiraFake
from senders.fake_rt import RtFake
from senders.fake_servicenow import ServiceNowFake
from senders.fake_webhook import WebhookFake
from senders.fakes import Fake
from store import samples

from watcher.model.slot import Outcome
from watcher.model.ticket import Attachment, Draft
from watcher.senders.http import HttpOptions
from watcher.senders.jira import JiraOptions
from watcher.senders.jira_cloud import jira_cloud
from watcher.senders.jira_dc import jira_dc
from watcher.senders.rt import RequestTracker, RtOptions
from watcher.senders.servicenow import ServiceNow, ServiceNowOptions
from watcher.senders.webhook import Webhook, WebhookOptions

NOW = datetime(2026, 11, 23, 21, 0, tzinfo=UTC)
HOSTILE = (
    '"><script>alert(1)</script>[code]<b>x</b>[/code] {color:red}x{color} [~admin] h1. x '
    "\r\nBcc: evil@example.com\r\nStatus: resolved\x1b[31m\u202e\x00 =cmd|' /C calc'!A0"
)


def draft(key="watcher-graz-1", version=1, **changes):
    """Return a draft such as the planner makes."""
    texts = {
        "title": "Renew 2 certificates on graz",
        "description": "cucm-pub.example.net: certificate expires 2026-12-05",
        "risk": "Phones lose trust if the order is not kept.",
        "impact": "Some phones are not registered for 10 minutes.",
        "implementation": "Regenerate\nRestart",
        "back_out": "Restore the backup",
        "test": "Phones are registered",
        "items": ("cucm-pub", "cucm-sub1"),
        "attachments": (Attachment(name="plan.html", media_type="text/html", data=b"<p>plan</p>"),),
    }
    times = {"starts": NOW, "ends": NOW.replace(hour=23), "due": NOW.replace(day=30)}
    about = {"key": key, "version": version, "material": "ab12", "cluster": "graz"}
    return Draft(**(about | texts | times | changes))


def untimed(outcome=Outcome.NONE, **changes):
    """Return a draft without times: no slot fits, or none was looked for."""
    fit = samples.fit(outcome=outcome)
    return draft(**({"starts": None, "ends": None, "due": None, "fit": fit} | changes))


@dataclass(frozen=True)
class Kind:
    """How to make a back-end and its fake."""

    name: str
    fake: type[Fake]
    make: Callable
    searches: bool = True
    attaches_apart: bool = False

    def pair(self, *, closes=True, **options):
        """Return a back-end and its fake."""
        fake = self.fake(**options)
        return self.make(fake, closes), fake


def _http(fake):
    return HttpOptions(url=fake.url)


def _servicenow(fake, closes):
    closing = {"closing": {"state": "3"}, "reopening": {"state": "-5"}} if closes else {}
    options = ServiceNowOptions(http=_http(fake), user="watcher", password=fake.secret, **closing)
    return ServiceNow(options, transport=fake)


def _servicenow_oauth(fake, closes):
    closing = {"closing": {"state": "3"}, "reopening": {"state": "-5"}} if closes else {}
    options = ServiceNowOptions(
        http=_http(fake), client_id="id", client_secret=fake.secret, table_api=True, **closing
    )
    return ServiceNow(options, transport=fake)


def _jira(fake, closes):
    ways = {"done": "Done", "reopened": "Reopen"} if closes else {}
    return JiraOptions(
        http=_http(fake), project="UC", user="watcher@example.net", token=fake.secret, **ways
    )


def _rt(fake, closes):
    ways = {"done": "resolved", "reopened": "open"} if closes else {}
    options = RtOptions(
        http=_http(fake), queue="UC Changes", token=fake.secret, custom_field="Change-Key", **ways
    )
    return RequestTracker(options, transport=fake)


def _webhook(fake, _closes):
    options = WebhookOptions(http=_http(fake), secret=fake.secret)
    return Webhook(options, lambda: NOW, transport=fake)


KINDS = (
    Kind("servicenow", ServiceNowFake, _servicenow, attaches_apart=True),
    Kind("servicenow-table-oauth", ServiceNowFake, _servicenow_oauth, attaches_apart=True),
    Kind("jira-cloud", JiraFake, lambda f, c: jira_cloud(_jira(f, c), f), attaches_apart=True),
    Kind("jira-dc", JiraDcFake, lambda f, c: jira_dc(_jira(f, c), f), attaches_apart=True),
    Kind("rt", RtFake, _rt),
    Kind("webhook", WebhookFake, _webhook, searches=False),
)
SEARCHED = tuple(kind for kind in KINDS if kind.searches)

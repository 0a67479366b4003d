"""From settings and secrets to the ticket systems behind a network; none is spoken to here."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from watcher.app.parts import TicketKeys
from watcher.app.relay import relay_options
from watcher.ports import Clock, TicketSystem
from watcher.senders.http import HttpOptions
from watcher.senders.jira import JiraOptions
from watcher.senders.jira_cloud import jira_cloud
from watcher.senders.jira_dc import jira_dc
from watcher.senders.mail import Mail, MailOptions
from watcher.senders.rt import RequestTracker, RtOptions
from watcher.senders.servicenow import ServiceNow, ServiceNowOptions
from watcher.senders.webhook import Webhook, WebhookOptions
from watcher.settings.schema import Settings
from watcher.settings.tickets import (
    JiraCloudSettings,
    JiraSettings,
    RtSettings,
    ServiceNowSettings,
    System,
)

CONNECT = 5.0
"""Seconds at most; `tickets.call` bounds them, and all else of a call."""


def remote_systems(settings: Settings, keys: TicketKeys, clock: Clock) -> Iterator[TicketSystem]:
    """Yield the systems of the settings, each with the name of its block."""
    told, call = settings.tickets, settings.tickets.call.total_seconds()
    ways = {name: _http(one, keys.ca.get(name), call) for name, one in told.remote().items()}
    if told.servicenow is not None:
        yield ServiceNow(_servicenow(told.servicenow, ways["servicenow"], keys))
    if told.jira_cloud is not None:
        yield jira_cloud(_jira("jira_cloud", told.jira_cloud, ways["jira_cloud"], keys))
    if told.jira_dc is not None:
        yield jira_dc(_jira("jira_dc", told.jira_dc, ways["jira_dc"], keys))
    if told.rt is not None:
        yield RequestTracker(_rt(told.rt, ways["rt"], keys))
    if told.mail is not None:
        yield Mail(_mail(settings, keys), clock.now)
    if told.webhook is not None:
        secret, header = (keys.reveal("webhook", name) for name in ("secret", "authorization"))
        options = WebhookOptions(http=ways["webhook"], secret=secret, authorization=header)
        yield Webhook(options, clock.now)


def _http(told: System, ca: Path | None, call: float) -> HttpOptions:
    return HttpOptions(
        url=told.url, ca_file=ca, proxy=told.proxy, connect=min(CONNECT, call),
        pool=min(CONNECT, call), read=call, write=call, whole=call,
    )  # fmt: skip


def _servicenow(told: ServiceNowSettings, http: HttpOptions, keys: TicketKeys) -> ServiceNowOptions:
    return ServiceNowOptions(
        http=http, user=told.user or "", password=keys.reveal("servicenow", "password"),
        client_id=told.client_id or "", client_secret=keys.reveal("servicenow", "client_secret"),
        table_api=told.table_api, fields=told.fields, items=told.items, comments=told.comments,
        closing=told.closing, reopening=told.reopening,
    )  # fmt: skip


def _jira(name: str, told: JiraSettings, http: HttpOptions, keys: TicketKeys) -> JiraOptions:
    return JiraOptions(
        http=http, name=name, project=told.project, issue_type=told.issue_type,
        user=told.user if isinstance(told, JiraCloudSettings) else "",
        token=keys.reveal(name, "token"), fields=told.fields,
        start_field=told.start_field or "", end_field=told.end_field or "",
        done=told.done or "", reopened=told.reopened or "",
    )  # fmt: skip


def _rt(told: RtSettings, http: HttpOptions, keys: TicketKeys) -> RtOptions:
    return RtOptions(
        http=http, queue=told.queue, token=keys.reveal("rt", "token"),
        requestor=told.requestor or "", custom_field=told.custom_field or "",
        fields=told.fields, correspond=told.correspond, done=told.done or "",
        reopened=told.reopened or "", ended=told.ended,
    )  # fmt: skip


def _mail(settings: Settings, keys: TicketKeys) -> MailOptions:
    """Return how changes are mailed: as all our mail, within the time of one call."""
    relay, mail, call = settings.relay, settings.tickets.mail, settings.tickets.call.total_seconds()
    if relay is None or mail is None:
        raise ValueError("mail needs a relay; the check of the settings tells")
    options = relay_options(relay, keys.relay_password, keys.relay_ca)
    return MailOptions(
        relay=replace(options, step=min(options.step, call), whole=call),
        recipients=mail.to, domain=settings.own_domain(),
    )  # fmt: skip

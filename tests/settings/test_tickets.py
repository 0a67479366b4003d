"""The shape of the ticket systems, and what must hold between them and the other settings."""

from urllib.parse import urlsplit

import pytest
from senders.fake_jira import JiraDcFake, JiraFake
from senders.fake_rt import RtFake
from senders.fake_servicenow import ServiceNowFake
from senders.served import served
from senders.systems import draft

from watcher.app.clock import SystemClock
from watcher.app.parts import TicketKeys
from watcher.app.systems import remote_systems
from watcher.errors import InputError
from watcher.inputs.secret import Secret
from watcher.settings.loader import load
from watcher.settings.ticket_faults import ours_in

SNOW = "url: 'https://a.example', user: u, password: {file: p}"
JIRA = "project: UC, token: {file: t}"
HOOK = "secret: {file: s}"
TWICE = (
    f"jira_dc: {{url: 'https://A.example/', {JIRA}}}",
    f"webhook: {{url: 'https://a.example', {HOOK}}}",
)
RT = "token: {file: t}, queue: q, custom_field: f"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f"webhook: {{url: 'http://a.example/x', {HOOK}}}", "cross the network in the clear"),
        (f"webhook: {{url: 'http://localhost.a.example', {HOOK}}}", "in the clear"),
        (f"jira_dc: {{url: 'https://u:p@a.example', {JIRA}}}", "tickets.jira_dc.url"),
        (f"jira_dc: {{url: 'https://a.example/?q=1', {JIRA}}}", "tickets.jira_dc.url"),
        (f"jira_dc: {{url: 'https://a.example:70000', {JIRA}}}", "70000 is no port"),
        (f"jira_dc: {{url: 'https://a.example', proxy: 'http://p:70000', {JIRA}}}", "is no port"),
        (f"jira_dc: {{url: 'https://a.example', proxy: 'http://u:p@p', {JIRA}}}", "jira_dc.proxy"),
        ("jira_dc: {url: 'https://a.example', project: UC, token: tt}", "a secret stands elsew"),
        (f"jira_cloud: {{url: 'https://a.example', {JIRA}}}", "tickets.jira_cloud.user"),
        (f"servicenow: {{{SNOW}, client_id: c}}", "the log-in is not one"),
        ("servicenow: {url: 'https://a.example', user: u}", "the log-in is not one"),
        (f"servicenow: {{{SNOW}, comments: notes}}", "tickets.servicenow.comments"),
        (f"servicenow: {{{SNOW}, fields: {{'a b': c}}}}", "tickets.servicenow.fields"),
        (
            "rt: {url: 'https://a.example', token: {file: t}, queue: \"x' OR 1\"}",
            "tickets.rt.queue",
        ),
        ("mail: {to: [a@example.com]}", "mail needs a relay"),
        ("mail: {to: []}", "tickets.mail.to"),
        (f"close: true, servicenow: {{{SNOW}}}", "not told how to close"),
        (f"jira_dc: {{url: 'https://u:geheim@a.example', {JIRA}}}", "url: holds a log-in"),
        (f"jira_dc: {{url: 'u:geheim@a.example', {JIRA}}}", "url: holds a log-in"),
        (f"jira_dc: {{url: 'a.example', {JIRA}}}", "url: is not a web address"),
        (f"jira_dc: {{url: 'https://a.example/?t=geheim', {JIRA}}}", "url: is not a web address"),
        (f"jira_dc: {{url: 'https://a.example/j/rest/api/2', {JIRA}}}", "(expected https://a.exam"),
        (f"rt: {{url: 'https://a.example/rt/REST/2.0', {RT}}}", "(expected https://a.example/rt)"),
        (f"jira_dc: {{url: 'https://a.example', {JIRA}, feilds: {{}}}}", "key (expected fields)"),
        (
            f"jira: {{url: 'https://a.example', {JIRA}}}",
            "tickets.jira: unknown key (expected jira_",
        ),
        (
            f"{TWICE[0]}, {TWICE[1]}",
            "tickets.webhook.url: is that of tickets.jira_dc too",
        ),
        (
            f"jira_dc: {{url: 'https://a.example', {JIRA}, fields: {{duedate: a}}}}",
            "fields.duedate: is w",
        ),
        (
            f"jira_dc: {{url: 'https://a.example', {JIRA}, fields: {{labels: [a b]}}}}",
            "fields.labels: holds no labels (expected a list of words)",
        ),
        (f"servicenow: {{{SNOW}, items: {{graz: x}}}}", "items.graz: "),
        (f"servicenow: {{{SNOW}, fields: {{description: x}}}}", "description: is written by us"),
        (
            f"rt: {{url: 'https://a.example', {RT}, fields: {{Subject: x}}}}",
            "Subject: is written by",
        ),
        (
            f"rt: {{url: 'https://a.example', {RT}, fields: {{CustomFields: {{a: b}}}}}}",
            "tickets.rt.fields.CustomFields: is written by us",
        ),
        (
            f"rt: {{url: 'https://a.example', {RT}, requestor: a, fields: {{Requestor: b}}}}",
            "tickets.rt.fields.Requestor: is written by us",
        ),
        (
            f"servicenow: {{{SNOW}, table_api: true, fields: {{type: emergency}}}}",
            "tickets.servicenow.fields.type: is written by us",
        ),
        (
            f"jira_dc: {{url: 'https://a.example', {JIRA}, end_field: e, fields: {{e: x}}}}",
            "tickets.jira_dc.fields.e: is written by us",
        ),
        (
            f"jira_dc: {{url: 'https://a.example', {JIRA}, start_field: a, end_field: a}}",
            "tickets.jira_dc.end_field: a is the start_field",
        ),
        (
            f"jira_dc: {{url: 'https://a.example', {JIRA}, done: Done, reopened: Done}}",
            "tickets.jira_dc.reopened: Done is what closes it",
        ),
        (
            f"rt: {{url: 'https://a.example', {RT}, done: solved, reopened: open}}",
            "tickets.rt.done: solved is not in ended",
        ),
        ("rt: {url: 'https://a.example', token: {file: t}, queue: q}", "custom_field: is missing"),
        ("close: yes", "tickets.close: 'yes' is neither true nor false"),
        (f"close: true, jira_dc: {{url: 'https://a.example', {JIRA}, done: D}}", "not told how"),
    ],
)
def test_what_does_not_fit_is_told_in_one_line(text, problem):
    with pytest.raises(InputError) as caught:
        load("watcher.yaml", f"tickets: {{{text}}}", {})

    assert problem in str(caught.value)
    assert str(caught.value).isprintable()
    assert "geheim" not in str(caught.value)
    assert caught.value.where.line == 1


@pytest.mark.parametrize(
    "text",
    [
        f"rt: {{url: 'https://a.example', {RT}, fields: {{Requestor: b}}}}",
        f"servicenow: {{{SNOW}, fields: {{type: emergency, cmdb_ci: x}}}}",
        f"jira_dc: {{url: 'https://a.example', {JIRA}, fields: {{e: x, labels: [a]}}}}",
    ],
)
def test_a_field_that_we_do_not_write_is_the_sites_own(text):
    (one,) = load("watcher.yaml", f"tickets: {{{text}}}", {}).tickets.remote().values()

    assert one.fields


def test_without_a_custom_field_the_subject_alone_has_our_key():
    text = "rt: {url: 'https://a.example', token: {file: t}, queue: q, custom_field: null}"

    assert load("watcher.yaml", f"tickets: {{{text}}}", {}).tickets.rt.custom_field is None


LOGINS = {
    "servicenow": "user: watcher, password: {file: p}",
    "jira_cloud": f"user: watcher@example.net, {JIRA}",
    "jira_dc": JIRA,
    "rt": "token: {file: t}, queue: UC Changes",
}


def created(name, fake, more):
    """Return the fields of a new ticket, made as the settings say, and those said to be ours."""
    folder = urlsplit(fake.url).path
    secrets = {(name, key): Secret(fake.secret) for key in ("password", "token")}
    with served(fake) as port:
        text = f"{name}: {{url: 'http://127.0.0.1:{port}{folder}', {LOGINS[name]}{more}}}"
        settings = load("watcher.yaml", f"tickets: {{{text}}}", {})
        (system,) = remote_systems(settings, TicketKeys(secrets=secrets), SystemClock())
        system.create(draft())
    body = next(asked.json() for asked in fake.asked if asked.method == "POST")
    return set(body.get("fields", body)), ours_in(name, settings.tickets.remote()[name])


@pytest.mark.parametrize(
    ("name", "kind", "more", "beside"),
    [
        ("servicenow", ServiceNowFake, "", set()),
        ("servicenow", ServiceNowFake, ", table_api: true", set()),
        ("servicenow", ServiceNowFake, f", items: {{graz: {'a' * 32}}}", {"cmdb_ci"}),
        ("jira_cloud", JiraFake, "", {"labels"}),
        ("jira_cloud", JiraFake, ", start_field: priority", {"labels"}),
        ("jira_dc", JiraDcFake, "", {"labels"}),
        ("jira_dc", JiraDcFake, ", end_field: priority", {"labels"}),
        ("rt", RtFake, ", custom_field: null", set()),
        ("rt", RtFake, ", custom_field: Change-Key", set()),
        ("rt", RtFake, ", custom_field: null, requestor: a@example.net", set()),
    ],
)
def test_what_is_said_to_be_ours_is_what_we_write(name, kind, more, beside):
    written, ours = created(name, kind(), more)

    assert written - beside == ours


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.2", "[::1]:8080"])
def test_the_loopback_needs_no_encryption(host):
    text = f"tickets: {{webhook: {{url: 'http://{host}/x', {HOOK}}}}}"

    assert load("watcher.yaml", text, {}).tickets.webhook.url == f"http://{host}/x"


def test_without_any_the_folders_are_a_system_and_nothing_is_closed():
    tickets = load("watcher.yaml", "{}", {}).tickets
    off = load("watcher.yaml", "tickets: {directory: false}", {}).tickets

    assert (tickets.used(), off.used(), tickets.close) == (True, False, False)
    assert not tickets.remote()

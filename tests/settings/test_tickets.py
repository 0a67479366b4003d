"""The shape of the ticket systems, and what must hold between them and the other settings."""

import pytest

from watcher.errors import InputError
from watcher.settings.loader import load

SNOW = "url: 'https://a.example', user: u, password: {file: p}"
JIRA = "project: UC, token: {file: t}"
HOOK = "secret: {file: s}"


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
        (f"close: true, jira_dc: {{url: 'https://a.example', {JIRA}, done: D}}", "not told how"),
    ],
)
def test_what_does_not_fit_is_told_in_one_line(text, problem):
    with pytest.raises(InputError) as caught:
        load("watcher.yaml", f"tickets: {{{text}}}", {})

    assert problem in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.2", "[::1]:8080"])
def test_the_loopback_needs_no_encryption(host):
    text = f"tickets: {{webhook: {{url: 'http://{host}/x', {HOOK}}}}}"

    assert load("watcher.yaml", text, {}).tickets.webhook.url == f"http://{host}/x"


def test_without_any_the_folders_are_a_system_and_nothing_is_closed():
    tickets = load("watcher.yaml", "{}", {}).tickets
    off = load("watcher.yaml", "tickets: {directory: false}", {}).tickets

    assert (tickets.used(), off.used(), tickets.close) == (True, False, False)
    assert not tickets.remote()

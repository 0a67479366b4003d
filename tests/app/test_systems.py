"""Each ticket system as the settings make it, against its fake behind a real socket."""

import json

import pytest
from senders.fake_jira import JiraDcFake, JiraFake
from senders.fake_rt import RtFake
from senders.fake_servicenow import ServiceNowFake
from senders.fake_webhook import WebhookFake
from senders.relay import Relay
from senders.served import served

from watcher.app.clock import SystemClock
from watcher.app.settings import locate, prepare, ticket_keys_of
from watcher.app.ticketing import systems_of
from watcher.cli.main import main
from watcher.errors import InputError

LOGIN = "user: watcher, password: {environment: WORD}"
JIRA = "project: UC, token: {environment: WORD}"
BLOCKS = {
    "servicenow": (ServiceNowFake, LOGIN),
    "jira_cloud": (JiraFake, f"user: watcher@example.net, {JIRA}"),
    "jira_dc": (JiraDcFake, JIRA),
    "rt": (RtFake, "queue: UC Changes, custom_field: Change-Key, token: {environment: WORD}"),
    "webhook": (WebhookFake, "secret: {environment: WORD}"),
}
PATHS = {"jira_dc": "/jira", "webhook": "/watcher"}


def written(folder, tickets, more=""):
    path = folder / "watcher.yaml"
    path.write_text(f"state_dir: state\n{more}tickets: {{{tickets}}}\n")
    return str(path)


def test_send(path, system, monkeypatch, capsys):
    """Return what `watcher test-send` ends with and says."""
    monkeypatch.setattr("sys.argv", ["watcher", "test-send", system, "--settings", path])
    with pytest.raises(SystemExit) as left:
        main()
    return left.value.code, capsys.readouterr().out


test_send.__test__ = False


@pytest.mark.parametrize("name", BLOCKS)
def test_a_sample_goes_through_each_system(name, tmp_path, monkeypatch, capsys):
    kind, block = BLOCKS[name]
    fake = kind()
    monkeypatch.setenv("WORD", fake.secret)
    with served(fake) as port:
        url = f"http://127.0.0.1:{port}{PATHS.get(name, '')}"
        path = written(tmp_path, f"{name}: {{url: '{url}', {block}}}")
        status, out = test_send(path, name, monkeypatch, capsys)

    assert (0, f"{name}: works:") == (status, out[: len(name) + 8])
    assert [1] == list(fake.keys().values())
    assert "- commented" in out


def test_a_wrong_log_in_is_told_without_the_secret(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("WORD", "wr0ng-w0rd")
    with served(JiraDcFake()) as port:
        path = written(tmp_path, f"jira_dc: {{url: 'http://127.0.0.1:{port}', {JIRA}}}")
        status, out = test_send(path, "jira_dc", monkeypatch, capsys)

    assert (1, True) == (status, "jira_dc: does not let us in: 127.0.0.1" in out)
    assert "wr0ng" not in out


def test_a_sample_goes_by_mail_through_the_relay(tmp_path, monkeypatch, capsys):
    with Relay() as relay:
        more = (
            f"relay: {{host: 127.0.0.1, port: {relay.port}, security: none,"
            " sender: watcher@example.com}\n"
        )
        path = written(tmp_path, "mail: {to: [voice@example.com]}", more)
        status, out = test_send(path, "mail", monkeypatch, capsys)

    assert (0, True) == (status, "mail: works: watcher-test-" in out)
    assert 2 == len(relay.mails)


@pytest.mark.parametrize("call", [7, 300])
def test_all_of_them_are_made_with_the_time_of_one_call(tmp_path, call):
    blocks = ", ".join(f"{n}: {{url: 'https://{n}.example', {b}}}" for n, (_, b) in BLOCKS.items())
    relay = "relay: {host: a.example, sender: watcher@example.com}\n"
    path = written(tmp_path, f"call: {call}s, mail: {{to: [a@example.com]}}, {blocks}", relay)
    prepared = prepare(path, {"WORD": "w"})
    made = systems_of(prepared, prepared.tickets, SystemClock())
    remote = [one.options.http for name, one in made.items() if name in BLOCKS]
    mailed = made["mail"].options.relay

    assert {"directory", "mail", *BLOCKS} == set(made)
    assert {(call, 5.0, call)} == {(one.whole, one.connect, one.read) for one in remote}
    assert (call, min(30, call)) == (mailed.whole, mailed.step)
    assert '"w"' not in json.dumps(repr(prepared))


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ("", "the variable WORD is not set"),
        (", ca: nowhere.pem", "nowhere.pem: no such file"),
        (", ca: watcher.yaml", "no certificates can be read from it"),
    ],
)
def test_a_secret_or_ca_that_is_not_there_is_told_at_the_start(tmp_path, more, problem):
    environment = {"WORD": "w"} if more else {}
    path = written(tmp_path, f"jira_dc: {{url: 'https://a.example', {JIRA}{more}}}")
    with pytest.raises(InputError, match=problem):
        prepare(path, environment)
    with pytest.raises(InputError, match=problem):
        ticket_keys_of(locate(path, {}), environment)

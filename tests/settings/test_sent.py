"""What must hold between relay, digest and notifications."""

import pytest

from watcher.errors import InputError
from watcher.settings.loader import load

RELAY = "relay: {host: mail.example.com, sender: watcher@example.com}\n"
LIST = "{name: voice, to: [a@example.com]}"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f"digest: {{lists: [{LIST}]}}", "mail needs a relay"),
        (f"{RELAY}digest: {{lists: [{LIST}, {LIST}]}}", "voice already names a list"),
        (f"{RELAY}notifications: {{lists: [{{name: duty}}]}}", "nobody is told"),
        (
            f"{RELAY}notifications: {{lists: [{{name: x, to: [a@b.example], days: [8]}}]}}",
            "8 is no mark of cases.thresholds",
        ),
        (RELAY.replace("}", ", user: u}"), "user and password go together"),
        (
            RELAY.replace("}", ", user: u, security: none, password: {environment: P}}"),
            "a password would go out in the clear",
        ),
        (RELAY.replace("watcher@", "a b@"), "relay.sender"),
        (f"{RELAY}digest: {{lists: [{LIST.replace('a@', 'a,b@')}]}}", "digest.lists"),
        (f"{RELAY}digest: {{time: '25:00', lists: [{LIST}]}}", "digest.time"),
        (f"{RELAY}digest: {{time_zone: Mars, lists: [{LIST}]}}", "'Mars' is not a time zone"),
        ("digest: {plans_at: 'javascript:alert(1)'}", "digest.plans_at"),
    ],
)
def test_what_does_not_fit_is_told_in_one_line(text, problem):
    with pytest.raises(InputError) as caught:
        load("watcher.yaml", text, {})

    assert problem in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_chat_alone_needs_no_relay():
    text = "notifications: {lists: [{name: duty, chat: [{environment: URL}]}]}"

    assert load("watcher.yaml", text, {}).notifications.lists[0].days == (30, 7, 1, 0)


@pytest.mark.parametrize("wrong", ["noc", "noc@", "a b@example.com", "noc@-"])
def test_a_mail_address_is_asked_for_in_words(wrong):
    with pytest.raises(InputError) as caught:
        load("watcher.yaml", RELAY.replace("watcher@example.com", f"'{wrong}'"), {})

    assert f"relay.sender: '{wrong}' is not a mail address" in str(caught.value)
    assert str(caught.value).endswith("(expected name@host, such as noc@example.com)")

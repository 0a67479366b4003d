"""What a webhook says, and that a receiver that follows docs/ticket-systems.md can trust it."""

import base64
from dataclasses import replace

import pytest
from senders.fake_webhook import WebhookFake
from senders.fakes import Fault, Script
from senders.systems import NOW, draft

from watcher.errors import InputError, Refused, Unclear
from watcher.senders.http import HttpOptions
from watcher.senders.webhook import Webhook, WebhookOptions, signature

KEY = "watcher-graz-1"


def system(fake, secret=None, now=NOW):
    options = WebhookOptions(http=HttpOptions(url=fake.url), secret=secret or fake.secret)
    return Webhook(options, lambda: now, transport=fake)


def test_an_event_says_all_of_the_draft():
    fake = WebhookFake()
    system(fake).create(draft())
    told = fake.asked[0].json()

    assert (told["version"], told["event"], told["key"]) == (1, "create", KEY)
    assert told["starts"] == "2026-11-23T21:00:00Z"
    assert base64.b64decode(told["attachments"][0]["data"]) == b"<p>plan</p>"
    assert told["implementation"] == draft().implementation


def test_the_signature_is_what_the_document_says():
    assert signature("key", "1700000000", b'{"a":1}') == (
        "v1=a438e398bfafc57e4396bb7fc2304422f0f768e965d073ca313cb52e22e6ad03"
    )


@pytest.mark.parametrize("part", ["raw", "watcher-timestamp", "watcher-signature"])
def test_what_was_tampered_with_is_seen(part):
    fake = WebhookFake()
    system(fake).create(draft())
    asked = fake.asked[0]
    if part == "raw":
        spoiled = replace(asked, raw=asked.raw.replace(b"graz", b"linz"))
    else:
        text = asked.headers[part]
        spoiled = replace(asked, headers={**asked.headers, part: text[:-1] + "x1"[text[-1] == "x"]})

    assert fake.holds(asked)
    assert not fake.holds(spoiled)


def test_an_old_event_that_is_played_again_is_refused():
    fake = WebhookFake()
    fake.now = NOW.timestamp() + 301

    with pytest.raises(Refused, match="403"):
        system(fake).create(draft())


def test_a_wrong_secret_is_refused():
    with pytest.raises(Refused, match="signature"):
        system(WebhookFake(), secret="another").create(draft())  # noqa: S106 -- of a test


def test_an_event_that_is_sent_again_has_the_same_key_and_makes_nothing_new():
    fake = WebhookFake(script=Script([Fault.LOST]))
    with pytest.raises(Unclear):
        system(fake).create(draft())
    system(fake).create(draft())

    assert fake.keys() == {KEY: 1}
    assert len({asked.headers["idempotency-key"] for asked in fake.asked}) == 1


def test_each_event_has_a_key_of_its_own():
    fake = WebhookFake()
    hook = system(fake)
    ticket = hook.create(draft())
    hook.update(ticket, draft(version=2))
    hook.comment(ticket, f"[{KEY} v2 note]", "changed")
    hook.close(ticket, f"[{KEY} r1 closed]", "done")
    hook.reopen(ticket, f"[{KEY} r2 reopened]", "again")

    events = [asked.json()["event"] for asked in fake.asked]
    assert events == ["create", "update", "comment", "close", "reopen"]
    assert len({asked.headers["idempotency-key"] for asked in fake.asked}) == 5
    assert all(asked.headers["idempotency-key"].isascii() for asked in fake.asked)


def test_a_webhook_without_a_secret_is_an_input_error():
    with pytest.raises(InputError, match="would not be signed"):
        Webhook(WebhookOptions(http=HttpOptions(url="https://x.test"), secret=""), lambda: NOW)


def test_times_that_moved_alone_are_another_event():
    fake = WebhookFake()
    hook = system(fake)
    ticket = hook.create(draft())
    for hour in (22, 23, 23):
        hook.update(ticket, draft(ends=NOW.replace(hour=hour)))
    keys = [asked.headers["idempotency-key"] for asked in fake.asked[1:]]

    assert (keys[1], 2) == (keys[2], len(set(keys)))
    assert 2 == len(fake.comments[1])

"""Real processes send a digest through a relay: once, whoever dies, and drop it when it is back."""

import os
import signal
from contextlib import contextmanager

import pytest
from aiosmtpd.controller import Controller
from digest.test_relay import Desk
from killing.numbered import alarm
from ports import free_port
from system.house import House, until

from watcher.model.ledger import Place, Reason

PEOPLE = ["a@example.com", "b@example.com"]


@contextmanager
def relaying(desk):
    """Run a relay; yield the settings that name it."""
    controller = Controller(desk, "127.0.0.1", free_port(), ready_timeout=20)
    controller.start()
    try:
        yield {
            "relay": {
                "host": "127.0.0.1", "port": controller.port, "security": "none",
                "sender": "watcher@example.com",
            },
            "digest": {"lists": [{"name": "voice", "to": PEOPLE}]},
            "notifications": {"lists": [{"name": "duty", "to": ["duty@example.com"], "days": [7]}]},
            "lease": {"lasts": "5s"},
        }  # fmt: skip
    finally:
        controller.stop()


def mails(desk, word):
    return [content for _, content in desk.mails if word in content]


@pytest.fixture
def desk():
    return Desk()


def test_a_digest_is_sent_once_through_deaths_and_dropped_when_it_comes_back(tmp_path, desk):
    with relaying(desk) as told:
        house = House(tmp_path / "house", changes=told)
        try:
            house.start()
            until(lambda: mails(desk, b"List-Id: <voice."), "the digest", house)
            os.kill(house.worker().pid, signal.SIGKILL)
            until(lambda: house.works() and len(set(house.workers)) > 1, "another worker", house)
            house.udp(alarm(0))
            until(lambda: mails(desk, b"List-Id: <duty."), "the notice", house)
            codes = house.smtp(*(content for _, content in desk.mails * 10))
            until(lambda: house.total(Place.REFUSED) == 20, "the books", house)
            lines = house.worker().lines
        finally:
            house.clear()

    assert [250] * 20 == codes
    assert 1 == len(mails(desk, b"List-Id: <voice."))
    assert 1 == len(mails(desk, b"List-Id: <duty."))
    assert [tuple(PEOPLE), ("duty@example.com",)] == [to for to, _ in desk.mails]
    assert {Reason.OWN_MAIL} == {
        line.reason for line in lines if line.place is Place.REFUSED and line.count
    }

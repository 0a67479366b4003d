"""Hostile bytes by every way at once: all of it counted, none of it in a command or a log line."""

import json
import random
import smtplib
import sqlite3
import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
import trustme
from builders import message
from system.house import House, until
from test_hostile import HOSTILE as TEXTS

from watcher.model.ledger import Place, Reason

MESSAGES = 1000
CANARIES = {
    "users": "Y2FuYXJ5IG9mIHRoZSB1c2VyIDgyNjEgeA==",
    "heartbeat": "canary-of-the-heartbeat-5520",
    "log-in": "AGtpbQBjYW5hcnkgb2YgdGhlIGxvZy1pbg==",
}
HASH = f"pbkdf2_sha256$1000$c2FsdA==${CANARIES['users']}"
"""Of nobody's password."""
EVIL = "; utils system shutdown ;`reboot`$(halt)\x1b[31m"
FIELDS = ("certificate", "store", "node", "host", "text", "cluster_id", "type", "app_id")


@dataclass
class Seen:
    """What came of it."""

    status: int | None = None
    sent: int = 0
    received: int = 0
    difference: int | None = None
    places: dict = field(default_factory=dict)
    plans: list = field(default_factory=list)
    log: str = ""
    lines: list = field(default_factory=list)
    faults: list = field(default_factory=list)


def hostile_bytes(chance):
    """Return one message: an alarm with evil in its fields, a cut or bent one, or noise."""
    kind = chance.random()
    if kind < 0.2:
        return chance.randbytes(chance.randrange(300))
    fields = {name: chance.choice((*TEXTS, EVIL)) for name in chance.sample(FIELDS, 2)}
    data = bytearray(message(**fields).encode("utf-8", "replace"))
    if kind < 0.4:
        del data[chance.randrange(len(data)) :]
    elif kind < 0.6:
        for _ in range(5):
            data[chance.randrange(len(data))] = chance.randrange(256)
    return bytes(data)[:8000]


def known(number):
    """Return an alarm of a node of ours whose other names are evil: it ends in a plan."""
    text = (*TEXTS, EVIL)[number % (len(TEXTS) + 1)]
    store = ("tomcat", "tomcat-trust", EVIL)[number % 3]
    made = message(node="cm1", host="cm1", certificate=text, store=store, text=EVIL)
    return made.encode("utf-8", "replace")


def letter(data):
    """Return a mail that holds it."""
    head = b"From: a@example.test\r\nTo: watcher@localhost\r\nSubject: x\r\n\r\n"
    return head + data


@pytest.fixture(scope="module")
def seen(shared_folder):
    """Send all of it, and look."""
    secrets = {"users": HASH, "heartbeat": f"http://127.0.0.1:9/{CANARIES['heartbeat']}"}
    for name, secret in secrets.items():
        (shared_folder / name).write_text(secret)
        (shared_folder / name).chmod(0o600)
    ours = trustme.CA().issue_cert("127.0.0.1")
    ours.cert_chain_pems[0].write_to_path(shared_folder / "cert.pem")
    ours.private_key_pem.write_to_path(shared_folder / "key.pem")
    (shared_folder / "key.pem").chmod(0o600)
    changes = {
        "cases": {"storm": {"claimed_per_hour": 20}},
        "heartbeat": {"url_from": {"file": str(shared_folder / "heartbeat")}, "every": "10s"},
        "smtp": {
            "users": {"relay": {"file": str(shared_folder / "users")}},
            "certificate": str(shared_folder / "cert.pem"),
            "key": str(shared_folder / "key.pem"),
        },
        "plans": {"debounce": "1s"},
        "log": {"level": "debug", "format": "json"},
    }
    house = House(shared_folder / "house", changes)
    try:
        return _told(house.start(), Seen())
    finally:
        house.clear()


def _told(house, seen):
    _send(house, seen)
    _log_in_wrongly(house)
    _settle(house, seen)
    seen.status = house.stop()
    seen.difference = json.loads(house.ask("status", "--json")[1])["difference"]
    with sqlite3.connect(house.state / "watcher.db") as database:
        seen.plans = [json.loads(row[0]) for row in database.execute("SELECT document FROM plan")]
    seen.log, seen.lines, seen.faults = house.log(), house.lines(), house.faults()
    return seen


def _send(house, seen):
    chance = random.Random(20)  # noqa: S311 -- the same bytes each time
    datagrams = [hostile_bytes(chance) or b"x" for _ in range(MESSAGES)]
    frames = [hostile_bytes(chance) or b"x" for _ in range(MESSAGES)]
    mails = [letter(hostile_bytes(chance)) for _ in range(MESSAGES // 5)]
    ours = [known(number) for number in range(len(TEXTS) + 1)]
    with ThreadPoolExecutor(3) as pool:
        ways = [
            pool.submit(house.udp, *datagrams, *ours, pause=0.001),
            pool.submit(house.tcp, *frames),
            pool.submit(house.smtp, *mails),
        ]
        codes = set(ways[2].result())
        for way in ways:
            way.result()
    assert {250} == codes
    seen.sent = len(datagrams) + len(ours) + len(frames) + len(mails)


def _settle(house, seen):
    until(lambda: house.total_received() >= seen.sent, "all of it", house)
    time.sleep(1.5)
    seen.sent += sum(
        line.count for line in house.receiver().lines if line.reason is Reason.AUTHENTICATION
    )
    until(lambda: house.total(Place.RECEIVED) == seen.sent, "the books", house)
    until(lambda: house.told("plan_drawn") >= 2, "plans", house)
    seen.received = house.total(Place.RECEIVED)
    seen.places = {place: house.total(place) for place in Place}


def _log_in_wrongly(house):
    with smtplib.SMTP(*house.where("smtp"), timeout=60) as session:
        session.starttls(context=ssl._create_unverified_context())  # noqa: S323, SLF001 -- ours
        session.ehlo()
        code, _ = session.docmd("AUTH", f"PLAIN {CANARIES['log-in']}")

    assert 535 == code


def commands(plans):
    """Return every command line of documents, wherever it stands."""
    found = []
    waiting = list(plans)
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            typed = one.get("command") or ()
            found += [line["text"] if isinstance(line, dict) else line for line in typed]
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
    return found


def test_everything_is_counted(seen):
    assert seen.sent == seen.received
    assert 0 == seen.difference
    assert 0 < seen.places[Place.QUARANTINED]
    assert 0 < seen.places[Place.CASE]
    assert 0 == seen.status


def test_no_text_of_a_message_is_in_a_command(seen):
    """D-01, T-01: what is typed on a node is made of the rules' words and the inventory's names."""
    lines = commands(seen.plans)
    evil = ("shutdown", "reboot", "halt", ";", "`", "$", "\x1b", "\n", "\r", "evil", "script")

    assert 20 < len(lines)
    assert [] == [line for line in lines for word in evil if word in line]


def test_the_plans_are_of_what_was_told(seen):
    plans = [one for plan in seen.plans for one in plan["plans"]]

    assert {"numbered", None} == {one["cluster"] for one in plans}
    assert [one["steps"] for one in plans if one["cluster"] and one["steps"]]


def test_the_log_has_no_traceback_and_no_control_character(seen):
    books = seen.log.splitlines()[-1]

    assert [] == seen.faults
    assert len(seen.log.splitlines()) == len(seen.lines) + 1
    assert books.startswith("Books: ")
    assert seen.log.replace("\n", "").isprintable()


def test_a_log_line_is_no_alarm_of_ours(seen):
    """Else a log that comes back as syslog would feed itself."""
    assert "UC_CERT" not in seen.log


@pytest.mark.parametrize("canary", CANARIES.values())
def test_no_secret_is_logged(seen, canary):
    assert canary not in seen.log
    assert "canary" not in seen.log
    assert "heartbeat not delivered" in seen.log

"""One alarm by two ways: one case, one plan; and what a person can ask and do about it."""

import json
import re
import signal
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from system.house import House, until

from watcher import seal
from watcher.app.clock import SystemClock
from watcher.model.ledger import Place

EXAMPLES = Path(__file__).parents[2] / "deploy" / "examples"
ALERT = (EXAMPLES / "alarm-technote.txt").read_text()
ALARM = ALERT.partition("local7 2 : ")[2].partition("\n")[0]
AT = "Sep 05 2014 00:00:06.433"
MAIL = f"From: rtmt@cucm01.example\r\nTo: watcher@localhost\r\nSubject: [RTMT]\r\n\r\n{ALERT}"


@dataclass
class Story:
    """What was seen on the way."""

    first: list = field(default_factory=list)
    """Plan rows of the first life: digest and document."""
    second: list = field(default_factory=list)
    statuses: list = field(default_factory=list)
    goodbye: list = field(default_factory=list)
    pages: dict = field(default_factory=dict)
    asked: dict = field(default_factory=dict)
    states: list = field(default_factory=list)
    mail: list = field(default_factory=list)
    ids: list = field(default_factory=list)
    faults: list = field(default_factory=list)
    files: set = field(default_factory=set)


def plans(house):
    with sqlite3.connect(house.state / "watcher.db") as database:
        return database.execute("SELECT digest, document FROM plan ORDER BY id").fetchall()


def ids(house):
    with sqlite3.connect(house.state / "watcher.db") as database:
        rows = database.execute("SELECT position, place FROM message ORDER BY position").fetchall()
    return [(f"main-{position:x}", place) for position, place in rows]


def state_of(house):
    _, told, _ = house.ask("cases", "show", "1", "--json")
    return json.loads(told)["row"]["case"]["state"]


@pytest.fixture(scope="module")
def story(shared_folder):
    """Tell it once; the tests look at what was seen."""
    house = House(shared_folder / "house", inventory=(EXAMPLES / "technote.yaml").read_text())
    seen = Story()
    try:
        _first_life(house.start(), seen)
        _second_life(house.start(), seen)
        seen.faults = house.faults()
    finally:
        house.clear()
    return seen


def _first_life(house, seen):
    house.udp(f"<186>{ALARM}".encode())
    house.taken_in(1)
    seen.mail = house.smtp(MAIL)
    house.taken_in(2)
    until(lambda: plans(house) and house.worker().plans_drawn, "the plan", house)
    seen.pages = {path: house.page(path) for path in ("/healthz", "/readyz", "/metrics", "/x")}
    seen.ids = ids(house)
    seen.asked["status"] = house.ask("status", "--json")
    seen.asked["show"] = house.ask("cases", "show", "1", "--json")
    seen.asked["explain"] = house.ask("explain", seen.ids[0][0])
    seen.files = {file.name for file in (house.state / "plans").iterdir()}
    seen.statuses.append(house.stop(signal.SIGINT))
    seen.goodbye.append(house.log().splitlines()[-1])
    seen.first = plans(house)


def _second_life(house, seen):
    until(lambda: house.worker().plans_drawn or _looked_again(house), "a look at the plan", house)
    seen.second = plans(house)
    seen.states.append(state_of(house))
    by = ("--by", "kim", "--why", "ticket 7")
    house.ask("cases", "acknowledge", "1", "--until", "7d", *by)
    seen.states.append(state_of(house))
    seen.asked["resolve"] = house.ask("cases", "resolve", "1", "--not-after", "2031-01-01", *by)
    seen.states.append(state_of(house))
    before = house.total(Place.CASE)
    later = f"{SystemClock().now():%b %d %Y %H:%M:%S}.000"
    house.udp(f"<186>{ALARM.replace(AT, later)}".encode())
    until(lambda: house.total(Place.CASE) > before, "the later alarm", house)
    seen.states.append(state_of(house))
    seen.statuses.append(house.stop(signal.SIGTERM))
    seen.goodbye.append(house.log().splitlines()[-1])


def _looked_again(house):
    """Tell whether the worker, which looks at every open cluster after its start, did so."""
    written = (house.state / "worker.json").stat().st_mtime
    return written - house.worker().started_at.timestamp() > 4


def test_one_alarm_by_two_ways_is_one_case(story):
    status, told, _ = story.asked["show"]
    case = json.loads(told)["row"]["case"]

    assert 0 == status
    assert (1, 1, ["smtp", "udp"]) == (case["occurrences"], case["copies"], sorted(case["ways"]))
    assert [250] == story.mail
    assert ["case", "duplicate"] == [place for _, place in story.ids]


def test_there_is_one_plan_with_an_intact_seal(story):
    ((digest, document),) = story.first
    shown = json.loads(story.asked["show"][1])

    assert seal.verify(document).intact
    assert seal.code(digest) == json.loads(document)["plans"][0]["code"]
    assert digest in json.dumps(shown)
    # The PDF comes with an extra.
    assert {"technote.md", "technote.html"} == story.files - {"technote.pdf"}


def test_it_ends_in_order_and_its_books_balance(story):
    assert [0, 0] == story.statuses
    assert [True, True] == [line.endswith("; balanced.") for line in story.goodbye]
    assert "2 received = 1 case + 1 duplicate" in story.goodbye[0]
    assert [] == story.faults


def test_a_second_start_changes_nothing(story):
    assert story.first == story.second


def test_the_pages_say_that_it_is_well(story):
    codes = {path: status for path, (status, _) in story.pages.items()}
    metrics = story.pages["/metrics"][1]

    assert {"/healthz": 200, "/readyz": 200, "/metrics": 200, "/x": 404} == codes
    assert re.search(r'^watcher_\w+\{.*input="udp".*\} 1(\.0)?$', metrics, re.MULTILINE)


def test_the_status_says_so_too(story):
    status, told, _ = story.asked["status"]
    seen = json.loads(told)

    assert (0, []) == (seen["difference"], seen["trouble"])
    assert 0 == status


def test_a_message_is_explained_to_its_plan(story):
    status, told, _ = story.asked["explain"]

    assert 0 == status
    assert "CertValidfor7days" in told
    assert seal.code(story.first[0][0]) in told or story.first[0][0][:19] in told
    assert re.search(r"case: +1, alarmed", told)


def test_a_person_takes_it_and_a_later_alarm_brings_it_back(story):
    assert 0 == story.asked["resolve"][0], story.asked["resolve"]
    assert ["alarmed", "acknowledged", "resolved", "regressed"] == story.states

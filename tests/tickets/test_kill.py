"""kill -9 of a real process between every pair of states: one ticket, each comment once."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from app.desk import made_empty
from killing.points import points, taking_in
from senders.served import served
from senders.systems import KINDS
from tickets.life import Store, remote

from watcher.model.ticket import ErrandKind, ErrandState

TESTS = Path(__file__).parents[1]
DONE = {(kind, ErrandState.DONE) for kind in
        (ErrandKind.CREATE, ErrandKind.UPDATE, ErrandKind.COMMENT)}  # fmt: skip
PLACES = [
    "outgoing-before-note:1", "outgoing-before-note:2", "outgoing-noted:1", "outgoing-noted:2",
    *(f"outgoing-{place}:1" for place in ("before-sending", "sending", "sent", "done")),
    *(f"outgoing-{place}:{n}" for n in (2, 3) for place in ("sending", "sent")),
    "directory-filled:1", "directory-comment:1", "directory-updated:1",
    "store-before-commit:4", "store-before-commit:7",
]  # fmt: skip


SERVICENOW, CLOUD, RT = 0, 2, 4
"""Kinds of `senders.systems`."""
FAR = [
    *((SERVICENOW, place) for place in PLACES if re.match("outgoing-(before-)?(s|d)", place)),
    *((kind, "documents-attaching:1") for kind in (SERVICENOW, CLOUD)),
    *((kind, f"outgoing-sent:{n}") for kind in (CLOUD, RT) for n in (1, 2)),
    (SERVICENOW, "documents-attaching:2"),
]  # fmt: skip


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """Return a database with tables and no rows."""
    return made_empty(tmp_path_factory.mktemp("empty"))


def die(folder, point, seconds=0, turns=2, far=()):
    """Let a process die at a point; return how it ended."""
    variables = {"WATCHER_CRASH_AT": point, "PYTHONPATH": str(TESTS)}
    return subprocess.run(  # noqa: S603 -- our own interpreter
        [sys.executable, TESTS / "tickets" / "life.py", folder, str(seconds), str(turns), *far],
        check=False,
        env=os.environ | variables, capture_output=True, text=True,
    ).returncode  # fmt: skip


def live_on(folder, seconds=400, system=None):
    """Let another life go on where that one died, until nothing waits; return what is there."""
    life = Store(folder, seconds, "heir", system)
    life.live(turns=8)
    states = life.states()
    life.store.close()
    return states


@pytest.mark.parametrize("point", PLACES)
def test_a_process_killed_anywhere_leaves_one_ticket_and_each_comment_once(tmp_path, empty, point):
    shutil.copy(empty, tmp_path / "watcher.db")
    ended = die(tmp_path, point)
    states = live_on(tmp_path)
    tickets = tmp_path / "tickets"
    (place,) = tickets.iterdir()
    said = [path.read_text(encoding="utf-8") for path in place.glob("comment-*.md")]

    assert -9 == ended
    assert DONE == states
    assert "watcher-graz-1" == place.name
    assert 2 == json.loads((place / "ticket.json").read_text(encoding="utf-8"))["version"]
    assert 1 == len(said)
    assert re.match(r"\\\[watcher-graz-1 v2 note b\\\]", said[0])
    assert [] == [path.name for path in place.iterdir() if path.name[:1] == "."]


@pytest.mark.parametrize(("kind", "point"), FAR, ids=str)
def test_a_process_killed_anywhere_leaves_one_ticket_at_a_far_system_with_its_documents_once(
    tmp_path, empty, kind, point
):
    shutil.copy(empty, tmp_path / "watcher.db")
    fake = KINDS[kind].fake()
    with served(fake) as port:
        ended = die(tmp_path, point, far=(str(kind), str(port)))
        states = live_on(tmp_path, system=remote(kind, port))
    said = [str(one) for one in fake.comments[1] if "v2 note b]" in str(one)]

    assert -9 == ended
    assert DONE == states
    assert {"watcher-graz-1": 1} == fake.keys()
    assert 1 == len(said)
    assert {"plan-v1-a.html": 1, "plan-v2-b.html": 1} == {
        name: len(kept) for name, kept in fake.files[1].items()
    }


def test_every_crash_point_of_sending_is_passed():
    named = set(points()) - set(taking_in())
    passed = (*PLACES, *(point for _, point in FAR), SEARCHED)

    assert named == {place.partition(":")[0] for place in passed} - {"store-before-commit"}


SEARCHED = "outgoing-searched:1"
"""Only a search for what was unknown, or is there already, comes by."""


def test_a_process_killed_twice_in_a_row_searches_again(tmp_path, empty):
    shutil.copy(empty, tmp_path / "watcher.db")
    ended = [die(tmp_path, "outgoing-sent:1"), die(tmp_path, SEARCHED, seconds=120, turns=6)]
    states = live_on(tmp_path, seconds=900)

    assert [-9, -9] == ended
    assert DONE == states
    assert ["watcher-graz-1"] == [path.name for path in (tmp_path / "tickets").iterdir()]

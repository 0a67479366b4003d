"""Tickets as folders: whole or not there, once for each key, as people left them."""

import json
import threading
from dataclasses import replace

import pytest
from store import samples
from tickets.hostile import SEEDS

from watcher.errors import Refused, TryLater, Unclear
from watcher.model.ticket import Attachment
from watcher.senders.directory import DirectorySystem

KEY = "watcher-graz-1"
PLAN = Attachment(name="plan.html", media_type="text/html", data=b"<p>plan</p>")


def draft(**changes):
    return samples.draft(**({"key": KEY, "version": 1, "attachments": (PLAN,)} | changes))


def names(folder):
    return {path.name for path in folder.iterdir()}


@pytest.fixture
def system(tmp_path):
    """Return the ticket system of an empty folder."""
    return DirectorySystem(tmp_path / "tickets")


def test_a_ticket_is_a_folder_with_everything(system):
    ref = system.create(draft())
    place = system.folder / KEY

    assert {"plan.html", "ticket.html", "ticket.json", "ticket.md"} == (names(place))
    assert (ref,) == system.find(KEY)
    assert (KEY, str(place), False) == (ref.number, ref.url, ref.closed)
    assert "[watcher-graz-1 v1 m1]" == json.loads((place / "ticket.json").read_text())["mark"]
    assert {KEY} == names(system.folder)


COMMANDS = """1. graz: Save *all* of it
   - Read it_first.
     utils disaster_recovery backup network <features> `x` ```y```
     show cert own tomcat/tomcat.pem
   - Expect: <nothing> of the kind.
     set cert regen tomcat"""


def test_a_command_is_code_that_can_be_copied_as_it_is(system):
    system.create(draft(implementation=COMMANDS))
    page = (system.folder / KEY / "ticket.md").read_text().partition("## Implementation\n\n")[2]

    assert page.partition("\n\n##")[0].splitlines() == [
        "1\\. graz: Save \\*all\\* of it\\",
        "\\- Read it\\_first.",
        "````",
        "utils disaster_recovery backup network <features> `x` ```y```",
        "show cert own tomcat/tomcat.pem",
        "````",
        "\\- Expect: \\<nothing\\> of the kind.",
        "```",
        "set cert regen tomcat",
        "```",
    ]


@pytest.mark.parametrize("text", SEEDS)
def test_no_text_ends_the_code_that_it_stands_in(system, text):
    system.create(draft(implementation=f"     {text}", back_out="<script>"))
    page = (system.folder / KEY / "ticket.md").read_text().partition("## Implementation\n\n")[2]
    fence, _, rest = page.partition("\n")

    assert set(fence) == {"`"}
    assert 1 == rest.splitlines().count(fence)
    assert "<script>" not in rest.partition(f"{fence}\n")[2]


def test_nothing_is_found_where_nothing_is(system):
    assert () == system.find(KEY)
    (system.folder / KEY).mkdir(parents=True)
    assert () == system.find(KEY)
    (system.folder / KEY / "ticket.json").write_text('{"key": "watcher-linz-9"}')
    assert () == system.find(KEY)
    (system.folder / KEY / "ticket.json").write_text("[")
    assert () == system.find(KEY)


def test_creating_twice_and_at_once_makes_one(system):
    refs, gate = [], threading.Barrier(4)

    def create(number):
        gate.wait()
        try:
            refs.append(system.create(draft(title=f"t{number}")))
        except Unclear:
            refs.append(None)  # another cleaned up: a search leads on

    threads = [threading.Thread(target=create, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 4 == len(refs)
    assert 1 == len(system.find(KEY))
    assert {KEY} == names(system.folder)


def test_an_update_keeps_comments_and_what_people_added(system):
    ref = system.create(draft())
    system.comment(ref, "[m1]", "[m1] first")
    (system.folder / KEY / "mine.txt").write_text("notes")
    after = system.update(ref, draft(version=2, title="another"))
    there = names(system.folder / KEY)

    assert {"comment-001.md", "mine.txt"} < there
    assert "another" == after.title
    assert system.has(ref, "[watcher-graz-1 v2 m1]")
    assert not system.has(ref, "[watcher-graz-1 v1 m1]")


def test_a_comment_is_there_once(system):
    ref = system.create(draft())
    for mark in ("[a 1]", "[a 1]", "[a 12]"):
        system.comment(ref, mark, f"{mark} text\nmore")
    comments = sorted(path.name for path in (system.folder / KEY).glob("comment-*"))

    assert ["comment-001.md", "comment-002.md"] == comments
    assert system.has(ref, "[a 1]")
    assert system.has(ref, "[a 12]")
    assert not system.has(ref, "[a 2]")


def test_a_mark_counts_only_where_a_text_begins(system):
    quoted = "> E2: [watcher-graz-1 v2 m1] and [a 2]"
    ref = system.create(draft(description=quoted))
    system.comment(ref, "[a 1]", f"said without it\n{quoted}")
    marks = ("[a 1]", "[a 2]", "[watcher-graz-1 v1 m1]", "[watcher-graz-1 v2 m1]")

    assert [True, False, True, False] == [system.has(ref, one) for one in marks]


def test_a_ticket_is_closed_and_opened_again(system):
    ref = system.create(draft())
    closed = system.close(ref, "[m c]", "[m c] done")
    found = system.find(KEY)
    opened = system.reopen(ref, "[m r]", "[m r] again")

    assert (True, True, False) == (closed.closed, found[0].closed, opened.closed)
    assert system.has(ref, "[m c]")
    assert system.has(ref, "[m r]")


@pytest.mark.parametrize("key", ["", "x", "watcher-../../etc", "watcher-a/b", "watcher-a\0", "/a"])
def test_a_key_leads_nowhere_else(system, key):
    with pytest.raises(Refused):
        system.create(draft(key=key))
    with pytest.raises(Refused):
        system.find(key)


@pytest.mark.parametrize("name", ["../evil", "a/b", ".hidden", "", "a\0b", "x" * 200])
def test_an_attachment_leads_nowhere_else(system, name):
    system.create(draft(attachments=(replace(PLAN, name=name),)))

    assert {"ticket.html", "ticket.json", "ticket.md"} == (names(system.folder / KEY))


def test_a_ticket_that_was_taken_away_is_not_made_again_by_an_update(system):
    ref = system.create(draft())
    (system.folder / KEY).rename(system.folder / "archive")

    assert () == system.find(KEY)
    with pytest.raises(Refused, match="taken away"):
        system.update(ref, draft(version=2))
    with pytest.raises(Refused, match="taken away"):
        system.comment(ref, "[m]", "[m]")


def test_a_fault_of_the_disk_is_an_answer(tmp_path):
    (tmp_path / "file").write_text("")
    system = DirectorySystem(tmp_path / "file")
    with pytest.raises(Unclear):
        system.create(draft())

    (tmp_path / "file").unlink()
    (tmp_path / "file" / KEY / "ticket.json").mkdir(parents=True)
    with pytest.raises(TryLater):
        system.find(KEY)


def tags(folder, **changes):
    """Return how many tags the page of a draft has."""
    system = DirectorySystem(folder)
    system.create(draft(**changes))
    return (system.folder / KEY / "ticket.html").read_text(encoding="utf-8").count("<")


def test_no_name_gets_through(tmp_path):
    plain = tags(tmp_path / "plain")
    found = {
        payload: tags(tmp_path / str(number), title=payload, description=payload, items=(payload,))
        for number, payload in enumerate(SEEDS)
    }

    assert {payload for payload, count in found.items() if count != plain} == set()

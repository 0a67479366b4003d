"""`watcher tickets`, `watcher test-send`: what went out, and whether a ticket system works."""

import json
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from store import samples

from watcher.app.clock import SystemClock
from watcher.model.ticket import ErrandKind, ErrandState, Ticket, TicketRef
from watcher.store.engine import open_existing

NOW = samples.NOW
LOST = {"kind": ErrandKind.COMMENT, "what": "p1", "state": ErrandState.DEAD, "refusals": 3,
        "told": "403: no rights"}  # fmt: skip


@contextmanager
def outbox(site):
    store = open_existing(f"sqlite:///{site.folder}/state/watcher.db")
    yield store.outbox
    store.close()


@pytest.fixture
def ran(site):
    """Return a site whose daemon ran and heard nothing."""
    site.take_in()
    return site


@pytest.fixture
def filed(ran):
    """Return a site with one change: its ticket is made, a comment was given up."""
    with outbox(ran) as box:
        made = samples.errand(state=ErrandState.DONE, sent_at=NOW)
        box.note([samples.change()], [made, samples.errand(**LOST)], [])
        ref = TicketRef(id="7", number="CHG7", url="https://tickets.example/7")
        box.see(Ticket(change="watcher-graz-1", system="directory", ref=ref))
    return ran


@pytest.mark.usefixtures("filed")
def test_the_list_shows_change_ticket_and_what_was_given_up(run):
    status, out, _ = run("tickets")
    cells = out.splitlines()[2].split()

    assert 0 == status
    assert ["watcher-graz-1", "1", "open", "directory", "CHG7", "0", "0", "1"] == cells[:8]
    assert "403: no rights" in out


@pytest.mark.usefixtures("filed")
def test_one_change_is_shown_with_what_its_ticket_says(run):
    _, out, _ = run("tickets", "show", "watcher-graz-1", "--full")

    assert "graz: renew tomcat of pub" in out
    assert "https://tickets.example/7" in out
    assert "[watcher-graz-1 p1]" in out
    assert "- graz: tomcat of sub1: open" in out


@pytest.mark.usefixtures("filed")
def test_the_head_alone_is_shown_unless_all_is_asked_for(run):
    head = run("tickets", "show", "watcher-graz-1")[1]
    whole = run("tickets", "show", "watcher-graz-1", "--full")[1]

    assert "https://tickets.example/7" in head
    assert "403: no rights" in head
    assert head.splitlines()[-1].endswith("watcher tickets show watcher-graz-1 --full")
    assert {"Description", "Implementation", "Back-out"} <= set(whole.splitlines())
    assert not {"Description", "Implementation"} & set(head.splitlines())


def test_the_window_that_was_found_is_shown(run, ran):
    when = {"starts": NOW, "ends": NOW + timedelta(hours=2), "due": NOW + timedelta(days=9)}
    draft = replace(samples.change().draft, **when)
    with outbox(ran) as box:
        box.note([replace(samples.change(), draft=draft)], [], [])
    zone = ZoneInfo("Europe/Vienna")
    shown = [f"{one.astimezone(zone):%a %Y-%m-%d %H:%M} CET" for one in when.values()]
    out = run("tickets", "show", "watcher-graz-1")[1]
    told = f"planned: {shown[0]} to {shown[1]}; to be over by {shown[2]} (Europe/Vienna)"

    assert told in " ".join(out.split())


TOO_LARGE = "left out: plan.pdf: 413"


@pytest.mark.parametrize(
    ("later", "told"),
    [
        ([], TOO_LARGE),
        ([{"what": "v2", "sent_at": NOW}], ""),
        ([{"what": "v2", "told": "overtaken by a later one"}, {"what": "v3", "sent_at": NOW}], ""),
        ([{"what": "v2", "told": "people closed the ticket"}], TOO_LARGE),
        ([{"what": "v2", "state": ErrandState.NEW, "told": "503"}], "503"),
    ],
)
def test_what_is_over_is_not_told(run, ran, later, told):
    made = {"state": ErrandState.DONE, "sent_at": NOW, "told": TOO_LARGE}
    done = {"kind": ErrandKind.UPDATE, "state": ErrandState.DONE, "told": ""}
    with outbox(ran) as box:
        more = [samples.errand(**(done | one)) for one in later]
        box.note([samples.change()], [samples.errand(**made), *more], [])
    row = run("tickets")[1].splitlines()[2]

    assert " ".join(row.split()).endswith(f"0 {told}".strip())


@pytest.mark.usefixtures("filed")
def test_programs_get_json(run):
    (one,) = json.loads(run("tickets", "--json")[1])
    shown = json.loads(run("tickets", "show", "watcher-graz-1", "--json")[1])

    assert one == shown
    assert ["done", "dead"] == [errand["state"] for errand in one["errands"]]


@pytest.mark.usefixtures("ran")
def test_without_a_change_the_list_is_empty(run):
    assert (0, 2) == (run("tickets")[0], len(run("tickets")[1].splitlines()))


@pytest.mark.usefixtures("ran")
@pytest.mark.parametrize("word", ["show", "retry"])
def test_a_key_that_is_none_is_told(run, word):
    status, _, err = run("tickets", word, "nope")

    assert 2 == status
    assert "there is no change 'nope' (expected a key of `watcher tickets`)" in err


def test_what_was_given_up_is_tried_again_with_a_search(run, filed):
    status, out, _ = run("tickets", "retry", "watcher-graz-1")
    with outbox(filed) as box:
        states = [one.state for one in box.newest("graz").errands]

    assert (0, "1 errand of watcher-graz-1 will be tried again\n") == (status, out)
    assert [ErrandState.DONE, ErrandState.UNKNOWN] == states
    assert "0 errands" in run("tickets", "retry", "watcher-graz-1")[1]


@pytest.mark.usefixtures("filed")
def test_all_that_was_given_up_is_tried_again_at_once(run):
    assert "1 errand of all changes will be tried again" in run("tickets", "retry", "--all")[1]
    assert "0 errands" in run("tickets", "retry", "--all")[1]


@pytest.mark.usefixtures("filed")
@pytest.mark.parametrize("words", [(), ("watcher-graz-1", "--all")])
def test_what_to_try_again_must_be_said(run, words):
    status, _, err = run("tickets", "retry", *words)

    assert 2 == status
    assert "(expected a key, or --all)" in err


@pytest.mark.parametrize("minutes", [50, 70])
@pytest.mark.parametrize(
    ("state", "words"),
    [(ErrandState.NEW, "not taken yet"), (ErrandState.UNKNOWN, "sent with an unclear end")],
)
def test_what_waits_for_an_hour_is_not_well(run, ran, minutes, state, words):
    due = SystemClock().now() - timedelta(minutes=minutes)
    with outbox(ran) as box:
        box.note([samples.change()], [samples.errand(state=state, added_at=due)], [])
    seen = json.loads(run("status", "--json")[1])
    line = f"Tickets: 1 at directory: {words}, the oldest since {due:%Y-%m-%d %H:%M} UTC"

    assert (minutes > 60) == (f"{line}; see watcher tickets." in seen["trouble"])
    assert (minutes > 60) == any(one.startswith("Tickets") for one in seen["trouble"])


@pytest.mark.usefixtures("filed")
def test_what_was_given_up_is_not_well(run):
    seen = json.loads(run("status", "--json")[1])

    told = next(one for one in seen["trouble"] if one.startswith("Tickets"))

    assert told.startswith("Tickets: 1 at directory: given up, the oldest since ")
    assert {("directory", "done", 1), ("directory", "dead", 1)} == {
        (one["system"], one["state"], one["count"]) for one in seen["outbox"]
    }
    assert "Tickets" in run("status")[1]


def test_a_sample_is_made_found_and_commented(run, site):
    status, out, _ = run("test-send", "directory")
    (place,) = (site.folder / "state" / "tickets").iterdir()

    assert 0 == status
    assert f"directory: works: {place}" in out
    assert f"- to be rid of it: rm -r {place}\n" in out
    assert {"comment-001.md", "ticket.json", "plan.md"} <= {path.name for path in place.iterdir()}


def test_a_system_that_does_not_work_is_told(run, site):
    (site.folder / "state" / "tickets").write_text("no folder")
    status, out, _ = run("test-send")

    assert 1 == status
    assert "directory: ended unclear: the folder of tickets" in out


@pytest.mark.usefixtures("site")
def test_a_system_that_is_not_configured_is_told(run):
    status, _, err = run("test-send", "nope")

    assert 2 == status
    assert "there is no ticket system 'nope'" in err


def test_a_late_change_is_done(run, filed):
    with outbox(filed) as box:
        box.note([replace(samples.change(), ended_at=NOW)], [], [])

    assert "done" in run("tickets")[1].splitlines()[2].split()

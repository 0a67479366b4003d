"""`watcher status`: books, cases, quarantine, and the exit status when something is not well."""

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import builders
import pytest

from watcher.app.clock import SystemClock
from watcher.app.status import write_status
from watcher.model.ledger import Place, Reason
from watcher.model.message import Way
from watcher.model.status import (
    InputStatus,
    LettersStatus,
    ReceiverStatus,
    SourceStatus,
    WorkerStatus,
)
from watcher.store.engine import open_existing

NOW = datetime(2026, 11, 20, tzinfo=UTC)
BROKEN = "<13>Nov 20 01:00:00 host app: UC_CERT without a record"


def statuses(site, *, age=timedelta(0), receiver=None, worker=None):
    """Write the status files of two halves that run."""
    now = SystemClock().now() - age
    common = {"written_at": now, "started_at": now, "pid": 1, "version": "0"}
    write_status(site.folder / "state", ReceiverStatus(**common, **(receiver or {})))
    write_status(site.folder / "state", WorkerStatus(**common, **(worker or {})))


def letters(**values):
    return LettersStatus(kind="digest", list="voice", **values)


def overview(run):
    status, out, _ = run("status", "--json")
    return status, json.loads(out)


def test_all_is_well(run, site):
    site.take_in(builders.message())
    statuses(site)
    status, seen = overview(run)

    assert (status, seen["trouble"], seen["difference"]) == (0, [], 0)
    assert seen["cases"] == {"alarmed": 1}


def test_the_books_are_printed_by_place(run, site):
    site.take_in(builders.message(), builders.message(seq="865"), BROKEN)
    statuses(site)
    _, out, _ = run("status")
    table = out[out.index("Books") :].splitlines()

    assert table[1].split() == ["input", "received", *[p for p in Place if p != "received"],
                                "difference"]  # fmt: skip
    assert table[3].split() == ["udp", "3", "1", "1", "0", "0", "0", "1", "0", "0"]


def test_a_difference_is_trouble(run, site):
    site.take_in(builders.message())
    store = open_existing(site.url)
    with store.transaction() as unit:
        unit.count((site.lines().lines()[0].__class__("udp", Place.RECEIVED, Reason.NONE, 2),))
    store.close()
    statuses(site)
    status, seen = overview(run)

    assert (status, seen["difference"]) == (1, 2)
    assert "books differ by 2" in seen["trouble"][0]


def test_a_daemon_that_ended_is_trouble(run, site):
    site.take_in(builders.message())
    statuses(site, age=timedelta(minutes=1))
    status, seen = overview(run)

    assert status == 1
    assert [line.partition(":")[0] for line in seen["trouble"]] == [
        "The receiver does not run",
        "The worker does not run",
    ]


def test_without_a_database_the_files_still_speak(run, site):
    statuses(site)
    status, out, _ = run("status")

    assert status == 1
    assert "receiver: runs since" in out
    assert "does not exist (expected the database of a daemon that ran)" in out


@pytest.mark.parametrize(
    ("receiver", "worker", "words"),
    [
        ({"journal_problem": "the disk is full"}, {}, "The journal: the disk is full"),
        ({"config_differs": True}, {}, "The settings in force are not those of the file"),
        ({}, {"database_problem": "locked"}, "The worker's database: locked"),
        ({}, {"self_test_problem": "udp: not seen"}, "The self-test: udp: not seen"),
        ({}, {"damaged_rows": 2}, "Rows that cannot be read: 2;"),
        ({}, {"failing": ("a part",)}, "This failed and is tried again, the log says why: a part."),
        ({}, {"letters": (letters(undrawn=1),)}, "Digest to list voice: 1 not drawn;"),
        (
            {},
            {"letters": (letters(lost=2, lost_told="a@example.com: 550"),)},
            "Digest to list voice: 2 lost in the last seven days (a@example.com: 550).",
        ),
        (
            {},
            {"letters": (letters(lost=1, waiting=1, oldest=NOW, wait_told="b@example.com"),)},
            "Digest to list voice: 1 waiting since 2026-11-20 00:00 UTC (b@example.com).",
        ),
        ({"inputs": (InputStatus(name="u", way=Way.UDP, where="", open=False),)}, {}, "Input u:"),
        (
            {},
            {"sources": (SourceStatus(source="sub", node="sub", last=NOW,
                                      state="silent"),)},
            "Silent: sub.",
        ),
    ],
)  # fmt: skip
def test_what_the_halves_say_is_trouble(run, site, receiver, worker, words):
    site.take_in(builders.message())
    statuses(site, receiver=receiver, worker=worker)
    status, seen = overview(run)

    assert status == 1
    assert [line for line in seen["trouble"] if line.startswith(words)]


def test_letters_that_arrived_or_wait_a_moment_are_no_trouble(run, site):
    site.take_in(builders.message())
    soon = SystemClock().now() - timedelta(minutes=50)
    statuses(site, worker={"letters": (letters(delivered=3, waiting=1, oldest=soon, newest=NOW),)})
    _, out, _ = run("status")
    status, seen = overview(run)

    assert (status, seen["trouble"]) == (0, [])
    row = "digest voice 3 1 0 0 2026-11-20 00:00:00 UTC"
    assert row in [" ".join(line.split()) for line in out.splitlines()]


def test_a_hostile_name_stays_on_its_line(run, site):
    hostile = SourceStatus(source="\x1b[2Jx\u202e\nutils system restart", node="", last=NOW)
    statuses(site, worker={"sources": (hostile,)})
    _, out, _ = run("status")

    assert all(line.isprintable() for line in out.splitlines())
    assert [line for line in out.splitlines() if line.startswith("utils")] == []


def test_with_a_broken_settings_file_the_running_daemon_is_shown(run, site):
    site.take_in(builders.message())
    statuses(site)
    site.write("version: 1\ninputs: {udp: {port: many}}\nstate_dir: state\n")
    status, out, err = run("status")

    assert (status, err) == (1, "")
    assert "receiver: runs since" in out
    assert "- The settings file: watcher.yaml:2:16: inputs.udp.port: " in out
    assert "The database" not in out


@pytest.mark.parametrize("text", ["a: [1\nstate_dir: state\n", "state_dir: state\n\tx: &y\n"])
def test_what_is_no_yaml_shows_the_running_daemon_too(run, site, text):
    statuses(site)
    site.write(text)

    assert "receiver: runs since" in run("status")[1]


def test_a_variable_that_means_nothing_shows_the_running_daemon_too(run, site, monkeypatch):
    statuses(site)
    monkeypatch.setenv("WATCHER_INPUST", "x")
    _, out, _ = run("status")

    assert "receiver: runs since" in out
    assert "- The settings file: WATCHER_INPUST" in out


def test_without_a_file_the_state_of_the_environment_is_shown(run, site, monkeypatch):
    statuses(site)
    site.write("{broken")
    monkeypatch.setenv("STATE_DIRECTORY", str(site.folder / "state"))

    assert "receiver: runs since" in run("status")[1]


def test_a_settings_file_that_is_not_there_is_an_error(run, site):
    assert run("status", "--settings", site.folder / "none.yaml")[0] == 2


def test_a_settings_file_that_was_changed_since_is_trouble(run, site):
    site.take_in(builders.message())
    digest = sha256(site.settings.read_bytes()).hexdigest()
    statuses(site, receiver={"settings_digest": digest})
    before = overview(run)[1]["trouble"]
    site.write(site.settings.read_text() + "log: {level: debug}\n")

    assert before == []
    assert overview(run)[1]["trouble"] == [
        "The settings file was changed and not taken over; SIGHUP takes it over."
    ]


def test_a_daemon_that_ended_in_order_does_not_run(run, site):
    site.take_in(builders.message())
    statuses(site, receiver={"stopped": True}, worker={"stopped": True})
    status, out, _ = run("status")

    assert status == 1
    assert "receiver: ended in order" in out
    assert "- The receiver does not run: it ended in order at" in out
    assert "- The worker does not run: it ended in order at" in out

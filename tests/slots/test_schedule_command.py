"""`watcher schedule`: what it prints, and how it ends."""

import io
import json
import sys
from pathlib import Path

import pytest

from watcher.cli.main import main

EXAMPLES = Path(__file__).parents[2] / "deploy" / "examples"
ALARMS = str(EXAMPLES / "alarms-two-node-9.1.txt")
EARLY, LATE = "2026-11-10T08:00Z", "2026-11-23T20:00Z"


@pytest.fixture
def site(tmp_path):
    """Return an inventory whose windows are long enough for the example."""
    text = (EXAMPLES / "two-node-9.1.yaml").read_text(encoding="utf-8")
    path = tmp_path / "site.yaml"
    path.write_text(text.replace('end: "02:00"', 'end: "04:00"'), encoding="utf-8")
    return str(path)


@pytest.fixture
def run(monkeypatch, capsys):
    def call(*arguments, command="schedule"):
        monkeypatch.setattr(sys, "argv", ["watcher", command, *arguments])
        with pytest.raises(SystemExit) as left:
            main()
        told = capsys.readouterr()
        return left.value.code, told.out, told.err

    return call


def test_a_slot_is_found_and_told_in_the_clusters_zone(run, site):
    code, out, _ = run(ALARMS, "-i", site, "--at", EARLY)

    assert code == 0
    assert "graz: a slot was found. Times are Europe/Vienna." in out
    assert "Sat 2026-11-14 20:00 - 02:51" in out
    assert "2026-11-09    . . . . S ." in out


def test_none_fits_and_the_cheapest_help_is_first(run, site):
    code, out, _ = run(ALARMS, "-i", site, "--at", LATE)

    assert code == 1
    assert "NO SLOT FITS" in out
    assert "First slots without regard to the deadline:" in out


def test_for_programs_the_same_stands_in_json(run, site):
    code, out, _ = run(ALARMS, "-i", site, "--at", EARLY, "--format", "json")
    (found,) = json.loads(out)

    assert (code, found["outcome"]) == (0, "found")
    assert found["slots"][0]["starts"] == "2026-11-14T19:00:00Z"


def test_a_calendar_comes_out_and_blocks_what_goes_in(run, site, tmp_path):
    code, out, _ = run(ALARMS, "-i", site, "--at", EARLY, "--format", "ics")
    path = tmp_path / "own.ics"
    path.write_text(out, encoding="utf-8", newline="")
    blocked, told, _ = run(ALARMS, "-i", site, "--at", EARLY, "--calendar", str(path))

    assert (code, out.count("BEGIN:VEVENT"), out.count("BEGIN:VTIMEZONE")) == (0, 2, 1)
    assert blocked == 1
    assert "blackout: Certificates of graz" in told


@pytest.mark.parametrize(
    ("text", "told"),
    [("BEGIN:VCALENDAR\nRRULE\n", "c.ics:2"), ("", "c.ics:1"), ("x:1\n", "c.ics:1")],
)
def test_a_bad_calendar_is_one_line_and_status_2(run, site, tmp_path, text, told):
    path = tmp_path / "c.ics"
    path.write_text(text, encoding="utf-8")
    code, out, err = run(ALARMS, "-i", site, "--calendar", str(path))

    assert (code, out, err.count("\n")) == (2, "", 1)
    assert told in err


def test_the_inventory_is_needed(run):
    code, _, err = run(ALARMS)

    assert code == 2
    assert "--inventory" in err


@pytest.mark.parametrize("form", ["text", "json", "ics"])
def test_a_node_in_no_cluster_is_named_with_the_clusters_there_are(run, site, form):
    alarm = str(EXAMPLES / "alarm-technote.txt")
    code, out, err = run(alarm, "-i", site, "--at", EARLY, "--format", form)

    assert code == 1
    assert (
        "CUCM02 is in no cluster of the inventory. Clusters of the inventory: graz."
        in (err if form == "ics" else out)
    )  # fmt: skip


@pytest.mark.parametrize("command", ["schedule", "plan"])
def test_an_inventory_on_standard_input_is_read_once(run, site, monkeypatch, command):
    stdin = io.TextIOWrapper(io.BytesIO(Path(site).read_bytes()))
    monkeypatch.setattr(sys, "stdin", stdin)
    code, out, err = run(str(EXAMPLES / "alarm-technote.txt"), "-i", "-", command=command)

    assert code == (1 if command == "schedule" else 0)
    assert "CUCM02 is in no cluster of the inventory" in out + err


def test_a_node_of_two_clusters_is_named_with_both(run, tmp_path):
    text = "version: 1\nclusters:\n" + "".join(
        f"  - {{name: {name}, nodes: [{{name: {name}-pub, aliases: [CUCM02.{name}.example]}}]}}\n"
        for name in ("graz", "linz")
    )
    path = tmp_path / "two.yaml"
    path.write_text(text, encoding="utf-8")
    _, out, _ = run(str(EXAMPLES / "alarm-technote.txt"), "-i", str(path), "--at", EARLY)

    assert "CUCM02 fits nodes of several clusters (graz, linz)." in out


def test_a_node_that_is_there_is_not_told_of(run, site):
    _, out, err = run(ALARMS, "-i", site, "--at", EARLY)

    assert "Clusters of the inventory" not in out + err


FEAST = """BEGIN:VCALENDAR\r
BEGIN:VEVENT\r
UID:feast@x\r
SUMMARY:Feast\r
DTSTART;VALUE=DATE:20261114\r
DTEND;VALUE=DATE:20261116\r
END:VEVENT\r
END:VCALENDAR\r
"""


def naming(site, *calendars):
    """Let the cluster of an inventory name calendars."""
    path = Path(site)
    lines = "".join(f"      - {one}\n" for one in calendars)
    text = path.read_text(encoding="utf-8")
    path.write_text(f"{text}    calendars:\n{lines}", encoding="utf-8")


def test_the_inventorys_calendars_hold_from_its_folder_on(run, site):
    Path(site).with_name("feast.ics").write_text(FEAST, encoding="utf-8")
    naming(site, "feast.ics")
    code, out, _ = run(ALARMS, "-i", site, "--at", EARLY)

    assert code == 1
    assert "blackout: Feast" in out


@pytest.mark.parametrize(
    ("content", "told"),
    [(None, "the calendar"), ("x:1\n", "feast.ics:1: stands outside"), ("x" * (1 << 21), "1 MiB")],
)
def test_a_calendar_of_the_inventory_with_a_fault_is_one_line(run, site, content, told):
    if content:
        Path(site).with_name("feast.ics").write_text(content, encoding="utf-8")
    naming(site, "feast.ics")
    line = len(Path(site).read_text(encoding="utf-8").splitlines())
    code, _, err = run(ALARMS, "-i", site, "--at", EARLY)

    assert (code, err.count("\n")) == (2, 1)
    assert told in err
    assert (f"{site}:{line}:" in err) == (content != "x:1\n")


@pytest.mark.parametrize(("before", "code"), [("", 1), ("graz=", 1), ("GRAZ=", 1), ("wien=", 2)])
def test_a_calendar_may_be_for_one_cluster(run, site, before, code):
    path = Path(site).with_name("feast.ics")
    path.write_text(FEAST, encoding="utf-8")
    left, out, err = run(ALARMS, "-i", site, "--at", EARLY, "--calendar", f"{before}{path}")

    assert left == code
    assert ("blackout: Feast" in out) == (code == 1)
    assert ("no cluster wien" in err) == (code == 2)


def test_the_example_has_windows_blackouts_calendars_and_lead_times_together(run):
    site = str(EXAMPLES / "windows.yaml")
    code, out, _ = run(ALARMS, "-i", site, "--at", "2026-10-05T08:00Z")

    assert code == 0
    assert ("Sat 2026-10-24 20:00 - 03:24" in out, "Sat 2026-11-14 20:00 - 04:39" in out) == (
        True,
        True,
    )
    assert "The category Wartung blocks" in out

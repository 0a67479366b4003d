"""Calendars that the inventory names, or a command line: which cluster they hold for."""

import pytest
from killing import numbered

from watcher.app.calendars import given_calendars, site_calendars
from watcher.app.settings import prepare
from watcher.errors import InputError
from watcher.inventory.loader import load

FEAST = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20261121\nEND:VEVENT\nEND:VCALENDAR\n"
NAMED = "    calendars: [feast.ics]\n"
TWO = "version: 1\nclusters:\n  - {name: a, calendars: [feast.ics]}\n  - {name: b}\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "feast.ics").write_text(FEAST, encoding="utf-8")
    return tmp_path


def prepared(folder):
    """Build what the daemon builds, with an inventory that names a calendar."""
    (folder / "site.yaml").write_text(numbered.inventory() + NAMED, encoding="utf-8")
    (folder / "watcher.yaml").write_text(
        f"version: 1\nstate_dir: {folder}/state\ninventory: site.yaml\n", encoding="utf-8"
    )
    return prepare(str(folder / "watcher.yaml"), {})


def test_the_daemon_reads_them_with_the_inventory(folder):
    (calendar,) = prepared(folder).calendars["numbered"]

    assert [event.line for event in calendar.events] == [2]


def test_a_calendar_that_is_not_there_is_told_where_the_inventory_names_it(tmp_path):
    line = (numbered.inventory() + NAMED).count("\n")
    with pytest.raises(InputError, match="the calendar") as caught:
        prepared(tmp_path)

    assert (caught.value.where.file, caught.value.where.line) == (str(tmp_path / "site.yaml"), line)


def test_each_cluster_has_its_own(folder):
    found = site_calendars(str(folder / "site.yaml"), load("site.yaml", TWO))

    assert {name: len(known) for name, known in found.items()} == {"a": 1, "b": 0}


def test_of_two_clusters_a_calendar_says_which_it_is_for(folder):
    file, site = str(folder / "feast.ics"), load("site.yaml", TWO)
    found = given_calendars([f"b={file}"], site, ["a", "b"])
    with pytest.raises(InputError, match="which of 2 clusters"):
        given_calendars([file], site, ["a", "b"])

    assert [*found] == ["b"]

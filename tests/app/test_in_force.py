"""What was taken over stays in force, whatever the files say afterwards."""

import os

import pytest

from watcher.app import in_force
from watcher.app.settings import prepare
from watcher.errors import InputError


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.setattr(in_force, "_held", {})
    (tmp_path / "inventory.yaml").write_text("version: 1\nclusters: [{name: linz}]\n")
    settings = tmp_path / "watcher.yaml"
    settings.write_text("version: 1\ninventory: inventory.yaml\nstate_dir: state\n")
    return settings


def taken_over(site):
    with in_force.noting() as texts:
        prepare(str(site), {})
    file = site.parent / "state" / in_force.RECEIVER_FILE
    in_force.write(file, texts)
    return file


def test_texts_that_were_taken_over_are_read_instead_of_the_files(site):
    file = taken_over(site)
    site.write_text("broken: [")
    (site.parent / "inventory.yaml").write_text("version: 1\nclusters: [{name: wien}]\n")
    in_force.take(file)
    prepared = prepare(str(site), {})

    assert [cluster.name for cluster in prepared.inventory.clusters] == ["linz"]


def test_paths_are_seen_from_the_settings_own_folder(site):
    in_force.take(taken_over(site))

    assert prepare(str(site), {}).state_dir == site.parent / "state"


def test_the_time_of_a_text_is_that_of_when_it_was_taken_over(site):
    inventory = site.parent / "inventory.yaml"
    os.utime(inventory, (1_700_000_000, 1_700_000_000))
    in_force.take(taken_over(site))
    inventory.write_text("something else")

    assert in_force.modified(str(inventory)) == 1_700_000_000


def test_a_file_that_says_nothing_is_refused_in_one_line(tmp_path):
    (tmp_path / "in-force.json").write_text("[]")

    with pytest.raises(InputError, match="does not say what is in force"):
        in_force.take(tmp_path / "in-force.json")


def test_only_we_may_read_what_is_in_force(site):
    assert taken_over(site).stat().st_mode & 0o777 == 0o600

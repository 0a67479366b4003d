"""`watcher rules` as a person runs it: what is printed, and the exit status."""

import json
import re
import sys
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from watcher.app.knowledge import load_catalogue
from watcher.cli.main import main
from watcher.cli.rules_text import print_view
from watcher.rules.show import store_view

BROKEN = Path(__file__).parent.parent / "broken"
CATALOGUE = load_catalogue()
UNBROKEN = re.compile("https?://|Web interface: |utils service ")
"""What must survive being copied is not wrapped."""
SITE = "version: 1\ntitle: Site\nsite: true\nsources:\n  HOUSE: {title: House rule}\n"
CHANGE = """\
stores:
  TVS:
    cautions:
      - {text: Call the night shift first., source: [HOUSE], confidence: own}
"""


@pytest.fixture
def run(monkeypatch, capsys):
    def command(*words):
        monkeypatch.setenv("COLUMNS", "80")
        monkeypatch.setattr(sys, "argv", ["watcher", "rules", *words])
        with pytest.raises(SystemExit) as left:
            main()
        told = capsys.readouterr()
        return left.value.code, told.out, told.err

    return command


@pytest.fixture
def site(tmp_path):
    path = tmp_path / "site.yaml"
    path.write_text(SITE + CHANGE, encoding="utf-8")
    return str(path)


def test_the_built_in_packs_are_right(run):
    status, out, err = run("check")

    assert (status, err) == (0, "")
    assert "Statements:" in out


def test_an_unseen_command_is_marked_in_the_words_of_a_plan(run):
    _, out, _ = run("show", "tomcat")
    view = store_view(CATALOGUE, "tomcat", None, {})
    unsure = {
        command.text for row in view.restarts for command in row.commands if command.tentative
    }
    marked = set(re.findall(r"^ +(utils .*\S) +\(if it is accepted\)$", out, re.MULTILINE))

    assert marked == unsure
    assert "utils service restart Cisco Tftp" in unsure


def test_a_site_pack_is_checked_with_the_built_in_ones(run, site):
    assert run("check", site)[0] == 0


@pytest.mark.parametrize("name", ["commands", "anchor", "not-marked", "new-store-incomplete"])
def test_a_broken_pack_ends_in_one_line_and_status_2(name, run):
    status, out, err = run("check", str(BROKEN / "site" / f"{name}.yaml"))

    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("watcher: error: ")


def test_a_pack_that_is_not_there_is_told(run):
    status, _, err = run("check", "nowhere.yaml")

    assert status == 2
    assert err == (
        "watcher: error: nowhere.yaml: no such file or directory (expected a readable file)\n"
    )


def test_wrong_examples_are_listed_before_the_one_line(run, tmp_path):
    path = tmp_path / "site.yaml"
    wrong = 'stores:\n  TVS:\n    examples: [{release: "12.5", renewal: reissue}]\n'
    path.write_text(SITE + wrong, encoding="utf-8")
    status, out, err = run("check", str(path))

    assert status == 2
    assert "renewal: expected reissue, actual regenerate" in out
    assert err.startswith("watcher: error: 1 example")


def test_stores_are_listed_in_the_order_of_work(run):
    out = run("show")[1]
    places = [int(line.split()[0]) for line in out.splitlines() if line[1:2].isdigit()]

    assert len(places) == len(CATALOGUE.stores)
    assert places == sorted(places)


@pytest.mark.parametrize("store", sorted(CATALOGUE.stores))
def test_every_store_can_be_shown_in_eighty_columns(store):
    paper = StringIO()
    out = Console(file=paper, width=80, markup=False, highlight=False, emoji=False)
    print_view(out, store_view(CATALOGUE, store, None, {}))
    lines = [line.rstrip() for line in paper.getvalue().splitlines()]

    assert lines[0].startswith(f"{store}: ")
    assert "When it has expired" in lines
    assert [line for line in lines if len(line) > 80 and not UNBROKEN.search(line)] == []


def test_a_store_that_a_release_does_not_have_says_so_and_no_more(run):
    out = run("show", "ITLRecovery", "--release", "9.1")[1]

    assert out.endswith("It does not exist in release 9.1.\n")


def test_a_command_is_never_broken_over_lines(run):
    out = run("show", "TVS", "--release", "12.5")[1].splitlines()

    assert any(line.strip().startswith("utils service restart Cisco Trust") for line in out)


def test_json_holds_the_same_for_programs(run):
    shown = json.loads(run("show", "tvs", "--release", "12.5", "--format", "json")[1])

    assert shown["id"] == "TVS"
    assert shown["restarts"][0]["service"].startswith("Cisco ")
    assert set(shown["impact"][0]["cite"]) == {"sources", "releases", "confidence"}


def test_a_given_condition_settles_what_was_open(run):
    with_lsc = run("show", "CAPF", "--given", "lsc")[1]
    without = run("show", "CAPF", "--given", "no-lsc")[1]

    assert "phones use LSCs" not in with_lsc
    assert len(without) < len(with_lsc)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("show", "tomcta"), "there is no store 'tomcta' (expected one of tomcat"),
        (("show", "TVS", "--release", "new"), "'new' is not a release"),
        (("show", "TVS", "--given", "mixd"), "there is no condition 'mixd' (expected"),
        (("diff", "--store", "TVS", "12.5", "x"), "'x' is not a release"),
        (("diff", "nowhere", "nowhere"), "nowhere: no such file"),
    ],
)
def test_a_wrong_word_is_told_with_the_nearest(run, words, problem):
    status, out, err = run(*words)

    assert (status, out) == (2, "")
    assert err.startswith(f"watcher: error: {problem}")


def test_a_sites_line_is_shown_with_its_source(run, site):
    out = run("show", "TVS", "--rules", site)[1]

    assert "Call the night shift first. [HOUSE; own]" in out


def test_two_releases_of_a_store_are_compared(run):
    out = run("diff", "--store", "CallManager", "9.1", "14")[1]

    assert "CallManager.restarts\n" in out
    assert "added" in out.splitlines()[-1]


def test_packs_are_compared_by_id_and_field(run, tmp_path):
    old, new = tmp_path / "old.yaml", tmp_path / "new"
    new.mkdir()
    old.write_text("version: 1\ntitle: A\nsources: {X: {title: Old}}\n", encoding="utf-8")
    (new / "b.yaml").write_text(
        "version: 1\ntitle: B\nsources: {X: {title: New}}\n", encoding="utf-8"
    )

    assert run("diff", str(old), str(new))[1] == "sources.X.title\n  - Old\n  + New\n1 changed\n"


def test_an_empty_folder_is_told(run, tmp_path):
    status, _, err = run("diff", str(tmp_path), str(tmp_path))

    assert status == 2
    assert "holds no rule pack" in err


def test_the_schema_is_written_to_a_file(run, tmp_path):
    path = tmp_path / "pack.json"
    run("schema", "--output", str(path))

    assert json.loads(path.read_text(encoding="utf-8"))["title"] == "watcher rule pack"

"""`watcher inventory` as a person runs it: what is printed, and the exit status."""

import json
import sys
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from watcher.app.site import load_inventory
from watcher.cli.main import main

ROOT = Path(__file__).parent.parent.parent
SAMPLES = ROOT / "tests" / "transcripts" / "samples"


@pytest.fixture
def run(monkeypatch, capsys):
    def command(*words, given=b""):
        monkeypatch.setenv("COLUMNS", "100")
        monkeypatch.setattr(sys, "argv", ["watcher", "inventory", *words])
        monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(given)))
        with pytest.raises(SystemExit) as left:
            main()
        told = capsys.readouterr()
        return left.value.code, told.out, told.err

    return command


def test_check_shows_nodes_and_what_is_unknown(run):
    status, out, err = run("check", str(ROOT / "deploy" / "examples" / "technote.yaml"))

    assert (status, err) == (0, "")
    assert "release 9.1(2)SU2a, time zone Europe/Warsaw, security mode ?" in out
    assert "CUCM02  192.168.1.2  cucm     subscriber  ?" in out
    assert "security_mode" in out.partition("Not known yet")[2]


def test_check_counts_and_lays_out_as_people_write(run):
    given = b"version: 1\nclusters: [{name: lab, nodes: [{name: a}]}]\n"
    _, out, _ = run("check", "-", given=given)

    assert "\n  1 node, 0 CallManager groups, 0 phone groups, 0 certificates\n" in out
    assert "\na     ?        cucm     ?     ?                ?     ?\n" in out
    assert [line for line in out.splitlines() if line != line.rstrip()] == []


def test_check_tells_one_line_for_a_broken_file(run):
    status, out, err = run("check", str(ROOT / "tests/broken/inventory/release-as-number.yaml"))

    assert (status, out) == (2, "")
    assert err.endswith('write it in quotes: "9.1")\n')
    assert err.count("\n") == 1


def test_check_reads_a_pipe(run):
    status, out, _ = run("check", "-", given=b"version: 1\nclusters: [{name: lab}]\n")

    assert status == 0
    assert "Cluster lab" in out


def test_markup_in_a_name_is_printed_as_it_is(run):
    text = b"version: 1\nclusters: [{name: lab, phone_groups: [{name: '[red]x'}]}]\n"

    assert run("check", "-", given=text)[0] == 0


def test_schema_is_json_schema_of_2020(run):
    _, out, _ = run("schema")

    assert json.loads(out)["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_import_writes_an_inventory_that_loads(run, tmp_path):
    target = tmp_path / "graz.yaml"
    status, out, err = run(
        "import", str(SAMPLES / "session.txt"), "--cluster", "graz", "-o", str(target)
    )
    cluster = load_inventory(str(target)).clusters[0]

    assert (status, out) == (0, "")
    assert err.endswith("commands read: 8, open: 2, conflicts: 0\n")
    assert (cluster.name, len(cluster.nodes), len(cluster.certificates)) == ("graz", 3, 8)


def test_import_names_what_is_unknown_as_comments(run):
    _, out, _ = run("import", "-", given=(SAMPLES / "ctl-none.txt").read_bytes())

    assert "#   cluster: release" in out
    assert "security_mode: non-secure" in out


def test_import_completes_a_file_and_names_conflicts(run, tmp_path):
    known = tmp_path / "known.yaml"
    known.write_text("version: 1\nclusters: [{name: lab, security_mode: mixed}] # mine\n")
    status, out, err = run("import", str(SAMPLES / "session.txt"), "--merge", str(known))

    assert status == 0
    assert "security_mode: the inventory says mixed, the paste says non-secure; kept" in err
    assert "security_mode: mixed" in out
    assert "# mine" in out


def test_import_of_nothing_readable_is_an_error(run):
    status, out, err = run("import", "-", given=b"hello\n")

    assert (status, out) == (2, "")
    assert err.startswith("watcher: error: -: no output of a known command is in it")


def test_import_asks_which_cluster_when_there_are_two(run, tmp_path):
    known = tmp_path / "known.yaml"
    known.write_text("version: 1\nclusters: [{name: a}, {name: b}]\n")
    status, _, err = run("import", str(SAMPLES / "ctl-none.txt"), "--merge", str(known))

    assert status == 2
    assert "--cluster, of: a, b" in err


@pytest.mark.parametrize(
    ("option", "value"), [("--time-zone", "CEST"), ("--cluster", "a b"), ("--time-zone", "../x")]
)
def test_import_refuses_a_bad_option(run, option, value):
    status, _, err = run("import", str(SAMPLES / "ctl-none.txt"), option, value)

    assert status == 2
    assert value in err

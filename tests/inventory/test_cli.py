"""`watcher inventory` as a person runs it: what is printed, and the exit status."""

import json
import sys
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from watcher.app.site import load_inventory
from watcher.cli.main import main

CITED = "releases: all, source: [HOUSE], confidence: own"
PACK = f"""\
version: 1
title: House
site: true
sources: {{HOUSE: {{title: House rule}}}}
stores:
  web-gate:
    title: Web gate
    kind: trust
    position: 100
    renewal: [{{value: delete-only, text: Deleted., {CITED}}}]
    scope: [{{value: node, text: Each., {CITED}}}]
    used_by: []
    impact: [{{text: Nothing., {CITED}}}]
    in_itl: [{{value: "no", text: Never., {CITED}}}]
    in_ctl: [{{value: "no", text: Never., {CITED}}}]
    resets_phones: [{{value: none, text: None., {CITED}}}]
    examples: [{{release: "15", renewal: delete-only}}]
"""
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


def test_check_refuses_a_store_that_no_rule_knows_with_the_nearest(run):
    text = (
        b"version: 1\nclusters:\n  - name: lab\n    certificates:\n"
        b"      - {store: CallManager}\n      - {store: tomct}\n"
    )
    status, out, err = run("check", "-", given=text)

    assert (status, out) == (2, "")
    assert err == (
        "watcher: error: -:6:10: clusters.0.certificates.1.store: the rules have no store tomct "
        "(expected one of tomcat, tomcat-trust, tomcat-ECDSA; or a site's rule pack with it)\n"
    )


def test_check_refuses_a_reuse_for_a_store_that_no_rule_knows(run):
    text = b"version: 1\nclusters: [{name: a, certificates: [{store: tomcat, reused_for: CM}]}]\n"

    assert "reused_for: the rules have no store CM" in run("check", "-", given=text)[2]


def test_a_store_in_other_case_is_the_same_store(run):
    text = b"version: 1\nclusters: [{name: a, certificates: [{store: callmanager}]}]\n"

    assert run("check", "-", given=text)[0] == 0


def test_check_takes_stores_of_the_sites_own_pack(run, tmp_path):
    text = b"version: 1\nclusters: [{name: a, certificates: [{store: web-gate}]}]\n"
    pack = tmp_path / "house.yaml"
    pack.write_text(PACK)

    assert run("check", "-", given=text)[0] == 2
    assert run("check", "-", "--rules", str(pack), given=text)[0] == 0


def test_import_names_a_store_that_no_rule_knows(run):
    listed = b"admin:show cert list own\nwebgate/webgate.pem: Self-signed certificate\n"
    status, out, err = run("import", "-", "--node", "pub", given=listed)

    assert status == 0
    assert "store: webgate" in out
    assert "clusters.0.certificates.0.store: the rules have no store webgate" in err


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

"""`watcher check`: exit status, text for people, JSON for programs, the page that describes it."""

import json
import re
from pathlib import Path

import pytest

from watcher.trust.rulebook import RULES

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "steps.md").read_text(encoding="utf-8")
BAD = sorted((ROOT / "tests" / "trust" / "bad").glob("*.yaml"))
EXAMPLES = ROOT / "deploy" / "examples"
KEYS = {
    "verdict", "broken", "stranded", "offline", "branches", "windows", "rescue", "trace",
}  # fmt: skip
CLUSTER = """\
cluster:
  release: "{release}"
  nodes:
    - {{name: P, roles: [PUB, TFTP, CCM, TVS, CAPF]}}
    - {{name: S, roles: [TFTP, CCM, TVS]}}
groups:
  - {{name: A, tftp: [P, S], cm_group: [S, P]}}
steps: [CM P, CM S, bounce]
"""
SAFE = CLUSTER.format(release="15").encode()
REFUSED = CLUSTER.format(release="9.1").encode()


def told(run, given, *words):
    status, out, err = run("check", "-", "--format", "json", *words, given=given)

    assert err == ""
    return status, json.loads(out)


@pytest.mark.parametrize(("given", "status"), [(SAFE, 0), (REFUSED, 1)])
def test_the_exit_status_is_the_verdict(run, given, status):
    left, out, err = run("check", "-", given=given)

    assert (left, err) == (status, "")
    assert out.startswith("REFUSED: " if status else "SAFE: ")


def test_an_assumption_is_no_refusal(run):
    accepted = REFUSED + b"accept: [I-3]\nassume: {U1: own}\n"
    status, out, _ = run("check", "-", given=accepted)

    assert status == 0
    assert out.startswith("SAFE WITH ASSUMPTIONS: ")
    assert "accepted in writing: I-3" in out


@pytest.mark.parametrize("words", [(), ("--format", "json")])
def test_bad_input_is_one_line_with_its_place(run, words):
    status, out, err = run("check", "-", *words, given=REFUSED.replace(b"bounce", b"bonce"))

    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("watcher: error: -:8:21: step 3, 'bonce': ")


def test_json_has_the_keys_that_programs_rely_on(run):
    status, data = told(run, REFUSED)

    assert status == 1
    assert set(data) >= KEYS
    assert (data["verdict"], data["broken"], data["stranded"]) == ("refused", ["I-3"], {})
    assert data["branches"] == {"I-3": {}}
    assert [step["step"] for step in data["trace"]] == [1, 2, 3]
    assert set(data["trace"][0]["groups"]["A"]) == {
        "anchors", "count", "accepted", "registered", "why",
    }  # fmt: skip


def test_every_key_of_the_json_is_described(run):
    _, data = told(run, REFUSED)
    keys = set(data) | set(data["windows"][0]) | set(data["absent"][0]) | set(data["trace"][0])

    assert {key for key in keys if not re.search(rf"[`{{ ,]{key}[`}}, ]", PAGE)} == set()


def test_the_same_order_is_answered_the_same(run):
    assert told(run, REFUSED) == told(run, REFUSED)


def test_the_page_shows_what_is_printed(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shown = PAGE.partition("## The answer as text")[2]
    yaml, printed = re.findall("```(?:yaml|console)\n(.*?)```", shown, re.DOTALL)[:2]
    Path("seed-order.yaml").write_text(yaml, encoding="utf-8")
    _, out, _ = run("check", "seed-order.yaml")

    assert printed.partition("\n")[2] == out


def test_the_file_that_the_page_begins_with_is_read(run):
    yaml = re.findall("```yaml\n(.*?)```", PAGE, re.DOTALL)[0]
    status, out, _ = run("check", "-", given=yaml.encode())

    assert status == 1
    assert out.startswith("REFUSED: ")


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_refusal_names_rule_phones_and_what_heals(run, path):
    status, out, _ = run("check", path)
    _, data, _ = run("check", path, "--format", "json")
    answer = json.loads(data)

    assert status == 1
    assert [rule for rule in answer["broken"] if f"  {rule}" not in out] == []
    assert [group for group in answer["stranded"] if group not in out] == []
    assert [way for way in answer["rescue"].values() if way["text"][:30] not in out] == []
    assert [line for line in out.splitlines() if len(line) > 100] == []
    stories = out.partition("\nRules it breaks")[0].split("\nLost: ")[1:]
    assert [s for s in stories if not ("Since " in s and "It holds " in s and "\n  - " in s)] == []


def test_hostile_words_come_back_as_escapes(run):
    given = REFUSED.replace(b"[CM P,", '["verify \u202e <b>x</b> [red]",'.encode())
    status, _, err = run("check", "-", given=given)

    assert status == 2
    assert "\u202e" not in err


def test_markup_in_a_step_is_text(run):
    given = SAFE.replace(b"[CM P,", b'["verify <b>x</b> [red]y[/red]",')
    _, out, _ = run("check", "-", given=given)

    assert "verify <b>x</b> [red]y[/red]" in out


def grid_of(out):
    return out.partition("\nSteps\n")[2].partition("\n\n")[0].splitlines()


def with_groups(number, differ):
    """Return a steps file with this many groups, alike or not."""
    groups = "".join(
        f"  - {{name: site-{i:02}, tftp: [P, S], cm_group: [{'P' if differ and i % 2 else 'S, P'}],"
        f" tvs_reachable: {str(not (differ and i % 3 == 0)).lower()}}}\n"
        for i in range(number)
    )
    head, _, tail = CLUSTER.format(release="9.1").partition("  - {name: A")
    return (head + groups + tail.partition("\n")[2]).encode()


@pytest.mark.parametrize(("number", "differ", "columns"), [(1, False, 1), (30, False, 1),
                                                           (30, True, 4)])  # fmt: skip
def test_groups_that_fare_alike_share_a_column(run, number, differ, columns):
    _, out, _ = run("check", "-", given=with_groups(number, differ))
    heads = re.sub("breaks", "", grid_of(out)[0]).split()

    assert len(heads) <= columns
    assert {f"site-{i:02}" for i in range(number)} <= set(re.findall(r"site-\d\d", out))


def test_long_steps_and_names_stay_within_the_width(run):
    text = with_groups(6, differ=True).replace(b"site-0", b"a-very-long-name-of-a-site-00000")
    text = text.replace(b"[CM P,", b"['verify %s', " % (b"x" * 300))
    _, out, _ = run("check", "-", given=text)

    assert max(map(len, out.splitlines())) <= 100


ORDER = b"take a DRS backup\nregenerate the CAPF certificate\nreset all phones and wait\n"


def test_cluster_and_phones_come_from_the_inventory(run):
    status, out, _ = run("check", "-", "-i", EXAMPLES / "two-node-9.1.yaml", given=ORDER)

    assert status in {0, 1}
    assert "Taken for granted" in out
    assert "release 9.1(2)SU2a" in out


def test_what_an_inventory_leaves_open_is_data_too(run):
    _, data = told(run, ORDER, "--inventory", EXAMPLES / "two-node-9.1.yaml", "--cluster", "graz")

    assert {"text", "check"} == set(data["inputs"][0])


MISUSED = [
    (("--cluster", "graz"), "--cluster without --inventory"),
    (("-i", EXAMPLES / "two-node-9.1.yaml", "--cluster", "linz"), "no cluster is called linz"),
    (("-i", "nowhere.yaml"), "nowhere.yaml: no such file"),
]


@pytest.mark.parametrize(("words", "problem"), MISUSED)
def test_an_inventory_that_does_not_fit_is_told(run, words, problem):
    status, _, err = run("check", "-", *words, given=ORDER)

    assert (status, err.count("\n")) == (2, 1)
    assert problem in err


def test_one_of_several_clusters_must_be_named(run, tmp_path):
    site = tmp_path / "site.yaml"
    nodes = "nodes: [{name: %s, role: publisher}]"
    site.write_text(
        "version: 1\nclusters:\n"
        f"  - {{name: a, release: '12.5', {nodes % 'p1'}}}\n  - {{name: b, {nodes % 'p2'}}}\n"
    )

    assert "expected --cluster with one of a, b" in run("check", "-", "-i", site, given=ORDER)[2]
    assert "b has no release" in run("check", "-", "-i", site, "--cluster", "b", given=ORDER)[2]


NO_TFTP = """\
version: 1
clusters:
  - name: graz
    release: '11.5'
    nodes:
      - {name: pub, role: publisher, duties: [tftp, call-processing]}
      - {name: sub, duties: [call-processing]}
    phone_groups:
      - {name: desks, tftp: [sub]}
"""
ASKING = [
    ("inventory", "check"), ("check", "-", "-i"), ("what-if", "step", "reset", "-i"),
    ("what-if", "expiry", "CAPF", "-i"), ("plan", "-", "-i"),
]  # fmt: skip


@pytest.mark.parametrize("words", ASKING)
def test_phones_of_a_node_without_tftp_are_a_fault_of_the_inventory(run, tmp_path, words):
    site = tmp_path / "site.yaml"
    site.write_text(NO_TFTP)
    status, out, err = run(*words, site, given=ORDER)

    assert (status, out, err.count("\n")) == (2, "", 1)
    assert ":9:30: clusters.0.phone_groups.0.tftp.0: sub has no tftp duty (expected " in err


@pytest.mark.parametrize("more", ["tftp: [X], ", "tftp: [P], held: {itl_from: X}, "])
def test_a_node_that_runs_no_tftp_is_refused_in_one_line(run, more):
    given = SAFE.replace(b"groups:", b"    - {name: X, roles: [CCM, TVS]}\ngroups:")
    status, out, err = run("check", "-", given=given.replace(b"tftp: [P, S], ", more.encode()))

    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "X does not run TFTP (expected TFTP among its roles, or one of P, S)" in err


def test_a_command_that_cannot_be_given_is_bad_input(run):
    status, out, err = run("check", "-", given=REFUSED.replace(b"bounce", b"itl_localkey"))

    assert (status, out) == (2, "")
    assert err == (
        "watcher: error: -:8:21: step 3, 'itl_localkey': release 9.1 has no recovery key "
        "(expected release 10.0 or later)\n"
    )


def test_what_if_refuses_the_same_command(run):
    site = EXAMPLES / "two-node-9.1.yaml"
    status, _, err = run("what-if", "step", "itl_localkey", "-i", site)

    assert (status, err.count("\n")) == (2, 1)
    assert "release 9.1(2)SU2a has no recovery key" in err


def test_rules_that_can_be_broken_are_told_with_their_source():
    assert [rule.id for rule in RULES.values() if not (rule.title and rule.sources)] == []

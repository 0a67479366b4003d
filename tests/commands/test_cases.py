"""`watcher cases`: the list, one case, and what people do to it."""

import json
from contextlib import closing
from sqlite3 import connect

import builders
import pytest
from commands.conftest import CATALOGUE, INVENTORY, NOW

from watcher.app.drawing import Draughtsman
from watcher.inventory.loader import load
from watcher.model.case import CaseKey, Crossing
from watcher.seal import code
from watcher.store.engine import open_existing

LATER = {"time": "Nov 20 2026 01:00:00.000", "expiry": "Sun Dec 20 14:05:", "severity": "4",
         "mnemonic": "CertValidLessThanMonth", "node": "pub"}  # fmt: skip


def listed(run, *words):
    status, out, err = run("cases", "--json", *words)

    assert (status, err) == (0, "")
    return json.loads(out)


def shown(run, number=1):
    return json.loads(run("cases", "show", number, "--json")[1])


@pytest.fixture
def filled(site):
    """Return a site with a case that is due soon, 2, and one that is due later, 1."""
    site.take_in(builders.message(**LATER), builders.message(node="sub"))
    return site


@pytest.mark.usefixtures("filled")
def test_the_most_urgent_comes_first(run):
    assert [(row["id"], row["case"]["key"]["owner"]) for row in listed(run)] == [
        (2, "sub"),
        (1, "pub"),
    ]


@pytest.mark.usefixtures("filled")
def test_the_table_names_what_a_person_needs(run):
    _, out, _ = run("cases")
    first = out.splitlines()[2].split()

    assert first[0] == "2"
    assert first[2:6] == ["alarmed", "graz", "sub", "tomcat"]
    assert "2026-11-25, inferred" in out


@pytest.mark.usefixtures("filled")
def test_cluster_state_and_limit_narrow_the_list(run):
    assert listed(run, "--cluster", "linz") == []
    assert [row["id"] for row in listed(run, "--limit", "1")] == [2]
    assert listed(run, "--state", "quiet") == []


@pytest.mark.usefixtures("filled")
def test_show_tells_history_events_and_alarms(run):
    _, out, _ = run("cases", "show", "2")

    assert "certificate: tomcat of sub in cluster graz" in out
    assert "new -> alarmed" in out
    assert "main-2" in out


@pytest.mark.usefixtures("filled")
def test_acknowledge_says_who_why_and_until(run):
    status, out, _ = run(
        "cases", "acknowledge", 2, "--by", "ada", "--why", "CHG 1", "--until", "3d"
    )
    case = shown(run, 2)["row"]["case"]

    assert (status, out) == (0, "Case 2 is acknowledged.\n")
    assert (case["acknowledged_by"], case["acknowledged_why"]) == ("ada", "CHG 1")
    assert [step["who"] for step in shown(run, 2)["history"] if "who" in step] == ["ada"]


@pytest.mark.usefixtures("filled")
def test_release_gives_it_back(run):
    run("cases", "acknowledge", 2, "--by", "ada", "--why", "x", "--until", "3d")
    _, out, _ = run("cases", "release", 2, "--by", "bob", "--why", "y")

    assert out == "Case 2 is alarmed.\n"


@pytest.mark.usefixtures("filled")
def test_confirm_makes_the_end_a_fact(run):
    run("cases", "confirm", 2, "--not-after", "2026-12-24T10:00+01:00", "--by", "ada")
    case = shown(run, 2)["row"]["case"]

    assert (case["confirmed_end"], case["grade"]) == ("2026-12-24T09:00:00Z", 3)


EVENING = "2026-11-18T23:59:59+00:00"
"""A day later in Vienna."""


@pytest.mark.usefixtures("filled")
def test_a_confirmed_end_is_told_by_the_cluster_s_day_and_expired_as_well(run):
    run("cases", "confirm", 2, "--not-after", EVENING, "--by", "ada")

    assert "2026-11-19, confirmed, expired" in run("cases")[1]
    assert "end: 2026-11-19, confirmed, expired" in run("cases", "show", 2)[1]


@pytest.mark.usefixtures("filled")
def test_without_a_sound_inventory_days_are_those_of_utc(run, site):
    run("cases", "confirm", 2, "--not-after", EVENING, "--by", "ada")
    (site.folder / "inventory.yaml").write_text("version: 9\n")

    assert "2026-11-18, confirmed, expired" in run("cases")[1]


def test_a_certificate_of_all_nodes_is_called_so(run, site):
    wide = INVENTORY + "    certificates: [{store: tomcat, multi_server: true}]\n"
    site.take_in(builders.message(node="sub"), inventory=wide)

    assert "every node" in run("cases")[1]
    assert "certificate: tomcat of every node, multi-server, in cluster graz" in run(
        "cases", "show", 1
    )[1]  # fmt: skip


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("days", "text"), [(7, "7 days or less"), (1, "1 day or less"), (0, "over or revoked")]
)
def test_marks_in_the_history_are_words(run, filled, days, text):
    (key,) = (row["case"]["key"] for row in listed(run) if 2 == row["id"])
    store = open_existing(filled.url)
    with store.transaction() as unit:
        crossing = Crossing(case=CaseKey(**key), days=days, at=NOW)
        unit.add_crossings([crossing], {crossing.case: 1})
    store.close()

    assert text in run("cases", "show", 2)[1]


@pytest.mark.usefixtures("filled")
def test_resolve_takes_the_new_end_and_leaves_the_list(run):
    status, out, _ = run(
        "cases", "resolve", 2, "--not-after", "2099-12-03", "--why", "seen", "--by", "ada"
    )

    assert (status, out) == (0, "Case 2 is resolved.\n")
    assert [row["id"] for row in listed(run)] == [1]
    assert [row["id"] for row in listed(run, "--all")] == [1, 2]


@pytest.fixture
def drawn(filled):
    """Return the plan of the site's cluster, drawn and stored as the daemon does it."""
    store = open_existing(filled.url)
    plan = Draughtsman(
        store=store, view=store.view, catalogue=CATALOGUE, inventory=load("site", INVENTORY),
        folder=filled.folder / "plans",
    ).draw("graz", NOW)  # fmt: skip
    store.close()
    return plan


def test_plan_ties_a_case_to_a_stored_plan_by_the_beginning_of_its_digest(run, drawn):
    words = ("--digest", drawn.digest[:19], "--start", "3d", "--by", "ada")

    assert run("cases", "plan", 2, *words)[1] == "Case 2 is planned.\n"
    assert shown(run, 2)["row"]["case"]["planned_digest"] == drawn.digest
    assert drawn.headline in run("cases", "show", 2)[1]


def test_the_plan_code_as_people_see_it_is_enough(run, drawn):
    words = ("--code", code(drawn.digest), "--start", "3d", "--by", "ada")

    assert run("cases", "plan", 2, *words)[1] == "Case 2 is planned.\n"
    assert shown(run, 2)["row"]["case"]["planned_digest"] == drawn.digest


def test_a_plan_of_another_cluster_is_refused(run, filled, drawn):
    other = INVENTORY.replace("graz", "linz").replace("name: sub", "name: lsub")
    filled.take_in(builders.message(node="lsub"), inventory=other)
    words = ("--code", code(drawn.digest), "--start", "3d", "--by", "ada")
    status, out, err = run("cases", "plan", 3, *words)

    assert (status, out, err.count("\n")) == (2, "", 1)
    assert f"plan '{code(drawn.digest)}' is of graz, the case of linz" in err


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("words", [("show",), ("acknowledge", "--why", "x", "--until", "3d")])
def test_settings_may_stand_behind_the_subcommand(run, site, monkeypatch, words):
    elsewhere = site.folder / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    head, *tail = words

    assert run("cases", head, "2", *tail, "--settings", site.settings)[0] == 0
    assert run("cases", "--settings", site.settings, "show", "2")[0] == 0
    assert run("cases", head, "2", *tail)[0] == 2


def test_with_broken_settings_cases_are_shown_and_none_is_changed(run, filled):
    filled.write("versoin: 1\nstate_dir: state\n")
    status, out, err = run("cases", "show", "2")
    deed = run("cases", "acknowledge", 2, "--why", "x", "--until", "3d", "--by", "ada")

    assert (status, err.count("\n")) == (0, 1)
    assert "certificate: tomcat of sub" in out
    assert err.startswith("watcher: warning: watcher.yaml:1:1: versoin: unknown key")
    assert deed[0] == 2


def test_a_plan_that_was_altered_in_the_database_is_shown_to_nobody(run, filled, drawn):
    with closing(connect(filled.folder / "state" / "watcher.db")) as database, database:
        database.execute("update plan set document = replace(document, 'restart', 'skip')")
    words = ("--digest", drawn.digest[:19], "--start", "3d", "--by", "ada")

    assert "was altered in the database" in run("cases", "plan", 2, *words)[2]
    assert "ALTERED in the database" in run("cases", "show", 2)[1]
    assert drawn.headline not in run("cases", "show", 2)[1]


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("show", "99"), "there is no case 99 (expected a number of `watcher cases --all`)"),
        (("acknowledge", "2", "--why", "x", "--until", "soon"), "--until: 'soon' is not a time"),
        (("acknowledge", "2", "--why", "x", "--until", "2031-01-01T10:00"), "names no zone"),
        (("acknowledge", "2", "--why", "x", "--until", "2020-01-01"), "is over (expected until"),
        (("acknowledge", "2", "--why", " ", "--until", "3d"), "acknowledge without why"),
        (("release", "2", "--why", "x"), "the case is alarmed: it takes no release"),
        (("resolve", "2", "--why", "x"), "no end date is given"),
        (("resolve", "2", "--why", "x", "--not-after", "2026-11-24"), "is over"),
        (("plan", "2", "--code", "abcd", "--start", "3d"), "has the plan code 'abcd'"),
        (("plan", "2", "--code", "abcd", "--start", "401d"), "is more than 400 days ahead"),
        (
            ("acknowledge", "2", "--why", "x", "--until", "9999-01-01"),
            "--until: '9999-01-01' is more",
        ),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(run, words, told):
    status, out, err = run("cases", *words, *([] if words[0] == "show" else ["--by", "ada"]))

    assert (status, out, err.count("\n")) == (2, "", 1)
    assert told in err
    assert shown(run, 2)["row"]["case"]["state"] == "alarmed"


@pytest.mark.usefixtures("site")
def test_without_a_database_it_says_so(run):
    status, _, err = run("cases")

    assert status == 2
    assert "expected the database of a daemon that ran" in err


def draw(filled, now=NOW):
    """Draw the plan as the daemon does; return its page."""
    store = open_existing(filled.url)
    draughtsman = Draughtsman(
        store=store, view=store.view, catalogue=CATALOGUE, inventory=load("site", INVENTORY),
        folder=filled.folder / "plans",
    )  # fmt: skip
    draughtsman.draw("graz", now)
    store.close()
    return draughtsman.page("graz")


def test_a_page_that_says_something_else_is_written_anew(filled):
    page = draw(filled)
    true = page.read_text(encoding="utf-8")
    page.write_text("stale", encoding="utf-8")
    page.with_suffix(".html").unlink()
    draw(filled)

    assert page.read_text(encoding="utf-8") == true
    assert page.with_suffix(".html").exists()


def test_the_page_of_a_cluster_with_nothing_open_is_no_plan(run, filled):
    page = draw(filled)
    for number in (1, 2):
        run("cases", "resolve", number, "--not-after", "2031-01-01", "--why", "seen", "--by", "ada")
    draw(filled)

    assert "No case of this cluster is open" in page.read_text(encoding="utf-8")
    assert not page.with_suffix(".html").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("acknowledge",), "Missing CASE, --until, --why"),
        (("acknowledge", "1", "--by", "ada"), "Missing --until, --why"),
        (("plan", "1"), "Missing --code, --start"),
        (("resolve", "1"), "Missing --why"),
    ],
)
def test_all_that_is_missing_is_named_at_once(run, words, told):
    status, _, err = run("cases", *words)
    asked = f"(expected what `watcher cases {words[0]} --help` shows)"

    assert (status, err) == (2, f"watcher: error: cases {words[0]}: {told} {asked}\n")


@pytest.mark.usefixtures("filled")
def test_a_time_that_no_calendar_holds_is_told(run):
    status, _, err = run("cases", "acknowledge", 1, "--until", "9999999d", "--why", "x")

    assert status == 2
    assert "--until: '9999999d' is out of range (expected 3d from now" in err

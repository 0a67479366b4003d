"""`watcher plan` after an interruption, and `watcher what-if`, as a person runs them."""

import json

import pytest
from proving.interruptions import CLUSTERS, EXAMPLES

NAME = "two-node-9.1"
ALARMS, SITE = str(EXAMPLES / CLUSTERS[NAME]), str(EXAMPLES / f"{NAME}.yaml")
PLAN = ("plan", ALARMS, "-i", SITE)


def drawn(run, *words, given=b""):
    status, out, err = run(*PLAN, *words, "--format", "json", given=given)

    return status, json.loads(out)["plans"][0], err


def number_of(run, key):
    _, plan, _ = drawn(run)
    return next(step["number"] for step in plan["steps"] if step["key"] == key)


def test_what_was_done_is_marked_and_the_rest_proven(run):
    status, plan, err = drawn(run, "--from-step", "41", "--failed", "40")

    assert (status, err) == (0, "")
    assert [step["mark"] for step in plan["steps"][:41]] == [*["done"] * 39, "failed", None]
    assert plan["continuation"]["outcome"] == "again"
    assert plan["proof"]["ruling"] == "safe"


def test_a_step_that_must_not_be_left_out_ends_with_3(run):
    reset = number_of(run, "reset-phones")
    status, plan, err = drawn(run, "--done", f"1-{reset - 1}", "--skip", f"{reset}=no window")

    assert status == 3
    assert err.startswith(f"watcher: error: step {reset} (Reset the phones, no window) must not")
    assert plan["steps"][reset - 1]["mark_reason"] == "no window"


def test_a_refused_skip_is_told_in_the_first_words_of_the_document(run):
    reset = number_of(run, "reset-phones")
    status, page, _ = run(*PLAN, "--done", f"1-{reset - 1}", "--skip", f"{reset}=no window")
    _, _, below = page.partition("## Verdict")

    assert status == 3
    assert below.strip().startswith("**Refused: a step that must be done was left out.")


def test_what_is_broken_for_good_stands_apart_from_what_has_to_follow(run):
    _, out, _ = run("what-if", "step", "regen CallManager cucm91-pub", "--then",
                    "regen TVS cucm91-pub, cucm91-sub", "--then", "flush", "-i", SITE)  # fmt: skip
    broken, _, follow = out.partition("What has to follow")

    assert "Broken, and nothing that follows takes it back\n- I-2: " in broken
    assert "- I-13: " in broken
    assert "- I-" not in follow
    assert ": reset all phones\n" in follow


def test_the_plan_itself_with_ticked_boxes_says_what_was_done(run):
    _, page, _ = run(*PLAN)
    head, box, tail = page.partition("- [ ] Where:")
    status, plan, _ = drawn(run, "--progress", "-", given=f"{head}- [x] Where:{tail}".encode())

    assert (status, bool(box)) == (0, True)
    assert [step["mark"] for step in plan["steps"][:2]] == ["done", None]


def test_pastes_follow_each_other(run, tmp_path):
    first, second = tmp_path / "first.txt", tmp_path / "second.txt"
    first.write_text("1-40 done\n41 failed\n", encoding="utf-8")
    second.write_text("42-45 done\n", encoding="utf-8")
    status, plan, _ = drawn(run, "--progress", str(first), "--progress", str(second))

    assert status == 0
    assert sum(step["mark"] == "done" for step in plan["steps"]) == 44
    assert plan["continuation"]["outcome"] == "as-planned"


def test_marks_stand_in_the_document(run):
    _, page, _ = run(*PLAN, "--from-step", "3", "--skip", "2=seen | yesterday")

    assert "## Where this plan stands" in page
    assert "**Skipped: seen \\| yesterday.**" in page
    assert "- [x] Where:" in page


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--from-step", "0"), "--from-step: the plan has no step 0"),
        (("--done", "1-900"), "--done: the plan has no step"),
        (("--done", "x"), "--done: 'x' are no steps"),
        (("--skip", "4"), "--skip: step 4 is skipped without a reason"),
        (("--done", "1-4", "--failed", "4"), "--failed: step 4 is marked twice"),
        (("--progress", "nowhere.txt"), "nowhere.txt: no such file"),
    ],
)
def test_marks_that_cannot_be_meant_are_bad_input(run, words, told):
    status, out, err = run(*PLAN, *words)

    assert (status, out) == (2, "")
    assert told in err


def test_what_if_tells_a_blast_radius_in_words_and_for_programs(run):
    status, out, err = run("what-if", "expiry", "TVS", "-i", SITE, "--node", "cucm91-pub")

    assert (status, err) == (0, "")
    assert "Phones that a reset does not bring back: 0" in out
    status, out, _ = run("what-if", "step", "regen TVS cucm91-pub", "--then", "reset",
                         "-i", SITE, "--format", "json")  # fmt: skip

    assert (status, json.loads(out)["safe_alone"]) == (0, False)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("expiry", "nothing", "-i", SITE), "there is no store 'nothing'"),
        (("expiry", "TVS", "-i", SITE, "--at", "soon"), "--at: 'soon' is not a time"),
        (("expiry", "TVS", "-i", SITE, "--cluster", "x"), "the inventory has no cluster 'x'"),
        (("step", " ", "-i", SITE), "a step is empty"),
        (("step", "regen TVS x", "-i", SITE), "'x' is not a node"),
    ],
)
def test_a_question_that_cannot_be_answered_is_bad_input(run, words, told):
    status, out, err = run("what-if", *words)

    assert (status, out) == (2, "")
    assert told in err

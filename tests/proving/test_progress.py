"""What was done of a plan, as people paste it; whatever else is said is refused at its line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.errors import InputError, Location
from watcher.model.progress import Mark
from watcher.proving.progress import Marks, numbers_of, read_progress

STEPS = 60


def read(text):
    return {number: (m.mark, m.reason) for number, m in read_marks(text).items()}


def read_marks(text):
    return read_progress("done.txt", text, Marks(STEPS))


def test_a_list_names_what_was_done_left_out_and_failed():
    found = read("# tonight\n1-3 done\n\n4 skipped: no such phones\nStep 5: failed\n7, 9-10 ok\n")

    assert found == {
        **dict.fromkeys((1, 2, 3, 7, 9, 10), (Mark.DONE, "")),
        4: (Mark.SKIPPED, "no such phones"),
        5: (Mark.FAILED, ""),
    }


def test_ticked_lines_of_a_checklist_were_done():
    found = read(
        "- [x] 1. Make a backup\n* [X] 2 Restart\n- [ ] 3. Regenerate\n- [x] 4 failed: no\n"
    )

    assert found == {1: (Mark.DONE, ""), 2: (Mark.DONE, ""), 4: (Mark.FAILED, "no")}


def test_of_a_pasted_plan_only_the_boxes_of_steps_count():
    paste = (
        "# Change plan: graz\n- [x] P2 Backup is there\n### Prepare\n"
        "> #### 1. Make a backup\n> - [x] Where: **pub**. About 30 min.\n> - [x] Rules: P2\n"
        "#### 2. Restart TVS\n- [ ] Where: **pub**.\n## Back-out\n- [x] something\n"
        "3 skipped: nobody is there\n"
    )

    assert read(paste) == {1: (Mark.DONE, ""), 3: (Mark.SKIPPED, "nobody is there")}


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("1 done\n61 done", 2, "the plan has no step 61"),
        ("0 done", 1, "the plan has no step 0"),
        ("1-3 done\n2 failed", 2, "step 2 is marked twice"),
        ("4 skipped", 1, "step 4 is skipped without a reason"),
        ("4 skipped:  ", 1, "step 4 is skipped without a reason"),
        ("5-3 done", 1, "'5-3' ends before it begins"),
        ("1 done\n\nall went well", 3, "'all went well' says nothing of a step"),
        ("1 not done", 1, "'1 not done' says nothing of a step"),
        ("- [x] Restart TVS", 1, "'- [x] Restart TVS' says nothing of a step"),
    ],
)
def test_what_cannot_be_meant_is_refused_at_its_line(text, line, problem):
    with pytest.raises(InputError) as caught:
        read(text)

    assert (caught.value.where, caught.value.problem) == (Location("done.txt", line), problem)


def test_steps_before_a_number_are_done_unless_something_else_is_said():
    marks = Marks(STEPS)
    marks.put([2], Mark.FAILED, "", Location("--failed"))
    marks.before(4, Location("--from-step"))

    assert [m.mark for _, m in sorted(marks.found.items())] == [Mark.DONE, Mark.FAILED, Mark.DONE]
    with pytest.raises(InputError, match="no step 62"):
        marks.before(STEPS + 2, Location("--from-step"))


@given(st.sets(st.integers(1, STEPS), min_size=1))
def test_any_steps_are_read_back_from_a_list_of_them(numbers):
    text = ",".join(map(str, sorted(numbers)))

    assert set(numbers_of(text, Location("--done"))) == numbers


WORDS = st.sampled_from(["done", "OK", "skipped: no phones", "skip - none", "failed", "failed: x"])
NUMBERS = st.sets(st.integers(0, STEPS + 1), min_size=1, max_size=4)


@given(st.lists(st.tuples(NUMBERS, WORDS), min_size=1, max_size=5))
def test_each_step_is_marked_once_or_the_list_is_refused(lines):
    text = "\n".join(f"{','.join(map(str, sorted(some)))} {word}" for some, word in lines)
    named = [number for some, _ in lines for number in some]
    sound = set(named) <= set(range(1, STEPS + 1)) and len(set(named)) == len(named)
    try:
        found = set(read_marks(text))
    except InputError:
        found = set()

    assert found == (set(named) if sound else set())


PIECES = st.sampled_from(
    ["1", "60", "61", "-", ",", " ", ": ", "\n", "done", "skip", "why", "- [x] ", "- [ ] ", "> ",
     "step", "## 2. ", "# "]
)  # fmt: skip


@given(st.text() | st.lists(PIECES).map("".join))
def test_any_text_is_read_or_refused_at_its_line(text):
    try:
        found = set(read_marks(text))
        line = 1
    except InputError as error:
        found, line = set(), error.where.line

    assert found <= set(range(1, STEPS + 1))
    assert 1 <= line <= len(text.splitlines()) + (not text)

"""What a comment says of a change: only what is so."""

from dataclasses import replace

from store import samples

from watcher.tickets.said import comments

ORDER = "The order of the steps is another."


def change(*decides, **changes):
    made = replace(samples.change(), draft=samples.draft(decides=decides))
    return replace(made, **({"version": 1, "round": 1} | changes))


def told(before, after):
    return comments(before, after)["v"].splitlines()


def test_an_order_that_alone_changed_is_said_as_such():
    assert ["The plan changed; this is version 2.", ORDER] == told(
        change("1", "2"), change("2", "1", version=2)
    )


def test_another_round_with_the_same_to_do_says_that_nothing_else_changed():
    assert [
        "An alarm came again after this change was done.",
        "What is to be done is what it was; this is version 2.",
    ] == told(change("1", "2"), change("1", "2", version=2, round=2))


def test_another_round_with_another_order_says_both():
    assert [
        "An alarm came again after this change was done.",
        "The plan changed; this is version 2.",
        ORDER,
    ] == told(change("1", "2"), change("2", "1", version=2, round=2))


def test_one_of_two_equal_steps_that_is_left_out_is_no_other_order():
    assert ["The plan changed; this is version 2.", "- no more: restart"] == told(
        change("restart", "wait", "restart"), change("restart", "wait", version=2)
    )

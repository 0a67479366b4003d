"""The steps of a ticket: every word that keeps one from being done wrongly, where it is needed."""

import re
from dataclasses import replace

import pytest
from builders import AS_OF, CATALOGUE, alarm, cluster, inventory, node

from watcher import account, planning
from watcher.inventory.schema import SecurityMode
from watcher.model.proof import TrustSpan
from watcher.picture import blocks
from watcher.senders.answers import limited
from watcher.tickets.draft import draft_of
from watcher.tickets.steps import COMMAND, NO_RETURN, NO_RETURN_OF_PHONES, OPTIONAL, WHOLE


def plan(*alarms, **values):
    site = inventory(cluster(node("pub"), node("sub1"), **values))
    (drawn,) = planning.plan(alarms, site, CATALOGUE, AS_OF)
    return drawn


@pytest.fixture(scope="module")
def unsure():
    """Return a plan with conditions, options, commands that may be refused, and a gate."""
    return plan(alarm(store="CallManager"), alarm(), security_mode=None)


@pytest.fixture(scope="module")
def recovery():
    """Return a plan whose second part is done in another window."""
    return plan(
        alarm(store="ITLRecovery"), alarm(store="CallManager"), release="12.5(1)SU4",
        security_mode=SecurityMode.NON_SECURE,
    )  # fmt: skip


def texts(drawn):
    """Return the lines of each step by its number, the first line with what follows."""
    found = re.split(r"^(?=\d+\. )", draft_of(drawn).implementation, flags=re.MULTILINE)
    return {int(text.partition(".")[0]): text for text in found if text[:1].isdigit()}


def heads(drawn):
    return {number: text.splitlines()[0] for number, text in texts(drawn).items()}


def test_a_condition_stands_in_the_first_line_of_its_step(unsure):
    told = heads(unsure)
    asked = [step for step in unsure.steps if step.only_if]

    assert len(asked) > 1
    assert all(f" ONLY IF {' and '.join(s.only_if)}." in told[s.number] for s in asked)
    assert len(asked) == sum("ONLY IF" in line for line in told.values())


def test_an_option_and_both_points_of_no_return_stand_there_too(unsure):
    number = unsure.point_of_no_return
    later = unsure.steps[-1].number
    proof = replace(unsure.proof, no_return=(number, later))
    optional = replace(unsure.steps[-1], optional=True)
    told = heads(replace(unsure, proof=proof, steps=(*unsure.steps[:-1], optional)))

    assert told[number].endswith(f") {NO_RETURN}") or told[number].endswith(f". {NO_RETURN}")
    assert told[later].endswith(f"{OPTIONAL} {NO_RETURN_OF_PHONES}")
    assert 2 == sum("POINT OF NO RETURN" in line for line in told.values())


def test_everything_that_the_plan_says_at_a_step_stands_at_it(unsure):
    told = texts(unsure)
    for step in unsure.steps:
        lines = [*step.do, *step.gui, *step.expect, *step.check]
        dialogs = [text for command in step.command for text in command.dialog]

        assert [] == [x for x in (*lines,) if x.text not in told[step.number]]
        assert [] == [x for x in (step.note or "", *dialogs) if x not in told[step.number]]


def test_the_words_of_the_proof_stand_at_their_steps(unsure):
    first, last = unsure.steps[0].number, unsure.steps[-1].number
    span = TrustSpan(groups=("desk",), first=first, last=last, text="refused")
    drawn = replace(unsure, proof=replace(unsure.proof, windows=(span,), outages=(span,)))
    said = [mark.text for mark in account.marks(drawn)[first]]

    assert 2 == len(said)
    assert all(f"   - {text}\n" in texts(drawn)[first] for text in said)


def test_what_is_not_simply_typed_is_told_before_it(unsure):
    step = next(step for step in unsure.steps if step.command)
    sure = replace(step.command[0], tentative=False, only_if=(), dialog=(), text="show it")
    line = replace(sure, tentative=True, only_if=("a", "b"))
    commands = (sure, line, line, sure)
    told = texts(replace(unsure, steps=(replace(step, command=commands, do=(), note=None),)))

    assert [
        f"{COMMAND}show it",
        "   - If it is accepted, type (only if a and b):",
        f"{COMMAND}show it",
        f"{COMMAND}show it",
        "   - Type:",
        f"{COMMAND}show it",
    ] == told[step.number].splitlines()[1:7]


def test_only_what_is_typed_begins_as_a_command_does(unsure):
    lines = draft_of(unsure).implementation.splitlines()
    typed = [line.removeprefix(COMMAND) for line in lines if line.startswith(COMMAND)]

    assert [c.text for s in unsure.steps for c in s.command] == typed


def test_another_window_is_told_by_a_heading_and_a_note(recovery):
    text = draft_of(recovery).implementation
    found = blocks(recovery)
    ours = [line for line in text.splitlines() if line.startswith("== ")]

    assert len(found) == len(ours)
    assert {1, 2} == {block.part for block in found}
    assert any(line.endswith("(window 2) ==") for line in ours)
    assert "Do this part in another maintenance window" in text


def test_what_is_assumed_is_to_be_checked_before_the_first_step(unsure):
    before = draft_of(unsure).implementation.partition("\n1. ")[0]
    inputs = account.inputs(unsure.proof)

    assert inputs
    assert all(item.text in before and item.check in before for item in inputs)
    assert before.startswith(f"{WHOLE}\n\nBefore:\n- P1: ")


def test_several_conditions_of_a_sentence_are_one_with_another(unsure):
    line = replace(unsure.preconditions[0], only_if=("a", "b"))

    assert "(only if a and b)" in draft_of(replace(unsure, preconditions=(line,))).implementation


@pytest.mark.parametrize("limit", [1000, 4000, 8000, 16000])
def test_a_field_that_is_cut_shows_no_step_without_its_conditions(unsure, limit):
    text = draft_of(unsure).implementation
    cut = limited(text, limit)
    shown = [line for line in cut.splitlines() if line[:1].isdigit()]

    assert len(text) > limit >= len(cut)
    assert cut.startswith(f"{WHOLE}\n")
    assert shown == list(heads(unsure).values())[: len(shown)]
    assert "`watcher tickets show KEY --full`" in cut.splitlines()[-1]

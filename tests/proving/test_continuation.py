"""Plans that were interrupted go on only as far as that is proven; else a restore is named."""

from dataclasses import replace

import pytest
from builders import CATALOGUE, events
from hypothesis import given, settings
from hypothesis import strategies as st
from proving.generator import alarms, document, inventory
from proving.harness import assumed, is_small
from proving.independent import judge
from proving.interruptions import CLUSTERS, DONE, FAILED, SKIPPED, example, work
from proving.translation import Translation

from watcher.account import verdict
from watcher.errors import InputError
from watcher.inventory.loader import load
from watcher.model.plan import minutes
from watcher.model.progress import Outcome
from watcher.proving.interrupted import interrupted
from watcher.proving.rest import Course, Site, prove_course, variants
from watcher.trust.verdict import Ruling

SAMPLE = 13
"""Every so many steps are interrupted; each run begins at another one of them by name."""


def course_of(plan, site):
    """Return what was and will be done by a continuation, as it is printed."""
    case = interrupted(plan, {}, site)
    return Course(plan.steps, len(case.past), case.doubtful)


@pytest.mark.parametrize("mark", [FAILED, SKIPPED])
@pytest.mark.parametrize("name", CLUSTERS)
def test_every_interruption_goes_on_proven_or_names_a_restore(name, mark):
    given_work = example(name)
    for number in range(1 + len(name) % SAMPLE, len(given_work.plan.steps) + 1, SAMPLE):
        plan = given_work.stopped_at(number, mark)
        told = plan.continuation

        if told.outcome is Outcome.RESTORE:
            assert plan.withheld
            assert all(step.mark for step in plan.steps)
        else:
            proof = prove_course(plan, course_of(plan, given_work.site), given_work.site)

            assert Ruling.REFUSED not in (plan.proof.ruling, proof.ruling)
        assert [step.number for step in plan.steps] == list(range(1, len(plan.steps) + 1))


@pytest.mark.parametrize("name", CLUSTERS)
def test_no_step_may_be_left_out_that_makes_the_proof_rest_on_more(name):
    given_work = example(name)
    before = {item.text for item in given_work.plan.proof.assumptions}
    for number in range(1 + len(name) % 6, len(given_work.plan.steps) + 1, 6):
        plan = given_work.go_on({number: SKIPPED})
        more = {item.text for item in plan.proof.assumptions} - before

        assert plan.continuation.refused or not more, number


@pytest.mark.parametrize("name", CLUSTERS)
def test_a_plan_that_only_rested_goes_on_as_planned(name):
    given_work = example(name)
    middle = len(given_work.plan.steps) // 2
    plan = given_work.stopped_at(middle, DONE)

    assert plan.continuation.outcome is Outcome.AS_PLANNED
    assert [step.title for step in plan.steps] == [s.title for s in given_work.plan.steps]
    assert [step.mark for step in plan.steps[: middle + 1]] == [*[DONE] * middle, None]
    assert plan.minutes < given_work.plan.minutes


def test_what_failed_is_done_again_and_proven_either_way():
    given_work = example("two-node-9.1")
    number = given_work.first("regenerate", store="CallManager")
    plan = given_work.stopped_at(number, FAILED)

    assert plan.continuation.outcome is Outcome.AGAIN
    assert plan.steps[number - 1].mark is FAILED
    assert plan.steps[number].title == plan.steps[number - 1].title
    assert plan.steps[number].mark is None
    assert len(list(variants(course_of(plan, given_work.site)))) == 2
    assert f"Steps {number + 1}-{len(plan.steps) - 1} are now" in plan.continuation.lines[-1]


def test_a_check_that_failed_puts_what_it_looked_at_in_doubt():
    given_work = example("two-node-9.1")
    number = given_work.first("verify-certificate", store="CallManager")
    plan = given_work.stopped_at(number, FAILED)
    again = [step.key for step in plan.steps[number : number + 2]]

    assert again == ["regenerate", "verify-certificate"]
    assert course_of(plan, given_work.site).doubtful == (number - 1,)


def test_a_reset_that_must_not_be_left_out_is_put_back_with_the_counter_example():
    given_work = example("two-node-9.1")
    number = given_work.first("reset-phones")
    plan = given_work.stopped_at(number, SKIPPED)
    (refused,) = plan.continuation.refused

    assert plan.continuation.outcome is Outcome.AGAIN
    assert f"step {number} (Reset the phones, as told) must not be left out" in refused
    assert "I-1" in refused
    assert plan.steps[number].key == "reset-phones"


def test_a_restart_without_which_the_rest_needs_a_guess_must_not_be_left_out():
    given_work = example("two-node-9.1")
    gate = given_work.first("reset-phones")
    number = max(s.number for s in given_work.plan.steps[: gate - 1] if s.service == "cisco-tvs")
    plan = given_work.stopped_at(number, SKIPPED)
    (refused,) = plan.continuation.refused

    assert refused.startswith(f"step {number} (Restart Cisco Trust Verification Service on cucm91")
    assert "(U3) [I-2; " in refused
    assert plan.continuation.outcome is Outcome.AGAIN
    assert plan.continuation.lines[1] == f"Do step {number} now, then the rest."
    assert len(plan.steps) == len(given_work.plan.steps) + 1
    assert verdict(plan).words.startswith("Refused: a step that must be done was left out.")


def test_only_the_step_that_breaks_the_rest_is_named():
    given_work = example("two-node-9.1")
    harmless = given_work.first("restart-service", service="cisco-tomcat")
    reset = given_work.first("reset-phones")
    marks = {**dict.fromkeys(range(1, reset), DONE), harmless: SKIPPED, reset: SKIPPED}
    plan = given_work.go_on(marks)
    (refused,) = plan.continuation.refused

    assert refused.startswith(f"step {reset} ")
    assert [s.number for s in plan.steps if s.mark is SKIPPED] == [harmless, reset]


@pytest.mark.parametrize("done", [0, 10])
def test_a_step_that_will_be_left_out_stays_where_it_is(done):
    given_work = example("two-node-9.1")
    number = given_work.first("tell-party")
    plan = given_work.go_on({**dict.fromkeys(range(1, done + 1), DONE), number: SKIPPED})
    skipped = plan.steps[number - 1]

    assert [s.title for s in plan.steps] == [s.title for s in given_work.plan.steps]
    assert (plan.continuation.renumbered, skipped.mark) == ((), SKIPPED)
    assert not any("now" in line for line in plan.continuation.lines)
    assert any(f"Left out by you: step {number} " in line for line in plan.continuation.lines)
    assert plan.minutes == minutes(s for s in plan.steps[done:] if s is not skipped)


def test_a_step_to_come_that_must_not_be_left_out_is_done_in_its_place():
    given_work = example("two-node-9.1")
    number = given_work.first("reset-phones")
    plan = given_work.go_on({number: SKIPPED})

    assert [s.title for s in plan.steps] == [s.title for s in given_work.plan.steps]
    assert plan.steps[number - 1].mark is None
    assert plan.continuation.lines[1] == f"Do step {number} in its place."
    assert plan.continuation.refused


def test_resets_and_hours_are_those_of_the_rest():
    given_work = example("two-node-9.1")
    last = len(given_work.plan.steps)
    whole, rest = given_work.plan, given_work.stopped_at(last - 1, DONE)

    assert (whole.proof.resets, rest.proof.resets) == (2, 0)
    assert rest.summary[2].startswith("Work left: 1 step. Way: ")
    assert rest.summary[3].endswith("of work; no phone is reset.")
    assert rest.summary[:2] == whole.summary[:2]


def test_a_backup_left_out_before_a_change_is_told_although_the_rest_is_proven():
    given_work = example("two-node-9.1")
    backup = given_work.first("backup")
    first_change = given_work.first("regenerate")
    marks = {**dict.fromkeys(range(1, first_change + 1), DONE), backup: SKIPPED}
    plan = given_work.go_on(marks)

    assert plan.proof.ruling != Ruling.REFUSED
    assert any(
        "that broke what was done after it: I-11" in why for why in plan.continuation.refused
    )


def test_a_backup_that_nobody_checks_is_none():
    given_work = example("two-node-9.1")
    number = given_work.first("verify-backup")
    plan = given_work.stopped_at(number, SKIPPED)
    (refused,) = plan.continuation.refused

    assert f"step {number} (" in refused
    assert "[I-11; " in refused
    assert plan.continuation.lines[1] == f"Do step {number} now, then the rest."


def test_a_restart_that_may_be_left_out_is_only_told():
    given_work = example("two-node-9.1")
    number = given_work.first("restart-service", service="cisco-tomcat")
    plan = given_work.stopped_at(number, SKIPPED)

    assert plan.continuation.outcome is Outcome.AS_PLANNED
    assert plan.continuation.refused == ()
    assert any("Left out by you" in line for line in plan.continuation.lines)
    assert any("L-3: Tomcat" in line for line in plan.continuation.lines)
    opened = [line for line in plan.continuation.lines if line.startswith("Left open")]

    assert opened == [
        "Left open by that: RESTARTS: Cisco Tomcat is not restarted on cucm91-pub after this."
    ]


def test_a_check_that_was_left_out_is_told_by_the_rule_that_asks_for_it():
    given_work = example("two-node-9.1")
    plan = given_work.stopped_at(given_work.first("check-itl-size"), SKIPPED)
    opened = [line for line in plan.continuation.lines if line.startswith("Left open")]

    assert [line.split(": ")[1] for line in opened] == ["P11"]


def test_phones_that_lost_both_anchors_leave_only_a_restore():
    given_work = example("two-node-9.1")
    last = max(s.number for s in given_work.plan.steps if s.key == "wait-registrations")
    gates = [s.number for s in given_work.plan.steps if s.kind in ("reset", "wait")]
    marks = {**dict.fromkeys(range(1, last), DONE), **dict.fromkeys(gates[:2], SKIPPED)}
    plan = given_work.go_on(marks)

    assert plan.continuation.outcome is Outcome.RESTORE
    assert any("LOCKED_TOUCH" in line for line in plan.withheld)
    backup = max(s.number for s in plan.steps if s.kind == "backup")
    assert any(line.startswith("The backup is that of step ") for line in plan.withheld), backup
    assert any("can strand the moved ones" in line for line in plan.withheld)


def test_a_first_phone_that_is_refused_stops_everything():
    given_work = example("two-node-9.1")
    plan = given_work.stopped_at(given_work.first("canary"), FAILED)
    words = " ".join(plan.withheld)

    assert plan.continuation.outcome is Outcome.RESTORE
    assert "Do not reset any other phone. Find out first what in the inventory is not so" in words
    assert not any(saying in words for saying in ("no phone is lost", "By the model"))
    assert verdict(plan).words == "Stop here: no way to go on is proven"


def test_a_continuation_can_be_interrupted_in_turn():
    given_work = example("two-node-9.1")
    number = given_work.first("regenerate", store="CallManager")
    first = given_work.stopped_at(number, FAILED)
    again = replace(given_work, plan=first)
    second = again.go_on(dict.fromkeys(range(number + 1, number + 6), DONE))

    assert second.continuation.outcome is Outcome.AS_PLANNED
    assert len(second.steps) == len(first.steps)
    assert second.steps[number - 1].mark is FAILED


def test_too_many_steps_in_doubt_are_looked_at_first():
    given_work = example("two-node-9.1")
    changing = [s.number for s in given_work.plan.steps if s.kind == "regenerate"][:5]

    with pytest.raises(InputError, match="of 5 steps nobody knows"):
        given_work.go_on({**dict.fromkeys(range(1, 60), DONE), **dict.fromkeys(changing, FAILED)})


@given(data=st.data(), name=st.sampled_from([n for n in CLUSTERS if n != "technote"]))
@settings(max_examples=8)
def test_marks_at_random_end_proven_or_withheld(data, name):
    given_work = example(name)
    plan = given_work.go_on(data.draw(marks_on(given_work.plan)))

    if plan.continuation.outcome is not Outcome.RESTORE:
        proof = prove_course(plan, course_of(plan, given_work.site), given_work.site)

        assert proof.ruling != Ruling.REFUSED
        assert all(dep < step.number for step in plan.steps for dep in step.depends_on)


@st.composite
def marks_on(draw, plan):
    """Return marks on a plan: all done up to a step, but for a few left out or failed."""
    last = draw(st.integers(1, len(plan.steps)))
    odd = draw(
        st.dictionaries(st.integers(1, last), st.sampled_from([SKIPPED, FAILED]), max_size=3)
    )
    return {**dict.fromkeys(range(1, last + 1), DONE), **odd}


SMALL = [
    f"continued-{number}" for number in range(200) if is_small(document(f"continued-{number}"))
]


@given(data=st.data(), name=st.sampled_from(SMALL))
@settings(max_examples=30)
def test_no_continuation_strands_anyone_by_the_independent_judge(data, name):
    made = document(name)
    made["cluster"]["backups"] = []
    given_work = work(events(alarms(made)), load("generated.yaml", inventory(made)))
    if not given_work.plan.steps:  # withheld: there is nothing to interrupt
        return
    plan = given_work.go_on(data.draw(marks_on(given_work.plan)))
    if plan.continuation.outcome is Outcome.RESTORE:
        return
    made["assume"] = assumed(plan.proof)
    for steps in variants(course_of(plan, Site(given_work.site.cluster, CATALOGUE))):
        reader = Translation(made)
        taken = [step for step in steps if not (step.optional or step.alternative)]
        lines = [line for step in taken for line in reader.lines_of(step)]
        found = judge(made | {"steps": lines or ["verify nothing"]})

        assert dict(found.stranded) == {}, (plan.continuation, lines)

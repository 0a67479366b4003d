"""What a document says of a proof: the ruling in words, like things once, marks at steps."""

from dataclasses import replace

from builders import alarm, cluster, plan

from watcher.account import alike, debts, few, inputs, marks, remarks, tried, verdict
from watcher.model.proof import Assumption, Proof, TrustMoment, TrustSpan, WayTried

REACH = "reaches TVS (tcp 2445)"


def assumed(group, step=0):
    return Assumption(text=f"{group}: {REACH}", check="open tcp 2445", step=step)


def span(text, *groups, first=3, last=5, when=""):
    return TrustSpan(groups=groups, first=first, last=last, text=text, when=when)


def way(name, **values):
    defaults = {
        "way": name, "title": name, "resets": 2, "minutes": 90, "ruling": "safe", "why": "",
        "taken": False,
    }  # fmt: skip
    return WayTried(**(defaults | values))


PROOF = Proof(
    ruling="safe", resets=1, nodes=2, groups=2, combinations=8,
    moments=(TrustMoment(step=3, title="Regenerate", reset=False),), lanes=(), windows=(),
    outages=(), notes=(), offline=(), no_return=(), assumptions=(), inputs=(), unpaid=(),
    ways=(way("first", taken=True),), sentences=(),
)  # fmt: skip
DRAWN = plan([alarm(store="TVS")], cluster())


def told(**values):
    return verdict(replace(DRAWN, proof=replace(PROOF, **values)))


def test_a_plan_that_nobody_proved_says_nothing():
    assert verdict(replace(DRAWN, proof=None)) is None


def test_a_safe_plan_says_so():
    assert told().tone == "safe"
    assert told().words.startswith("Proven safe:")


def test_a_plan_that_changes_nothing_says_one_sentence():
    said = told(moments=())

    assert said.words == "Nothing that phones trust changes, so no phone can be left behind"
    assert said.ways == said.because == ()


def test_assumptions_are_named_the_gravest_first_and_cut():
    many = (*(Assumption(text=f"fact {n}", check="look") for n in range(6)), assumed("x", step=7))
    said = told(ruling="safe-with-assumptions", assumptions=many)

    assert said.tone == "assumed"
    assert said.because[0] == f"x: {REACH}"
    assert said.because[-1] == "and 3 more, in What was proven, and what was not"
    assert len(said.because) == 5


def test_a_withheld_plan_says_why_and_what_the_model_saw():
    seen = ("Step 3 (Regenerate): nobody vouches [I-2; S1]",)
    proven = replace(
        PROOF, moments=(), counter_example=seen, ways=(way("first", ruling="refused"),)
    )
    said = verdict(replace(DRAWN, withheld=("no token", *seen), proof=proven))

    assert (said.tone, said.because, said.seen) == ("withheld", ("no token",), seen)
    assert said.order == "first"
    assert said.words.endswith("The steps below touch nothing that phones trust")


def test_a_withheld_plan_lists_its_ways_when_there_are_several():
    ways = (way("a", ruling="refused", why="lost"), way("b", ruling="refused", why="gone"))
    said = verdict(replace(DRAWN, withheld=("no",), proof=replace(PROOF, moments=(), ways=ways)))

    assert [item.result for item in said.ways] == ["refused. lost", "refused. gone"]


def test_a_plan_of_a_part_says_what_is_proven_and_what_is_withheld():
    said = verdict(replace(DRAWN, withheld=("no safe order",), proof=PROOF))

    assert said.tone == "assumed"
    assert said.words.startswith("Only a part is planned, and the rest withheld.")
    assert "Proven safe" in said.words
    assert said.left_out == ("no safe order",)


def test_what_nobody_proved_may_be_withheld():
    said = verdict(replace(DRAWN, withheld=("no",), proof=None, steps=()))

    assert (said.tone, said.because) == ("withheld", ("no",))
    assert "below" not in said.words


def test_every_way_says_what_became_of_it():
    ways = (
        way("taken", taken=True), way("more", resets=3), way("slow", minutes=100),
        way("unsure", ruling="safe-with-assumptions"), way("bad", ruling="refused", why="I-2"),
        way("rules", why="O6: no wait"),
    )  # fmt: skip

    assert [item.result for item in tried(replace(PROOF, ways=ways))] == [
        "proven", "proven; more phone resets", "proven; takes longer",
        "proven under assumptions; the way taken needs none", "refused. I-2",
        "refused. O6: no wait",
    ]  # fmt: skip


def test_assumptions_of_several_groups_are_one():
    (one,) = alike([assumed("a"), assumed("b")])

    assert one == Assumption(text=f"a, b: {REACH}", check="open tcp 2445")


def test_assumptions_that_matter_at_a_step_stay_apart():
    assert len(alike([assumed("a", step=3), assumed("b", step=3)])) == 2


def test_only_inputs_are_listed_with_their_checks():
    answer = Assumption(text="an answer", check="look")
    proven = replace(PROOF, assumptions=(assumed("a"), answer), inputs=(assumed("a").text,))

    assert inputs(proven) == (assumed("a"),)


def test_a_sentence_names_a_few_groups():
    assert few(list("abcdefgh")) == "a, b, c, d, e, f and 2 more"
    assert few(list("abc")) == "a, b, c"


def test_notes_that_differ_in_steps_or_groups_are_one():
    notes = (
        span("I-13: both change", first=58, last=58), span("I-13: both change", first=60, last=60),
        span("P-5: a: one TFTP server", "a", first=0, last=0),
        span("P-5: b: one TFTP server", "b", first=0, last=0),
    )  # fmt: skip
    found = [(r.text, r.steps, r.groups, r.rule) for r in remarks(notes)]

    assert found == [
        ("both change", "58, 60", "", "I-13"), ("one TFTP server", "0", "a, b", "P-5")
    ]  # fmt: skip


def test_debts_keep_their_rule():
    (debt,) = debts(["L-3: issue new LSCs"])

    assert (debt.text, debt.rule) == ("issue new LSCs", "L-3")


def test_steps_carry_what_begins_at_them():
    proven = replace(
        PROOF, no_return=(3,), windows=(span("nobody signed it", "a", when="U2"),),
        outages=(span("not registered", "b", first=4, last=4),),
        assumptions=(assumed("a", step=4),),
    )  # fmt: skip
    found = marks(replace(DRAWN, proof=proven))

    assert [mark.kind for mark in found[3]] == ["no-return", "window"]
    assert [mark.kind for mark in found[4]] == ["assumed", "out"]
    assert "through step 5" in found[3][1].text
    assert "if U2" in found[3][1].text
    assert marks(replace(DRAWN, proof=None)) == {}

"""Counter-examples and required sentences read as a field engineer would say them."""

from dataclasses import replace

import pytest
from builders import AS_OF, CATALOGUE, alarm, cluster, inventory

from watcher import planning
from watcher.inventory.schema import PhoneGroup
from watcher.model.proof import AbsentPhones
from watcher.model.release import Release
from watcher.proving.words import counter_example, sentences, when
from watcher.trust.names import Service
from watcher.trust.prove import prove
from watcher.trust.release import profile
from watcher.trust.scenario import Action, Group, Node, Scenario, Step

ALONE = Scenario(
    profile=profile(Release.parse("9.1(2)")),
    nodes=(Node(name="pub", publisher=True, services=frozenset(Service)),),
    groups=(Group(name="desk", tftp=("pub",), cm_group=("pub",), held_itl="pub", count=3),),
    steps=(
        Step(number=1, text="Back up", action=Action.BACKUP),
        Step(number=2, text="x", action=Action.REGENERATE, store="CallManager", node="pub"),
        Step(number=3, text="x", action=Action.REGENERATE, store="TVS", node="pub"),
        Step(number=4, text="x", action=Action.RESTART, service=Service.TVS, node="pub"),
        Step(number=5, text="x", action=Action.RESTART, service=Service.TFTP, node="pub"),
        Step(number=6, text="x", action=Action.RESET),
    ),
)  # fmt: skip
GROUPS = (PhoneGroup(name="a"), PhoneGroup(name="b"))
(PLAN,) = planning.plan(
    [alarm(store=store) for store in ("CallManager", "TVS")],
    inventory(cluster(release="11.5(1)", phone_groups=GROUPS)), CATALOGUE, AS_OF,
)  # fmt: skip


def said(**values):
    return sentences(PLAN, replace(PLAN.proof, **values), ALONE)


def test_a_counter_example_names_steps_then_phones_and_their_cure():
    told = list(counter_example(prove(ALONE), ()))

    assert told[0].startswith("Step ")
    assert told[0].endswith("]")
    assert told[-1].startswith("Phones of desk do not come back (LOCKED_")
    assert any(words in told[-1] for words in ("healed from the server", "Nothing on the server"))


@pytest.mark.parametrize(
    "start",
    [
        "This order was executed against a model of your cluster",
        "TFTP order per site, reachability of TVS (tcp 2445), phones switched off",
        "Cisco's documents differ here (",
        "Phones that are off from step",
        "After step ",
        "Before each barrier for all phones, reset one phone of each group",
        "Not modelled: ",
        "Not a Cisco document; open a TAC case",
    ],
)
def test_each_required_sentence_is_said_once(start):
    assert len([text for text in PLAN.proof.sentences if text.startswith(start)]) == 1


def test_phones_that_are_off_are_told_in_one_sentence():
    kept = AbsentPhones(groups=("a",), ok=True, text="survive: TVS@pub")
    bare = AbsentPhones(groups=("b",), ok=True, text="survive", when="U2")
    lost = AbsentPhones(groups=("c",), ok=False, text="are refused. Delete the ITL.")
    (text,) = (text for text in said(offline=(kept, bare, lost)) if "that are off from" in text)

    assert "will survive (a because of TVS@pub; b, if U2) and need help (c): they are" in text


def test_what_is_assumed_of_groups_alike_is_said_once():
    (text,) = (text for text in PLAN.proof.sentences if text.startswith("TFTP order"))

    assert text.count("reaches TVS") == 1
    assert "a, b: reaches TVS" in text


def test_an_answer_may_be_that_it_is_not_so():
    assert when({"U2": "at_restart"}).startswith("it is not so that TFTP builds")
    assert when({"U2": "at_once"}).startswith("TFTP builds")

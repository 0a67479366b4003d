"""What phones see is looked at again only where a step changed it, and then it is what is there."""

import gc
import json
from contextlib import suppress
from itertools import islice

import pytest
from proving import generator
from trust.ground import scenario

from watcher.errors import InputError
from watcher.orders.reader import read
from watcher.trust.branch import Branch, branches
from watcher.trust.change import apply
from watcher.trust.lists import Itl
from watcher.trust.names import Service
from watcher.trust.prove import prove
from watcher.trust.sight import Sight
from watcher.trust.walk import Memory, start
from watcher.trust.world import begin


def seen_differently(order, branch):
    """Return what each step of an order changes in the eyes of phones that looked before."""
    given = scenario("9.1", "A B", order)
    world = begin(given, branch)
    sight = Sight(world)
    for group in given.groups:
        sight.view(group)
    return [sight.forget(apply(step, world)) for step in given.steps]


def test_a_tvs_that_learns_what_nobody_signs_with_is_the_same_to_phones():
    at_once = Branch(tvs_at_once=True)
    tomcat, verifier = seen_differently("regen tomcat P; TVS P", at_once)

    assert tomcat == frozenset()
    assert verifier == {(Service.TVS, "P")}


def test_a_tvs_that_was_never_looked_at_may_differ():
    given = scenario("9.1", "A", "regen tomcat P")
    world = begin(given, Branch(tvs_at_once=True))
    touched = apply(given.steps[0], world)

    assert Sight(world).forget(touched) == frozenset(touched)


def made(seed):
    """Yield made orders without end."""
    for cluster in generator.clusters(seed):
        with suppress(InputError):
            yield read("made.yaml", json.dumps(cluster))


@pytest.mark.parametrize("given", list(islice(made("sight"), 6)))
def test_what_is_remembered_is_what_a_new_look_shows(given):
    open_questions = dict.fromkeys(("U1", "U2", "U3"))
    for branch in branches(open_questions):
        walk = start(given, branch, Memory(), given.groups)
        walk.begin()
        for step in given.steps:
            walk.take(step)
            remembered = {c.group: c.view for c in walk.crowds if c.view is not None}
            fresh = Sight(walk.world)

            assert remembered == {group: fresh.view(group) for group in remembered}


def lists_alive():
    gc.collect()
    return sum(isinstance(one, Itl) for one in gc.get_objects())


def test_lists_are_forgotten_with_their_proof():
    before = lists_alive()
    verdict = prove(scenario("9.1", "A B", "CM P; CM S; bounce"))

    assert verdict.combinations > 1
    assert lists_alive() == before

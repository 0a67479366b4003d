"""What holds in every plan, whatever the cluster, however little is known of it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from builders import AS_OF, CATALOGUE, events, inventory, plans
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import alarms_for, clusters, sites

from watcher.app.plans import render_plans
from watcher.inventory.schema import CallManagerGroup, Duty, PhoneGroup
from watcher.planner.plan import draw_plans, sketch_plans
from watcher.rules.store import Phase, Renewal
from watcher.rules.work import StepKind
from watcher.safety.check import check

ROOT = Path(__file__).parent.parent.parent
DEEDS = {
    StepKind.REGENERATE, StepKind.UPLOAD, StepKind.DELETE, StepKind.REISSUE, StepKind.PARAMETER,
}  # fmt: skip
FORMATS = ("md", "html", "json")


def drawn(site):
    known, messages = site
    return plans(events(*messages), *([known] if known else []))


@settings(max_examples=400)
@given(sites())
def test_every_plan_is_sound(site):
    """Draw once for all that a plan must be: drawing is what takes the time."""
    for plan in drawn(site):
        assert check(plan, site[0], CATALOGUE) == ()
        steps_are_numbered_and_each_is_reached(plan)
        every_statement_has_a_source(plan)


@st.composite
def known_sites(draw):
    """Return a cluster of which it is known what each node does, and messages of its alarms."""
    site = draw(clusters())
    duties = st.sets(st.sampled_from(Duty)).map(lambda some: tuple(sorted(some)))
    nodes = tuple(
        one if one.duties is not None else one.model_copy(update={"duties": draw(duties)})
        for one in site.nodes
    )
    calling = [one.name for one in nodes if one.has(Duty.CALL_PROCESSING)]
    names = st.lists(st.sampled_from(calling), min_size=1, max_size=3, unique=True).map(tuple)
    groups = draw(st.lists(names, max_size=3)) if calling else []
    serving = [one.name for one in nodes if one.has(Duty.TFTP)]
    asked = st.lists(st.sampled_from(serving), max_size=2, unique=True).map(tuple)
    lists = draw(st.lists(asked, max_size=2)) if serving else []
    known = site.model_copy(update={
        "nodes": nodes, "rollback_pre80": False,
        "callmanager_groups": tuple(
            CallManagerGroup(name=f"CMG {i}", nodes=some) for i, some in enumerate(groups)),
        "phone_groups": tuple(
            PhoneGroup(name=f"phones {i}", tftp=some) for i, some in enumerate(lists)),
    })  # fmt: skip
    return known, draw(alarms_for(known))


@settings(max_examples=200)
@given(known_sites())
def test_every_way_passes_the_independent_check(site):
    known, messages = site
    for draft in sketch_plans(events(*messages), inventory(known), CATALOGUE, AS_OF):
        for way in draft.ways if not draft.reasons else ():
            assert check(draft.draw(way), known, CATALOGUE) == ()


@settings(max_examples=200)
@given(known_sites())
def test_ways_have_the_fewest_resets_first(site):
    known, messages = site
    for draft in sketch_plans(events(*messages), inventory(known), CATALOGUE, AS_OF):
        counts = [
            sum(step.kind == StepKind.RESET for step in draft.draw(way).steps) for way in draft.ways
        ]
        assert counts == sorted(counts)


@settings(max_examples=100)
@given(sites(), st.randoms(use_true_random=False))
def test_the_order_of_alarms_changes_nothing(site, chance):
    known, messages = site
    told = events(*messages)
    shuffled = [*told, chance.choice(told)]
    chance.shuffle(shuffled)
    site_inventory = inventory(known) if known else None

    assert draw_plans(shuffled, site_inventory, CATALOGUE, AS_OF) == draw_plans(
        told, site_inventory, CATALOGUE, AS_OF
    )


def steps_are_numbered_and_each_is_reached(plan):
    assert [s.number for s in plan.steps] == list(range(1, len(plan.steps) + 1))
    assert all(0 < n < s.number for s in plan.steps for n in s.depends_on)
    awaited = {n for s in plan.steps for n in s.depends_on}
    assert {s.number for s in plan.steps} - awaited <= {len(plan.steps)}


def every_statement_has_a_source(plan):
    ids = {source.id for source in plan.sources}
    lines = [
        line
        for s in plan.steps
        for line in (*s.do, *s.command, *s.gui, *s.expect, *s.check, *s.undo)
    ]
    lines += [*plan.way_lines, *plan.warnings, *plan.preconditions, *plan.cautions, *plan.back_out]
    lines += [line for i in plan.impacts for line in (*i.lines, *i.used_by)]
    assert all(line.cite and set(line.cite.sources) <= ids for line in lines)


def settled(finding, plan):
    """Tell whether a finding has a deed, a refusal, or a store whose rules know none."""
    if any(text.startswith(f"{finding.id}: ") for text in plan.not_planned):
        return True
    store = CATALOGUE.stores[finding.store]
    if {row.value for row in store.renewal} <= {Renewal.NONE}:
        return True
    if store.keep_own_copies and "check-ipsec-trust" in {s.key for s in plan.steps}:
        return True
    touching = {item.phase for item in store.procedure} & {Phase.UPDATE_CTL, Phase.RESET_PHONES}
    if plan.withheld and (touching or store.phone_facing):
        return True
    return any(s.store == finding.store and s.kind in DEEDS for s in plan.steps)


@settings(max_examples=200)
@given(sites())
def test_every_finding_is_settled_or_refused(site):
    for plan in drawn(site):
        assert [f.id for f in plan.findings if not settled(f, plan)] == []


@settings(max_examples=40)
@given(sites())
def test_every_plan_can_be_printed(site):
    made = drawn(site)

    assert made
    assert FORMATS
    assert all(render_plans(made, form) for form in FORMATS)


EXAMPLES = {
    "technote": ("alarm-technote.txt", None),
    "eight-node": ("alarms-eight-node-12.5.txt", "eight-node-12.5-mixed.yaml"),
}


def printed(name, form, **environment):
    """Return what the program prints in a process of its own."""
    alarms, site = EXAMPLES[name]
    folder = "deploy/examples/"
    options = ["--inventory", folder + site] if site else []
    ran = subprocess.run(  # noqa: S603 -- our own program on our own files
        [sys.executable, "-m", "watcher", "plan", folder + alarms, *options, "--format", form],
        cwd=ROOT, env=os.environ | environment, capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    return ran.stdout


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", EXAMPLES)
def test_documents_are_the_same_in_every_place_and_process(name, form):
    here = printed(name, form, TZ="UTC", PYTHONHASHSEED="0")

    assert here == printed(name, form, TZ="Pacific/Auckland", PYTHONHASHSEED="4711", LC_ALL="C")

"""What a ticket says of a plan, and what of it counts as a change."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from builders import AS_OF, CATALOGUE, alarm, certificate, cluster, inventory, node
from tickets.desk import NOW

from watcher import planning
from watcher.account import verdict
from watcher.inventory.schema import Issuer
from watcher.model.expiry import ExpiryState
from watcher.model.plan import ChangePlan, Finding
from watcher.model.slot import Fit, Outcome
from watcher.tickets.draft import TITLE, draft_of

SITE = inventory(cluster(node("pub"), node("sub1")))


def plan(*alarms, site=SITE, as_of=AS_OF) -> ChangePlan:
    (drawn,) = planning.plan(alarms or (alarm(),), site, CATALOGUE, as_of)
    return drawn


@pytest.fixture(scope="module")
def one():
    return plan()


@pytest.fixture(scope="module")
def two():
    return plan(alarm(), alarm(store="CallManager"))


def test_the_title_tells_cluster_what_and_by_when(one, two):
    assert "graz: certificate change, tomcat of pub by 2026-11-25" == draft_of(one).title
    assert "graz: certificate change, 2 certificates by 2026-11-25" == draft_of(two).title


def test_a_slot_is_taken_over(one):
    fit = Fit(
        outcome=Outcome.FOUND, zone="UTC", found_at=NOW, minutes=240, starts=NOW,
        ends=NOW + timedelta(hours=4), deadline=NOW + timedelta(days=1),
    )  # fmt: skip
    draft = draft_of(one, fit)

    assert (fit.starts, fit.ends, fit.deadline) == (draft.starts, draft.ends, draft.due)
    assert draft.title.endswith("by 2026-11-24")
    assert draft.material == draft_of(one).material


def late_fit(**changes):
    """Return a fit whose deadline is on another day in Chicago than in UTC."""
    made = Fit(
        outcome=Outcome.FOUND, zone="America/Chicago", found_at=NOW, minutes=250,
        starts=NOW + timedelta(hours=14), ends=NOW + timedelta(hours=19),
        deadline=datetime(2026, 11, 25, 5, tzinfo=UTC),
    )  # fmt: skip
    return replace(made, **changes)


def test_a_day_is_that_of_the_cluster(one):
    assert draft_of(one, late_fit()).title.endswith("by 2026-11-24")


def test_the_slot_and_the_margin_stand_at_the_top_in_the_zone_of_the_cluster(one):
    fit = late_fit(latest=NOW + timedelta(hours=38))
    top = draft_of(one, fit).description.partition("\n\n")[0].splitlines()

    assert [
        (
            "Planned: Mon 2026-11-23 20:00 CST to Tue 2026-11-24 01:00 CST (America/Chicago). "
            "The work takes 4 h 10 min in one window."
        ),
        "It may begin as late as Tue 2026-11-24 20:00 CST and still be tried twice.",
        (
            "To be over by Tue 2026-11-24 23:00 CST (America/Chicago): the earliest end that a "
            "certificate of this change can have, of those that still run, less the margin that "
            "the site keeps."
        ),
    ] == top


def test_each_window_of_a_change_is_told_with_the_zone_of_that_night(one):
    """In the night of 25 October 2026 the clocks of Vienna show the hour from two on twice."""
    first, second = datetime(2026, 10, 24, 20, tzinfo=UTC), datetime(2026, 10, 31, 21, tzinfo=UTC)
    sessions = tuple((at, at + timedelta(hours=5, minutes=30)) for at in (first, second))
    fit = late_fit(zone="Europe/Vienna", starts=first, ends=sessions[-1][1], sessions=sessions)

    assert draft_of(one, fit).description.startswith(
        "Planned: window 1 of 2: Sat 2026-10-24 22:00 CEST to Sun 2026-10-25 02:30 CET; window 2 "
        "of 2: Sat 2026-10-31 22:00 CET to Sun 2026-11-01 03:30 CET (Europe/Vienna). "
        "The work takes 11 h 00 min in 2 windows.\n"
    )


def test_a_window_in_the_middle_that_moves_is_brought_to_the_ticket(one):
    def shows(*days):
        starts = [NOW + timedelta(days=day) for day in days]
        sessions = tuple((at, at + timedelta(hours=4)) for at in starts)
        fit = late_fit(starts=starts[0], ends=sessions[-1][1], sessions=sessions)
        return draft_of(one, fit).shows

    assert shows(1, 3, 9) == shows(1, 3, 9)
    assert shows(1, 3, 9) != shows(1, 4, 9)


def test_a_slot_without_a_second_attempt_is_told(one):
    assert "No second attempt fits" in draft_of(one, late_fit(latest=NOW)).description
    assert "attempt" not in draft_of(one, late_fit()).description.partition("\n\n")[0]


@pytest.mark.parametrize(
    ("outcome", "why", "relief", "top"),
    [
        (Outcome.NONE, "no window opens", "a longer window", "NO SLOT FITS this change: no window"),
        (Outcome.NONE, "no window opens", "", "Cheapest way out: none that was tried helps."),
        (Outcome.NONE, "no window opens", "a longer window: Tue 22:00", "way out: a longer window"),
        (Outcome.UNKNOWN, "no maintenance window is known", "", "Planned: not yet, because no"),
    ],
)
def test_a_plan_without_a_slot_says_so_at_its_top(one, outcome, why, relief, top):
    fit = late_fit(outcome=outcome, starts=None, ends=None, why=why, relief=relief)

    assert top in draft_of(one, fit).description.partition("\n\n")[0]


def test_where_nothing_helps_the_first_slot_is_named_all_the_same(one):
    none = {"outcome": Outcome.NONE, "starts": None, "ends": None, "why": "x"}
    late = datetime(2026, 12, 6, 3, tzinfo=UTC)
    told = "The first slot without regard to the deadline is over by Sat 2026-12-05 21:00 CST."

    assert told in draft_of(one, late_fit(**none, late=late)).description
    assert told not in draft_of(one, late_fit(**none, late=late, relief="x")).description
    assert "without regard" not in draft_of(one, late_fit(**none)).description


def test_what_was_not_reckoned_is_not_told(one):
    plain = draft_of(one).description

    assert plain == draft_of(one, late_fit(outcome=Outcome.NOTHING)).description
    assert not plain.startswith("Planned")


def test_every_command_of_the_plan_stands_in_order(two):
    lines = [line.strip() for line in draft_of(two).implementation.splitlines()]
    rest = iter(lines)

    assert two.steps
    assert all(c.text in rest for step in two.steps for c in step.command)
    assert [s.number for s in two.steps] == [
        int(line.partition(". ")[0]) for line in lines if line[:1].isdigit()
    ]


def test_risk_tells_what_the_proof_says(two):
    risk = draft_of(two).risk

    assert f"Phone resets: {two.proof.resets}." in risk
    assert two.proof.sentences
    assert all(f"- {text}" in risk for text in two.proof.sentences)
    assert all(span.text in risk for span in (*two.proof.windows, *two.proof.outages))
    assert f"From step {two.point_of_no_return} on only a restore leads back." in risk
    assert verdict(two).words + "." == risk.splitlines()[0]


def test_a_risk_holds_no_words_of_the_model_alone(two):
    (absent,) = (one for one in two.proof.offline if one.ok)
    state, _, why = absent.text.partition(": ")

    assert state == "survive"
    assert f"{', '.join(absent.groups)} because of {why}" in draft_of(two).risk
    assert f": {absent.text}" not in draft_of(two).risk


def test_what_is_over_has_ended_and_counts_as_the_same_end(one):
    first = one.findings[0]
    over = replace(one, findings=(replace(first, state=ExpiryState.EXPIRED),))
    told = f"{first.expiry.day} ({first.expiry.certainty})"

    assert f"- tomcat of pub: ends {told}" in draft_of(one).description
    assert f"- tomcat of pub: ended {told}" in draft_of(over).description
    assert draft_of(one).decides == draft_of(over).decides


def test_a_certificate_of_all_nodes_is_that_of_the_cluster():
    shared = certificate("tomcat", None, issuer=Issuer.CA_SIGNED, multi_server=True)
    site = inventory(cluster(node("pub"), node("sub1"), certificates=(shared,)))
    draft = draft_of(plan(alarm(node="sub1"), site=site))
    told = "the cluster's tomcat certificate (multi-server)"

    assert f"graz: certificate change, {told} by 2026-11-25" == draft.title
    assert f"- {told}: ends 2026-11-25" in draft.description
    assert "tomcat of" not in draft.description


def test_impact_way_back_and_test_are_those_of_the_plan(two):
    draft = draft_of(two)

    assert all(line.text in draft.impact for one in two.impacts for line in one.lines)
    assert all(line.text in draft.back_out for line in two.back_out)
    assert all(line.text in draft.test for step in two.steps for line in step.check)


def test_the_items_are_nodes_of_the_inventory(two):
    assert {"pub", "sub1"} == set(draft_of(two).items)


def test_days_and_counters_are_not_material(one):
    later = plan(as_of=AS_OF + timedelta(days=2))
    findings = tuple(replace(f, days_left=1, reporters=("a", "b"), notes=("x",))
                     for f in one.findings)  # fmt: skip

    assert draft_of(one).material == draft_of(later).material
    assert draft_of(one).material == draft_of(replace(one, findings=findings)).material


def changes(plan):
    """Yield plans that people must decide on anew."""
    first = plan.findings[0]
    later = replace(first.expiry, day=date(2027, 1, 1))
    yield "end", replace(plan, findings=(replace(first, expiry=later),))
    yield "revoked", replace(plan, findings=(replace(first, revoked=True),))
    yield "finding", replace(plan, findings=(*plan.findings, replace(first, store="TVS")))
    yield "way", replace(plan, way="another")
    yield "withheld", replace(plan, withheld=("why",))
    yield "steps", replace(plan, steps=plan.steps[:-1])
    yield "resets", replace(plan, proof=replace(plan.proof, resets=9))
    step = next(one for one in plan.steps if one.command)
    other = replace(step, command=(replace(step.command[0], text="another command"),))
    yield "command", replace(plan, steps=(other,))
    asked = replace(step, only_if=("it rains",))
    yield "condition", replace(plan, steps=(asked,))
    asked = replace(step, command=(replace(step.command[0], only_if=("it rains",)),))
    yield "condition of a command", replace(plan, steps=(asked,))


def test_what_people_decide_on_is_material(two):
    found = {name: draft_of(one).material for name, one in changes(two)}

    assert draft_of(two).material not in found.values()
    assert len(found) == len(set(found.values()))


def test_no_text_of_a_message_holds_a_mark(one):
    claim = "[watcher-graz-1 v2][WATCHER-graz-1 p1 closed]"
    claimed = replace(one.findings[0], trust=True, file=claim, file_in_inventory=False)
    evidence = tuple(replace(block, raw=claim) for block in one.evidence)
    draft = draft_of(replace(one, findings=(claimed,), evidence=evidence, withheld=(claim,)))
    texts = (draft.title, draft.description, draft.risk, draft.impact, draft.implementation)

    assert "[ watcher-graz-1 v2]" in draft.description
    assert "[watcher-" not in "".join(texts).lower()


HOSTILE = "x\"; reboot <script>\x1b[2J\u202e'" + "y" * 200


def test_a_name_that_only_a_message_knows_is_marked_cut_and_plain(one):
    claimed: Finding = replace(
        one.findings[0], trust=True, file=HOSTILE, file_in_inventory=False, store=HOSTILE,
        store_known=False, node=HOSTILE, node_in_inventory=False,
    )  # fmt: skip
    draft = draft_of(replace(one, findings=(claimed,)))

    assert len(draft.title) <= TITLE
    assert "(a claim of the alarm)" in draft.description
    assert HOSTILE[:80] not in f"{draft.title}{draft.description}{draft.implementation}"
    assert all(c == "\n" or c.isprintable() for c in "".join((draft.title, *draft.decides)))
    assert HOSTILE not in draft.items


def test_evidence_stands_in_lines_of_its_own_and_is_cut(one):
    raw = "a\nReboot all nodes\r\n\x00" + "z" * 5000
    plan = replace(one, evidence=tuple(replace(one.evidence[0], raw=raw) for _ in range(50)))
    description = draft_of(plan).description
    block = [line for line in description.splitlines() if line.startswith("> ")]

    assert 21 == len(block)
    assert "\nReboot" not in description
    assert max(map(len, block)) < 440


def test_evidence_of_a_usual_length_stands_whole(one):
    (block,) = (line for line in draft_of(one).description.splitlines() if line.startswith("> "))

    assert f"> E1: {one.evidence[0].raw}" == block


def test_a_plan_without_steps_says_so(one):
    draft = draft_of(
        replace(one, steps=(), back_out=(), impacts=(), withheld=("no order is safe",))
    )

    assert "no order is safe" in draft.description
    assert "No step is planned" in draft.implementation
    assert "Nothing is changed." == draft.back_out
    assert draft.test
    assert draft.impact


def test_a_plan_that_nobody_proved_has_a_risk_all_the_same(one):
    assert draft_of(replace(one, proof=None)).risk

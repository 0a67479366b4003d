"""One plan for each cluster, joined, refused where the rules end, and always the same."""

import pytest
from builders import (
    AS_OF,
    CATALOGUE,
    alarm,
    certificate,
    cluster,
    command_texts,
    deeds,
    events,
    inventory,
    keys,
    message,
    node,
    of,
    plan,
    plans,
    related,
)

from watcher.app.site import load_inventory
from watcher.inventory.schema import CtlMethod, Product, SecurityMode
from watcher.planner.plan import newest_event, sketch_plans
from watcher.planner.ways import NODE_BY_NODE, STAGED
from watcher.planning import plan as planning_plan
from watcher.rules.work import StepKind

TECHNOTE = "deploy/examples/alarm-technote.txt"


@pytest.fixture
def technote(request):
    text = (request.config.rootpath / TECHNOTE).read_text(encoding="utf-8")
    site = load_inventory(str(request.config.rootpath / "deploy/examples/technote.yaml"))
    (drawn,) = planning_plan(events(text), site, CATALOGUE)
    return drawn


def test_the_technote_alarm_removes_the_stale_copy_and_regenerates_nothing(technote):
    assert not of(technote, StepKind.REGENERATE, StepKind.UPLOAD, StepKind.REQUEST)
    assert deeds(technote, StepKind.DELETE) == [
        ("tomcat-trust", "CUCM01"),
        ("tomcat-trust", "CUCM02"),
    ]


def test_the_technote_plan_first_makes_sure_that_the_owner_is_renewed(technote):
    order = keys(technote)
    (sure,) = (s for s in technote.steps if s.key == "confirm-owner-renewed")

    assert (sure.where, sure.store) == ("CUCM01", "tomcat")
    assert sure.number < order.index("delete-trust-copy") + 1


def test_the_technote_headline(technote):
    assert technote.headline == (
        "The copy of CUCM01's certificate in tomcat-trust on CUCM02 expired on 2014-05-19 "
        "(109 days ago)"
    )


def test_one_plan_joins_all_certificates_of_a_cluster():
    told = [alarm(), alarm(store="TVS"), alarm(store="tomcat-trust", certificate="sub1.der")]

    drawn = plan(told, cluster())

    assert len(drawn.findings) == 3
    assert keys(drawn).count("backup") == keys(drawn).count("final-backup") == 1


def test_two_clusters_give_two_plans():
    other = cluster(node("lnz-pub"), name="linz")

    drawn = plans([alarm(), alarm(node="lnz-pub")], cluster(), other)

    assert [p.cluster for p in drawn] == ["graz", "linz"]
    assert [len(p.findings) for p in drawn] == [1, 1]
    assert [{e.raw.count("NodeID=lnz-pub") for e in p.evidence} for p in drawn] == [{0}, {1}]


def test_a_stranger_gets_a_plan_of_its_own_at_the_end():
    drawn = plans([alarm(node="stranger"), alarm()], cluster())

    assert [p.cluster for p in drawn] == ["graz", None]


def test_a_cluster_is_found_by_the_id_in_its_alarms():
    drawn = plan([alarm(node="stranger", cluster_id="GRZ")], cluster(cluster_ids=("GRZ",)))

    assert drawn.cluster == "graz"


REFUSED = {
    "unknown store": ({"store": "nonesuch"}, {}, "the store is not in the rules"),
    "too old": ({}, {"release": "7.1(5)"}, "release 7.1(5) is outside what the rules cover"),
    "too new": ({}, {"release": "16"}, "release 16 is outside what the rules cover"),
    "no such store yet": ({"store": "ITLRecovery"}, {"release": "9.1(2)"}, "does not exist on"),
    "other product": (
        {"node": "cuc"},
        {"nodes": (node("pub"), node("cuc", product=Product.UNITY_CONNECTION))},
        "the rules hold no reviewed procedure for it",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("fields", "values", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_the_rules_do_not_cover_gets_a_reason_and_no_command(fields, values, reason):
    drawn = plan([alarm(**fields)], cluster(**values))

    assert drawn.steps == ()
    assert len(drawn.not_planned) == 1
    assert drawn.not_planned[0].startswith("F1: ")
    assert reason in drawn.not_planned[0]
    assert not any(text.startswith("set") for text in command_texts(drawn))


def test_a_refused_finding_leaves_the_others_planned():
    drawn = plan([alarm(), alarm(store="nonesuch")], cluster())

    assert deeds(drawn, StepKind.REGENERATE) == [("tomcat", "pub")]
    assert len(drawn.not_planned) == 1


def test_withheld_work_leaves_the_rest_planned():
    site = cluster(
        release="10.0(1)", security_mode=SecurityMode.MIXED, ctl_method=CtlMethod.TOKENLESS
    )

    drawn = plan([alarm(), alarm(store="CallManager")], site)

    assert drawn.withheld
    assert {store for store, _ in deeds(drawn, StepKind.REGENERATE)} == {"tomcat"}
    assert not of(drawn, StepKind.RESET)


def drafts(told, *clusters):
    return sketch_plans(told, inventory(*clusters), CATALOGUE, AS_OF)


TRUSTED = [alarm(store=store, node=name) for store in ("CallManager", "TVS")
           for name in ("pub", "sub1")]  # fmt: skip


def test_a_draft_has_the_cheapest_way_first():
    (draft,) = drafts(TRUSTED, cluster(release="9.1(2)"))

    assert (draft.cluster, draft.ways) == ("graz", (NODE_BY_NODE, STAGED))
    assert [len(of(draft.draw(way), StepKind.RESET)) for way in draft.ways] == [2, 3]
    assert draft.cautious() == draft.draw(NODE_BY_NODE)


def test_each_cluster_has_a_draft_and_the_unknown_one_comes_last():
    found = drafts([alarm(node="stranger"), alarm()], cluster())

    assert [draft.cluster for draft in found] == ["graz", None]


def test_a_draft_without_what_phones_trust_says_why():
    (draft,) = drafts([*TRUSTED, alarm()], cluster(release="9.1(2)"))

    rest = draft.withhold("Some phones would be lost.")

    assert rest.withheld == ("Some phones would be lost.",)
    assert deeds(rest, StepKind.REGENERATE) == [("tomcat", "pub")]


def test_a_certificate_that_a_withheld_store_reuses_waits_and_says_so():
    shared = certificate("tomcat", None, multi_server=True, reused_for="CallManager")
    site = cluster(release="15", rollback_pre80=True, certificates=(shared,))

    drawn = plan([alarm(store="CallManager"), alarm(store="ipsec")], site)

    (told,) = drawn.not_planned
    assert "the tomcat certificate serves as CallManager too" in told
    assert deeds(drawn, StepKind.REGENERATE) == [("ipsec", "pub")]


def test_the_first_part_says_what_it_leaves_out():
    (draft,) = drafts([*TRUSTED, alarm(store="ITLRecovery"), alarm()], cluster(release="15"))

    first = draft.draw_first_part(draft.ways[0], "Step 9: some phones are lost.")

    assert draft.in_two_parts
    assert "The ITLRecovery certificate is not planned" in first.withheld[0]
    assert "which is not shown: Step 9: some phones are lost." in first.withheld[1]
    assert "ITLRecovery" not in {store for store, _ in deeds(first, StepKind.REGENERATE)}


def test_beside_what_phones_do_not_trust_the_recovery_certificate_is_no_second_part():
    (draft,) = drafts([alarm(store="ITLRecovery"), alarm()], cluster(release="15"))

    assert not draft.in_two_parts
    assert deeds(draft.withhold("why"), StepKind.REGENERATE) == [("tomcat", "pub")]


def test_a_way_that_needs_a_proof_is_drawn_on_demand_only():
    site = cluster(
        release="10.0(1)", security_mode=SecurityMode.MIXED, ctl_method=CtlMethod.TOKENLESS
    )
    (draft,) = drafts(TRUSTED, site)

    assert draft.reasons
    assert draft.cautious().withheld == draft.reasons
    assert of(draft.draw(draft.ways[0]), StepKind.RESET)


def test_what_no_way_heals_is_drawn_by_none():
    (draft,) = drafts(TRUSTED, cluster(release="9.1(2)", rollback_pre80=True))

    assert draft.withheld
    assert not any(draft.draw(way).steps for way in draft.ways)


def test_the_plan_speaks_of_the_newest_event():
    older, newer = alarm(time="Nov 18 2026 01:00:00.000"), alarm()

    assert newest_event([newer, older]) == newer.record.event_time
    assert plan([newer, older], cluster(), as_of=None).as_of == newer.record.event_time


def test_without_any_time_the_plan_knows_no_moment():
    assert newest_event([]) is None


def test_alarms_in_another_order_give_the_same_plan():
    told = [alarm(), alarm(store="TVS"), alarm(node="sub1"), related("DRF", "DRFFailure")]

    forward = planning_plan(told, inventory(cluster()), CATALOGUE, AS_OF)

    assert forward == planning_plan(told[::-1], inventory(cluster()), CATALOGUE, AS_OF)


def test_a_store_cut_inside_its_name_is_never_regenerated():
    name = "A" * 59
    text = message(certificate=f"{name}.der", store="tomcat-trust")
    cut = text.replace("Unit:tomcat-trust", "Unit:tomcat").partition(" Type:")
    broken = cut[0] + "][AppID" + text.partition("][AppID")[2]
    drawn = plan(events(broken), cluster())

    assert drawn.steps == ()
    assert "tomcat-trust" in drawn.not_planned[0]


@pytest.mark.parametrize(
    ("name", "said"),
    [("TomcatCertRegen", "restart"), ("ITLRecoveryCertBackup", "ITLRecovery.p12")],
)
def test_an_alarm_about_something_else_is_told_in_its_own_words(name, said):
    drawn = plan([alarm(mnemonic=name)], cluster())

    assert drawn.steps == ()
    assert said in drawn.headline
    assert "expired" not in drawn.headline

"""The ways drawn for clusters that are known: what changes, rests and restarts, and how often.

The steps are told in short: `CallManager pub` renews, `stop pub` and `start pub` are TFTP,
`phones` is a reset of all and the wait behind it, `some phones` a canary and the wait.
"""

import pytest
from builders import AS_OF, CATALOGUE, alarm, cluster, inventory, node, of

from watcher.inventory.schema import (
    CallManagerGroup,
    CtlMethod,
    Duty,
    PhoneGroup,
    SecurityMode,
)
from watcher.planner.plan import sketch_plans
from watcher.planner.ways import (
    ETOKEN_SHIELD,
    LOCALKEY_DETOUR,
    NODE_BY_NODE,
    ROLLBACK,
    STAGED,
    STORE_BY_STORE,
)
from watcher.rules.work import StepKind
from watcher.safety.check import check

MIXED = {"security_mode": SecurityMode.MIXED, "export_controlled_license": True}
TOKENLESS = MIXED | {"ctl_method": CtlMethod.TOKENLESS}
ETOKEN = MIXED | {"ctl_method": CtlMethod.ETOKEN, "etokens": 2}
ALL = ("CAPF", "CallManager", "TVS")
SIGNS, CALLS = (Duty.TFTP,), (Duty.CALL_PROCESSING,)
EIGHT = (
    node("pub", duties=()),
    node("t1", duties=SIGNS, tftp_order=1), node("t2", duties=SIGNS, tftp_order=2),
    *(node(f"s{i}", duties=CALLS) for i in range(1, 6)),
)  # fmt: skip
GROUPS = (
    CallManagerGroup(name="East", nodes=("s1", "s2", "s5")),
    CallManagerGroup(name="West", nodes=("s3", "s4", "s5")),
)
PHONES = tuple(
    PhoneGroup(name=name, callmanager_group=name, tftp=("t1", "t2")) for name in ("East", "West")
)


def two(release, **values):
    return cluster(release=release, **values)


def eight(release, **values):
    return cluster(*EIGHT, release=release, callmanager_groups=GROUPS, phone_groups=PHONES,
                   **values)  # fmt: skip


def drawn(way, site, stores=ALL):
    """Draw one way for stores that are due everywhere; CAPF and ITLRecovery on the publisher."""
    told = [
        alarm(store=store, node=one.name)
        for store in stores
        for one in (site.nodes[:1] if store in ("CAPF", "ITLRecovery") else site.nodes)
    ]
    (draft,) = sketch_plans(told, inventory(site), CATALOGUE, AS_OF)
    assert way in draft.ways
    return draft.draw(way)


LISTS = {
    "rollback-on": "blank",
    "rollback-off": "full",
    "ctl-localkey": "CTL by recovery key",
    "itl-localkey": "ITL by local key",
    "ctl-update": "CTL",
    "ctl-update-etoken": "CTL",
}


def short(plan):
    """Return what changes trust, in order and in short words."""
    words = []
    for step in plan.steps:
        match step.kind:
            case StepKind.REGENERATE:
                words.append(f"{step.store} {step.where}")
            case StepKind.STOP | StepKind.START:
                words.append(f"{step.kind} {step.where}")
            case StepKind.RESET:
                words.append("phones")
            case StepKind.WAIT if plan.steps[step.number - 2].kind == StepKind.CANARY:
                words.append("some phones")
        if step.key in LISTS:
            words.append(LISTS[step.key])
    return words


def at(store, *names):
    return [f"{store} {name}" for name in names]


def test_two_servers_change_one_after_the_other_with_all_their_stores():
    assert short(drawn(NODE_BY_NODE, two("9.1(2)"))) == [
        "stop pub", "CAPF pub", "CallManager pub", "TVS pub", "phones", "start pub",
        "stop sub1", "CallManager sub1", "TVS sub1", "start sub1", "phones",
    ]  # fmt: skip


def test_a_signer_on_a_node_without_tftp_goes_with_the_last_server():
    plan = drawn(NODE_BY_NODE, eight("9.1(2)"), ("CallManager",))

    assert short(plan) == [
        "stop t1", *at("CallManager", "pub", "t1"), "phones", "start t1",
        "stop t2", *at("CallManager", "t2", "s1", "s2", "s3", "s4", "s5"), "start t2", "phones",
    ]  # fmt: skip


def restarts(plan, service):
    """Return where a service restarts, up to each reset of the phones."""
    runs = [[]]
    for step in plan.steps:
        if step.kind == StepKind.RESET:
            runs.append([])
        elif step.kind == StepKind.RESTART and step.service == service:
            runs[-1].append(step.where)
    return runs


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        ("cisco-tvs", [["pub", "sub1"], ["pub", "sub1"], []]),
        ("cisco-tftp", [["sub1"], ["pub"], []]),
        ("cisco-callmanager", [["pub"], ["sub1"], []]),
        ("cisco-capf", [["pub"], [], []]),
    ],
)
def test_each_service_restarts_once_before_a_reset(service, expected):
    assert restarts(drawn(NODE_BY_NODE, two("9.1(2)")), service) == expected


def test_one_certificate_at_a_time_leaves_tvs_for_the_end():
    lone = (CallManagerGroup(name="lone", nodes=("pub",)),)

    assert short(drawn(STAGED, two("9.1(2)", callmanager_groups=lone))) == [
        "stop pub", "CAPF pub", "CallManager pub", "phones", "start pub",
        "stop sub1", "CallManager sub1", "start sub1", "phones",
        *at("TVS", "pub", "sub1"), "phones",
    ]  # fmt: skip


def test_phones_that_ask_one_server_are_never_left_without_it():
    phones = (PhoneGroup(name="one server", tftp=("pub",)),)
    plan = drawn(STAGED, two("9.1(2)", phone_groups=phones))

    assert [step.where for step in of(plan, StepKind.STOP)] == ["sub1"]
    assert short(plan)[:2] == ["CAPF pub", "phones"]


def test_a_large_cluster_changes_tvs_on_all_nodes_after_every_signer():
    nodes = ("pub", "t1", "t2", "s1", "s2", "s3", "s4", "s5")

    assert short(drawn(STAGED, eight("9.1(2)"))) == [
        "CAPF pub", "phones", "stop t1", *at("CallManager", "pub", "t1"), "phones", "start t1",
        "stop t2", *at("CallManager", *nodes[2:]), "start t2", "phones",
        *at("TVS", *nodes), "phones",
    ]  # fmt: skip


def test_the_rollback_way_resets_phones_twice_and_waits_once_in_between():
    assert short(drawn(ROLLBACK, cluster(node("pub"), release="11.5(1)"))) == [
        "blank", "phones", *at("CAPF", "pub"), "CallManager pub", "TVS pub", "full", "phones",
    ]  # fmt: skip


def test_under_a_token_everything_changes_at_once_and_the_ctl_is_updated_once():
    assert short(drawn(ETOKEN_SHIELD, two("9.1(2)", **ETOKEN))) == [
        "CAPF pub", *at("CallManager", "pub", "sub1"), *at("TVS", "pub", "sub1"), "CTL", "phones",
    ]  # fmt: skip


def test_the_detour_brings_the_new_ctl_together_with_the_next_server():
    assert short(drawn(LOCALKEY_DETOUR, two("11.5(1)", **TOKENLESS))) == [
        "stop pub", "CAPF pub", "CallManager pub", "TVS pub", "CTL by recovery key", "start pub",
        "phones",
        "stop sub1", "CallManager sub1", "TVS sub1", "CTL", "start sub1", "phones",
    ]  # fmt: skip


def test_the_detour_of_a_lone_server_keeps_tvs_for_the_new_ctl():
    alone = cluster(node("pub"), release="11.5(1)", **TOKENLESS)

    assert short(drawn(LOCALKEY_DETOUR, alone)) == [
        "CAPF pub", "CTL", "phones", "CallManager pub", "CTL by recovery key", "phones",
        "TVS pub", "CTL", "phones",
    ]  # fmt: skip


def test_where_nothing_follows_the_detour_capf_comes_with_the_new_ctl():
    alone = cluster(node("pub"), release="11.5(1)", **TOKENLESS)

    assert short(drawn(LOCALKEY_DETOUR, alone, ("CAPF", "CallManager"))) == [
        "CallManager pub", "CTL by recovery key", "phones", "CAPF pub", "CTL", "phones",
    ]  # fmt: skip


def test_by_the_detour_a_lone_server_beside_the_publisher_changes_with_it():
    site = cluster(node("pub", duties=CALLS), node("t1", duties=SIGNS), release="11.5(1)",
                   **TOKENLESS)  # fmt: skip

    assert short(drawn(LOCALKEY_DETOUR, site, ("CallManager",))) == [
        *at("CallManager", "pub", "t1"), "CTL by recovery key", "phones", "CTL", "phones",
    ]  # fmt: skip


@pytest.mark.parametrize("release", ["12.0(1)", "12.5(1)SU4", "14SU2", "15"])
def test_store_by_store_resets_all_phones_once_at_the_end(release):
    assert short(drawn(STORE_BY_STORE, two(release))) == [
        "CAPF pub", "some phones", *at("CallManager", "pub", "sub1"), "some phones",
        *at("TVS", "pub", "sub1"), "phones",
    ]  # fmt: skip


@pytest.mark.parametrize("release", ["12.0(1)", "12.5(1)SU4", "14SU2", "15"])
def test_in_mixed_mode_what_encrypted_phones_check_comes_last(release):
    assert short(drawn(STORE_BY_STORE, two(release, **TOKENLESS))) == [
        "CAPF pub", "CTL", "some phones", *at("TVS", "pub", "sub1"), "some phones",
        *at("CallManager", "pub", "sub1"), "CTL", "phones",
    ]  # fmt: skip


def test_new_lscs_are_issued_after_the_last_reset():
    plan = drawn(STORE_BY_STORE, two("12.5(1)SU4", **TOKENLESS))

    issued = of(plan, StepKind.REISSUE)[0].number
    assert issued > of(plan, StepKind.RESET)[-1].number


def test_the_recovery_certificate_under_a_token_needs_no_localkey():
    plan = drawn(STORE_BY_STORE, two("12.5(1)SU4", **ETOKEN), ("ITLRecovery",))

    assert short(plan) == ["ITLRecovery pub", "CTL", "phones"]


def test_a_list_is_handed_out_only_when_every_tvs_can_vouch_for_it():
    plan = drawn(NODE_BY_NODE, two("9.1(2)"))
    start = of(plan, StepKind.START)[-1]

    last = max(s.number for s in of(plan, StepKind.RESTART) if s.service == "cisco-tvs")
    assert last < start.number < of(plan, StepKind.RESET)[-1].number


RESETS = {
    "two nodes, node by node": (NODE_BY_NODE, two("9.1(2)"), ALL, 2),
    "two nodes, staged": (STAGED, two("9.1(2)"), ALL, 3),
    "eight nodes, signers": (NODE_BY_NODE, eight("9.1(2)"), ("CallManager",), 2),
    "eight nodes, all": (STAGED, eight("11.5(1)"), ALL, 4),
    "eight nodes, verifier": (STAGED, eight("9.1(2)"), ("TVS",), 1),
    "eight nodes, detour": (LOCALKEY_DETOUR, eight("11.5(1)", **TOKENLESS), ALL, 4),
    "eight nodes, detour, signers": (
        LOCALKEY_DETOUR, eight("11.5(1)", **TOKENLESS), ("CallManager",), 2),
    "eight nodes, token": (ETOKEN_SHIELD, eight("10.5(2)", **ETOKEN), ALL, 1),
    "eight nodes, 12.5": (STORE_BY_STORE, eight("12.5(1)SU4", **TOKENLESS), ALL, 1),
    "eight nodes, 15": (STORE_BY_STORE, eight("15", **TOKENLESS), ALL, 1),
    "eight nodes, recovery too": (
        STORE_BY_STORE, eight("15", **TOKENLESS), (*ALL, "ITLRecovery"), 3),
}  # fmt: skip


@pytest.mark.parametrize(("way", "site", "stores", "resets"), RESETS.values(), ids=RESETS)
def test_phones_are_reset_no_more_often_than_needed(way, site, stores, resets):
    plan = drawn(way, site, stores)

    assert len(of(plan, StepKind.RESET)) == resets
    assert check(plan, site, CATALOGUE) == ()


@pytest.mark.parametrize("name", RESETS)
def test_no_service_restarts_twice_at_a_place_before_phones_come_back(name):
    plan = drawn(*RESETS[name][:3])
    run, twice = set(), []
    for step in plan.steps:
        if step.kind in (StepKind.WAIT, StepKind.CTL_UPDATE, StepKind.PARAMETER):
            run = set()
        elif step.kind == StepKind.RESTART:
            twice += [step] if (step.service, step.where) in run else []
            run.add((step.service, step.where))

    assert twice == []

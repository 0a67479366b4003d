"""The ways drawn: one TFTP server at a time, rollback, detour, store by store, two windows."""

import pytest
from builders import alarm, cluster, deeds, keys, node, of, plan

from watcher.inventory.schema import CtlMethod, Duty, SecurityMode
from watcher.rules.work import StepKind

UNTOLD = (node("pub", duties=None), node("sub1", duties=None))
"""Two nodes of which the inventory does not say what they do."""
TOKENLESS = {"security_mode": SecurityMode.MIXED, "ctl_method": CtlMethod.TOKENLESS}


def told(*stores, at=("pub", "sub1")):
    return [alarm(store=store, node=name) for store in stores for name in at]


def spine(drawn, store):
    """Return what is done for a store, without restarts, looks and gates' details."""
    shown = (StepKind.STOP, StepKind.REGENERATE, StepKind.RESET, StepKind.WAIT, StepKind.START)
    return [(s.kind, s.where) for s in of(drawn, *shown) if s.block == store]


def test_one_tftp_server_rests_while_its_phones_learn_from_another():
    drawn = plan(told("CallManager"), cluster(*UNTOLD, release="9.1(2)"))

    round_trip = ["stop", "regenerate", "reset", "wait", "start"]
    assert [kind for kind, _ in spine(drawn, "CallManager")] == [
        *round_trip,
        *round_trip,
        "reset",
        "wait",
    ]
    assert [where for kind, where in spine(drawn, "CallManager") if kind == "stop"] == [
        "pub",
        "sub1",
    ]


def test_the_next_server_waits_for_a_canary_phone():
    drawn = plan(told("CallManager"), cluster(*UNTOLD, release="9.1(2)"))
    start = next(s for s in of(drawn, StepKind.START) if s.where == "pub")

    assert drawn.steps[start.number].kind == StepKind.CANARY
    assert drawn.steps[start.number + 1].kind == StepKind.STOP


def test_a_stopped_tftp_service_is_not_restarted():
    drawn = plan(told("CallManager"), cluster(release="9.1(2)"))
    stop = next(s.number for s in of(drawn, StepKind.STOP) if s.where == "pub")
    start = next(s.number for s in of(drawn, StepKind.START) if s.where == "pub")

    between = [s for s in drawn.steps if stop < s.number < start and s.where == "pub"]

    assert not [s for s in between if s.kind == StepKind.RESTART and s.service == "cisco-tftp"]


def test_nodes_that_sign_nothing_share_one_barrier():
    only = (Duty.CALL_PROCESSING,)
    site = cluster(*UNTOLD, node("a", duties=only), node("b", duties=only),
                   release="9.1(2)")  # fmt: skip

    drawn = plan(told("CallManager", at=("pub", "sub1", "a", "b")), site)

    tail = [kind for kind, where in spine(drawn, "CallManager")][-4:]
    assert tail == ["regenerate", "regenerate", "reset", "wait"]


def test_the_signer_is_back_before_the_verifier_begins():
    drawn = plan(told("TVS", "CallManager"), cluster(*UNTOLD, release="9.1(2)"))
    stages = (StepKind.REGENERATE, StepKind.RESET, StepKind.WAIT)
    order = [s.store or s.kind for s in of(drawn, *stages)]

    assert order[-9:] == [
        "CallManager", "reset", "wait", "reset", "wait", "TVS", "TVS", "reset", "wait",
    ]  # fmt: skip


def test_from_12_0_on_all_nodes_change_in_a_row_with_one_barrier():
    drawn = plan(told("CallManager"), cluster(release="12.5(1)"))

    assert [kind for kind, _ in spine(drawn, "CallManager")] == [
        "regenerate", "regenerate", "reset", "wait",
    ]  # fmt: skip


def test_rollback_empties_the_itl_first_and_fills_it_last():
    drawn = plan(told("CallManager", "TVS", at=("pub",)), cluster(node("pub"), release="11.5(1)"))
    order = keys(drawn)
    changes = [s.number for s in of(drawn, StepKind.REGENERATE)]

    on, off = order.index("rollback-on") + 1, order.index("rollback-off") + 1
    assert on < order.index("verify-blank-itl") + 1 < min(changes) < max(changes) < off
    assert any(on < s.number < min(changes) for s in of(drawn, StepKind.RESET))
    assert any(s.number > off for s in of(drawn, StepKind.RESET))


@pytest.mark.parametrize("parameter", ["rollback-on", "rollback-off"])
def test_lists_are_handed_out_anew_after_the_parameter(parameter):
    drawn = plan(told("CallManager", at=("pub",)), cluster(node("pub"), release="11.5(1)"))
    at = keys(drawn).index(parameter) + 1

    after = [s.service for s in of(drawn, StepKind.RESTART) if s.number > at][:2]

    assert after == ["cisco-tvs", "cisco-tftp"]


def test_quiet_stores_change_before_the_itl_is_empty():
    drawn = plan(
        told("CallManager", "tomcat", at=("pub",)), cluster(node("pub"), release="11.5(1)")
    )
    tomcat = next(s.number for s in of(drawn, StepKind.REGENERATE) if s.store == "tomcat")

    assert tomcat < keys(drawn).index("rollback-on") + 1


def test_the_detour_signs_the_ctl_anew_before_phones_meet_the_new_key():
    drawn = plan(told("CallManager", at=("pub",)), cluster(release="11.5(1)", **TOKENLESS))
    order = keys(drawn)
    change = order.index("regenerate")

    assert change < order.index("ctl-localkey") < order.index("canary", change)
    assert order.index("ctl-localkey") < order.index("ctl-update")


def test_the_careful_detour_leaves_the_other_servers_to_the_usual_order():
    drawn = plan(told("CallManager"), cluster(*UNTOLD, release="11.5(1)", **TOKENLESS))

    assert [s.where for s in of(drawn, StepKind.STOP)] == ["sub1"]


def test_the_recovery_certificate_comes_last_in_a_second_window():
    drawn = plan(told("ITLRecovery", "CallManager", "tomcat"), cluster(release="12.5(1)"))
    parts = {s.store: s.part for s in of(drawn, StepKind.REGENERATE)}

    assert parts == {"tomcat": 1, "CallManager": 1, "ITLRecovery": 2}


def test_the_second_window_begins_with_a_gate_and_a_backup():
    drawn = plan(told("ITLRecovery", "TVS"), cluster(release="12.5(1)"))
    second = [s.key for s in drawn.steps if s.part == 2]

    assert second[0] == "wait-registrations"
    assert second.index("verify-backup") < second.index("regenerate")


def test_the_recovery_certificate_is_one_of_the_cluster_from_12_5_on():
    drawn = plan(told("ITLRecovery"), cluster(release="12.5(1)"))

    assert deeds(drawn, StepKind.REGENERATE) == [("ITLRecovery", "pub")]


def test_without_an_inventory_the_node_of_the_alarm_may_be_a_tftp_server():
    drawn = plan(told("CallManager", at=("x1", "x2")))

    stops = of(drawn, StepKind.STOP)

    assert [s.where for s in stops] == ["x1 (as reported)", "x2 (as reported)"]
    assert {s.only_if for s in stops} == {("this node is a TFTP server",)}
    assert {s.node for s in stops} == {None}

"""From events to plans that the safety check has passed."""

from dataclasses import replace

import pytest
from builders import AS_OF, CATALOGUE, cluster, deeds, events, inventory, message, node

from watcher import planning
from watcher.inventory.schema import PhoneGroup
from watcher.rules.store import Phase
from watcher.rules.work import StepKind

RELATED = (
    "<187>12: pub: Nov 20 2026 02:10:06.544 UTC :  %UC_DRF-3-DRFBackupFailure: "
    "%[Reason=local][AppID=Cisco DRF][ClusterID=][NodeID=pub]: text"
)
OTHER = RELATED.replace("DRFBackupFailure", "DRFSomethingElse")
NOISE = "Nov 20 02:10:06 pub kernel: nothing of ours"
ARCHIVE = "\n".join([message(), NOISE, RELATED, OTHER, message(store="TVS"), NOISE, ""]).encode()


def test_a_plan_is_drawn_from_certificate_alarms_and_what_it_must_mention():
    heard = events(ARCHIVE.decode())

    kept = list(planning.planned(heard))

    assert [getattr(event, "topic", None) for event in kept] == [None, "backup-failed", None]


@pytest.mark.parametrize("raw", [b"", b"\n\n", b"\x00\xff\xfe", NOISE.encode()])
def test_what_holds_no_alarm_gives_no_plan(raw):
    heard = events(raw.decode(errors="replace"))

    assert planning.plan(heard, inventory(cluster()), CATALOGUE, AS_OF) == ()


def careless():
    """Return rules that forget what must be restarted after the web server has changed."""
    store = CATALOGUE.stores["tomcat"]
    procedure = tuple(item for item in store.procedure if item.phase is not Phase.RESTARTS)
    stores = CATALOGUE.stores | {"tomcat": store.model_copy(update={"procedure": procedure})}
    return replace(CATALOGUE, stores=stores)


def test_a_plan_that_the_check_refuses_has_no_steps_but_a_reason():
    heard = events(message(store="tomcat"))

    (sound,) = planning.plan(heard, inventory(cluster()), CATALOGUE, AS_OF)
    (refused,) = planning.plan(heard, inventory(cluster()), careless(), AS_OF)

    assert sound.steps
    assert refused.steps == refused.back_out == refused.preconditions == ()
    assert any(reason.startswith("RESTARTS:") for reason in refused.withheld)


CUT_OFF = cluster(
    node("pub", duties=()), node("sub1"), release="12.5(1)SU4",
    phone_groups=(PhoneGroup(name="behind a firewall", tftp=("sub1",), tvs_reachable=False),),
)  # fmt: skip


def test_the_first_part_is_planned_where_the_recovery_certificate_would_lose_phones():
    due = [("ITLRecovery", "pub"), ("CallManager", "sub1"), ("tomcat", "pub")]
    heard = events(*(message(store=store, node=name) for store, name in due))

    (plan,) = planning.plan(heard, inventory(CUT_OFF), CATALOGUE, AS_OF)

    renewed = [store for store, _ in deeds(plan, StepKind.REGENERATE)]
    (way,) = plan.proof.ways
    assert renewed == ["tomcat", "CallManager"]
    assert (way.ruling, way.taken) == (plan.proof.ruling, True)
    assert "The ITLRecovery certificate is not planned" in plan.withheld[0]
    assert "which is not shown" in plan.withheld[1]


def test_the_recovery_certificate_alone_is_withheld_and_the_rest_is_planned():
    heard = events(message(store="ITLRecovery", node="pub"), message(store="tomcat"))

    (plan,) = planning.plan(heard, inventory(CUT_OFF), CATALOGUE, AS_OF)

    assert plan.withheld
    assert [store for store, _ in deeds(plan, StepKind.REGENERATE)] == ["tomcat"]


def test_the_moment_of_a_plan_is_the_newest_event_unless_told():
    heard = events(ARCHIVE.decode())

    (told,) = planning.plan(heard, None, CATALOGUE, AS_OF)
    (untold,) = planning.plan(heard, None, CATALOGUE)

    assert told.as_of == AS_OF
    assert untold.as_of == max(event.record.event_time for event in heard)

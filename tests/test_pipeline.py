"""From bytes to events to plans; every record is accounted for, whatever the blocks."""

from dataclasses import replace
from itertools import pairwise

import pytest
from builders import AS_OF, CATALOGUE, cluster, inventory, message
from hypothesis import given
from hypothesis import strategies as st

from watcher import pipeline
from watcher.model.alarm import CertificateAlarm, Tally, UcAlarm
from watcher.rules.schema import Phase

RELATED = (
    "<187>12: pub: Nov 20 2026 02:10:06.544 UTC :  %UC_DRF-3-DRFBackupFailure: "
    "%[Reason=local][AppID=Cisco DRF][ClusterID=][NodeID=pub]: text"
)
OTHER = RELATED.replace("DRFBackupFailure", "DRFSomethingElse")
NOISE = "Nov 20 02:10:06 pub kernel: nothing of ours"
ARCHIVE = "\n".join([message(), NOISE, RELATED, OTHER, message(store="TVS"), NOISE, ""]).encode()


def read(chunks, **options):
    tally = Tally()
    return list(pipeline.read(chunks, CATALOGUE.alarms, tally, **options)), tally


def test_every_record_is_counted_where_it_ended():
    events, tally = read([ARCHIVE])

    assert [type(event) for event in events] == [
        CertificateAlarm,
        UcAlarm,
        UcAlarm,
        CertificateAlarm,
    ]
    assert (tally.certificate_alarms, tally.uc_alarms, tally.noise, tally.unreadable) == (
        2,
        2,
        2,
        0,
    )
    assert tally.read == 6


@given(st.lists(st.integers(0, len(ARCHIVE)), max_size=6).map(sorted))
def test_the_size_of_blocks_changes_nothing(cuts):
    edges = [0, *cuts, len(ARCHIVE)]
    chunks = [ARCHIVE[a:b] for a, b in pairwise(edges)]

    assert read(chunks) == read([ARCHIVE])


def test_certificates_only_leaves_the_rest_as_noise():
    events, tally = read([ARCHIVE], certificates_only=True)

    assert [event.store for event in events] == ["tomcat", "TVS"]
    assert (tally.read, tally.noise) == (6, 4)


def test_a_plan_is_drawn_from_certificate_alarms_and_what_it_must_mention():
    events, _ = read([ARCHIVE])

    kept = list(pipeline.planned(events))

    assert [getattr(event, "topic", None) for event in kept] == [None, "backup-failed", None]


def test_a_broken_record_of_ours_is_kept_with_a_reason():
    _, tally = read([b"<189>1: x: %UC_CERT-2-CertValidfor7days: %[Message=\n"])

    assert tally.read == tally.unreadable + tally.certificate_alarms == 1


@pytest.mark.parametrize("raw", [b"", b"\n\n", b"\x00\xff\xfe", NOISE.encode()])
def test_what_holds_no_alarm_gives_no_plan(raw):
    events, _ = read([raw])

    assert pipeline.plan(events, inventory(cluster()), CATALOGUE, AS_OF) == ()


def careless():
    """Return rules that forget to wait for phones after the verifier has changed."""
    store = CATALOGUE.stores["TVS"]
    procedure = tuple(item for item in store.procedure if item.phase is not Phase.RESET_PHONES)
    stores = CATALOGUE.stores | {"TVS": store.model_copy(update={"procedure": procedure})}
    return replace(CATALOGUE, stores=stores)


def test_a_plan_that_the_check_refuses_has_no_steps_but_a_reason():
    events, _ = read([message(store="TVS").encode()])

    (sound,) = pipeline.plan(events, inventory(cluster()), CATALOGUE, AS_OF)
    (refused,) = pipeline.plan(events, inventory(cluster()), careless(), AS_OF)

    assert sound.steps
    assert refused.steps == refused.back_out == refused.preconditions == ()
    assert any(reason.startswith("O6:") for reason in refused.withheld)


def test_the_moment_of_a_plan_is_the_newest_event_unless_told():
    events, _ = read([ARCHIVE])

    (told,) = pipeline.plan(events, None, CATALOGUE, AS_OF)
    (untold,) = pipeline.plan(events, None, CATALOGUE)

    assert told.as_of == AS_OF
    assert untold.as_of == max(event.record.event_time for event in events)

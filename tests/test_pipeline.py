"""From bytes to events; every record is accounted for, whatever the blocks."""

from itertools import pairwise

from builders import CATALOGUE, message
from hypothesis import given
from hypothesis import strategies as st

from watcher import pipeline
from watcher.model.alarm import CertificateAlarm, Tally, UcAlarm

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


def test_a_broken_record_of_ours_is_kept_with_a_reason():
    _, tally = read([b"<189>1: x: %UC_CERT-2-CertValidfor7days: %[Message=\n"])

    assert tally.read == tally.unreadable + tally.certificate_alarms == 1

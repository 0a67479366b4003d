"""The metrics page and the status files it is made of."""

from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from watcher.app.status import (
    RECEIVER_FILE,
    WORKER_FILE,
    read_receiver,
    read_worker,
    write_status,
)
from watcher.metrics import METRICS, Page, Seen, table
from watcher.model.ledger import Line, Place, Reason
from watcher.model.message import Way
from watcher.model.status import (
    CountOf,
    InputStatus,
    LettersStatus,
    ListenerCertificate,
    QuarantineCount,
    ReceiverStatus,
    SourceStatus,
    WorkerStatus,
)
from watcher.model.ticket import ErrandState, OutboxCount

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
WHEN = {"written_at": NOW, "started_at": NOW - timedelta(hours=1), "pid": 7, "version": "0"}


def receiver(**values):
    udp = InputStatus(
        name="udp", way=Way.UDP, where="127.0.0.1:5514", open=True,
        receive_buffer=425984, kernel_drops=3,
    )  # fmt: skip
    given = {
        "inputs": (udp,),
        "lines": (Line("udp", Place.NOISE, Reason.NONE, 5),),
        "free_bytes": 10**9,
        "resident_bytes": 50 << 20,
        "certificates": (ListenerCertificate(input="tls", not_after=NOW + timedelta(days=9)),),
    }
    return ReceiverStatus(**(WHEN | given | values))


def worker(**values):
    given = {
        "lines": (
            Line("udp", Place.RECEIVED, Reason.NONE, 7),
            Line("udp", Place.CASE, Reason.NONE, 2),
            Line("udp", Place.REFUSED, Reason.RATE, 4),
        ),
        "cases": (CountOf(name="alarmed", count=2),),
        "outbox": (
            OutboxCount(system="directory", state=ErrandState.DONE, count=3, oldest=NOW),
            OutboxCount(system="directory", state=ErrandState.UNKNOWN, count=1, oldest=NOW),
        ),
        "quarantine": (QuarantineCount(reason=Reason.POISON, count=1),),
        "sources": (
            SourceStatus(
                source="node:pub", node="pub", last=NOW - timedelta(hours=2), state="silent"
            ),
            SourceStatus(source="stage:store", node="", last=NOW, state="healthy"),
            SourceStatus(source="stage:of a sender", node="", last=NOW, state="healthy"),
        ),
        "letters": (
            LettersStatus(
                kind="digest",
                list="voice",
                delivered=4,
                waiting=1,
                lost=2,
                undrawn=3,
                oldest=NOW - timedelta(minutes=5),
            ),
            LettersStatus(kind="notice", list="duty"),
        ),
        "failing": ("digest of list voice",),
        "self_test_at": NOW - timedelta(minutes=3),
        "damaged_rows": 2,
        "oldest_unread_at": NOW - timedelta(seconds=4),
        "resident_bytes": 60 << 20,
    }
    return WorkerStatus(**(WHEN | given | values))


def values(seen):
    """Return every sample of the page as a scraper reads it."""
    text = Page(lambda: seen).render().decode()
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_every_metric_is_on_the_page_when_all_is_known():
    page = Page(lambda: Seen(now=NOW, receiver=receiver(), worker=worker())).render().decode()

    assert [
        m.name for m in table() if f"\n{m.name}{{" not in page and f"\n{m.name} " not in page
    ] == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (("watcher_up", "worker"), 1),
        (("watcher_receive_buffer_bytes", "udp"), 425984),
        (("watcher_kernel_drops_total", "udp"), 3),
        (("watcher_input_messages_total", "udp", "noise", ""), 5),
        (("watcher_ledger_messages_total", "udp", "refused", "rate"), 4),
        (("watcher_ledger_difference",), 1),
        (("watcher_certificate_days", "tls"), 9),
        (("watcher_cases", "alarmed"), 2),
        (("watcher_quarantine_messages", "poison"), 1),
        (("watcher_source_heard_seconds", "pub"), 7200),
        (("watcher_source_state", "pub", "silent"), 1),
        (("watcher_source_state", "pub", "healthy"), 0),
        (("watcher_stage_state", "store", "healthy"), 1),
        (("watcher_self_test_age_seconds",), 180),
        (("watcher_damaged_rows",), 2),
        (("watcher_letters", "digest", "voice", "delivered"), 4),
        (("watcher_letters", "digest", "voice", "waiting"), 1),
        (("watcher_letters", "digest", "voice", "lost"), 2),
        (("watcher_letters", "digest", "voice", "undrawn"), 3),
        (("watcher_letters_oldest_seconds", "digest", "voice"), 300),
        (("watcher_letters_oldest_seconds", "notice", "duty"), 0),
        (("watcher_parts_failing",), 1),
        (("watcher_journal_oldest_unread_seconds",), 4),
        (("watcher_database_up",), 1),
    ],
)
def test_a_metric_shows_what_the_status_says(name, expected):
    assert values(Seen(now=NOW, receiver=receiver(), worker=worker()))[name] == expected


def test_a_half_that_stopped_writing_is_down():
    seen = Seen(now=NOW + timedelta(minutes=1), receiver=receiver(), worker=worker())

    assert values(seen)["watcher_up", "worker"] == 0


def test_without_any_status_the_page_says_that_both_are_down():
    assert values(Seen(now=NOW)) == {
        ("watcher_up", "receiver"): 0,
        ("watcher_up", "worker"): 0,
    }


def test_what_is_not_known_is_left_out_instead_of_being_zero():
    page = values(Seen(now=NOW, worker=worker(self_test_at=None)))

    assert ("watcher_self_test_age_seconds",) not in page


def test_a_node_that_was_never_heard_is_unknown_and_has_no_age():
    never = SourceStatus(source="node:sub1", node="sub1", state="unknown")
    page = values(Seen(now=NOW, worker=worker(sources=(never,))))

    assert page["watcher_source_state", "sub1", "unknown"] == 1
    assert ("watcher_source_heard_seconds", "sub1") not in page


def test_no_text_of_a_sender_becomes_a_label():
    hostile = ["", "../etc", "a b", "x" * 70, 'a"} 1\nwatcher_up{half="worker"', "\u0441m1"]
    sources = tuple(SourceStatus(source="s", node=name, last=NOW) for name in hostile)
    page = values(Seen(now=NOW, worker=worker(sources=sources)))

    assert [key for key in page if key[0].startswith("watcher_source")] == []


def test_ten_thousand_nodes_do_not_make_ten_thousand_series():
    sources = tuple(SourceStatus(source="s", node=f"n{i}", last=NOW) for i in range(10_000))
    page = values(Seen(now=NOW, worker=worker(sources=sources)))

    assert len([key for key in page if key[0] == "watcher_source_heard_seconds"]) == 2000


def test_names_are_unique_and_units_are_said():
    endings = ("_total", "_seconds", "_bytes", "_days")
    plain = {"up", "config_differs", "ledger_difference", "input_open", "input_connections",
             "journal_writable", "database_up", "cases", "quarantine_messages", "lease_held",
             "lease_epoch", "outbox_errands", "self_test_failed", "source_state", "damaged_rows",
             "stage_state", "letters", "parts_failing"}  # fmt: skip

    assert len({m.name for m in METRICS}) == len(METRICS)
    assert {m.name for m in METRICS if not m.name.endswith(endings)} == plain


def test_a_status_is_read_as_it_was_written(tmp_path):
    write_status(tmp_path, receiver())
    write_status(tmp_path, worker())

    assert (read_receiver(tmp_path), read_worker(tmp_path)) == (receiver(), worker())
    assert {path.name for path in tmp_path.iterdir()} == {RECEIVER_FILE, WORKER_FILE}


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"\xff", b'{"written_at": "yesterday"}'])
def test_a_broken_status_counts_as_none(tmp_path, content):
    (tmp_path / WORKER_FILE).write_bytes(content)

    assert read_worker(tmp_path) is None


def test_a_status_that_was_never_written_is_none(tmp_path):
    assert read_receiver(tmp_path) is None


def test_a_status_that_cannot_be_written_is_told(tmp_path):
    with pytest.raises(OSError, match="No such file"):
        write_status(tmp_path / "absent", worker())

"""The text of RTMT alerts."""

from datetime import UTC, datetime

import pytest

from watcher.wire.rtmt import matched_events, read_alert, unfold

HEAD = (
    "At Fri Sep 05 02:00:56 CEST 2014 on node 192.0.2.1, the following SyslogSeverityMatchFound"
    " events generated:"
)
EVENT = datetime(2014, 9, 5, 0, 0, 6, 433_000, UTC)


def test_the_event_inside_tells_the_offset_of_the_alert():
    alert = read_alert(HEAD, event=EVENT)

    assert alert is not None
    assert (alert.name, alert.node) == ("SyslogSeverityMatchFound", "192.0.2.1")
    assert alert.time == datetime(2014, 9, 5, 0, 0, 56, tzinfo=UTC)


@pytest.mark.parametrize("event", [None, datetime(2014, 9, 5, 0, 4, tzinfo=UTC)])
def test_a_zone_abbreviation_alone_is_never_mapped(event):
    alert = read_alert(HEAD, event=event)

    assert alert is not None
    assert alert.time is None
    assert alert.time_text == "Fri Sep 05 02:00:56 CEST 2014"


def test_every_matched_event_is_found():
    text = unfold(f"{HEAD}#012SeverityMatch : Alert# 012MatchedEvent : one#012"
                  "SeverityMatch : Critical#012MatchedEvent : two#012AppID : x")  # fmt: skip

    assert matched_events(text) == ("one", "two")


def test_a_matched_event_inside_a_line_is_only_a_quotation():
    text = f"{HEAD}\nMatchedEvent : a user wrote MatchedEvent : %UC_CERT-0-CertExpired: x"

    assert len(matched_events(text)) == 1
    assert matched_events(text)[0].startswith("a user wrote")


def test_text_without_head_is_no_alert():
    assert read_alert("nothing of the kind") is None

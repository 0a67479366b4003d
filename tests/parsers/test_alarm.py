"""Other UC alarms and what they are evidence of."""

import pytest

from watcher.app.knowledge import load_catalogue
from watcher.model.alarm import CiscoLogRecord
from watcher.parsers import alarm
from watcher.wire.ciscolog import decode

ALARMS = load_catalogue().alarms


def parsed(token, tags="", header="1: n1.lab.example: Sep 05 2014 00:00:06.433 UTC : "):
    record = decode(f"{header}%{token}: %[{tags}AppID=x][ClusterID=c][NodeID=]: text")
    assert isinstance(record, CiscoLogRecord)
    return alarm.parse(record, ALARMS)


@pytest.mark.parametrize(
    "related", ALARMS.related, ids=lambda related: f"{related.appname}-{related.msgname}"
)
def test_every_related_alarm_is_recognised(related):
    found = parsed(f"{related.appname or 'UC_X'}-3-{related.msgname.upper()}")

    assert found.topic in {other.topic for other in ALARMS.related
                           if other.msgname.lower() == related.msgname.lower()}  # fmt: skip


def test_an_rtmt_alert_is_known_by_its_name():
    name = next(related for related in ALARMS.related if related.appname is None).msgname

    assert parsed("UC_RTMT-2-RTMT_ALERT", f"AlertName={name}][").topic is not None


def test_an_alarm_without_topic_is_still_an_alarm():
    found = parsed("UC_X-3-Y")

    assert found.topic is None
    assert (found.node, found.cluster_id, found.app_id) == ("n1", "c", "x")

"""Any other record of a UC server; some are evidence for a change plan."""

from watcher.model.alarm import CiscoLogRecord, RtmtAlert, UcAlarm
from watcher.rules.alarms import Alarms


def parse(record: CiscoLogRecord, alarms: Alarms, alert: RtmtAlert | None = None) -> UcAlarm:
    """Return the alarm that `record` is; every record is one."""
    return UcAlarm(
        record=record,
        node=record.originator,
        cluster_id=record.tag("ClusterID"),
        app_id=record.tag("AppID"),
        alert=alert,
        topic=_topic(record, alarms),
    )


def _topic(record: CiscoLogRecord, alarms: Alarms) -> str | None:
    appname = record.appname.lower()
    # An RTMT alert is known by its AlertName; its own MSGNAME is the same for all alerts.
    names = {record.msgname.lower(), (record.tag("AlertName") or "").lower()} - {""}
    for related in alarms.related:
        same_app = related.appname is None or related.appname.lower() == appname
        if same_app and related.msgname.lower() in names:
            return related.topic
    return None

"""Any other record of a UC server; some are evidence for a change plan."""

from watcher.model.alarm import CiscoLogRecord, RtmtAlert, UcAlarm
from watcher.rules.alarms import Alarms


def parse(record: CiscoLogRecord, alarms: Alarms, alert: RtmtAlert | None = None) -> UcAlarm:
    """Return the alarm that `record` is; every record is one."""
    evidence = alarms.evidence_in(record)
    return UcAlarm(
        record=record,
        node=record.originator,
        cluster_id=record.tag("ClusterID"),
        app_id=record.tag("AppID"),
        alert=alert,
        topic=evidence.topic if evidence else None,
    )

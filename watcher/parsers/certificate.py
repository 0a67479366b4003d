"""What a record of the Certificate Monitor says about a certificate.

The value of `Message` is cut at a fixed length, so each fact may be missing from the right;
what is lost is named, never guessed.
"""

import re
from fnmatch import fnmatchcase

from watcher.expiry import resolve
from watcher.model.alarm import (
    CertificateAlarm,
    CiscoLogRecord,
    RtmtAlert,
    StoreKind,
    Truncation,
)
from watcher.rules.alarms import Alarms, CertificateAlarmKind
from watcher.wire.grammar import BODY, fields

_MARK = "Certificate name:"
_CUT_KEYS = ("Unit:", "Type:", "Expiration:")
_TRUST = "-trust"
_FILE_TYPES = (".der", ".pem", ".crt", ".cer")
_HOST = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)(?:\.[A-Za-z0-9-]{1,63}){0,10}", re.ASCII
)


def parse(
    record: CiscoLogRecord, alarms: Alarms, alert: RtmtAlert | None = None
) -> CertificateAlarm | None:
    """Return the certificate alarm that `record` is, or None when it is another alarm."""
    if record.appname.lower() not in {name.lower() for name in alarms.appnames}:
        return None
    kind = _kind(record.msgname, alarms)
    facts = _facts(record)
    expiry, state = resolve(facts["expiration"], record.event_time, kind)
    node = record.originator
    store_kind = _store_kind(facts)
    return CertificateAlarm(
        record=record,
        known=kind is not None,
        certificate=facts["name"],
        store=facts["unit"],
        store_kind=store_kind,
        reported_type=facts["type"] if facts["expiration"] is not None else None,
        node=node,
        owner=_owner(facts["name"], store_kind, node, alarms),
        cluster=_cluster(record.tag("ClusterID"), alarms),
        cluster_id=record.tag("ClusterID"),
        app_id=record.tag("AppID"),
        expiry=expiry,
        state=state,
        truncation=_lost(record, facts, complete=expiry.complete),
        alert=alert,
    )


_Facts = dict[str, str | None]


def _kind(msgname: str, alarms: Alarms) -> CertificateAlarmKind | None:
    wanted = msgname.lower()
    return next((kind for name, kind in alarms.certificate.items() if name.lower() == wanted), None)


def _facts(record: CiscoLogRecord) -> _Facts:
    message = record.tag("Message") or record.text
    start = message.find(_MARK)
    if start < 0:
        return dict.fromkeys(("name", "unit", "type", "expiration"))
    found = fields(BODY, message[start + len(_MARK) :])
    facts = {name: found.get(name) for name in ("name", "unit", "type", "expiration")}
    if facts["expiration"] is not None and record.tag("Message") is None:
        facts["expiration"] = facts["expiration"].split(" App", 1)[0]
    return {name: value if name == "expiration" else _whole(value) for name, value in facts.items()}


def _whole(value: str | None) -> str | None:
    """Take away the beginning of the next key, where the cut went through it."""
    if value is None:
        return None
    head, blank, last = value.rpartition(" ")
    if blank and (not last or any(key.startswith(last) for key in _CUT_KEYS)):
        value = head
    return value.strip() or None


def _store_kind(facts: _Facts) -> StoreKind | None:
    store = facts["unit"]
    if store is None:
        return None
    if store.lower().endswith(_TRUST):
        return StoreKind.TRUST
    # Without what follows it, the name itself may be cut, and with it its `-trust`.
    return StoreKind.SERVICE if facts["type"] is not None else None


def _owner(
    file: str | None, kind: StoreKind | None, node: str | None, alarms: Alarms
) -> str | None:
    if kind is StoreKind.SERVICE:
        return node
    if kind is None or file is None:
        return None
    stem = file
    for ending in _FILE_TYPES:
        stem = stem.removesuffix(ending)
    if any(fnmatchcase(stem.lower(), ca.pattern.lower()) for ca in alarms.ca_files):
        return None
    return stem if _HOST.fullmatch(stem) else None


def _cluster(cluster_id: str | None, alarms: Alarms) -> str | None:
    name = (cluster_id or "").strip()
    defaults = {default.lower() for default in alarms.default_cluster_ids}
    return name if name and name.lower() not in defaults else None


def _lost(record: CiscoLogRecord, facts: _Facts, *, complete: bool) -> tuple[Truncation, ...]:
    lost = list(record.truncation)
    if facts["name"] is not None:
        if facts["unit"] is None or facts["type"] is None:
            lost.append(Truncation.MESSAGE)
        if facts["expiration"] is None:
            lost.append(Truncation.TYPE)
        if not complete:
            lost.append(Truncation.EXPIRY)
    return tuple(lost)

"""What a record of the Certificate Monitor says about a certificate.

The value of `Message` is cut at a fixed length, so each fact may be missing from the right;
what is lost is named, never guessed.
"""

import re
from datetime import timedelta

from watcher.expiry import resolve
from watcher.model.alarm import (
    CertificateAlarm,
    CiscoLogRecord,
    RtmtAlert,
    StoreKind,
    Truncation,
)
from watcher.rules.alarms import Alarms
from watcher.wire.enddate import ZONE_SLACK
from watcher.wire.grammar import BODY, known_fields
from watcher.wire.timestamp import clock_reading

_MARK = "Certificate name:"
_CUT_KEYS = ("Unit:", "Type:", "Expiration:")
_TRUST = "-trust"
_FILE_TYPES = (".der", ".pem", ".crt", ".cer")
_STORE = re.compile(r" Unit:(?=[A-Za-z][A-Za-z0-9_-]{0,63}(?: |$)|$)", re.ASCII)
_LETTERS = 3
_DIGIT = re.compile(r"[0-9]")
_HOST = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)(?:\.[A-Za-z0-9-]{1,63}){0,10}", re.ASCII
)


def parse(
    record: CiscoLogRecord, alarms: Alarms, alert: RtmtAlert | None = None, *, listing: bool = True
) -> CertificateAlarm | None:
    """Return the certificate alarm that `record` is, or None when it is another alarm.

    Without `listing` the dates that its text may mean as well are left out.
    """
    if not alarms.is_certificate_monitor(record.appname):
        return None
    kind = alarms.kind_of(record.msgname)
    facts = _facts(record)
    event, slack = record.event_time, timedelta(0)
    if event is None:
        event, slack = clock_reading(record.event_time_text), ZONE_SLACK
    expiry, state = resolve(facts["expiration"], event, kind, slack=slack, listing=listing)
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
        owner=_owner(record, facts["name"], store_kind, alarms),
        cluster=_cluster(record.tag("ClusterID"), alarms),
        cluster_id=record.tag("ClusterID"),
        app_id=record.tag("AppID"),
        expiry=expiry,
        state=state,
        truncation=_lost(record, facts, complete=expiry.complete),
        alert=alert,
    )


_Facts = dict[str, str | None]


def _facts(record: CiscoLogRecord) -> _Facts:
    message = record.tag("Message") or record.text
    start = message.find(_MARK)
    if start < 0:
        return dict.fromkeys(("name", "unit", "type", "expiration"))
    body = message[start + len(_MARK) :]
    # A certificate's name may hold what looks like the store: the last such place is the store.
    stores = list(_STORE.finditer(body)) if body.count(" Unit:") > 1 else []
    name = body[: stores[-1].start()] if stores else ""
    found = known_fields(BODY, body[len(name) :])
    if stores:
        found["name"] = name
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
    record: CiscoLogRecord, file: str | None, kind: StoreKind | None, alarms: Alarms
) -> str | None:
    if kind is StoreKind.SERVICE:
        return record.originator
    if kind is None or file is None:
        return None
    stem = file
    for ending in _FILE_TYPES:
        stem = stem.removesuffix(ending)
    if alarms.is_ca_file(stem):
        return None
    return stem if _HOST.fullmatch(stem) and _is_neighbour(stem.lower(), record) else None


def _is_neighbour(name: str, record: CiscoLogRecord) -> bool:
    """Tell whether a file is named as the nodes around the reporting one are.

    Files of CAs are named like hosts too; without an inventory only the style of the names tells.
    """
    label, _, domain = name.partition(".")
    host, _, own_domain = (record.host or "").lower().partition(".")
    if domain and domain == own_domain:
        return True
    nodes = {host, (record.originator or "").lower().partition(".")[0]} - {""}
    return label in nodes or any(_style(label) == _style(node) != "" for node in nodes)


def _style(label: str) -> str:
    """Return what the names of a site's nodes have in common: all before the first digit."""
    start = _DIGIT.split(label, maxsplit=1)[0]
    return start if sum(letter.isalpha() for letter in start) >= _LETTERS else ""


def _cluster(cluster_id: str | None, alarms: Alarms) -> str | None:
    name = (cluster_id or "").strip()
    defaults = {default.lower() for default in alarms.default_cluster_ids}
    return name if name and name.lower() not in defaults else None


def _lost(record: CiscoLogRecord, facts: _Facts, *, complete: bool) -> tuple[Truncation, ...]:
    lost = list(record.truncation)
    if facts["name"] is not None:
        doubtful = " Unit:" in facts["name"]
        if facts["unit"] is None or facts["type"] is None or doubtful:
            lost.append(Truncation.MESSAGE)
        if facts["unit"] is not None and _store_kind(facts) is None:
            lost.append(Truncation.STORE)
        if facts["expiration"] is None:
            lost.append(Truncation.TYPE)
        if not complete:
            lost.append(Truncation.EXPIRY)
    return tuple(lost)

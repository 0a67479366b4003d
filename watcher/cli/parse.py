"""`watcher parse`: messages in, one JSON object per fact out."""

import json
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Annotated, Any

import typer

from watcher.app.alarms import load_alarms
from watcher.app.files import STANDARD_INPUT, blocks_of
from watcher.errors import InputError, Location, one_line
from watcher.model.alarm import (
    CertificateAlarm,
    CiscoLogRecord,
    Event,
    RtmtAlert,
    Tally,
    UcAlarm,
    Unreadable,
)
from watcher.model.expiry import Expiry
from watcher.pipeline import read
from watcher.rules.alarms import Alarms

_RAW_SHOWN = 2048

Files = Annotated[
    list[str] | None,
    typer.Argument(metavar="[FILE]...", help="Archive, message, mail or mbox; - reads a pipe."),
]


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command()(parse)


def parse(
    files: Files = None,
    *,
    certificates_only: Annotated[
        bool, typer.Option("--certificates-only", help="Look at nothing else: much faster.")
    ] = False,
    inventory: Annotated[
        str | None,
        typer.Option("--inventory", "-i", metavar="FILE", help="Names clusters and owners."),
    ] = None,
) -> None:
    """Print what messages say, one JSON object per line; counts go to standard error.

    The kind of input is detected: one message, a log file of any size, a mail, an mbox.
    """
    alarms = load_alarms()
    named = _namer(inventory) if inventory else None
    tally = Tally()
    for name in files or [STANDARD_INPUT]:
        for event in _events(name, alarms, tally, certificates_only=certificates_only):
            if isinstance(event, CertificateAlarm) and named is not None:
                _print(named(event), alarms)
            elif isinstance(event, CertificateAlarm | Unreadable) or not certificates_only:
                _print(event, alarms)
    sys.stdout.flush()
    print(counts(tally), file=sys.stderr)


def _events(name: str, alarms: Alarms, tally: Tally, *, certificates_only: bool) -> Iterator[Event]:
    try:
        yield from read(blocks_of(name), alarms, tally, certificates_only=certificates_only)
    except InputError as error:
        if error.where is not None:
            raise
        place = Location("standard input" if name == STANDARD_INPUT else name)
        raise InputError(error.problem, where=place, expected=error.expected) from error


def _namer(inventory: str) -> Callable[[CertificateAlarm], CertificateAlarm]:
    """Return what puts the inventory's names into an alarm."""
    # Imported here, so that only who names an inventory waits for it.
    from watcher.app.site import load_inventory  # noqa: PLC0415
    from watcher.inventory.locate import located  # noqa: PLC0415

    site = load_inventory(inventory)
    return lambda alarm: located(alarm, site)


def _print(event: Event, alarms: Alarms) -> None:
    sys.stdout.write(json.dumps(as_json(event, alarms)) + "\n")


def counts(tally: Tally) -> str:
    """Say where every record ended; the first figure is the sum of the others."""
    return (
        f"read {tally.read}: certificate alarms {tally.certificate_alarms}, "
        f"other UC alarms {tally.uc_alarms}, noise {tally.noise}, unreadable {tally.unreadable}"
    )


def as_json(event: Event, alarms: Alarms) -> dict[str, Any]:
    """Return the JSON object of one event."""
    match event:
        case CertificateAlarm():
            return _certificate(event)
        case UcAlarm():
            return _uc_alarm(event, alarms)
        case Unreadable():
            raw = one_line(event.raw)[:_RAW_SHOWN]
            return {"kind": "unreadable", "reason": event.reason, "raw": raw}


def _certificate(alarm: CertificateAlarm) -> dict[str, Any]:
    return {
        "kind": "certificate-alarm",
        **_record(alarm.record),
        "known": alarm.known,
        "certificate": alarm.certificate,
        "store": alarm.store,
        "store_kind": alarm.store_kind,
        "type": alarm.reported_type,
        "node": alarm.node,
        "owner": alarm.owner,
        "cluster": alarm.cluster,
        "cluster_id": alarm.cluster_id,
        "app_id": alarm.app_id,
        "expiry": _expiry(alarm.expiry),
        "state": alarm.state,
        "truncated": bool(alarm.truncation),
        "lost": list(alarm.truncation),
        "alert": _alert(alarm.alert),
    }


def _uc_alarm(alarm: UcAlarm, alarms: Alarms) -> dict[str, Any]:
    named = (alarm.cluster_id or "").strip()
    return {
        "kind": "uc-alarm",
        **_record(alarm.record),
        "node": alarm.node,
        "cluster": None if named in alarms.default_cluster_ids else named or None,
        "cluster_id": alarm.cluster_id,
        "app_id": alarm.app_id,
        "topic": alarm.topic,
        "text": alarm.record.text,
        "params": _first_of_each(alarm.record.tags),
        "truncated": bool(alarm.record.truncation),
        "lost": list(alarm.record.truncation),
        "alert": _alert(alarm.alert),
    }


def _first_of_each(tags: tuple[tuple[str, str], ...]) -> dict[str, str]:
    # A name that comes again is a quotation; the first is the record's own.
    params: dict[str, str] = {}
    for name, value in tags:
        params.setdefault(name, value)
    return params


def _record(record: CiscoLogRecord) -> dict[str, Any]:
    return {
        "mnemonic": record.msgname or None,
        "severity": record.severity,
        "facility": record.appname or None,
        "seq": record.seqnum,
        "host": record.host,
        "pri": record.pri,
        "accuracy": record.accuracy,
        "event_time": _instant(record.event_time),
        "event_time_text": record.event_time_text,
        "event_fraction_text": record.event_fraction_text,
        "envelope": list(record.envelope),
    }


def _expiry(expiry: Expiry) -> dict[str, Any]:
    return {
        "text": expiry.text,
        "date": expiry.day.isoformat() if expiry.day else None,
        "certainty": expiry.certainty,
        "candidates": [candidate.day.isoformat() for candidate in expiry.candidates],
        "reason": expiry.reason,
        "question": expiry.question,
        "time": expiry.time_text,
        "zone": expiry.zone_text,
        "not_before_bound": _instant(expiry.earliest),
        "not_after_bound": _instant(expiry.latest),
        "complete": expiry.complete,
    }


def _alert(alert: RtmtAlert | None) -> dict[str, Any] | None:
    if alert is None:
        return None
    return {
        "name": alert.name,
        "node": alert.node,
        "time": _instant(alert.time),
        "time_text": alert.time_text,
        "collector": alert.collector,
        "severity_matches": list(alert.severity_matches),
    }


def _instant(when: datetime | None) -> str | None:
    if when is None:
        return None
    precision = "milliseconds" if when.microsecond else "seconds"
    return when.isoformat(timespec=precision).replace("+00:00", "Z")

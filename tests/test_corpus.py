"""Every message of the shared corpus, against the facts that its index names."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from watcher.app.knowledge import load_catalogue
from watcher.cli.parse import as_json
from watcher.model.alarm import CertificateAlarm, Tally, UcAlarm
from watcher.pipeline import read

CORPUS = Path(__file__).parent.parent.parent / "shared" / "corpus"
ALARMS = load_catalogue().alarms

NAMES = {
    "mnemonic": "mnemonic",
    "facility": "facility",
    "severity": "severity",
    "certificate": "certificate",
    "unit": "store",
    "type": "type",
    "node": "node",
    "cluster_id": "cluster_id",
    "event_utc": "event_time",
    "event_time_text": "event_time_text",
    "event_fraction_text": "event_fraction_text",
    "seq": "seq",
    "host": "host",
    "pri": "pri",
    "app_id": "app_id",
}
ALERT_NAMES = {
    "alert_name": "name",
    "alert_node": "node",
    "alert_time_text": "time_text",
    "alert_utc": "time",
    "amc_node": "collector",
    "severity_matches": "severity_matches",
    "timestamp_text": "time_text",
}


def rows():
    if not CORPUS.is_dir():
        return []
    with (CORPUS / "index.tsv").open(encoding="utf-8", newline="") as table:
        return list(csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE))


def events(name: str) -> list[Any]:
    tally = Tally()
    found = list(read([(CORPUS / name).read_bytes()], ALARMS, tally))
    assert tally.read == (
        tally.certificate_alarms + tally.uc_alarms + tally.noise + tally.unreadable
    )
    assert tally.unreadable == 0
    return found


def known_facts(wanted: dict[str, Any], printed: dict[str, Any]) -> dict[str, Any]:
    """Return the part of a printed event that `wanted` speaks of, in its words."""
    expiry, alert = printed.get("expiry") or {}, printed.get("alert") or {}
    facts = {key: printed[name] for key, name in NAMES.items() if key in wanted}
    facts |= {key: alert.get(name) for key, name in ALERT_NAMES.items() if key in wanted}
    derived = {
        "expiration_text": expiry.get("text"),
        "expiration_complete": expiry.get("complete"),
        "expiration_year_by_weekday": int((expiry.get("date") or "0")[:4]),
        "already_expired": printed.get("state") == "expired",
        "year_missing": printed["event_time"] is None and printed["event_time_text"] is not None,
        "reason": printed.get("params", {}).get("Reason"),
        "severity_match": (alert.get("severity_matches") or [None])[0],
        "alert_text": printed["facility"] is None,
    }
    return facts | {key: value for key, value in derived.items() if key in wanted}


# The process tag and the tail of a cut message are not facts that anybody asks for.
UNUSED = {"process_tag", "message_tail", "matched", "trailing_timestamp_text"}


def compare(wanted: dict[str, Any], event: CertificateAlarm | UcAlarm) -> None:
    printed = json.loads(json.dumps(as_json(event, ALARMS)))
    asked = {key: value for key, value in wanted.items() if key not in UNUSED}

    assert asked == known_facts(asked, printed)


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the shared corpus is not beside this checkout")
@pytest.mark.parametrize("row", rows(), ids=lambda row: row["file"])
def test_certificate_alarms_are_exactly_those_of_the_index(row):
    expected = json.loads(row["expected"])
    wanted = [] if expected == "not-a-cert-alert" else expected
    wanted = wanted if isinstance(wanted, list) else [wanted]

    alarms = [event for event in events(row["file"]) if isinstance(event, CertificateAlarm)]

    assert len(wanted) == len(alarms)
    for facts, alarm in zip(wanted, alarms, strict=True):
        compare(facts, alarm)


UC_ROWS = [
    row
    for row in rows()
    if row["generic"]
    and str(json.loads(row["generic"]).get("facility", "UC_")).startswith(("UC_", "CCM_"))
    and not json.loads(row["generic"]).keys() & {"os_line", "sdl_trace"}
]


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the shared corpus is not beside this checkout")
@pytest.mark.parametrize("row", UC_ROWS, ids=lambda row: row["file"])
def test_other_uc_alarms_carry_the_facts_of_the_index(row):
    generic = json.loads(row["generic"])

    (alarm,) = events(row["file"])

    compare(generic, alarm)
    for facts in generic.get("matched", []):
        compare(facts, alarm)


FOREIGN_ROWS = [
    row
    for row in rows()
    if not row["generic"] and json.loads(row["expected"]) == "not-a-cert-alert"
]


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the shared corpus is not beside this checkout")
@pytest.mark.parametrize("row", FOREIGN_ROWS, ids=lambda row: row["file"])
def test_lines_of_other_devices_are_noise(row):
    assert events(row["file"]) == []

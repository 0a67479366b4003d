"""Our own samples in `tests/corpus`: one alarm through every carrier, and what must not pass."""

import json
from pathlib import Path

import pytest
from generate import archive, chunks

from watcher.app.knowledge import load_catalogue
from watcher.model.alarm import CertificateAlarm, Tally
from watcher.pipeline import read

FOLDER = Path(__file__).parent / "corpus"
EXPECTED = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))
ALARMS = load_catalogue().alarms


def certificates(data: bytes, size: int = 1 << 20, *, certificates_only: bool = False):
    found = read(chunks(data, size), ALARMS, Tally(), certificates_only=certificates_only)
    return [
        [event.certificate, event.store, event.record.seqnum, str(event.expiry.day)]
        for event in found
        if isinstance(event, CertificateAlarm)
    ]


@pytest.mark.parametrize("certificates_only", [False, True])
@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_each_carrier_yields_its_alarms(name, certificates_only):
    data = (FOLDER / name).read_bytes()

    assert certificates(data, certificates_only=certificates_only) == EXPECTED[name]


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_bytes_may_come_one_by_one(name):
    assert certificates((FOLDER / name).read_bytes(), size=1) == EXPECTED[name]


@pytest.mark.parametrize("certificates_only", [False, True])
def test_every_alarm_of_an_archive_is_found(certificates_only):
    pieces = list(archive(3000, share=0.05, seed=7))
    data = "".join(piece for piece, _ in pieces).encode()
    tally = Tally()

    events = list(read([data], ALARMS, tally, certificates_only=certificates_only))

    assert tally.certificate_alarms == sum(is_alarm for _, is_alarm in pieces)
    assert tally.unreadable == 0
    assert len(events) + tally.noise == tally.read


@pytest.mark.parametrize("size", [1, 37, 4095, 4096, 70_001, 262_145])
def test_block_size_changes_nothing(size):
    data = "".join(piece for piece, _ in archive(4000, share=0.05, seed=3)).encode()
    data = data[: 40_000 if size == 1 else None]
    whole, cut = Tally(), Tally()

    expected = list(read([data], ALARMS, whole))
    actual = list(read(chunks(data, size), ALARMS, cut))

    assert expected == actual
    assert whole == cut

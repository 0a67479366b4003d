"""Our own alarm passes the real readers, and is told from all others."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from builders import CATALOGUE, alarm, events
from cases.life import NOW, NOWHERE
from hypothesis import given
from hypothesis import strategies as st

from watcher.cases.identity import Standing, case_key
from watcher.cases.selftest import NODE, nonce_of, synthetic_alarm
from watcher.model.alarm import CertificateAlarm
from watcher.model.expiry import Certainty

NONCE = "0123456789abcdef0123456789abcdef"
LINE = synthetic_alarm(NONCE, NOW, CATALOGUE.alarms)
BEGIN = datetime(2020, 1, 1, tzinfo=UTC)
moments = st.integers(0, 70 * 365 * 86_400_000).map(lambda n: BEGIN + timedelta(milliseconds=n))


@given(moments, st.binary(min_size=8, max_size=32).map(bytes.hex))
def test_it_comes_out_with_its_nonce_and_its_time(at, nonce):
    (read,) = events(synthetic_alarm(nonce, at, CATALOGUE.alarms).decode())

    assert isinstance(read, CertificateAlarm)
    assert nonce_of(read) == nonce
    assert at - read.record.event_time < timedelta(milliseconds=1)
    assert (read.known, read.expiry.certainty) == (True, Certainty.EXACT)


def test_it_is_the_mildest_alarm_and_fits_a_small_datagram():
    (read,) = events(LINE.decode())

    assert read.record.severity == 6
    assert len(LINE) < 480
    assert LINE.isascii()


@pytest.mark.parametrize(
    "nonce", ["", "short", "A" * 32, "0" * 65, "0" * 16 + "\n", "0" * 15 + "]"]
)
def test_no_other_nonce_is_sent(nonce):
    with pytest.raises(ValueError, match="hexadecimal"):
        synthetic_alarm(nonce, NOW, CATALOGUE.alarms)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"node": NODE},
        {"node": NODE, "store": NODE, "certificate": "../" + NONCE},
        {"node": NODE, "certificate": NONCE},
        {"node": NODE.upper(), "store": NODE, "certificate": NONCE},
        {"store": NODE, "certificate": NONCE},
    ],
)
def test_other_alarms_have_no_nonce(fields):
    assert nonce_of(alarm(**fields)) is None


def test_the_reserved_name_is_no_node_s():
    (read,) = events(LINE.decode())

    assert NOWHERE.standing(case_key(read, NOWHERE)) is Standing.CLAIMED
    assert nonce_of(replace(read, certificate=None)) is None

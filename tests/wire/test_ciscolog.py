"""One record: its header in every form, its token, and what is not a record."""

from datetime import UTC, datetime

import pytest

from watcher.model.alarm import CiscoLogRecord, Envelope, Severity, Truncation, Unreadable
from watcher.wire.ciscolog import NOISE, RECORD_LIMIT, decode

GENERIC = "%UC_GENERIC-6-ServiceStarted: %[AppID=a][ClusterID=][NodeID=n]: text"
BARE = f"864: n.lab.example: Sep 05 2014 00:00:06.433 UTC : {GENERIC}"


@pytest.mark.parametrize(
    ("prefix", "envelope"),
    [
        ("", ()),
        ("<189>", (Envelope.RFC3164,)),
        ("<189>Mar  5 06:00:01 192.0.2.7 ", (Envelope.RFC3164,)),
        ("2024-03-05T06:00:01.5+01:00 relay ", (Envelope.RFC3164,)),
        ("2024-03-05 06:00:01\tLocal7.Notice\t192.0.2.7\t", (Envelope.RFC3164,)),
        ('<189>1 2024-03-05T06:00:01Z r app 1 id [a@1 b="]"] \ufeff', (Envelope.RFC5424,)),
        ("Sep 5 02:00:06 n local7 2 : ", (Envelope.CISCOSYSLOG,)),
        ("Sep  5 02:00:06 n local99 0 ccm: ", (Envelope.CISCOSYSLOG,)),
        ("31 n local7 3 : ", (Envelope.CISCOSYSLOG,)),
        (": : ", ()),
    ],
)
def test_the_record_is_the_same_in_every_carrier(prefix, envelope):
    record = decode(prefix + BARE)

    assert isinstance(record, CiscoLogRecord)
    assert record.envelope == (*envelope, Envelope.CISCOLOG)
    assert (record.seqnum, record.host) == (864, "n.lab.example")
    assert record.event_time == datetime(2014, 9, 5, 0, 0, 6, 433_000, UTC)


@pytest.mark.parametrize(
    ("text", "when", "fraction"),
    [
        ("Sep 05 2014 00:00:06.433 UTC", datetime(2014, 9, 5, 0, 0, 6, 433_000, UTC), None),
        ("Sep 05 2014 00:00:06.19 UTC", datetime(2014, 9, 5, 0, 0, 6, tzinfo=UTC), "19"),
        ("Sep 05 2014 12:00:06 AM.433 UTC", datetime(2014, 9, 5, 0, 0, 6, 433_000, UTC), None),
        ("Sep 05 2014 01:00:06 PM UTC", datetime(2014, 9, 5, 13, 0, 6, tzinfo=UTC), None),
        ("Sep 05 2014 02:00:06 +0200", datetime(2014, 9, 5, 0, 0, 6, tzinfo=UTC), None),
        ("Sep 05 2014 02:00:06 GMT+02:00", datetime(2014, 9, 5, 0, 0, 6, tzinfo=UTC), None),
        ("Sep 05 2014 00:00:06 EST", None, None),
        ("Sep 05 00:00:06.433 UTC", None, None),
        ("Feb 30 2014 00:00:06.433 UTC", None, None),
    ],
)
def test_event_time_is_utc_or_only_text(text, when, fraction):
    record = decode(f"1: h: {text} : {GENERIC}")

    assert isinstance(record, CiscoLogRecord)
    assert (record.event_time, record.event_fraction_text) == (when, fraction)
    assert record.event_time_text == text


@pytest.mark.parametrize(
    ("token", "appname", "msgname"),
    [
        ("%UC_Location Manager-1-LBMLinkOOS:", "UC_Location Manager", "LBMLinkOOS"),
        ("%CCM_RTMT-RTMT-2-RTMT-ERROR-ALERT:", "CCM_RTMT-RTMT", "RTMT-ERROR-ALERT"),
        ("%UC_TVS-6-RollBackToPre8.0Enabled:", "UC_TVS", "RollBackToPre8.0Enabled"),
        ("% UC_CERT-6-CertExpiryApproaching :", "UC_CERT", "CertExpiryApproaching"),
    ],
)  # fmt: skip
def test_tokens_of_all_forms_are_read(token, appname, msgname):
    record = decode(f"1: h: Sep 05 2014 00:00:06 UTC :  {token} %[NodeID=n]: x")

    assert isinstance(record, CiscoLogRecord)
    assert (record.appname, record.msgname) == (appname, msgname)


def test_severity_comes_from_the_token():
    record = decode(f"<184>{BARE}")

    assert isinstance(record, CiscoLogRecord)
    assert record.severity is Severity.INFORMATIONAL
    assert record.pri == 184


@pytest.mark.parametrize(
    "line",
    [
        f"<189>29: r: *Apr 29 13:58:40.411: %SYS-5-CONFIG_I: someone wrote {BARE}",
        "Feb 10 23:21:05 n sshd[1]: session opened",
        "",
    ],
)
def test_other_lines_are_noise(line):
    assert decode(line) is NOISE


@pytest.mark.parametrize(
    "line", [f"Feb 10 23:21:05 n sshd[1]: user said {GENERIC}", f"> {BARE}", "%UC_CERT-0"]
)
def test_our_token_in_a_place_that_is_no_header_is_unreadable(line):
    assert isinstance(decode(line), Unreadable)


def test_a_cut_record_says_so():
    record = decode(BARE[:-20])

    assert isinstance(record, CiscoLogRecord)
    assert record.truncation == (Truncation.RECORD,)
    assert record.tag("AppID") == "a"


def test_no_more_than_the_limit_is_kept():
    record = decode(BARE + "x" * RECORD_LIMIT)

    assert isinstance(record, CiscoLogRecord)
    assert len(record.raw) == RECORD_LIMIT
    assert record.truncation == (Truncation.RECORD,)

"""Records on one line: each keeps its own facts, and a quotation never becomes a record."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.model.alarm import Unreadable
from watcher.wire.archive import Reader
from watcher.wire.runon import UNSURE

TAIL = "[AppID=Cisco Certificate Monitor][ClusterID=][NodeID={node}]"
MESSAGE = (
    "[Message=Certificate expiration Notification. Certificate name:{file} Unit:{store} "
    "Type:own-cert Expiration:Wed Nov 25 14:05:]"
)
CORE = "{seq}: {node}.lab.example: Nov 20 2026 01:00:06.544 UTC :  %UC_CERT-2-CertValidfor7days: %"
HEADS = {
    "pri": "<189>",
    "none": "",
    "local": "Nov 20 02:00:07 {node} local7 2 : ",
    "relay": "<189>Nov 20 02:00:07 192.0.2.7 ",
}


def record(seq, node="cucm-a", *, head="pri", store="CallManager"):
    made = HEADS[head] + CORE + MESSAGE + TAIL + ": Alarm that says so"
    return made.format(seq=seq, node=node, file=f"{store}.der", store=store)


def read(text):
    reader = Reader()
    found = [*reader.receive_data(text.encode()), *reader.close()]
    return [
        item.reason if isinstance(item, Unreadable)
        else (item.record.seqnum, item.record.originator, item.record.tag("Message"))
        for item in found
    ]  # fmt: skip


RECORDS = st.tuples(
    st.integers(1, 9999),
    st.sampled_from(["cucm-a", "cucm-b", "cucm-c"]),
    st.sampled_from(sorted(HEADS)),
    st.sampled_from(["CallManager", "CAPF", "tomcat"]),
)


@given(st.lists(RECORDS, min_size=1, max_size=20), st.sampled_from(["", " ", "\x00", "\t", "  "]))
def test_records_joined_are_the_records_apart(parts, joint):
    made = [record(seq, node, head=head, store=store) for seq, node, head, store in parts]

    assert read(joint.join(made)) == read("\n".join(made))
    assert len(read(joint.join(made))) == len(parts)


QUOTED = record(7, "evil", head="none")
AUDIT = (
    "<189>8: sub1.lab.example: Mar 05 2024 05:00:00.1 UTC : %UC_AUDITLOG-5-AdministrativeEvent: "
    "%[ UserID =x][ AuditDetails ={}][App ID=Cisco Tomcat][Cluster ID=][Node ID=sub1]: Sample"
)


@pytest.mark.parametrize("value", [QUOTED, f"x {QUOTED}", f"a]: b {QUOTED}"])
def test_a_record_that_a_value_quotes_is_none(value):
    assert [node for _, node, _ in read(AUDIT.format(value))] == ["sub1"]


def test_a_quotation_is_none_before_a_neighbour_either():
    both = AUDIT.format(QUOTED) + record(9, "cucm-b")

    assert [node for _, node, _ in read(both)] == ["sub1", "cucm-b"]


def test_a_value_that_fakes_the_end_of_its_record_makes_no_alarm():
    value = f"foo][AppID=x][ClusterID=][NodeID=evil]: text {QUOTED}"

    assert read(AUDIT.format(value)) == [UNSURE]
    assert read(f"{record(1)} {AUDIT.format(value)} {record(2)}")[1:-1] == [UNSURE]


@pytest.mark.parametrize("cut", [40, 120, 230, 262, 285])
def test_a_cut_record_never_takes_the_node_of_its_neighbour(cut):
    assert read(record(1)[:cut] + record(2, "cucm-b"))[0] in {
        UNSURE, "what stands in front of the token is no CiscoLog header",
    }  # fmt: skip


def test_another_device_that_quotes_two_records_stays_noise():
    router = "<189>9: r1: *Mar  5 05:00:00.411: %SYS-5-CONFIG_I: someone wrote "

    assert read(router + QUOTED + " " + QUOTED) == []


def test_a_line_beyond_the_limit_says_so():
    line = " ".join(record(number) for number in range(100))

    assert "too long" in read(line)[-1]

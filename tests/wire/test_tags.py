"""Tag lists: borders, quotations inside values, old forms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.wire.tags import split

TAIL = "[AppID=a][ClusterID=c][NodeID=n]: text"


@pytest.mark.parametrize(
    ("text", "first"),
    [
        (f"%[ Reason=HTTP 404 Error ]{TAIL}", ("Reason", "HTTP 404 Error ")),
        (f"%[Thread=SIP] [Delay=22]{TAIL}", ("Thread", "SIP")),
        (f"%[UNKNOWN_PARAMNAME:IPAddress=192.0.2.1]{TAIL}", ("IPAddress", "192.0.2.1")),
        (f"%[ UserID =x]{TAIL}", ("UserID", "x")),
        (f"%[Name=a]b]{TAIL}", ("Name", "a]b")),
        (f"[Message=Certificate name:a][b=c].der Unit:x]{TAIL}",
         ("Message", "Certificate name:a][b=c].der Unit:x")),
    ],
)  # fmt: skip
def test_a_value_ends_at_the_border_of_a_group(text, first):
    listed = split(text)

    assert listed.tags[0] == first
    assert listed.tags[-1] == ("NodeID", "n")
    assert (listed.text, listed.closed) == ("text", True)


def test_the_tail_of_a_quoted_record_is_not_the_own_one():
    quoted = "%UC_CERT-0-CertExpired: %[Message=m][AppID=q][ClusterID=q][NodeID=q]: z"

    listed = split(f"%[AuditDetails =x {quoted}]{TAIL}")

    assert ("NodeID", "n") in listed.tags
    assert "q" not in dict(listed.tags).values()


def test_a_cut_alert_does_not_take_the_tail_that_it_quotes():
    quoted = "MatchedEvent : 1: h: %UC_X-1-Y: %[AppID=q][ClusterID=q][NodeID=q]: some te"

    listed = split(f"%[AlertName=x][AlertDetail= {quoted}")

    assert not listed.closed
    assert [name for name, _ in listed.tags] == ["AlertName", "AlertDetail"]


def test_escapes_of_a_relay_are_undone():
    listed = split("%[Reason%61a%59b][App ID%61x][Node ID%61n]: t")

    assert listed.tags == (("Reason", "a;b"), ("App ID", "x"), ("Node ID", "n"))


@pytest.mark.parametrize(
    "text",
    [
        "Text Name:x App ID:a Cluster ID:c Node ID:n",
        "% Total=1 AppID=a ClusterID=c NodeID=n : text",
        "Name : x\nAppID : a ClusterID : c NodeID : n TimeStamp : Tue",
    ],
)
def test_old_lists_have_a_tail(text):
    assert split(text).tags == (("AppID", "a"), ("ClusterID", "c"), ("NodeID", "n"))


NAMES = st.text("abcXYZ", min_size=1, max_size=6)
VALUES = st.text("abc :=,%.", max_size=12).map(str.strip)


@given(st.lists(st.tuples(NAMES, VALUES), max_size=6))
def test_a_list_that_was_written_is_read_again(tags):
    text = "%" + "".join(f"[{name}={value}]" for name, value in tags) + TAIL

    assert split(text).tags[: len(tags)] == tuple(tags)


@pytest.mark.parametrize("blank", ["\x0b", "\x0c", "\x1f", "\x85", "\xa0", "\u2028"])
def test_a_node_that_is_a_blank_of_another_kind_is_none(blank):
    assert split(f"AppID: a NodeID: {blank}").tags == (("AppID", "a"), ("NodeID", ""))

"""Alarms with a number in them, each of them an event of its own, over a few certificates."""

import re
from datetime import UTC, datetime, timedelta

NODES = tuple(f"cm{number}" for number in range(1, 9))
STORES = ("tomcat", "CallManager", "CAPF", "TVS", "ipsec")
CASES = len(NODES) * len(STORES)
BEGINNING = datetime(2026, 11, 1, tzinfo=UTC)
NOISE = b"<190>5: cm1.example.test: Nov 01 2026 00:00:00.000 UTC :  %UC_X-6-Idle: %[a=b]: idle"

_TEXT = (
    "<188>{number}: {node}.example.test: {time} UTC :  %UC_CERT-4-CertValidLessThanMonth: "
    "%[Message=Certificate expiration Notification. Certificate name:{store}.pem Unit:{store} "
    "Type:own-cert Expiration:Wed Nov 25 14:05:][AppID=Cisco Certificate Monitor][ClusterID=]"
    "[NodeID={node}]: Certificate expires in less than a month, number #{number:07d}#"
)
_NUMBER = re.compile(rb"#(\d{7})#")
_MAIL = (
    "From: rtmt@cm1.example.test\r\nTo: watcher@localhost\r\nSubject: [RTMT-ALERT] number\r\n"
    "Message-ID: <{number}@cm1.example.test>\r\n\r\n"
    "At Sun Nov 01 00:00:00 UTC 2026 on node cm1, the following SyslogSeverityMatchFound events "
    "generated:\r\nSeverityMatch : Critical\r\nMatchedEvent : {time} {node} local7 4 : {text}\r\n"
    "AppID : Cisco Syslog Agent\r\nClusterID : \r\nNodeID : {node}\r\n"
)


def alarm(number: int) -> bytes:
    """Return the alarm with this number as a syslog message.

    Node, store and second make it another event than that of any other number.
    """
    node, rest = NODES[number % len(NODES)], number // len(NODES)
    store, second = STORES[rest % len(STORES)], rest // len(STORES)
    at = BEGINNING + timedelta(seconds=second)
    time = f"{at:%b %d %Y %H:%M:%S}.{number % 1000:03d}"
    return _TEXT.format(number=number, node=node, store=store, time=time).encode()


def mail(number: int) -> bytes:
    """Return the alarm with this number inside of an RTMT alert as a mail, without the last dot."""
    text = alarm(number).decode().partition(">")[2]
    node = NODES[number % len(NODES)]
    time = f"{BEGINNING:%b %d %H:%M:%S}"
    return _MAIL.format(number=number, node=node, text=text, time=time).encode()


def numbers_in(data: bytes) -> list[int]:
    """Return the numbers that stand in some bytes."""
    return [int(found) for found in _NUMBER.findall(data)]


def inventory() -> str:
    """Return an inventory that knows the nodes."""
    lines = ["version: 1", "clusters:", "  - name: numbered", "    nodes:"]
    for number, node in enumerate(NODES):
        role = "subscriber" if number else "publisher"
        lines.append(f"      - {{name: {node}, role: {role}}}")
    return "\n".join(lines) + "\n"

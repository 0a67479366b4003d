"""What a record is wrapped in on its way: syslog headers, RTMT's alert, and its mail."""

import binascii
import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from watcher.model.alarm import Severity
from watcher.traffic.cast import PlayedNode
from watcher.traffic.message import Form
from watcher.traffic.record import Record, Token, alert_stamp, local_stamp, stamp

ALERT_NAME = "SyslogSeverityMatchFound"
ALERT_FROM = Severity.CRITICAL
"""RTMT alerts were seen for this severity and worse only."""
_RTMT = Token(appname="UC_RTMT", severity=Severity.CRITICAL, msgname="RTMT_ALERT")
_MATCHES = ("Emergency", "Alert", "Critical")
_LINE = 76


class Style(StrEnum):
    """How a mail is written."""

    PLAIN = "plain"
    QUOTED_PRINTABLE = "quoted-printable"
    BASE64 = "base64"
    PAGE = "html"
    BOTH = "alternative"
    """Plain text and a page with the same words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What sets one mail apart from another with the same words."""

    unique: int
    style: Style


def datagram(form: Form, record: Record, zone: ZoneInfo) -> bytes:
    """Return one record in one of the forms that carry nothing else."""
    if form is Form.FILE:
        return file_line(record, zone).encode()
    sent = f"{local_stamp(record.at, zone)} {record.node.address}"
    if form is Form.RELAYED:
        return f"<189>{sent} {record.text}".encode()
    if form is Form.RELAYED_5424:
        at = f"{record.at:%Y-%m-%dT%H:%M:%S}Z"
        return f"<189>1 {at} {record.node.address} - - - - {record.text}".encode()
    return f"<189>{record.text}".encode()


def file_line(record: Record, zone: ZoneInfo) -> str:
    """Return the line of the CiscoSyslog file on the node, without its end."""
    severity = record.severity.value
    head = f"{local_stamp(record.at, zone)} {record.node.name} local7 {severity}"
    return f"{head} : {record.text}"


def alert_text(records: Sequence[Record], raised: datetime, zone: ZoneInfo) -> str:
    """Return the text of an RTMT alert about some records."""
    when, where = alert_stamp(raised, zone), records[0].node.address
    lines = [f"At {when} on node {where}, the following {ALERT_NAME} events generated:"]
    for matched in records:
        lines += [
            f"SeverityMatch : {_MATCHES[min(matched.severity, len(_MATCHES) - 1)]}",
            f"MatchedEvent : {file_line(matched, zone)}",
            "AppID : Cisco Syslog Agent",
            "ClusterID : ",
            f"NodeID : {matched.node.name}",
            f" TimeStamp : {alert_stamp(matched.at, zone)}",
        ]
    return "\n".join(lines)


def alert(matched: Record, raised: datetime, zone: ZoneInfo, collector: PlayedNode) -> bytes:
    """Return an RTMT alert as the collector node sends it by syslog."""
    detail = alert_text([matched], raised, zone).replace("\n", "#012")
    return (
        f"<189>{matched.number}: {collector.host}: {stamp(raised)} UTC : {_RTMT}: "
        f"%[AlertName={ALERT_NAME}][AlertDetail= {detail}]"
        f"[AppID=Cisco AMC Service][ClusterID=][NodeID={collector.name}]: RTMT Alert"
    ).encode()


def mail(records: Sequence[Record], raised: datetime, zone: ZoneInfo, letter: Letter) -> bytes:
    """Return an RTMT alert about some records as a mail, RFC 5322."""
    text = alert_text(records, raised, zone)
    collector = records[0].node
    head = (
        f"From: rtmt@{collector.host}\n"
        "To: watcher@localhost\n"
        f"Subject: [RTMT-ALERT-StandAloneCluster] {ALERT_NAME}\n"
        f"Date: {_mail_date(raised, zone)}\n"
        f"Message-ID: <{letter.unique:016x}@{collector.host}>\n"
        "MIME-Version: 1.0\n"
    )
    return (head + _WRITERS[letter.style](text)).replace("\n", "\r\n").encode()


def _plain(text: str) -> str:
    return f"Content-Type: text/plain; charset=us-ascii\n\n{text}\n"


def _quoted_printable(text: str) -> str:
    body = binascii.b2a_qp(text.encode(), istext=True).decode()
    return (
        "Content-Type: text/plain; charset=utf-8\n"
        f"Content-Transfer-Encoding: quoted-printable\n\n{body}\n"
    )


def _base64(text: str) -> str:
    letters = binascii.b2a_base64(text.encode(), newline=False).decode()
    lines = [letters[first : first + _LINE] for first in range(0, len(letters), _LINE)]
    return (
        "Content-Type: text/plain; charset=utf-8\n"
        "Content-Transfer-Encoding: base64\n\n" + "\n".join(lines) + "\n"
    )


def _page(text: str) -> str:
    lines = "<br>\n".join(html.escape(line) for line in text.split("\n"))
    return f"Content-Type: text/html; charset=utf-8\n\n<html><body>{lines}</body></html>\n"


def _both(text: str) -> str:
    border = "=_played_by_watcher"
    parts = "".join(f"--{border}\n{part}" for part in (_quoted_printable(text), _page(text)))
    return f'Content-Type: multipart/alternative; boundary="{border}"\n\n{parts}--{border}--\n'


def _mail_date(at: datetime, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    minutes = int((local.utcoffset() or timedelta(0)).total_seconds()) // 60
    sign = "-" if minutes < 0 else "+"
    hours, minutes = divmod(abs(minutes), 60)
    words = alert_stamp(at, zone).split(" ")
    return f"{words[0]}, {words[2]} {words[1]} {local.year} {words[3]} {sign}{hours:02}{minutes:02}"


_WRITERS: Mapping[Style, Callable[[str], str]] = {
    Style.PLAIN: _plain,
    Style.QUOTED_PRINTABLE: _quoted_printable,
    Style.BASE64: _base64,
    Style.PAGE: _page,
    Style.BOTH: _both,
}

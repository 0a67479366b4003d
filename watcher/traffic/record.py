"""The text of CiscoLog records, without any carrier."""

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from watcher.model.alarm import Severity
from watcher.traffic.cast import Copy, PlayedNode

MESSAGE_LIMIT = 129
"""Characters of a `Message` value that get through, seen on two alarms of one host."""
APP_ID = "Cisco Certificate Monitor"
TEXT = "Sample alarm, played by watcher simulate; no certificate is meant by it"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record and what its carriers need to know of it."""

    text: str
    node: PlayedNode
    at: datetime
    severity: Severity
    number: int
    """SEQNUM."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """The token of a record: `%APPNAME-SEVERITY-MSGNAME`."""

    appname: str
    severity: Severity
    msgname: str

    def __str__(self) -> str:
        """Print as on the wire."""
        return f"%{self.appname}-{self.severity.value}-{self.msgname}"


def record(node: PlayedNode, at: datetime, number: int, token: Token, tags: str) -> Record:
    """Return a record with these tags; NodeID is added."""
    text = (
        f"{number}: {node.host}: {stamp(at)} UTC :  {token}: "
        f"%{tags}[ClusterID=][NodeID={node.name}]: {TEXT}"
    )
    return Record(text=text, node=node, at=at, severity=token.severity, number=number)


def certificate_tags(copy: Copy, end: datetime, zone: ZoneInfo) -> str:
    """Return the tags of a certificate alarm, with the value cut where the field cuts it."""
    value = certificate_value(copy, end, zone)[:MESSAGE_LIMIT]
    return f"[Message={value}][AppID={APP_ID}]"


def certificate_value(copy: Copy, end: datetime, zone: ZoneInfo) -> str:
    """Return the whole value of `Message`, as nobody ever gets it."""
    return (
        f"Certificate expiration Notification. Certificate name:{copy.file} Unit:{copy.store} "
        f"Type:{copy.reported_type} Expiration:{end_text(end, zone)}"
    )


def legible(copy: Copy) -> bool:
    """Tell whether the name of the store survives whole, with the next key behind it."""
    before = len("Certificate expiration Notification. Certificate name: Unit: Type:")
    return before + len(copy.file) + len(copy.store) <= MESSAGE_LIMIT


def stamp(at: datetime) -> str:
    """Return the UTC time stamp of a record, to the millisecond."""
    at = at.astimezone(UTC)
    return (
        f"{_MONTHS[at.month - 1]} {at.day:02} {at.year} "
        f"{at.hour:02}:{at.minute:02}:{at.second:02}.{at.microsecond // 1000:03}"
    )


def end_text(end: datetime, zone: ZoneInfo) -> str:
    """Return an end as the alarm has it: weekday first, milliseconds, zone, and the year last."""
    end = end.astimezone(zone)
    return (
        f"{_DAYS[end.weekday()]} {_MONTHS[end.month - 1]} {end.day:02} "
        f"{end:%H:%M:%S}:000 {end.tzname()} {end.year}"
    )


def local_stamp(at: datetime, zone: ZoneInfo) -> str:
    """Return the local time stamp that the CiscoSyslog file puts in front."""
    at = at.astimezone(zone)
    return f"{_MONTHS[at.month - 1]} {at.day} {at:%H:%M:%S}"


def alert_stamp(at: datetime, zone: ZoneInfo) -> str:
    """Return a time as an RTMT alert writes it: `Fri Sep 05 02:00:56 CEST 2014`."""
    at = at.astimezone(zone)
    return (
        f"{_DAYS[at.weekday()]} {_MONTHS[at.month - 1]} {at.day:02} "
        f"{at:%H:%M:%S} {at.tzname()} {at.year}"
    )

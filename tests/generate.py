"""Archives of our own making: mixed lines of a small network, the same for the same seed.

Everything in here is our wording; only the shapes are those of the field. `python
tests/generate.py LINES FILE` writes an archive for tests and benches.
"""

import random
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

START = datetime(2024, 3, 1, tzinfo=UTC)
NODES = ("pub1", "sub1", "sub2", "tftp1", "imp1")
STORES = (
    ("tomcat.der", "tomcat"),
    ("CallManager.der", "CallManager"),
    ("CAPF.der", "CAPF"),
    ("ipsec.der", "ipsec"),
    ("TVS.der", "TVS"),
    ("sub1.lab.example.der", "tomcat-trust"),
    ("Lab_Root_CA.der", "CallManager-trust"),
)
KINDS = (
    ("CertExpired", 0, -400, -1),
    ("CertValidLessthanADay", 1, 0, 1),
    ("CertValidfor7days", 2, 1, 7),
    ("CertValidLessThanMonth", 4, 8, 30),
    ("CertValidityOver30Days", 5, 31, 90),
)
PHONE_TAGS = (
    "[IPAddress=192.0.2.98][Protocol=SIP][DeviceType=592][Description=Phone of a desk][Reason=13]"
    "[IPAddrAttributes=0][LastSignalReceived=SIPRegistration]"
)
AUDIT_TAGS = (
    "[ UserID =admin][ ClientAddress =192.0.2.5][ Severity =5][ EventType =Update]"
    "[ ResourceAccessed=Admin][ EventStatus =Success][ CompulsoryEvent =No]"
    "[ AuditDetails =one row of a table was changed]"
)
"""As long as the field's own, because what a line costs depends on its length."""

MESSAGE_LIMIT = 129
"""Characters of a `Message` value that the field lets through."""


def certificate_record(chance: random.Random, at: datetime, number: int) -> str:
    """Return one certificate alarm without any carrier, cut where the field cuts it."""
    name, severity, first, last = chance.choice(KINDS)
    file, store = chance.choice(STORES)
    node = chance.choice(NODES)
    end = at + timedelta(days=chance.randint(first, last))
    message = (
        f"Certificate expiration Notification. Certificate name:{file} Unit:{store} "
        f"Type:own-cert Expiration:{end:%a %b %d %H:%M:%S}:000 UTC {end:%Y}"
    )[:MESSAGE_LIMIT]
    tail = f"[AppID=Cisco Certificate Monitor][ClusterID=][NodeID={node}]"
    return (
        f"{number}: {node}.lab.example: {at:%b %d %Y %H:%M:%S.%f}"[:-3]
        + f" UTC :  %UC_CERT-{severity}-{name}: %[Message={message}]{tail}: Sample of a generator"
    )


def uc_record(chance: random.Random, at: datetime, number: int) -> str:
    """Return one record of another UC service."""
    node = chance.choice(NODES)
    app, name, tags = chance.choice(
        (
            (
                "UC_CALLMANAGER-6",
                "EndPointRegistered",
                f"[DeviceName=SEP{number:012X}]{PHONE_TAGS}",
            ),
            (
                "UC_CALLMANAGER-3",
                "EndPointUnregistered",
                f"[DeviceName=SEP{number:012X}]{PHONE_TAGS}",
            ),
            ("UC_GENERIC-6", "ServiceStarted", "[ServiceName=Cisco Certificate Expiry Monitor]"),
            ("UC_AUDITLOG-5", "AdministrativeEvent", AUDIT_TAGS),
            ("UC_DRF-6", "DRFBackupCompleted", "[Reason=by schedule]"),
        )
    )
    return (
        f"{number}: {node}.lab.example: {at:%b %d %Y %H:%M:%S}.{chance.randrange(1000)} UTC :  "
        f"%{app}-{name}: %{tags}[AppID=Cisco Sample][ClusterID=][NodeID={node}]: Sample"
    )


def noise_line(chance: random.Random, at: datetime, number: int) -> str:
    """Return a line that is no record of a UC server."""
    host = chance.choice(NODES)
    return chance.choice(
        (
            f"<14>{number}: : audispd:node={host} type=EOE msg=audit({number}.975:{number}):",
            f"<189>{number}: edge1: *{at:%b %d %H:%M:%S}.411: %SYS-5-CONFIG_I: Changed from vty0",
            f"<187>{number}: core2: {at:%b %d %H:%M:%S}.21 NewYork: %PKI-3-CERTIFICATE_INVALID: x",
            f"<78>{at:%b %d %H:%M:%S} {host} crond[{number}]: (root) CMD (a job of the night)",
            f"<166>{at:%Y-%m-%dT%H:%M:%S}Z wall1 : %FTD-6-305012: Teardown of one translation",
            f"{at:%b %d %H:%M:%S} {host} sshd[{number}]: session opened for user backup by (uid=0)",
        )
    )


def carried(chance: random.Random, record: str, at: datetime) -> str:
    """Return `record` as it arrives: remote syslog, file line, relayed, or in an alert."""
    node = record.split(": ", 2)[1].split(".", 1)[0]
    local = f"{at + timedelta(hours=1):%b %d %H:%M:%S} {node} local7 2 : {record}"
    raised = at + timedelta(hours=1, seconds=40)
    alert = (
        f"At {raised:%a %b %d %H:%M:%S} CET {raised:%Y} on node 192.0.2.1, the following "
        "SyslogSeverityMatchFound events generated:#012SeverityMatch : Critical#012MatchedEvent : "
        f"{local}#012AppID : Cisco Syslog Agent#012ClusterID :#012NodeID : {node}"
    )
    wrapped = (
        f"<189>7: pub1.lab.example: {at:%b %d %Y %H:%M:%S}.1 UTC : %UC_RTMT-2-RTMT_ALERT: "
        f"%[AlertName=SyslogSeverityMatchFound][AlertDetail= {alert}]"
        "[AppID=Cisco AMC Service][ClusterID=][NodeID=pub1]: RTMT Alert"
    )
    return chance.choice(
        (
            f"<189>{record}",
            local,
            f"<189>{at:%b %d %H:%M:%S} 192.0.2.7 {record}",
            f"<189>1 {at:%Y-%m-%dT%H:%M:%S}Z 192.0.2.7 - - - - {record}",
            wrapped,
            local.replace(".lab.example: ", ".lab.example:\n", 1),
        )
    )


def archive(count: int, *, share: float = 0.001, uc_share: float = 0.6, seed: int = 1):
    """Yield `count` pieces of an archive, each with its line end, and whether it is an alarm."""
    chance = random.Random(seed)  # noqa: S311 -- the same archive every time is the point
    at = START
    for number in range(count):
        at += timedelta(seconds=1)
        kind = chance.random()
        if kind < share:
            piece = carried(chance, certificate_record(chance, at, number), at)
        elif kind < share + uc_share:
            piece = f"<189>{uc_record(chance, at, number)}"
        else:
            piece = noise_line(chance, at, number)
        yield f"{piece}\n", kind < share


def write(count: int, stream: BinaryIO, **choices: float) -> int:
    """Write an archive and return how many certificate alarms it holds."""
    alarms = 0
    for piece, is_alarm in archive(count, **choices):
        stream.write(piece.encode())
        alarms += is_alarm
    return alarms


def chunks(data: bytes, size: int) -> Iterator[bytes]:
    """Cut `data` into blocks."""
    for start in range(0, len(data), size):
        yield data[start : start + size]


if __name__ == "__main__":
    with Path(sys.argv[2]).open("wb") as output:
        print(write(int(sys.argv[1]), output), "certificate alarms")  # noqa: T201

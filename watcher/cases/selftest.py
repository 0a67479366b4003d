"""Our own alarm: a message that goes the whole way once in a while, to show that it is open."""

import re
from datetime import datetime, timedelta

from watcher.model.alarm import CertificateAlarm
from watcher.rules.alarms import Alarms
from watcher.wire.timestamp import MONTHS

NODE = "watcher-selftest"
"""Reserved NodeID; no inventory may have a node of this name."""
_NONCE = re.compile(r"[0-9a-f]{16,64}", re.ASCII)
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_PRI = 190
_AHEAD = timedelta(days=365)


def synthetic_alarm(nonce: str, now: datetime, alarms: Alarms) -> bytes:
    """Return a whole syslog line that the parsers read as a certificate alarm of the catalogue.

    `nonce` is 16 to 64 hexadecimal digits; raises ValueError for anything else.
    """
    if _NONCE.fullmatch(nonce) is None:
        raise ValueError("a nonce is 16 to 64 lower-case hexadecimal digits")
    at, end = _date(now), now + _AHEAD
    # The mildest alarm: a relay on the way may raise others.
    msgname, kind = max(alarms.certificate.items(), key=lambda item: item[1].severities[0])
    return (
        f"<{_PRI}>1: {NODE}: {at} {now.year} {now:%H:%M:%S}.{now.microsecond // 1000:03} UTC :  "
        f"%{alarms.appnames[0]}-{kind.severities[0]}-{msgname}: "
        f"%[Message=Certificate expiration Notification. Certificate name:{nonce} Unit:{NODE} "
        f"Type:own-cert Expiration:{_WEEKDAYS[end.weekday()]} {_date(end)} {end:%H:%M:%S}:000 UTC "
        f"{end.year}][AppID={NODE}][ClusterID=][NodeID={NODE}]: Test of the way in; not an alarm"
    ).encode("ascii")


def _date(at: datetime) -> str:
    return f"{MONTHS[at.month - 1]} {at.day:02}"


def nonce_of(alarm: CertificateAlarm) -> str | None:
    """Return the nonce of a synthetic alarm, or None for any other; anybody may have sent one."""
    if alarm.node != NODE or alarm.store != NODE or alarm.certificate is None:
        return None
    return alarm.certificate if _NONCE.fullmatch(alarm.certificate) else None
